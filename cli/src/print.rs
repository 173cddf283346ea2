//! Standard output: written in whole texts; a reader that leaves ends the command quietly.

use std::io::{self, ErrorKind, Write};

/// Why nothing more is written.
#[derive(Debug)]
pub(crate) enum Stopped {
    /// Nobody reads any more: that is all right.
    Closed,
    /// Something is wrong with where the output goes.
    Failed(io::Error),
}

impl From<io::Error> for Stopped {
    fn from(error: io::Error) -> Stopped {
        match error.kind() {
            ErrorKind::BrokenPipe => Stopped::Closed,
            _ => Stopped::Failed(error),
        }
    }
}

/// Writes a text.
pub(crate) fn print(text: &str) -> Result<(), Stopped> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    Ok(out.flush()?)
}

/// One line on standard error. There is nowhere to say that it is closed.
pub(crate) fn tell(line: &str) {
    let line: String = line.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let _ = writeln!(io::stderr(), "vkd: {line}");
}
