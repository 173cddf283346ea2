//! The engine: a device that is opened anew when it is lost and asked for less when it refuses
//! memory. In a child after a fork it refuses, and lets go of nothing.

use std::sync::Arc;

use super::gpu::cache::Cache;
use super::gpu::commands::Commands;
use super::gpu::device::Device;
use super::gpu::pipeline::Pipelines;
use super::kernels::table::open_device;
use super::planner::{not_open, VulkanPlanner};
use super::runs::reads::{self, Reads};
use super::runs::search;
use super::runs::sequences;
use super::runs::tools::{KeptSlabs, Tools};
use super::settings::Settings;
use crate::corpus::Corpus;
use crate::engine::neighbors::Query;
use crate::engine::rows::Offset;
use crate::engine::{DeviceInfo, Engine, Pairs, Planner, PutDots, PutNeighbors, PutSequences};
use crate::error::{Error, Result};
use crate::plan::Plan;
use crate::process::Home;
use crate::progress::Progress;

/// How often a run may be refused memory: from all of it down to a hundredth, by quarters.
const MOST_REFUSALS: u32 = 16;

/// One Vulkan device.
pub struct VulkanEngine {
    home: Home,
    /// None while a lost device cannot be opened again.
    open: Option<Open>,
    wanted: String,
    info: DeviceInfo,
    settings: Settings,
    /// Knows what lost the device for good.
    planner: Arc<VulkanPlanner>,
}

/// All that goes when a device is lost.
struct Open {
    // Fields drop in order: what uses the device before the device.
    kept: KeptSlabs,
    pipelines: Pipelines,
    commands: Commands,
    device: Arc<Device>,
}

impl Open {
    fn new(wanted: &str, settings: &Settings) -> Result<Open> {
        let device = Arc::new(open_device(wanted, settings)?);
        let commands = Commands::new(&device)?;
        let cache = Cache::new(&device, &settings.pipeline_cache);
        let pipelines = Pipelines::new(&device, cache);
        Ok(Open { kept: KeptSlabs::default(), pipelines, commands, device })
    }

    fn tools<'a>(&'a mut self, settings: &'a Settings) -> Tools<'a> {
        let Open { kept, pipelines, commands, device } = self;
        Tools { device, commands, pipelines, settings, kept }
    }
}

impl VulkanEngine {
    /// Opens the device that `wanted` names (see [`crate::ContextOptions::device`]).
    pub fn new(wanted: &str, settings: &Settings) -> Result<VulkanEngine> {
        let open = Open::new(wanted, settings)?;
        let planner = Arc::new(VulkanPlanner::new(settings, &open.device));
        let (info, settings) = (open.device.info().clone(), settings.clone());
        let home = Home::here();
        Ok(VulkanEngine { home, open: Some(open), wanted: wanted.into(), info, settings, planner })
    }

    /// Bytes and number of the device allocations that are live now.
    pub fn live_allocations(&self) -> (u64, usize) {
        self.open.as_ref().map_or((0, 0), |open| open.device.live_allocations())
    }

    /// The most bytes of device allocations that were live at once.
    pub fn most_allocated(&self) -> u64 {
        self.open.as_ref().map_or(0, |open| open.device.most_allocated())
    }

    /// Measures how fast the device reads its memory, the floor of every run.
    pub fn measure_reads(&mut self) -> Result<Reads> {
        self.free_kept();
        let settings = self.settings.clone();
        reads::measure(self.open()?.tools(&settings))
    }

    #[cfg(feature = "internals")]
    pub(super) fn settings(&self) -> &Settings {
        &self.settings
    }

    #[cfg(feature = "internals")]
    pub(super) fn tools<'a>(&'a mut self, settings: &'a Settings) -> Result<Tools<'a>> {
        Ok(self.open()?.tools(settings))
    }

    /// The opened device, or the error that lost it.
    fn open(&mut self) -> Result<&mut Open> {
        self.planner.device()?;
        self.open.as_mut().ok_or_else(not_open)
    }

