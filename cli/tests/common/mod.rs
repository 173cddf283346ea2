//! What the tests of the command have in common: the command itself, folders, corpora.
// Each test uses a part of it.
#![allow(dead_code, unreachable_pub)]

use std::ffi::OsStr;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use vkd::embeddings::{write_npy, OpenOptions};
use vkd::store::OutputFile;
use vkd::{Context, ContextOptions, Elements, Embeddings, Request, Sequences, Shape};

/// A folder of its own, removed at the end.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new() -> Folder {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let name = format!("cli-{}-{}", std::process::id(), NUMBER.fetch_add(1, Relaxed));
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    pub fn text(&self, name: &str, text: &str) -> PathBuf {
        std::fs::write(self.path(name), text).unwrap();
        self.path(name)
    }

    /// Five items with ids, of which one looks like a number.
    pub fn poems(&self) -> PathBuf {
        self.text("poems.json", POEMS)
    }

    /// An npy file of numbers that look random.
    pub fn random(&self, name: &str, num_items: u32, dim: u32) -> PathBuf {
        let mut state = u64::from(num_items) << 32 | u64::from(dim);
        let mut next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 40) as f32 / (1 << 23) as f32 - 1.0
        };
        let values: Vec<f32> = (0..num_items * dim).map(|_| next()).collect();
        let path = self.path(name);
        let file = OutputFile { path: path.clone(), overwrite: false, ids: None };
        write_npy(&file, Elements::F32(&values), Shape::new(num_items, dim)).unwrap();
        path
    }

    /// All names in it.
    pub fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(&self.0).unwrap();
        let name = |entry: std::io::Result<std::fs::DirEntry>| entry.unwrap().file_name();
        let mut names: Vec<String> =
            entries.map(name).map(|name| name.into_string().unwrap()).collect();
        names.sort();
        names
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

pub const POEMS: &str = r#"[
    {"id": "sea", "embedding": [1, 0, 0.1]}, {"id": "sky", "embedding": [0.9, 0.2, 0]},
    {"id": "cat", "embedding": [-1, 0.3, 0]}, {"id": "dog", "embedding": [-0.9, 0.1, 0.2]},
    {"id": "42", "embedding": [0, 0, 1]}
]"#;

pub fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/golden").join(name)
}

/// The command on the processor.
pub fn vkd<S: AsRef<OsStr>>(arguments: impl IntoIterator<Item = S>) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vkd"));
    command.args(arguments).env("VKD_DEVICE", "cpu").env_remove("VKD_MEMORY_LIMIT");
    command.stdin(Stdio::null());
    command
}

/// How the command ended.
#[derive(Debug, PartialEq, Eq)]
pub struct Ended {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Ended {
    pub fn of(output: Output) -> Ended {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Ended { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }

    /// What was printed by a command that did all and said nothing.
    pub fn printed(self) -> String {
        assert_eq!((self.code, &*self.err), (Some(0), ""), "{}", self.out);
        self.out
    }

    /// The one line of a command that failed and printed nothing.
    pub fn refusal(self, code: i32) -> String {
        assert_eq!((self.code, &*self.out), (Some(code), ""), "{}", self.err);
        let line = self.err.strip_suffix('\n').unwrap_or_else(|| panic!("{:?}", self.err));
        assert!(line.starts_with("vkd: ") && !line.contains('\n'), "{line}");
        line["vkd: ".len()..].to_owned()
    }
}

pub fn ended(mut command: Command) -> Ended {
    Ended::of(command.output().unwrap())
}

/// What the command prints, all done.
pub fn printed<S: AsRef<OsStr>>(arguments: impl IntoIterator<Item = S>) -> String {
    ended(vkd(arguments)).printed()
}

pub fn refusal<S: AsRef<OsStr>>(code: i32, arguments: impl IntoIterator<Item = S>) -> String {
    ended(vkd(arguments)).refusal(code)
}

/// The same with something on its standard input.
pub fn fed(mut command: Command, input: &[u8]) -> Ended {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    Ended::of(child.wait_with_output().unwrap())
}

/// Arguments, of which some are paths.
#[macro_export]
macro_rules! args {
    ($($argument:expr),* $(,)?) => {
        [$(std::ffi::OsString::from(&$argument)),*]
    };
}

pub fn open(path: &Path) -> Embeddings {
    Embeddings::open(path, &OpenOptions::default()).unwrap()
}

pub fn cpu() -> Context {
    let device = Some("cpu".into());
    Context::new(&ContextOptions { device, ..ContextOptions::default() }).unwrap()
}

/// What the library computes.
pub fn sequences(path: &Path, request: &Request) -> Sequences {
    cpu().sequences(&open(path).input(), request).unwrap()
}

pub fn to(path: &Path) -> OutputFile {
    OutputFile { path: path.to_owned(), overwrite: false, ids: None }
}

/// Rows of numbers as the command prints them.
pub fn lines(numbers: &[u32], length: usize) -> String {
    let row = |row: &[u32]| row.iter().map(u32::to_string).collect::<Vec<_>>().join(" ") + "\n";
    numbers.chunks(length).map(row).collect()
}
