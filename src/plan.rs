//! What is asked for, checked against the corpus, before any engine works.
//!
//! A `Request` is what the caller says; `Plan` is the same with every default filled in: the head
//! of every sequence, their length and the size of the result. A head is what a sequence begins
//! with: its start, or several items that are given, or more of it where an earlier run got that
//! far (a sequence's state is its prefix). Engines only ever see plans.
//!
//! A plan of all items holds no list, its parts share what it holds, and what an earlier run has
//! found is read where it lies. What planning needs is a `PlanShape`: some numbers.

use std::fmt::Debug;
use std::ops::Range;
use std::sync::Arc;

use crate::error::{Error, Result};
use crate::memory::{copied, room, Bytes};
use crate::rule::Rule;
use crate::sequence::{SequenceMut, SequenceRow};
use crate::shard::Shard;

/// Which sequences to compute.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Request {
    /// The first item of every sequence (0-based, duplicates allowed); `None`: every item in order.
    pub starts: Option<Vec<u32>>,
    /// Instead of starts: several items that each sequence begins with.
    pub heads: Option<Heads>,
    /// How many items a sequence holds, the head included; 0: all of them.
    pub length: u32,
    /// What a sequence asks of its next item.
    pub rule: Rule,
    /// Whether each place of a sequence gets a value, see [`crate::Sequences`].
    pub values: bool,
    /// Which part of these sequences; `None`: all of them.
    pub shard: Option<Shard>,
}

/// What sequences begin with: "these I have shown already".
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heads {
    /// The items (0-based) of all heads, one head after the other. A head holds no item twice.
    pub items: Vec<u32>,
    /// Items of each head, at least 1.
    pub length: u32,
}

impl Request {
    /// Checks the request against a corpus of `num_items` items and fills in the defaults.
    pub fn shape(&self, num_items: u32) -> Result<PlanShape> {
        if num_items == 0 {
            return Err(Error::ZeroSize { name: "num_items" });
        }
        if self.length > num_items {
            return Err(Error::LengthOutOfRange { length: self.length, num_items });
        }
        let length = if self.length == 0 { num_items } else { self.length };
        let head = self.head();
        let part = self.part(self.whole_count(num_items)?)?;
        if head > length {
            return Err(Error::HeadTooLong { head, length });
        }
        let lists = if self.starts.is_some() || self.heads.is_some() { head } else { 0 };
        let (count, rule, values) = (part.end - part.start, self.rule, self.values);
        Ok(PlanShape { count, head, length, lists, rule, values, ..UNBOUND })
    }

    /// How many sequences the whole request has, whose heads are checked.
    pub(crate) fn whole_count(&self, num_items: u32) -> Result<u32> {
        let count = match (&self.starts, &self.heads) {
            (None, None) => num_items,
            (Some(starts), None) => checked_count(starts, num_items)?,
            (None, Some(heads)) => heads.checked_count(num_items)?,
            (Some(_), Some(_)) => return Err(Error::StartsAndHeads),
        };
        let name = if self.heads.is_some() { "num_heads" } else { "num_starts" };
        match count {
            0 => Err(Error::ZeroSize { name }),
            count => Ok(count),
        }
    }

    /// The items of all heads of the whole request, of which there are `count`.
    pub(crate) fn whole_heads(&self, count: u32) -> impl Iterator<Item = u32> + '_ {
        let (given, all) = match self.given() {
            Some(items) => (items, 0..0),
            None => (&[][..], 0..count),
        };
        given.iter().copied().chain(all)
    }

    /// The items of the heads that are given; `None`: every item is one.
    fn given(&self) -> Option<&[u32]> {
        let heads = self.heads.as_ref().map(|heads| heads.items.as_slice());
        self.starts.as_deref().or(heads)
    }

    /// Items of a head.
    fn head(&self) -> u32 {
        self.heads.as_ref().map_or(1, |heads| heads.length)
    }

    /// Which of `count` sequences are asked for.
    fn part(&self, count: u32) -> Result<Range<u32>> {
        self.shard.map_or(Ok(0..count), |shard| shard.part(count))
    }
}

