//! `vkd similarity`: the similarities of all pairs, as a matrix.

use std::path::{Path, PathBuf};

use clap::Args;
use vkd::context::NeighborsRequest;
use vkd::embeddings::write_npy;
use vkd::engine::Pairs;
use vkd::store::OutputFile;
use vkd::{Context, Elements, Embeddings, Input, Shape};

use super::neighbors::rows_of;
use crate::arguments::corpus::{Corpus, Vectors};
use crate::arguments::output::require_few;
use crate::arguments::run::Device;
use crate::failure::Failure;
use crate::interrupt;
use crate::show::out::Out;
use crate::show::Show;

/// Compute the cosine similarities of all pairs of items, or of the items with those of B
///
/// A row is an item of CORPUS, a column one of B (or of CORPUS). Printed are rows as lines, with
/// tabs between numbers.
#[derive(Debug, Args)]
pub(crate) struct Similarity {
    /// Embeddings to compare with, instead of the items themselves; --center subtracts their mean
    #[arg(value_name = "B", index = 2)]
    others: Option<PathBuf>,

    /// Write an npy file of 32-bit floats. - prints all rows [default: print them]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,

    #[command(flatten)]
    corpus: Corpus,
    #[command(flatten)]
    vectors: Vectors,
    #[command(flatten)]
    device: Device,
}

/// Similarities, row after row.
struct Matrix {
    values: Vec<f32>,
    columns: u32,
}

impl Similarity {
    pub(crate) fn run(&self, show: &Show) -> Result<(), Failure> {
        let embeddings = self.corpus.open()?;
        let others = self.others.as_deref().map(|path| self.corpus.reading.open_others(path));
        let others = others.transpose()?;
        let rows = embeddings.shape().num_items;
        let columns = others.as_ref().map_or(rows, |others| others.shape().num_items);
        if self.output.is_none() {
            let instead = "write a file with -o FILE.npy, or print all with -o -";
            require_few(rows, columns, instead)?;
        }
        let context = self.device.open(show)?;
        let values = match &others {
            None => within(&context, &self.vectors.input(&embeddings), show)?,
            Some(others) => between(&context, &self.vectors.input(others), &embeddings, show)?,
        };
        self.put(&Matrix { values, columns }, show)
    }

    fn put(&self, matrix: &Matrix, show: &Show) -> Result<(), Failure> {
        match &self.output {
            Some(path) if path != Path::new("-") => {
                let rows = matrix.rows().len() as u32;
                let file = OutputFile { path: path.clone(), overwrite: false, ids: None };
                let shape = Shape::new(rows, matrix.columns);
                interrupt::leaves(format!("{} is not there", path.display()));
                write_npy(&file, Elements::F32(&matrix.values), shape)?;
                show.note(&format!("{} is written: {rows} x {}", path.display(), matrix.columns));
                Ok(())
            }
            _ => matrix.print(),
        }
    }
}

impl Matrix {
    fn rows(&self) -> std::slice::Chunks<'_, f32> {
        self.values.chunks(self.columns as usize)
    }

    fn print(&self) -> Result<(), Failure> {
        let mut out = Out::new();
        for row in self.rows() {
            let numbers: Vec<String> = row.iter().map(f32::to_string).collect();
            out.line(&numbers.join("\t"))?;
        }
        out.finish()
    }
}

/// Of all pairs of items.
fn within(context: &Context, input: &Input, show: &Show) -> Result<Vec<f32>, Failure> {
    show.wait(context.start_similarity(input, Pairs::All)?)
}

/// Of the rows of `queries` with all items: each row's neighbours are all of them, which are put
/// back in their order.
fn between(
    context: &Context,
    input: &Input,
    queries: &Embeddings,
    show: &Show,
) -> Result<Vec<f32>, Failure> {
    let queries = Some(rows_of(queries, input.dim)?);
    let request = NeighborsRequest { input: *input, k: input.num_items, queries };
    let job = context.start_neighbors(&request, vkd::context::Destination::Memory)?;
    let vkd::job::Output::Memory(found) = show.wait(job)? else { return Ok(Vec::new()) };
    let mut values = vec![0.0; found.indices.len()];
    let numbered = found.indices.iter().zip(found.similarities()).enumerate();
    for (place, (&item, similarity)) in numbered {
        let begin = place - place % found.k as usize;
        values[begin + item as usize] = similarity;
    }
    Ok(values)
}
