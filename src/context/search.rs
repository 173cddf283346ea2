//! Runs of neighbours and of similarities on a context.

use std::path::PathBuf;
use std::sync::{Arc, MutexGuard, PoisonError};

use super::{corpus_bytes, Bounds, Context, RunPlan};
use crate::corpus::{Corpus, Elements, Input, Shape};
use crate::engine::neighbors::{Query, QueryShape};
use crate::engine::{Engine, MemoryNeighbors, MemorySimilarities, NeighborRows, Pairs};
use crate::error::{Error, Result};
use crate::job::{Job, Output};
use crate::progress::{Phase, Progress};
use crate::site::{self, Site, Source};
use crate::store::{self, NeighborsMeta, NeighborsWriter, Target};

/// Of what to find neighbours.
#[derive(Debug, Clone, Copy)]
pub struct NeighborRequest<'a> {
    /// The items. With `center` their mean is subtracted from items and queries.
    pub input: Input<'a>,
    /// Neighbours of each row, 1 to the number of other items.
    pub k: u32,
    /// Rows to find neighbours of, and how many; `None`: the items, each without itself.
    pub queries: Option<(Elements<'a>, u32)>,
}

/// Where neighbours go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NeighborsTo<'a> {
    /// Into memory.
    Memory,
    /// Into a file of neighbours; one that holds them already, or more of each, stays as it is.
    File(&'a Target),
    /// Into the JSON files of a site, while later ones are computed.
    Site(&'a Site),
}

/// What a search works with.
struct Search {
    corpus: Corpus,
    queries: Option<Corpus>,
    k: u32,
}

impl Search {
    fn prepare(request: &NeighborRequest) -> Result<Search> {
        let NeighborRequest { input, k, queries } = *request;
        let corpus = Corpus::prepare(&input)?;
        let queries = queries
            .map(|(queries, count)| corpus.prepare_queries(queries, Shape::new(count, input.dim)));
        let search = Search { queries: queries.transpose()?, corpus, k };
        search.query().check(&search.corpus)?;
        Ok(search)
    }

    fn query(&self) -> Query<'_> {
        Query { queries: self.queries.as_ref(), k: self.k }
    }

    fn shape(&self) -> QueryShape {
        self.query().shape(&self.corpus)
    }

    fn meta(&self, center: bool) -> NeighborsMeta {
        let shape = self.shape();
        NeighborsMeta {
            version: env!("CARGO_PKG_VERSION").into(),
            fingerprint: store::fingerprint(&self.corpus),
            queries: self.queries.as_ref().map(store::fingerprint).unwrap_or_default(),
            centered: center,
            num_items: shape.num_items,
            count: shape.num_rows,
            k: shape.k,
        }
    }

    /// Searches into `rows`, which hold `held` bytes beside what the engine does.
    fn run(
        &self,
        (engine, bounds): (&mut dyn Engine, &Bounds),
        rows: &dyn NeighborRows,
        held: u64,
        progress: &Progress,
    ) -> Result<()> {
        progress.check()?;
        search_plan(bounds, engine, &self.shape(), held)?;
        engine.neighbors(&self.corpus, &self.query(), rows, progress)
    }
}

/// What a search takes whose result holds `held` bytes of memory.
fn search_plan(
    bounds: &Bounds,
    engine: &dyn Engine,
    shape: &QueryShape,
    held: u64,
) -> Result<RunPlan> {
    let queries = if shape.own { 0 } else { corpus_bytes(Shape::new(shape.num_rows, shape.dim)) };
    bounds.run_plan(RunPlan {
        engine: engine.search_needs(shape)?,
        corpus_bytes: corpus_bytes(Shape::new(shape.num_items, shape.dim)) + queries,
        output_bytes: result_bytes(shape),
        host_bytes: held,
        rows: shape.num_rows.into(),
        steps: u64::from(shape.num_rows) * u64::from(shape.num_items),
    })
}

/// Bytes of the neighbours in memory.
fn result_bytes(shape: &QueryShape) -> u64 {
    u64::from(shape.num_rows) * u64::from(shape.k) * 8
}

