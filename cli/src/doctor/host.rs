//! The host: memory and what bounds it, and the folder of compiled kernels.

use vkd::engine::vulkan::KernelCache;
use vkd::{Bytes, MemoryState};

use super::finding::{size, Finding};

/// Less than this is too little for anything: the command and a driver take as much.
const LEAST: Bytes = Bytes::new(64 << 20);

/// What a run may take of the host's memory.
pub(crate) fn memory(state: &MemoryState) -> Vec<Finding> {
    let mut findings = Vec::new();
    match state.available {
        None => findings.push(Finding::note("the system does not tell what is free")),
        Some(available) if available < LEAST => findings.push(Finding::wrong(
            format!("{} may be taken: too little for any run", size(available.get())),
            "end other programs, or raise the limit that is below",
        )),
        Some(available) => {
            let text = format!("{} may be taken", size(available.get()));
            findings.push(Finding::ok(text));
        }
    }
    let bounds = [
        (state.system, "the system has", "free"),
        (state.groups, "the control groups of this process leave", "(cgroup limit)"),
        (state.process, "the limits of this process leave", "(ulimit -v, ulimit -d)"),
    ];
    for (bytes, before, behind) in bounds {
        if let Some(bytes) = bytes {
            findings.push(Finding::note(format!("{before} {} {behind}", size(bytes.get()))));
        }
    }
    findings.extend(allowed(state));
    findings
}

/// What `VKD_MEMORY_LIMIT` says.
fn allowed(state: &MemoryState) -> Option<Finding> {
    match &state.allowed {
        Ok(None) => None,
        Err(error) => Some(Finding::wrong(error.to_string(), "or unset it")),
        Ok(Some(most)) if *most < LEAST => Some(Finding::wrong(
            format!("VKD_MEMORY_LIMIT allows {}: too little for any run", size(most.get())),
            "set it to more, such as 2G, or unset it",
        )),
        Ok(Some(most)) => {
            Some(Finding::note(format!("VKD_MEMORY_LIMIT allows a run {}", size(most.get()))))
        }
    }
}

/// The folder of compiled kernels. Without a Vulkan device it serves for nothing.
pub(crate) fn cache(cache: &KernelCache, is_used: bool) -> Finding {
    match cache {
        KernelCache::Nowhere => Finding::note(
            "off, or without a folder (VKD_PIPELINE_CACHE, XDG_CACHE_HOME, HOME): every start \
             compiles the kernels anew",
        ),
        KernelCache::At { folder, files, bytes, trouble } => {
            let folder = folder.display();
            match trouble {
                None => {
                    let files =
                        if *files == 1 { "1 file".into() } else { format!("{files} files") };
                    Finding::ok(format!("{folder}: writable, {files}, {}", size(*bytes)))
                }
                Some(trouble) if is_used => Finding::wrong(
                    format!("{folder}: {trouble}; every start compiles the kernels anew"),
                    "set VKD_PIPELINE_CACHE to a folder of your own, or to off",
                ),
                Some(trouble) => {
                    let text = format!("{folder}: {trouble} (without a Vulkan device not needed)");
                    Finding::note(text)
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::finding::Level;

    fn state(available: u64, allowed: vkd::Result<Option<Bytes>>) -> MemoryState {
        let available = Some(Bytes::new(available));
        MemoryState { system: available, groups: None, process: None, allowed, available }
    }

    fn wrong(findings: &[Finding]) -> usize {
        findings.iter().filter(|finding| finding.level == Level::Wrong).count()
    }

    #[test]
    fn limits_that_leave_nothing_are_wrong() {
        let gigabyte = 1 << 30;
        assert_eq!(wrong(&memory(&state(gigabyte, Ok(None)))), 0);
        assert_eq!(wrong(&memory(&state(1 << 20, Ok(None)))), 1);
        assert_eq!(wrong(&memory(&state(gigabyte, Ok(Some(Bytes::new(1000)))))), 1);
        let refused = vkd::Error::ZeroSize { name: "VKD_MEMORY_LIMIT" };
        assert_eq!(wrong(&memory(&state(gigabyte, Err(refused)))), 1);
    }

    #[test]
    fn a_cache_that_cannot_be_written_is_wrong_where_it_is_used() {
        let trouble = Some("it cannot be made: no".to_owned());
        let at = KernelCache::At { folder: "/x".into(), files: 0, bytes: 0, trouble };
        assert_eq!(cache(&at, true).level, Level::Wrong);
        assert_eq!(cache(&at, false).level, Level::Note);
        assert_eq!(cache(&KernelCache::Nowhere, true).level, Level::Note);
    }
}
