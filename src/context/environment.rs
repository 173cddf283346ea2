//! What environment variables decide for a context, so that a refusal can name the variable: its
//! user may not know that it is set.

use crate::error::Error;

/// An environment variable that decided something, and what it says.
#[derive(Debug, Clone)]
pub(super) struct Variable {
    name: &'static str,
    pub(super) value: String,
}

impl Variable {
    /// A variable that is set and says something.
    pub(super) fn read(name: &'static str) -> Option<Variable> {
        let value = std::env::var(name).ok().filter(|value| !value.trim().is_empty())?;
        Some(Variable { name, value })
    }

    /// The error with this variable named as its reason.
    fn blame(&self, error: Error) -> Error {
        let Variable { name, value } = self.clone();
        Error::Variable { name, value, error: Box::new(error) }
    }
}

/// What of a context the environment decided rather than the caller: its refusals name the
/// variable.
#[derive(Debug, Clone, Default)]
pub(super) struct Environment {
    /// What chose the device.
    pub(super) device: Option<Variable>,
    /// What bounds the memory, and the bytes that it means.
    pub(super) limit: Option<(Variable, u64)>,
    /// Whether the caller bounds the memory.
    pub(super) limited_by_caller: bool,
}

impl Environment {
    /// Names the variable that chose a device in the reason why it cannot be opened.
    pub(super) fn explain_opening(&self, error: Error) -> Error {
        match (&error, &self.device) {
            // These name the variable, or another option, themselves.
            (Error::BadOption { .. } | Error::DeviceNotFound { .. }, _) => error,
            (_, Some(device)) => device.blame(error),
            _ => error,
        }
    }

    /// Names the variable in the refusal of a run that it is the reason of.
    pub(super) fn explain(&self, error: Error) -> Error {
        let device = match &error {
            Error::TooLarge { available, .. } => match &self.limit {
                Some((limit, most)) if available == most => return limit.blame(error),
                // Not where the caller's own limit may be the reason.
                _ => self.device.as_ref().filter(|_| !self.limited_by_caller),
            },
            Error::TooManyRounds { .. } | Error::Unsupported { .. } => self.device.as_ref(),
            _ => None,
        };
        match device {
            Some(device) => device.blame(error),
            None => error,
        }
    }
}
