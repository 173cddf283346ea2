//! What doctor finds: one line each, in blocks, as text and as JSON.

use serde_json::{json, Value};

/// How a finding is to be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Level {
    Ok,
    /// Nothing is wrong, but it explains something.
    Note,
    /// To be put right: the command fails.
    Wrong,
}

impl Level {
    fn name(self) -> &'static str {
        match self {
            Level::Ok => "ok",
            Level::Note => "note",
            Level::Wrong => "WRONG",
        }
    }
}

/// A line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Finding {
    pub(crate) level: Level,
    pub(crate) text: String,
    /// What to install or run.
    pub(crate) next: Option<String>,
}

impl Finding {
    pub(crate) fn ok(text: impl Into<String>) -> Finding {
        Finding { level: Level::Ok, text: text.into(), next: None }
    }

    pub(crate) fn note(text: impl Into<String>) -> Finding {
        Finding { level: Level::Note, text: text.into(), next: None }
    }

    pub(crate) fn wrong(text: impl Into<String>, next: impl Into<String>) -> Finding {
        Finding { level: Level::Wrong, text: text.into(), next: Some(next.into()) }
    }

    /// Names of drivers, files and variables may hold anything: it stays one line.
    fn line(&self) -> String {
        let next = self.next.as_deref().map(|next| format!("; {next}")).unwrap_or_default();
        let text = format!("{}{next}", self.text);
        let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        format!("  {:<5}  {text}\n", self.level.name())
    }

    fn json(&self) -> Value {
        json!({ "level": self.level.name(), "text": self.text, "next": self.next })
    }
}

/// What was found of one thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Block {
    pub(crate) title: &'static str,
    pub(crate) findings: Vec<Finding>,
}

impl Block {
    pub(crate) fn text(&self) -> String {
        let lines: String = self.findings.iter().map(Finding::line).collect();
        format!("{}\n{lines}", self.title)
    }

    pub(crate) fn json(&self) -> Value {
        let findings: Vec<Value> = self.findings.iter().map(Finding::json).collect();
        json!({ "title": self.title, "findings": findings })
    }

    pub(crate) fn wrong(&self) -> usize {
        self.findings.iter().filter(|finding| finding.level == Level::Wrong).count()
    }
}

/// A size with a unit, as short as it can be.
pub(crate) fn size(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["kB", "MB", "GB", "TB", "PB"];
    if bytes < 1000 {
        return format!("{bytes} bytes");
    }
    let mut number = bytes as f64 / 1e3;
    let mut unit = 0;
    while number >= 999.95 && unit + 1 < UNITS.len() {
        number /= 1e3;
        unit += 1;
    }
    format!("{number:.1} {}", UNITS[unit])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_is_one_line_whatever_it_names() {
        let finding = Finding::wrong("a\nb", "install\tc");
        assert_eq!(finding.line(), "  WRONG  a b; install c\n");
        assert_eq!(Finding::ok("x").line(), "  ok     x\n");
    }

    #[test]
    fn sizes_have_a_unit() {
        let sizes = [999, 1000, 128 << 20, 23_600_000_000].map(size);
        assert_eq!(sizes, ["999 bytes", "1.0 kB", "134.2 MB", "23.6 GB"]);
    }
}
