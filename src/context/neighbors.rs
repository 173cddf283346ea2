//! Searches for neighbours on a context, into memory or into a file.

use super::bounds::{Beside, Bounds, RunPlan, Stage};
use super::open::Context;
use super::sequences::Destination;
use crate::corpus::{Corpus, Elements, Input, Preparation, Shape};
use crate::engine::neighbors::{Neighbors, Query, QueryShape};
use crate::engine::{Engine, MemoryNeighbors, Needs, Planner, PutNeighbors};
use crate::error::Result;
use crate::job::{Job, Output};
use crate::memory::Bytes;
use crate::progress::{Phase, Progress};
use crate::store::{
    self, Family, NeighborsFile, NeighborsMeta, NeighborsWriter, OutputFile, OutputPlace,
};

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
    pub(super) fn prepare_search(
        &self,
        request: &NeighborsRequest,
        progress: &Progress,
    ) -> Result<PreparedSearch> {
        let NeighborsRequest { input, k, queries } = *request;
        let (shape, crew) = (request.shape(), self.crew(progress));
        progress.expect_rows(shape.num_rows.into());
        progress.expect_steps(steps(&shape));
        progress.time(Phase::Prepare, || {
            let corpus = Corpus::prepare_by(&crew, &input)?;
            let prepare = |(rows, count)| {
                corpus.prepare_queries_by(&crew, rows, Shape::new(count, input.dim))
            };
            let queries = queries.map(prepare).transpose()?;
            Ok(PreparedSearch { corpus, queries, k })
        })
    }

    /// What a search would take, without the embeddings: refused where the device or the memory
    /// cannot do it. Does not wait for a run that is under way.
    pub fn plan_neighbors(&self, shape: &QueryShape, to: Destination) -> Result<RunPlan> {
        check(shape)?;
        to.require_ids_of(shape.num_items)?;
        let held = held(shape, to);
        self.check(|planner, bounds, stage| search_plan(planner, bounds, stage, shape, held))
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
        let held = held(&shape, Destination::Memory);
        self.check(|planner, bounds, stage| search_plan(planner, bounds, stage, &shape, held))?;
        let search = self.prepare_search(request, &progress)?;
        let check = move |planner: &dyn Planner, bounds: &Bounds, stage| {
            search_plan(planner, bounds, stage, &shape, held)
        };
        self.spawn(progress, check, move |engine, _, progress| {
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
        file.require_ids_of(shape.num_items)?;
        let place = OutputPlace::new(file, Family::Results, &progress)?;
        let held = held(&shape, Destination::File(file));
        self.check(|planner, bounds, stage| match suffices(file, &shape) {
            true => {
                bounds.plan(stage, beside(&shape, held), |_| Ok(Needs::default()), plan(&shape))
            }
            false => search_plan(planner, bounds, stage, &shape, held),
        })?;
        let search = self.prepare_search(request, &progress)?;
        let meta = search.meta(&shape, request.input.center);
        let Some(writer) = NeighborsWriter::begin_at(place, &meta)? else {
            progress.add_rows(meta.count.into());
            progress.expect_steps(0);
            return Job::spawn(progress, move |_| Ok(Output::File(path)));
        };
        let check = move |planner: &dyn Planner, bounds: &Bounds, stage| {
            search_plan(planner, bounds, stage, &shape, held)
        };
        self.spawn(progress, check, move |engine, _, progress| {
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

/// What a search takes that holds `held` bytes beside corpus and engine.
pub(super) fn search_plan(
    planner: &dyn Planner,
    bounds: &Bounds,
    stage: Stage,
    shape: &QueryShape,
    held: Bytes,
) -> Result<RunPlan> {
    bounds.plan(stage, beside(shape, held), |_| planner.search_needs(shape), plan(shape))
}

/// The numbers of a plan that need neither engine nor bounds.
fn plan(shape: &QueryShape) -> RunPlan {
    let (output_bytes, rows) = (shape.result_bytes(), shape.num_rows.into());
    RunPlan { output_bytes, rows, steps: steps(shape), ..RunPlan::default() }
}

/// What a search has beside the engine, with `held` bytes of its result.
fn beside(shape: &QueryShape, held: Bytes) -> Beside {
    let items = Shape::new(shape.num_items, shape.dim);
    let queries = Shape::new(shape.num_rows, shape.dim);
    let queries_bytes = if shape.own { Bytes::ZERO } else { queries.prepared_bytes() };
    Beside {
        corpus: items.prepared_bytes() + queries_bytes,
        preparing: Preparation::bytes(items).max(Preparation::bytes(queries)),
        held,
    }
}

/// Bytes that a search holds of its result: in memory all, for a file the checksums of its rows and
/// the ids.
fn held(shape: &QueryShape, to: Destination) -> Bytes {
    let checksums = match to {
        Destination::Memory => Bytes::ZERO,
        Destination::File(_) => Bytes::of::<u64>(shape.num_rows.into()),
    };
    to.held(shape.result_bytes()) + checksums
}

/// Whether a file seems to hold all that is asked for, which then takes no engine. What it is of
/// shows when the embeddings are prepared.
fn suffices(file: &OutputFile, shape: &QueryShape) -> bool {
    let found = match file.overwrite {
        true => return false,
        false => NeighborsFile::open(&file.path),
    };
    found.is_ok_and(|found| {
        let found = found.meta();
        let same = (found.num_items, found.count) == (shape.num_items, shape.num_rows);
        same && found.k >= shape.k
    })
}

/// Dot products of a search.
pub(super) fn steps(shape: &QueryShape) -> u64 {
    u64::from(shape.num_rows) * u64::from(shape.num_items)
}
