//! The types of the C header. cbindgen copies the comments, so they are the C documentation.

use libc::c_char;

use crate::context::Context;
use crate::job::Job;
use crate::store::{NeighborsFile, SequencesFile};

/// What every function that can fail returns: 0 for success, 1 for "not yet", negative numbers for
/// errors. Errors come in bands: -1.. arguments, -101.. the embeddings, -201.. memory, -301..
/// devices and drivers, -401.. jobs, -501.. files, -901 a defect in vkd. `vkd_status_name` gives the name of each.
#[repr(C)]
#[allow(non_camel_case_types, missing_docs)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum vkd_status {
    /// Success.
    VKD_OK = 0,
    /// The job is still at work (only from `vkd_job_wait`).
    VKD_PENDING = 1,
    /// A pointer that must not be NULL is NULL.
    VKD_ERROR_NULL_POINTER = -1,
    /// A count or size is 0.
    VKD_ERROR_ZERO_SIZE = -2,
    /// `struct_size` of a struct is too small to be right.
    VKD_ERROR_STRUCT_SIZE = -3,
    /// A struct is longer than this library knows, and its unknown tail is not zero.
    VKD_ERROR_NEWER_STRUCT = -4,
    /// A flag that this library does not know is set.
    VKD_ERROR_UNKNOWN_FLAGS = -5,
    /// An option has a value that is not allowed.
    VKD_ERROR_BAD_OPTION = -6,
    /// A start item is not in the corpus.
    VKD_ERROR_START_OUT_OF_RANGE = -7,
    /// The length is more than the number of items.
    VKD_ERROR_LENGTH_OUT_OF_RANGE = -8,
    /// More dimensions than 65,536.
    VKD_ERROR_DIM_TOO_LARGE = -9,
    /// The number of values is not items x dimensions.
    VKD_ERROR_SHAPE_MISMATCH = -10,
    /// The output has too little room for the result.
    VKD_ERROR_OUTPUT_TOO_SMALL = -11,
    /// More neighbours than there are other items.
    VKD_ERROR_TOO_MANY_NEIGHBORS = -12,
    /// Queries and items have different dimensions.
    VKD_ERROR_QUERY_DIM = -13,
    /// A NaN or an infinity in the embeddings.
    VKD_ERROR_NOT_FINITE = -101,
    /// An embedding of zero length.
    VKD_ERROR_ZERO_NORM = -102,
    /// An embedding that equals the mean, so that centring leaves nothing of it.
    VKD_ERROR_ZERO_NORM_CENTERED = -103,
    /// An embedding whose length no f64 can hold.
    VKD_ERROR_NORM_RANGE = -104,
    /// The run needs more memory than there is, or than the limit allows.
    VKD_ERROR_TOO_LARGE = -201,
    /// The system refused memory.
    VKD_ERROR_HOST_MEMORY = -202,
    /// The driver refused memory.
    VKD_ERROR_DEVICE_MEMORY = -203,
    /// The driver ran out of memory during a call.
    VKD_ERROR_DRIVER_MEMORY = -204,
    /// No Vulkan loader is installed.
    VKD_ERROR_NO_LOADER = -301,
    /// The Vulkan loader offers no device.
    VKD_ERROR_NO_DEVICE = -302,
    /// No device matches what was asked for.
    VKD_ERROR_DEVICE_NOT_FOUND = -303,
    /// The device lacks something that is needed.
    VKD_ERROR_UNSUPPORTED = -304,
    /// The device was lost, and could not be opened anew or was lost again in the same run. The context stays lost: free it
    /// and create another. What is finished stays in the run's file.
    VKD_ERROR_DEVICE_LOST = -305,
    /// The driver returned another error.
    VKD_ERROR_DRIVER = -306,
    /// The Vulkan validation layer had something to say (only with `VKD_VALIDATION`).
    VKD_ERROR_VALIDATION = -307,
    /// The job was cancelled.
    VKD_ERROR_CANCELLED = -401,
    /// The job has not finished.
    VKD_ERROR_NOT_FINISHED = -402,
    /// The result of a job is of another kind.
    VKD_ERROR_WRONG_JOB_KIND = -403,
    /// A file cannot be opened, read or written.
    VKD_ERROR_FILE = -501,
    /// The disk is full, or a limit for files is reached. Finished sequences are kept.
    VKD_ERROR_DISK_FULL = -502,
    /// A file is damaged or was not written by vkd.
    VKD_ERROR_BAD_FILE = -503,
    /// A file holds other results than asked for.
    VKD_ERROR_FILE_MISMATCH = -504,
    /// Another run is writing the file.
    VKD_ERROR_FILE_BUSY = -505,
    /// The job wrote its result to a file.
    VKD_ERROR_RESULT_IN_FILE = -506,
    /// An id is no file name, or two items have the same.
    VKD_ERROR_BAD_ID = -507,
    /// The metadata of an item is no JSON value.
    VKD_ERROR_BAD_METADATA = -508,
    /// A defect in vkd.
    VKD_ERROR_INTERNAL = -901,
}

