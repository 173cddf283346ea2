//! The Vulkan loader and an instance of it.
//!
//! The loader is opened once and kept until the process ends: unloading drivers from a running
//! process is what crashes. `VKD_VULKAN_LIBRARY` names another loader file. The instance asks for
//! Vulkan 1.1, enough for every kernel here, and for portability drivers where the loader knows
//! them.

use std::ffi::{CStr, CString};
use std::sync::Mutex;

use ash::prelude::VkResult;
use ash::{vk, Entry};

use super::calls::{self, Call, Caller};
use super::validation::{self, Validation};
use crate::environment;
use crate::error::{Error, Result};
use crate::process::{Use, Uses};
use crate::threads::lock;

static LOADER: Mutex<Option<Entry>> = Mutex::new(None);

/// Drivers keep threads and a list of them. In a child after a fork the threads are gone and the
/// list is there: llvmpipe crashes when such a child ends, if it has used the driver, too.
static INSTANCES: Uses = Uses::none(
    "an open Vulkan device",
    "use the device \"cpu\" here, or close all contexts on Vulkan devices before the fork",
);

fn loader() -> Result<Entry> {
    let mut loader = lock(&LOADER);
    if let Some(entry) = loader.as_ref() {
        return Ok(entry.clone());
    }
    let loaded = match environment::path("VKD_VULKAN_LIBRARY") {
        // SAFETY: opening a shared library runs its initialisers; the user chose the file.
        Some(path) => unsafe { Entry::load_from(path) },
        // SAFETY: as above, for the system's Vulkan loader.
        None => unsafe { Entry::load() },
    };
    let entry = loaded.map_err(|error| Error::NoLoader { reason: error.to_string() })?;
    *loader = Some(entry.clone());
    Ok(entry)
}

/// The version of the loader, as Vulkan packs it.
pub(super) fn loader_version() -> Result<u32> {
    // SAFETY: the loader is open.
    let version = unsafe { loader()?.try_enumerate_instance_version() };
    // A loader that cannot tell is one of Vulkan 1.0.
    Ok(version.ok().flatten().unwrap_or(vk::API_VERSION_1_0))
}

/// Whose calls they are until a device is open.
const LOADER_NAME: &str = "the Vulkan loader";

/// A Vulkan instance with its validation listener, if one was asked for.
pub(super) struct Instance {
    entry: Entry,
    raw: ash::Instance,
    caller: Caller,
    validation: Option<Validation>,
    /// Ends behind the instance.
    _in_use: Use,
}

impl Instance {
    pub(super) fn new(caller: Caller) -> Result<Instance> {
        let in_use = INSTANCES.begin()?;
        let entry = loader()?;
        let log = validation::wanted();
        let raw = create(&entry, &caller, log.is_some())?;
        // From here on `Drop` cleans up whatever fails.
        let mut instance = Instance { entry, raw, caller, validation: None, _in_use: in_use };
        if let Some(log) = log {
            instance.validation = Some(instance.call(&calls::CREATE_MESSENGER, || {
                Validation::new(&instance.entry, &instance.raw, log)
            })?);
        }
        Ok(instance)
    }

    pub(super) fn raw(&self) -> &ash::Instance {
        &self.raw
    }

    pub(super) fn caller(&self) -> &Caller {
        &self.caller
    }

    pub(super) fn validation(&self) -> Option<&Validation> {
        self.validation.as_ref()
    }

    /// The physical devices in the driver's order.
    pub(super) fn physical_devices(&self) -> Result<Vec<vk::PhysicalDevice>> {
        // SAFETY: the instance is live.
        let enumerate = || unsafe { self.raw.enumerate_physical_devices() };
        self.call(&calls::ENUMERATE_DEVICES, enumerate)
    }

    /// Makes a Vulkan call that can fail, and turns its code into the library's error.
    pub(super) fn call<T>(&self, call: &Call, make: impl FnOnce() -> VkResult<T>) -> Result<T> {
        self.caller.make(LOADER_NAME, call, make)
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        if let Some(validation) = self.validation.take() {
            validation.destroy(&self.entry, &self.raw);
        }
        // SAFETY: everything made of the instance holds it alive, so nothing is left.
        unsafe { self.raw.destroy_instance(None) };
    }
}

fn create(entry: &Entry, caller: &Caller, validate: bool) -> Result<ash::Instance> {
    let available = extensions(entry, caller)?;
    let has = |name: &CStr| available.iter().any(|extension| extension.as_c_str() == name);

    let mut names = Vec::new();
    let mut flags = vk::InstanceCreateFlags::empty();
    if has(ash::khr::portability_enumeration::NAME) {
        names.push(ash::khr::portability_enumeration::NAME.as_ptr());
        flags |= vk::InstanceCreateFlags::ENUMERATE_PORTABILITY_KHR;
    }
    let mut layers = Vec::new();
    if validate {
        check_layer(entry, caller)?;
        layers.push(validation::LAYER.as_ptr());
        names.push(ash::ext::debug_utils::NAME.as_ptr());
        names.push(ash::ext::validation_features::NAME.as_ptr());
    }
    let application = vk::ApplicationInfo::default()
        .application_name(c"vkd")
        .engine_name(c"vkd")
        .api_version(vk::API_VERSION_1_1);
    let mut features =
        vk::ValidationFeaturesEXT::default().enabled_validation_features(&validation::FEATURES);
    let mut info = vk::InstanceCreateInfo::default()
        .application_info(&application)
        .enabled_extension_names(&names)
        .enabled_layer_names(&layers)
        .flags(flags);
    if validate {
        info = info.push_next(&mut features);
    }
    // SAFETY: every pointer in `info` lives until the call returns.
    let create = || unsafe { entry.create_instance(&info, None) };
    caller.make(LOADER_NAME, &calls::CREATE_INSTANCE, create)
}

fn extensions(entry: &Entry, caller: &Caller) -> Result<Vec<CString>> {
    // SAFETY: the loader is open.
    let enumerate = || unsafe { entry.enumerate_instance_extension_properties(None) };
    let properties = caller.make(LOADER_NAME, &calls::ENUMERATE_INSTANCE_EXTENSIONS, enumerate)?;
    let names = properties.iter().filter_map(|one| one.extension_name_as_c_str().ok());
    Ok(names.map(CStr::to_owned).collect())
}

/// Refuses to go on without the validation layer: a test run must not pass because nobody listened.
fn check_layer(entry: &Entry, caller: &Caller) -> Result<()> {
    // SAFETY: the loader is open.
    let enumerate = || unsafe { entry.enumerate_instance_layer_properties() };
    let layers = caller.make(LOADER_NAME, &calls::ENUMERATE_LAYERS, enumerate)?;
    if layers.iter().any(|layer| layer.layer_name_as_c_str() == Ok(validation::LAYER)) {
        return Ok(());
    }
    Err(Error::Unsupported {
        device: LOADER_NAME.into(),
        missing: "VKD_VALIDATION is set, but the validation layer is not installed \
                  (Debian: vulkan-validationlayers)"
            .into(),
    })
}
