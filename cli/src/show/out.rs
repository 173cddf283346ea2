//! Standard output. Who reads it may leave at any time (`vkd order ... | head`): the command then
//! ends quietly.

use std::io::{self, BufWriter, ErrorKind, Stdout, Write};

use serde_json::Value;

use crate::failure::Failure;

/// Standard output through a buffer.
pub(crate) struct Out(BufWriter<Stdout>);

impl Out {
    pub(crate) fn new() -> Out {
        Out(BufWriter::with_capacity(1 << 16, io::stdout()))
    }

    pub(crate) fn line(&mut self, text: &str) -> Result<(), Failure> {
        self.bytes(text.as_bytes())?;
        self.bytes(b"\n")
    }

    /// One line of JSON.
    pub(crate) fn json(&mut self, value: &Value) -> Result<(), Failure> {
        self.line(&value.to_string())
    }

    pub(crate) fn bytes(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        self.0.write_all(bytes).map_err(failed)
    }

    /// Hands the rest on. Without this, an error with it is not seen.
    pub(crate) fn finish(mut self) -> Result<(), Failure> {
        self.0.flush().map_err(failed)
    }
}

impl Write for Out {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// Prints a text at once.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    let mut out = Out::new();
    out.bytes(text.as_bytes())?;
    out.finish()
}

/// Why standard output takes no more.
pub(crate) fn failed(error: io::Error) -> Failure {
    match error.kind() {
        ErrorKind::BrokenPipe => Failure::Closed,
        _ => {
            let text = "cannot write to standard output";
            Failure::Failed(format!("{text}: {error}; make room, or write a file with -o"))
        }
    }
}