/// Element types of embeddings (`vkd_batch_options.element_type`).
#[repr(C)]
#[allow(non_camel_case_types)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum vkd_element_type {
    /// 32-bit floats, the default.
    VKD_F32 = 0,
    /// 16-bit floats (IEEE 754 binary16, as in a numpy float16 array).
    VKD_F16 = 1,
    /// 64-bit floats.
    VKD_F64 = 2,
}

/// Flags of option structs, to be combined with `|`; each struct says which it takes.
#[repr(C)]
#[allow(non_camel_case_types)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum vkd_flags {
    /// Subtract the mean embedding first. Off by default.
    VKD_CENTER = 1,
    /// Replace the file at `output_path` and what an interrupted run left there, whatever it holds.
    VKD_OVERWRITE = 2,
    /// Each pair once: the part of the matrix of similarities above its diagonal.
    VKD_UPPER_TRIANGLE = 4,
    /// Leave it to the system when the files of a site reach the disk. Faster; after a loss of power some may be empty.
    VKD_NO_SYNC = 8,
    /// Keep no compiled kernels on the disk. Else they are kept in the folder that the environment variable
    /// `VKD_PIPELINE_CACHE` names ("off": nowhere), and where that is unset in `vkd` in the user's folder for caches, so that
    /// the next process starts faster. Each device, driver version and library version has a file of its own there: a damaged
    /// one is ignored and replaced, those of earlier drivers stay. The folder may be deleted at any time.
    VKD_NO_PIPELINE_CACHE = 16,
}

/// Kinds of devices (`vkd_device_info.kind`), in the order in which one is chosen by default.
#[repr(C)]
#[allow(non_camel_case_types)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum vkd_device_kind {
    /// A graphics card with its own memory.
    VKD_DEVICE_DISCRETE_GPU = 0,
    /// A GPU that shares the processor's memory.
    VKD_DEVICE_INTEGRATED_GPU = 1,
    /// A GPU seen through a virtual machine.
    VKD_DEVICE_VIRTUAL_GPU = 2,
    /// The built-in CPU engine: needs no driver.
    VKD_DEVICE_CPU = 3,
    /// A Vulkan driver that runs on the processor, such as llvmpipe. Used only when named.
    VKD_DEVICE_SOFTWARE_VULKAN = 4,
    /// Another Vulkan device. Used only when named.
    VKD_DEVICE_OTHER_VULKAN = 5,
    /// The built-in reference engine: slow, the oracle of the tests.
    VKD_DEVICE_REFERENCE = 6,
    /// Several devices at once, of a context that was asked for them.
    VKD_DEVICE_SEVERAL = 7,
}

/// Kernels for the picks (`vkd_context_options.sequence_kernel`). All give the same bits.
#[repr(C)]
#[allow(non_camel_case_types)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum vkd_sequence_kernel {
    /// The engine chooses by the device's type and limits, the default.
    VKD_KERNEL_AUTO = 0,
    /// Scores in a storage buffer: any number of items.
    VKD_KERNEL_BUFFER = 1,
    /// Scores in registers: falls back to the buffer kernel where there are too many items for it, or where the matrix does
    /// not fit.
    VKD_KERNEL_REGISTERS = 2,
}

/// States of a job (`vkd_job_progress.state`).
#[repr(C)]
#[allow(non_camel_case_types)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum vkd_job_state {
    /// At work, or waiting for the context's other jobs.
    VKD_JOB_RUNNING = 0,
    /// Finished; the result can be fetched.
    VKD_JOB_DONE = 1,
    /// Ended with an error or cancelled; `vkd_job_wait` returns which.
    VKD_JOB_FAILED = 2,
}

/// One device, opened for computing. Any thread may use it; see `vkd_context_create`.
#[allow(non_camel_case_types)]
#[derive(Debug)]
pub struct vkd_context(pub(super) Context);

