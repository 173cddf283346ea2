//! What is asked for, checked against the corpus, before any engine works.
//!
//! A `Request` is what the caller says; `Plan` is the same with every default filled in: the head
//! of every sequence, their length and the size of the result. A head is what a sequence begins
//! with: its start, or more of it where an earlier run got that far (a sequence's state is its
//! prefix). Engines only ever see plans.
//!
//! A plan of all items holds no list, its parts share what it holds, and what an earlier run has
//! found is read where it lies. What planning needs is a `PlanShape`: some numbers.

use std::fmt::Debug;
use std::ops::Range;
use std::sync::Arc;

use crate::error::{Error, Result};
use crate::memory::{copied, Bytes};

/// Which sequences to compute.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Request {
    /// The first item of every sequence (0-based, duplicates allowed); `None`: every item in order.
    pub starts: Option<Vec<u32>>,
    /// How many items a sequence holds, the start included; 0: all of them.
    pub length: u32,
}

impl Request {
    /// Checks the request against a corpus of `num_items` items and fills in the defaults.
    pub fn shape(&self, num_items: u32) -> Result<PlanShape> {
        if self.length > num_items {
            return Err(Error::LengthOutOfRange { length: self.length, num_items });
        }
        let length = if self.length == 0 { num_items } else { self.length };
        let count = match &self.starts {
            None => num_items,
            Some(starts) => checked_count(starts, num_items)?,
        };
        if count == 0 {
            return Err(Error::ZeroSize { name: "num_starts" });
        }
        Ok(PlanShape { count, head: 1, length, lists: u32::from(self.starts.is_some()), ..UNBOUND })
    }
}

/// How many starts there are, all of them items.
fn checked_count(starts: &[u32], num_items: u32) -> Result<u32> {
    if let Some(position) = starts.iter().position(|&start| start >= num_items) {
        let (start, last) = (starts[position], num_items - 1);
        return Err(Error::StartOutOfRange { position, start, last });
    }
    u32::try_from(starts.len()).map_err(|_| Error::BadOption {
        option: "num_starts",
        got: starts.len().to_string(),
        allowed: format!("at most {} starts in one run", u32::MAX),
    })
}

/// The numbers of a plan, without its heads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlanShape {
    /// Sequences, at least 1.
    pub count: u32,
    /// Items of a head, at least 1.
    pub head: u32,
    /// Items of a sequence, at least 1.
    pub length: u32,
    /// Lists of a number for each sequence that are held while it runs.
    pub lists: u32,
    /// The most memory of the host that the engine may take. Engines that are several choose by it
    /// who takes part.
    pub room: Bytes,
}

/// A shape of nothing, with as much memory as there is.
const UNBOUND: PlanShape =
    PlanShape { count: 0, head: 1, length: 0, lists: 0, room: Bytes::UNCOUNTABLE };

impl PlanShape {
    /// Values in the result: sequences x length.
    pub fn output_len(&self) -> u64 {
        u64::from(self.count) * u64::from(self.length)
    }

    /// Picks that have to be computed: every item of every sequence but its head.
    pub fn picks(&self) -> u64 {
        u64::from(self.count) * u64::from(self.length - self.head)
    }

    /// Bytes of the plan's lists.
    pub(crate) fn list_bytes(&self) -> Bytes {
        Bytes::of::<u32>(self.count.into()) * self.lists.into()
    }
}

/// Rows of an earlier run: the first items of the sequences of this one.
pub trait EarlierRows: Debug + Send + Sync {
    /// Reads row `row`, which has as many items as `items`.
    fn read(&self, row: u32, items: &mut [u32]) -> Result<()>;
}

/// Some rows: all from 0 on, which takes no list, or those of a list that is shared.
#[derive(Debug, Clone)]
pub(crate) enum Rows {
    All(u32),
    Some(Arc<Vec<u32>>),
}

