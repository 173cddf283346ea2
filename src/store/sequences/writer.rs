//! A file of sequences that grows.
//!
//! NAME.partial has its final size and shape from the beginning (so a full disk shows before the
//! work); its header comes first and says whose it is. A finished sequence is written to its place,
//! then its checksum to `row_checksums`: that tensor is the journal. Once a second the file is
//! brought to the disk. At the end the header gets its checksum and the file is brought to the
//! disk, renamed to NAME, and the directory too. Whoever writes holds a lock on the partial file
//! (see `partial`).
//!
//! Resuming believes the rows whose checksums fit. A file of shorter sequences is extended: its
//! rows become heads of the new ones, in a new partial file; the old file stays until the new one
//! takes its place.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::format::{SequencesHeader, SequencesMeta, SequencesTensors};
use super::reader::SequencesFile;
use crate::engine::PutSequences;
use crate::error::Result;
use crate::ids::{IdSlice, Ids};
use crate::memory::{collected, room, zeroed_of};
use crate::plan::{EarlierRows, Plan, Rows};
use crate::progress::Progress;
use crate::sequence::{Sequence, SequenceMut};
use crate::store::checksums::{row_checksum_of_parts, Frame};
use crate::store::errors::require_same;
use crate::store::family::Family;
use crate::store::ids::{id_bytes, require_same_ids};
use crate::store::items::to_bytes;
use crate::store::output_file::{OutputFile, OutputPlace};
use crate::store::partial::PartialFile;
use crate::store::place::{read_at, reserve, write_at};
use crate::store::{known, map};

/// Bytes of a map that are looked at before the system may have them back.
const READ_AT_ONCE: usize = 1 << 20;

/// How much a loss of power may cost.
const SYNC_EVERY: Duration = Duration::from_secs(1);

/// What a run has to do for a file.
#[derive(Debug)]
pub enum Begun {
    /// Nothing: the file holds all that is asked for.
    Finished,
    /// These sequences, in this order, into the writer.
    Open(Box<SequencesWriter>, Plan),
}

/// An open partial file.
#[derive(Debug)]
pub struct SequencesWriter {
    partial: PartialFile,
    frame: Frame,
    meta: SequencesMeta,
    tensors: SequencesTensors,
    /// The row in the file of every sequence of the plan.
    rows: Rows,
    synced: Mutex<Instant>,
}

impl SequencesWriter {
    /// Begins, resumes or extends the file of `plan` (with the heads that were given) over the
    /// corpus that `meta` describes.
    pub fn begin(target: &OutputFile, meta: &SequencesMeta, plan: &Plan) -> Result<Begun> {
        let place = OutputPlace::new(target, Family::Results, &Progress::default())?;
        SequencesWriter::begin_at(place, meta, plan)
    }

    /// The same at a place that was looked at before.
    pub(crate) fn begin_at(place: OutputPlace, meta: &SequencesMeta, plan: &Plan) -> Result<Begun> {
        let ids = place.target().ids.clone();
        SequencesWriter::begin_with(place, meta, plan, ids.as_deref().map(Ids::as_slice))
    }

    /// The same for a file with these `ids`, whatever those of the target are.
    pub(super) fn begin_with(
        place: OutputPlace,
        meta: &SequencesMeta,
        plan: &Plan,
        ids: Option<IdSlice>,
    ) -> Result<Begun> {
        let (target, heads) = (place.target().clone(), given_heads(plan)?);
        let wanted = Contents { meta, heads: &heads, ids };
        let suffices = |earlier: &SequencesFile| earlier.meta().length >= meta.length;
        if wanted.in_file(place.earlier()?, &target.path)?.is_some_and(|file| suffices(&file)) {
            return Ok(Begun::Finished);
        }
        let mut partial = place.hold()?;
        // Another run may have finished before this one held the place.
        let earlier = wanted.in_file(partial.earlier()?, &target.path)?;
        if earlier.as_ref().is_some_and(suffices) {
            return Ok(Begun::Finished);
        }
        // Where this run has no ids, those that are there stay.
        let ids = ids.or(earlier.as_ref().and_then(SequencesFile::ids));
        let wanted = Contents { ids, ..wanted };
        let mut writer = SequencesWriter::new(partial, &wanted)?;
        let resumed = if target.overwrite { None } else { writer.resume(&wanted)? };
        writer.rows = match resumed {
            Some(unfinished) => unfinished,
            None => writer.create(&wanted)?,
        };
        writer.partial.keep();
        let plan = plan.only(writer.rows.clone());
        let plan = match earlier {
            Some(earlier) => extending(earlier, &plan)?,
            None => plan,
        };
        Ok(Begun::Open(Box::new(writer), plan))
    }

