//! Files that are to be the parts of one run: open, in order, and all of them.
//!
//! What is wrong is told at once: each file that is of another run, or that is there twice, and the
//! numbers of all parts that are missing. The run is the one that most of the files are of.

use std::path::{Path, PathBuf};

use super::format::SequencesMeta;
use super::reader::SequencesFile;
use super::shard::{heads_hash, ShardMeta};
use super::writer::Contents;
use crate::error::{Error, Result};
use crate::ids::IdSlice;
use crate::shard::Shard;
use crate::store::errors::require_same;
use crate::store::ids::require_same_ids;
use crate::units;

/// All parts of one run, each once and in their order.
#[derive(Debug)]
pub(crate) struct Parts {
    files: Vec<SequencesFile>,
    /// What the whole is.
    meta: SequencesMeta,
}

impl Parts {
    /// Opens the parts of a run, given in any order. Looks at headers, ids and heads.
    pub(crate) fn open(paths: &[PathBuf]) -> Result<Parts> {
        if paths.is_empty() {
            return Err(Error::ZeroSize { name: "num_parts" });
        }
        let mut files = paths.iter().map(|path| open(path)).collect::<Result<Vec<_>>>()?;
        let like = most_common(&files);
        let mut faults = Vec::new();
        for file in &files {
            faults.extend(fault_of(file, like.map(|like| &files[like]))?);
            file.release();
        }
        if !faults.is_empty() {
            return Err(not_whole(&faults));
        }
        // All are parts, or there is a fault.
        files.sort_by_key(|file| shard_of(file).map_or(0, Shard::index));
        faults.extend(doubled(&files));
        faults.extend(missing(&files));
        if !faults.is_empty() {
            return Err(not_whole(&faults));
        }
        let meta = whole(&files)?;
        Ok(Parts { files, meta })
    }

    /// Refuses other ids than those of the parts; `None`: any.
    pub(crate) fn require_ids(&self, ids: Option<IdSlice>) -> Result<()> {
        let require = |file: &SequencesFile| require_same_ids(file.path(), file.ids(), ids);
        self.files.first().map_or(Ok(()), require)
    }

    /// What the whole is.
    pub(super) fn meta(&self) -> &SequencesMeta {
        &self.meta
    }

    /// The ids of the items.
    pub(super) fn ids(&self) -> Option<IdSlice<'_>> {
        self.files.first().and_then(SequencesFile::ids)
    }

    /// The items of all heads of the whole.
    pub(super) fn heads(&self) -> impl Iterator<Item = u32> + '_ {
        all_heads(&self.files)
    }

    /// The files in order, for one who is done with each behind the other.
    pub(super) fn into_files(self) -> impl Iterator<Item = SequencesFile> {
        self.files.into_iter()
    }
}

fn open(path: &Path) -> Result<SequencesFile> {
    let file = SequencesFile::open(path)?;
    file.release();
    Ok(file)
}

fn shard_of(file: &SequencesFile) -> Option<Shard> {
    file.meta().shard.as_ref().map(|part| part.shard)
}

/// What all parts of a run have in common, as the metadata of its only part; `None` for a file that
/// is no part. How many parts there are stands beside.
fn common(file: &SequencesFile) -> Option<(SequencesMeta, u32)> {
    let ShardMeta { shard, of_sequences, of_heads } = file.meta().shard.clone()?;
    let only = ShardMeta { shard: Shard::new(1, 1).ok()?, of_sequences, of_heads };
    let (version, count) = (String::new(), of_sequences);
    Some((
        SequencesMeta { version, count, shard: Some(only), ..file.meta().clone() },
        shard.count(),
    ))
}

/// The first of the files of the run that most are of; `None` where no file is a part.
fn most_common(files: &[SequencesFile]) -> Option<usize> {
    let mut runs: Vec<(usize, _, u32)> = Vec::new();
    for (index, file) in files.iter().enumerate() {
        let Some(run) = common(file) else { continue };
        match runs.iter_mut().find(|(_, other, _)| *other == run) {
            Some((_, _, count)) => *count += 1,
            None => runs.push((index, run, 1)),
        }
    }
    let most = runs.iter().map(|&(_, _, count)| count).max();
    runs.iter().find(|&&(_, _, count)| Some(count) == most).map(|&(index, ..)| index)
}

