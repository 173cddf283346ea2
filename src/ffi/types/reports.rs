//! What C gets: structs that the library fills.

use libc::c_char;

use crate::ffi::structs::structs;

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
    /// Bytes of the largest memory heap the engine can use; for the CPU engine the memory that is
    /// free now; 0 where unknown.
    pub memory_bytes: u64,
    /// The most bytes one buffer binding may span; a larger matrix is split over several.
    pub max_binding_bytes: u64,
    /// Lanes of a subgroup.
    pub subgroup_size: u32,
    /// Loop rounds one dispatch may spend per lane before the driver gives up; 0: no limit.
    pub loop_budget: u32,
    /// From `vkd_context_get_info`, of a context for which no device was named: the GPUs that would
    /// have come before this device but could not be opened, each with the reason. "" where there
    /// are none.
    pub passed_over: [c_char; 512],
}

/// What a run takes. Set `struct_size` before the call, the library fills the rest.
#[repr(C)]
#[allow(non_camel_case_types)]
#[derive(Debug, Clone, Copy)]
pub struct vkd_run_plan {
    /// `sizeof(vkd_run_plan)`.
    pub struct_size: u32,
    /// One of `vkd_row_values`: what the rows hold.
    pub row_values: u32,
    /// Bytes of the host's memory at the most: the prepared embeddings, what the engine takes, and
    /// the result where it goes to memory. Beside it a `_compute` call has the caller's
    /// copy.
    pub host_bytes: u64,
    /// Bytes of the device's memory at the most, with several devices of all together; 0 for the
    /// built-in engines.
    pub device_bytes: u64,
    /// Bytes of the result: in memory, or in the file (without its header).
    pub output_bytes: u64,
    /// Bytes of the prepared embeddings, a part of `host_bytes`.
    pub corpus_bytes: u64,
    /// Groups of sequences (of queries, for neighbours) that are computed side by side, one after
    /// the other, at least. With several devices the sum over them, as if each did the whole run.
    pub groups: u64,
    /// Submissions to the device, at least; 0 for the built-in engines. With several devices a sum
    /// like `groups`.
    pub dispatches: u64,
    /// Rows of the result: sequences, or those of neighbours or similarities.
    pub rows: u64,
    /// Steps of the work: picks, sequences x (length - items of a head); for neighbours and
    /// similarities dot products, rows x items.
    pub steps: u64,
    /// Rows of contributions that the engine holds at once; 0 where none is kept: only sequences
    /// have some. Fewer than there are items: the others are computed when they are needed. With
    /// several devices: of the one that holds the fewest.
    pub held_rows: u64,
    /// Multiply-adds of 16-bit values that the rows of a run of sequences take; where rows are kept
    /// or wait an estimate, since nobody knows which are needed. 0 for other runs. With several
    /// devices a sum like `groups`.
    pub multiply_adds: u64,
    /// One of `vkd_row_source`: how the rows come, by what costs least. With several devices: of
    /// the one that keeps least.
    pub row_source: u32,
    /// 0.
    pub reserved: u32,
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
    /// Rows of the whole job.
    pub rows_total: u64,
    /// Steps finished: picks, or dot products. Goes back to those of finished rows when a lost
    /// device is opened anew, or when the driver refuses memory.
    pub steps_done: u64,
    /// Steps of the whole job: sequences x (length - 1), less what an earlier run left in the file;
    /// for neighbours, similarities and sites dot products, rows x items.
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
    /// Seconds spent on the contribution matrix; where its rows are computed when they are needed,
    /// 0.
    pub matrix_seconds: f64,
    /// Seconds spent on the picks, or on the search for neighbours; where rows of the matrix are
    /// computed when they are needed, with them. With several devices all their work, the matrices
    /// too.
    pub steps_seconds: f64,
    /// Seconds spent bringing the results back.
    pub download_seconds: f64,
    /// Files of a site, an export or a merge finished (`vkd_site_start`, `vkd_export_write_start`,
    /// `vkd_merge_write_start`).
    pub files_done: u64,
    /// Files of the whole site, export or merge; 0 for other jobs.
    pub files_total: u64,
    /// Bytes of the files finished.
    pub bytes_written: u64,
    /// Of a site, an export or a merge: rows that are written. Of `rows_total` they are the measure
    /// of how far the job is; `files_done` follows when they are on the disk.
    pub rows_written: u64,
}

