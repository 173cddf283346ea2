//! One sequence at a time, whose rows are computed late: an item is looked at again only when it
//! may be the next pick.
//!
//! What an item costs is known as of some pick (`known`), and what it may have fallen by since is
//! bounded (`bound`): with farthest-first and mmr costs only rise, and with centroid a sum of
//! products falls at most by the length of the sum of the rows picked since (Cauchy-Schwarz). An
//! item whose bound is above the cheapest that is found cannot be next. So its prepared row is read
//! from memory once for many picks, when it is multiplied with all rows picked meanwhile: a
//! sequence of its own is as fast as multiply-adds, where one row after the other is as slow as
//! memory. The picks are the same: every item that could be the cheapest is computed to the end.
//!
//! The bookkeeping is for blocks of 8 items (`segment`), which the threads go through step by step
//! (`run`). Lazy evaluation of greedy choices goes back to Minoux, Accelerated greedy algorithms,
//! 1978.

mod bound;
mod known;
mod queries;
mod run;
mod segment;

pub(super) use run::{bytes, compute};
