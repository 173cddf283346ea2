//! A request that was checked, as engines see it.

use std::ops::Range;
use std::sync::Arc;

use super::heads::{EarlierRows, GivenHeads, Rows};
use super::request::Request;
use super::shape::PlanShape;
use crate::error::Result;
use crate::memory::Bytes;
use crate::rule::Rule;
use crate::sequence::{SequenceMut, SequenceRow};

/// A checked request, or a part of one.
#[derive(Debug, Clone)]
pub struct Plan {
    given: GivenHeads,
    /// Where the heads come from, where they are longer than those given.
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
        let (rows, part) = (Rows::All(shape.count), 0..shape.count);
        let given = GivenHeads::new(request, num_items)?;
        Ok(Plan { given, earlier: None, rows, part, shape })
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
        self.given.get(self.rows.get(self.part.start + index), 0)
    }

    /// The first items of all sequences.
    pub fn starts(&self) -> impl ExactSizeIterator<Item = u32> + Clone + '_ {
        Indices(0..self.count()).map(|index| self.start(index))
    }

    /// Writes what sequence `index` begins with to `head`, which has [`Plan::head`] places. Of a
    /// head that was given all values are 0.
    pub fn read_head(&self, index: u32, head: SequenceMut) -> Result<()> {
        let row = self.rows.get(self.part.start + index);
        match &self.earlier {
            Some(earlier) => earlier.read(row, head),
            None => {
                let places = head.items.iter_mut().enumerate();
                places.for_each(|(place, item)| *item = self.given.get(row, place));
                head.values.fill(0.0);
                Ok(())
            }
        }
    }

    /// Room for a sequence.
    pub fn row(&self) -> Result<SequenceRow> {
        SequenceRow::new(self.length(), self.shape.values, "a sequence")
    }

    /// What the sequences ask of their next items.
    pub fn rule(&self) -> Rule {
        self.shape.rule
    }

    /// Items of a head, at least 1.
    pub fn head(&self) -> u32 {
        self.shape.head
    }

    /// Items per sequence, at least 1.
    pub fn length(&self) -> u32 {
        self.shape.length
    }

    /// Places in the result: sequences x length.
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
    use crate::error::Error;
    use crate::plan::Heads;

    fn request(starts: &[u32], length: u32) -> Request {
        Request { starts: Some(starts.to_vec()), length, ..Request::default() }
    }

    /// Rows of an earlier run: of row r the items r, r + 1, ...
    #[derive(Debug)]
    struct Counted;

    impl EarlierRows for Counted {
        fn read(&self, row: u32, to: SequenceMut) -> Result<()> {
            (row..).zip(to.items).for_each(|(item, to)| *to = item);
            Ok(())
        }
    }

    fn heads(plan: &Plan) -> Vec<Vec<u32>> {
        let head = |index| {
            let mut row = SequenceRow::new(plan.head(), false, "a head").unwrap();
            plan.read_head(index, row.get_mut()).unwrap();
            row.items
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
    fn a_shard_is_a_plan_of_its_own_starts() {
        let shard = "2/3".parse().ok();
        let all = Plan::new(&Request { shard, ..Request::default() }, 8).unwrap();
        assert_eq!(heads(&all), [[2], [3], [4]]);
        assert_eq!((all.picks(), all.shape().lists), (3 * 7, 0));
        let some = Plan::new(&Request { shard, ..request(&[7, 1, 3, 5, 0, 2], 4) }, 8).unwrap();
        assert_eq!(heads(&some), [[3], [5]]);
        assert_eq!(heads(&some.part(1..2)), [[5]]);
        assert_eq!(heads(&some.only(Rows::Some(Arc::new(vec![1])))), [[5]]);
        assert_eq!(heads(&some.behind(Arc::new(Counted), 2)), [[0, 1], [1, 2]]);
        let given = Heads { items: vec![7, 1, 3, 5, 0, 8], length: 2 };
        let given = Request { heads: Some(given), shard, ..Request::default() };
        assert_eq!(heads(&Plan::new(&given, 9).unwrap()), [[3, 5]]);
        assert!(given.whole_heads(3).eq([7, 1, 3, 5, 0, 8]));
        let last = Request { shard: "5/5".parse().ok(), ..Request::default() };
        assert!(Plan::new(&last, u32::MAX).unwrap().starts().last() == Some(u32::MAX - 1));
        assert!(Plan::new(&last, 4).is_err());
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

    fn with_heads(items: &[u32], head: u32, length: u32) -> Result<Plan> {
        let heads = Heads { items: items.to_vec(), length: head };
        Plan::new(&Request { heads: Some(heads), length, ..Request::default() }, 9)
    }

    #[test]
    fn heads_are_given_or_read_from_earlier_rows() {
        let whole = with_heads(&[7, 1, 3, 5, 0, 8], 2, 5).unwrap();
        assert_eq!((whole.count(), whole.head(), whole.picks()), (3, 2, 9));
        assert_eq!(heads(&whole.part(1..3)), [[3, 5], [0, 8]]);
        assert!(whole.starts().eq([7, 3, 0]));
        assert_eq!(whole.shape().list_bytes(), Bytes::new(3 * 2 * 4));
        assert_eq!(heads(&whole.behind(Arc::new(Counted), 3))[1], [1, 2, 3]);
    }

    #[test]
    fn heads_that_cannot_be_are_refused() {
        let refused = |items: &[u32], head, length| with_heads(items, head, length).unwrap_err();
        assert_eq!(refused(&[], 2, 0), Error::ZeroSize { name: "num_heads" });
        assert_eq!(refused(&[1], 0, 0), Error::ZeroSize { name: "head_length" });
        assert_eq!(refused(&[1, 2, 3], 2, 0), Error::HeadLength { items: 3, length: 2 });
        let place = Error::HeadOutOfRange { head: 1, place: 0, item: 9, last: 8 };
        assert_eq!(refused(&[1, 2, 9, 2], 2, 0), place);
        let twice = Error::HeadRepeats { head: 1, place: 2, item: 4 };
        assert_eq!(refused(&[4, 1, 2, 4, 3, 4], 3, 0), twice);
        assert_eq!(refused(&[1, 2, 3], 3, 2), Error::HeadTooLong { head: 3, length: 2 });
        let heads = Some(Heads { items: vec![1], length: 1 });
        let both = Request { starts: Some(vec![1]), heads, ..Request::default() };
        assert_eq!(Plan::new(&both, 9).unwrap_err(), Error::StartsAndHeads);
    }
}