    /// Does `work`; where that loses the device, opens it anew and does the rest, once. `work` is
    /// told what it has done already.
    fn survive<D: Copy + Default>(
        &mut self,
        progress: &Progress,
        mut work: impl FnMut(Tools, &mut D) -> Result<()>,
    ) -> Result<()> {
        let mut done = D::default();
        let mut result = self.make_do(progress, &mut work, &mut done);
        if let Err(lost @ Error::DeviceLost { .. }) = &result {
            self.rebuild(lost)?;
            progress.back_to(0);
            result = self.make_do(progress, &mut work, &mut done);
            if let Err(lost @ Error::DeviceLost { .. }) = &result {
                *self.planner.replace() = Err(lost.clone());
                return result;
            }
        }
        // Also of a run that was cancelled or failed: its kernels are as good.
        let open = self.open()?;
        open.pipelines.save();
        result?;
        open.device.check_validation()
    }

    /// Does `work`; where the driver refuses memory that it seemed to have, does the rest with a
    /// quarter less, and again, as long as that is enough.
    fn make_do<D: Copy + Default>(
        &mut self,
        progress: &Progress,
        work: &mut impl FnMut(Tools, &mut D) -> Result<()>,
        done: &mut D,
    ) -> Result<()> {
        let mut settings = self.settings.clone();
        let mut refusal = None;
        for _ in 0..MOST_REFUSALS {
            let open = self.open()?;
            let result = work(open.tools(&settings), done);
            let refused = open.device.take_refusal();
            match (result, refused) {
                (Err(error @ Error::DeviceMemory { .. }), Some(bytes)) => {
                    let limit = bytes.min(settings.memory_limit.unwrap_or(u64::MAX)) / 4 * 3;
                    settings.memory_limit = Some(limit);
                    refusal = Some(error);
                    progress.back_to(0);
                }
                // Not even the least fits: what the driver said is nearer to the cause than our own
                // limit.
                (Err(Error::TooLarge { .. }), _) if refusal.is_some() => break,
                (result, _) => return result,
            }
        }
        refusal.map_or(Ok(()), Err)
    }

    /// Closes the lost device and opens it anew.
    fn rebuild(&mut self, lost: &Error) -> Result<()> {
        let mut planned = self.planner.replace();
        self.open = None;
        match Open::new(&self.wanted, &self.settings) {
            Ok(open) => {
                *planned = Ok(Arc::downgrade(&open.device));
                self.open = Some(open);
                Ok(())
            }
            Err(_) => {
                *planned = Err(lost.clone());
                Err(lost.clone())
            }
        }
    }
}

impl Drop for VulkanEngine {
    fn drop(&mut self) {
        if !self.home.is_here() {
            // The device is the parent's, and its driver's threads are not here.
            std::mem::forget(self.open.take());
        }
    }
}

impl Engine for VulkanEngine {
    fn info(&self) -> &DeviceInfo {
        &self.info
    }

    fn planner(&self) -> Arc<dyn Planner> {
        Arc::clone(&self.planner) as Arc<dyn Planner>
    }

    fn sequences(
        &mut self,
        corpus: &Corpus,
        plan: &Plan,
        rows: &dyn PutSequences,
        progress: &Progress,
    ) -> Result<()> {
        self.survive(progress, |tools, done: &mut u32| {
            // What was put stays; only the wave under way is computed again.
            progress.back_to(u64::from(*done) * u64::from(plan.length() - plan.head()));
            let rest = Offset { rows, first: *done as usize };
            let mut more = 0;
            let plan = plan.rest(*done);
            let result = sequences::sequences(tools, corpus, &plan, &rest, progress, &mut more);
            *done += more;
            result
        })
    }

    fn neighbors(
        &mut self,
        corpus: &Corpus,
        query: &Query,
        rows: &dyn PutNeighbors,
        progress: &Progress,
    ) -> Result<()> {
        self.free_kept();
        self.survive(progress, |tools, done| {
            search::neighbors(tools, corpus, query, rows, progress, done)
        })
    }

    fn dots(
        &mut self,
        corpus: &Corpus,
        _pairs: Pairs,
        rows: &dyn PutDots,
        progress: &Progress,
    ) -> Result<()> {
        self.free_kept();
        self.survive(progress, |tools, done| search::dots(tools, corpus, rows, progress, done))
    }

    fn keep(&mut self, corpus: &Arc<Corpus>) {
        if let Some(open) = &mut self.open {
            open.kept.keep(corpus);
        }
    }

    fn free_kept(&mut self) {
        if let Some(open) = &mut self.open {
            open.kept.free();
        }
    }
}
