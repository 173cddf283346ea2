//! What C passes: structs that callers fill.

use libc::c_char;

use super::handles::{vkd_embeddings, vkd_neighbors_file, vkd_sequences_file};
use crate::ffi::structs::structs;

/// How to make a context. Set all bytes to 0, then `struct_size`; 0 means the default everywhere.
#[repr(C)]
#[allow(non_camel_case_types)]
#[derive(Debug, Clone, Copy)]
pub struct vkd_context_options {
    /// `sizeof(vkd_context_options)`.
    pub struct_size: u32,
    /// VKD_NO_PIPELINE_CACHE.
    pub flags: u32,
    /// The device as NUL-terminated UTF-8. NULL or "": the environment variable `VKD_DEVICE`, and
    /// where that is unset the best GPU that can be opened (discrete, integrated, virtual), else
    /// the CPU engine; a device that is named must open. "cpu": the built-in CPU engine.
    /// "reference": the arithmetic in plain loops. "vulkan": the best Vulkan device. A decimal
    /// number: the index of `vkd_device_get_info`, if there is one. A UUID in hex. Or a part of a
    /// Vulkan device's name in any case, "vulkan:" before it allowed: "llvmpipe", "vulkan:RTX";
    /// "vulkan:0" is the first Vulkan device, whatever its index. Several of these with + between
    /// them ("cpu + vulkan:0"): the starts of a run are split over them by the speed that each
    /// shows, and the first also does neighbours and similarities; a device that cannot do a run is
    /// left out of it, an error on one ends the run. "all": every GPU and the CPU engine. Read
    /// during the call only.
    pub device: *const c_char,
    /// The most memory in bytes that one run may use: of the device's; for the CPU engine of the
    /// host's; with several devices of each Vulkan device's, and of the host's for all together.
    /// Default: the environment variable `VKD_MEMORY_LIMIT` ("500M", "2G"), and where that is unset
    /// what the driver's budget, or the system and the process's control group, leave free.
    pub memory_limit: u64,
    /// One of `vkd_sequence_kernel`; default: chosen by the device.
    pub sequence_kernel: u32,
    /// How long one submission to the device should take, in milliseconds; default: 50, so that no
    /// driver watchdog bites (a display GPU stops work after 2,000). Two are in flight at once. At
    /// most 1,000.
    pub submit_target_ms: u32,
    /// Threads of the CPU engine, and of the preparation of embeddings for all engines; at most
    /// 4,096. Default: the environment variable `VKD_THREADS`, and where that is unset one for each
    /// processor that the process may use.
    pub threads: u32,
}