    fn new(partial: PartialFile, wanted: &Contents) -> Result<SequencesWriter> {
        let (meta, ids) = (wanted.meta, id_bytes(wanted.ids));
        let frame = meta.frame(ids)?;
        let tensors = SequencesTensors::new(meta, ids, frame.unfinished().len() as u64);
        let (meta, rows, synced) = (meta.clone(), Rows::All(0), Mutex::new(Instant::now()));
        Ok(SequencesWriter { partial, frame, meta, tensors, rows, synced })
    }

    /// Which rows an earlier run has left to do; `None` where there was none.
    fn resume(&mut self, wanted: &Contents) -> Result<Option<Rows>> {
        let path = self.partial.partial_path();
        if self.partial.with("read", 0, |file| Ok(file.metadata()?.len()))? == 0 {
            return Ok(None);
        }
        let map = self.partial.with("map", 0, |file| Ok(map::map(file, path)))??;
        if self.is_only_begun(&map) {
            return Ok(None);
        }
        let SequencesHeader { meta, tensors, frame } = SequencesHeader::parse(&map)
            .map_err(|refusal| known::refused(path, &map, "sequences", refusal))?;
        let bytes = |range: &Range<u64>| &map[range.start as usize..range.end as usize];
        let heads = bytemuck::cast_slice(bytes(&tensors.given()));
        let found = Contents { meta: &meta, heads, ids: tensors.ids.slice(&map) };
        found.require(wanted, path)?;
        require_same(path, "length", &meta.length, &wanted.meta.length)?;
        let checksums: &[u64] = bytemuck::cast_slice(bytes(&tensors.row_checksums));
        let mut unfinished = room(meta.count as usize, "the rows that are left")?;
        let mut read = 0;
        for (index, &sum) in (0..).zip(checksums) {
            let row = bytes(&tensors.row_items(&meta, index));
            let values = bytes(&tensors.row_values(&meta, index));
            if sum == 0 || sum != row_checksum_of_parts(index, &[row, values]) {
                unfinished.push(index);
            }
            read += row.len() + values.len();
            if read >= READ_AT_ONCE {
                map::release(&map);
                read = 0;
            }
        }
        // The header stays, byte for byte, but for its checksum.
        (self.meta, self.tensors, self.frame) = (meta, tensors, frame);
        Ok(Some(Rows::Some(Arc::new(unfinished))))
    }

    /// Whether a file was begun as this one would be, and holds no finished row: it may lack its
    /// heads and ids, and part of its length.
    fn is_only_begun(&self, file: &[u8]) -> bool {
        let journal = file.len().min(self.tensors.row_checksums.end as usize);
        file.strip_prefix(self.frame.unfinished()).is_some_and(|data| {
            let journal = &data[..journal - self.frame.unfinished().len()];
            journal.iter().all(|&byte| byte == 0)
        })
    }

    /// Gives the file its header, size, starts, heads and ids. All rows are to do.
    fn create(&self, wanted: &Contents) -> Result<Rows> {
        let (bytes, heads) = (self.tensors.file_bytes(), wanted.heads);
        let firsts = heads.iter().copied().step_by(self.meta.head as usize);
        let starts = collected(firsts, "the starts")?;
        self.partial.create(bytes, |file| {
            // The header first: a file without one is none of vkd's.
            write_at(file, self.frame.unfinished(), 0)?;
            reserve(file, bytes)?;
            write_at(file, bytemuck::cast_slice(&starts), self.tensors.starts.start)?;
            write_at(file, bytemuck::cast_slice(heads), self.tensors.given().start)?;
            self.tensors.ids.write(file, wanted.ids)?;
            file.sync_all()
        })?;
        Ok(Rows::All(self.meta.count))
    }

