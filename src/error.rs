//! The one error type of the library.
//!
//! Every variant says what was wrong, where, which value and limit were involved and what to do
//! next, in words that are true for callers from Rust, C and Lua. It knows nothing of C: which
//! number an error has there is said in `ffi`.

use crate::flaw::{At, Flaw};
use crate::units;

/// What can go wrong. The text of each variant is for the user.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
#[allow(missing_docs)] // every field is named in the variant's message
pub enum Error {
    #[error("{name} is 0; it must be at least 1")]
    ZeroSize { name: &'static str },
    #[error("{option} is {}; {allowed}", units::quoted(.got))]
    BadOption { option: &'static str, got: String, allowed: String },
    #[error("starts[{position}] is {start}; item numbers run from 0 to {last} (0-based)")]
    StartOutOfRange { position: usize, start: u32, last: u32 },
    #[error("starts and heads are both given; give one: a start is a head of one item")]
    StartsAndHeads,
    #[error(
        "the heads hold {} items, which are not heads of {} items each; all heads of a run are \
         equally long",
        units::count(*.items as u64), units::count(*.length)
    )]
    HeadLength { items: usize, length: u32 },
    #[error(
        "place {place} of head {head} (both 0-based) is {item}; item numbers run from 0 to {last} \
         (0-based)"
    )]
    HeadOutOfRange { head: usize, place: usize, item: u32, last: u32 },
    #[error(
        "item {item} stands twice in head {head}, again at place {place} (all 0-based); give each \
         item once"
    )]
    HeadRepeats { head: usize, place: usize, item: u32 },
    #[error(
        "the heads have {} items, more than the length, {}; use a greater length or shorter heads",
        units::count(*.head), units::count(*.length)
    )]
    HeadTooLong { head: u32, length: u32 },
    #[error("no sequence of the file begins with item {start} (0-based); it has other starts")]
    NoSuchStart { start: u32 },
    #[error(
        "length is {}, more than the number of items, {}; use at most that, or leave it unset for \
         all of them",
        units::count(*.length), units::count(*.num_items)
    )]
    LengthOutOfRange { length: u32, num_items: u32 },
    #[error("k is {}; {}", units::count(*.k), most_neighbors(*.others))]
    TooManyNeighbors { k: u32, others: u32 },
    #[error(
        "the queries have {} dimensions, the items {}; embed both with one model",
        units::count(*.dim), units::count(*.corpus_dim)
    )]
    QueryDim { dim: u32, corpus_dim: u32 },
    #[error(
        "dim is {}; at most {} dimensions are supported: use a model with shorter embeddings",
        units::count(*.dim), units::count(*.limit)
    )]
    DimTooLarge { dim: u32, limit: u32 },
    #[error(
        "{} values were given, but num_items {} x dim {} are {}; give as many, or correct the two",
        units::count(*.given as u64), units::count(*.num_items), units::count(*.dim),
        units::count(*.needed)
    )]
    ShapeMismatch { given: usize, num_items: u32, dim: u32, needed: u64 },

    #[error(
        "item {item} has {value} in dimension {dimension} (both 0-based); every value must be \
         finite (remove or re-embed that item)"
    )]
    NotFinite { item: u32, dimension: u32, value: &'static str },
    #[error(
        "item {item} (0-based) has zero length, so it has no direction to compare (an empty \
         text?); remove it, or admit rows of zeros as similar to nothing (VKD_ZERO_ROWS in C, \
         zero_rows = true in Lua)"
    )]
    ZeroNorm { item: u32 },
    #[error(
        "item {item} (0-based) has zero length after centring (it equals the mean of all items); \
         remove it, switch centring off, or admit rows of zeros as similar to nothing \
         (VKD_ZERO_ROWS in C, zero_rows = true in Lua)"
    )]
    ZeroNormCentered { item: u32 },
    #[error(
        "item {item} (0-based) has a length that no f64 can hold (its values are too large or too \
         small); scale the embeddings"
    )]
    NormRange { item: u32 },

    #[error(
        "not enough memory on {device} for {what}: {} needed, {} may be used; use fewer items, \
         fewer starts per call or another device",
        units::bytes(*.needed), units::bytes(*.available)
    )]
    TooLarge { what: &'static str, needed: u64, available: u64, device: String },
    #[error(
        "{device} ends every kernel after {} loop rounds, and {what} takes {}; use fewer items or \
         another device",
        units::count(*.allowed), units::count(*.needed)
    )]
    TooManyRounds { what: &'static str, needed: u64, allowed: u64, device: String },
    #[error(
        "the system refused {} of memory for {what}; free memory, or use fewer items or starts",
        units::bytes(*.bytes)
    )]
    HostMemory { what: &'static str, bytes: u64 },
    #[error(
        "the system gives no thread for {what} ({reason}); end other programs, or raise the limit \
         for processes (ulimit -u, pids.max) or for memory (ulimit -v)"
    )]
    NoThread { what: &'static str, reason: String },
    #[error(
        "{device} refused {} for {what} ({reason}); close other programs that use it, or use \
         fewer items",
        units::bytes(*.bytes)
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
    #[error(
        "{option} is \"{wanted}\", which matches no device; choose by number or name: {available}"
    )]
    DeviceNotFound { option: &'static str, wanted: String, available: String },
    #[error("{device} cannot run this: {missing}; choose another device")]
    Unsupported { device: String, missing: String },
    #[error(
        "{device} was lost during {call}; free this context and create a new one (a call from Lua \
         without a context makes its own: call again)"
    )]
    DeviceLost { device: String, call: &'static str },
    #[error("{device}: {call} failed with {code}; update the driver or choose another device")]
    Driver { device: String, call: &'static str, code: String },
    #[error(
        "the Vulkan validation layer had something to say, {} {}; please report it, it begins: \
         {first}",
        units::count(*.count as u64), if *.count == 1 { "message" } else { "messages" }
    )]
    Validation { count: usize, first: String },

    #[error("the job was cancelled")]
    Cancelled,
    #[error(
        "{what} belongs to process {owner}, and this is process {here}: threads and devices do not \
         come along through a fork; {instead}"
    )]
    OtherProcess { what: &'static str, owner: u32, here: u32, instead: &'static str },

    #[error("cannot {action} {path}: {reason}; check the path and its permissions")]
    File { action: &'static str, path: String, reason: String },
    #[error(
        "no room on the disk, or within the limit for files, to {action} {}: {reason}; make room \
         and call again: a run of sequences goes on where it stopped",
        sized(.path, *.bytes)
    )]
    DiskFull { action: &'static str, path: String, bytes: u64, reason: String },
    #[error("{path} is damaged: {reason}; restore it, or compute it again under another name")]
    BadFile { path: String, reason: String },
    #[error("{path} is no results file of vkd: {reason}; name a file that vkd wrote")]
    NoResults { path: String, reason: String },
    #[error(
        "{path} is not replaced: {reason}; vkd replaces only files that it wrote for the same \
         use: choose another path, or move that away"
    )]
    NotReplaced { path: String, reason: String },
    #[error(
        "{path} holds other results than asked for: its {what} is {}, not {}; choose another \
         path, or ask for it to be replaced (VKD_OVERWRITE in C, overwrite = true in Lua)",
        units::quoted(.found), units::quoted(.wanted)
    )]
    FileMismatch { path: String, what: &'static str, found: String, wanted: String },
    #[error(
        "these files are not the parts of one run: {faults}; give each part of it once, all \
         computed with the same options"
    )]
    NotWhole { faults: String },
    #[error(
        "row {row} (0-based) of {path} is not what {device} computes: at place {place} it has \
         {found}, computed is {computed}; check it on another device, and where that agrees \
         compute the file again"
    )]
    OtherRow {
        path: String,
        row: u32,
        place: usize,
        found: String,
        computed: String,
        device: String,
    },
    #[error("{path} holds {holds}, not {wanted}; open it as {holds}, or give another path")]
    OtherKind { path: String, holds: &'static str, wanted: &'static str },
    #[error("{path} is {is}, no file of vkd's results; {next}")]
    ForeignFile { path: String, is: &'static str, next: &'static str },
    #[error(
        "{path} was computed from other embeddings than these: its {what} is {}, theirs is {}; \
         give the embeddings that it was computed from, all of them and in their order",
        units::quoted(.found), units::quoted(.given)
    )]
    OtherEmbeddings { path: String, what: &'static str, found: String, given: String },
    #[error("{path}{at}: {flaw}")]
    Embeddings { path: String, at: At, flaw: Box<Flaw> },
    #[error("{flaw}")]
    Ids { flaw: Box<Flaw> },
    #[error(
        "no item of {path} has the id \"{id}\"; ids are compared byte by byte: look at those that \
         it has"
    )]
    NoSuchId { path: String, id: String },
    #[error(
        "the items of {path} have no ids; of embeddings, name a file with the id of each on a line \
         (ids_path in C, ids in Lua); results, compute again with ids"
    )]
    NoIds { path: String },
    #[error("{path} is being written by another run; wait for it, or choose another path")]
    FileBusy { path: String },
    #[error(
        "the id of item {item} (0-based), \"{id}\", is no file name: {reason}; give it another id"
    )]
    BadId { item: u32, id: String, reason: String },
    #[error(
        "the metadata of item {item} (0-based) is no JSON value: {reason}; give a text such as \
         {{}} or \"a title\""
    )]
    BadMetadata { item: u32, reason: String },

    #[error("{error} ({name} is \"{value}\": change the environment variable or unset it)")]
    Variable { name: &'static str, value: String, error: Box<Error> },

    #[error("a defect in vkd: {detail}; please report it with this text")]
    Internal { detail: String },
}

/// Shorthand for results of this library.
pub type Result<T> = std::result::Result<T, Error>;

/// Why there cannot be more neighbours.
fn most_neighbors(others: u32) -> String {
    match others {
        0 => "a single item has no neighbours: give more items".into(),
        1 => "there is only 1 other item".into(),
        others => {
            format!("there are only {} other items: use at most that many", units::count(others))
        }
    }
}

/// A file with its size, where that is known.
fn sized(path: &str, bytes: u64) -> String {
    match bytes {
        0 => path.to_owned(),
        bytes => format!("{path} of {}", units::bytes(bytes)),
    }
}
