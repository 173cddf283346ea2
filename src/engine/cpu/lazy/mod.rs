//! One sequence at a time, whose rows are added late: an item is looked at again only when it may
//! be the next pick.
//!
//! With farthest-first and mmr an item's cost only rises with the rows that are added. So one whose
//! cost of some picks ago is above the cheapest that is found cannot be next, and rows may wait for
//! it. Its prepared row is then multiplied with all that wait until it costs too much again: most
//! items are looked at a few times in a sequence, where the other ways look at each with every
//! pick. The picks are the same: every item that could be the cheapest is computed to the end. Lazy
//! evaluation of greedy choices goes back to Minoux, Accelerated greedy algorithms, 1978.
//!
//! With centroid costs fall as well; the best bound there is for that (a sum of products is no
//! lower than minus the product of the lengths) let nothing wait where items are spread in hundreds
//! of dimensions. A chain's costs are new with every pick.
//!
//! `known` is what a rule knows of an item, `queries` the rows of a sequence; the bookkeeping is
//! for blocks of 8 items (`segment`), which the threads go through step by step (`run`).

mod known;
mod queries;
mod run;
mod segment;

pub(super) use run::{bytes, can, compute};
