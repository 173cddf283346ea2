//! The numbers that cross the ABI, and which error has which.
//!
//! `CallError` is what can go wrong between C and the library; what the library itself refuses
//! passes through it. A status is a `vkd_status` as `int32_t`.

use libc::c_char;

use crate::error::Error;
use crate::flaw::Flaw;
use crate::units;

/// What every function that can fail returns: 0 for success, 1 for "not yet", negative numbers for
/// errors. Errors come in bands: -1.. arguments, -101.. the embeddings, -201.. memory, -301..
/// devices and drivers, -401.. jobs, -501.. files, -901 a defect in vkd. `vkd_status_name` gives
/// the name of each.
#[repr(C)]
#[allow(non_camel_case_types)]
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
    /// Heads of different lengths or longer than the sequences, an item that is not in the corpus
    /// or twice in a head, or starts and heads together.
    VKD_ERROR_BAD_HEADS = -14,
    /// No item has the id, or the items have none.
    VKD_ERROR_NO_SUCH_ID = -15,
    /// A NaN or an infinity in the embeddings.
    VKD_ERROR_NOT_FINITE = -101,
    /// An embedding of zero length; the flag VKD_ZERO_ROWS admits it.
    VKD_ERROR_ZERO_NORM = -102,
    /// An embedding that equals the mean, so that centring leaves nothing of it; VKD_ZERO_ROWS
    /// admits it.
    VKD_ERROR_ZERO_NORM_CENTERED = -103,
    /// An embedding whose length no f64 can hold.
    VKD_ERROR_NORM_RANGE = -104,
    /// A file of embeddings cannot be used: it is damaged, in no format that is known, or lacks
    /// something. The message says where, and what to do.
    VKD_ERROR_BAD_EMBEDDINGS = -105,
    /// The run needs more memory than there is, or than the limit allows.
    VKD_ERROR_TOO_LARGE = -201,
    /// The system refused memory.
    VKD_ERROR_HOST_MEMORY = -202,
    /// The driver refused memory.
    VKD_ERROR_DEVICE_MEMORY = -203,
    /// The driver ran out of memory during a call.
    VKD_ERROR_DRIVER_MEMORY = -204,
    /// The system refused a thread.
    VKD_ERROR_NO_THREAD = -205,
    /// No Vulkan loader is installed.
    VKD_ERROR_NO_LOADER = -301,
    /// The Vulkan loader offers no device.
    VKD_ERROR_NO_DEVICE = -302,
    /// No device matches what was asked for.
    VKD_ERROR_DEVICE_NOT_FOUND = -303,
    /// The device lacks something that is needed.
    VKD_ERROR_UNSUPPORTED = -304,
    /// The device was lost, and could not be opened anew or was lost again in the same run. The
    /// context stays lost: free it and create another. What is finished stays in the run's file.
    VKD_ERROR_DEVICE_LOST = -305,
    /// The driver returned another error.
    VKD_ERROR_DRIVER = -306,
    /// The Vulkan validation layer had something to say (only with `VKD_VALIDATION`).
    VKD_ERROR_VALIDATION = -307,
    /// The job was cancelled.
    VKD_ERROR_CANCELLED = -401,
    /// The job has not finished.
    VKD_ERROR_NOT_FINISHED = -402,
    /// The job computes another kind of result.
    VKD_ERROR_WRONG_JOB_KIND = -403,
    /// The context or job was made by the parent, before a fork: make a new context here.
    VKD_ERROR_OTHER_PROCESS = -404,
    /// A file cannot be opened, read or written.
    VKD_ERROR_FILE = -501,
    /// The disk is full, or a limit for files is reached. Finished sequences are kept.
    VKD_ERROR_DISK_FULL = -502,
    /// A file is damaged or was not written by vkd, or something that is to be replaced is no file
    /// that vkd wrote.
    VKD_ERROR_BAD_FILE = -503,
    /// A file holds other results than asked for.
    VKD_ERROR_FILE_MISMATCH = -504,
    /// Another run is writing the file.
    VKD_ERROR_FILE_BUSY = -505,
    /// The job wrote its result to a file.
    VKD_ERROR_RESULT_IN_FILE = -506,
    /// An id cannot be a file name, or two items have the same.
    VKD_ERROR_BAD_ID = -507,
    /// The metadata of an item is no JSON value.
    VKD_ERROR_BAD_METADATA = -508,
    /// A defect in vkd.
    VKD_ERROR_INTERNAL = -901,
}

