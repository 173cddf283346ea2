"""What tests/c/hostile.py must be told of the header: the tables of its functions, parameters and
fields, with what hostile values give. A status here is one of a list, any of which is right."""

# Cases that a mend elsewhere has to come for, as patterns of their names: they are left out.
OPEN = []

OK = ["VKD_OK"]
ZERO = ["VKD_ERROR_ZERO_SIZE"]
OPTION = ["VKD_ERROR_BAD_OPTION"]
NULL = ["VKD_ERROR_NULL_POINTER"]
LARGE = ["VKD_ERROR_TOO_LARGE"]
FLAGS = ["VKD_ERROR_UNKNOWN_FLAGS"]
MANY = ["VKD_ERROR_TOO_MANY_NEIGHBORS"]
START = ["VKD_ERROR_START_OUT_OF_RANGE"]
HEADS = ["VKD_ERROR_BAD_HEADS"]
SMALL = ["VKD_ERROR_OUTPUT_TOO_SMALL"]
KIND = ["VKD_ERROR_WRONG_JOB_KIND"]
WIDE = ["VKD_ERROR_DIM_TOO_LARGE"]
NO_DEVICE = ["VKD_ERROR_DEVICE_NOT_FOUND", "VKD_ERROR_NO_LOADER"]
NOT_FINITE = ["VKD_ERROR_NOT_FINITE"]
NO_ID = ["VKD_ERROR_NO_SUCH_ID"]
BAD_EMBEDDINGS = ["VKD_ERROR_BAD_EMBEDDINGS"]
NO_EMBEDDINGS = BAD_EMBEDDINGS + [
    "VKD_ERROR_FILE", "VKD_ERROR_BAD_OPTION", "VKD_ERROR_ZERO_SIZE"]
BYTES = '"\\xff\\xfe"'
LONG_TEXT = "long_text()"
MOST = "UINT32_MAX"

# What a call that works passes for a parameter of that name.
VALUES = {
    "context": "context", "embeddings": "embeddings", "num_items": "ITEMS", "dim": "DIM", "k": "K",
    "index": "1", "item": "1", "id": '"id1"', "first": "1", "count": "2", "start": "1",
    "timeout_ms": "-1", "status": "0", "capacity": "ITEMS * ITEMS",
    "format": "VKD_FORMAT_SAFETENSORS", "flags": "0", "parts": "parts", "num_parts": "PARTS",
}
# Numbers at their limits, and what they give. In a function of its own: `NUMBERS_OF`.
NUMBERS = {
    "num_items": [("0", ZERO), (MOST, LARGE), ("0x80000000", LARGE), ("0x7fffffff", LARGE)],
    "dim": [("0", ZERO), ("65537", WIDE), (MOST, WIDE)],
    "k": [("0", ZERO), ("ITEMS", MANY), (MOST, MANY)],
    "timeout_ms": [("0", OK), ("INT64_MIN", OK), ("INT64_MAX", OK)],
    "index": [("ITEMS", OPTION), (MOST, OPTION)],
    "item": [("ITEMS", OPTION), (MOST, OPTION)],
    "first": [("ITEMS - 1", OPTION), (MOST, OPTION), ("0", OK)],
    "count": [("0", OK), ("ITEMS", OPTION), (MOST, OPTION)],
    "start": [("ITEMS", START), (MOST, START)],
    "capacity": [("0", SMALL), ("1", SMALL), ("UINT64_MAX", OK), ("SIZE_MAX", OK)],
    "item": [("ITEMS", OPTION), (MOST, OPTION)],
    "format": [("VKD_FORMAT_NPY", OK), ("2", OPTION), (MOST, OPTION)],
    "flags": [("VKD_OVERWRITE", OK), ("1", FLAGS), ("512", FLAGS), (MOST, FLAGS)],
    "num_parts": [("0", ZERO), ("1", ["VKD_ERROR_FILE_MISMATCH"]), (MOST, LARGE)],
}
MISMATCH = ["VKD_ERROR_FILE_MISMATCH", "VKD_ERROR_ZERO_SIZE"]
OTHER_NUMBERS = [
    ("0", MISMATCH), ("ITEMS - 1", MISMATCH), (MOST, MISMATCH), ("0x80000000", MISMATCH)]
