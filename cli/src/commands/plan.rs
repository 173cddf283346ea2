//! `vkd plan`: what a run would take, before it is begun.

use clap::Args;
use serde_json::Value;
use vkd::context::{Destination, NeighborsRequest, RunPlan};
use vkd::engine::RowSource;
use vkd::{Context, Embeddings};

use crate::arguments::corpus::{Corpus, Vectors};
use crate::arguments::output::{Output, Target};
use crate::arguments::run::{Device, Sequences};
use crate::failure::Failure;
use crate::show::report::Report;

/// Say what `vkd order`, or with -k `vkd neighbors`, would take with the same options
///
/// Nothing is computed or written. What the device or the memory cannot do is refused as the run
/// itself would be.
#[derive(Debug, Args)]
pub(crate) struct Plan {
    /// Plan a search for so many neighbours of each item
    #[arg(short, value_name = "K", value_parser = clap::value_parser!(u32).range(1..),
          conflicts_with_all = ["length", "starts", "heads", "values", "lambda"])]
    k: Option<u32>,

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

impl Plan {
    pub(crate) fn run(&self) -> Result<(), Failure> {
        let embeddings = self.corpus.open()?;
        let request = self.sequences.request(&embeddings)?;
        let context = self.device.open_quietly()?;
        let target = self.output.target(&embeddings);
        let to = match &target {
            Target::Print { .. } => Destination::Memory,
            Target::File(file) => Destination::File(file),
        };
        let plan = match self.k {
            None => context.plan(embeddings.shape(), &request, to)?,
            Some(k) => self.plan_neighbors(&context, &embeddings, k, to)?,
        };
        report(&context, &plan).print(self.output.json)
    }

    fn plan_neighbors(
        &self,
        context: &Context,
        embeddings: &Embeddings,
        k: u32,
        to: Destination,
    ) -> Result<RunPlan, Failure> {
        let input = self.vectors.input(embeddings);
        let request = NeighborsRequest { input, k, queries: None };
        Ok(context.plan_neighbors(&request.shape(), to)?)
    }
}

fn report(context: &Context, plan: &RunPlan) -> Report {
    let mut report = Report::default();
    let engine = &plan.engine;
    report.add("device", context.info().name.as_str());
    report.add("rows", plan.rows).add("steps", plan.steps);
    match engine.row_source {
        Some(source) => report.add("row_source", name(source)),
        None => report.add("row_source", Value::Null),
    };
    report.add("held_rows", engine.held_rows);
    report.add("multiply_adds", engine.multiply_adds);
    report.add("groups", engine.groups).add("dispatches", engine.dispatches);
    report.add_bytes("corpus_bytes", plan.corpus_bytes.get());
    report.add_bytes("host_bytes", plan.host_bytes.get());
    report.add_bytes("device_bytes", engine.device_bytes.get());
    report.add_bytes("output_bytes", plan.output_bytes.get());
    report
}

fn name(source: RowSource) -> &'static str {
    match source {
        RowSource::Matrix => "matrix",
        RowSource::Cache => "cache",
        RowSource::Direct => "direct",
        RowSource::Lazy => "lazy",
    }
}
