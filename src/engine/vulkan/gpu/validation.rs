//! The Khronos validation layer, for tests: `VKD_VALIDATION=FILE` switches it on.
//!
//! Core checks and synchronisation validation run on every call; each message is appended to FILE and kept.
//! A run that caused a message fails with `Error::Validation`. A missing layer is an error: a test run must
//! not pass because nobody was listening.

use std::ffi::{c_char, c_void, CStr};
use std::io::Write;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use ash::{ext::debug_utils, vk, Entry};

use crate::error::{Error, Result};

const LAYER: &CStr = c"VK_LAYER_KHRONOS_validation";

pub(crate) const FEATURES: [vk::ValidationFeatureEnableEXT; 1] =
    [vk::ValidationFeatureEnableEXT::SYNCHRONIZATION_VALIDATION];

/// The file to log to, if validation is wanted.
pub(crate) fn wanted() -> Option<PathBuf> {
    std::env::var_os("VKD_VALIDATION").filter(|path| !path.is_empty()).map(PathBuf::from)
}

/// The layers to enable, or the error that the layer is not installed.
pub(crate) fn require(entry: &Entry) -> Result<Vec<*const c_char>> {
    // SAFETY: the loader is open.
    let layers = unsafe { entry.enumerate_instance_layer_properties() }.unwrap_or_default();
    if layers.iter().any(|layer| layer.layer_name_as_c_str() == Ok(LAYER)) {
        return Ok(vec![LAYER.as_ptr()]);
    }
    Err(Error::Unsupported {
        device: "the Vulkan loader".into(),
        missing: "VKD_VALIDATION is set, but the validation layer is not installed \
                  (Debian: vulkan-validationlayers)"
            .into(),
    })
}

/// Collects the layer's messages.
pub(crate) struct Validation {
    messenger: vk::DebugUtilsMessengerEXT,
    messages: Box<Messages>,
}

struct Messages {
    log: PathBuf,
    texts: Mutex<Vec<String>>,
}

impl Validation {
    pub(crate) fn new(entry: &Entry, instance: &ash::Instance, log: PathBuf) -> Result<Validation> {
        let messages = Box::new(Messages { log, texts: Mutex::default() });
        let info = vk::DebugUtilsMessengerCreateInfoEXT::default()
            .message_severity(
                vk::DebugUtilsMessageSeverityFlagsEXT::WARNING
                    | vk::DebugUtilsMessageSeverityFlagsEXT::ERROR,
            )
            .message_type(
                vk::DebugUtilsMessageTypeFlagsEXT::VALIDATION
                    | vk::DebugUtilsMessageTypeFlagsEXT::PERFORMANCE,
            )
            .pfn_user_callback(Some(listen))
            .user_data((&raw const *messages).cast_mut().cast());
        let utils = debug_utils::Instance::new(entry, instance);
        // SAFETY: the extension is enabled; `messages` outlives the messenger (see `destroy`).
        let messenger = unsafe { utils.create_debug_utils_messenger(&info, None) };
        let messenger = messenger.map_err(|code| Error::NoDevice { reason: code.to_string() })?;
        Ok(Validation { messenger, messages })
    }

    /// The error that stands for all messages so far, if there are any.
    pub(crate) fn check(&self) -> Result<()> {
        let texts = self.messages.texts.lock().unwrap_or_else(PoisonError::into_inner);
        match texts.first() {
            None => Ok(()),
            Some(first) => Err(Error::Validation { count: texts.len(), first: first.clone() }),
        }
    }

    pub(crate) fn destroy(self, entry: &Entry, instance: &ash::Instance) {
        let utils = debug_utils::Instance::new(entry, instance);
        // SAFETY: the messenger belongs to this instance and is used no more.
        unsafe { utils.destroy_debug_utils_messenger(self.messenger, None) };
    }
}

/// Called by the layer, from any thread that makes Vulkan calls.
unsafe extern "system" fn listen(
    _severity: vk::DebugUtilsMessageSeverityFlagsEXT,
    _types: vk::DebugUtilsMessageTypeFlagsEXT,
    data: *const vk::DebugUtilsMessengerCallbackDataEXT<'_>,
    user_data: *mut c_void,
) -> vk::Bool32 {
    // SAFETY: `user_data` is the `Messages` that outlives the messenger.
    let messages = unsafe { &*user_data.cast::<Messages>() };
    // SAFETY: the layer passes valid data with a NUL-terminated message or NULL.
    let text = unsafe { data.as_ref().and_then(|data| data.message_as_c_str()) };
    let text = text.map(CStr::to_string_lossy).unwrap_or_default().into_owned();
    let mut texts = messages.texts.lock().unwrap_or_else(PoisonError::into_inner);
    let file = std::fs::OpenOptions::new().create(true).append(true).open(&messages.log);
    // A log that cannot be written does not hide the message: the run fails all the same.
    let _ = file.and_then(|mut file| writeln!(file, "{text}"));
    texts.push(text);
    vk::FALSE
}

/// Makes a wrong Vulkan call on purpose and returns what the validation layer made of it: the proof
/// that somebody is listening. `VKD_VALIDATION` must be set.
pub fn planted_error() -> Result<()> {
    let device = crate::engine::vulkan::gpu::device::Device::open(
        "",
        &crate::engine::vulkan::engine::Settings::default(),
    )?;
    let empty = vk::BufferCreateInfo::default().usage(vk::BufferUsageFlags::STORAGE_BUFFER);
    // SAFETY: wrong on purpose (a buffer of 0 bytes); drivers refuse it or make an empty buffer.
    if let Ok(buffer) = unsafe { device.raw().create_buffer(&empty, None) } {
        // SAFETY: just made, never used.
        unsafe { device.raw().destroy_buffer(buffer, None) };
    }
    device.check_validation()
}