/// One running or finished computation. Any thread may use it; see `vkd_batch_start`.
#[allow(non_camel_case_types)]
#[derive(Debug)]
pub struct vkd_job(pub(super) Job);

/// A file of sequences, open for reading. Any thread may use it; see `vkd_sequences_file_open`.
#[allow(non_camel_case_types)]
#[derive(Debug)]
pub struct vkd_sequences_file(pub(super) SequencesFile);

/// What a file of sequences holds. Set `struct_size` before the call, the library fills the rest.
#[repr(C)]
#[allow(non_camel_case_types)]
#[derive(Debug, Clone, Copy)]
pub struct vkd_sequences_file_info {
    /// `sizeof(vkd_sequences_file_info)`.
    pub struct_size: u32,
    /// VKD_CENTER if the mean was subtracted.
    pub flags: u32,
    /// Sequences.
    pub count: u32,
    /// Items of each.
    pub length: u32,
    /// Items of the corpus.
    pub num_items: u32,
    /// Bytes of an item number in the rows: 2 or 4.
    pub item_bytes: u32,
    /// Hash of the prepared embeddings: 32 hex digits, NUL-terminated. Equal embeddings have equal ones.
    pub fingerprint: [c_char; 40],
    /// Version of the library that began the file, NUL-terminated.
    pub version: [c_char; 24],
}

/// How much `vkd_sequences_file_verify_against` checks. Set all bytes to 0, then `struct_size`; 0 means the default everywhere.
#[repr(C)]
#[allow(non_camel_case_types)]
#[derive(Debug, Clone, Copy)]
pub struct vkd_verify_options {
    /// `sizeof(vkd_verify_options)`.
    pub struct_size: u32,
    /// No flags exist yet: 0.
    pub flags: u32,
    /// One of `vkd_element_type`: what the `embeddings` pointer really points to.
    pub element_type: u32,
    /// Sequences of the sample, spread over the file; default 16.
    pub num_sequences: u32,
    /// Picks of each, spread over its length; default 64.
    pub num_picks: u32,
}

/// What `vkd_sequences_file_verify_against` found. Set `struct_size` before the call, the library fills the rest.
#[repr(C)]
#[allow(non_camel_case_types)]
#[derive(Debug, Clone, Copy)]
pub struct vkd_verify_report {
    /// `sizeof(vkd_verify_report)`.
    pub struct_size: u32,
    /// Sequences that were looked at.
    pub sequences_checked: u32,
    /// Picks that were computed anew.
    pub picks_checked: u64,
    /// The largest regret of a pick, in cosine distance.
    pub worst_regret: f64,
    /// The mean regret.
    pub mean_regret: f64,
    /// The sequence with the largest regret (0-based).
    pub worst_sequence: u32,
    /// The place of that pick in its sequence (0-based).
    pub worst_pick: u32,
}

/// How to make a context. Set all bytes to 0, then `struct_size`; 0 means the default everywhere.
#[repr(C)]
#[allow(non_camel_case_types)]
#[derive(Debug, Clone, Copy)]
pub struct vkd_context_options {
    /// `sizeof(vkd_context_options)`.
    pub struct_size: u32,
    /// Of `vkd_flags`.
    pub flags: u32,
    /// The device as NUL-terminated UTF-8. NULL or "": the environment variable `VKD_DEVICE`, and
    /// where that is unset the best GPU (discrete, integrated, virtual), else the CPU engine. "cpu": the
    /// built-in CPU engine. "reference": the arithmetic in plain loops. "vulkan": the best Vulkan device.
    /// A decimal number: the index of `vkd_device_get_info`. A UUID in hex. Or a part of a Vulkan device's
    /// name in any case, "vulkan:" before it allowed: "llvmpipe", "vulkan:RTX"; "vulkan:0" is the first Vulkan device, whatever
    /// its index. Several of these with + between them ("cpu + vulkan:0"): the starts of a run are split over them by the speed
    /// that each shows, and the first also does neighbours and similarities; a device that cannot do a run is left out of it, an
    /// error on one ends the run. "all": every GPU and the CPU engine. Read during the call only.
    pub device: *const c_char,
    /// The most memory in bytes that one run may use: of the device's; for the CPU engine of the host's; with several devices
    /// of each Vulkan device's, and of the host's for all together. Default: the environment variable `VKD_MEMORY_LIMIT`
    /// ("500M", "2G"), and where that is unset what the driver's budget, or the system and the process's control group, leave
    /// free.
    pub memory_limit: u64,
    /// One of `vkd_sequence_kernel`; default: chosen by the device.
    pub sequence_kernel: u32,
    /// How long one submission to the device should take, in milliseconds; default: 50, so that
    /// no driver watchdog bites (a display GPU stops work after 2,000). Two are in flight at once. At most 1,000.
    pub submit_target_ms: u32,
    /// Threads of the CPU engine, at most 4,096; default: the environment variable `VKD_THREADS`, and where that is
    /// unset one for each processor that the process may use.
    pub threads: u32,
}

