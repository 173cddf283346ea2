//! The picks on the device.
//!
//! `choice` chooses the kernel for a device and a matrix, `waves` lays out how many sequences run
//! side by side, `run` computes them.

mod choice;
mod run;
mod waves;

#[cfg(feature = "internals")]
pub(crate) use choice::usual_recipe;
pub(crate) use run::sequences;
pub(crate) use waves::needs;