impl Heads {
    /// How many heads there are, all of them of items of the corpus, none twice in a head.
    fn checked_count(&self, num_items: u32) -> Result<u32> {
        if self.length == 0 {
            return Err(Error::ZeroSize { name: "head_length" });
        }
        let length = self.length as usize;
        if !self.items.len().is_multiple_of(length) {
            return Err(Error::HeadLength { items: self.items.len(), length: self.length });
        }
        let mut sorted = room(length, "the check of the heads")?;
        for (head, items) in self.items.chunks_exact(length).enumerate() {
            if let Some(place) = items.iter().position(|&item| item >= num_items) {
                let (item, last) = (items[place], num_items - 1);
                return Err(Error::HeadOutOfRange { head, place, item, last });
            }
            if let Some((place, item)) = repeated(items, &mut sorted) {
                return Err(Error::HeadRepeats { head, place, item });
            }
        }
        count_of(self.items.len() / length, "num_heads", "heads")
    }
}

/// Where an item stands for the second time, and which. `sorted` has room for all of them.
fn repeated(items: &[u32], sorted: &mut Vec<u32>) -> Option<(usize, u32)> {
    sorted.clear();
    sorted.extend(items);
    sorted.sort_unstable();
    sorted.windows(2).find(|pair| pair[0] == pair[1]).map(|pair| {
        let mut places = (0..items.len()).filter(|&place| items[place] == pair[0]);
        (places.nth(1).unwrap_or_default(), pair[0])
    })
}

/// How many starts there are, all of them items.
fn checked_count(starts: &[u32], num_items: u32) -> Result<u32> {
    if let Some(position) = starts.iter().position(|&start| start >= num_items) {
        let (start, last) = (starts[position], num_items - 1);
        return Err(Error::StartOutOfRange { position, start, last });
    }
    count_of(starts.len(), "num_starts", "starts")
}

fn count_of(count: usize, option: &'static str, what: &str) -> Result<u32> {
    u32::try_from(count).map_err(|_| Error::BadOption {
        option,
        got: count.to_string(),
        allowed: format!("at most {} {what} in one run", u32::MAX),
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
    /// What a sequence asks of its next item.
    pub rule: Rule,
    /// Whether each place of a sequence has a value.
    pub values: bool,
    /// The most memory of the host that the engine may take. Engines that are several choose by it
    /// who takes part.
    pub room: Bytes,
}

/// A shape of nothing, with as much memory as there is.
const UNBOUND: PlanShape = PlanShape {
    count: 0,
    head: 1,
    length: 0,
    lists: 0,
    rule: Rule::Centroid,
    values: false,
    room: Bytes::UNCOUNTABLE,
};

impl PlanShape {
    /// Places in the result: sequences x length.
    pub fn output_len(&self) -> u64 {
        u64::from(self.count) * u64::from(self.length)
    }

    /// Values in the result: one for each place, or none.
    pub fn values_len(&self) -> u64 {
        if self.values {
            self.output_len()
        } else {
            0
        }
    }

    /// Bytes of a [`SequenceRow`].
    pub(crate) fn row_bytes(&self) -> Bytes {
        let values = if self.values { self.length } else { 0 };
        Bytes::of::<u32>(self.length.into()) + Bytes::of::<f32>(values.into())
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
    /// Reads row `row`, which is as long as `to`, with its values where `to` has some.
    fn read(&self, row: u32, to: SequenceMut) -> Result<()>;
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

/// The heads that were asked for.
#[derive(Debug, Clone)]
enum GivenHeads {
    /// Sequence i begins with the item that is i behind the first.
    Items { first: u32 },
    /// Of these items `length` each.
    List { items: Arc<Vec<u32>>, length: u32 },
}

impl GivenHeads {
    /// Those of a checked request.
    fn new(request: &Request, num_items: u32) -> Result<GivenHeads> {
        let length = request.head();
        let Some(items) = request.given() else {
            return Ok(GivenHeads::Items { first: request.part(num_items)?.start });
        };
        let part = request.part((items.len() / length as usize) as u32)?;
        let place = |row: u32| row as usize * length as usize;
        let items = copied(&items[place(part.start)..place(part.end)], "the heads")?;
        Ok(GivenHeads::List { items: Arc::new(items), length })
    }

    /// The item at `place` of the head of row `row`.
    fn get(&self, row: u32, place: usize) -> u32 {
        match self {
            GivenHeads::Items { first } => first + row,
            GivenHeads::List { items, length } => items[row as usize * *length as usize + place],
        }
    }
}

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
