//! What a real GPU compiler makes of every kernel: RADV compiles for AMD GPUs that are not there.
//! No kernel may spill, with any driver; with the driver of tests/compiled/FAMILY.tsv no figure may
//! be worse than there (see `HELD`). `VKD_BLESS=1 cargo test --test compiled` writes
//! these files, and `VKD_ASSEMBLY=folder` has the machine code written there.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    missing_docs
)]
#![cfg(target_os = "linux")]

mod common;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use vkd::engine::vulkan::{compiled, Compiled};

const FAMILIES: [&str; 5] = ["POLARIS10", "VEGA10", "NAVI10", "NAVI21", "GFX1100"];

/// Families of the newer driver that tests/drivers/fetch unpacks; Debian 12's own knows none.
const NEWER_FAMILIES: [&str; 4] = ["NAVI31", "NAVI33", "GFX1150", "GFX1200"];

/// Of them those whose code LLVM 15 cannot read, with which that driver disassembles: what follows
/// from the code is not held.
const UNREAD_FAMILIES: [&str; 2] = ["GFX1150", "GFX1200"];

/// The driver's names of what is held, ours, and by how many percent a figure may grow.
const HELD: [(&str, &str, f64); 11] = [
    ("VGPRs", "vgprs", 0.0),
    ("SGPRs", "sgprs", 0.0),
    ("Spilled VGPRs", "spilled_vgprs", 0.0),
    ("Spilled SGPRs", "spilled_sgprs", 0.0),
    ("Scratch size", "scratch", 0.0),
    ("LDS size", "lds", 0.0),
    ("Subgroups per SIMD", "occupancy", 0.0),
    ("Code size", "code_bytes", 2.0),
    ("Instructions", "instructions", 2.0),
    ("Latency", "latency", 5.0),
    ("Inverse Throughput", "inverse_throughput", 5.0),
];

/// Instructions of the inner loop for each multiply-add, in thousandths: for the kernels that
/// multiply.
const PER_MULTIPLY_ADD: &str = "inner_milli";

/// How the names of the kernels begin that keep scores in registers.
const SCORES_IN_REGISTERS: &str = "sequences_registers";

/// Instructions of a pick, for a subgroup that holds neither the taken item nor the winner: for the
/// kernels with scores in registers.
const PER_PICK: &str = "per_pick";

/// Vector units a compute unit, lanes of what the driver counts as a subgroup, compute units and
/// GB/s of a card of the family.
const CARDS: [(&str, [f64; 4]); 9] = [
    ("POLARIS10", [4.0, 64.0, 36.0, 256.0]), // RX 580
    ("VEGA10", [4.0, 64.0, 64.0, 484.0]),    // RX Vega 64
    ("NAVI10", [2.0, 32.0, 40.0, 448.0]),    // RX 5700 XT
    ("NAVI21", [2.0, 32.0, 80.0, 512.0]),    // RX 6900 XT
    ("GFX1100", [2.0, 32.0, 96.0, 960.0]),   // RX 7900 XTX
    ("NAVI31", [2.0, 32.0, 96.0, 960.0]),    // RX 7900 XTX
    ("NAVI33", [2.0, 32.0, 32.0, 288.0]),    // RX 7600
    ("GFX1150", [2.0, 32.0, 16.0, 120.0]),   // Radeon 890M
    ("GFX1200", [2.0, 32.0, 32.0, 320.0]),   // RX 9060 XT
];

/// The smallest second-level cache of these families, in bytes.
const SMALLEST_CACHE: u64 = 2 << 20;

/// A pessimistic memory latency under load, in nanoseconds.
const LATENCY: f64 = 800.0;

fn driver() -> Option<PathBuf> {
    let files = std::fs::read_dir("/usr/share/vulkan/icd.d").ok()?;
    let radeon = |path: &PathBuf| path.to_string_lossy().contains("radeon_icd");
    files.filter_map(|file| Some(file.ok()?.path())).find(radeon)
}

/// The newer driver and the folder of the libraries that it needs.
fn newer_driver() -> (PathBuf, PathBuf) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/drivers/mesa-new");
    let libraries = std::fs::read_dir(folder.join("usr/lib")).expect("tests/drivers/fetch");
    let mut libraries = libraries.filter_map(|entry| Some(entry.ok()?.path()));
    let has_driver = |path: &PathBuf| path.join("libvulkan_radeon.so").exists();
    (folder.join("radeon.json"), libraries.find(has_driver).expect("a driver for AMD GPUs"))
}

#[test]
fn kernels_keep_to_the_table() {
    if let Ok(family) = std::env::var("VKD_TEST_FAMILY") {
        return check(&family);
    }
    let driver = driver().expect("mesa-vulkan-drivers has radeon_icd");
    check_all(&FAMILIES, &driver, None);
}

