//! The code of a kernel as it is committed in shaders/spirv.

use std::fs;

use super::Unit;

const FOLDER: &str = "shaders/spirv";

pub(super) struct Committed;

impl Committed {
    /// Refuses code that is not of the sources with this hash.
    pub(super) fn new(hash: &str) -> Result<Self, String> {
        let path = format!("{FOLDER}/made-of.txt");
        let made_of = fs::read_to_string(&path).map_err(|error| format!("{path}: {error}"))?;
        if made_of.lines().next() == Some(&format!("sources {hash}")) {
            return Ok(Self);
        }
        Err(format!(
            "{FOLDER} was compiled from other shaders than those in shaders: build with the \
             feature compile-shaders, or run `make spirv` where there is shaderc"
        ))
    }

    pub(super) fn spirv(&self, unit: &Unit) -> Result<Vec<u8>, String> {
        let path = format!("{FOLDER}/{}.spv", unit.name);
        let _ = (unit.file, &unit.definitions); // the compiler's
        fs::read(&path).map_err(|error| format!("{path}: {error}"))
    }
}
