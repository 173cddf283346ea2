//! The shortest useful program: the order of greatest diversity from each of four items.
//! README.md shows it, without these lines.
#![allow(clippy::print_stdout)]

use vkd::{Context, ContextOptions, Elements, Input, Request};

fn main() -> vkd::Result<()> {
    let poems = [1.0, 0.0, 0.0, 0.9, 0.1, 0.0, 0.0, 1.0, 0.0, 0.0, 0.2, 1.0];
    let input = Input::new(Elements::F32(&poems), 4, 3);
    let context = Context::new(&ContextOptions::default())?;
    let sequences = context.sequences(&input, &Request::default())?;
    for items in sequences.items.chunks(4) {
        println!("{items:?}"); // item numbers from 0, the start first
    }
    Ok(())
}
