//! The one error type of the library.
//!
//! Every variant says what was wrong, where, which value and limit were involved and what to do
//! next. `status` maps a variant to the number that crosses the C ABI; the numbers come in bands:
//! -1.. arguments, -101.. data, -201.. memory, -301.. devices and drivers, -401.. jobs, -501.. files, -901 defects.

/// What can go wrong. The text of each variant is what `vkd_last_error` returns.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
#[allow(missing_docs)] // every field is named in the variant's message
pub enum Error {
    #[error("{name} is NULL; pass a valid pointer")]
    NullPointer { name: &'static str },
    #[error("{name} is 0; it must be at least 1")]
    ZeroSize { name: &'static str },
    #[error("struct_size of {name} is {got}; set it to sizeof({name}), {expected} bytes here (at least {least})")]
    StructSize { name: &'static str, got: u32, least: u32, expected: u32 },
    #[error("{name} has a struct_size of {got}, this library knows {known} bytes, and the bytes beyond are not all zero: it asks for something this version ({version}) cannot do; update the library or leave the newer fields zero")]
    NewerStruct { name: &'static str, got: u32, known: u32, version: &'static str },
    #[error("flags of {name} are {got:#x}; only the bits {known:#x} are known")]
    UnknownFlags { name: &'static str, got: u32, known: u32 },
    #[error("{option} is {got}; {allowed}")]
    BadOption { option: &'static str, got: String, allowed: String },
    #[error("starts[{position}] is {start}; item numbers run from 0 to {last} (0-based)")]
    StartOutOfRange { position: usize, start: u32, last: u32 },
    #[error("no sequence of the file begins with item {start} (0-based)")]
    NoSuchStart { start: u32 },
    #[error("length is {length}, but there are only {num_items} items; use 0 for all of them")]
    LengthOutOfRange { length: u32, num_items: u32 },
    #[error("k is {k}, but there are only {others} other items; use at most that many")]
    TooManyNeighbors { k: u32, others: u32 },
    #[error(
        "the queries have {dim} dimensions, the items {corpus_dim}; embed both with one model"
    )]
    QueryDim { dim: u32, corpus_dim: u32 },
    #[error("dim is {dim}; at most {limit} dimensions are supported")]
    DimTooLarge { dim: u32, limit: u32 },
    #[error("{given} embedding values were given, but {num_items} items of {dim} dimensions need {needed}")]
    ShapeMismatch { given: usize, num_items: u32, dim: u32, needed: u64 },
    #[error(
        "{name} has room for {capacity} values, but the result has {needed}; pass a larger one"
    )]
    OutputTooSmall { name: &'static str, capacity: u64, needed: u64 },

    #[error("item {item} has {value} in dimension {dimension} (both 0-based); every value must be finite (remove or re-embed that item)")]
    NotFinite { item: u32, dimension: u32, value: &'static str },
    #[error("item {item} (0-based) has zero length, so it has no direction to compare (an empty text?); remove it")]
    ZeroNorm { item: u32 },
    #[error("item {item} (0-based) has zero length after centring (it equals the mean of all items); remove it or switch centring off")]
    ZeroNormCentered { item: u32 },
    #[error("item {item} (0-based) has a length that no f64 can hold (its values are too large or too small); scale the embeddings")]
    NormRange { item: u32 },

    #[error("{what} need {needed} bytes on {device}, and {available} are there; use fewer items, fewer starts per call or another device")]
    TooLarge { what: &'static str, needed: u64, available: u64, device: String },
    #[error("the system refused {bytes} bytes of memory for {what}; free memory, or use fewer items or starts")]
    HostMemory { what: &'static str, bytes: u64 },
    #[error("{device} refused {bytes} bytes for {what} ({reason}); close other programs that use it, or use fewer items")]
    DeviceMemory { device: String, what: String, bytes: u64, reason: String },
    #[error("{device} ran out of memory during {call} ({code}); close other programs that use it, or use fewer items")]
    DriverMemory { device: String, call: &'static str, code: String },

    #[error("no Vulkan loader could be opened ({reason}); install it (Debian: libvulkan1), or choose the device \"cpu\"")]
    NoLoader { reason: String },
    #[error("the Vulkan loader is there, but it offers no device ({reason}); install a driver (Debian: mesa-vulkan-drivers), or choose the device \"cpu\"")]
    NoDevice { reason: String },
    #[error("no device matches \"{wanted}\"; there are: {available}")]
    DeviceNotFound { wanted: String, available: String },
    #[error("{device} cannot run this: {missing}; choose another device")]
    Unsupported { device: String, missing: String },
    #[error("{device} was lost during {call}; free this context and create a new one")]
    DeviceLost { device: String, call: &'static str },
    #[error("{device}: {call} failed with {code}; update the driver or choose another device")]
    Driver { device: String, call: &'static str, code: String },
    #[error("the Vulkan validation layer reported {count} message(s), the first is: {first}")]
    Validation { count: usize, first: String },

    #[error("the job was cancelled")]
    Cancelled,
    #[error("the job has not finished; wait for it first")]
    NotFinished,
    #[error("the result of this job is of another kind; fetch it with {wanted}")]
    WrongJobKind { wanted: &'static str },

    #[error("cannot {action} {path}: {reason}")]
    File { action: &'static str, path: String, reason: String },
    #[error("no room on the disk, or within the limit for files, to {action} {path} ({bytes} bytes): {reason}; make room and call again: what is finished is kept")]
    DiskFull { action: &'static str, path: String, bytes: u64, reason: String },
    #[error("{path} is damaged or was not written by vkd: {reason}; compute it again (with the overwrite flag) or restore it")]
    BadFile { path: String, reason: String },
    #[error("{path} holds other results than asked for: its {what} is {found}, not {wanted}; choose another path, or set the overwrite flag to replace it")]
    FileMismatch { path: String, what: &'static str, found: String, wanted: String },
    #[error("{path} is being written by another run; wait for it, or choose another path")]
    FileBusy { path: String },
    #[error(
        "the id of item {item} (0-based), \"{id}\", is no file name: {reason}; give it another id"
    )]
    BadId { item: u32, id: String, reason: String },
    #[error("the metadata of item {item} (0-based) is no JSON value: {reason}")]
    BadMetadata { item: u32, reason: String },
    #[error("the result of this job is in the file {path}; open it with vkd_sequences_file_open or vkd_neighbors_file_open")]
    ResultInFile { path: String },

    #[error("a defect in vkd: {detail}; please report it with this text")]
    Internal { detail: String },
}

/// Shorthand for results of this library.
pub type Result<T> = std::result::Result<T, Error>;

macro_rules! statuses {
    ($( $pattern:pat => $number:literal $name:literal, )*) => {
        impl Error {
            /// The status number that crosses the C ABI.
            pub fn status(&self) -> i32 {
                match self { $( $pattern => $number, )* }
            }
        }

        /// The name of a status number, `"VKD_STATUS_UNKNOWN"` for numbers that are none.
        /// The text ends with a NUL, ready for C.
        pub fn status_name(status: i32) -> &'static str {
            match status {
                0 => "VKD_OK\0",
                1 => "VKD_PENDING\0",
                $( $number => concat!($name, "\0"), )*
                _ => "VKD_STATUS_UNKNOWN\0",
            }
        }
    };
}

statuses! {
    Error::NullPointer { .. } => -1 "VKD_ERROR_NULL_POINTER",
    Error::ZeroSize { .. } => -2 "VKD_ERROR_ZERO_SIZE",
    Error::StructSize { .. } => -3 "VKD_ERROR_STRUCT_SIZE",
    Error::NewerStruct { .. } => -4 "VKD_ERROR_NEWER_STRUCT",
    Error::UnknownFlags { .. } => -5 "VKD_ERROR_UNKNOWN_FLAGS",
    Error::BadOption { .. } => -6 "VKD_ERROR_BAD_OPTION",
    Error::StartOutOfRange { .. } | Error::NoSuchStart { .. } => -7 "VKD_ERROR_START_OUT_OF_RANGE",
    Error::LengthOutOfRange { .. } => -8 "VKD_ERROR_LENGTH_OUT_OF_RANGE",
    Error::DimTooLarge { .. } => -9 "VKD_ERROR_DIM_TOO_LARGE",
    Error::ShapeMismatch { .. } => -10 "VKD_ERROR_SHAPE_MISMATCH",
    Error::OutputTooSmall { .. } => -11 "VKD_ERROR_OUTPUT_TOO_SMALL",
    Error::TooManyNeighbors { .. } => -12 "VKD_ERROR_TOO_MANY_NEIGHBORS",
    Error::QueryDim { .. } => -13 "VKD_ERROR_QUERY_DIM",
    Error::NotFinite { .. } => -101 "VKD_ERROR_NOT_FINITE",
    Error::ZeroNorm { .. } => -102 "VKD_ERROR_ZERO_NORM",
    Error::ZeroNormCentered { .. } => -103 "VKD_ERROR_ZERO_NORM_CENTERED",
    Error::NormRange { .. } => -104 "VKD_ERROR_NORM_RANGE",
    Error::TooLarge { .. } => -201 "VKD_ERROR_TOO_LARGE",
    Error::HostMemory { .. } => -202 "VKD_ERROR_HOST_MEMORY",
    Error::DeviceMemory { .. } => -203 "VKD_ERROR_DEVICE_MEMORY",
    Error::DriverMemory { .. } => -204 "VKD_ERROR_DRIVER_MEMORY",
    Error::NoLoader { .. } => -301 "VKD_ERROR_NO_LOADER",
    Error::NoDevice { .. } => -302 "VKD_ERROR_NO_DEVICE",
    Error::DeviceNotFound { .. } => -303 "VKD_ERROR_DEVICE_NOT_FOUND",
    Error::Unsupported { .. } => -304 "VKD_ERROR_UNSUPPORTED",
    Error::DeviceLost { .. } => -305 "VKD_ERROR_DEVICE_LOST",
    Error::Driver { .. } => -306 "VKD_ERROR_DRIVER",
    Error::Validation { .. } => -307 "VKD_ERROR_VALIDATION",
    Error::Cancelled => -401 "VKD_ERROR_CANCELLED",
    Error::NotFinished => -402 "VKD_ERROR_NOT_FINISHED",
    Error::WrongJobKind { .. } => -403 "VKD_ERROR_WRONG_JOB_KIND",
    Error::File { .. } => -501 "VKD_ERROR_FILE",
    Error::DiskFull { .. } => -502 "VKD_ERROR_DISK_FULL",
    Error::BadFile { .. } => -503 "VKD_ERROR_BAD_FILE",
    Error::FileMismatch { .. } => -504 "VKD_ERROR_FILE_MISMATCH",
    Error::FileBusy { .. } => -505 "VKD_ERROR_FILE_BUSY",
    Error::ResultInFile { .. } => -506 "VKD_ERROR_RESULT_IN_FILE",
    Error::BadId { .. } => -507 "VKD_ERROR_BAD_ID",
    Error::BadMetadata { .. } => -508 "VKD_ERROR_BAD_METADATA",
    Error::Internal { .. } => -901 "VKD_ERROR_INTERNAL",
}

/// A vector of `len` zeros, or an error instead of an abort when the system has no room for it.
pub(crate) fn zeroed<T: Clone + Default>(len: usize, what: &'static str) -> Result<Vec<T>> {
    let mut values = Vec::new();
    let bytes = (len as u64).saturating_mul(size_of::<T>() as u64);
    values.try_reserve_exact(len).map_err(|_| Error::HostMemory { what, bytes })?;
    values.resize(len, T::default());
    Ok(values)
}

/// A caught panic as an error.
pub(crate) fn from_panic(panic: &(dyn std::any::Any + Send)) -> Error {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
    Error::Internal { detail: text.unwrap_or_else(|| "a panic without a message".into()) }
}
