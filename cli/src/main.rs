//! The command `vkd`: what the library does, without a program of one's own.
//!
//! Each subcommand is a file in `commands`, with its arguments and a function that runs it; what
//! several of them take stands in `arguments`. They call the library and `show` what it gives;
//! nothing is computed here. `ending` says how the command ends, `failure` why, `interrupt` what a
//! signal does.

mod arguments;
mod bench;
mod commands;
mod doctor;
mod ending;
mod failure;
mod golden;
mod interrupt;
mod shard;
mod show;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use failure::Failure;
use show::Show;

/// What `vkd --help` says at its end.
const ENDS: &str = "\
Exit codes: 0 done, 1 failed, 2 wrong usage, 130 interrupted (by Ctrl-C or SIGTERM).
Errors are one line on standard error. Items are numbered from 0.
VKD_DEVICE, VKD_MEMORY_LIMIT and VKD_THREADS are defaults; NO_COLOR switches colours off.

Examples:
  vkd order corpus.npy --starts 0 --length 100    a diverse subset, one item a line
  vkd order corpus.npy -o orders.safetensors      a sequence from every item, into a file
  vkd neighbors corpus.npy -k 10 -o near.safetensors
  vkd site poems.json -o site                     pages of similar and different items";

/// Diverse orders and neighbours of embedded texts, on a GPU or the processor.
#[derive(Debug, Parser)]
#[command(name = "vkd", version, after_help = ENDS, max_term_width = 100)]
pub(crate) struct Vkd {
    #[command(subcommand)]
    task: Task,

    /// Show no progress and say nothing about what was written
    #[arg(long, short, global = true)]
    quiet: bool,
}

#[derive(Debug, Subcommand)]
enum Task {
    Order(commands::order::Order),
    Merge(commands::merge::Merge),
    Neighbors(commands::neighbors::Neighbors),
    Similarity(commands::similarity::Similarity),
    Site(commands::site::Site),
    Info(commands::info::Info),
    Verify(commands::verify::Verify),
    Export(commands::export::Export),
    Convert(commands::convert::Convert),
    Plan(commands::plan::Plan),
    Devices(commands::devices::Devices),
    Doctor(doctor::Arguments),
    Bench(bench::Arguments),
    Completions(commands::completions::Completions),
    Man(commands::man::Man),
}

fn main() -> ExitCode {
    ending::end(asked())
}

/// Does what the command line asks for.
fn asked() -> Result<(), Failure> {
    let vkd = Vkd::try_parse().map_err(Failure::of_arguments)?;
    interrupt::listen()?;
    let show = Show::new(vkd.quiet);
    match vkd.task {
        Task::Order(order) => order.run(&show),
        Task::Merge(merge) => merge.run(&show),
        Task::Neighbors(neighbors) => neighbors.run(&show),
        Task::Similarity(similarity) => similarity.run(&show),
        Task::Site(site) => site.run(&show),
        Task::Info(info) => info.run(),
        Task::Verify(verify) => verify.run(),
        Task::Export(export) => export.run(&show),
        Task::Convert(convert) => convert.run(&show),
        Task::Plan(plan) => plan.run(),
        Task::Devices(devices) => devices.run(),
        Task::Doctor(arguments) => doctor::run(&arguments),
        Task::Bench(arguments) => bench::run(&arguments, &show),
        Task::Completions(completions) => completions.run(),
        Task::Man(man) => man.run(),
    }
}
