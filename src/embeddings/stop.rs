//! Why a reader stops: a flaw of the file with its place, or an error that is none of the file's.

use std::path::Path;

use crate::error::Error;
use crate::flaw::{At, Flaw};
use crate::ids::IdsFault;

/// Why a reader stops.
#[derive(Debug)]
pub(super) enum Stop {
    /// A flaw of the file as a whole.
    File(Box<Flaw>),
    /// A flaw at a byte.
    Byte(usize, Box<Flaw>),
    /// A flaw at a byte of a text.
    Text(usize, Box<Flaw>),
    /// Such as too little memory.
    Other(Box<Error>),
}

/// What a reader gives.
pub(super) type Read<T> = Result<T, Stop>;

impl Stop {
    pub(super) fn file(flaw: Flaw) -> Stop {
        Stop::File(Box::new(flaw))
    }

    pub(super) fn byte(at: usize, flaw: Flaw) -> Stop {
        Stop::Byte(at, Box::new(flaw))
    }

    pub(super) fn text(at: usize, flaw: Flaw) -> Stop {
        Stop::Text(at, Box::new(flaw))
    }

    /// The error for the file at `path`, which holds `bytes`.
    pub(super) fn at(self, path: &Path, bytes: &[u8]) -> Error {
        let (at, flaw) = match self {
            Stop::Other(error) => return *error,
            Stop::File(flaw) => (At::File, flaw),
            Stop::Byte(at, flaw) => (At::Byte(at as u64), flaw),
            Stop::Text(at, flaw) => (line_of(bytes, at), flaw),
        };
        Error::Embeddings { path: path.display().to_string(), at, flaw }
    }
}

impl From<Error> for Stop {
    fn from(error: Error) -> Stop {
        Stop::Other(Box::new(error))
    }
}

impl From<IdsFault> for Stop {
    fn from(fault: IdsFault) -> Stop {
        match fault {
            IdsFault::Flaw(flaw) => Stop::File(flaw),
            IdsFault::Other(error) => Stop::Other(error),
        }
    }
}

/// The line of byte `at`.
fn line_of(bytes: &[u8], at: usize) -> At {
    let before = &bytes[..at.min(bytes.len())];
    let lines = before.iter().filter(|&&byte| byte == b'\n').count();
    let begin = before.iter().rposition(|&byte| byte == b'\n').map_or(0, |end| end + 1);
    At::Line { line: lines as u64 + 1, byte: (before.len() - begin) as u64 + 1 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_bytes_are_counted_from_1() {
        let at = |byte| line_of(b"ab\n\ncd", byte);
        assert_eq!(at(0), At::Line { line: 1, byte: 1 });
        assert_eq!(at(2), At::Line { line: 1, byte: 3 });
        assert_eq!(at(3), At::Line { line: 2, byte: 1 });
        assert_eq!(at(5), At::Line { line: 3, byte: 2 });
        assert_eq!(at(99), At::Line { line: 3, byte: 3 });
    }
}
