//! See run.

mod run;

pub(crate) use run::*;