impl Rows {
    pub(crate) fn count(&self) -> u32 {
        match self {
            Rows::All(count) => *count,
            // Never more than all of them.
            Rows::Some(rows) => rows.len() as u32,
        }
    }

    pub(crate) fn get(&self, index: u32) -> u32 {
        match self {
            Rows::All(_) => index,
            Rows::Some(rows) => rows[index as usize],
        }
    }
}

/// The starts that were asked for.
#[derive(Debug, Clone)]
enum Starts {
    /// Sequence i begins with item i.
    Items,
    Given(Arc<Vec<u32>>),
}

/// A checked request, or a part of one.
#[derive(Debug, Clone)]
pub struct Plan {
    starts: Starts,
    /// Where the heads come from, where they are more than the starts.
    earlier: Option<Arc<dyn EarlierRows>>,
    /// The rows of the whole request that are to do, and which of them are this part's.
    rows: Rows,
    part: Range<u32>,
    shape: PlanShape,
}

impl Plan {
    /// Checks `request` against a corpus of `num_items` items and fills in the defaults.
    pub fn new(request: &Request, num_items: u32) -> Result<Plan> {
        let shape = request.shape(num_items)?;
        let starts = match &request.starts {
            None => Starts::Items,
            Some(starts) => Starts::Given(Arc::new(copied(starts, "the starts")?)),
        };
        let (rows, part) = (Rows::All(shape.count), 0..shape.count);
        Ok(Plan { starts, earlier: None, rows, part, shape })
    }

    /// The plan of some rows of a whole one.
    pub(crate) fn only(&self, rows: Rows) -> Plan {
        let lists = self.shape.lists + u32::from(matches!(rows, Rows::Some(_)));
        let (part, shape) =
            (0..rows.count(), PlanShape { count: rows.count(), lists, ..self.shape });
        Plan { rows, part, shape, ..self.clone() }
    }

    /// The plan that goes on behind the rows of an earlier run, which have `head` items each: items
    /// of the corpus without repetitions, and at most the length.
    pub(crate) fn behind(&self, earlier: Arc<dyn EarlierRows>, head: u32) -> Plan {
        let shape = PlanShape { head, ..self.shape };
        Plan { earlier: Some(earlier), shape, ..self.clone() }
    }

    /// The same plan for an engine that may take `room` bytes of the host's memory.
    pub(crate) fn within(&self, room: Bytes) -> Plan {
        Plan { shape: PlanShape { room, ..self.shape }, ..self.clone() }
    }

    /// The plan of the sequences from `first` on.
    pub(crate) fn rest(&self, first: u32) -> Plan {
        self.part(first..self.count())
    }

    /// The plan of some of the sequences. Takes no memory.
    pub(crate) fn part(&self, part: Range<u32>) -> Plan {
        let shape = PlanShape { count: part.end - part.start, ..self.shape };
        let first = self.part.start;
        Plan { part: first + part.start..first + part.end, shape, ..self.clone() }
    }

    /// The numbers of the plan.
    pub fn shape(&self) -> PlanShape {
        self.shape
    }

    /// How many sequences there are.
    pub fn count(&self) -> u32 {
        self.shape.count
    }

    /// The first item of sequence `index`.
    pub fn start(&self, index: u32) -> u32 {
        let row = self.rows.get(self.part.start + index);
        match &self.starts {
            Starts::Items => row,
            Starts::Given(starts) => starts[row as usize],
        }
    }