NUMBERS_OF = {
    (f"vkd_{function}", "num_items"): OTHER_NUMBERS for function in [
        "sequences_file_verify_against", "sequences_file_check", "neighbors_file_check"]
}
# Bytes of an output.
ROOM = {
    "out_sequences": "ITEMS * ITEMS * 4", "out_count": "4", "out_indices": "ITEMS * K * 4",
    "out_kind": "4", "out_items": "2 * 4", "out_index": "4", "out_row": "sizeof(void *)",
    "out_values": "ITEMS * ITEMS * 4", "out_item": "4", "out_data": "sizeof(void *)",
    "out_text": "sizeof(void *)", "out_bytes": "8",
}
ROOM_OF = {
    ("vkd_sequences_file_values", "out_values"): "sizeof(void *)",
    ("vkd_neighbors_compute", "out_similarities"): "ITEMS * K * 4",
    ("vkd_job_neighbors", "out_similarities"): "ITEMS * K * 4",
    ("vkd_neighbors_file_row", "out_similarities"): "sizeof(void *)",
    ("vkd_neighbors_file_row", "out_indices"): "sizeof(void *)",
    ("vkd_similarity_compute", "out_similarities"): "ITEMS * ITEMS * 4",
    ("vkd_job_similarity", "out_similarities"): "ITEMS * ITEMS * 4",
}


class Function:
    """How a function is called. `null`: what may be NULL; `cheap`: a change and its status, which
    spare the work for all but some sizes of its option structs; `more`: other cases, as (name,
    change, status); `roles`: what its texts are as paths; `values`: what a call that works passes,
    where `VALUES` does not say it."""

    def __init__(self, null="", cheap=None, more=(), roles=("READ",), **values):
        self.null, self.cheap, self.more, self.values = set(null.split()), cheap, more, values
        self.roles = roles


NO_ITEMS = ("a.num_items = 0", ZERO)
NAN = ("NaN", "embeddings[7] = NAN", NOT_FINITE)
BAD_DATA = [NAN, ("infinity", "embeddings[7] = -INFINITY", NOT_FINITE),
            ("zeros", "memset(numbers, 0, sizeof numbers)", ["VKD_ERROR_ZERO_NORM"]),
            ("huge both", "a.num_items = a.dim = UINT32_MAX", WIDE + LARGE),
            ("huge", "a.num_items = UINT32_MAX; a.dim = 65536", LARGE)]
HUGE_PLAN = BAD_DATA[3:]
ID_TWICE = [("the same output twice", "a.out_bytes = (void *)a.out_text", OPTION)]
OTHER_IDS = [("an id that none has", 'a.id = "id"', NO_ID),
             ("an id empty", 'a.id = ""', NO_ID),
             ("an id no UTF-8", 'a.id = "\\xff\\xfe"', OPTION),
             ("an id long", "a.id = long_text()", NO_ID)]
CHECKED = [NAN, ("huge both", "a.num_items = a.dim = UINT32_MAX", MISMATCH + WIDE)]
NO_FLAG = ("merge_options.flags = VKD_CENTER", FLAGS)
PARTS = [("a part NULL", "parts[1] = NULL", NULL),
         ("a part empty", 'parts[1] = ""', OPTION),
         ("a part that is none", "parts[1] = values_path", ["VKD_ERROR_FILE_MISMATCH"]),
         ("a part twice", "parts[1] = parts[0]", ["VKD_ERROR_FILE_MISMATCH"]),
         ("neighbours", "parts[1] = neighbors_path", ["VKD_ERROR_FILE_MISMATCH"]),
         ("a part long", "parts[1] = long_text()", ["VKD_ERROR_FILE"])]
KINDS = ["sequences_job", "neighbors_job", "similarity_job", "site_job"]
OVERLAP = [("the same output twice", "a.out_similarities = (void *)a.out_indices", OPTION)]


def other_kinds(job):
    return [(other, f"a.job = {other}", KIND) for other in KINDS if other != job]


