//! The report as JSON and as Markdown.

use std::fmt::Write;

use serde_json::{json, Value};
use vkd::engine::DeviceInfo;
use vkd::progress::Phase;
use vkd::Shape;

use super::bandwidth::Bandwidth;
use super::machine::Machine;
use super::measured::{Measured, Task};
use super::work::Results;
use crate::doctor::probe::{kind, uuid};
use crate::golden::Outcome;

/// All that was found.
pub(crate) struct Report {
    pub(crate) machine: Machine,
    pub(crate) device: DeviceInfo,
    pub(crate) golden: Outcome,
    /// Or why there is none.
    pub(crate) bandwidth: Result<Bandwidth, String>,
    pub(crate) results: Results,
    pub(crate) is_quick: bool,
    /// Of the whole command.
    pub(crate) seconds: f64,
}

/// What reports say of the version.
const VERSION: &str = env!("CARGO_PKG_VERSION");

impl Report {
    fn rate(&self) -> Option<f64> {
        self.bandwidth.as_ref().ok().map(|bandwidth| bandwidth.rate)
    }

    fn of(&self, is_wanted: impl Fn(Task) -> bool) -> Vec<&Measured> {
        self.results.measured.iter().filter(|one| is_wanted(one.task)).collect()
    }

    fn sequences(&self) -> Vec<&Measured> {
        self.of(|task| matches!(task, Task::Sequences { .. }))
    }

    fn neighbors(&self) -> Vec<&Measured> {
        self.of(|task| matches!(task, Task::Neighbors { .. }))
    }

    pub(crate) fn json(&self) -> Value {
        let list = |measured: Vec<&Measured>| {
            measured.into_iter().map(|one| one.json(self.rate())).collect::<Vec<Value>>()
        };
        let skipped =
            |skipped: &super::work::Skipped| json!({ "what": skipped.what, "why": skipped.why });
        let skipped: Vec<Value> = self.results.skipped.iter().map(skipped).collect();
        let DeviceInfo { name, driver, kind: of, memory_bytes, .. } = &self.device;
        json!({
            "vkd": VERSION,
            "date": self.machine.date,
            "quick": self.is_quick,
            "machine": self.machine.json(),
            "device": {
                "name": name,
                "driver": driver,
                "kind": kind(*of),
                "uuid": uuid(&self.device.uuid),
                "memory_bytes": memory_bytes,
                "max_binding_bytes": self.device.max_binding_bytes,
                "subgroup_size": self.device.subgroup_size,
            },
            "golden": { "cases": self.golden.cases, "failures": self.golden.failures },
            "bandwidth": self.bandwidth.as_ref().ok().map(Bandwidth::json),
            "sequences": list(self.sequences()),
            "neighbors": list(self.neighbors()),
            "skipped": skipped,
            "seconds": self.seconds,
        })
    }

    pub(crate) fn markdown(&self) -> String {
        let mut text = self.head();
        text += &self.correctness();
        text += &self.bandwidth_line();
        text += &self.sequences_table();
        text += &self.neighbors_table();
        for skipped in &self.results.skipped {
            let _ = writeln!(text, "- Not measured: {}: {}.", skipped.what, skipped.why);
        }
        let _ = writeln!(text, "\nAll of it took {:.0} s.", self.seconds);
        text
    }

    fn head(&self) -> String {
        let Machine { system, processor, engine, date } = &self.machine;
        let DeviceInfo { name, driver, .. } = &self.device;
        let quick = if self.is_quick { " (quick)" } else { "" };
        format!(
            "# vkd bench{quick}: {}\n\n\
             - Device: {}, {}, driver: {}\n\
             - vkd {VERSION}, {date}\n\
             - {}; processor: {}, {engine}\n",
            cell(name),
            cell(name),
            kind(self.device.kind),
            cell(driver),
            cell(system),
            cell(processor),
        )
    }

    fn correctness(&self) -> String {
        let Outcome { cases, failures } = &self.golden;
        let mut text = match self.golden.is_right() {
            true => format!("- Golden cases: all {cases} right to the bit\n"),
            false => format!("- **Golden cases: {} of {cases} wrong**\n", failures.len()),
        };
        for failure in failures.iter().take(10) {
            let _ = writeln!(text, "  - {failure}");
        }
        text
    }

    fn bandwidth_line(&self) -> String {
        match &self.bandwidth {
            Ok(found) => {
                format!("- Bandwidth: {:.1} GB/s, {}\n", found.rate / 1e9, found.origin())
            }
            Err(reason) => format!(
                "- Bandwidth: not measured ({reason}); take it from the device's data sheet and \
                 give it with --bandwidth GB/S\n"
            ),
        }
    }

    fn sequences_table(&self) -> String {
        let mut text = String::from(
            "\n## Sequences of full length\n\n\
             Seconds by phase, of the run in the middle. Rows are read at the steps. The fraction \
             is of the bandwidth; it is above 100% where caches hold rows or sequences share \
             them.\n\n\
             | corpus | items | sequences | runs | prepare | upload | matrix | steps | download | \
             total | matrix, G multiply-adds/s | picks, M/s | rows read, GB | GB/s | fraction |\n\
             |---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|\n",
        );
        for one in self.sequences() {
            let Task::Sequences { starts } = one.task else { continue };
            let steps = one.times.of_phase(Phase::Steps);
            let fraction = match self.rate() {
                Some(rate) => format!("{:.0}%", one.read_rate() / rate * 100.0),
                None => "-".into(),
            };
            let _ = writeln!(
                text,
                "| {} | {starts} | {} | {} | {} | {:.2} | {:.1} | {:.1} | {fraction} |",
                corpus(one),
                one.runs,
                phases(one),
                products(one),
                one.times.steps as f64 / steps / 1e6,
                one.times.bytes_read as f64 / 1e9,
                one.read_rate() / 1e9,
            );
        }
        text
    }

    fn neighbors_table(&self) -> String {
        let mut text = String::from(
            "\n## Neighbours of every item\n\n\
             | corpus | items | k | runs | prepare | upload | matrix | steps | download | total | \
             G multiply-adds/s |\n|---|---|---|---|---|---|---|---|---|---|---|\n",
        );
        for one in self.neighbors() {
            let Task::Neighbors { k } = one.task else { continue };
            let (corpus, products) = (corpus(one), products(one));
            let _ =
                writeln!(text, "| {corpus} | {k} | {} | {} | {products} |", one.runs, phases(one));
        }
        text.push('\n');
        text
    }
}

/// The first two cells of a row.
fn corpus(one: &Measured) -> String {
    let Shape { num_items, dim } = one.corpus.shape();
    format!("{} | {num_items} x {dim}", one.corpus.name())
}

/// The cells of all phases and of the whole.
fn phases(one: &Measured) -> String {
    let phases = Phase::ALL.map(|phase| format!("{:.3}", one.times.of_phase(phase)));
    format!("{} | {:.3}", phases.join(" | "), one.times.total)
}

fn products(one: &Measured) -> String {
    one.products_per_second().map_or("-".into(), |rate| format!("{:.1}", rate / 1e9))
}

/// A name as Markdown may hold it.
fn cell(text: &str) -> String {
    text.chars().map(|c| if c.is_control() || c == '|' { ' ' } else { c }).collect()
}
