//! Sites: the JSON files of neighbours while they are computed, or of results that are there.

use super::bounds::{Bounds, RunPlan};
use super::neighbors::{check, search_plan, NeighborsRequest, PreparedSearch};
use super::open::Context;
use crate::engine::neighbors::QueryShape;
use crate::engine::Planner;
use crate::error::{Error, Result};
use crate::job::Job;
use crate::memory::Bytes;
use crate::progress::Progress;
use crate::site::{self, Site, Source};

impl Context {
    /// What the neighbours of a site and its files would take, without the embeddings: refused
    /// where the device or the memory cannot do it. Does not wait for a run that is under way.
    pub fn plan_site(&self, shape: &QueryShape, site: &Site) -> Result<RunPlan> {
        check_site(shape, site)?;
        let held = Bytes::new(site::host_bytes(site, shape)?);
        let search = |planner: &dyn Planner, bounds: &Bounds, stage| {
            search_plan(planner, bounds, stage, shape, held)
        };
        Ok(RunPlan { output_bytes: Bytes::ZERO, ..self.check(search)? })
    }

    /// Checks everything, then starts the search for the neighbours of every item as a job that
    /// writes the files of the site, each while later ones are computed.
    pub fn start_site(&self, request: &NeighborsRequest, site: &Site) -> Result<Job<()>> {
        let (progress, shape) = (Progress::default(), request.shape());
        self.plan_site(&shape, site)?;
        let held = Bytes::new(site::host_bytes(site, &shape)?);
        let search = PreparedSearch::prepare(request, &progress)?;
        let site = site.clone();
        let check = move |planner: &dyn Planner, bounds: &Bounds, stage| {
            search_plan(planner, bounds, stage, &shape, held)
        };
        self.spawn(progress, check, move |engine, _, progress| {
            site::from_engine(&site, &shape, progress, |rows| search.run(engine, rows, progress))
        })
    }
}

impl Context {
    /// The blocking form of [`Context::start_site`].
    pub fn site(&self, request: &NeighborsRequest, site: &Site) -> Result<()> {
        self.start_site(request, site)?.into_result()
    }
}

fn check_site(shape: &QueryShape, site: &Site) -> Result<()> {
    check(shape)?;
    if !shape.own {
        return Err(Error::BadOption {
            option: "queries",
            got: "set".into(),
            allowed: "a site is of the items themselves: leave them out".into(),
        });
    }
    site.check(shape.num_items)
}

/// Starts writing the files of a site from results that are there, as a job. Needs no context.
pub fn start_site_write(source: Source, site: &Site) -> Result<Job<()>> {
    let site = site.clone();
    Job::spawn(Progress::default(), move |progress| site::write(&source, &site, progress))
}