#[test]
#[ignore = "run by tests/drivers/run, which fetches the driver"]
fn kernels_keep_to_the_table_of_a_newer_driver() {
    let (driver, libraries) = newer_driver();
    check_all(&NEWER_FAMILIES, &driver, Some(&libraries));
}

/// The compiler chooses its GPU when it is loaded, so each family has a process of its own.
fn check_all(families: &[&str], driver: &Path, libraries: Option<&Path>) {
    let mut failed = Vec::new();
    for family in families {
        let on_family = |command: &mut Command| {
            command
                .env("VKD_TEST_FAMILY", family)
                .env("RADV_FORCE_FAMILY", family)
                .env("VK_ICD_FILENAMES", driver)
                .env("VK_DRIVER_FILES", driver)
                .envs(libraries.map(|folder| ("LD_LIBRARY_PATH", folder)))
                .env_remove("VKD_VALIDATION");
        };
        failed.extend(common::alone("kernels_keep_to_the_table", on_family).err());
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

type Figures = BTreeMap<String, f64>;

fn figures(family: &str, kernel: &Compiled) -> Figures {
    let of = |driver_name: &str| {
        let found = kernel.statistics.iter().find(|(name, _)| name == driver_name);
        found.unwrap_or_else(|| panic!("no \"{driver_name}\" in {:?}", kernel.statistics)).1
    };
    let mut figures: Figures =
        HELD.iter().map(|(driver_name, name, _)| ((*name).to_owned(), of(driver_name))).collect();
    if UNREAD_FAMILIES.contains(&family) {
        return figures;
    }
    if ["matrix", "dots", "rows"].iter().any(|kind| kernel.name.starts_with(kind)) {
        figures.insert(PER_MULTIPLY_ADD.into(), per_multiply_add(&kernel.assembly));
    }
    if kernel.name.starts_with(SCORES_IN_REGISTERS) {
        figures.insert(PER_PICK.into(), per_pick(&kernel.assembly) as f64);
    }
    figures
}

/// Instructions on the way once around the longest loop, with every branch forward inside the loop
/// taken.
fn per_pick(assembly: &str) -> usize {
    let lines: Vec<&str> =
        assembly.lines().map(|line| line.split(';').next().unwrap().trim()).collect();
    let place = |label: &str| lines.iter().position(|line| line.strip_suffix(':') == Some(label));
    let branch = |line: &str| {
        let (name, label) = line.split_once(char::is_whitespace)?;
        name.contains("branch").then(|| place(label.trim())).flatten()
    };
    let loops = lines.iter().enumerate().filter_map(|(at, line)| {
        let begin = branch(line).filter(|&begin| begin < at)?;
        Some((at - begin, begin, at))
    });
    let (_, mut at, end) = loops.max().unwrap();
    let mut count = 0;
    while at <= end {
        count += usize::from(!lines[at].is_empty() && !lines[at].ends_with(':'));
        at = branch(lines[at]).filter(|&to| to > at && to <= end).unwrap_or(at + 1);
    }
    count
}

/// One of the numbers behind the names of the kernels with scores in registers.
fn constant(name: &str, id: u32) -> u64 {
    let mut constants = name.split(' ').filter_map(|constant| constant.split_once('='));
    constants.find(|(of, _)| *of == id.to_string()).unwrap().1.parse().unwrap()
}

/// Whether the largest matrix of this kernel is read from a cache.
fn is_cached(name: &str) -> bool {
    let items = constant(name, 0) * constant(name, 3) * 8;
    items * items * 2 <= SMALLEST_CACHE
}

/// Bytes that a card's lanes can have under way, as the occupancy lets them, over those that fill
/// its memory's latency.
fn times_the_latency(family: &str, name: &str, occupancy: f64) -> f64 {
    let chunks = constant(name, 3) as f64;
    let [units, lanes, compute_units, bandwidth] =
        CARDS.iter().find(|card| card.0 == family).unwrap().1;
    occupancy * lanes * units * compute_units * chunks * 16.0 / (LATENCY * bandwidth)
}

/// The block that multiplies most is the inner loop: 4 x 4 rows and 8 dimensions a round.
fn per_multiply_add(assembly: &str) -> f64 {
    let block = |block: &str| {
        let code = |line: &&str| line.starts_with('\t') || line.starts_with("  ");
        let lines: Vec<&str> = block.lines().filter(code).map(str::trim).collect();
        let multiplies = ["v_mul", "v_mad", "v_dot"];
        let is = |line: &&&str| multiplies.iter().any(|name| line.starts_with(name));
        (lines.iter().filter(is).count(), lines.len())
    };
    let inner = assembly.split("\nBB").map(block).max().unwrap();
    (inner.1 as f64 / 128.0 * 1000.0).round()
}

fn check(family: &str) {
    let (driver, kernels) = compiled("").unwrap();
    assert!(driver.contains(family), "{driver}");
    let all: BTreeMap<String, Figures> =
        kernels.iter().map(|kernel| (kernel.name.clone(), figures(family, kernel))).collect();
    if let Some(folder) = std::env::var_os("VKD_ASSEMBLY") {
        write_assembly(&PathBuf::from(folder).join(family), &kernels);
    }
    if std::env::var_os("VKD_BLESS").is_some() {
        std::fs::create_dir_all(table_of(family).parent().unwrap()).unwrap();
        std::fs::write(table_of(family), text(&driver, &all)).unwrap();
    }
    for (name, figures) in &all {
        for none in ["spilled_vgprs", "spilled_sgprs", "scratch"] {
            assert_eq!(figures[none], 0.0, "{family}, {name}: {none}");
        }
    }
    let streams = |name: &str| name.starts_with(SCORES_IN_REGISTERS) && !is_cached(name);
    for (name, figures) in all.iter().filter(|(name, _)| streams(name)) {
        let times = times_the_latency(family, name, figures["occupancy"]);
        // Loads are under way in a part of the time only.
        assert!(
            times > 4.0,
            "{family}, {name}: only {times:.1} times the bytes that the latency takes"
        );
        println!("{family}, {name}: {times:.1} times the bytes that the latency takes");
    }
    let (table_driver, table) = read(&std::fs::read_to_string(table_of(family)).unwrap());
    if table_driver != driver {
        let other = format!("{family}: the table is of {table_driver}, this is {driver}");
        // Where CI runs the table has to be of the driver that is there, or nothing would hold its
        // figures.
        assert!(!is_debian_12(), "{other}: write it anew (VKD_BLESS=1) and look at what changed");
        return println!("{other}: only spills, scratch and bytes under way are held");
    }
    let names = |all: &BTreeMap<String, Figures>| all.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&all), names(&table), "{family}: other kernels than in the table");
    for (name, figures) in &all {
        for (figure, &now) in figures {
            let before = table[name][figure];
            let slack = HELD.iter().find(|(_, name, _)| name == figure).map_or(0.0, |held| held.2);
            let worse = match figure.as_str() {
                "occupancy" => now < before,
                _ => now > before * (1.0 + slack / 100.0),
            };
            assert!(!worse, "{family}, {name}: {figure} was {before} and is {now}");
        }
    }
    println!("{family}: {} kernels keep to the table", all.len());
}