/// A device. Set `struct_size` before the call, the library fills the rest.
#[repr(C)]
#[allow(non_camel_case_types)]
#[derive(Debug, Clone, Copy)]
pub struct vkd_device_info {
    /// `sizeof(vkd_device_info)`.
    pub struct_size: u32,
    /// One of `vkd_device_kind`.
    pub kind: u32,
    /// Name, NUL-terminated UTF-8.
    pub name: [c_char; 256],
    /// Driver name and version, NUL-terminated UTF-8.
    pub driver: [c_char; 512],
    /// The device's UUID; all 0 for the built-in engines.
    pub uuid: [u8; 16],
    /// Bytes of the largest memory heap the engine can use; for the CPU engine the memory that is free
    /// now; 0 where unknown.
    pub memory_bytes: u64,
    /// The most bytes one buffer binding may span; a larger matrix is split over several.
    pub max_binding_bytes: u64,
    /// Lanes of a subgroup.
    pub subgroup_size: u32,
    /// Loop rounds one dispatch may spend per lane before the driver gives up; 0: no limit.
    pub loop_budget: u32,
}

/// What to compute. Set all bytes to 0, then `struct_size`; 0 means the default everywhere.
#[repr(C)]
#[allow(non_camel_case_types)]
#[derive(Debug, Clone, Copy)]
pub struct vkd_batch_options {
    /// `sizeof(vkd_batch_options)`.
    pub struct_size: u32,
    /// VKD_CENTER, VKD_OVERWRITE.
    pub flags: u32,
    /// One of `vkd_element_type`: what the `embeddings` pointer really points to.
    pub element_type: u32,
    /// Items per sequence, the start included; default: all items.
    pub length: u32,
    /// `num_starts` item numbers (0-based): the first item of every sequence. Duplicates are allowed.
    /// NULL, with `num_starts` 0: every item once, in order. Read during the call only.
    pub starts: *const u32,
    /// How many starts there are.
    pub num_starts: u32,
    /// Must be 0.
    pub reserved: u32,
    /// A file for the result, as a NUL-terminated path, instead of memory; NULL: memory. The file is a safetensors file, see
    /// `vkd_sequences_file_open`. While it grows it is called PATH.partial. The same call after a kill, a cancel or a full disk goes
    /// on where it stopped; if the finished file holds shorter sequences, they are extended; if it holds all, the run ends at
    /// once; if it holds other results, that is VKD_ERROR_FILE_MISMATCH. Read during the call only.
    pub output_path: *const c_char,
}

/// Of what to find neighbours. Set all bytes to 0, then `struct_size`; 0 means the default everywhere.
#[repr(C)]
#[allow(non_camel_case_types)]
#[derive(Debug, Clone, Copy)]
pub struct vkd_neighbors_options {
    /// `sizeof(vkd_neighbors_options)`.
    pub struct_size: u32,
    /// VKD_CENTER: subtract the mean of the items, from items and queries. VKD_OVERWRITE.
    pub flags: u32,
    /// One of `vkd_element_type`: what `embeddings` and `queries` really point to.
    pub element_type: u32,
    /// How many queries there are.
    pub num_queries: u32,
    /// `num_queries` x `dim` values: rows to find neighbours of. NULL, with `num_queries` 0: the items themselves, each
    /// without itself. Read during the call only.
    pub queries: *const f32,
    /// A file for the result, as a NUL-terminated path, instead of memory (only of `vkd_neighbors_start`); NULL: memory. It
    /// is a safetensors file, see `vkd_neighbors_file_open`. A file that holds these neighbours already, or more of each, stays as it
    /// is; one of other results is VKD_ERROR_FILE_MISMATCH. Read during the call only.
    pub output_path: *const c_char,
}