/// What to compute. Set all bytes to 0, then `struct_size`; 0 means the default everywhere.
#[repr(C)]
#[allow(non_camel_case_types)]
#[derive(Debug, Clone, Copy)]
pub struct vkd_batch_options {
    /// `sizeof(vkd_batch_options)`.
    pub struct_size: u32,
    /// VKD_CENTER, VKD_OVERWRITE, VKD_VALUES, VKD_LAMBDA, VKD_ZERO_ROWS.
    pub flags: u32,
    /// One of `vkd_element_type`: what the `embeddings` pointer really points to.
    pub element_type: u32,
    /// Items per sequence, the start or head included; default: all items.
    pub length: u32,
    /// `num_starts` item numbers (0-based): the first item of every sequence. Duplicates are
    /// allowed. NULL, with `num_starts` 0: every item once, in order. Read during the call only.
    pub starts: *const u32,
    /// How many starts there are; 0 with `starts` NULL.
    pub num_starts: u32,
    /// Must be 0.
    pub reserved: u32,
    /// A file for the result, as a NUL-terminated path, instead of memory; NULL: memory. The file
    /// is a safetensors file, see `vkd_sequences_file_open`. While it grows it is called
    /// PATH.partial. The same call after a kill, a cancel or a full disk goes on where it stopped;
    /// if the finished file holds shorter sequences, they are extended; if it holds all, the run
    /// ends at once; if it holds other results, that is VKD_ERROR_FILE_MISMATCH. Read during the
    /// call only.
    pub output_path: *const c_char,
    /// One of `vkd_rule`: what a sequence asks of its next item; default: VKD_RULE_CENTROID.
    pub rule: u32,
    /// Items of each head; 0 with `heads` NULL.
    pub head_length: u32,
    /// Instead of `starts`: `num_heads` x `head_length` item numbers (0-based), the items that each
    /// sequence begins with, head after head; none twice in a head. NULL, with `num_heads` and
    /// `head_length` 0: every sequence begins with its start. Read during the call only.
    pub heads: *const u32,
    /// Of VKD_RULE_MMR alone: the weight of similarity to the first item against repetition, 0 to
    /// 1, rounded to 1/32768. 0 without the flag VKD_LAMBDA means the default, 0.5.
    pub lambda: f64,
    /// Of `vkd_batch_compute` into memory: room for as many values as there are numbers in
    /// `out_sequences`, one for each place, or NULL. Written only on success. 0 for the start or
    /// head; for the others see `vkd_rule`. VKD_VALUES asks for values where they go elsewhere:
    /// into the file, or to `vkd_job_values`; then this must be NULL.
    pub out_values: *mut f32,
    /// How many heads there are; 0 with `heads` NULL.
    pub num_heads: u32,
    /// Must be 0.
    pub reserved_2: u32,
    /// With `output_path`: `num_items` ids, one for each item of the corpus, NUL-terminated UTF-8,
    /// each only once. The file then holds them too (`vkd_sequences_file_id`). A file that is there
    /// must have the same ids, or it is VKD_ERROR_FILE_MISMATCH. NULL: none, or those of a file
    /// that is there. Read during the call only.
    pub ids: *const *const c_char,
    /// In the place of `ids`: open embeddings, whose ids these are; NULL, or embeddings without
    /// ids: none. Read during the call only.
    pub ids_of: *const vkd_embeddings,
    /// Which part of these sequences to compute, for runs that are split over several machines: of
    /// S starts (heads, items) number S x (shard_index - 1) / shard_count and those behind it up to
    /// S x shard_index / shard_count, in 64-bit integers, as if no other had been given. 1 to
    /// `shard_count`; 0 with `shard_count` 0: all. A file of a part says which it is, and
    /// `vkd_merge_write` makes one of all.
    pub shard_index: u32,
    /// How many parts there are, at most as many as starts. More, and a `shard_index` that is none
    /// of them, are VKD_ERROR_BAD_OPTION.
    pub shard_count: u32,
}

/// Options of a search for neighbours. Set all bytes to 0, then `struct_size`; 0 means the default
/// everywhere.
#[repr(C)]
#[allow(non_camel_case_types)]
#[derive(Debug, Clone, Copy)]
pub struct vkd_neighbors_options {
    /// `sizeof(vkd_neighbors_options)`.
    pub struct_size: u32,
    /// VKD_CENTER: subtract the mean of the items, from items and queries. VKD_OVERWRITE,
    /// VKD_ZERO_ROWS.
    pub flags: u32,
    /// One of `vkd_element_type`: what `embeddings` and `queries` really point to.
    pub element_type: u32,
    /// How many queries there are; 0 with `queries` NULL.
    pub num_queries: u32,
    /// `num_queries` x `dim` values: rows to find neighbours of. NULL, with `num_queries` 0: the
    /// items themselves, each without itself. Read during the call only.
    pub queries: *const f32,
    /// A file for the result, as a NUL-terminated path, instead of memory (only of
    /// `vkd_neighbors_start`); NULL: memory. It is a safetensors file, see
    /// `vkd_neighbors_file_open`. A file that holds these neighbours already, or more of each,
    /// stays as it is; one of other results is VKD_ERROR_FILE_MISMATCH. Read during the call only.
    pub output_path: *const c_char,
    /// With `output_path`: `num_items` ids, one for each item of the corpus, NUL-terminated UTF-8,
    /// each only once. The file then holds them too (`vkd_neighbors_file_id`). A file that is there
    /// must have the same ids, or it is VKD_ERROR_FILE_MISMATCH. NULL: none, or those of a file
    /// that is there. Read during the call only.
    pub ids: *const *const c_char,
    /// In the place of `ids`: open embeddings, whose ids these are; NULL, or embeddings without
    /// ids: none. Read during the call only.
    pub ids_of: *const vkd_embeddings,
}