fn is_debian_12() -> bool {
    let system = std::fs::read_to_string("/etc/os-release").unwrap_or_default();
    ["ID=debian", "VERSION_ID=\"12\""].iter().all(|line| system.lines().any(|is| is == *line))
}

fn table_of(family: &str) -> PathBuf {
    let tables = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/compiled");
    tables.join(family.to_lowercase()).with_extension("tsv")
}

fn write_assembly(folder: &Path, kernels: &[Compiled]) {
    std::fs::create_dir_all(folder).unwrap();
    for kernel in kernels {
        let file = folder.join(format!("{}.s", kernel.name.replace([' ', '='], "_")));
        std::fs::write(file, &kernel.assembly).unwrap();
    }
}

fn text(driver: &str, all: &BTreeMap<String, Figures>) -> String {
    let mut text = format!("# {driver}\n");
    let mut columns: Vec<&str> = HELD.iter().map(|held| held.1).collect();
    columns.extend([PER_MULTIPLY_ADD, PER_PICK]);
    text += &format!("kernel\t{}\n", columns.join("\t"));
    for (name, figures) in all {
        let cell = |column: &&str| figures.get(*column).map_or(String::new(), f64::to_string);
        let cells: Vec<String> = columns.iter().map(cell).collect();
        text += &format!("{name}\t{}\n", cells.join("\t"));
    }
    text
}

fn read(text: &str) -> (String, BTreeMap<String, Figures>) {
    let mut lines = text.lines();
    let driver = lines.next().unwrap().trim_start_matches("# ").to_owned();
    let columns: Vec<&str> = lines.next().unwrap().split('\t').skip(1).collect();
    let row = |line: &str| {
        let (name, cells) = line.split_once('\t').unwrap();
        let pairs = columns.iter().zip(cells.split('\t'));
        let figures = pairs.filter(|(_, cell)| !cell.is_empty());
        let figures =
            figures.map(|(column, cell)| ((*column).to_owned(), cell.parse().unwrap())).collect();
        (name.to_owned(), figures)
    };
    (driver, lines.map(row).collect())
}
