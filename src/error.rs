//! The one error type of the library.
//!
//! Every variant says what was wrong, where, which value and limit were involved and what to do
//! next. It knows nothing of C: which number an error has there is said in `ffi`.

/// What can go wrong. The text of each variant is for the user.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
#[allow(missing_docs)] // every field is named in the variant's message
pub enum Error {
    #[error("{name} is 0; it must be at least 1")]
    ZeroSize { name: &'static str },
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
    #[error(
        "{given} embedding values were given, but {num_items} items of {dim} dimensions need \
         {needed}"
    )]
    ShapeMismatch { given: usize, num_items: u32, dim: u32, needed: u64 },

    #[error(
        "item {item} has {value} in dimension {dimension} (both 0-based); every value must be \
         finite (remove or re-embed that item)"
    )]
    NotFinite { item: u32, dimension: u32, value: &'static str },
    #[error(
        "item {item} (0-based) has zero length, so it has no direction to compare (an empty \
         text?); remove it"
    )]
    ZeroNorm { item: u32 },
    #[error(
        "item {item} (0-based) has zero length after centring (it equals the mean of all items); \
         remove it or switch centring off"
    )]
    ZeroNormCentered { item: u32 },
    #[error(
        "item {item} (0-based) has a length that no f64 can hold (its values are too large or too \
         small); scale the embeddings"
    )]
    NormRange { item: u32 },

    #[error(
        "{what} need {needed} bytes on {device}, and {available} are there; use fewer items, \
         fewer starts per call or another device"
    )]
    TooLarge { what: &'static str, needed: u64, available: u64, device: String },
    #[error(
        "the system refused {bytes} bytes of memory for {what}; free memory, or use fewer items \
         or starts"
    )]
    HostMemory { what: &'static str, bytes: u64 },
    #[error(
        "{device} refused {bytes} bytes for {what} ({reason}); close other programs that use it, \
         or use fewer items"
    )]
    DeviceMemory { device: String, what: String, bytes: u64, reason: String },
    #[error(
        "{device} ran out of memory during {call} ({code}); close other programs that use it, or \
         use fewer items"
    )]
    DriverMemory { device: String, call: &'static str, code: String },

    #[error(
        "no Vulkan loader could be opened ({reason}); install it (Debian: libvulkan1), or choose \
         the device \"cpu\""
    )]
    NoLoader { reason: String },
    #[error(
        "the Vulkan loader is there, but it offers no device ({reason}); install a driver \
         (Debian: mesa-vulkan-drivers), or choose the device \"cpu\""
    )]
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

    #[error("cannot {action} {path}: {reason}")]
    File { action: &'static str, path: String, reason: String },
    #[error(
        "no room on the disk, or within the limit for files, to {action} {path} ({bytes} bytes): \
         {reason}; make room and call again: finished sequences are kept"
    )]
    DiskFull { action: &'static str, path: String, bytes: u64, reason: String },
    #[error(
        "{path} is damaged: {reason}; compute it again (with the overwrite flag) or restore it"
    )]
    BadFile { path: String, reason: String },
    #[error("{path} holds {holds}, not {wanted}; open it as {holds}, or give another path")]
    OtherKind { path: String, holds: &'static str, wanted: &'static str },
    #[error("{path} is {is}, no file of vkd's results; {next}")]
    ForeignFile { path: String, is: &'static str, next: &'static str },
    #[error(
        "{path} is not replaced: {reason}; vkd replaces only files that it wrote for the same \
         use: choose another path, or move that away"
    )]
    NotReplaced { path: String, reason: String },
    #[error(
        "{path} holds other results than asked for: its {what} is {found}, not {wanted}; choose \
         another path, or set the overwrite flag to replace it"
    )]
    FileMismatch { path: String, what: &'static str, found: String, wanted: String },
    #[error("{path} is being written by another run; wait for it, or choose another path")]
    FileBusy { path: String },
    #[error(
        "the id of item {item} (0-based), \"{id}\", is no file name: {reason}; give it another id"
    )]
    BadId { item: u32, id: String, reason: String },
    #[error("the metadata of item {item} (0-based) is no JSON value: {reason}")]
    BadMetadata { item: u32, reason: String },

    #[error("a defect in vkd: {detail}; please report it with this text")]
    Internal { detail: String },
}

/// Shorthand for results of this library.
pub type Result<T> = std::result::Result<T, Error>;

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
