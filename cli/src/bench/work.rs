//! What is measured: sequences and neighbours of some corpora, phase by phase as the library books
//! its time.

use std::time::Instant;

use serde_json::{json, Map, Value};
use vkd::context::{Destination, NeighborsRequest};
use vkd::engine::RowSource;
use vkd::progress::{Phase, Progress};
use vkd::{Context, Request, Shape};

use super::clustered::Clustered;
use crate::golden::{Rows, PSALMS};

/// Dimensions of the synthetic corpora: those of the Psalms.
const DIM: u32 = 384;

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
/// Assumed where no bandwidth is known, in bytes per second.
const USUAL_RATE: f64 = 20e9;
/// Bytes of all sequences of a run, which are in the host's memory.
const MOST_RESULT: u64 = 1 << 30;
/// With fewer sequences a GPU has nothing to do.
const FEWEST_STARTS: u32 = 64;

/// A corpus by its size; it is made when it is needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Corpus {
    Psalms,
    Synthetic(u32),
}

impl Corpus {
    pub(crate) fn name(self) -> String {
        match self {
            Corpus::Psalms => "Psalms".into(),
            Corpus::Synthetic(_) => "synthetic".into(),
        }
    }

    pub(crate) fn shape(self) -> Shape {
        match self {
            Corpus::Psalms => Shape::new(2_461, DIM),
            Corpus::Synthetic(num_items) => Shape::new(num_items, DIM),
        }
    }

    fn rows(self) -> Option<Rows> {
        match self {
            Corpus::Psalms => Rows::named(PSALMS),
            Corpus::Synthetic(num_items) => {
                let mut items = Clustered::new(DIM);
                let mut values = Vec::with_capacity((num_items * DIM) as usize);
                (0..num_items).for_each(|_| items.push_item(&mut values));
                Some(Rows { num_items, dim: DIM, values })
            }
        }
    }
}

/// What one run took.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Times {
    pub(crate) phases: [f64; Phase::ALL.len()],
    pub(crate) total: f64,
    pub(crate) steps: u64,
    pub(crate) bytes_read: u64,
}

impl Times {
    fn of(progress: &Progress, begin: Instant) -> Times {
        Times {
            phases: Phase::ALL.map(|phase| progress.seconds(phase)),
            total: begin.elapsed().as_secs_f64(),
            steps: progress.steps_done(),
            bytes_read: progress.bytes_read(),
        }
    }

    pub(crate) fn of_phase(&self, phase: Phase) -> f64 {
        self.phases[phase as usize]
    }
}

/// What is computed of a corpus.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Task {
    /// In full length.
    Sequences {
        starts: u32,
    },
    Neighbors {
        k: u32,
    },
}

/// A measured task.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Measured {
    pub(crate) corpus: Corpus,
    pub(crate) task: Task,
    pub(crate) runs: usize,
    /// Of the run in the middle.
    pub(crate) times: Times,
}

impl Measured {
    /// Multiply-adds of all dot products per second: of the matrix, where each pair is computed
    /// once, or of the search.
    pub(crate) fn products_per_second(&self) -> Option<f64> {
        let Shape { num_items, dim } = self.corpus.shape();
        let pairs = f64::from(num_items) * f64::from(num_items);
        let (products, seconds) = match self.task {
            Task::Sequences { .. } => (pairs / 2.0, self.times.of_phase(Phase::Matrix)),
            Task::Neighbors { .. } => (pairs, self.times.of_phase(Phase::Steps)),
        };
        (seconds > 0.0).then(|| products * f64::from(dim) / seconds)
    }

    /// Bytes of rows that the picks read per second.
    pub(crate) fn read_rate(&self) -> f64 {
        self.times.bytes_read as f64 / self.times.of_phase(Phase::Steps)
    }

    pub(crate) fn json(&self, bandwidth: Option<f64>) -> Value {
        let Shape { num_items, dim } = self.corpus.shape();
        let phases: Map<String, Value> = Phase::ALL
            .into_iter()
            .map(|phase| (phase.name().to_owned(), self.times.of_phase(phase).into()))
            .collect();
        let mut all = json!({
            "corpus": self.corpus.name(),
            "num_items": num_items,
            "dim": dim,
            "runs": self.runs,
            "phases": phases,
            "total": self.times.total,
            "multiply_adds_per_second": self.products_per_second(),
        });
        match self.task {
            Task::Neighbors { k } => all["k"] = k.into(),
            Task::Sequences { starts } => {
                let seconds = self.times.of_phase(Phase::Steps);
                all["starts"] = starts.into();
                all["picks"] = self.times.steps.into();
                all["picks_per_second"] = (self.times.steps as f64 / seconds).into();
                all["bytes_read"] = self.times.bytes_read.into();
                all["bytes_per_second"] = self.read_rate().into();
                all["fraction"] = bandwidth.map(|rate| self.read_rate() / rate).into();
            }
        }
        all
    }
}

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
            if let Err(why) = fits(context, corpus, task) {
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
            let query = vkd::engine::neighbors::QueryShape {
                num_items,
                dim,
                num_rows: num_items,
                own: true,
                k,
            };
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
    use super::*;

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

    #[test]
    fn the_psalms_are_as_large_as_said() {
        let rows = Corpus::Psalms.rows().map(|rows| Shape::new(rows.num_items, rows.dim));
        assert_eq!(rows, Some(Corpus::Psalms.shape()));
    }
}
