//! How the command ends: its exit code, with what is to be said before.

use std::process::ExitCode;

use crate::failure::{tell, Failure};
use crate::interrupt;
use crate::show::out;

/// Exit codes; that of an interrupted command is `interrupt::CODE`.
const FAILED: u8 = 1;
const USAGE: u8 = 2;

/// Says why the command failed, if it did, and gives its exit code.
pub(crate) fn end(result: Result<(), Failure>) -> ExitCode {
    match result {
        Ok(()) | Err(Failure::Closed) => ExitCode::SUCCESS,
        Err(Failure::Failed(message)) => told(&message, FAILED),
        Err(Failure::Usage(message)) => told(&message, USAGE),
        Err(Failure::Interrupted) => {
            interrupt::tell();
            ExitCode::from(interrupt::CODE)
        }
        // With colours where there is a terminal.
        Err(Failure::Shown(help)) => match help.print().map_err(out::failed) {
            Ok(()) => ExitCode::SUCCESS,
            failed => end(failed),
        },
    }
}

fn told(message: &str, code: u8) -> ExitCode {
    tell(message);
    ExitCode::from(code)
}