FUNCTIONS = {
    "vkd_batch_compute": Function("options", NO_ITEMS, BAD_DATA),
    "vkd_batch_start": Function("options", NO_ITEMS, BAD_DATA),
    "vkd_batch_plan": Function("options", more=HUGE_PLAN),
    "vkd_device_count": Function(),
    "vkd_device_get_info": Function(),
    "vkd_context_create": Function("options"),
    "vkd_context_free": Function("context", context="new_context()"),
    "vkd_context_get_info": Function(),
    "vkd_job_poll": Function(job="sequences_job"),
    "vkd_job_wait": Function(job="sequences_job"),
    "vkd_job_cancel": Function("job", job="sequences_job"),
    "vkd_job_free": Function("job", job="new_job()"),
    "vkd_job_sequences": Function(
        job="sequences_job", more=other_kinds("sequences_job") + [
            ("a result in a file", "a.job = file_job", ["VKD_ERROR_RESULT_IN_FILE"])]),
    "vkd_job_values": Function(
        job="values_job", more=other_kinds("sequences_job") + [
            ("without values", "a.job = sequences_job", OPTION),
            ("a result in a file", "a.job = file_job", ["VKD_ERROR_RESULT_IN_FILE"])]),
    "vkd_job_neighbors": Function(
        "out_similarities", job="neighbors_job", capacity="ITEMS * K",
        more=other_kinds("neighbors_job") + OVERLAP),
    "vkd_job_similarity": Function(job="similarity_job", more=other_kinds("similarity_job")),
    "vkd_neighbors_compute": Function(
        "options out_similarities", NO_ITEMS, BAD_DATA + OVERLAP),
    "vkd_neighbors_start": Function("options", NO_ITEMS, BAD_DATA),
    "vkd_neighbors_plan": Function("options", more=HUGE_PLAN),
    "vkd_similarity_compute": Function("options", NO_ITEMS, BAD_DATA),
    "vkd_similarity_start": Function("options", NO_ITEMS, BAD_DATA),
    "vkd_similarity_plan": Function("options", more=HUGE_PLAN),
    "vkd_site_compute": Function("neighbors_options", NO_ITEMS, BAD_DATA),
    "vkd_site_start": Function("neighbors_options", NO_ITEMS, BAD_DATA),
    "vkd_site_plan": Function("neighbors_options", more=HUGE_PLAN),
    "vkd_site_write": Function(cheap=("site_options.reserved = 1", OPTION)),
    "vkd_site_write_start": Function(cheap=("site_options.reserved = 1", OPTION)),
    "vkd_export_write": Function(cheap=("export_options.format = 9", OPTION)),
    "vkd_export_write_start": Function(cheap=("export_options.format = 9", OPTION)),
    "vkd_merge_write": Function(cheap=NO_FLAG, more=PARTS),
    "vkd_merge_write_start": Function(cheap=NO_FLAG, more=PARTS),
    "vkd_results_identify": Function(path="neighbors_path"),
    "vkd_sequences_file_open": Function(
        path="sequences_path",
        more=[("neighbours", "a.path = neighbors_path", ["VKD_ERROR_FILE_MISMATCH"])]),
    "vkd_sequences_file_free": Function("file", file="new_sequences_file()"),
    "vkd_sequences_file_get_info": Function(file="sequences_file"),
    "vkd_sequences_file_row": Function(file="sequences_file"),
    "vkd_sequences_file_values": Function(
        file="values_file", more=[("without values", "a.file = sequences_file", OPTION)]),
    "vkd_sequences_file_copy_row": Function(file="sequences_file"),
    "vkd_sequences_file_find": Function(file="sequences_file"),
    "vkd_sequences_file_verify": Function(file="sequences_file"),
    "vkd_sequences_file_verify_against": Function(
        "options", file="sequences_file", more=CHECKED),
    "vkd_sequences_file_check": Function("options", file="sequences_file", more=CHECKED),
    "vkd_sequences_file_id": Function(
        file="sequences_file",
        more=ID_TWICE + [("without ids", "a.file = values_file", NO_ID)]),
    "vkd_sequences_file_find_id": Function(
        file="sequences_file",
        roles=(), more=OTHER_IDS + [("without ids", "a.file = values_file", NO_ID)]),
    "vkd_neighbors_file_open": Function(
        path="neighbors_path",
        more=[("sequences", "a.path = sequences_path", ["VKD_ERROR_FILE_MISMATCH"])]),
    "vkd_neighbors_file_free": Function("file", file="new_neighbors_file()"),
    "vkd_neighbors_file_get_info": Function(file="neighbors_file"),
    "vkd_neighbors_file_row": Function(
        "out_similarities", file="neighbors_file",
        more=[("the same output twice", "a.out_similarities = (void *)a.out_indices", OPTION)]),
    "vkd_neighbors_file_verify": Function(file="neighbors_file"),
    "vkd_neighbors_file_check": Function("options", file="neighbors_file", more=CHECKED),
    "vkd_neighbors_file_id": Function(file="neighbors_file", more=ID_TWICE),
    "vkd_neighbors_file_find_id": Function(roles=(), file="neighbors_file", more=OTHER_IDS),
    "vkd_embeddings_open": Function("options", path="embeddings_path"),
    "vkd_embeddings_free": Function("embeddings", embeddings="new_embeddings()"),
    "vkd_embeddings_get_info": Function(embeddings="embeddings_file"),
    "vkd_embeddings_data": Function(embeddings="embeddings_file"),
    "vkd_embeddings_id": Function(
        embeddings="embeddings_file",
        more=[("without ids", "a.embeddings = plain_file", NO_ID),
              ("the same output twice", "a.out_bytes = (void *)a.out_text", OPTION)]),
    "vkd_embeddings_find": Function(
        embeddings="embeddings_file", roles=(),
        more=[("without ids", "a.embeddings = plain_file", NO_ID),
              ("id unknown", 'a.id = "id"', NO_ID), ("id empty", 'a.id = ""', NO_ID),
              ("id no UTF-8", f"a.id = {BYTES}", OPTION),
              ("id long", f"a.id = {LONG_TEXT}", NO_ID)]),
    "vkd_embeddings_write": Function(
        embeddings="embeddings_file", path="new_path()", roles=("WRITE",)),
    # No status, no pointers.
    "vkd_last_error": Function(),
    "vkd_version": Function(),
    "vkd_version_string": Function(),
    "vkd_status_name": Function(),
}


