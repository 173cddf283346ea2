//! `vkd neighbors`: the most similar items of each, printed or into a results file.

use std::path::PathBuf;

use clap::Args;
use vkd::context::{Destination, NeighborsRequest};
use vkd::job::Output as Results;
use vkd::store::OutputFile;
use vkd::{Context, Embeddings};

use crate::arguments::corpus::{Corpus, Vectors};
use crate::arguments::output::{require_few, Output, Target};
use crate::arguments::run::Device;
use crate::failure::Failure;
use crate::interrupt;
use crate::show::report::Report;
use crate::show::rows::{Layout, Row, RowPrinter};
use crate::show::Show;

/// Find the most similar items of every item, or of queries
///
/// Each row is printed as a line: ids with tabs between them where the items have ids, else numbers
/// from 0 with blanks. --json adds the similarities.
#[derive(Debug, Args)]
pub(crate) struct Neighbors {
    /// Neighbours of each
    #[arg(short, value_name = "K", value_parser = clap::value_parser!(u32).range(1..))]
    k: u32,

    /// Embeddings to find neighbours of, instead of the items themselves
    #[arg(long, value_name = "FILE")]
    queries: Option<PathBuf>,

    #[command(flatten)]
    corpus: Corpus,
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    vectors: Vectors,
    #[command(flatten)]
    device: Device,
}

impl Neighbors {
    pub(crate) fn run(&self, show: &Show) -> Result<(), Failure> {
        let embeddings = self.corpus.open()?;
        let queries = self.queries.as_deref().map(|path| self.corpus.reading.open_others(path));
        let queries = queries.transpose()?;
        let dim = embeddings.shape().dim;
        let request = NeighborsRequest {
            input: self.vectors.input(&embeddings),
            k: self.k,
            queries: queries.as_ref().map(|queries| rows_of(queries, dim)).transpose()?,
        };
        match self.output.target(&embeddings) {
            Target::Print { is_asked_for } => {
                if !is_asked_for {
                    let instead = "write a file with -o FILE, or print all with -o -";
                    require_few(request.shape().num_rows, self.k, instead)?;
                }
                let layout = if self.output.json { Layout::Json } else { Layout::Rows };
                let ids = embeddings.ids().map(AsRef::as_ref);
                let printer = RowPrinter::new(layout, ids, "similarities");
                print(&self.device.open(show)?, &request, printer, show)
            }
            Target::File(file) => self.write(&self.device.open(show)?, &request, &file, show),
        }
    }

    fn write(
        &self,
        context: &Context,
        request: &NeighborsRequest,
        file: &OutputFile,
        show: &Show,
    ) -> Result<(), Failure> {
        let (name, count) = (file.path.display(), request.shape().num_rows);
        interrupt::leaves(format!("{name} is as it was before: the same command begins anew"));
        let job = context.start_neighbors(request, Destination::File(file))?;
        let is_there = job.progress().steps_total() == 0;
        show.wait(job)?;
        let did = if is_there { "is whole already" } else { "is written" };
        show.note(&format!("{name} {did}: {} neighbours of {count} rows", self.k));
        let mut report = Report::default();
        report.add("file", name.to_string()).add("count", count).add("k", self.k);
        if self.output.json {
            report.print(true)
        } else {
            Ok(())
        }
    }
}

fn print(
    context: &Context,
    request: &NeighborsRequest,
    mut printer: RowPrinter,
    show: &Show,
) -> Result<(), Failure> {
    let job = context.start_neighbors(request, Destination::Memory)?;
    let Results::Memory(found) = show.wait(job)? else { return Ok(()) };
    let values: Vec<f32> = found.similarities().collect();
    let k = found.k as usize;
    for (number, items) in found.indices.chunks(k).enumerate() {
        printer.print(Row { number, items, values: &values[number * k..][..k] })?;
    }
    printer.finish()
}

/// Queries as the library takes them, for items of so many dimensions.
pub(crate) fn rows_of(
    queries: &Embeddings,
    corpus_dim: u32,
) -> Result<(vkd::Elements<'_>, u32), Failure> {
    match queries.shape().dim {
        dim if dim != corpus_dim => Err(vkd::Error::QueryDim { dim, corpus_dim }.into()),
        _ => Ok((queries.elements(), queries.shape().num_items)),
    }
}
