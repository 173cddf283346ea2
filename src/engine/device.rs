//! Devices as users see them: of what kind they are, and what is known of each.

/// What kind of machinery a device is, in the order in which one is chosen by default.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum DeviceKind {
    /// A graphics card with its own memory.
    DiscreteGpu,
    /// A GPU that shares the processor's memory.
    IntegratedGpu,
    /// A GPU seen through a virtual machine.
    VirtualGpu,
    /// The built-in CPU engine: needs no driver.
    Cpu,
    /// A Vulkan driver that runs on the processor (llvmpipe, SwiftShader).
    SoftwareVulkan,
    /// Anything else that speaks Vulkan.
    OtherVulkan,
    /// The built-in reference engine: plain loops, slow, needs no driver.
    Reference,
    /// Some of these at once.
    Several,
}

/// A device as shown to the user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceInfo {
    /// Name, as the driver gives it.
    pub name: String,
    /// Driver name and version.
    pub driver: String,
    /// Kind of device.
    pub kind: DeviceKind,
    /// The device's UUID; zero for the reference engine.
    pub uuid: [u8; 16],
    /// Bytes of the largest memory heap the engine can use; 0 where unknown.
    pub memory_bytes: u64,
    /// The most bytes one buffer binding may span; a larger matrix is split over several.
    pub max_binding_bytes: u64,
    /// Lanes of a subgroup; 1 for the reference engine.
    pub subgroup_size: u32,
    /// Loop rounds that one dispatch may spend per lane; 0: no limit.
    pub loop_budget: u32,
}