/// Which similarities to compute. Set all bytes to 0, then `struct_size`; 0 means the default everywhere.
#[repr(C)]
#[allow(non_camel_case_types)]
#[derive(Debug, Clone, Copy)]
pub struct vkd_similarity_options {
    /// `sizeof(vkd_similarity_options)`.
    pub struct_size: u32,
    /// VKD_CENTER, VKD_UPPER_TRIANGLE.
    pub flags: u32,
    /// One of `vkd_element_type`: what the `embeddings` pointer really points to.
    pub element_type: u32,
    /// Must be 0.
    pub reserved: u32,
}

/// What a file of results holds.
#[repr(C)]
#[allow(non_camel_case_types)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum vkd_results_kind {
    /// Sequences: `vkd_sequences_file_open`.
    VKD_RESULTS_SEQUENCES = 1,
    /// Neighbours: `vkd_neighbors_file_open`.
    VKD_RESULTS_NEIGHBORS = 2,
}

/// A file of neighbours, open for reading. Any thread may use it; see `vkd_neighbors_file_open`.
#[allow(non_camel_case_types)]
#[derive(Debug)]
pub struct vkd_neighbors_file(pub(super) NeighborsFile);

/// What a file of neighbours holds. Set `struct_size` before the call, the library fills the rest.
#[repr(C)]
#[allow(non_camel_case_types)]
#[derive(Debug, Clone, Copy)]
pub struct vkd_neighbors_file_info {
    /// `sizeof(vkd_neighbors_file_info)`.
    pub struct_size: u32,
    /// VKD_CENTER if the mean was subtracted.
    pub flags: u32,
    /// Rows: items, or queries.
    pub count: u32,
    /// Neighbours of each.
    pub k: u32,
    /// Items of the corpus.
    pub num_items: u32,
    /// Bytes of an item number in the rows: 2 or 4.
    pub item_bytes: u32,
    /// Hash of the prepared embeddings: 32 hex digits, NUL-terminated. Equal embeddings have equal ones.
    pub fingerprint: [c_char; 40],
    /// The same of the queries; "" where these are the items themselves.
    pub queries_fingerprint: [c_char; 40],
    /// Version of the library that wrote the file, NUL-terminated.
    pub version: [c_char; 24],
}

/// The files of a site. Set all bytes to 0, then `struct_size`; 0 means the default everywhere. All texts are read during the
/// call only.
///
/// The page of an item is DIRECTORY/ID.json: `{"id":"a","metadata":...,"similar":[{"id":"b","similarity":0.912345},...]}`, or
/// for sequences `"different":["b","c",...]`, the start left out. The rankings are one file:
/// `{"list":"similar","ids":["a",...],"items":[0,...],"rankings":[[1,...],...]}`, where numbers are places in `ids` (0-based)
/// and `items` says whose ranking each is. Each file gets its name when it is whole and on the disk, and replaces
/// one that was there. The bytes do not depend on device or threads.
#[repr(C)]
#[allow(non_camel_case_types)]
#[derive(Debug, Clone, Copy)]
pub struct vkd_site_options {
    /// `sizeof(vkd_site_options)`.
    pub struct_size: u32,
    /// VKD_NO_SYNC.
    pub flags: u32,
    /// Entries of each page and ranking; default: all there are.
    pub top: u32,
    /// Threads that write; default as for the CPU engine.
    pub threads: u32,
    /// The folder of the pages, made where it is missing. NULL: no pages.
    pub directory: *const c_char,
    /// The file of all rankings. NULL: none.
    pub rankings_path: *const c_char,
    /// `num_ids` ids, one for each item, NUL-terminated UTF-8: file names without a path, each one only once. NULL: item
    /// numbers from 0.
    pub ids: *const *const c_char,
    /// `num_ids` JSON values, NUL-terminated, one for each item: the member "metadata" of its page. NULL: none.
    pub metadata: *const *const c_char,
    /// How many ids and metadata there are: the number of items, or 0 with neither.
    pub num_ids: u32,
    /// Must be 0.
    pub reserved: u32,
}

