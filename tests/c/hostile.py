#!/usr/bin/env python3
"""Writes a C program that calls every function of the header as a hostile caller would.

    hostile.py HEADER >PROGRAM.c

Reads functions, structs and enums from the header. What it must be told of them stands in the
tables below: a function, a parameter or a field of an option struct that no table has ends it with
an error, so that what is new in the header is tested too. Every call is made with NULL, with
misaligned pointers, with every struct_size and tail, with numbers at their limits, with flags and
enumerators that are none, and with paths of every kind; tests/c/hostile.h checks what comes back.
"""

import fnmatch
import itertools
import re
import sys

# Cases that a mend elsewhere has to come for, as patterns of their names: they are left out.
OPEN = [
    # The list of all starts is made before anything is refused.
    "vkd_batch_*, num_items UINT32_MAX", "vkd_batch_*, num_items 0x*", "vkd_batch_*, huge*",
    # Opening a FIFO waits for a writer.
    "*path fifo", "*path link to a fifo",
    "*output_path overwrite fifo", "*output_path overwrite link to a fifo",
    # Whatever has the name is replaced, links too.
    "*output_path dangling", "*output_path overwrite socket", "*output_path overwrite null",
    "*output_path overwrite zero", "*output_path overwrite loop",
    "*output_path overwrite dangling", "*output_path overwrite link to a folder",
    # Rankings replace whatever is there.
    "*rankings_path *",
]

OK = ["VKD_OK"]
ZERO = ["VKD_ERROR_ZERO_SIZE"]
OPTION = ["VKD_ERROR_BAD_OPTION"]
NULL = ["VKD_ERROR_NULL_POINTER"]
LARGE = ["VKD_ERROR_TOO_LARGE"]
FLAGS = ["VKD_ERROR_UNKNOWN_FLAGS"]
MANY = ["VKD_ERROR_TOO_MANY_NEIGHBORS"]
START = ["VKD_ERROR_START_OUT_OF_RANGE"]
SMALL = ["VKD_ERROR_OUTPUT_TOO_SMALL"]
KIND = ["VKD_ERROR_WRONG_JOB_KIND"]
WIDE = ["VKD_ERROR_DIM_TOO_LARGE"]
NO_DEVICE = ["VKD_ERROR_DEVICE_NOT_FOUND", "VKD_ERROR_NO_LOADER"]
NOT_FINITE = ["VKD_ERROR_NOT_FINITE"]
DATA = NOT_FINITE + ["VKD_ERROR_ZERO_NORM", "VKD_ERROR_NORM_RANGE", "VKD_ERROR_ZERO_NORM_CENTERED"]
MOST = "UINT32_MAX"

