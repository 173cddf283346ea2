//! Sites from results that are there.

use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use super::files::{Files, Plan};
use super::needs::SiteShape;
use super::request::{List, Site};
use super::row::SiteRow;
use super::targets::Targets;
use crate::error::Result;
use crate::progress::Progress;
use crate::results::Source;
use crate::threads;

/// How large a site of these results is.
pub(crate) fn shape(source: &Source) -> SiteShape {
    let (num_items, num_rows) = (source.num_items(), source.num_rows());
    SiteShape { num_items, num_rows, row_length: source.row_length() }
}

/// Writes the site of results that are there. Both were checked.
pub(crate) fn write(
    source: &Source,
    site: &Site,
    targets: &Targets,
    progress: &Progress,
) -> Result<()> {
    let list = source.rule().map_or(List::Similar, List::Picks);
    let SiteShape { num_items, num_rows, .. } = shape(source);
    progress.expect_rows(num_rows.into());
    let plan = Plan { site, targets, list, num_items, num_rows };
    let files = Files::begin(plan, |row| source.item(row), progress)?;
    let next = AtomicU32::new(0);
    let threads = site.num_threads()?.min(num_rows as usize);
    threads::run(threads, |failure| {
        let (mut others, mut similarities, mut text) = (Vec::new(), Vec::new(), Vec::new());
        while !failure.is_seen() {
            progress.check()?;
            let row = next.fetch_update(Relaxed, Relaxed, |row| (row < num_rows).then(|| row + 1));
            let Ok(number) = row else { break };
            let item = source.item(number);
            source.read(number, &mut others, &mut similarities)?;
            let row = SiteRow { number, item, others: &others, similarities: &similarities };
            files.write(&row, &mut text)?;
            progress.add_rows(1);
        }
        Ok(())
    })?;
    files.finish()
}
