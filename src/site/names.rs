//! Ids as file names, metadata, and the name of the list: checked before anything is computed or
//! written.

use std::collections::HashMap;

use serde::de::IgnoredAny;

use super::fold::Fold;
use crate::error::{Error, Result};
use crate::ids::shortened;
use crate::store::LONGEST_LIST;
use crate::units;

/// Bytes of an id at the most: with ".json.partial" behind it a name has room in every usual file
/// system.
const LONGEST: usize = 240;

/// Names that Windows keeps for devices, with any ending.
const DEVICES: [&str; 6] = ["con", "prn", "aux", "nul", "conin$", "conout$"];

/// What follows "com" and "lpt" in such names; Windows takes "¹" for a digit, too.
const PORTS: [&str; 13] = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "¹", "²", "³"];

/// Checks the name of a list: it stands between quotes as it is, beside the other members.
pub(super) fn check_list(name: &str) -> Result<()> {
    let allowed = if name.is_empty() {
        "it must not be empty"
    } else if name.len() > LONGEST_LIST {
        "it may have 64 bytes"
    } else if ["id", "metadata"].contains(&name) {
        "each page has another member of this name"
    } else if name.chars().any(|c| c.is_control() || "\"\\".contains(c)) {
        "it may hold no control character, no \" and no \\"
    } else {
        return Ok(());
    };
    let got = format!("\"{}\"", shortened(name));
    Err(Error::BadOption { option: "list", got, allowed: allowed.into() })
}

/// Checks the number, the shape and the distinctness of ids.
pub(super) fn check_ids(ids: &[String], num_items: u32) -> Result<()> {
    check_count("the number of ids", ids.len(), num_items)?;
    let (mut seen, mut fold) = (HashMap::new(), Fold::default());
    // An entry is a key, an item and a byte of the table, which is at the most 7/8 full.
    let bytes = ids.len() as u64 * 2 * 33;
    let what = "the check of the ids";
    seen.try_reserve(ids.len()).map_err(|_| Error::HostMemory { what, bytes })?;
    for (item, id) in (0_u32..).zip(ids) {
        let reason = illegal(id).map(str::to_owned).or_else(|| {
            let earlier = seen.insert(fold.key(id), item)?;
            Some(match ids[earlier as usize] == *id {
                true => format!("item {earlier} has the same"),
                false => format!(
                    "it is that of item {earlier}, \"{}\", where upper and lower case, or two ways \
                     to write an accent, are the same (Windows, macOS)",
                    shortened(&ids[earlier as usize])
                ),
            })
        });
        if let Some(reason) = reason {
            return Err(Error::BadId { item, id: shortened(id), reason });
        }
    }
    Ok(())
}

/// Checks the number of metadata, and that they are JSON.
pub(super) fn check_metadata(metadata: &[String], num_items: u32) -> Result<()> {
    check_count("the number of metadata texts", metadata.len(), num_items)?;
    for (item, text) in (0..).zip(metadata) {
        if let Err(error) = serde_json::from_str::<IgnoredAny>(text) {
            return Err(Error::BadMetadata { item, reason: error.to_string() });
        }
    }
    Ok(())
}

fn check_count(option: &'static str, got: usize, num_items: u32) -> Result<()> {
    if got == num_items as usize {
        return Ok(());
    }
    let allowed = format!("there must be one for each of the {} items", units::count(num_items));
    Err(Error::BadOption { option, got: units::count(got as u64), allowed })
}

/// What makes an id no file name on some system that sites are served from; `None` where nothing
/// does.
fn illegal(id: &str) -> Option<&'static str> {
    if id.is_empty() {
        Some("it is empty")
    } else if id.len() > LONGEST {
        Some("it is longer than 240 bytes")
    } else if id.chars().any(|c| c.is_control() || "/\\<>:\"|?*".contains(c)) {
        Some("it holds a control character or one of / \\ < > : \" | ? *")
    } else if id.starts_with('.') || id.ends_with(['.', ' ']) {
        Some("it begins with a dot, or ends with a dot or a space")
    } else if is_device(id) {
        Some("it is the name of a device on Windows")
    } else {
        None
    }
}

/// Whether Windows takes a file of this name, with any ending, for a device.
fn is_device(id: &str) -> bool {
    let stem = id.split('.').next().unwrap_or_default().trim_end_matches(' ').to_lowercase();
    let port = stem.strip_prefix("com").or_else(|| stem.strip_prefix("lpt"));
    DEVICES.contains(&&*stem) || port.is_some_and(|port| PORTS.contains(&port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_must_be_file_names() {
        for good in [
            "a",
            "psalm-1-1",
            "Über uns",
            "a.b",
            "0",
            "com10",
            "console",
            "a b",
            "com⁴",
            "lpt",
            "con in$",
            " a",
        ] {
            assert_eq!(illegal(good), None, "{good}");
        }
        let long = "x".repeat(241);
        for bad in [
            "",
            ".",
            "..",
            ".a",
            "a/b",
            "..\\b",
            "a\0",
            "a\n",
            "a.",
            "a ",
            "CON",
            "nul.txt",
            "Com1",
            "lpt9.x",
            "a:b",
            "what?",
            &long,
            "COM¹",
            "lpt².x",
            "Com³",
            "CONIN$",
            "conout$.a",
            "con .txt",
            "com0",
            "a\u{85}",
        ] {
            assert!(illegal(bad).is_some(), "{bad}");
        }
    }

    #[test]
    fn lists_have_names_that_json_can_hold() {
        let longest = "x".repeat(64);
        for good in ["contrasts", "ähnlich", "Id", "see also", &longest] {
            assert_eq!(check_list(good), Ok(()), "{good}");
        }
        let long = "x".repeat(65);
        for bad in ["", "id", "metadata", "a\"b", "a\\b", "a\nb", "\0", "\u{85}", &long] {
            let error = check_list(bad).unwrap_err();
            assert!(matches!(error, Error::BadOption { option: "list", .. }), "{bad}: {error}");
        }
    }

    #[test]
    fn the_first_wrong_one_is_named() {
        let check = |ids: [&str; 3], num_items| check_ids(&ids.map(String::from), num_items);
        assert_eq!(check(["a", "b", "c"], 3), Ok(()));
        let error = check(["a", "b", "a"], 3).unwrap_err();
        assert!(error.to_string().contains("item 0 has the same"), "{error}");
        let error = check(["a", "Straße", "STRASSE"], 3).unwrap_err();
        assert!(error.to_string().contains("that of item 1, \"Stra\\u{df}e\""), "{error}");
        assert!(check(["a", "b", "c"], 4).unwrap_err().to_string().contains("number of ids is 3"));
        let error = check_metadata(&["{}".into(), "{\"a\":".into()], 2).unwrap_err();
        assert!(matches!(error, Error::BadMetadata { item: 1, .. }), "{error}");
    }
}
