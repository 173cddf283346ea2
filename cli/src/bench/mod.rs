//! `vkd bench`: a device checked and measured, in one file that can be carried to any machine.
//!
//! `work` runs what is `measured` of each `corpus` (`clustered` makes them), `bandwidth` is what
//! runs are compared with (`reads` of the processor, the library's own of a Vulkan device).
//! `machine` is where, `report` what comes of it, `file` where it goes.

mod bandwidth;
mod clustered;
mod corpus;
mod file;
mod machine;
mod measured;
mod reads;
mod report;
mod work;

use std::path::PathBuf;
use std::time::Instant;

use clap::Args;
use vkd::{Context, ContextOptions};

use crate::failure::Failure;
use crate::golden::{self, Effort};
use crate::show::{out, Show};
use bandwidth::Bandwidth;
use file::Place;
use machine::Machine;
use report::Report;
use work::{Extent, Results};

/// Check and measure a device: golden cases, then sequences, matrix and neighbours by phase
///
/// The report is Markdown, on standard output or in a file, and JSON on request. On a GPU it takes
/// up to three minutes, with --quick some seconds. The exit code is 1 where a golden case is wrong.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The device, by name, UUID or number [default: the best one]
    #[arg(long, short, value_name = "DEVICE")]
    device: Option<String>,
    /// Write the report in Markdown to this file
    #[arg(long, value_name = "FILE.md")]
    report: Option<PathBuf>,
    /// Write it in JSON to this file
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Measure little: within 20 seconds on a processor
    #[arg(long)]
    quick: bool,
    /// Compare with this bandwidth, in GB/s, instead of a measured one
    #[arg(long, value_name = "GB/S", value_parser = positive)]
    bandwidth: Option<f64>,
    /// Replace the files of the reports
    #[arg(long)]
    overwrite: bool,
}

fn positive(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(number) if number.is_finite() && number > 0.0 => Ok(number),
        _ => Err("give a number of GB/s above 0, such as 484".into()),
    }
}

/// Measures, and writes the reports.
pub(crate) fn run(arguments: &Arguments, show: &Show) -> Result<(), Failure> {
    let say = |what: &str| show.note(&format!("bench: {what}"));
    let begin = Instant::now();
    let place = |path: &PathBuf| Place::take(path, arguments.overwrite);
    let markdown = arguments.report.as_ref().map(place).transpose()?;
    let json = arguments.json.as_ref().map(place).transpose()?;
    let machine = Machine::here();
    let (extent, effort) = match arguments.quick {
        true => (Extent::QUICK, Effort::Quick),
        false => (Extent::FULL, Effort::Full),
    };
    let options = ContextOptions { device: arguments.device.clone(), ..Default::default() };
    let device = Context::new(&options)?.info().clone();
    say(&format!("{}: golden cases", device.name));
    let golden = golden::check(arguments.device.as_deref(), effort, |case| {
        if case.is_multiple_of(100) {
            say(&format!("{case} golden cases"));
        }
    })?;
    say("bandwidth");
    let bandwidth = Bandwidth::of(&device, arguments.bandwidth);
    let rate = bandwidth.as_ref().ok().map(|bandwidth| bandwidth.rate);
    let context = Context::new(&options)?;
    let results = Results::measure(&context, extent, rate, &say)?;
    let (is_quick, seconds) = (arguments.quick, begin.elapsed().as_secs_f64());
    let report = Report { machine, device, golden, bandwidth, results, is_quick, seconds };
    match markdown {
        Some(place) => place.fill(&report.markdown())?,
        None => out::print(&report.markdown())?,
    }
    if let Some(place) = json {
        place.fill(&format!("{:#}\n", report.json()))?;
    }
    match report.golden.is_right() {
        true => Ok(()),
        false => Err(Failure::Failed(
            "golden cases are wrong: do not use this device, and report what stands there".into(),
        )),
    }
}
