//! Enumerations of the C header. An option that is one of them is a `uint32_t`: C may pass
//! anything.

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

/// Flags, to be combined with `|`; each struct and function says which it takes or gives.
#[repr(C)]
#[allow(non_camel_case_types)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum vkd_flags {
    /// Subtract the mean embedding first. Off by default.
    VKD_CENTER = 1,
    /// Replace the results at `output_path` and what an interrupted run left there, whatever they
    /// are of. A file that vkd did not write is never replaced.
    VKD_OVERWRITE = 2,
    /// Each pair once: the part of the matrix of similarities above its diagonal.
    VKD_UPPER_TRIANGLE = 4,
    /// Leave it to the system when the files of a site reach the disk. Faster; after a loss of
    /// power some may be empty.
    VKD_NO_SYNC = 8,
    /// Keep no compiled kernels on the disk. Else they are kept in the folder that the environment
    /// variable `VKD_PIPELINE_CACHE` names ("off": nowhere), and where that is unset in `vkd` in
    /// the user's folder for caches, so that the next process starts faster. Each device, driver
    /// version and library version has a file of its own there: a damaged one is ignored and
    /// replaced, those of earlier drivers stay. The folder may be deleted at any time.
    VKD_NO_PIPELINE_CACHE = 16,
    /// Each place of a sequence gets a value, see `vkd_batch_options.out_values`.
    VKD_VALUES = 32,
    /// `vkd_batch_options.lambda` is given, also where it is 0.
    VKD_LAMBDA = 64,
    /// Rows of zeros, in embeddings and queries, are items like any other: orthogonal to all, with
    /// a similarity of 0 and a weight of 0. With VKD_CENTER that holds for rows that equal the
    /// mean. Off by default: then such a row is VKD_ERROR_ZERO_NORM, or
    /// VKD_ERROR_ZERO_NORM_CENTERED.
    VKD_ZERO_ROWS = 128,
    /// Told by `vkd_embeddings_get_info`, `vkd_sequences_file_get_info` and
    /// `vkd_neighbors_file_get_info`: the items have ids. No option takes it.
    VKD_IDS = 256,
}

/// Rules: what a sequence asks of its next item (`vkd_batch_options.rule`). Similarity is the
/// cosine; on equal terms the item with the lowest number is next.
#[repr(C)]
#[allow(non_camel_case_types)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum vkd_rule {
    /// The item least similar to the centroid of all so far, the default. Its value: the mean
    /// similarity with all so far, each weighted by its length.
    VKD_RULE_CENTROID = 0,
    /// The item least similar to the nearest of all so far (farthest-first traversal, k-center).
    /// Its value: the similarity with that nearest one.
    VKD_RULE_FARTHEST = 1,
    /// The item with the most of `lambda` x its similarity to the first item, less (1 - lambda) x
    /// its largest similarity to one of those since (maximal marginal relevance). Its value: that.
    VKD_RULE_MMR = 2,
    /// The item most similar to the last one. Its value: the similarity.
    VKD_RULE_CHAIN = 3,
}

/// What the rows hold that picks add (`vkd_run_plan.row_values`). For embeddings of one
/// length, up to 65,536 of them, both are the same.
#[repr(C)]
#[allow(non_camel_case_types)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum vkd_row_values {
    /// There are none.
    VKD_ROWS_NONE = 0,
    /// Contributions: similarities weighted by the length of the row's item, of
    /// `VKD_RULE_CENTROID`.
    VKD_ROWS_CONTRIBUTIONS = 1,
    /// Similarities, of the other rules.
    VKD_ROWS_SIMILARITIES = 2,
}

/// How the rows come that picks add (`vkd_run_plan.row_source`). Whichever it is, the results are
/// the same, bit for bit; a plan takes what costs least of what there is memory for.
#[repr(C)]
#[allow(non_camel_case_types)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum vkd_row_source {
    /// The run needs none: only sequences do.
    VKD_SOURCE_NONE = 0,
    /// All of them are computed before the first pick: for many sequences.
    VKD_SOURCE_MATRIX = 1,
    /// A row is computed when it is first needed, with some that the next steps likely need, and
    /// kept as long as there is room: for few sequences.
    VKD_SOURCE_CACHE = 2,
    /// Rows are computed in every step, and none is kept: for few picks, or little memory.
    VKD_SOURCE_DIRECT = 3,
    /// Rows wait for the items: one is looked at again only when it may be the next pick. For few
    /// sequences of VKD_RULE_FARTHEST and VKD_RULE_MMR, whose costs only rise.
    VKD_SOURCE_LAZY = 4,
}

/// Shapes of files that older programs read (`vkd_export_options.format`). Numbers are item numbers
/// from 0, unless keys say otherwise.
#[repr(C)]
#[allow(non_camel_case_types)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum vkd_export_format {
    /// `diversity_cache.json`, of sequences: `{"metadata":{"model":...,"num_poems":n,...,
    /// "top_k":K},"sequences":{"0":[0,...],...}}`, of each the start first.
    VKD_EXPORT_DIVERSITY_CACHE = 1,
    /// Rankings, of neighbours, byte for byte as the older interface of vkd_compat.h writes them
    /// with one thread: `{"metadata":{...},"rankings":{"0":[5,...],...}}`, nearest first, each
    /// without the item itself.
    VKD_EXPORT_RANKINGS = 2,
    /// `sequences.bin`, of full sequences from each item in order: n, then n rows of n item
    /// numbers, 32 bits each, little endian.
    VKD_EXPORT_SEQUENCES_BIN = 3,
}

/// What stands for each item in an export (`vkd_export_options.keys`).
#[repr(C)]
#[allow(non_camel_case_types)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum vkd_export_keys {
    /// Its number: from 0, or of `vkd_export_options.numbers`. The default.
    VKD_KEYS_INDEX = 0,
    /// Its id, as a text, in the lists too.
    VKD_KEYS_ID = 1,
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
    /// Scores in registers: falls back to the buffer kernel where there are too many items for it,
    /// or where the matrix does not fit.
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

/// Formats that embeddings are written in (`vkd_embeddings_write`).
#[repr(C)]
#[allow(non_camel_case_types)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum vkd_embeddings_format {
    /// safetensors: values and ids.
    VKD_FORMAT_SAFETENSORS = 0,
    /// npy of numpy: the values alone.
    VKD_FORMAT_NPY = 1,
}