/// What a file of sequences holds. Set `struct_size` before the call, the library fills the rest.
#[repr(C)]
#[allow(non_camel_case_types)]
#[derive(Debug, Clone, Copy)]
pub struct vkd_sequences_file_info {
    /// `sizeof(vkd_sequences_file_info)`.
    pub struct_size: u32,
    /// VKD_CENTER if the mean was subtracted, VKD_VALUES if each place has a value, VKD_IDS if
    /// items have ids.
    pub flags: u32,
    /// Sequences.
    pub count: u32,
    /// Items of each.
    pub length: u32,
    /// Items of the corpus.
    pub num_items: u32,
    /// Bytes of an item number in the rows: 2 or 4.
    pub item_bytes: u32,
    /// Hash of the prepared embeddings: 32 hex digits, NUL-terminated. Equal embeddings have equal
    /// ones.
    pub fingerprint: [c_char; 40],
    /// Version of the library that began the file, NUL-terminated.
    pub version: [c_char; 24],
    /// One of `vkd_rule`.
    pub rule: u32,
    /// Items that were given of each sequence, at least 1.
    pub head_length: u32,
    /// Of VKD_RULE_MMR, else 0.
    pub lambda: f64,
    /// Which part of a run that was split the file holds, see `vkd_batch_options.shard_index`; 0:
    /// the whole run.
    pub shard_index: u32,
    /// How many parts that run has; 0 where the file holds the whole.
    pub shard_count: u32,
    /// Sequences of the whole run, `count` or more.
    pub whole_count: u32,
    /// 0.
    pub reserved: u32,
}

/// What a file of neighbours holds. Set `struct_size` before the call, the library fills the rest.
#[repr(C)]
#[allow(non_camel_case_types)]
#[derive(Debug, Clone, Copy)]
pub struct vkd_neighbors_file_info {
    /// `sizeof(vkd_neighbors_file_info)`.
    pub struct_size: u32,
    /// VKD_CENTER if the mean was subtracted, VKD_IDS if items have ids.
    pub flags: u32,
    /// Rows: items, or queries.
    pub count: u32,
    /// Neighbours of each.
    pub k: u32,
    /// Items of the corpus.
    pub num_items: u32,
    /// Bytes of an item number in the rows: 2 or 4.
    pub item_bytes: u32,
    /// Hash of the prepared embeddings: 32 hex digits, NUL-terminated. Equal embeddings have equal
    /// ones.
    pub fingerprint: [c_char; 40],
    /// The same of the queries; "" where these are the items themselves.
    pub queries_fingerprint: [c_char; 40],
    /// Version of the library that wrote the file, NUL-terminated.
    pub version: [c_char; 24],
}

/// What `vkd_sequences_file_verify_against` found. Set `struct_size` before the call, the library
/// fills the rest.
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

/// What a file of embeddings holds. Set `struct_size` before the call, the library fills the rest.
#[repr(C)]
#[allow(non_camel_case_types)]
#[derive(Debug, Clone, Copy)]
pub struct vkd_embeddings_info {
    /// `sizeof(vkd_embeddings_info)`.
    pub struct_size: u32,
    /// VKD_IDS if the items have ids.
    pub flags: u32,
    /// Items.
    pub num_items: u32,
    /// Dimensions of each.
    pub dim: u32,
    /// One of `vkd_element_type`: what `vkd_embeddings_data` points to. Values that were parsed are
    /// VKD_F32; files of 64-bit floats stay VKD_F64.
    pub element_type: u32,
    /// 0.
    pub reserved: u32,
}

structs! {
    vkd_device_info: [816, 1328],
    vkd_run_plan: [80, 96],
    vkd_job_progress: [128, 136],
    vkd_sequences_file_info: [88, 104, 120],
    vkd_neighbors_file_info: [128],
    vkd_verify_report: [40],
    vkd_embeddings_info: [24],
}