/// Which similarities to compute. Set all bytes to 0, then `struct_size`; 0 means the default
/// everywhere.
#[repr(C)]
#[allow(non_camel_case_types)]
#[derive(Debug, Clone, Copy)]
pub struct vkd_similarity_options {
    /// `sizeof(vkd_similarity_options)`.
    pub struct_size: u32,
    /// VKD_CENTER, VKD_UPPER_TRIANGLE, VKD_ZERO_ROWS.
    pub flags: u32,
    /// One of `vkd_element_type`: what the `embeddings` pointer really points to.
    pub element_type: u32,
    /// Must be 0.
    pub reserved: u32,
}

/// The files of a site. Set all bytes to 0, then `struct_size`; 0 means the default everywhere. All
/// texts are read during the call only.
///
/// The page of an item is DIRECTORY/ID.json:
/// `{"id":"a","metadata":...,"similar":[{"id":"b","similarity":0.912345},...]}`, or for sequences
/// `"different":["b","c",...]`, the start left out. The rankings are one file:
/// `{"list":"similar","ids":["a",...],"items":[0,...],"rankings":[[1,...],...]}`, where numbers are
/// places in `ids` (0-based) and `items` says whose ranking each is. Each file gets its name when
/// it is whole and on the disk, and replaces one of an earlier site. Anything else that stands
/// there, or at the name with ".partial" behind it, is VKD_ERROR_BAD_FILE before any work. One run
/// at a time writes a folder; a second one is VKD_ERROR_FILE_BUSY. The bytes do not depend on
/// device or threads.
#[repr(C)]
#[allow(non_camel_case_types)]
#[derive(Debug, Clone, Copy)]
pub struct vkd_site_options {
    /// `sizeof(vkd_site_options)`.
    pub struct_size: u32,
    /// VKD_NO_SYNC.
    pub flags: u32,
    /// Entries of each page and ranking, at the most; default: all there are.
    pub top: u32,
    /// Threads that write, at most 4,096; default as for the CPU engine.
    pub threads: u32,
    /// The folder of the pages, made where it is missing, as a NUL-terminated path. NULL: no
    /// pages.
    pub directory: *const c_char,
    /// The file of all rankings, as a NUL-terminated path; not where a page would be. NULL: none.
    /// Of a link the file that it leads to. Rankings that vkd wrote there are replaced; any other
    /// file is VKD_ERROR_BAD_FILE, before anything is computed.
    pub rankings_path: *const c_char,
    /// `num_items` ids, one for each item, NUL-terminated UTF-8: file names without a path, each
    /// one only once, also where case and the ways to write an accent do not count. NULL: the ids
    /// of the file of results, or item numbers from 0.
    pub ids: *const *const c_char,
    /// `num_items` JSON values, NUL-terminated, one for each item: the member "metadata" of its
    /// page. NULL: none.
    pub metadata: *const *const c_char,
    /// How many ids and metadata there are: the number of items, or 0 with neither.
    pub num_items: u32,
    /// Must be 0.
    pub reserved: u32,
    /// What the list is called, NUL-terminated UTF-8 of 1 to 64 bytes: the member of each page, and
    /// "list" of the rankings. Not "id" or "metadata", without control characters, `"` and `\`.
    /// NULL: "similar" of neighbours, of sequences by their rule "different" (centroid),
    /// "scattered" (farthest), "related" (mmr) or "journey" (chain).
    pub list: *const c_char,
}

