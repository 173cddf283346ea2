//! What is asked for, checked against the corpus, before any engine works.
//!
//! A `Request` is what the caller says; `Plan` is the same with every default filled in: the head
//! of every sequence, their length and the size of the result. A head is what a sequence begins
//! with: its start, or several items that are given, or more of it where an earlier run got that
//! far (a sequence's state is its prefix). Engines only ever see plans.
//!
//! A plan of all items holds no list, its parts share what it holds, and what an earlier run has
//! found is read where it lies. What planning needs is a `PlanShape`: some numbers.
//!
//! `shape` knows no other file here, `request` checks what is asked for and gives its shape,
//! `heads` is where heads and rows lie, `checked` the plan itself.

mod checked;
mod heads;
mod request;
mod shape;

pub use checked::Plan;
pub use heads::EarlierRows;
pub(crate) use heads::Rows;
pub use request::{Heads, Request};
pub use shape::PlanShape;
