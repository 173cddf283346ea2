//! The corpus: embeddings checked and turned into the integers that every engine works on.
//!
//! This is the only place with floating point. `elements` is the caller's matrix in its own element
//! type and `input` what is given with it; `prepare` applies steps 1 and 2 of the arithmetic
//! contract in f64, `q = round(x / norm * 32767)` for every value and
//! `w = round(norm / max norm * 32768)` for every row, halves away from zero; `prepared` is what
//! comes of it. `prepare` has the threads of a `crew` do it: `mean` adds the embeddings up,
//! `measure` checks them and takes their lengths, `quantize` makes integers of them, all from the
//! `rows`; `zero_rows` says what becomes of those without a length. Nothing here knows of engines
//! or devices.

mod crew;
mod elements;
mod input;
mod mean;
mod measure;
#[cfg(test)]
mod plain;
mod prepare;
mod prepared;
mod quantize;
mod rows;
mod shape;
mod zero_rows;

pub(crate) use crew::Crew;
pub use elements::Elements;
pub use input::Input;
pub(crate) use prepare::Preparation;
pub use prepared::Corpus;
pub use shape::{Shape, MAX_DIM};
pub use zero_rows::ZeroRows;
