//! The functions of the older interface that show how far a script is.
//!
//! They print through the C library's stdout, which Lua writes to as well: lines come in the order
//! of the calls.

use std::io::IsTerminal;
use std::sync::OnceLock;

use libc::c_char;

use super::boundary::{guard, Group};
use crate::ffi::pointers::pointers;

/// How progress is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    Silent = 0,
    /// One line that is drawn again and again.
    Bar = 1,
    /// A line for each call.
    Lines = 2,
}

impl Mode {
    fn of(debug: Option<&std::ffi::OsStr>, terminal: bool) -> Mode {
        match debug {
            Some(value) if !value.is_empty() => Mode::Lines,
            _ if terminal => Mode::Bar,
            _ => Mode::Silent,
        }
    }

    /// The mode of this process, as the first call found it.
    fn get() -> Mode {
        static MODE: OnceLock<Mode> = OnceLock::new();
        *MODE.get_or_init(|| {
            let debug = std::env::var_os("VKC_DEBUG");
            Mode::of(debug.as_deref(), std::io::stdout().is_terminal())
        })
    }
}

/// What a line tells.
#[derive(Debug, Clone, Copy)]
struct Line<'a> {
    label: &'a [u8],
    current: u64,
    total: u64,
    suffix: &'a [u8],
}

/// Cells of a bar.
const CELLS: usize = 40;

impl Line<'_> {
    fn text(&self, mode: Mode) -> Vec<u8> {
        let total = self.total.max(1);
        let fraction = (self.current as f64 / total as f64).min(1.0);
        let (counts, percent) = (format!("{}/{total}", self.current), fraction * 100.0);
        let space: &[u8] = if self.suffix.is_empty() { b"" } else { b" " };
        let suffix = [space, self.suffix].concat();
        match mode {
            Mode::Silent => Vec::new(),
            Mode::Lines => {
                let told = format!(" {counts} ({percent:.0}%)");
                [self.label, told.as_bytes(), &suffix, b"\n"].concat()
            }
            Mode::Bar => {
                let full = (fraction * CELLS as f64) as usize;
                let bar = "\u{2588}".repeat(full) + &"\u{2591}".repeat(CELLS - full);
                let told = format!(" [{bar}] {counts} ({percent:3.0}%)");
                [b"\r", self.label, told.as_bytes(), &suffix, b"   "].concat()
            }
        }
    }
}

/// Shows how far a script is. With the environment variable `VKC_DEBUG` set and not empty a line
/// for each call, "LABEL CURRENT/TOTAL (P%) SUFFIX"; on a terminal a bar; otherwise nothing.
/// `label` and `suffix` may be NULL.
///
/// # Safety
/// The texts must be NULL or NUL-terminated.
#[no_mangle]
pub unsafe extern "C" fn vkc_progress_update_ex(
    label: *const c_char,
    current: u64,
    total: u64,
    suffix: *const c_char,
) {
    guard(Group::Vkc, || {
        pointers!(label, suffix;);
        let (label, suffix) = (label.optional_bytes(), suffix.optional_bytes());
        let line = Line { label, current, total, suffix };
        stdout::print(&line.text(Mode::get()));
        Ok(())
    });
}

/// Ends a bar with a newline; without a bar it does nothing.
#[no_mangle]
pub extern "C" fn vkc_progress_finish() {
    guard(Group::Vkc, || {
        if Mode::get() == Mode::Bar {
            stdout::print(b"\n");
        }
        Ok(())
    });
}

/// How progress is shown: 0 not at all, 1 as a bar, 2 as lines. Decided at the first call.
#[no_mangle]
pub extern "C" fn vkc_progress_mode() -> i32 {
    Mode::get() as i32
}

/// The C library's stdout.
#[cfg(unix)]
mod stdout {
    extern "C" {
        #[cfg_attr(any(target_vendor = "apple", target_os = "freebsd"), link_name = "__stdoutp")]
        static stdout: *mut libc::FILE;
    }

    pub(super) fn print(text: &[u8]) {
        if text.is_empty() {
            return;
        }
        // SAFETY: the C library keeps its stream open, and `text` has as many bytes as it says.
        unsafe {
            libc::fwrite(text.as_ptr().cast(), 1, text.len(), stdout);
            libc::fflush(stdout);
        }
    }
}

/// The process's stdout.
#[cfg(not(unix))]
mod stdout {
    use std::io::Write;

    pub(super) fn print(text: &[u8]) {
        let mut stdout = std::io::stdout();
        let _ = stdout.write_all(text).and_then(|()| stdout.flush());
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;

    use super::*;

    fn text(mode: Mode, current: u64, total: u64, suffix: &str) -> String {
        let line = Line { label: b"Texts", current, total, suffix: suffix.as_bytes() };
        String::from_utf8(line.text(mode)).unwrap()
    }

    #[test]
    fn the_variable_comes_before_the_terminal() {
        let modes = |debug: Option<&str>| {
            [true, false].map(|terminal| Mode::of(debug.map(OsStr::new), terminal) as i32)
        };
        assert_eq!(modes(None), [1, 0]);
        assert_eq!(modes(Some("")), [1, 0]);
        assert_eq!(modes(Some("0")), [2, 2]);
    }

    #[test]
    fn lines_tell_counts_percent_and_suffix() {
        let line = |current, total, suffix| text(Mode::Lines, current, total, suffix);
        assert_eq!(line(3, 8, ""), "Texts 3/8 (38%)\n");
        // Halves go to the even number, as printf has it.
        assert_eq!(line(1, 200, "(4 s left)"), "Texts 1/200 (0%) (4 s left)\n");
        assert_eq!(line(3, 200, ""), "Texts 3/200 (2%)\n");
        assert_eq!(line(9, 8, ""), "Texts 9/8 (100%)\n");
        assert_eq!(line(0, 0, ""), "Texts 0/1 (0%)\n");
        assert_eq!(text(Mode::Silent, 3, 8, "more"), "");
    }

    #[test]
    fn a_bar_has_forty_cells() {
        let bar = |full: usize| "█".repeat(full) + &"░".repeat(40 - full);
        let cells = [(0, 0, "  0"), (39, 15, " 39"), (40, 16, " 40"), (100, 40, "100")];
        for (current, full, percent) in cells {
            let wanted = format!("\rTexts [{}] {current}/100 ({percent}%) now   ", bar(full));
            assert_eq!(text(Mode::Bar, current, 100, "now"), wanted);
        }
        assert!(text(Mode::Bar, u64::MAX, 1, "").ends_with(&format!("] {}/1 (100%)   ", u64::MAX)));
    }
}
