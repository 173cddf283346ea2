//! The command `vkd`: what the library does, without a program of one's own.
//!
//! Each subcommand is a file or folder here, with its arguments and a function that runs it. They
//! call the library and show what it gives; nothing is computed here.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Diverse orders and neighbours of embedded texts.
#[derive(Parser)]
#[command(name = "vkd", version)]
struct Command {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {}

fn main() -> ExitCode {
    match Command::parse().task {}
}