# What a call that works passes for a parameter of that name.
VALUES = {
    "context": "context", "embeddings": "embeddings", "num_items": "ITEMS", "dim": "DIM", "k": "K",
    "index": "1", "first": "1", "count": "2", "start": "1", "timeout_ms": "-1", "status": "0",
    "capacity": "ITEMS * ITEMS",
}
# Numbers at their limits, and what they give. In a function of its own: `NUMBERS_OF`.
NUMBERS = {
    "num_items": [("0", ZERO), (MOST, LARGE), ("0x80000000", LARGE), ("0x7fffffff", LARGE)],
    "dim": [("0", ZERO), ("65537", WIDE), (MOST, WIDE)],
    "k": [("0", ZERO), ("ITEMS", MANY), (MOST, MANY)],
    "timeout_ms": [("0", OK), ("INT64_MIN", OK), ("INT64_MAX", OK)],
    "index": [("ITEMS", OPTION), (MOST, OPTION)],
    "first": [("ITEMS - 1", OPTION), (MOST, OPTION), ("0", OK)],
    "count": [("0", OK), ("ITEMS", OPTION), (MOST, OPTION)],
    "start": [("ITEMS", START), (MOST, START)],
    "capacity": [("0", SMALL), ("1", SMALL), ("UINT64_MAX", OK), ("SIZE_MAX", OK)],
}
MISMATCH = ["VKD_ERROR_FILE_MISMATCH", "VKD_ERROR_ZERO_SIZE"]
NUMBERS_OF = {
    ("vkd_sequences_file_verify_against", "num_items"): [
        ("0", MISMATCH), ("ITEMS - 1", MISMATCH), (MOST, MISMATCH), ("0x80000000", MISMATCH)],
}
# Bytes of an output.
ROOM = {
    "out_sequences": "ITEMS * ITEMS * 4", "out_count": "4", "out_indices": "ITEMS * K * 4",
    "out_kind": "4", "out_items": "2 * 4", "out_index": "4", "out_row": "sizeof(void *)",
}
ROOM_OF = {
    ("vkd_neighbors_compute", "out_similarities"): "ITEMS * K * 4",
    ("vkd_job_neighbors", "out_similarities"): "ITEMS * K * 4",
    ("vkd_neighbors_file_row", "out_similarities"): "sizeof(void *)",
    ("vkd_neighbors_file_row", "out_indices"): "sizeof(void *)",
    ("vkd_similarity_compute", "out_similarities"): "ITEMS * ITEMS * 4",
    ("vkd_job_similarity", "out_similarities"): "ITEMS * ITEMS * 4",
}


class Function:
    """What a function takes beside `VALUES`; `null`: what may be NULL; `cheap`: a change with its
    status, with which the every size of a struct is tried; `more`: other cases."""

    def __init__(self, null=(), cheap=None, more=(), **values):
        self.null, self.cheap, self.more, self.values = set(null.split()) if null else set(), \
            cheap, list(more), values


NO_ITEMS = ("a.num_items = 0", ZERO)
NAN = ("NaN", "embeddings[7] = NAN", NOT_FINITE)
BAD_DATA = [NAN, ("infinity", "embeddings[7] = -INFINITY", NOT_FINITE),
            ("zeros", "memset(numbers, 0, sizeof numbers)", ["VKD_ERROR_ZERO_NORM"]),
            ("huge both", "a.num_items = a.dim = UINT32_MAX", WIDE + LARGE),
            ("huge", "a.num_items = UINT32_MAX; a.dim = 65536", LARGE)]
HUGE_PLAN = BAD_DATA[3:]
KINDS = ["sequences_job", "neighbors_job", "similarity_job", "site_job"]
OVERLAP = [("the same output twice", "a.out_similarities = (void *)a.out_indices", OPTION)]


def other_kinds(job):
    found = [(f"{other}", f"a.job = {other}", KIND) for other in KINDS if other != job]
    return found + [] if job != "sequences_job" else found + [
        ("a result in a file", "a.job = file_job", ["VKD_ERROR_RESULT_IN_FILE"])]


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
    "vkd_job_sequences": Function(job="sequences_job", more=other_kinds("sequences_job")),
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
    "vkd_results_identify": Function(path="neighbors_path"),
    "vkd_sequences_file_open": Function(
        path="sequences_path",
        more=[("neighbours", "a.path = neighbors_path", ["VKD_ERROR_BAD_FILE"])]),
    "vkd_sequences_file_free": Function("file", file="new_sequences_file()"),
    "vkd_sequences_file_get_info": Function(file="sequences_file"),
    "vkd_sequences_file_row": Function(file="sequences_file"),
    "vkd_sequences_file_copy_row": Function(file="sequences_file"),
    "vkd_sequences_file_find": Function(file="sequences_file"),
    "vkd_sequences_file_verify": Function(file="sequences_file"),
    "vkd_sequences_file_verify_against": Function(
        "options", file="sequences_file",
        more=[NAN, ("huge both", "a.num_items = a.dim = UINT32_MAX", MISMATCH + WIDE)]),
    "vkd_neighbors_file_open": Function(
        path="neighbors_path",
        more=[("sequences", "a.path = sequences_path", ["VKD_ERROR_BAD_FILE"])]),
    "vkd_neighbors_file_free": Function("file", file="new_neighbors_file()"),
    "vkd_neighbors_file_get_info": Function(file="neighbors_file"),
    "vkd_neighbors_file_row": Function(
        "out_similarities", file="neighbors_file",
        more=[("the same output twice", "a.out_similarities = (void *)a.out_indices", OPTION)]),
    "vkd_neighbors_file_verify": Function(file="neighbors_file"),
    # No status, no pointers.
    "vkd_last_error": Function(),
    "vkd_version": Function(),
    "vkd_version_string": Function(),
    "vkd_status_name": Function(),
}

