//! The Khronos validation layer, for tests: `VKD_VALIDATION=FILE` switches it on.
//!
//! Core checks and synchronisation validation run on every call; each message is appended to FILE
//! and kept. A run that caused a message fails with `Error::Validation`.

use std::ffi::{c_void, CStr};
use std::io::Write;
use std::path::PathBuf;
use std::sync::Mutex;

use ash::prelude::VkResult;
use ash::{ext::debug_utils, vk, Entry};

use crate::environment;
use crate::error::{Error, Result};
use crate::threads::lock;

pub(super) const LAYER: &CStr = c"VK_LAYER_KHRONOS_validation";

pub(super) const FEATURES: [vk::ValidationFeatureEnableEXT; 1] =
    [vk::ValidationFeatureEnableEXT::SYNCHRONIZATION_VALIDATION];

/// The file to log to, if validation is wanted.
pub(super) fn wanted() -> Option<PathBuf> {
    environment::path("VKD_VALIDATION")
}

/// Collects the layer's messages.
pub(super) struct Validation {
    messenger: vk::DebugUtilsMessengerEXT,
    messages: Box<Messages>,
}

struct Messages {
    log: PathBuf,
    texts: Mutex<Vec<String>>,
}

impl Validation {
    pub(super) fn new(
        entry: &Entry,
        instance: &ash::Instance,
        log: PathBuf,
    ) -> VkResult<Validation> {
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
        let messenger = unsafe { utils.create_debug_utils_messenger(&info, None)? };
        Ok(Validation { messenger, messages })
    }

    /// The error that stands for all messages so far, if there are any.
    pub(super) fn check(&self) -> Result<()> {
        let texts = lock(&self.messages.texts);
        match texts.first() {
            None => Ok(()),
            Some(first) => Err(Error::Validation { count: texts.len(), first: first.clone() }),
        }
    }

    pub(super) fn destroy(self, entry: &Entry, instance: &ash::Instance) {
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
    let mut texts = lock(&messages.texts);
    let file = std::fs::OpenOptions::new().create(true).append(true).open(&messages.log);
    // A log that cannot be written does not hide the message: the run fails all the same.
    let _ = file.and_then(|mut file| writeln!(file, "{text}"));
    texts.push(text);
    vk::FALSE
}
