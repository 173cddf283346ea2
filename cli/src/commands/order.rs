//! `vkd order`: diversity sequences, printed or into a results file.

use clap::Args;
use vkd::context::Destination;
use vkd::job::Output as Results;
use vkd::store::OutputFile;
use vkd::{Context, Embeddings, Input, Request};

use crate::arguments::corpus::{Corpus, Vectors};
use crate::arguments::output::{require_few, Output, Target};
use crate::arguments::run::{Device, Sequences};
use crate::failure::Failure;
use crate::interrupt;
use crate::show::report::Report;
use crate::show::rows::{Layout, Row, RowPrinter};
use crate::show::Show;

/// Order items by diversity: sequences of which each pick is the item most unlike those before it
///
/// A single sequence is printed one item a line, several one a line: ids with tabs between them
/// where the items have ids, else numbers from 0 with blanks.
#[derive(Debug, Args)]
pub(crate) struct Order {
    #[command(flatten)]
    corpus: Corpus,
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    vectors: Vectors,
    #[command(flatten)]
    sequences: Sequences,
    #[command(flatten)]
    device: Device,
}

impl Order {
    pub(crate) fn run(&self, show: &Show) -> Result<(), Failure> {
        let embeddings = self.corpus.open()?;
        let request = self.sequences.request(&embeddings)?;
        let target = self.output.target(&embeddings);
        if target == (Target::Print { is_asked_for: false }) && !self.sequences.are_chosen() {
            self.require_few(&request, &embeddings)?;
        }
        let run = Run { request, input: self.vectors.input(&embeddings), show };
        match target {
            Target::Print { .. } => {
                let layout = self.layout(&run.request, embeddings.shape().num_items)?;
                let context = self.device.open(show)?;
                run.print(&context, RowPrinter::new(layout, ids_of(&embeddings), "values"))
            }
            Target::File(file) => run.write(&self.device.open(show)?, &file, self.output.json),
        }
    }

    fn require_few(&self, request: &Request, embeddings: &Embeddings) -> Result<(), Failure> {
        let shape = request.shape(embeddings.shape().num_items)?;
        let instead = "name some with --starts, write a file with -o FILE, or print all with -o -";
        require_few(shape.count, shape.length, instead)
    }

    fn layout(&self, request: &Request, num_items: u32) -> Result<Layout, Failure> {
        let is_single = request.shape(num_items)?.count == 1;
        match (self.output.json, is_single) {
            (true, _) => Ok(Layout::Json),
            (false, true) => Ok(Layout::Items),
            (false, false) if request.values => Err(Failure::Usage(
                "values of several sequences are printed as JSON only; add --json".into(),
            )),
            (false, false) => Ok(Layout::Rows),
        }
    }
}

fn ids_of(embeddings: &Embeddings) -> Option<&vkd::Ids> {
    embeddings.ids().map(AsRef::as_ref)
}

/// A run that is ready to begin.
struct Run<'a> {
    request: Request,
    input: Input<'a>,
    show: &'a Show,
}

impl Run<'_> {
    fn print(self, context: &Context, mut printer: RowPrinter) -> Result<(), Failure> {
        let shape = self.request.shape(self.input.num_items)?;
        let job = context.start(&self.input, &self.request, Destination::Memory)?;
        let Results::Memory(found) = self.show.wait(job)? else { return Ok(()) };
        let length = shape.length as usize;
        for (number, items) in found.items.chunks(length).enumerate() {
            let values = found.values.chunks(length).nth(number).unwrap_or_default();
            printer.print(Row { number, items, values })?;
        }
        printer.finish()
    }

    fn write(self, context: &Context, file: &OutputFile, json: bool) -> Result<(), Failure> {
        let name = file.path.display();
        interrupt::leaves(format!(
            "what is done is kept in {name}.partial, and the same command goes on with it"
        ));
        let job = context.start(&self.input, &self.request, Destination::File(file))?;
        let is_there = job.progress().steps_total() == 0;
        self.show.wait(job)?;
        let shape = self.request.shape(self.input.num_items)?;
        let (count, length) = (shape.count, shape.length);
        let did = if is_there { "is whole already" } else { "is written" };
        self.show.note(&format!("{name} {did}: {count} sequences of {length} items"));
        let mut report = Report::default();
        report.add("file", name.to_string()).add("count", count).add("length", length);
        if json {
            report.print(true)
        } else {
            Ok(())
        }
    }
}
