//! What is measured: sequences and neighbours of some corpora, phase by phase as the library books
//! its time.

use std::mem::discriminant;
use std::time::Instant;

use vkd::context::{Destination, NeighborsRequest};
use vkd::engine::neighbors::QueryShape;
use vkd::engine::RowSource;
use vkd::{Context, Request, Shape};

use super::corpus::Corpus;
use super::measured::{Measured, Task, Times};
use crate::golden::Rows;

/// How much is measured.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Extent {
    pub(crate) sizes: &'static [u32],
    /// Sequences of a corpus at most; `None`: one from every item.
    pub(crate) most_starts: Option<u32>,
    /// How long the picks of one run should take at the device's bandwidth.
    pub(crate) seconds: f64,
    /// Neighbours of each item.
    pub(crate) k: u32,
    /// Runs of which the one in the middle counts, unless they take long.
    pub(crate) runs: usize,
}

impl Extent {
    pub(crate) const QUICK: Extent =
        Extent { sizes: &[2_048], most_starts: Some(256), seconds: 0.5, k: 10, runs: 3 };
    pub(crate) const FULL: Extent =
        Extent { sizes: &[8_192, 32_768], most_starts: None, seconds: 15.0, k: 50, runs: 3 };
}

/// Seconds of runs after which there is no further one.
const ENOUGH: f64 = 8.0;
/// Seconds of dot products that are not waited for.
const TOO_LONG: f64 = 60.0;
/// Assumed where no bandwidth is known, in bytes per second.
const USUAL_RATE: f64 = 20e9;
/// Bytes of all sequences of a run, which are in the host's memory.
const MOST_RESULT: u64 = 1 << 30;
/// With fewer sequences a GPU has nothing to do.
const FEWEST_STARTS: u32 = 64;

/// Something that was not measured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Skipped {
    pub(crate) what: String,
    pub(crate) why: String,
}

/// All measurements on a device.
#[derive(Debug, Default)]
pub(crate) struct Results {
    pub(crate) measured: Vec<Measured>,
    pub(crate) skipped: Vec<Skipped>,
}

impl Results {
    /// Measures everything; `say` hears what is done.
    pub(crate) fn measure(
        context: &Context,
        extent: Extent,
        bandwidth: Option<f64>,
        say: &dyn Fn(&str),
    ) -> vkd::Result<Results> {
        let mut results = Results::default();
        let synthetic = extent.sizes.iter().map(|&size| Corpus::Synthetic(size));
        for corpus in std::iter::once(Corpus::Psalms).chain(synthetic) {
            results.add(context, corpus, extent, bandwidth, say)?;
        }
        Ok(results)
    }

    /// Whether a task will not take too long.
    fn is_short(&self, corpus: Corpus, task: Task) -> Result<(), String> {
        let is_alike = |one: &&Measured| discriminant(&one.task) == discriminant(&task);
        let before = self.measured.iter().rev().find(is_alike);
        before.map_or(Ok(()), |before| expected(before, corpus.shape()))
    }

    fn add(
        &mut self,
        context: &Context,
        corpus: Corpus,
        extent: Extent,
        bandwidth: Option<f64>,
        say: &dyn Fn(&str),
    ) -> vkd::Result<()> {
        let starts = starts(corpus.shape(), extent, bandwidth);
        let tasks = [Task::Sequences { starts }, Task::Neighbors { k: extent.k }];
        let mut rows = None;
        for task in tasks {
            let what = describe(corpus, task);
            if let Err(why) = fits(context, corpus, task).and_then(|()| self.is_short(corpus, task))
            {
                self.skipped.push(Skipped { what, why });
                continue;
            }
            if rows.is_none() {
                rows = corpus.rows();
            }
            let Some(rows) = &rows else { continue };
            say(&what);
            let mut runs = Vec::new();
            let begin = Instant::now();
            while runs.is_empty()
                || runs.len() < extent.runs && begin.elapsed().as_secs_f64() < ENOUGH
            {
                runs.push(run(context, rows, task)?);
            }
            runs.sort_by(|a: &Times, b: &Times| a.total.total_cmp(&b.total));
            let (count, middle) = (runs.len(), runs.len() / 2);
            let times = runs.swap_remove(middle);
            self.measured.push(Measured { corpus, task, runs: count, times });
        }
        Ok(())
    }
}

/// Whether the dot products of a corpus will take as long as somebody waits, by those of the one
/// before.
fn expected(before: &Measured, shape: Shape) -> Result<(), String> {
    let ratio = f64::from(shape.num_items) / f64::from(before.corpus.shape().num_items);
    let seconds = before.seconds_of_products() * ratio * ratio;
    match seconds > TOO_LONG {
        true => Err(format!("its dot products would take about {seconds:.0} s")),
        false => Ok(()),
    }
}

