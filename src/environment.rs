//! Environment variables, read in one place.
//!
//! A variable that is unset, empty or blank says nothing: `VKD_DEVICE= program` is how a shell
//! takes one back. A text must be UTF-8; a path may be any bytes.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use crate::error::{Error, Result};

/// The text of a variable without the blanks around it; `None` where it says nothing.
pub(crate) fn text(name: &'static str) -> Result<Option<String>> {
    std::env::var_os(name).map_or(Ok(None), |value| text_of(name, &value))
}

/// The path in a variable; `None` where it is unset or empty.
pub(crate) fn path(name: &str) -> Option<PathBuf> {
    std::env::var_os(name).filter(|value: &OsString| !value.is_empty()).map(PathBuf::from)
}

fn text_of(name: &'static str, value: &OsStr) -> Result<Option<String>> {
    match value.to_str().map(str::trim) {
        Some("") => Ok(None),
        Some(text) => Ok(Some(text.to_owned())),
        None => Err(Error::BadOption {
            option: name,
            got: format!("{value:?}"),
            allowed: "the environment variable must be UTF-8: set it anew, or unset it".into(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blanks_say_nothing_and_are_cut_off() {
        let text = |value: &str| text_of("VKD_DEVICE", OsStr::new(value)).unwrap();
        assert_eq!([text(""), text(" \t")], [None, None]);
        assert_eq!(text(" cpu\n").as_deref(), Some("cpu"));
        assert_eq!(super::text("VKD_TEST_OF_A_VARIABLE_THAT_NOBODY_SETS"), Ok(None));
    }

    #[cfg(unix)]
    #[test]
    fn a_text_that_is_no_utf8_is_refused_by_the_name_of_its_variable() {
        use std::os::unix::ffi::OsStrExt;
        let error = text_of("VKD_DEVICE", OsStr::from_bytes(b"cpu\xff")).unwrap_err();
        let text = error.to_string();
        assert!(text.starts_with("VKD_DEVICE is \"cpu\\xFF\"; "), "{text}");
    }
}
