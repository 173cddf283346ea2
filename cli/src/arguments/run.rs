//! What is to be computed, and on which device.

use clap::Args;
use vkd::{Bytes, Context, ContextOptions, Embeddings, Request, Rule, Shard};

use super::items;
use crate::failure::Failure;
use crate::shard;
use crate::show::Show;

/// Which sequences to compute.
#[derive(Debug, Args)]
#[command(next_help_heading = "Sequences")]
pub(crate) struct Sequences {
    #[command(flatten)]
    rule: RuleArguments,

    /// Items of each sequence, its head included [default: all]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    length: Option<u32>,

    /// Items that sequences start from: 0,7,10-20,sea,id:42,@FILE, or all [default: all]
    #[arg(long, value_name = "ITEMS", conflicts_with = "heads")]
    starts: Option<String>,

    /// Several items that each sequence begins with: "1,2,3;4,5,6", or @FILE with a head a line
    #[arg(long, value_name = "ITEMS")]
    heads: Option<String>,

    /// Add a value to each place: how similar the pick is to those before it (see docs/rules.md)
    #[arg(long)]
    values: bool,

    /// Only part I of N of these sequences, which `vkd merge` puts together; auto: the one of this
    /// job in an array of Slurm or Kubernetes
    #[arg(long, value_name = "I/N", value_parser = shard::parse)]
    shard: Option<Shard>,
}

impl Sequences {
    pub(crate) fn request(&self, embeddings: &Embeddings) -> Result<Request, Failure> {
        let rule = self.rule.rule()?;
        let starts = self.starts.as_deref().map(|list| items::starts(list, embeddings));
        let heads = self.heads.as_deref().map(|lists| items::heads(lists, embeddings));
        Ok(Request {
            starts: starts.transpose()?.flatten(),
            heads: heads.transpose()?,
            length: self.length.unwrap_or(0),
            rule,
            values: self.values,
            shard: self.shard,
        })
    }

    /// Whether it is said which items sequences start from.
    pub(crate) fn are_chosen(&self) -> bool {
        self.starts.is_some() || self.heads.is_some()
    }
}

/// A rule with its number.
#[derive(Debug, Args)]
pub(crate) struct RuleArguments {
    /// What a sequence asks of its next item: to be far from the centroid of those so far
    /// (centroid), far from each of them (farthest), like the first and unlike the others (mmr), or
    /// near the last one (chain)
    #[arg(long, value_name = "RULE", default_value = "centroid",
          value_parser = Rule::NAMES)]
    rule: String,

    /// Of mmr: the weight of likeness to the first item, 0 to 1 [default: 0.5]
    #[arg(long, value_name = "L")]
    lambda: Option<f64>,
}

impl RuleArguments {
    pub(crate) fn rule(&self) -> Result<Rule, Failure> {
        Rule::new(&self.rule, self.lambda).map_err(|error| Failure::usage(&error))
    }
}

/// The device, and what it may take.
#[derive(Debug, Args)]
#[command(next_help_heading = "Device")]
pub(crate) struct Device {
    /// Device by number, name or UUID, several with + between them, or all (see vkd devices)
    /// [default: VKD_DEVICE, or the best]
    #[arg(long, value_name = "DEVICE")]
    device: Option<String>,

    /// The most memory that the run may take, such as 500M or 2GiB [default: what is free]
    #[arg(long, value_name = "SIZE")]
    memory_limit: Option<Bytes>,
}

impl Device {
    /// Opens the device; tells of better ones that could not be opened.
    pub(crate) fn open(&self, show: &Show) -> Result<Context, Failure> {
        let context = self.open_quietly()?;
        for passed in context.passed_over() {
            show.note(&format!("{} is passed over: {}", passed.device, passed.reason));
        }
        Ok(context)
    }

    pub(crate) fn open_quietly(&self) -> Result<Context, Failure> {
        let memory_limit = self.memory_limit.map(Bytes::get);
        let options =
            ContextOptions { device: self.device.clone(), memory_limit, ..Default::default() };
        Ok(Context::new(&options)?)
    }
}
