//! What is known of a file, a run or a device: names and values, as text or as JSON.

use serde_json::{Map, Value};

use super::out::Out;
use crate::failure::Failure;

/// Names and values in an order.
#[derive(Debug, Default)]
pub(crate) struct Report {
    entries: Vec<Entry>,
}

#[derive(Debug)]
struct Entry {
    name: &'static str,
    value: Value,
    text: String,
}

impl Report {
    /// Adds a value that is shown as it is.
    pub(crate) fn add(&mut self, name: &'static str, value: impl Into<Value>) -> &mut Report {
        let value = value.into();
        let text = match &value {
            Value::String(text) => text.clone(),
            Value::Bool(true) => "yes".into(),
            Value::Bool(false) => "no".into(),
            Value::Null => "none".into(),
            other => other.to_string(),
        };
        self.add_as(name, value, text)
    }

    /// Adds a value with its text for people.
    pub(crate) fn add_as(
        &mut self,
        name: &'static str,
        value: impl Into<Value>,
        text: impl Into<String>,
    ) -> &mut Report {
        self.entries.push(Entry { name, value: value.into(), text: text.into() });
        self
    }

    /// Adds a count of bytes.
    pub(crate) fn add_bytes(&mut self, name: &'static str, bytes: u64) -> &mut Report {
        self.add_as(name, bytes, size(bytes))
    }

    /// Adds a distance or the like.
    pub(crate) fn add_number(&mut self, name: &'static str, number: f64) -> &mut Report {
        self.add_as(name, number, format!("{number:.6}"))
    }

    /// Prints the report, with a name and its value on each line, or as one object.
    pub(crate) fn print(self, json: bool) -> Result<(), Failure> {
        let mut out = Out::new();
        match json {
            true => out.json(&self.into_json())?,
            false => self.print_lines(&mut out)?,
        }
        out.finish()
    }

    pub(crate) fn print_lines(&self, out: &mut Out) -> Result<(), Failure> {
        let width = self.entries.iter().map(|entry| entry.name.len()).max().unwrap_or(0);
        self.entries.iter().try_for_each(|Entry { name, text, .. }| {
            let name = name.replace('_', " ");
            out.line(&format!("{name:width$}  {text}"))
        })
    }

    pub(crate) fn into_json(self) -> Value {
        let entries = self.entries.into_iter().map(|entry| (entry.name.into(), entry.value));
        Value::Object(entries.collect::<Map<String, Value>>())
    }
}

/// Bytes in a unit that suits them.
pub(crate) fn size(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    let mut size = bytes as f64;
    let mut unit = "bytes";
    for larger in UNITS {
        if size < 1024.0 {
            break;
        }
        (size, unit) = (size / 1024.0, larger);
    }
    match unit {
        "bytes" => format!("{bytes} bytes"),
        unit => format!("{size:.1} {unit}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_units() {
        let sizes = [0, 1023, 1024, 1 << 20, 3 << 29].map(size);
        assert_eq!(sizes, ["0 bytes", "1023 bytes", "1.0 KiB", "1.0 MiB", "1.5 GiB"]);
    }
}