impl Context {
    fn engine(&self) -> MutexGuard<'_, Box<dyn Engine>> {
        self.engine.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What a search would take, without the embeddings: refused where the device or the memory cannot do it. Waits for a run
    /// that is under way.
    pub fn plan_neighbors(&self, shape: &QueryShape, in_file: bool) -> Result<RunPlan> {
        Shape::new(shape.num_items, shape.dim).check()?;
        Shape::new(shape.num_rows, shape.dim).check()?;
        shape.check()?;
        let held = if in_file { 0 } else { result_bytes(shape) };
        search_plan(&self.bounds, &**self.engine(), shape, held)
    }

    /// Checks everything, then starts the search as a job.
    pub fn start_neighbors(&self, request: &NeighborRequest, to: NeighborsTo) -> Result<Job> {
        let progress = Progress::default();
        let search = progress.time(Phase::Prepare, || Search::prepare(request))?;
        match to {
            NeighborsTo::Memory => self.spawn(progress, search, |search, engine, progress| {
                let rows = MemoryNeighbors::new(search.shape().num_rows, search.k)?;
                search.run(engine, &rows, result_bytes(&search.shape()), progress)?;
                Ok(Output::Neighbors(rows.into_neighbors()))
            }),
            NeighborsTo::File(target) => {
                let writer = NeighborsWriter::begin(target, &search.meta(request.input.center))?;
                let path: PathBuf = target.path.clone();
                self.spawn(progress, search, move |search, engine, progress| {
                    if let Some(writer) = writer {
                        search.run(engine, &writer, 0, progress)?;
                        writer.finish()?;
                    } else {
                        progress.expect_steps(0);
                    }
                    Ok(Output::File(path))
                })
            }
            NeighborsTo::Site(site) => {
                let (site, shape) = (site.clone(), search.shape());
                if !shape.own {
                    return Err(Error::BadOption {
                        option: "queries",
                        got: shape.num_rows.to_string(),
                        allowed: "a site is of the items themselves".into(),
                    });
                }
                site.check(shape.num_items)?;
                self.spawn(progress, search, move |search, engine, progress| {
                    let held = site::host_bytes(&site, &shape)?;
                    site::from_engine(&site, &shape, progress, |rows| {
                        search.run(engine, rows, held, progress)
                    })?;
                    Ok(Output::Site)
                })
            }
        }
    }

    /// Runs `work` as a job that has the engine for itself.
    fn spawn<W>(&self, progress: Progress, search: Search, work: W) -> Result<Job>
    where
        W: FnOnce(&Search, (&mut dyn Engine, &Bounds), &Progress) -> Result<Output>,
        W: Send + 'static,
    {
        let shape = search.shape();
        progress.expect_steps(u64::from(shape.num_rows) * u64::from(shape.num_items));
        let (engine, bounds) = (Arc::clone(&self.engine), self.bounds.clone());
        Job::spawn(progress, move |progress| {
            let mut engine = engine.lock().unwrap_or_else(PoisonError::into_inner);
            work(&search, (&mut **engine, &bounds), progress)
        })
    }

    /// Starts the similarities of pairs of items as a job.
    pub fn start_similarities(&self, input: &Input, pairs: Pairs) -> Result<Job> {
        let progress = Progress::default();
        let corpus = progress.time(Phase::Prepare, || Corpus::prepare(input))?;
        let (shape, num_items) = (input.shape(), input.num_items);
        progress.expect_steps(u64::from(num_items) * u64::from(num_items));
        let (engine, bounds) = (Arc::clone(&self.engine), self.bounds.clone());
        Job::spawn(progress, move |progress| {
            let mut engine = engine.lock().unwrap_or_else(PoisonError::into_inner);
            progress.check()?;
            let output_bytes = pairs.count(num_items) * 4;
            bounds.run_plan(RunPlan {
                engine: engine.dots_needs(shape)?,
                corpus_bytes: corpus_bytes(shape),
                output_bytes,
                host_bytes: output_bytes,
                rows: num_items.into(),
                steps: u64::from(num_items) * u64::from(num_items),
            })?;
            let rows = MemorySimilarities::new(num_items, pairs)?;
            engine.dots(&corpus, pairs, &rows, progress)?;
            Ok(Output::Similarities(rows.into_values()))
        })
    }
}

/// Starts writing the files of a site from results that are there, as a job. Needs no context.
pub fn start_site(source: Source, site: &Site) -> Result<Job> {
    let (progress, site) = (Progress::default(), site.clone());
    Job::spawn(progress, move |progress| {
        site::write(&source, &site, progress)?;
        Ok(Output::Site)
    })
}