/// Results that make a site: exactly one of `path`, `sequences` and `indices`. Set all bytes to 0, then `struct_size`.
#[repr(C)]
#[allow(non_camel_case_types)]
#[derive(Debug, Clone, Copy)]
pub struct vkd_site_input {
    /// `sizeof(vkd_site_input)`.
    pub struct_size: u32,
    /// With `sequences`: items of the corpus.
    pub num_items: u32,
    /// With `sequences` or `indices`: rows.
    pub num_rows: u32,
    /// With `sequences` or `indices`: numbers in a row.
    pub row_length: u32,
    /// A file of results, sequences or neighbours.
    pub path: *const c_char,
    /// num_rows x row_length item numbers (0-based) as `vkd_batch_compute` writes them: each row makes the page of its first.
    /// Copied during the call.
    pub sequences: *const u32,
    /// num_rows x row_length item numbers (0-based) as `vkd_neighbors_compute` writes them: row i makes the page of item i. Copied
    /// during the call.
    pub indices: *const u32,
    /// With `indices`: as many similarities. Copied during the call.
    pub similarities: *const f32,
}

/// What a run takes. Set `struct_size` before the call, the library fills the rest.
#[repr(C)]
#[allow(non_camel_case_types)]
#[derive(Debug, Clone, Copy)]
pub struct vkd_run_plan {
    /// `sizeof(vkd_run_plan)`.
    pub struct_size: u32,
    /// 0.
    pub reserved: u32,
    /// Bytes of the host's memory at the most: the prepared embeddings, what the engine takes, and the result where it goes to
    /// memory. Beside it a call with `out_sequences` has the caller's copy.
    pub host_bytes: u64,
    /// Bytes of the device's memory at the most, with several devices of all together; 0 for the built-in engines.
    pub device_bytes: u64,
    /// Bytes of the result: in memory, or in the file (without its header).
    pub output_bytes: u64,
    /// Bytes of the prepared embeddings, a part of `host_bytes`.
    pub corpus_bytes: u64,
    /// Groups of sequences (of queries, for neighbours) that are computed side by side, one after the other, at least. With
    /// several devices the sum over them, as if each did the whole run.
    pub batches: u64,
    /// Submissions to the device, at least; 0 for the built-in engines. With several devices a sum like `batches`.
    pub dispatches: u64,
    /// Rows of the result: sequences, or those of neighbours or similarities.
    pub rows: u64,
    /// Steps of the work: picks, sequences x (length - 1); for neighbours and similarities dot
    /// products, rows x items.
    pub steps: u64,
    /// Rows of the contribution matrix that the engine holds at once; 0 for neighbours. Fewer than there are items: the matrix
    /// does not fit the device, its other rows are computed when they are needed, and the run takes longer. With several
    /// devices: of the one that holds the fewest.
    pub held_rows: u64,
}

/// How far a job is. Set `struct_size` before the call, the library fills the rest.
#[repr(C)]
#[allow(non_camel_case_types)]
#[derive(Debug, Clone, Copy)]
pub struct vkd_job_progress {
    /// `sizeof(vkd_job_progress)`.
    pub struct_size: u32,
    /// One of `vkd_job_state`.
    pub state: u32,
    /// Rows finished: sequences, or the neighbours or similarities of an item.
    pub rows_done: u64,
    /// Picks finished. Goes back to those of finished sequences when a lost device is opened anew, or when the driver refuses
    /// memory.
    pub steps_done: u64,
    /// Picks of the whole job: sequences x (length - 1), less what an earlier run left in the file. For neighbours
    /// picks are dot products: rows x items.
    pub steps_total: u64,
    /// Bytes of the contribution matrix read by the picks so far (2 bytes x items per pick).
    pub bytes_read: u64,
    /// Seconds since the start, or that the whole job took.
    pub seconds: f64,
    /// Estimated seconds to go; negative while unknown.
    pub seconds_left: f64,
    /// Seconds spent checking and preparing the embeddings on the host.
    pub prepare_seconds: f64,
    /// Seconds spent moving prepared rows to the device and building its kernels.
    pub upload_seconds: f64,
    /// Seconds spent on the contribution matrix; where its rows are computed when they are needed, 0.
    pub matrix_seconds: f64,
    /// Seconds spent on the picks, or on the search for neighbours; where rows of the matrix are computed when they are needed,
    /// with them. With several devices all their work, the matrices too.
    pub steps_seconds: f64,
    /// Seconds spent bringing the results back.
    pub download_seconds: f64,
    /// Files of a site finished (`vkd_site_start`, `vkd_site_write_start`).
    pub files_done: u64,
    /// Files of the whole site; 0 for other jobs. Where it is not 0, it is the measure of how far the job is.
    pub files_total: u64,
    /// Bytes of the files finished.
    pub bytes_written: u64,
}