fn describe(corpus: Corpus, task: Task) -> String {
    let Shape { num_items, dim } = corpus.shape();
    let what = match task {
        Task::Sequences { starts } => format!("{starts} sequences"),
        Task::Neighbors { k } => format!("{k} neighbours"),
    };
    format!("{}, {num_items} x {dim}: {what}", corpus.name())
}

/// As many sequences as can be read in the time that their picks should take.
fn starts(shape: Shape, extent: Extent, bandwidth: Option<f64>) -> u32 {
    let items = f64::from(shape.num_items);
    let bytes = items * items * 2.0;
    let fitting = extent.seconds * bandwidth.unwrap_or(USUAL_RATE) / bytes;
    let most = extent.most_starts.unwrap_or(u32::MAX).min(shape.num_items);
    let most = most.min((MOST_RESULT / 4 / u64::from(shape.num_items)) as u32);
    (fitting as u32).clamp(FEWEST_STARTS.min(most), most)
}

/// Starts spread over all items.
fn spread(starts: u32, num_items: u32) -> Vec<u32> {
    let place = |start: u32| u64::from(start) * u64::from(num_items) / u64::from(starts);
    (0..starts).map(|start| place(start) as u32).collect()
}

fn request(starts: u32, num_items: u32) -> Request {
    Request { starts: Some(spread(starts, num_items)), ..Request::default() }
}

/// Whether the device can do it with the whole matrix, or why not.
fn fits(context: &Context, corpus: Corpus, task: Task) -> Result<(), String> {
    let shape = corpus.shape();
    let text = |error: vkd::Error| error.to_string();
    match task {
        Task::Sequences { starts } => {
            let request = request(starts, shape.num_items);
            let plan = context.plan(shape, &request, Destination::Memory).map_err(text)?;
            match plan.engine.row_source {
                None | Some(RowSource::Matrix) => Ok(()),
                Some(_) if plan.engine.held_rows < shape.num_items.into() => {
                    Err("the matrix does not fit the memory of the device".into())
                }
                Some(_) => Ok(()),
            }
        }
        Task::Neighbors { k } => {
            let Shape { num_items, dim } = shape;
            let query = QueryShape { num_items, dim, num_rows: num_items, own: true, k };
            context.plan_neighbors(&query, Destination::Memory).map(|_| ()).map_err(text)
        }
    }
}

fn run(context: &Context, rows: &Rows, task: Task) -> vkd::Result<Times> {
    let input = rows.input(false);
    let begin = Instant::now();
    match task {
        Task::Sequences { starts } => {
            let request = request(starts, rows.num_items);
            let job = context.start(&input, &request, Destination::Memory)?;
            ended(job, begin)
        }
        Task::Neighbors { k } => {
            let request = NeighborsRequest { input, k, queries: None };
            let job = context.start_neighbors(&request, Destination::Memory)?;
            ended(job, begin)
        }
    }
}

fn ended<T: Send + Sync + 'static>(job: vkd::job::Job<T>, begin: Instant) -> vkd::Result<Times> {
    job.wait(None);
    let times = Times::of(job.progress(), begin);
    job.into_result()?;
    Ok(times)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::bench::corpus::DIM;

    #[test]
    fn what_would_take_minutes_is_left_out() {
        let times =
            Times { phases: [0.0, 0.0, 0.0, 4.0, 0.0], total: 9.0, steps: 1, bytes_read: 0 };
        let (corpus, task) = (Corpus::Synthetic(8_192), Task::Neighbors { k: 50 });
        let results =
            Results { measured: vec![Measured { corpus, task, runs: 1, times }], skipped: vec![] };
        let of = |size, task| results.is_short(Corpus::Synthetic(size), task);
        assert_eq!(of(16_384, task), Ok(()));
        assert!(of(32_768, task).unwrap_err().ends_with("about 64 s"));
        assert_eq!(of(32_768, Task::Sequences { starts: 1 }), Ok(()));
    }

    #[test]
    fn starts_are_as_many_as_the_time_allows() {
        let shape = Shape::new(8_192, DIM);
        let of = |rate| starts(shape, Extent::FULL, Some(rate));
        assert_eq!(of(1e12), 8_192);
        assert_eq!(of(1e9), 111);
        assert_eq!(of(1.0), FEWEST_STARTS);
        assert_eq!(starts(Shape::new(2_048, DIM), Extent::QUICK, Some(1e15)), 256);
        assert_eq!(starts(Shape::new(32_768, DIM), Extent::FULL, Some(1e15)), 8_192);
        assert_eq!(starts(Shape::new(20, DIM), Extent::FULL, Some(1.0)), 20);
    }

    #[test]
    fn starts_are_spread_and_distinct() {
        assert_eq!(spread(4, 10), [0, 2, 5, 7]);
        assert!(spread(32_768, 32_768).into_iter().eq(0..32_768));
    }
}