/// An export: one file in a shape that older programs read. Set all bytes to 0, then `struct_size`
/// and `path`; 0 means the default elsewhere. All is read during the call only.
#[repr(C)]
#[allow(non_camel_case_types)]
#[derive(Debug, Clone, Copy)]
pub struct vkd_export_options {
    /// `sizeof(vkd_export_options)`.
    pub struct_size: u32,
    /// VKD_OVERWRITE: replace a file of the same format at `path`. Without it, and of any other
    /// file: VKD_ERROR_BAD_FILE, before any work.
    pub flags: u32,
    /// One of `vkd_export_format`; default: of sequences VKD_EXPORT_DIVERSITY_CACHE, of neighbours
    /// VKD_EXPORT_RANKINGS.
    pub format: u32,
    /// One of `vkd_export_keys`: what stands for each item. VKD_EXPORT_SEQUENCES_BIN has item
    /// numbers only.
    pub keys: u32,
    /// The file, as a NUL-terminated path. While it grows it is called PATH.partial. Of a link the
    /// file that it leads to.
    pub path: *const c_char,
    /// With VKD_KEYS_ID: `num_items` ids, one for each item, NUL-terminated UTF-8, each only once.
    /// NULL: those of the file of results.
    pub ids: *const *const c_char,
    /// With VKD_KEYS_INDEX: `num_items` numbers, the one that the readers of the file have for each
    /// item (such as their `poem_index`, from 1), each only once. NULL: from 0.
    pub numbers: *const u32,
    /// How many ids or numbers there are: the number of items, or 0 with neither.
    pub num_items: u32,
    /// Entries of each list at the most, of a sequence the start among them; default: all there
    /// are. Not of VKD_EXPORT_SEQUENCES_BIN.
    pub top: u32,
    /// Of VKD_EXPORT_DIVERSITY_CACHE: the model that made the embeddings, for "metadata", as
    /// NUL-terminated UTF-8 of up to 256 bytes. NULL: it is left out.
    pub model: *const c_char,
}

/// The file that `vkd_merge_write` makes. Set all bytes to 0, then `struct_size` and `path`. Read
/// during the call only.
#[repr(C)]
#[allow(non_camel_case_types)]
#[derive(Debug, Clone, Copy)]
pub struct vkd_merge_options {
    /// `sizeof(vkd_merge_options)`.
    pub struct_size: u32,
    /// VKD_OVERWRITE: replace other results at `path`, as a run does.
    pub flags: u32,
    /// The file, as a NUL-terminated path: none of the parts. While it grows it is called
    /// PATH.partial. Of a link the file that it leads to.
    pub path: *const c_char,
}

/// Results that make a site or an export: exactly one of `path`, `sequences`, `indices`,
/// `sequences_file` and `neighbors_file`. Set all bytes to 0, then `struct_size`. Read during the
/// call only. The rows of a file are checked as they are read: one that does not fit its checksum
/// is VKD_ERROR_BAD_FILE; it gets no page, and an export ends there without a file.
#[repr(C)]
#[allow(non_camel_case_types)]
#[derive(Debug, Clone, Copy)]
pub struct vkd_site_source {
    /// `sizeof(vkd_site_source)`.
    pub struct_size: u32,
    /// With `sequences`: items of the corpus, at least num_rows and row_length.
    pub num_items: u32,
    /// With `sequences` or `indices`: rows.
    pub num_rows: u32,
    /// With `sequences` or `indices`: numbers in a row; with `indices` fewer than rows.
    pub row_length: u32,
    /// A file of results, sequences or neighbours of the items themselves, as a NUL-terminated
    /// path.
    pub path: *const c_char,
    /// num_rows x row_length item numbers (0-based) as `vkd_batch_compute` writes them: each row
    /// belongs to its first. Copied during the call.
    pub sequences: *const u32,
    /// num_rows x row_length item numbers (0-based) as `vkd_neighbors_compute` writes them: row i
    /// belongs to item i. Copied during the call.
    pub indices: *const u32,
    /// With `indices`: as many cosine similarities. Copied during the call.
    pub similarities: *const f32,
    /// An open file of sequences: what it was when it was opened, also where another has its path
    /// now. It may be freed while a job works with it.
    pub sequences_file: *const vkd_sequences_file,
    /// The same of neighbours.
    pub neighbors_file: *const vkd_neighbors_file,
    /// With `sequences`: the `vkd_rule` they come from, which gives the list its name; default:
    /// VKD_RULE_CENTROID. Files tell.
    pub rule: u32,
    /// Must be 0.
    pub reserved: u32,
}