/// Why a file is of another run than `like`, if it is.
fn fault_of(file: &SequencesFile, like: Option<&SequencesFile>) -> Result<Option<String>> {
    let path = file.path().display();
    let (Some(found), Some(like)) = (common(file), like) else {
        return Ok(Some(format!("{path} holds a whole run, no part of one")));
    };
    let Some(wanted) = common(like) else { return Ok(None) };
    match require_common(file, &found, like, &wanted) {
        Err(Error::FileMismatch { what, found, wanted, .. }) => {
            let [found, wanted] = [found, wanted].map(|text| units::quoted(&text));
            let like = like.path().display();
            Ok(Some(format!("the {what} of {path} is {found}, that of {like} is {wanted}")))
        }
        other => other.map(|()| None),
    }
}

fn require_common(
    file: &SequencesFile,
    (found, found_parts): &(SequencesMeta, u32),
    like: &SequencesFile,
    (wanted, wanted_parts): &(SequencesMeta, u32),
) -> Result<()> {
    let path = file.path();
    let contents = |meta, ids| Contents { meta, heads: &[], ids };
    contents(found, file.ids()).require(&contents(wanted, like.ids()), path)?;
    let ids = |file: &SequencesFile| units::count(file.ids().map_or(0, |ids| ids.len() as u64));
    require_same(path, "number of ids", &ids(file), &ids(like))?;
    require_same(path, "length", &found.length, &wanted.length)?;
    require_same(path, "number of parts", found_parts, wanted_parts)
}

/// Parts that are there twice, among files that are in order.
fn doubled(files: &[SequencesFile]) -> impl Iterator<Item = String> + '_ {
    files.windows(2).filter(|pair| shard_of(&pair[0]) == shard_of(&pair[1])).map(|pair| {
        let [first, second] = [&pair[0], &pair[1]].map(|file| file.path().display());
        let part = shard_of(&pair[0]).map_or(String::new(), |shard| shard.to_string());
        format!("{first} and {second} are both part {part}")
    })
}

/// The parts that are not there, if any, among files that are in order.
fn missing(files: &[SequencesFile]) -> Option<String> {
    let count = files.first().and_then(shard_of)?.count();
    let (mut gaps, mut next) = (Vec::new(), 1);
    let there = files.iter().filter_map(shard_of).map(Shard::index);
    for index in there.map(u64::from).chain([u64::from(count) + 1]) {
        match index.saturating_sub(next) {
            0 => {}
            1 => gaps.push(next.to_string()),
            2 => gaps.extend([next.to_string(), (next + 1).to_string()]),
            _ => gaps.push(format!("{next} to {}", index - 1)),
        }
        next = index + 1;
    }
    let last = gaps.pop()?;
    let (parts, is) = match gaps.is_empty() && !last.contains(' ') {
        true => ("part", "is"),
        false => ("parts", "are"),
    };
    let list = if gaps.is_empty() { last } else { format!("{} and {last}", gaps.join(", ")) };
    Some(format!("{parts} {list} of {count} {is} missing"))
}

/// What the whole is of all its parts; refused where they do not begin with what they say.
fn whole(files: &[SequencesFile]) -> Result<SequencesMeta> {
    let no_part = || Error::Internal { detail: "a merge of no parts".into() };
    let first = files.first().ok_or_else(no_part)?.meta();
    let ShardMeta { of_sequences, of_heads, .. } = first.shard.clone().ok_or_else(no_part)?;
    let found = heads_hash(all_heads(files));
    files.iter().for_each(SequencesFile::release);
    if found != of_heads {
        let fault = format!(
            "the hash of all they begin with is {found}, by their headers it is {of_heads}"
        );
        return Err(not_whole(&[fault]));
    }
    let all_agree = files.iter().all(|file| file.meta().version == first.version);
    let ours = || env!("CARGO_PKG_VERSION").to_owned();
    let version = if all_agree { first.version.clone() } else { ours() };
    Ok(SequencesMeta { version, count: of_sequences, shard: None, ..first.clone() })
}

fn all_heads(files: &[SequencesFile]) -> impl Iterator<Item = u32> + '_ {
    files.iter().flat_map(|file| file.heads().iter().copied())
}

fn not_whole(faults: &[String]) -> Error {
    Error::NotWhole { faults: faults.join("; ") }
}
