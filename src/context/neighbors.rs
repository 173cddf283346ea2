//! Searches for neighbours on a context, into memory or into a file.

use super::bounds::{corpus_bytes, Bounds, RunPlan};
use super::open::Context;
use super::sequences::Destination;
use crate::corpus::{Corpus, Elements, Input, Shape};
use crate::engine::neighbors::{Neighbors, Query, QueryShape};
use crate::engine::{Engine, MemoryNeighbors, PutNeighbors};
use crate::error::Result;
use crate::job::{Job, Output};
use crate::progress::{Phase, Progress};
use crate::store::{self, NeighborsMeta, NeighborsWriter, OutputFile};

/// Of what to find neighbours.
#[derive(Debug, Clone, Copy)]
pub struct NeighborsRequest<'a> {
    /// The items. With `center` their mean is subtracted from items and queries.
    pub input: Input<'a>,
    /// Neighbours of each row, 1 to the number of other items.
    pub k: u32,
    /// Rows to find neighbours of, and how many; `None`: the items, each without itself.
    pub queries: Option<(Elements<'a>, u32)>,
}

impl NeighborsRequest<'_> {
    /// The shape of the search.
    pub fn shape(&self) -> QueryShape {
        let Shape { num_items, dim } = self.input.shape();
        let num_rows = self.queries.map_or(num_items, |(_, count)| count);
        QueryShape { num_items, dim, num_rows, own: self.queries.is_none(), k: self.k }
    }
}

/// What a search works with.
pub(super) struct PreparedSearch {
    corpus: Corpus,
    queries: Option<Corpus>,
    k: u32,
}

impl PreparedSearch {
    pub(super) fn prepare(
        request: &NeighborsRequest,
        progress: &Progress,
    ) -> Result<PreparedSearch> {
        let NeighborsRequest { input, k, queries } = *request;
        let shape = request.shape();
        progress.expect_rows(shape.num_rows.into());
        progress.expect_steps(steps(&shape));
        progress.time(Phase::Prepare, || {
            let corpus = Corpus::prepare(&input)?;
            let prepare =
                |(rows, count)| corpus.prepare_queries(rows, Shape::new(count, input.dim));
            let queries = queries.map(prepare).transpose()?;
            Ok(PreparedSearch { corpus, queries, k })
        })
    }

    fn query(&self) -> Query<'_> {
        Query { queries: self.queries.as_ref(), k: self.k }
    }

    fn meta(&self, shape: &QueryShape, centered: bool) -> NeighborsMeta {
        NeighborsMeta {
            version: env!("CARGO_PKG_VERSION").into(),
            fingerprint: store::fingerprint(&self.corpus),
            queries: self.queries.as_ref().map(store::fingerprint).unwrap_or_default(),
            centered,
            num_items: shape.num_items,
            count: shape.num_rows,
            k: shape.k,
        }
    }

    pub(super) fn run(
        &self,
        engine: &mut dyn Engine,
        rows: &dyn PutNeighbors,
        progress: &Progress,
    ) -> Result<()> {
        engine.neighbors(&self.corpus, &self.query(), rows, progress)
    }
}

impl Context {
    /// What a search would take, without the embeddings: refused where the device or the memory
    /// cannot do it. Waits for a run that is under way.
    pub fn plan_neighbors(&self, shape: &QueryShape, to: Destination) -> Result<RunPlan> {
        check(shape)?;
        let held = to.held(result_bytes(shape));
        self.planned(|engine, bounds| search_plan(engine, bounds, shape, held))
    }

    /// Checks everything, then starts the search as a job.
    pub fn start_neighbors(
        &self,
        request: &NeighborsRequest,
        to: Destination,
    ) -> Result<Job<Output<Neighbors>>> {
        match to {
            Destination::Memory => self.start_neighbors_in_memory(request, Output::Memory),
            Destination::File(file) => self.start_neighbors_into_file(request, file),
        }
    }

    /// `wrap` makes the result of the neighbours.
    fn start_neighbors_in_memory<T: Send + Sync + 'static>(
        &self,
        request: &NeighborsRequest,
        wrap: fn(Neighbors) -> T,
    ) -> Result<Job<T>> {
        let (progress, shape) = (Progress::default(), request.shape());
        check(&shape)?;
        let held = result_bytes(&shape);
        self.check_now(|engine, bounds| search_plan(engine, bounds, &shape, held))?;
        let search = PreparedSearch::prepare(request, &progress)?;
        self.spawn(progress, move |engine, bounds, progress| {
            search_plan(engine, bounds, &shape, held)?;
            let rows = MemoryNeighbors::new(shape.num_rows, shape.k)?;
            search.run(engine, &rows, progress)?;
            Ok(wrap(rows.into_neighbors()))
        })
    }

    fn start_neighbors_into_file(
        &self,
        request: &NeighborsRequest,
        file: &OutputFile,
    ) -> Result<Job<Output<Neighbors>>> {
        let (progress, shape, path) = (Progress::default(), request.shape(), file.path.clone());
        check(&shape)?;
        // One that is there may hold all that is asked for, which takes no memory.
        if !path.exists() {
            self.check_now(|engine, bounds| search_plan(engine, bounds, &shape, 0))?;
        }
        let search = PreparedSearch::prepare(request, &progress)?;
        let meta = search.meta(&shape, request.input.center);
        let Some(writer) = NeighborsWriter::begin(file, &meta)? else {
            progress.add_rows(meta.count.into());
            progress.expect_steps(0);
            return Job::spawn(progress, move |_| Ok(Output::File(path)));
        };
        self.spawn(progress, move |engine, bounds, progress| {
            search_plan(engine, bounds, &shape, 0)?;
            search.run(engine, &writer, progress)?;
            writer.finish()?;
            Ok(Output::File(path))
        })
    }

    /// The blocking form of [`Context::start_neighbors`], into memory.
    pub fn neighbors(&self, request: &NeighborsRequest) -> Result<Neighbors> {
        self.start_neighbors_in_memory(request, |neighbors| neighbors)?.into_result()
    }
}

/// Checks the sizes and k of a search.
pub(super) fn check(shape: &QueryShape) -> Result<()> {
    Shape::new(shape.num_items, shape.dim).check()?;
    Shape::new(shape.num_rows, shape.dim).check()?;
    shape.check()
}

/// What a search takes whose result holds `held` bytes of memory.
pub(super) fn search_plan(
    engine: &dyn Engine,
    bounds: &Bounds,
    shape: &QueryShape,
    held: u64,
) -> Result<RunPlan> {
    let queries = match shape.own {
        true => 0,
        false => corpus_bytes(Shape::new(shape.num_rows, shape.dim)),
    };
    bounds.check(RunPlan {
        engine: engine.search_needs(shape)?,
        corpus_bytes: corpus_bytes(Shape::new(shape.num_items, shape.dim)).saturating_add(queries),
        output_bytes: result_bytes(shape),
        host_bytes: held,
        rows: shape.num_rows.into(),
        steps: steps(shape),
    })
}

/// Dot products of a search.
pub(super) fn steps(shape: &QueryShape) -> u64 {
    u64::from(shape.num_rows) * u64::from(shape.num_items)
}

/// Bytes of the neighbours in memory.
fn result_bytes(shape: &QueryShape) -> u64 {
    u64::from(shape.num_rows).saturating_mul(u64::from(shape.k)).saturating_mul(8)
}
