//! Rows of items on standard output: as ids where the items have some, else as numbers from 0.
//!
//! A single sequence is one item a line, several are one row a line; with numbers blanks stand
//! between items, with ids tabs. JSON has an object for each row, with the numbers and the ids.

use serde_json::Value;
use vkd::Ids;

use super::out::Out;
use crate::failure::Failure;

/// How rows are laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Layout {
    /// One item a line, with its number behind a tab where it has one.
    Items,
    /// One row a line.
    Rows,
    /// One JSON object a line.
    Json,
}

/// A row.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Row<'a> {
    pub(crate) number: usize,
    pub(crate) items: &'a [u32],
    /// A number for each item, or nothing.
    pub(crate) values: &'a [f32],
}

/// Prints rows one by one.
pub(crate) struct RowPrinter<'a> {
    out: Out,
    ids: Option<&'a Ids>,
    layout: Layout,
    /// What the values are called.
    values: &'static str,
}

impl<'a> RowPrinter<'a> {
    pub(crate) fn new(layout: Layout, ids: Option<&'a Ids>, values: &'static str) -> Self {
        RowPrinter { out: Out::new(), ids, layout, values }
    }

    pub(crate) fn print(&mut self, row: Row) -> Result<(), Failure> {
        match self.layout {
            Layout::Items => self.print_items(row),
            Layout::Rows => self.print_row(row),
            Layout::Json => self.print_json(row),
        }
    }

    pub(crate) fn finish(self) -> Result<(), Failure> {
        self.out.finish()
    }

    fn print_items(&mut self, row: Row) -> Result<(), Failure> {
        for (place, &item) in row.items.iter().enumerate() {
            let name = self.name(item);
            match row.values.get(place) {
                Some(value) => self.out.line(&format!("{name}\t{value}"))?,
                None => self.out.line(&name)?,
            }
        }
        Ok(())
    }

    fn print_row(&mut self, row: Row) -> Result<(), Failure> {
        let between = if self.ids.is_some() { "\t" } else { " " };
        let names: Vec<String> = row.items.iter().map(|&item| self.name(item)).collect();
        self.out.line(&names.join(between))
    }

    /// As text at once: a `Value` would widen the floats, and write digits that say nothing.
    fn print_json(&mut self, row: Row) -> Result<(), Failure> {
        let mut line = format!("{{\"row\":{},\"items\":{}", row.number, list(row.items));
        if let Some(ids) = self.ids {
            let ids = row.items.iter().map(|&item| Value::from(ids.get(item)));
            line += &format!(",\"ids\":{}", list(ids));
        }
        if !row.values.is_empty() {
            line += &format!(",\"{}\":{}", self.values, list(row.values));
        }
        self.out.line(&(line + "}"))
    }

    fn name(&self, item: u32) -> String {
        self.ids.and_then(|ids| ids.get(item)).map_or_else(|| item.to_string(), String::from)
    }
}

/// A list in JSON, of what is JSON as it is printed.
fn list<T: ToString>(values: impl IntoIterator<Item = T>) -> String {
    let values: Vec<String> = values.into_iter().map(|value| value.to_string()).collect();
    format!("[{}]", values.join(","))
}