/// How much `vkd_sequences_file_verify_against` checks. Set all bytes to 0, then `struct_size`; 0
/// means the default everywhere.
#[repr(C)]
#[allow(non_camel_case_types)]
#[derive(Debug, Clone, Copy)]
pub struct vkd_verify_options {
    /// `sizeof(vkd_verify_options)`.
    pub struct_size: u32,
    /// VKD_ZERO_ROWS is allowed and changes nothing: the file tells.
    pub flags: u32,
    /// One of `vkd_element_type`: what the `embeddings` pointer really points to.
    pub element_type: u32,
    /// Sequences of the sample, spread over the file; default 16.
    pub num_sequences: u32,
    /// Picks of each, spread over its length; default 64.
    pub num_picks: u32,
}

/// What embeddings a file of results is compared with. Set all bytes to 0, then `struct_size`; 0
/// means the default everywhere.
#[repr(C)]
#[allow(non_camel_case_types)]
#[derive(Debug, Clone, Copy)]
pub struct vkd_check_options {
    /// `sizeof(vkd_check_options)`.
    pub struct_size: u32,
    /// No flags exist yet: 0. Whether the mean is subtracted the file tells.
    pub flags: u32,
    /// One of `vkd_element_type`: what the `embeddings` pointer really points to.
    pub element_type: u32,
    /// Must be 0.
    pub reserved: u32,
    /// `num_items` ids, one for each item, NUL-terminated UTF-8, to be compared with those of the
    /// file where it has some. NULL: none. Read during the call only.
    pub ids: *const *const c_char,
    /// In the place of `ids`: open embeddings, whose ids these are; NULL, or embeddings without
    /// ids: none. Read during the call only.
    pub ids_of: *const vkd_embeddings,
}

/// How a file of embeddings is read. Set all bytes to 0, then `struct_size`; 0 means the default
/// everywhere: most files need no options. All texts are NUL-terminated UTF-8, and read during the
/// call only.
#[repr(C)]
#[allow(non_camel_case_types)]
#[derive(Debug, Clone, Copy)]
pub struct vkd_embeddings_options {
    /// `sizeof(vkd_embeddings_options)`.
    pub struct_size: u32,
    /// No flags exist yet: 0.
    pub flags: u32,
    /// With `dim`: one of `vkd_element_type`, the type of the values.
    pub element_type: u32,
    /// Of a file that holds nothing but values, row after row, little-endian: the dimensions of
    /// each item. 0: the file tells.
    pub dim: u32,
    /// The array of an npz or safetensors file. NULL: the only one of two dimensions.
    pub array: *const c_char,
    /// The key of an item's id in JSON. NULL: "id", or else "poem_index".
    pub id_key: *const c_char,
    /// The key of an item's embedding in JSON. NULL: "embedding" or "vector".
    pub embedding_key: *const c_char,
    /// The key of the list of items, or of embeddings, in JSON. NULL: "embeddings" or "data".
    pub list_key: *const c_char,
    /// A text file with the id of each item on a line of its own, as a NUL-terminated path. It wins
    /// over ids of the file. NULL: those of the file, if it has any.
    pub ids_path: *const c_char,
}

structs! {
    vkd_context_options: [40],
    vkd_batch_options: [40, 80, 96, 104],
    vkd_neighbors_options: [32, 48],
    vkd_similarity_options: [16],
    vkd_site_options: [56, 64],
    vkd_export_options: [56],
    vkd_merge_options: [16],
    vkd_site_source: [48, 64, 72],
    vkd_verify_options: [20],
    vkd_check_options: [32],
    vkd_embeddings_options: [56],
}