    /// Brings the whole file to the disk and gives it its name. Takes the plan that began with the
    /// writer: it has the shorter file mapped whose place this one takes, and Windows replaces no
    /// mapped file.
    pub fn finish(self, plan: Plan) -> Result<()> {
        drop(plan);
        let parts = [self.tensors.outside(), self.tensors.ids.text.clone()];
        let room = |part: &Range<u64>| zeroed_of(part.end - part.start, "the checksums and ids");
        let (mut outside, mut ids): (Vec<u8>, Vec<u8>) = (room(&parts[0])?, room(&parts[1])?);
        self.partial.with("finish", 0, |file| {
            read_at(file, &mut outside, parts[0].start)?;
            read_at(file, &mut ids, parts[1].start)?;
            // Rows first, so that a header with a checksum means that they are there.
            file.sync_data()?;
            write_at(file, &self.frame.finished(&[&outside, &ids]), 0)
        })?;
        self.partial.publish()
    }

    /// The row in the file of sequence `index` of the plan.
    pub(super) fn row(&self, index: u32) -> u32 {
        self.rows.get(index)
    }

    /// Bytes of the whole file.
    pub(super) fn file_bytes(&self) -> u64 {
        self.tensors.file_bytes()
    }

    /// How many sequences were finished before this run.
    pub fn already_finished(&self) -> u64 {
        u64::from(self.meta.count - self.rows.count())
    }

    fn write_row(&self, file: &File, row: u32, sequence: Sequence) -> io::Result<()> {
        let items = to_bytes(sequence.items, self.meta.item_bytes());
        let values = bytemuck::cast_slice(sequence.values);
        write_at(file, &items, self.tensors.row_items(&self.meta, row).start)?;
        if !values.is_empty() {
            write_at(file, values, self.tensors.row_values(&self.meta, row).start)?;
        }
        let checksum = row_checksum_of_parts(row, &[&items, values]).to_le_bytes();
        write_at(file, &checksum, self.tensors.row_checksums.start + u64::from(row) * 8)?;
        let Ok(mut synced) = self.synced.try_lock() else { return Ok(()) };
        if synced.elapsed() > SYNC_EVERY {
            file.sync_data()?;
            *synced = Instant::now();
        }
        Ok(())
    }

    fn read_row(&self, file: &File, row: u32, to: SequenceMut) -> io::Result<()> {
        let item_bytes = self.meta.item_bytes() as usize;
        let SequenceMut { items, values } = to;
        let mut bytes = vec![0; items.len() * item_bytes];
        read_at(file, &mut bytes, self.tensors.row_items(&self.meta, row).start)?;
        if !values.is_empty() {
            let begin = self.tensors.row_values(&self.meta, row).start;
            read_at(file, bytemuck::cast_slice_mut(values), begin)?;
        }
        let item =
            |bytes: &[u8]| bytes.iter().rev().fold(0, |item, &byte| item << 8 | u32::from(byte));
        let numbers = bytes.chunks_exact(item_bytes).map(item);
        items.iter_mut().zip(numbers).for_each(|(to, item)| *to = item);
        Ok(())
    }
}

impl PutSequences for SequencesWriter {
    fn put(&self, index: usize, row: Sequence) -> Result<()> {
        let bytes = self.meta.row_bytes() + self.meta.value_bytes();
        let row_of = self.rows.get(index as u32);
        self.partial.with("write", bytes, |file| self.write_row(file, row_of, row))
    }

    fn get(&self, index: usize, to: SequenceMut) -> Result<()> {
        let row_of = self.rows.get(index as u32);
        self.partial.with("read", 0, |file| self.read_row(file, row_of, to))
    }
}

impl Drop for SequencesWriter {
    /// What is written stays for the next run.
    fn drop(&mut self) {
        let _ = self.partial.with("sync", 0, File::sync_data);
    }
}

