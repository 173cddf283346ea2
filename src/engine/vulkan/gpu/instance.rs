//! The Vulkan loader and an instance of it.
//!
//! The loader is opened once and kept until the process ends: unloading drivers from a running
//! process is what crashes. `VKD_VULKAN_LIBRARY` names another loader file. The instance asks for Vulkan 1.1, enough
//! for every kernel here, and for portability drivers where the loader knows them.

use std::ffi::CStr;
use std::sync::{Mutex, PoisonError};

use ash::{vk, Entry};

use crate::engine::vulkan::faults::{self, Faults};
use crate::engine::vulkan::gpu::validation::{self, Validation};
use crate::error::{Error, Result};

static LOADER: Mutex<Option<Entry>> = Mutex::new(None);

fn loader() -> Result<Entry> {
    let mut loader = LOADER.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(entry) = loader.as_ref() {
        return Ok(entry.clone());
    }
    let loaded = match std::env::var_os("VKD_VULKAN_LIBRARY") {
        // SAFETY: opening a shared library runs its initialisers; the user chose the file.
        Some(path) => unsafe { Entry::load_from(path) },
        // SAFETY: as above, for the system's Vulkan loader.
        None => unsafe { Entry::load() },
    };
    let entry = loaded.map_err(|error| Error::NoLoader { reason: error.to_string() })?;
    *loader = Some(entry.clone());
    Ok(entry)
}

/// A Vulkan instance with its validation listener, if one was asked for.
pub(crate) struct Instance {
    entry: Entry,
    raw: ash::Instance,
    validation: Option<Validation>,
}

impl Instance {
    pub(crate) fn new(faults: Option<&Faults>) -> Result<Instance> {
        let entry = loader()?;
        let available = extensions(&entry, faults)?;
        let has = |name: &CStr| available.iter().any(|extension| extension == name);

        let mut names = Vec::new();
        let mut flags = vk::InstanceCreateFlags::empty();
        if has(ash::khr::portability_enumeration::NAME) {
            names.push(ash::khr::portability_enumeration::NAME.as_ptr());
            flags |= vk::InstanceCreateFlags::ENUMERATE_PORTABILITY_KHR;
        }
        let log = validation::wanted();
        let layers = if log.is_some() { validation::require(&entry)? } else { Vec::new() };
        if log.is_some() {
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
        if log.is_some() {
            info = info.push_next(&mut features);
        }
        // SAFETY: every pointer in `info` lives until the call returns.
        let create = || unsafe { entry.create_instance(&info, None) };
        let raw = faults::make(faults, create).map_err(creation_error)?;
        let validation = match log {
            None => None,
            Some(log) => match Validation::new(&entry, &raw, log) {
                Ok(validation) => Some(validation),
                Err(error) => {
                    // SAFETY: nothing else uses the new instance yet.
                    unsafe { raw.destroy_instance(None) };
                    return Err(error);
                }
            },
        };
        Ok(Instance { entry, raw, validation })
    }

    pub(crate) fn raw(&self) -> &ash::Instance {
        &self.raw
    }

    pub(crate) fn validation(&self) -> Option<&Validation> {
        self.validation.as_ref()
    }

    /// The physical devices in the driver's order.
    pub(crate) fn physical_devices(
        &self,
        faults: Option<&Faults>,
    ) -> Result<Vec<vk::PhysicalDevice>> {
        // SAFETY: the instance is live.
        let enumerate = || unsafe { self.raw.enumerate_physical_devices() };
        faults::make(faults, enumerate).map_err(creation_error)
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

fn extensions(entry: &Entry, faults: Option<&Faults>) -> Result<Vec<std::ffi::CString>> {
    // SAFETY: the loader is open.
    let enumerate = || unsafe { entry.enumerate_instance_extension_properties(None) };
    let properties = faults::make(faults, enumerate).map_err(creation_error)?;
    let names = properties.iter().filter_map(|one| one.extension_name_as_c_str().ok());
    Ok(names.map(CStr::to_owned).collect())
}

fn creation_error(code: vk::Result) -> Error {
    match code {
        vk::Result::ERROR_OUT_OF_HOST_MEMORY | vk::Result::ERROR_OUT_OF_DEVICE_MEMORY => {
            let device = "the Vulkan loader".into();
            Error::DriverMemory { device, call: "vkCreateInstance", code: code.to_string() }
        }
        // ERROR_INCOMPATIBLE_DRIVER: the loader found no driver at all.
        code => Error::NoDevice { reason: code.to_string() },
    }
}
