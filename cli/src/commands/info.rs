//! `vkd info`: what is in a file.

use std::path::PathBuf;

use clap::Args;
use serde_json::Value;
use vkd::store::{
    NeighborsFile, NeighborsMeta, ResultsKind, SequencesFile, SequencesMeta, UnfinishedSequences,
};
use vkd::{Elements, Embeddings, Error, IdSlice};

use crate::arguments::corpus::Reading;
use crate::failure::Failure;
use crate::show::report::Report;

/// Ids that are shown.
const FIRST: usize = 3;

/// Say what a file holds: embeddings, or results (also those of a run that was interrupted)
#[derive(Debug, Args)]
pub(crate) struct Info {
    /// Embeddings or results; - reads embeddings from standard input
    file: PathBuf,

    /// Print one JSON object
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    reading: Reading,
}

impl Info {
    pub(crate) fn run(&self) -> Result<(), Failure> {
        let report = match ResultsKind::of(&self.file) {
            Ok(ResultsKind::Sequences) => self.sequences()?,
            Ok(ResultsKind::Neighbors) => neighbors(&NeighborsFile::open(&self.file)?),
            // Results by their header, but damaged.
            Err(error @ Error::BadFile { .. }) => return Err(error.into()),
            Err(_) => embeddings(&self.reading.open(&self.file)?),
        };
        report.print(self.json)
    }

    fn sequences(&self) -> Result<Report, Failure> {
        match UnfinishedSequences::read(&self.file)? {
            Some(found) => Ok(unfinished(&found)),
            None => Ok(sequences(&SequencesFile::open(&self.file)?)),
        }
    }
}

fn embeddings(embeddings: &Embeddings) -> Report {
    let shape = embeddings.shape();
    let element_type = match embeddings.elements() {
        Elements::F16(_) => "f16",
        Elements::F32(_) => "f32",
        Elements::F64(_) => "f64",
    };
    let mut report = Report::default();
    report.add("kind", "embeddings").add("format", embeddings.format());
    report.add("items", shape.num_items).add("dim", shape.dim).add("type", element_type);
    add_ids(&mut report, embeddings.ids().map(|ids| ids.as_slice()));
    report
}

fn sequences(file: &SequencesFile) -> Report {
    let mut report = of_meta(file.meta());
    add_ids(&mut report, file.ids());
    report.add("complete", true);
    report
}

fn unfinished(found: &UnfinishedSequences) -> Report {
    let mut report = of_meta(&found.meta);
    report.add("complete", false).add("rows_done", found.rows_done);
    report
}

fn of_meta(meta: &SequencesMeta) -> Report {
    let mut report = Report::default();
    report.add("kind", "sequences").add("rule", meta.rule.name());
    if let Some(lambda) = meta.rule.lambda() {
        report.add("lambda", lambda.value());
    }
    if let Some(part) = &meta.shard {
        report.add("shard", part.shard.to_string()).add("of_sequences", part.of_sequences);
    }
    report.add("count", meta.count).add("length", meta.length).add("head", meta.head);
    report.add("values", meta.values).add("items", meta.num_items);
    report.add("centered", meta.centered).add("fingerprint", meta.fingerprint.as_str());
    report.add("version", meta.version.as_str());
    report
}

fn neighbors(file: &NeighborsFile) -> Report {
    let NeighborsMeta { version, fingerprint, queries, centered, num_items, count, k } =
        file.meta();
    let mut report = Report::default();
    report.add("kind", "neighbors").add("count", *count).add("k", *k).add("items", *num_items);
    let queries = (!queries.is_empty()).then(|| Value::from(queries.as_str()));
    report.add("queries", queries).add("centered", *centered);
    report.add("fingerprint", fingerprint.as_str()).add("version", version.as_str());
    add_ids(&mut report, file.ids());
    report.add("complete", true);
    report
}

fn add_ids(report: &mut Report, ids: Option<IdSlice>) {
    report.add("ids", ids.is_some());
    if let Some(ids) = ids {
        let first: Vec<&str> = ids.iter().take(FIRST).collect();
        report.add_as("first_ids", first.clone(), first.join(", "));
    }
}