/// The items of all heads of a plan, one head after the other.
fn given_heads(plan: &Plan) -> Result<Vec<u32>> {
    let what = "the heads";
    if plan.head() == 1 {
        return collected(plan.starts(), what);
    }
    let mut heads = zeroed_of(u64::from(plan.count()) * u64::from(plan.head()), what)?;
    for (index, items) in (0..).zip(heads.chunks_exact_mut(plan.head() as usize)) {
        plan.read_head(index, SequenceMut { items, values: &mut [] })?;
    }
    Ok(heads)
}

/// Which sequences a file holds, or is to hold.
pub(super) struct Contents<'a> {
    pub(super) meta: &'a SequencesMeta,
    /// The items of all heads.
    pub(super) heads: &'a [u32],
    pub(super) ids: Option<IdSlice<'a>>,
}

impl Contents<'_> {
    /// The error that names the first thing in which the file at `path`, which holds these, is of
    /// other results than wanted; lengths may differ.
    pub(super) fn require(&self, wanted: &Contents, path: &Path) -> Result<()> {
        let (found, want) = (self.meta, wanted.meta);
        require_same(path, "number of items", &found.num_items, &want.num_items)?;
        require_same(path, "centring", &found.centered, &want.centered)?;
        // Before the fingerprint: it tells more.
        require_same_ids(path, self.ids, wanted.ids)?;
        require_same(path, "corpus fingerprint", &found.fingerprint, &want.fingerprint)?;
        let lambda = |meta: &SequencesMeta| {
            meta.rule.lambda().map_or(String::new(), |l| l.value().to_string())
        };
        require_same(path, "rule", &found.rule.name(), &want.rule.name())?;
        require_same(path, "lambda", &lambda(found), &lambda(want))?;
        let kind = |meta: &SequencesMeta| if meta.values { "items and values" } else { "items" };
        require_same(path, "kind of rows", &kind(found), &kind(want))?;
        let part = |meta: &SequencesMeta| {
            meta.shard.as_ref().map_or("all of it".to_owned(), |part| part.shard.to_string())
        };
        require_same(path, "part of a run", &part(found), &part(want))?;
        require_same(path, "number of items in a head", &found.head, &want.head)?;
        if let (Some(found), Some(want)) = (&found.shard, &want.shard) {
            let what = "number of starts of the whole run";
            require_same(path, what, &found.of_sequences, &want.of_sequences)?;
            require_same(path, "hash of all starts", &found.of_heads, &want.of_heads)?;
        }
        require_same(path, "number of starts", &found.count, &want.count)?;
        let mut pairs = self.heads.iter().zip(wanted.heads);
        match pairs.position(|(found, wanted)| found != wanted) {
            Some(at) => self.require_head(wanted, at / found.head as usize, path),
            None => Ok(()),
        }
    }

    /// The error that names the head with number `at`, where these two differ.
    fn require_head(&self, wanted: &Contents, at: usize, path: &Path) -> Result<()> {
        let length = self.meta.head as usize;
        let text = |heads: &[u32]| {
            let items = heads[at * length..][..length].iter().map(u32::to_string);
            format!("{} at {at}", items.collect::<Vec<_>>().join(", "))
        };
        let what = if length == 1 { "start" } else { "head" };
        require_same(path, what, &text(self.heads), &text(wanted.heads))
    }

    /// These results, maybe shorter or longer, in the finished `file` at `path`, if there is one.
    fn in_file(&self, file: Option<File>, path: &Path) -> Result<Option<SequencesFile>> {
        let Some(file) = file else { return Ok(None) };
        let file = SequencesFile::of_file(&file, path)?;
        let found = Contents { meta: file.meta(), heads: file.heads(), ids: file.ids() };
        found.require(self, path)?;
        Ok(Some(file))
    }
}

/// The plan that goes on behind the rows of an earlier file, which stay there.
fn extending(earlier: SequencesFile, plan: &Plan) -> Result<Plan> {
    // What is damaged shows before the work.
    earlier.verify()?;
    let head = earlier.meta().length;
    Ok(plan.behind(Arc::new(earlier), head))
}

impl EarlierRows for SequencesFile {
    fn read(&self, row: u32, to: SequenceMut) -> Result<()> {
        self.copy_row(row, to)
    }
}
