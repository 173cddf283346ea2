//! `vkd verify`: whether results are right, and the numbers of them that one can publish.

use std::path::PathBuf;

use clap::Args;
use vkd::store::{NeighborsFile, ResultsKind, SequencesFile};
use vkd::verify::{coverage, verify, CoverageSample, Report, Sample};
use vkd::Embeddings;

use crate::arguments::corpus::Corpus;
use crate::failure::Failure;
use crate::show::report;

/// Check results against the embeddings they came from
///
/// Checked are the checksums of all rows, that the fingerprint and the ids are those of CORPUS, and
/// of a sample of picks how far each is from the best one, its regret. Then two numbers, both as
/// distances 1 - cosine: the covering radius, the largest distance of an item to the nearest pick,
/// and the spread, the smallest distance between two picks. The exit code is 1 where something is
/// wrong.
#[derive(Debug, Args)]
pub(crate) struct Verify {
    /// Results that `vkd order` or `vkd neighbors` wrote
    results: PathBuf,

    /// Sequences, spread over the file, whose picks are checked
    #[arg(long, value_name = "N", default_value = "16")]
    sequences: u32,

    /// Picks of each
    #[arg(long, value_name = "N", default_value = "64")]
    picks: u32,

    /// Sequences whose covering radius and spread are computed: the first, or so many spread over
    /// the file
    #[arg(long, value_name = "N", default_value = "1")]
    rows: u32,

    /// Items of each of these, from its first on
    #[arg(long, value_name = "N", default_value = "100")]
    first: u32,

    /// The mean regret that is still right. A single pick may have any where the centroid has
    /// next to no length
    #[arg(long, value_name = "DISTANCE", default_value = "0.1")]
    most_regret: f64,

    /// Print one JSON object
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    corpus: Corpus,
}

impl Verify {
    pub(crate) fn run(&self) -> Result<(), Failure> {
        let kind = ResultsKind::of(&self.results)?;
        let embeddings = self.corpus.open()?;
        match kind {
            ResultsKind::Sequences => self.sequences(&embeddings),
            ResultsKind::Neighbors => self.neighbors(&embeddings),
        }
    }

    fn sequences(&self, embeddings: &Embeddings) -> Result<(), Failure> {
        let file = SequencesFile::open(&self.results)?;
        let (elements, shape) = (embeddings.elements(), embeddings.shape());
        file.check(elements, shape, embeddings.ids().map(|ids| ids.as_slice()))?;
        let sample = Sample { sequences: self.sequences, picks: self.picks };
        let regrets = verify(&file, elements, shape, sample)?;
        if regrets.mean_regret > self.most_regret {
            return Err(self.wrong_picks(&regrets));
        }
        let sample = CoverageSample { rows: self.rows, first: self.first };
        let found = coverage(&file, elements, shape, sample)?;
        let mut report = begun(file.ids().is_some(), &file.meta().fingerprint);
        report.add("rule", file.meta().rule.name());
        report.add("rows_checked", file.meta().count);
        report.add("sequences_sampled", regrets.sequences).add("picks_sampled", regrets.picks);
        report.add_number("worst_regret", regrets.worst_regret);
        report.add_number("mean_regret", regrets.mean_regret);
        report.add("covering_rows", found.rows).add("covering_items", found.items);
        report.add_number("covering_radius", found.covering_radius);
        match found.spread {
            Some(spread) => report.add_number("spread", spread),
            None => report.add("spread", serde_json::Value::Null),
        };
        report.print(self.json)
    }

    fn wrong_picks(&self, found: &Report) -> Failure {
        let (path, most) = (self.results.display(), self.most_regret);
        let (mean, row, pick) = (found.mean_regret, found.worst_sequence, found.worst_pick);
        Failure::Failed(format!(
            "{path} has wrong picks, such as place {pick} of row {row} (from 0): their mean regret \
             is {mean:.6}, more than {most}; compute the file again"
        ))
    }

    fn neighbors(&self, embeddings: &Embeddings) -> Result<(), Failure> {
        let file = NeighborsFile::open(&self.results)?;
        let (elements, shape) = (embeddings.elements(), embeddings.shape());
        file.check(elements, shape, embeddings.ids().map(|ids| ids.as_slice()))?;
        file.verify()?;
        let mut report = begun(file.ids().is_some(), &file.meta().fingerprint);
        report.add("rows_checked", file.meta().count).add("k", file.meta().k);
        report.print(self.json)
    }
}

/// What both kinds of results have: all of it was checked by now.
fn begun(has_ids: bool, fingerprint: &str) -> report::Report {
    let mut report = report::Report::default();
    report.add_as("checksums", true, "right").add_as("embeddings", true, "the same");
    report.add("ids", has_ids).add("fingerprint", fingerprint);
    report
}
