//! Sites: the files of a website, from embeddings or from results that are there.

use super::bounds::{Bounds, RunPlan};
use super::neighbors::{check, search_plan, NeighborsRequest};
use super::open::Context;
use crate::engine::neighbors::QueryShape;
use crate::engine::Planner;
use crate::error::{Error, Result};
use crate::job::Job;
use crate::memory::{self, Bytes};
use crate::progress::Progress;
use crate::site::{self, Site, SiteShape, Source};

impl Context {
    /// What the neighbours of a site and its files would take, without the embeddings: refused
    /// where the device or the memory cannot do it, or where something stands at a place of the
    /// rankings. Does not wait for a run that is under way.
    pub fn plan_site(&self, shape: &QueryShape, site: &Site) -> Result<RunPlan> {
        check_site(shape, site)?;
        site::check_targets(site, shape.num_items)?;
        let held = host_bytes(shape, site)?;
        let search = |planner: &dyn Planner, bounds: &Bounds, stage| {
            search_plan(planner, bounds, stage, shape, held)
        };
        Ok(RunPlan { output_bytes: Bytes::ZERO, ..self.check(search)? })
    }

    /// Checks everything, then starts the search for the neighbours of every item as a job that
    /// writes the files of the site, each while later ones are computed. What stands at the places
    /// of the pages is looked at when the job begins.
    pub fn start_site(&self, request: &NeighborsRequest, site: Site) -> Result<Job<()>> {
        let (progress, shape) = (Progress::default(), request.shape());
        self.plan_site(&shape, &site)?;
        let held = host_bytes(&shape, &site)?;
        let targets = site::open_targets(&site, shape.num_items, &progress)?;
        let search = self.prepare_search(request, &progress)?;
        let check = move |planner: &dyn Planner, bounds: &Bounds, stage| {
            search_plan(planner, bounds, stage, &shape, held)
        };
        self.spawn(progress, check, move |engine, _, progress| {
            site::from_engine(&site, &targets, &shape, progress, |rows| {
                search.run(engine, rows, progress)
            })
        })
    }

    /// The blocking form of [`Context::start_site`].
    pub fn site(&self, request: &NeighborsRequest, site: Site) -> Result<()> {
        self.start_site(request, site)?.into_result()
    }
}

fn host_bytes(shape: &QueryShape, site: &Site) -> Result<Bytes> {
    let QueryShape { num_items, num_rows, k: row_length, .. } = *shape;
    site::host_bytes(site, SiteShape { num_items, num_rows, row_length })
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

/// Checks everything, then starts writing the files of a site from results that are there, as a
/// job. Needs no context. Rows of a file are checked as they are read; its ids, if it has some, are
/// those of the site, unless that has its own.
pub fn start_site_write(source: Source, site: Site) -> Result<Job<()>> {
    memory::require_spare()?;
    source.check()?;
    let site = site.with_ids_of(&source)?;
    let num_items = source.num_items();
    site.check(num_items)?;
    site::check_targets(&site, num_items)?;
    let needed = site::host_bytes(&site, site::shape(&source))?;
    memory::require("the site", needed.less(site::given_bytes(&site)))?;
    let progress = Progress::default();
    let targets = site::open_targets(&site, num_items, &progress)?;
    Job::spawn(progress, move |progress| site::write(&source, &site, &targets, progress))
}
