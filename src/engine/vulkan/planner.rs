//! Who plans for the Vulkan engine, also while it works: what a run takes on the device that is
//! open.

use std::sync::{Arc, Mutex, MutexGuard, Weak};

use super::gpu::device::Device;
use super::runs::search::{SearchLayout, Wanted};
use super::runs::sequences;
use super::settings::Settings;
use crate::corpus::Shape;
use crate::engine::neighbors::QueryShape;
use crate::engine::{Needs, Planner};
use crate::error::{Error, Result};
use crate::plan::PlanShape;
use crate::threads::lock;

/// Plans for the device that the engine has open.
pub(super) struct VulkanPlanner {
    settings: Settings,
    /// The device, or the error that lost it for good. The engine owns it.
    device: Mutex<Result<Weak<Device>>>,
}

impl VulkanPlanner {
    pub(super) fn new(settings: &Settings, device: &Arc<Device>) -> VulkanPlanner {
        let device = Mutex::new(Ok(Arc::downgrade(device)));
        VulkanPlanner { settings: settings.clone(), device }
    }

    /// The opened device, or the error that lost it for good.
    pub(super) fn device(&self) -> Result<Arc<Device>> {
        lock(&self.device).clone()?.upgrade().ok_or_else(not_open)
    }

    /// The place of the device, for who replaces it; all who plan wait meanwhile.
    pub(super) fn replace(&self) -> MutexGuard<'_, Result<Weak<Device>>> {
        lock(&self.device)
    }

    fn search(&self, shape: &QueryShape, wanted: Wanted) -> Result<Needs> {
        let device = self.device()?;
        Ok(SearchLayout::new(&device, &self.settings, shape, wanted)?.needs(&device))
    }
}

impl Planner for VulkanPlanner {
    fn needs(&self, shape: Shape, plan: &PlanShape) -> Result<Needs> {
        sequences::needs(shape, plan, &*self.device()?, &self.settings)
    }

    fn search_needs(&self, shape: &QueryShape) -> Result<Needs> {
        self.search(shape, Wanted::Nearest(shape.k))
    }

    fn dots_needs(&self, shape: Shape) -> Result<Needs> {
        let Shape { num_items, dim } = shape;
        let shape = QueryShape { num_items, dim, num_rows: num_items, own: true, k: 0 };
        self.search(&shape, Wanted::Dots)
    }
}

pub(super) fn not_open() -> Error {
    Error::Internal { detail: "no device is open".into() }
}
