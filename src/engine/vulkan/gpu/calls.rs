//! The Vulkan calls that can fail: what each of them can fail with, and which error that is.
//!
//! The table has the codes that the specification lists for a call and that this library can cause.
//! Any other code is a driver's own idea: `Error::Driver` with the call's name. Every call that can
//! fail is made by `Caller`, where tests plant their failures.

#[cfg(feature = "internals")]
use std::sync::Arc;

use ash::prelude::VkResult;
use ash::vk;

#[cfg(feature = "internals")]
use crate::engine::vulkan::faults::{keep_marker, Faults};
use crate::engine::vulkan::settings::Settings;
use crate::error::{Error, Result};

/// What a code means to the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Meaning {
    /// Memory of the driver's, or some other room, ran out.
    NoMemory,
    Lost,
    /// There is no driver to make a device of.
    NoDevice,
}

/// A code with its meaning.
struct Code(vk::Result, Meaning);

const HOST: Code = Code(vk::Result::ERROR_OUT_OF_HOST_MEMORY, Meaning::NoMemory);
const DEVICE: Code = Code(vk::Result::ERROR_OUT_OF_DEVICE_MEMORY, Meaning::NoMemory);
const OBJECTS: Code = Code(vk::Result::ERROR_TOO_MANY_OBJECTS, Meaning::NoMemory);
const POOL: Code = Code(vk::Result::ERROR_OUT_OF_POOL_MEMORY, Meaning::NoMemory);
const FRAGMENTS: Code = Code(vk::Result::ERROR_FRAGMENTED_POOL, Meaning::NoMemory);
const LOST: Code = Code(vk::Result::ERROR_DEVICE_LOST, Meaning::Lost);
const NO_DRIVER: Code = Code(vk::Result::ERROR_INCOMPATIBLE_DRIVER, Meaning::NoDevice);
const NO_START: Code = Code(vk::Result::ERROR_INITIALIZATION_FAILED, Meaning::NoDevice);

/// A Vulkan call that can fail.
pub(crate) struct Call {
    name: &'static str,
    codes: &'static [Code],
}

