//! Sequences whose rows are computed when they are needed, without a matrix.
//!
//! A group of sequences goes in step, each adding one row in every step. The corpus is cut into
//! segments of 1,024 items. For one segment at a time a thread computes what the rows of the step
//! hold for its items (`products`), adds that to what the sequences know of them, and finds the
//! cheapest for each (`segment`). Who does the last segment compares what all of them found, makes
//! the picks and says which rows the next step needs (`wanted`, `group`): so the corpus streams by
//! once for all sequences of the group. Rows may be kept, the least recently used ones go first;
//! then a pass also computes rows that the next steps are likely to need (`ahead`). `run` has the
//! steps; `layout` says how a run is laid out, `needs` what that takes.

mod ahead;
mod group;
mod layout;
mod needs;
mod products;
mod run;
mod segment;
mod wanted;

pub(super) use layout::{Layout, ROWS_OF_PASS};
pub(super) use needs::bytes;
pub(super) use run::compute;
pub(super) use segment::padded_items;
