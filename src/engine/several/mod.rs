//! Several engines at once: the starts of a run are split over them, by the speed at which each
//! turns out to work.
//!
//! Each engine has a thread that takes parts of the starts (`parts`) and runs them as plans of
//! their own (`run`); the rows go to one place, and their bits are those of any engine alone.
//! `engine` makes an engine of it.

mod engine;
mod parts;
mod run;

pub use engine::Several;