def enum(field, count):
    return [(f"{field} {value}", f"@.{field} = {value}", OPTION)
            for value in [str(count), "0x7fffffff", "0x80000000", MOST]]


def numbers(field, *values):
    return [(f"{field} {value}", f"@.{field} = {value}", status) for value, status in values]


def path(field, *roles):
    return [("paths", field, roles)]


def no_text(field):
    return [(f"{field} no UTF-8", f"@.{field} = {BYTES}", OPTION)]


def reserved():
    return numbers("reserved", ("1", OPTION), (MOST, OPTION))


def ids_of(path):
    """The same of the ids of open embeddings."""
    file = f"@.output_path = {path}; @.flags = VKD_OVERWRITE; " if path else ""
    return [
        ("ids of embeddings", f"{file}@.ids_of = embeddings_file", OK),
        ("ids of embeddings without ids", f"{file}@.ids_of = plain_file", OK),
        ("ids twice", f"{file}@.ids = ids; @.ids_of = embeddings_file", OPTION),
    ]


def ids(path):
    """Cases of the ids of a run that writes a file, and of those that a file is compared with."""
    file = f"@.output_path = {path}; @.flags = VKD_OVERWRITE; " if path else ""
    return [
        (f"ids{' of a file' if path else ''}", f"{file}@.ids = ids", OK),
        ("an id NULL", f"{file}@.ids = ids; ids[3] = NULL", NULL),
        ("an id no UTF-8", f"{file}@.ids = ids; ids[3] = {BYTES}", OPTION),
        ("an id twice", f"{file}@.ids = ids; ids[3] = ids[2]", ["VKD_ERROR_BAD_ID"]),
        ("ids misaligned", f"{file}@.ids = off(ids)", OPTION),
    ]


