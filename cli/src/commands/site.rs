//! `vkd site`: the JSON pages of a website, from embeddings or from results.
//!
//! FOLDER/similar/ID.json has the neighbours of an item, FOLDER/different/ID.json its sequence (of
//! other rules scattered, related or journey).

use std::fs;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use vkd::context::{start_site_write, Destination, NeighborsRequest};
use vkd::job::Output as Results;
use vkd::site::{self, List, Source};
use vkd::store::ResultsKind;
use vkd::{Context, Embeddings, Error, Input, Request, Rule};

use crate::arguments::corpus::{Corpus, Vectors};
use crate::arguments::run::{Device, RuleArguments};
use crate::failure::Failure;
use crate::interrupt;
use crate::show::Show;

/// Entries of a page where nothing is said.
const ENTRIES: u32 = 10;

/// Write the pages of a website: for each item a JSON file of similar and one of different items
///
/// CORPUS may also be results that `vkd order` or `vkd neighbors` wrote; then the pages are of
/// these.
#[derive(Debug, Args)]
pub(crate) struct Site {
    /// Folder to write to: FOLDER/similar/ID.json and FOLDER/different/ID.json
    #[arg(short, long, value_name = "FOLDER")]
    output: PathBuf,

    /// Entries of each page [default: 10; of results all]
    #[arg(short, value_name = "K", value_parser = clap::value_parser!(u32).range(1..))]
    k: Option<u32>,

    /// Write only these pages
    #[arg(long, value_name = "LIST")]
    only: Option<Only>,

    /// Write the file FOLDER/similar.json (or different.json) of all rows, too
    #[arg(long)]
    rankings: bool,

    /// Text file with a JSON value for each item on a line, which goes into its pages
    #[arg(long, value_name = "FILE")]
    metadata: Option<PathBuf>,

    #[command(flatten)]
    rule: RuleArguments,
    #[command(flatten)]
    corpus: Corpus,
    #[command(flatten)]
    vectors: Vectors,
    #[command(flatten)]
    device: Device,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Only {
    /// The neighbours of each item.
    Similar,
    /// Its sequence.
    Sequences,
}

impl Site {
    pub(crate) fn run(&self, show: &Show) -> Result<(), Failure> {
        interrupt::leaves("pages that are whole stay; the same command begins anew".into());
        match ResultsKind::of(self.corpus.path()) {
            Ok(_) => self.write_results(show),
            // Results by their header, but damaged.
            Err(error @ Error::BadFile { .. }) => Err(error.into()),
            Err(_) => self.write_corpus(show),
        }
    }

    fn write_results(&self, show: &Show) -> Result<(), Failure> {
        let source = Source::open(self.corpus.path())?;
        let list = match &source {
            Source::SequencesFile(file) => List::Picks(file.meta().rule),
            _ => List::Similar,
        };
        let site = site::Site { top: self.k.unwrap_or(0), ..self.site(list, None)? };
        show.wait(start_site_write(source, site)?)?;
        self.note(list, show);
        Ok(())
    }

    fn write_corpus(&self, show: &Show) -> Result<(), Failure> {
        let embeddings = self.corpus.open()?;
        let rule = self.rule.rule()?;
        let input = self.vectors.input(&embeddings);
        let context = self.device.open(show)?;
        let pages = Pages { site: self, context, embeddings: &embeddings, input, show };
        if self.only != Some(Only::Sequences) {
            pages.write_similar()?;
        }
        if self.only != Some(Only::Similar) {
            pages.write_sequences(rule)?;
        }
        Ok(())
    }

    /// What is to be written of a list.
    fn site(&self, list: List, embeddings: Option<&Embeddings>) -> Result<site::Site, Failure> {
        let name = list.name();
        let ids = embeddings.and_then(Embeddings::ids);
        let metadata = self.metadata.as_deref().map(lines).transpose()?;
        Ok(site::Site {
            directory: Some(self.output.join(name)),
            rankings: self.rankings.then(|| self.output.join(format!("{name}.json"))),
            ids: ids.map(|ids| ids.iter().map(String::from).collect()),
            metadata,
            ..site::Site::default()
        })
    }

    fn note(&self, list: List, show: &Show) {
        show.note(&format!("{} is written", self.output.join(list.name()).display()));
    }
}

/// The pages of a corpus.
struct Pages<'a> {
    site: &'a Site,
    context: Context,
    embeddings: &'a Embeddings,
    input: Input<'a>,
    show: &'a Show,
}

impl Pages<'_> {
    fn write_similar(&self) -> Result<(), Failure> {
        let site = self.site.site(List::Similar, Some(self.embeddings))?;
        let request = NeighborsRequest { input: self.input, k: self.entries(), queries: None };
        self.show.wait(self.context.start_site(&request, site)?)?;
        self.site.note(List::Similar, self.show);
        Ok(())
    }

    fn write_sequences(&self, rule: Rule) -> Result<(), Failure> {
        let site = self.site.site(List::Picks(rule), Some(self.embeddings))?;
        // The start stands before its page's entries.
        let length = self.entries() + 1;
        let request = Request { length, rule, ..Request::default() };
        let job = self.context.start(&self.input, &request, Destination::Memory)?;
        let Results::Memory(found) = self.show.wait(job)? else { return Ok(()) };
        let (num_items, items) = (self.input.num_items, found.items);
        let source = Source::Sequences { num_items, length, items, rule };
        self.show.wait(start_site_write(source, site)?)?;
        self.site.note(List::Picks(rule), self.show);
        Ok(())
    }

    /// Entries of each page: as many as were asked for, else what is usual and there.
    fn entries(&self) -> u32 {
        let others = self.input.num_items.saturating_sub(1).max(1);
        self.site.k.unwrap_or(ENTRIES.min(others))
    }
}

/// The lines of a text file.
fn lines(path: &Path) -> Result<Vec<String>, Failure> {
    let text = fs::read_to_string(path).map_err(|error| {
        let path = path.display();
        Failure::Failed(format!("cannot read {path}: {error}; name a text file of JSON values"))
    })?;
    Ok(text.lines().map(String::from).collect())
}