    /// The first items of all sequences.
    pub fn starts(&self) -> impl ExactSizeIterator<Item = u32> + Clone + '_ {
        Indices(0..self.count()).map(|index| self.start(index))
    }

    /// Writes what sequence `index` begins with to `head`, which has [`Plan::head`] items.
    pub fn read_head(&self, index: u32, head: &mut [u32]) -> Result<()> {
        match &self.earlier {
            Some(earlier) => earlier.read(self.rows.get(self.part.start + index), head),
            None => {
                head.fill(self.start(index));
                Ok(())
            }
        }
    }

    /// Items of a head, at least 1.
    pub fn head(&self) -> u32 {
        self.shape.head
    }

    /// Items per sequence, at least 1.
    pub fn length(&self) -> u32 {
        self.shape.length
    }

    /// Values in the result: sequences x length.
    pub fn output_len(&self) -> u64 {
        self.shape.output_len()
    }

    /// Picks that have to be computed: every item of every sequence but its head.
    pub fn picks(&self) -> u64 {
        self.shape.picks()
    }
}

/// Numbers in order, of which it is known how many they are.
#[derive(Clone)]
struct Indices(Range<u32>);

impl Iterator for Indices {
    type Item = u32;

    fn next(&mut self) -> Option<u32> {
        self.0.next()
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.0.size_hint()
    }
}

impl ExactSizeIterator for Indices {}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(starts: &[u32], length: u32) -> Request {
        Request { starts: Some(starts.to_vec()), length }
    }

    /// Rows of an earlier run: of row r the items r, r + 1, ...
    #[derive(Debug)]
    struct Counted;

    impl EarlierRows for Counted {
        fn read(&self, row: u32, items: &mut [u32]) -> Result<()> {
            (row..).zip(items).for_each(|(item, to)| *to = item);
            Ok(())
        }
    }

    fn heads(plan: &Plan) -> Vec<Vec<u32>> {
        let head = |index| {
            let mut head = vec![0; plan.head() as usize];
            plan.read_head(index, &mut head).unwrap();
            head
        };
        (0..plan.count()).map(head).collect()
    }

    #[test]
    fn defaults_are_every_item_and_the_full_length() {
        let plan = Plan::new(&Request::default(), 3).unwrap();
        assert_eq!(heads(&plan), [[0], [1], [2]]);
        assert_eq!((plan.count(), plan.length(), plan.picks()), (3, 3, 6));
    }

    #[test]
    fn all_of_any_number_of_items_takes_no_list() {
        let plan = Plan::new(&Request::default(), u32::MAX).unwrap();
        assert_eq!(plan.output_len(), u64::from(u32::MAX).pow(2));
        assert_eq!(plan.shape().list_bytes(), Bytes::ZERO);
        assert_eq!(plan.rest(u32::MAX - 1).starts().collect::<Vec<_>>(), [u32::MAX - 1]);
    }

    #[test]
    fn the_rest_of_a_plan_keeps_its_heads() {
        let whole = Plan::new(&request(&[7, 1, 3, 5], 5), 9).unwrap();
        let plan = whole.only(Rows::Some(Arc::new(vec![0, 2, 3])));
        assert!(plan.starts().eq([7, 3, 5]));
        assert_eq!(plan.shape().list_bytes(), Bytes::new(3 * 4 * 2));
        let plan = plan.behind(Arc::new(Counted), 2);
        assert_eq!((plan.count(), plan.picks(), plan.output_len()), (3, 9, 15));
        assert_eq!(heads(&plan.rest(1)), [[2, 3], [3, 4]]);
        assert_eq!(heads(&plan.rest(1).part(1..2)), [[3, 4]]);
        assert_eq!(plan.rest(1).part(1..2).start(0), 5);
    }

    #[test]
    fn duplicates_are_allowed_and_limits_are_named() {
        assert!(Plan::new(&request(&[2, 2], 1), 3).is_ok());
        let start = Plan::new(&request(&[0, 3], 0), 3).unwrap_err();
        assert_eq!(start, Error::StartOutOfRange { position: 1, start: 3, last: 2 });
        let length = Plan::new(&request(&[0], 4), 3).unwrap_err();
        assert_eq!(length, Error::LengthOutOfRange { length: 4, num_items: 3 });
        let none = Plan::new(&request(&[], 0), 3).unwrap_err();
        assert_eq!(none, Error::ZeroSize { name: "num_starts" });
    }
}