# Of each option struct: the sizes that it had in versions of the header, the last is today's; and
# for each field what is wrong for it, as (name, change, status), where @ stands for the struct.
# `flags`, `enum`, `path` and `none` make the usual lists.


def flags(*known):
    known = " | ".join(known) or "0"
    every = [(f"flag {bit}", f"@.flags = (1u << {bit}) & ~(uint32_t)({known})", bit)
             for bit in range(32)]
    return [("flags", "flags", known, every)]


def enum(field, count):
    return [(f"{field} {value}", f"@.{field} = {value}", OPTION)
            for value in [str(count), "0x7fffffff", "0x80000000", MOST]]


def numbers(field, *values):
    return [(f"{field} {value}", f"@.{field} = {value}", status) for value, status in values]


def path(field, *roles):
    return [("paths", field, roles)]


def reserved():
    return numbers("reserved", ("1", OPTION), (MOST, OPTION))


def misaligned(field):
    return [(f"{field} misaligned", f"@.{field} = off(@.{field})", OPTION)]


BYTES = '"\\xff\\xfe"'
LONG_TEXT = "long_text()"
KNOWN_FLAGS = {
    "vkd_context_options": ["VKD_NO_PIPELINE_CACHE"],
    "vkd_batch_options": ["VKD_CENTER", "VKD_OVERWRITE"],
    "vkd_neighbors_options": ["VKD_CENTER", "VKD_OVERWRITE"],
    "vkd_similarity_options": ["VKD_CENTER", "VKD_UPPER_TRIANGLE"],
    "vkd_site_options": ["VKD_NO_SYNC"],
    "vkd_verify_options": [],
}
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
    "vkd_batch_options": ([40], {
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
    }),
    "vkd_neighbors_options": ([32], {
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
    }),
    "vkd_similarity_options": ([16], {
        "flags": "flags",
        "element_type": enum("element_type", 3),
        "reserved": reserved(),
    }),
    "vkd_site_options": ([56], {
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
    "vkd_site_source": ([48], {
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
    }),
    "vkd_verify_options": ([20], {
        "flags": "flags",
        "element_type": enum("element_type", 3),
        "num_sequences": numbers("num_sequences", ("1", OK), (MOST, OK)),
        "num_picks": numbers("num_picks", ("1", OK), (MOST, OK)),
    }),
}
# Output structs: their sizes.
OUTPUTS = {
    "vkd_run_plan": [80], "vkd_device_info": [816], "vkd_job_progress": [128],
    "vkd_sequences_file_info": [88], "vkd_neighbors_file_info": [128], "vkd_verify_report": [40],
}
# What an option struct holds in a call that works.
FILLED = {
    "vkd_site_options": "@.flags = VKD_NO_SYNC; @.directory = site_path",
    "vkd_site_source": "@.path = neighbors_path",
}
# Where a field means something else for one function: another status for its cases, or None where
# it says nothing. The first pattern that fits the case's name counts.
ELSEWHERE = [
    # Plans look at the number of queries alone, and have no file to open before.
    ("vkd_neighbors_plan, options.no queries", OK),
    ("vkd_neighbors_plan, options.queries without a number", OK),
    ("vkd_neighbors_plan, options.NaN in queries", OK),
    ("vkd_neighbors_plan, options.queries misaligned", OK),
    ("vkd_neighbors_compute, options.output_path *", OPTION),
    ("vkd_site_*, neighbors_options.output_path *", OPTION),
    ("vkd_site_plan, neighbors_options.queries without a number", OK),
    ("vkd_site_*, neighbors_options.huge number of queries", OPTION + LARGE),
    ("vkd_site_plan, neighbors_options.no queries", OPTION),
    ("vkd_site_*, neighbors_options.queries", OPTION),
    ("vkd_site_*, neighbors_options.NaN in queries", OPTION),
    ("vkd_site_plan, neighbors_options.queries misaligned", OPTION),
    # The files are looked at when they are written.
    ("vkd_*_plan, *_path *", None),
    ("vkd_site_plan, *directory *", None),
]


def fail(text):
    sys.exit(f"hostile.py: {text}: add it to the tables of tests/c/hostile.py")


class Header:
    """What a header declares."""

    def __init__(self, text):
        text = re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)
        text = re.sub(r"^\s*#.*$", "", text, flags=re.MULTILINE)
        self.enums = {name: re.findall(r"(\w+) = (-?\d+)", body) for body, name in
                      re.findall(r"typedef enum \w+ \{(.*?)\} (\w+);", text, re.DOTALL)}
        self.structs = {name: self.fields(body) for body, name in
                        re.findall(r"typedef struct \w+ \{(.*?)\} (\w+);", text, re.DOTALL)}
        self.handles = re.findall(r"typedef struct (\w+) \w+;", text)
        text = re.sub(r"typedef \w+ \w+ \{.*?\} \w+;", "", text, flags=re.DOTALL)
        self.functions = {}
        for returned, name, parameters in re.findall(
                r"([\w ]+?[ *]+)(vkd_\w+)\(([^)]*)\);", text):
            self.functions[name] = (returned.strip(), self.parameters(parameters))
        counted = len(re.findall(r"\bvkd_\w+\(", text))
        if counted != len(self.functions) or not counted:
            fail(f"{counted} functions, but {len(self.functions)} declarations are understood")

    @staticmethod
    def fields(body):
        return [re.match(r".*?(\w+)(\[\w+\])?$", line.strip()).group(1)
                for line in body.split(";") if line.strip()]

    @staticmethod
    def parameters(text):
        found = []
        for one in text.split(","):
            one = " ".join(one.split())
            if one != "void":
                kind, name = re.match(r"(.*?)(\w+)$", one).groups()
                found.append((kind.strip(), name))
        return found