/// What can go wrong in a call from C.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub(super) enum CallError {
    #[error("{name} is NULL; pass a valid pointer")]
    NullPointer { name: &'static str },
    #[error(
        "struct_size of {name} is {}, which no version of the header gives it; set it to \
         sizeof({name}), {expected} bytes here",
        units::count(*.got)
    )]
    StructSize { name: &'static str, got: u32, expected: u32 },
    #[error(
        "{name} has a struct_size of {}, this library knows {known} bytes, and the bytes beyond \
         are not all zero: it asks for something this version ({version}) cannot do; update the \
         library or leave the newer fields zero",
        units::count(*.got)
    )]
    NewerStruct { name: &'static str, got: u32, known: u32, version: &'static str },
    #[error("flags of {name} are {got:#x}; only the bits {known:#x} are known")]
    UnknownFlags { name: &'static str, got: u32, known: u32 },
    #[error(
        "{name} has room for {}, but the result has {}; pass a larger one",
        values(*.capacity), values(*.needed)
    )]
    OutputTooSmall { name: &'static str, capacity: u64, needed: u64 },
    #[error("the job has not finished; wait for it first")]
    NotFinished,
    #[error("the result of this job is of another kind; {instead}")]
    WrongJobKind { instead: &'static str },
    #[error("the result of this job is in the file {path}; open it with {open}")]
    ResultInFile { path: String, open: &'static str },
    #[error(transparent)]
    Library(#[from] Error),
}

fn values(number: u64) -> String {
    format!("{} {}", units::count(number), if number == 1 { "value" } else { "values" })
}

/// What a call from C gives.
pub(super) type Result<T> = std::result::Result<T, CallError>;

/// The status of an error.
pub(super) fn status(error: &CallError) -> vkd_status {
    use vkd_status::*;
    match error {
        CallError::NullPointer { .. } => VKD_ERROR_NULL_POINTER,
        CallError::StructSize { .. } => VKD_ERROR_STRUCT_SIZE,
        CallError::NewerStruct { .. } => VKD_ERROR_NEWER_STRUCT,
        CallError::UnknownFlags { .. } => VKD_ERROR_UNKNOWN_FLAGS,
        CallError::OutputTooSmall { .. } => VKD_ERROR_OUTPUT_TOO_SMALL,
        CallError::NotFinished => VKD_ERROR_NOT_FINISHED,
        CallError::WrongJobKind { .. } => VKD_ERROR_WRONG_JOB_KIND,
        CallError::ResultInFile { .. } => VKD_ERROR_RESULT_IN_FILE,
        CallError::Library(error) => library_status(error),
    }
}

fn library_status(error: &Error) -> vkd_status {
    use vkd_status::*;
    use Error as E;
    match error {
        E::ZeroSize { .. } => VKD_ERROR_ZERO_SIZE,
        E::BadOption { .. } => VKD_ERROR_BAD_OPTION,
        E::StartsAndHeads
        | E::HeadLength { .. }
        | E::HeadOutOfRange { .. }
        | E::HeadRepeats { .. }
        | E::HeadTooLong { .. } => VKD_ERROR_BAD_HEADS,
        E::StartOutOfRange { .. } | E::NoSuchStart { .. } => VKD_ERROR_START_OUT_OF_RANGE,
        E::LengthOutOfRange { .. } => VKD_ERROR_LENGTH_OUT_OF_RANGE,
        E::DimTooLarge { .. } => VKD_ERROR_DIM_TOO_LARGE,
        E::ShapeMismatch { .. } => VKD_ERROR_SHAPE_MISMATCH,
        E::TooManyNeighbors { .. } => VKD_ERROR_TOO_MANY_NEIGHBORS,
        E::QueryDim { .. } => VKD_ERROR_QUERY_DIM,
        E::NoIds { .. } | E::NoSuchId { .. } => VKD_ERROR_NO_SUCH_ID,
        E::NotFinite { .. } => VKD_ERROR_NOT_FINITE,
        E::ZeroNorm { .. } => VKD_ERROR_ZERO_NORM,
        E::ZeroNormCentered { .. } => VKD_ERROR_ZERO_NORM_CENTERED,
        E::NormRange { .. } => VKD_ERROR_NORM_RANGE,
        E::TooLarge { .. } | E::TooManyRounds { .. } => VKD_ERROR_TOO_LARGE,
        E::HostMemory { .. } => VKD_ERROR_HOST_MEMORY,
        E::DeviceMemory { .. } => VKD_ERROR_DEVICE_MEMORY,
        E::DriverMemory { .. } => VKD_ERROR_DRIVER_MEMORY,
        E::NoThread { .. } => VKD_ERROR_NO_THREAD,
        E::NoLoader { .. } => VKD_ERROR_NO_LOADER,
        E::NoDevice { .. } => VKD_ERROR_NO_DEVICE,
        E::DeviceNotFound { .. } => VKD_ERROR_DEVICE_NOT_FOUND,
        E::Unsupported { .. } => VKD_ERROR_UNSUPPORTED,
        E::DeviceLost { .. } => VKD_ERROR_DEVICE_LOST,
        E::Driver { .. } => VKD_ERROR_DRIVER,
        E::Validation { .. } => VKD_ERROR_VALIDATION,
        E::Cancelled => VKD_ERROR_CANCELLED,
        E::OtherProcess { .. } => VKD_ERROR_OTHER_PROCESS,
        E::File { .. } => VKD_ERROR_FILE,
        E::DiskFull { .. } => VKD_ERROR_DISK_FULL,
        E::BadFile { .. }
        | E::ForeignFile { .. }
        | E::NoResults { .. }
        | E::NotReplaced { .. }
        | E::OtherRow { .. } => VKD_ERROR_BAD_FILE,
        E::FileMismatch { .. }
        | E::OtherKind { .. }
        | E::OtherEmbeddings { .. }
        | E::NotWhole { .. } => VKD_ERROR_FILE_MISMATCH,
        E::Embeddings { flaw, .. } => flaw_status(flaw),
        E::Ids { flaw } => match **flaw {
            Flaw::RepeatedId { .. } => VKD_ERROR_BAD_ID,
            _ => VKD_ERROR_BAD_OPTION,
        },
        E::FileBusy { .. } => VKD_ERROR_FILE_BUSY,
        E::BadId { .. } => VKD_ERROR_BAD_ID,
        E::BadMetadata { .. } => VKD_ERROR_BAD_METADATA,
        E::Variable { error, .. } => library_status(error),
        E::Internal { .. } => VKD_ERROR_INTERNAL,
    }
}

/// The status of what is wrong with a file of embeddings.
fn flaw_status(flaw: &Flaw) -> vkd_status {
    match flaw {
        Flaw::NotFinite { .. } | Flaw::Overflow { .. } => vkd_status::VKD_ERROR_NOT_FINITE,
        Flaw::DimTooLarge { .. } => vkd_status::VKD_ERROR_DIM_TOO_LARGE,
        Flaw::Empty => vkd_status::VKD_ERROR_ZERO_SIZE,
        Flaw::RepeatedId { .. } => vkd_status::VKD_ERROR_BAD_ID,
        _ => vkd_status::VKD_ERROR_BAD_EMBEDDINGS,
    }
}

macro_rules! names {
    ($($name:ident)*) => {
        /// The name of a status number, ending with a NUL.
        fn name(status: i32) -> &'static str {
            $( if status == vkd_status::$name as i32 {
                return concat!(stringify!($name), "\0");
            } )*
            "VKD_STATUS_UNKNOWN\0"
        }
    };
}

names! {
    VKD_OK
    VKD_PENDING
    VKD_ERROR_NULL_POINTER
    VKD_ERROR_ZERO_SIZE
    VKD_ERROR_STRUCT_SIZE
    VKD_ERROR_NEWER_STRUCT
    VKD_ERROR_UNKNOWN_FLAGS
    VKD_ERROR_BAD_OPTION
    VKD_ERROR_START_OUT_OF_RANGE
    VKD_ERROR_LENGTH_OUT_OF_RANGE
    VKD_ERROR_DIM_TOO_LARGE
    VKD_ERROR_SHAPE_MISMATCH
    VKD_ERROR_OUTPUT_TOO_SMALL
    VKD_ERROR_TOO_MANY_NEIGHBORS
    VKD_ERROR_QUERY_DIM
    VKD_ERROR_BAD_HEADS
    VKD_ERROR_NO_SUCH_ID
    VKD_ERROR_NOT_FINITE
    VKD_ERROR_ZERO_NORM
    VKD_ERROR_ZERO_NORM_CENTERED
    VKD_ERROR_NORM_RANGE
    VKD_ERROR_BAD_EMBEDDINGS
    VKD_ERROR_TOO_LARGE
    VKD_ERROR_HOST_MEMORY
    VKD_ERROR_DEVICE_MEMORY
    VKD_ERROR_DRIVER_MEMORY
    VKD_ERROR_NO_THREAD
    VKD_ERROR_NO_LOADER
    VKD_ERROR_NO_DEVICE
    VKD_ERROR_DEVICE_NOT_FOUND
    VKD_ERROR_UNSUPPORTED
    VKD_ERROR_DEVICE_LOST
    VKD_ERROR_DRIVER
    VKD_ERROR_VALIDATION
    VKD_ERROR_CANCELLED
    VKD_ERROR_NOT_FINISHED
    VKD_ERROR_WRONG_JOB_KIND
    VKD_ERROR_OTHER_PROCESS
    VKD_ERROR_FILE
    VKD_ERROR_DISK_FULL
    VKD_ERROR_BAD_FILE
    VKD_ERROR_FILE_MISMATCH
    VKD_ERROR_FILE_BUSY
    VKD_ERROR_RESULT_IN_FILE
    VKD_ERROR_BAD_ID
    VKD_ERROR_BAD_METADATA
    VKD_ERROR_INTERNAL
}

/// The name of a status, such as "VKD_ERROR_NOT_FINITE"; "VKD_STATUS_UNKNOWN" for a number that is
/// none. The text is static: never free it.
#[no_mangle]
pub extern "C" fn vkd_status_name(status: i32) -> *const c_char {
    name(status).as_ptr().cast()
}