macro_rules! calls {
    ($( $(#[$attribute:meta])? $constant:ident $name:literal: $($code:ident)*; )*) => {
        $( $(#[$attribute])? pub(crate) const $constant: Call =
            Call { name: $name, codes: &[$($code),*] }; )*
    };
}

calls! {
    ENUMERATE_INSTANCE_EXTENSIONS "vkEnumerateInstanceExtensionProperties": HOST DEVICE;
    ENUMERATE_LAYERS "vkEnumerateInstanceLayerProperties": HOST DEVICE;
    CREATE_INSTANCE "vkCreateInstance": HOST DEVICE NO_START NO_DRIVER;
    CREATE_MESSENGER "vkCreateDebugUtilsMessengerEXT": HOST;
    ENUMERATE_DEVICES "vkEnumeratePhysicalDevices": HOST DEVICE NO_START;
    ENUMERATE_DEVICE_EXTENSIONS "vkEnumerateDeviceExtensionProperties": HOST DEVICE;
    CREATE_DEVICE "vkCreateDevice": HOST DEVICE OBJECTS LOST;
    CREATE_BUFFER "vkCreateBuffer": HOST DEVICE;
    CREATE_BUFFER_VIEW "vkCreateBufferView": HOST DEVICE;
    ALLOCATE_MEMORY "vkAllocateMemory": HOST DEVICE OBJECTS;
    BIND_BUFFER "vkBindBufferMemory": HOST DEVICE;
    CREATE_PIPELINE_CACHE "vkCreatePipelineCache": HOST DEVICE;
    GET_PIPELINE_CACHE "vkGetPipelineCacheData": HOST DEVICE;
    CREATE_SHADER "vkCreateShaderModule": HOST DEVICE;
    CREATE_SET_LAYOUT "vkCreateDescriptorSetLayout": HOST DEVICE;
    CREATE_PIPELINE_LAYOUT "vkCreatePipelineLayout": HOST DEVICE;
    CREATE_PIPELINES "vkCreateComputePipelines": HOST DEVICE;
    CREATE_DESCRIPTOR_POOL "vkCreateDescriptorPool": HOST DEVICE;
    ALLOCATE_SETS "vkAllocateDescriptorSets": HOST DEVICE POOL FRAGMENTS;
    CREATE_COMMAND_POOL "vkCreateCommandPool": HOST DEVICE;
    ALLOCATE_COMMANDS "vkAllocateCommandBuffers": HOST DEVICE;
    CREATE_FENCE "vkCreateFence": HOST DEVICE;
    RESET_FENCES "vkResetFences": DEVICE;
    BEGIN_COMMANDS "vkBeginCommandBuffer": HOST DEVICE;
    END_COMMANDS "vkEndCommandBuffer": HOST DEVICE;
    SUBMIT "vkQueueSubmit": HOST DEVICE LOST;
    WAIT_FOR_FENCES "vkWaitForFences": HOST DEVICE LOST;
    #[cfg(feature = "internals")]
    GET_STATISTICS "vkGetPipelineExecutableStatisticsKHR": HOST DEVICE;
    #[cfg(feature = "internals")]
    GET_REPRESENTATIONS "vkGetPipelineExecutableInternalRepresentationsKHR": HOST DEVICE;
}

impl Call {
    fn meaning(&self, code: vk::Result) -> Option<Meaning> {
        self.codes.iter().find(|known| known.0 == code).map(|known| known.1)
    }

    /// The error that `code` is when this call gives it. `device`: whose call it was.
    fn error(&self, device: &str, code: vk::Result) -> Error {
        let (device, call, name) = (device.to_owned(), self.name, format!("{code:?}"));
        match self.meaning(code) {
            Some(Meaning::Lost) => Error::DeviceLost { device, call },
            Some(Meaning::NoMemory) => Error::DriverMemory { device, call, code: name },
            Some(Meaning::NoDevice) => Error::NoDevice { reason: format!("{call}: {name}") },
            None => Error::Driver { device, call, code: name },
        }
    }
}

/// Makes the calls.
#[derive(Debug, Clone, Default)]
pub(crate) struct Caller {
    #[cfg(feature = "internals")]
    faults: Option<Arc<Faults>>,
}

#[cfg(feature = "internals")]
impl Caller {
    pub(crate) fn new(settings: &Settings) -> Caller {
        keep_marker();
        Caller { faults: settings.faults.clone() }
    }

    /// The most bytes of device memory that may be live.
    pub(crate) fn granted(&self) -> u64 {
        self.faults.as_ref().map_or(u64::MAX, |faults| faults.granted())
    }

    /// The code with which `call` fails on purpose.
    fn planted(&self, call: &Call) -> Option<vk::Result> {
        let faults = self.faults.as_ref()?;
        let code = faults.code();
        (call.meaning(code).is_some() && faults.fails_next()).then_some(code)
    }
}

#[cfg(not(feature = "internals"))]
impl Caller {
    pub(crate) fn new(_: &Settings) -> Caller {
        Caller {}
    }

    pub(crate) fn granted(&self) -> u64 {
        u64::MAX
    }

    fn planted(&self, _: &Call) -> Option<vk::Result> {
        None
    }
}

impl Caller {
    /// Makes a call and turns its code into the library's error. `device`: whose call it is.
    pub(crate) fn make<T>(
        &self,
        device: &str,
        call: &Call,
        make: impl FnOnce() -> VkResult<T>,
    ) -> Result<T> {
        let result = match self.planted(call) {
            Some(code) => Err(code),
            None => make(),
        };
        result.map_err(|code| call.error(device, code))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_become_the_errors_that_they_mean_for_the_call() {
        use vk::Result as Code;
        let cases = [
            (&SUBMIT, Code::ERROR_DEVICE_LOST, "DeviceLost"),
            (&SUBMIT, Code::ERROR_OUT_OF_HOST_MEMORY, "DriverMemory"),
            (&SUBMIT, Code::ERROR_INITIALIZATION_FAILED, "Driver"),
            (&ALLOCATE_MEMORY, Code::ERROR_TOO_MANY_OBJECTS, "DriverMemory"),
            (&CREATE_FENCE, Code::ERROR_OUT_OF_DEVICE_MEMORY, "DriverMemory"),
            // Codes that the call does not have.
            (&CREATE_FENCE, Code::ERROR_DEVICE_LOST, "Driver"),
            (&RESET_FENCES, Code::ERROR_OUT_OF_HOST_MEMORY, "Driver"),
            (&CREATE_FENCE, Code::ERROR_UNKNOWN, "Driver"),
            // Before there is a device.
            (&CREATE_INSTANCE, Code::ERROR_INCOMPATIBLE_DRIVER, "NoDevice"),
            (&CREATE_INSTANCE, Code::ERROR_OUT_OF_HOST_MEMORY, "DriverMemory"),
            (&CREATE_INSTANCE, Code::ERROR_LAYER_NOT_PRESENT, "Driver"),
            (&ENUMERATE_DEVICES, Code::ERROR_INITIALIZATION_FAILED, "NoDevice"),
            (&CREATE_DEVICE, Code::ERROR_INITIALIZATION_FAILED, "Driver"),
        ];
        for (call, code, expected) in cases {
            let error = call.error("gpu", code);
            let debug = format!("{error:?}");
            assert_eq!(debug.split(' ').next(), Some(expected), "{}: {code:?}", call.name);
            assert!(error.to_string().contains(call.name), "{error}");
        }
    }

    #[test]
    fn an_error_without_a_device_says_which_call_gave_which_code() {
        let error = ENUMERATE_DEVICES.error("gpu", vk::Result::ERROR_INITIALIZATION_FAILED);
        let text = error.to_string();
        assert!(text.contains("vkEnumeratePhysicalDevices: ERROR_INITIALIZATION_FAILED"), "{text}");
    }
}