def compare(what, known, header):
    for name in sorted(set(header) - set(known)):
        fail(f"{what} {name} is new")
    for name in sorted(set(known) - set(header)):
        fail(f"{what} {name} is gone")


class Writer:
    """The calls of one function."""

    def __init__(self, header, name):
        self.header, self.name, self.told = header, name, FUNCTIONS[name]
        self.returned, self.parameters = header.functions[name]
        self.lines, self.areas = [], {}
        for kind, parameter in self.parameters:
            if self.is_pointer(kind) and (parameter.startswith("out_") or self.struct(kind)):
                self.areas[parameter] = len(self.areas)

    @staticmethod
    def is_pointer(kind):
        return kind.endswith("*")

    def struct(self, kind):
        """The name of the struct, not a handle, that the parameter points to."""
        match = re.fullmatch(r"(?:const )?struct (\w+) \*", kind)
        return match and match.group(1) in self.header.structs and match.group(1)

    def value(self, kind, parameter):
        """What a call that works passes."""
        if parameter in self.told.values:
            return self.told.values[parameter]
        struct = self.struct(kind)
        if struct:
            if parameter.startswith("out_"):
                if struct not in OUTPUTS:
                    fail(f"the output struct {struct} is new")
                return f"output_struct({self.areas[parameter]}, sizeof(struct {struct}))"
            return f"&{parameter}"
        if parameter.startswith("out_"):
            room = "sizeof(void *)" if kind.endswith("**") and "struct" in kind else \
                ROOM_OF.get((self.name, parameter), ROOM.get(parameter))
            return f"output({self.areas[parameter]}, {room})" if room else \
                fail(f"the output {parameter} of {self.name} is new")
        if parameter not in VALUES:
            fail(f"the parameter {parameter} of {self.name} is new")
        return VALUES[parameter]

    def write(self):
        self.put(f"/* {self.name} */")
        self.put(f"static void test_{self.name}(void) {{")
        if self.parameters:
            fields = "".join(f"{kind} {name}; " for kind, name in self.parameters)
            self.put(f"struct {{ {fields}}} a;")
        for kind, parameter in self.inputs():
            struct = self.struct(kind)
            self.put(f"struct {struct} {parameter};")
        self.case("as it should be", "", OK if self.has_status() else None)
        if not self.has_status():
            self.without_status()
        else:
            self.nulls()
            self.misaligned()
            self.numbers()
            self.sizes()
            self.fields()
            for kind, parameter in self.parameters:
                if kind == "const char *":
                    self.paths(f"{parameter} ", f"a.{parameter}", ["READ"])
            for name, change, status in self.told.more:
                self.case(name, change, status)
        self.put("}")
        return "\n".join(self.lines)

    def put(self, line):
        self.lines.append(line)

    def has_status(self):
        return self.returned == "int32_t"

    def inputs(self):
        return [(kind, name) for kind, name in self.parameters
                if self.struct(kind) and not name.startswith("out_")]

    def prepare(self, but=""):
        """Arguments that work; of handles to be freed none is made for the parameter `but`."""
        for kind, parameter in self.inputs():
            struct = self.struct(kind)
            self.put(f"memset(&{parameter}, 0, sizeof {parameter});")
            self.put(f"{parameter}.struct_size = sizeof {parameter};")
            if struct in FILLED:
                self.put(FILLED[struct].replace("@", parameter) + ";")
        for kind, parameter in self.parameters:
            if parameter != but:
                self.put(f"a.{parameter} = {self.value(kind, parameter)};")

    def call(self):
        arguments = ", ".join(f"a.{name}" for _, name in self.parameters)
        call = f"{self.name}({arguments})"
        for kind, parameter in self.parameters:
            match = re.fullmatch(r"struct vkd_(\w+) \*\*", kind)
            if match:
                return f"settle_{match.group(1)}({call}, a.{parameter})"
        return call

    def status_of(self, name, status):
        for pattern, instead in ELSEWHERE:
            if fnmatch.fnmatchcase(f"{self.name}, {name}", pattern):
                return instead
        return status

    def case(self, name, change, status, but=""):
        if self.has_status() and (status := self.status_of(name, status)) is None:
            return
        self.put(f'if (begin("{self.name}", "{name}")) {{')
        self.prepare(but)
        if change:
            self.put(change + ";")
        self.put("ready();")
        if self.has_status():
            self.put(f"check({self.call()}, S({', '.join(status)}));")
        elif self.returned == "void":
            self.put(f"{self.call()}; alarm(0); ++cases;")
        else:
            self.put(f'if (!{self.call()}) {{ say("nothing"); }} alarm(0); ++cases;')
        self.put("}")

    def without_status(self):
        for kind, parameter in self.parameters:
            if self.is_pointer(kind):
                for times in ("once", "again"):
                    self.case(f"{parameter} NULL {times}", f"a.{parameter} = NULL", None, parameter)
            else:
                for number in ["INT32_MIN", "INT32_MAX", "-5000", "1"]:
                    self.case(f"{parameter} {number}", f"a.{parameter} = {number}", None)

    def nulls(self):
        """Every combination."""
        pointers = [name for kind, name in self.parameters if self.is_pointer(kind)]
        for count in range(1, len(pointers) + 1):
            for chosen in itertools.combinations(pointers, count):
                required = set(chosen) - self.told.null
                status = NULL if required else OK
                change = "; ".join(f"a.{name} = NULL" for name in chosen)
                # Outputs that are not there have no canaries.
                gone = "".join(f"; begins[{self.areas[name]}] = AREA" for name in chosen
                               if name in self.areas)
                self.case(f"{' and '.join(chosen)} NULL", change + gone, status)

    def misaligned(self):
        for kind, parameter in self.parameters:
            if not self.is_pointer(kind) or kind == "const char *" or self.struct(kind):
                continue
            self.case(f"{parameter} misaligned", f"a.{parameter} = off(a.{parameter})", OPTION)

    def numbers(self):
        for kind, parameter in self.parameters:
            if self.is_pointer(kind):
                continue
            values = NUMBERS_OF.get((self.name, parameter), NUMBERS.get(parameter))
            if values is None:
                fail(f"the number {parameter} of {self.name} is new")
            for value, status in values:
                self.case(f"{parameter} {value}", f"a.{parameter} = {value}", status)

    def sizes(self):
        """Every struct_size from 0 to 4,096, and some beyond, with every tail."""
        for kind, parameter in self.parameters:
            struct = self.struct(kind)
            if not struct:
                continue
            is_output, area = parameter.startswith("out_"), self.areas[parameter]
            if not is_output and struct not in STRUCTS:
                fail(f"the option struct {struct} is new")
            sizes = OUTPUTS[struct] if is_output else STRUCTS[struct][0]
            listed = ", ".join(map(str, sizes))
            self.put(f"{{ static const uint32_t sizes[] = {{{listed}, 0}};")
            self.put(f'if (sizeof(struct {struct}) != {sizes[-1]}) say("{struct} has another size '
                     'than tests/c/hostile.py knows");')
            self.put("for (uint32_t step = 0; step <= 4099; ++step) {")
            self.put("uint32_t size = step < 4098 ? step : step == 4098 ? 65536 : UINT32_MAX;")
            self.put(f"for (int tail = 0; tail < {1 if is_output else 'TAILS'}; ++tail) {{")
            self.put("char text[100];")
            self.put(f'snprintf(text, sizeof text, "{parameter}.struct_size %u, %s", size, '
                     "tail_names[tail]);")
            self.put(f'if (!begin("{self.name}", text)) continue;')
            self.prepare()
            status = OK
            if is_output:
                self.put(f"a.{parameter} = output_struct({area}, size);")
            else:
                if self.told.cheap:
                    change, status = self.told.cheap
                    self.put("if (size != sizes[0] && size != 4096 && size != 127) {")
                    self.put(change + "; }")
                self.put(f"a.{parameter} = input_struct({area}, &{parameter}, sizeof {parameter}, "
                         "size, (enum tail)tail);")
            self.put("ready();")
            self.put(f"int32_t status = {self.call()};")
            accepted = f"S({', '.join(dict.fromkeys(OK + status))})"
            self.put(f"check(status, struct_status(size, sizes, (enum tail)tail, {accepted}));")
            if is_output:
                self.put(f"check_struct({area}, size, sizeof(struct {struct}), status);")
            self.put("} } }")

    def fields(self):
        for kind, parameter in self.inputs():
            struct = self.struct(kind)
            _, told = STRUCTS[struct]
            compare(f"in {struct}, the field", ["struct_size", *told], self.header.structs[struct])
            for field, cases in told.items():
                for case in self.flags(struct) if cases == "flags" else cases:
                    if case[0] == "paths":
                        self.paths(f"{parameter}.{case[1]} ", f"{parameter}.{case[1]}", case[2])
                        continue
                    name, change, status = case
                    self.case(f"{parameter}.{name}", change.replace("@", parameter), status)

    def flags(self, struct):
        values = dict(self.header.enums["vkd_flags"])
        known = [int(values[name]) for name in KNOWN_FLAGS[struct]]
        for bit in range(32):
            if 1 << bit not in known:
                yield (f"flag {bit}", f"@.flags |= 1u << {bit}", FLAGS)
        yield ("all flags", "@.flags = UINT32_MAX", FLAGS)

    def paths(self, label, place, roles):
        for role in roles:
            over = role == "OVER"
            name = label + ("overwrite " if over else "")
            status = self.status_of(name + "x", [])
            if status is None:
                continue
            self.put("for (size_t i = 0; i < num_paths; ++i) {")
            self.put("char text[200]; struct path *path = &paths[i];")
            self.put(f'snprintf(text, sizeof text, "{name}%s", path->name);')
            self.put(f'if (!begins_path(path, {role}) || !begin("{self.name}", text)) {{ '
                     "ends_path(path); continue; }")
            self.prepare()
            self.put(f"{place} = path->path;")
            if over:
                self.put(f"{place.split('.')[0]}.flags |= VKD_OVERWRITE;")
            allowed = f"S({', '.join(status)})" if status else \
                f"path->allowed[{role}] ? path->allowed[{role}] : usual"
            self.put("ready();")
            self.put(f"check({self.call()}, {allowed}); ends_path(path); }}")


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        header = Header(file.read())
    compare("the function", FUNCTIONS, header.functions)
    taken = {s for s in header.structs if any(
        re.search(rf"struct {s} \*", kind) for _, parameters in header.functions.values()
        for kind, _ in parameters)}
    compare("the struct", [*STRUCTS, *OUTPUTS], header.structs)
    if taken != set(header.structs):
        fail(f"no function takes {sorted(set(header.structs) - taken)}")
    print("/* Written by tests/c/hostile.py. */\n#define _GNU_SOURCE\n#include \"hostile.h\"")
    print("static void *off(const void *from) { return (char *)from + 1; }")
    print("static const char *long_text(void) { static char text[1000001]; "
          "memset(text, 'x', 1000000); return text; }")
    numbers = ", ".join(name for name, _ in header.enums["vkd_status"])
    print("static int is_status(int32_t status) {")
    print(f"static const int32_t all[] = {{{numbers}}};")
    print("for (size_t i = 0; i < sizeof all / sizeof *all; ++i) if (all[i] == status) return 1;")
    print("return 0; }")
    patterns = "".join(f'"{pattern}", ' for pattern in OPEN)
    print("static int is_open(const char *name) {")
    print(f"static const char *const all[] = {{{patterns}NULL}};")
    print("for (size_t i = 0; all[i]; ++i) if (fnmatch(all[i], name, 0) == 0) return 1;")
    print("return 0; }")
    for name in header.functions:
        print(Writer(header, name).write())
    print("static const struct { const char *name; void (*test)(void); } tests[] = {")
    for name in header.functions:
        print(f'{{"{name}", test_{name}}},')
    print('{"threads", test_threads}};')
    print(MAIN)


MAIN = r"""
int main(int argc, char **argv) {
    size_t count = sizeof tests / sizeof *tests;
    if (argc == 2 && strcmp(argv[1], "--list") == 0) {
        for (size_t i = 0; i < count; ++i) puts(tests[i].name);
        return 0;
    }
    if (argc != 3) return 2;
    folder = argv[1];
    if (chdir(folder)) return 2;
    __sanitizer_set_death_callback(died);
    signal(SIGALRM, hangs);
    snprintf(at_work, sizeof at_work, "fixtures");
    make_areas();
    make_fixtures();
    make_paths();
    for (size_t i = 0; i < count; ++i) if (strcmp(tests[i].name, argv[2]) == 0) tests[i].test();
    free_fixtures();
    for (size_t i = 0; i < num_paths; ++i) free((char *)paths[i].path);
    printf("%s: %d cases, %d failures, %d left out\n", argv[2], cases, failures, skipped);
    return failures != 0;
}
"""

main()