KNOWN_FLAGS = {
    "vkd_context_options": ["VKD_NO_PIPELINE_CACHE"],
    "vkd_batch_options": [
        "VKD_CENTER", "VKD_OVERWRITE", "VKD_VALUES", "VKD_LAMBDA", "VKD_ZERO_ROWS"],
    "vkd_neighbors_options": ["VKD_CENTER", "VKD_OVERWRITE", "VKD_ZERO_ROWS"],
    "vkd_similarity_options": ["VKD_CENTER", "VKD_UPPER_TRIANGLE", "VKD_ZERO_ROWS"],
    "vkd_site_options": ["VKD_NO_SYNC"],
    "vkd_export_options": ["VKD_OVERWRITE"],
    "vkd_merge_options": ["VKD_OVERWRITE"],
    "vkd_verify_options": ["VKD_ZERO_ROWS"],
    "vkd_check_options": [],
    "vkd_embeddings_options": [],
}
# Of each option struct: the sizes that it had in versions of the header, the last is today's; and
# for each field its cases as (name, change, status), where @ stands for the struct.
STRUCTS = {
    "vkd_context_options": ([40], {
        "flags": "flags",
        "device": [
            ("device empty", '@.device = ""', OK),
            ("device unknown", '@.device = "Voodoo 2"', NO_DEVICE),
            ("device no UTF-8", f"@.device = {BYTES}", OPTION),
            ("device long", f"@.device = {LONG_TEXT}", NO_DEVICE)],
        "memory_limit": numbers("memory_limit", ("1", OK), ("UINT64_MAX", OK)),
        "sequence_kernel": enum("sequence_kernel", 3),
        "submit_target_ms": numbers(
            "submit_target_ms", ("1", OK), ("1000", OK), ("1001", OPTION), (MOST, OPTION)),
        "threads": numbers("threads", ("1", OK), ("4097", OPTION), (MOST, OPTION)),
    }),
    "vkd_batch_options": ([40, 80, 96, 104], {
        "flags": "flags",
        "element_type": enum("element_type", 3),
        "length": numbers(
            "length", ("1", OK), ("ITEMS + 1", ["VKD_ERROR_LENGTH_OUT_OF_RANGE"]),
            (MOST, ["VKD_ERROR_LENGTH_OUT_OF_RANGE"])),
        "starts": [
            ("starts", "@.starts = starts; @.num_starts = 3", OK),
            ("starts without a number", "@.starts = starts", ZERO),
            ("a start that is none", "@.starts = starts; @.num_starts = 3; starts[2] = ITEMS",
             START),
            ("starts misaligned", "@.starts = off(starts); @.num_starts = 2", OPTION)],
        "num_starts": [
            ("no starts", "@.num_starts = 2", NULL),
            ("huge number, no starts", "@.num_starts = UINT32_MAX", NULL),
            ("huge number of starts", "@.starts = starts; @.num_starts = UINT32_MAX", LARGE)],
        "reserved": reserved(),
        "output_path": path("output_path", "WRITE", "OVER"),
        "rule": enum("rule", 4) + numbers("rule", ("1", OK), ("2", OK), ("3", OK)),
        "head_length": [
            ("a length of heads, no heads", "@.head_length = 2", NULL),
            ("heads without a length", "@.heads = starts; @.num_heads = 1", ZERO),
            ("heads longer than sequences", "@.heads = starts; @.num_heads = 1; "
             "@.head_length = 3; @.length = 2", HEADS)],
        "heads": [
            ("heads", "@.heads = starts; @.num_heads = 1; @.head_length = 3", OK),
            ("heads of one item", "@.heads = starts; @.num_heads = 3; @.head_length = 1", OK),
            ("heads and starts", "@.heads = @.starts = starts; @.num_heads = @.num_starts = 3; "
             "@.head_length = 1", HEADS),
            ("a head with an item twice", "@.heads = starts; @.num_heads = 1; @.head_length = 3; "
             "starts[2] = starts[0]", HEADS),
            ("a head with an item that is none", "@.heads = starts; @.num_heads = 1; "
             "@.head_length = 3; starts[1] = UINT32_MAX", HEADS),
            ("heads misaligned", "@.heads = off(starts); @.num_heads = 1; @.head_length = 2",
             OPTION)],
        "lambda": [(f"lambda {value}, rule {rule}", f"@.lambda = {value}; @.rule = {rule}",
                    status) for value, rule, status in [
                       ("0.25", 2, OK), ("1", 2, OK), ("-1e-9", 2, OPTION), ("1.001", 2, OPTION),
                       ("NAN", 2, OPTION), ("INFINITY", 2, OPTION), ("0.5", 0, OPTION),
                       ("NAN", 1, OPTION)]] + [
            ("lambda with another rule", "@.flags |= VKD_LAMBDA; @.rule = 3", OPTION),
            ("lambda 0", "@.flags |= VKD_LAMBDA; @.rule = 2", OK)],
        "out_values": [
            ("room for values", "@.out_values = values", OK),
            ("room for values misaligned", "@.out_values = off(values)", OPTION),
            ("values without room", "@.flags |= VKD_VALUES", NULL)],
        "num_heads": [
            ("a number of heads, no heads", "@.num_heads = 2", NULL + ZERO),
            ("heads without a number", "@.heads = starts; @.head_length = 1", ZERO),
            ("huge number of heads", "@.heads = starts; @.num_heads = @.head_length = UINT32_MAX",
             LARGE)],
        "reserved_2": numbers("reserved_2", ("1", OPTION), (MOST, OPTION)),
        "ids": ids("ids_path") + [("ids without a file", "@.ids = ids", OPTION)],
        "ids_of": ids_of("ids_path") + [
            ("ids_of without a file", "@.ids_of = embeddings_file", OPTION)],
        "shard_index": [
            ("a part", "@.shard_index = 2; @.shard_count = 3", OK),
            ("a part without a number", "@.shard_count = 3", OPTION),
            ("a part behind the last", "@.shard_index = 4; @.shard_count = 3", OPTION)],
        "shard_count": [
            ("a part of none", "@.shard_index = 1", OPTION),
            ("as many parts as items", "@.shard_index = @.shard_count = ITEMS", OK),
            ("more parts than items", "@.shard_index = 1; @.shard_count = ITEMS + 1", OPTION),
            ("most parts", "@.shard_index = @.shard_count = UINT32_MAX", OPTION)],
    }),
    "vkd_neighbors_options": ([32, 48], {
        "flags": "flags",
        "element_type": enum("element_type", 3),
        "num_queries": [
            ("no queries", "@.num_queries = 2", NULL),
            ("huge number of queries", "@.queries = queries; @.num_queries = UINT32_MAX", LARGE)],
        "queries": [
            ("queries", "@.queries = queries; @.num_queries = 2", OK),
            ("queries without a number", "@.queries = queries", ZERO),
            ("NaN in queries", "@.queries = queries; @.num_queries = 2; queries[4] = NAN",
             NOT_FINITE),
            ("queries misaligned", "@.queries = off(queries); @.num_queries = 1", OPTION)],
        "output_path": path("output_path", "WRITE", "OVER"),
        "ids": ids("ids_path") + [("ids without a file", "@.ids = ids", OPTION)],
        "ids_of": ids_of("ids_path") + [
            ("ids_of without a file", "@.ids_of = embeddings_file", OPTION)],
    }),
    "vkd_similarity_options": ([16], {
        "flags": "flags",
        "element_type": enum("element_type", 3),
        "reserved": reserved(),
    }),
    "vkd_site_options": ([56, 64], {
        "list": [(f"a list {what}", f"@.list = {text}", status) for what, text, status in [
            ("with a name", '"journey"', OK), ("empty", '""', OPTION), ("id", '"id"', OPTION),
            ("with a quote", r'"a\"b"', OPTION), ("no UTF-8", BYTES, OPTION),
            ("long", LONG_TEXT, OPTION)]],
        "flags": "flags",
        "top": numbers("top", ("1", OK), (MOST, OK)),
        "threads": numbers("threads", ("1", OK), ("4097", OPTION), (MOST, OPTION)),
        "directory": path("directory", "SITE") + [
            ("neither folder nor rankings", "@.directory = NULL", OPTION)],
        "rankings_path": path("rankings_path", "RANKINGS"),
        "ids": [
            ("ids", "@.ids = ids; @.num_items = ITEMS", OK),
            ("an id NULL", "@.ids = ids; @.num_items = ITEMS; ids[3] = NULL", NULL),
            ("an id no UTF-8", f"@.ids = ids; @.num_items = ITEMS; ids[3] = {BYTES}", OPTION),
            ("an id long", f"@.ids = ids; @.num_items = ITEMS; ids[3] = {LONG_TEXT}",
             ["VKD_ERROR_BAD_ID"]),
            ("an id twice", "@.ids = ids; @.num_items = ITEMS; ids[3] = ids[2]",
             ["VKD_ERROR_BAD_ID"]),
            ("an id with a slash", '@.ids = ids; @.num_items = ITEMS; ids[3] = "a/b"',
             ["VKD_ERROR_BAD_ID"]),
            ("an id empty", '@.ids = ids; @.num_items = ITEMS; ids[3] = ""',
             ["VKD_ERROR_BAD_ID"]),
            ("an id of dots", '@.ids = ids; @.num_items = ITEMS; ids[3] = ".."',
             ["VKD_ERROR_BAD_ID"]),
            ("ids misaligned", "@.ids = off(ids); @.num_items = ITEMS", OPTION)],
        "metadata": [
            ("metadata", "@.metadata = metadata; @.num_items = ITEMS", OK),
            ("metadata NULL inside", "@.metadata = metadata; @.num_items = ITEMS; "
             "metadata[3] = NULL", NULL),
            ("metadata no UTF-8", "@.metadata = metadata; @.num_items = ITEMS; "
             f"metadata[3] = {BYTES}", OPTION),
            ("metadata no JSON", "@.metadata = metadata; @.num_items = ITEMS; "
             'metadata[3] = "{"', ["VKD_ERROR_BAD_METADATA"])],
        "num_items": [
            (f"{field}, {count} of them",
             f"@.{field} = {field}; @.num_items = {count}", OPTION)
            for field in ("ids", "metadata") for count in ("0", "ITEMS - 1", "ITEMS + 1", MOST)],
        "reserved": reserved(),
    }),
    "vkd_merge_options": ([16], {
        "flags": "flags",
        "path": path("path", "WRITE", "OVER") + [("no path", "@.path = NULL", NULL)],
    }),
    "vkd_export_options": ([56], {
        "flags": "flags",
        "format": enum("format", 4) + numbers(
            "format", ("0", OK), ("1", OPTION), ("2", OK), ("3", OPTION)),
        "keys": enum("keys", 2) + [("keys ID, ids of the file", "@.keys = VKD_KEYS_ID", OK)],
        "path": path("path", "WRITE", "OVER") + [("no path", "@.path = NULL", NULL)],
        "ids": [
            ("ids", "@.keys = 1; @.ids = ids; @.num_items = ITEMS", OK),
            ("ids with keys INDEX", "@.ids = ids; @.num_items = ITEMS", OPTION),
            ("an id NULL", "@.keys = 1; @.ids = ids; @.num_items = ITEMS; ids[3] = NULL", NULL),
            ("an id no UTF-8", f"@.keys = 1; @.ids = ids; @.num_items = ITEMS; ids[3] = {BYTES}",
             OPTION),
            ("an id long", f"@.keys = 1; @.ids = ids; @.num_items = ITEMS; ids[3] = {LONG_TEXT}",
             OK),
            ("an id twice", "@.keys = 1; @.ids = ids; @.num_items = ITEMS; ids[3] = ids[2]",
             OPTION),
            ("ids misaligned", "@.keys = 1; @.ids = off(ids); @.num_items = ITEMS", OPTION)],
        "numbers": [
            ("numbers", "@.numbers = rows; @.num_items = ITEMS", OK),
            ("numbers with keys ID", "@.keys = 1; @.numbers = rows; @.num_items = ITEMS", OPTION),
            ("a number twice", "@.numbers = rows; @.num_items = ITEMS; rows[3] = rows[2]", OPTION),
            ("numbers misaligned", "@.numbers = off(rows); @.num_items = ITEMS", OPTION)],
        "num_items": [
            (f"{field}, {count} of them",
             f"@.keys = {keys}; @.{field} = {given}; @.num_items = {count}", OPTION)
            for keys, field, given in [(1, "ids", "ids"), (0, "numbers", "rows")]
            for count in ("0", "ITEMS - 1", "ITEMS + 1", MOST)] + [
            ("a number of items alone", "@.num_items = ITEMS", OPTION)],
        "top": numbers("top", ("1", OK), (MOST, OK)),
        "model": [("a model of rankings", '@.model = "m"', OPTION),
                  ("a model no UTF-8", f"@.model = {BYTES}", OPTION)],
    }),
    "vkd_site_source": ([48, 64, 72], {
        "rule": [
            ("a rule with a path", "@.rule = 1", OPTION)] + [
            (f"sequences, rule {rule}", "@.path = NULL; @.sequences = rows; "
             f"@.num_items = @.num_rows = @.row_length = ITEMS; @.rule = {rule}", status)
            for rule, status in [("3", OK), ("4", OPTION), (MOST, OPTION)]],
        "reserved": reserved(),
        "num_items": [
            (f"sequences, num_items {count}",
             f"@.path = NULL; @.sequences = rows; @.num_rows = @.row_length = ITEMS; "
             f"@.num_items = {count}", status)
            for count, status in [("ITEMS", OK), ("0", OPTION + ZERO), ("1", OPTION)]],
        "num_rows": [
            (f"indices, num_rows {count}",
             f"@.path = NULL; @.indices = indices; @.similarities = similarities; "
             f"@.row_length = K; @.num_rows = {count}", status)
            for count, status in [("ITEMS", OK), ("0", ZERO), (MOST, LARGE), ("0x80000000", LARGE)]]
        + [("sequences, huge", "@.path = NULL; @.sequences = rows; @.num_items = UINT32_MAX; "
            "@.num_rows = UINT32_MAX; @.row_length = UINT32_MAX", LARGE + OPTION),
           ("sequences, many rows", "@.path = NULL; @.sequences = rows; @.num_items = ITEMS; "
            "@.num_rows = UINT32_MAX; @.row_length = 1", LARGE + OPTION)],
        "row_length": [
            (f"indices, row_length {count}",
             f"@.path = NULL; @.indices = indices; @.similarities = similarities; "
             f"@.num_rows = ITEMS; @.row_length = {count}", status)
            for count, status in [("0", ZERO), (MOST, LARGE + OPTION + MANY)]],
        "path": path("path", "READ") + [("no source", "@.path = NULL", OPTION)],
        "sequences": [
            ("two sources", "@.sequences = rows", OPTION),
            ("sequences misaligned", "@.path = NULL; @.sequences = off(rows); "
             "@.num_items = @.num_rows = @.row_length = ITEMS - 1", OPTION)],
        "indices": [
            ("two other sources", "@.path = NULL; @.sequences = rows; @.indices = indices",
             OPTION),
            ("an index that is none", "@.path = NULL; @.indices = indices; @.similarities = "
             "similarities; @.num_rows = ITEMS; @.row_length = K; indices[5] = ITEMS", OPTION)],
        "similarities": [
            ("indices without similarities", "@.path = NULL; @.indices = indices; "
             "@.num_rows = ITEMS; @.row_length = K", NULL)],
        "sequences_file": [
            ("an open file of sequences", "@.path = NULL; @.sequences_file = sequences_file", OK),
            ("a path and an open file", "@.sequences_file = sequences_file", OPTION)],
        "neighbors_file": [
            ("an open file of neighbours", "@.path = NULL; @.neighbors_file = neighbors_file", OK),
            ("two open files", "@.path = NULL; @.neighbors_file = neighbors_file; "
             "@.sequences_file = sequences_file", OPTION)],
    }),
    "vkd_verify_options": ([20], {
        "flags": "flags",
        "element_type": enum("element_type", 3),
        "num_sequences": numbers("num_sequences", ("1", OK), (MOST, OK)),
        "num_picks": numbers("num_picks", ("1", OK), (MOST, OK)),
    }),
    "vkd_check_options": ([32], {
        "flags": "flags",
        "element_type": enum("element_type", 3),
        "reserved": reserved(),
        "ids": ids("") + [("another id", '@.ids = ids; ids[3] = "other"', MISMATCH)],
        "ids_of": ids_of(""),
    }),
    "vkd_embeddings_options": ([56], {
        "flags": "flags",
        "element_type": enum("element_type", 3) + numbers(
            "element_type", ("1", OPTION), ("2", OPTION)) + [
            ("halves", "@.element_type = 1; @.dim = 1", OK + BAD_EMBEDDINGS)],
        "dim": numbers("dim", ("65537", WIDE), (MOST, WIDE), ("65536", BAD_EMBEDDINGS)),
        "array": [("array", '@.array = "x"', OK)] + no_text("array"),
        "id_key": [
            ("id_key", '@.id_key = "id"', OK),
            ("id_key unknown", '@.id_key = "x"', BAD_EMBEDDINGS)] + no_text("id_key"),
        "embedding_key": [
            ("embedding_key", '@.embedding_key = "embedding"', OK),
            ("embedding_key unknown", '@.embedding_key = "x"', BAD_EMBEDDINGS),
            ("embedding_key long", f"@.embedding_key = {LONG_TEXT}", BAD_EMBEDDINGS)]
        + no_text("embedding_key"),
        "list_key": [
            ("list_key", '@.list_key = "embeddings"', OK),
            ("list_key unknown", '@.list_key = "x"', BAD_EMBEDDINGS)] + no_text("list_key"),
        "ids_path": path("ids_path", "READ"),
    }),
}
# Output structs: their sizes.
OUTPUTS = {
    "vkd_run_plan": [80, 96], "vkd_device_info": [816, 1328], "vkd_job_progress": [128, 136],
    "vkd_sequences_file_info": [88, 104, 120], "vkd_neighbors_file_info": [128],
    "vkd_verify_report": [40], "vkd_embeddings_info": [24],
}
# What an option struct holds in a call that works.
FILLED = {
    "vkd_site_options": "@.flags = VKD_NO_SYNC; @.directory = site_path",
    "vkd_export_options": "@.flags = VKD_OVERWRITE; @.path = export_path",
    "vkd_merge_options": "@.path = merged_path",
    "vkd_site_source": "@.path = neighbors_path",
}
# Where a field means something else for one function: another status for its cases, or None where
# it says nothing. The first pattern that fits the case's name counts.
ELSEWHERE = [
    # Jobs and plans write no values, and plans take what a run takes.
    ("vkd_batch_start, options.room for values*", OPTION),
    ("vkd_batch_plan, options.room for values misaligned", OK),
    ("vkd_batch_start, options.values without room", OK),
    ("vkd_batch_plan, options.values without room", OK),
    # Plans look at the number of queries alone, and have no file to open before.
    ("vkd_neighbors_plan, options.no queries", OK),
    ("vkd_neighbors_plan, options.queries without a number", OK),
    ("vkd_neighbors_plan, options.NaN in queries", OK),
    ("vkd_neighbors_plan, options.queries misaligned", OK),
    ("vkd_neighbors_compute, options.output_path *", OPTION),
    ("vkd_site_*, neighbors_options.output_path *", OPTION),
    ("vkd_neighbors_compute, options.ids of a file", OPTION),
    ("vkd_neighbors_compute, options.ids of embeddings*", OPTION),
    ("vkd_neighbors_compute, options.an id *", OPTION),
    ("vkd_site_*, neighbors_options.ids of a file", OPTION),
    ("vkd_site_*, neighbors_options.ids of embeddings*", OPTION),
    ("vkd_site_*, neighbors_options.an id *", OPTION),
    ("vkd_site_plan, neighbors_options.queries without a number", OK),
    ("vkd_site_*, neighbors_options.huge number of queries", OPTION + LARGE),
    ("vkd_site_plan, neighbors_options.no queries", OPTION),
    ("vkd_site_*, neighbors_options.queries", OPTION),
    ("vkd_site_*, neighbors_options.NaN in queries", OPTION),
    ("vkd_site_plan, neighbors_options.queries misaligned", OPTION),
    # What holds no embeddings, or no ids.
    ("vkd_embeddings_open, path NULL", NULL),
    ("vkd_embeddings_open, path and *", NULL),
    ("vkd_embeddings_open, path *", NO_EMBEDDINGS),
    ("vkd_embeddings_open, options.ids_path *", NO_EMBEDDINGS),
    # Rankings stand there, and of sequences another format is made.
    ("vkd_export_*, source.sequences, rule 3", ["VKD_ERROR_BAD_FILE"]),
    ("vkd_export_*, source.sequences, num_items ITEMS", ["VKD_ERROR_BAD_FILE"]),
    ("vkd_export_*, source.an open file of sequences", ["VKD_ERROR_BAD_FILE"]),
    # The files are looked at when they are written.
    ("vkd_*_plan, *_path *", None),
    ("vkd_site_plan, *directory *", None),
]
