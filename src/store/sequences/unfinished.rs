//! What a run that was interrupted has left: its header and its journal, read and nothing else.

use std::path::Path;

use super::format::{SequencesHeader, SequencesMeta};
use crate::error::Result;
use crate::store::{known, map};

/// A file of sequences that is not whole yet. Another run may be writing it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnfinishedSequences {
    /// What it will hold.
    pub meta: SequencesMeta,
    /// Sequences that its journal has. Who resumes also checks that each fits its checksum.
    pub rows_done: u32,
}

impl UnfinishedSequences {
    /// Reads the file at `path`, NAME.partial; `None` where it is finished.
    pub fn read(path: &Path) -> Result<Option<UnfinishedSequences>> {
        let map = map::open(path)?;
        let SequencesHeader { meta, tensors, frame } = SequencesHeader::parse(&map)
            .map_err(|refusal| known::refused(path, &map, "sequences", refusal))?;
        let journal = tensors.row_checksums.start as usize..tensors.row_checksums.end as usize;
        let done = map[journal].as_chunks::<8>().0.iter().filter(|sum| **sum != [0; 8]);
        let rows_done = done.count() as u32;
        Ok((!frame.is_finished()).then_some(UnfinishedSequences { meta, rows_done }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::PutSequences;
    use crate::plan::{Plan, Request};
    use crate::rule::Rule;
    use crate::sequence::Sequence;
    use crate::store::{Begun, OutputFile, SequencesWriter};

    #[test]
    fn rows_of_the_journal_are_counted_until_the_file_is_whole() {
        let path = std::env::temp_dir().join(format!("vkd-unfinished-{}", std::process::id()));
        let meta = SequencesMeta {
            version: "0.1.0".into(),
            fingerprint: "00112233445566778899aabbccddeeff".into(),
            centered: false,
            num_items: 3,
            count: 3,
            length: 3,
            head: 1,
            rule: Rule::Chain,
            values: false,
            shard: None,
        };
        let target = OutputFile { path: path.clone(), overwrite: true, ids: None };
        let plan = Plan::new(&Request::default(), 3).unwrap();
        let Begun::Open(writer, rest) = SequencesWriter::begin(&target, &meta, &plan).unwrap()
        else {
            panic!("nothing was there");
        };
        let partial = crate::store::location::partial_path(&path);
        let read = |path: &Path| UnfinishedSequences::read(path).unwrap();
        for (done, items) in [[0, 1, 2], [1, 0, 2], [2, 0, 1]].iter().enumerate() {
            let rows_done = done as u32;
            assert_eq!(read(&partial), Some(UnfinishedSequences { meta: meta.clone(), rows_done }));
            writer.put(done, Sequence { items, values: &[] }).unwrap();
        }
        writer.finish(rest).unwrap();
        assert_eq!(read(&path), None);
        std::fs::remove_file(path).unwrap();
    }
}
