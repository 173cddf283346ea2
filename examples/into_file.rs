//! A run into a file, as docs/api.md shows it: it is resumed if it was interrupted.
//!
//!     cargo run --release --example into_file
#![allow(clippy::print_stdout)]

use std::time::Duration;
use vkd::{context::Destination, job::Output, store::OutputFile, Request};
use vkd::{Context, ContextOptions, Elements, Input};

fn main() -> Result<(), vkd::Error> {
    let embeddings = [1.0, 0.0, 0.0, 0.9, 0.1, 0.0, 0.0, 1.0, 0.0, 0.0, 0.2, 1.0];
    let elements = Elements::F32(&embeddings);
    let input = Input::new(elements, 4, 3);
    let context = Context::new(&ContextOptions::default())?;

    // The default of all: every item is a start, every sequence has full length.
    let request = Request { starts: Some(vec![0, 2]), length: 3, ..Request::default() };
    let file = OutputFile { path: "sequences.vkd".into(), overwrite: false, ids: None };
    let job = context.start(&input, &request, Destination::File(&file))?;
    while job.wait(Some(Duration::from_millis(100))).is_none() {
        let progress = job.progress();
        println!("{} of {} steps", progress.steps_done(), progress.steps_total());
    }
    match job.into_result()? {
        Output::File(path) => println!("in {}", path.display()),
        Output::Memory(sequences) => println!("{:?}", sequences.items),
    }
    Ok(())
}
