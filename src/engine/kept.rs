//! The matrix that outlives its run, for the next one over the same corpus.
//!
//! A run takes it out while it works, and puts it back when it is done with it: what is kept is
//! always whole, also after a run that was cancelled.

use std::sync::{Arc, Weak};

use crate::corpus::Corpus;

/// What is kept, and for which corpus. `K` tells what kind of matrix it is.
#[derive(Debug)]
pub(super) struct Kept<K, M> {
    /// Known by its address, which no other corpus has as long as this is here.
    corpus: Weak<Corpus>,
    made: Option<Made<K, M>>,
}

#[derive(Debug)]
struct Made<K, M> {
    kind: K,
    matrix: M,
}

impl<K, M> Default for Kept<K, M> {
    fn default() -> Self {
        Kept { corpus: Weak::new(), made: None }
    }
}

impl<K: PartialEq, M> Kept<K, M> {
    /// From now on, keeps a matrix of this corpus, and of no other.
    pub(super) fn keep(&mut self, corpus: &Arc<Corpus>) {
        if !self.is_of(corpus) {
            *self = Kept { corpus: Arc::downgrade(corpus), made: None };
        }
    }

    /// The matrix of a run, if it is here. Any other is freed: the run needs the memory.
    pub(super) fn take(&mut self, corpus: &Corpus, kind: &K) -> Option<M> {
        let made = self.made.take()?;
        (self.is_of(corpus) && made.kind == *kind).then_some(made.matrix)
    }

    /// Keeps the matrix of a run, if it is one to keep.
    pub(super) fn put(&mut self, corpus: &Corpus, kind: K, matrix: M) {
        if self.is_of(corpus) {
            self.made = Some(Made { kind, matrix });
        }
    }

    /// Frees the matrix; the next one of this corpus is kept again.
    pub(super) fn free(&mut self) {
        self.made = None;
    }

    /// The matrix, between two runs.
    pub(super) fn matrix(&self) -> Option<&M> {
        self.made.as_ref().map(|made| &made.matrix)
    }

    fn is_of(&self, corpus: &Corpus) -> bool {
        std::ptr::eq(self.corpus.as_ptr(), corpus)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::corpus::{Elements, Input};
    use crate::engine::cpu::{CpuEngine, Settings};
    use crate::engine::{Engine, RowSource};
    use crate::error::Error;
    use crate::memory::Bytes;
    use crate::plan::{Plan, Request};
    use crate::progress::{Phase, Progress};
    use crate::rule::Rule;
    use crate::sequence::Sequences;

    const N: u32 = 200;

    fn corpus(seed: f32) -> Arc<Corpus> {
        let values: Vec<f32> = (0..N * 7).map(|at| (at as f32 * seed).sin()).collect();
        let elements = Elements::F32(&values);
        let input = Input::new(elements, N, 7);
        Arc::new(Corpus::prepare(&input).unwrap())
    }

    /// The sequences, and whether their matrix was there.
    fn run(engine: &mut CpuEngine, corpus: &Corpus, rule: Rule) -> (Sequences, bool) {
        let plan = Plan::new(&Request { rule, ..Request::default() }, N).unwrap();
        let progress = Progress::default();
        let found = engine.sequences_in_memory(corpus, &plan, &progress).unwrap();
        (found, progress.seconds(Phase::Matrix) == 0.0)
    }

    fn engine() -> CpuEngine {
        let rows = Some(RowSource::Matrix);
        CpuEngine::new(&Settings { rows, ..Settings::default() }).unwrap()
    }

    #[test]
    fn a_matrix_is_there_for_the_next_run_over_its_corpus_only() {
        let (mut engine, one, other) = (engine(), corpus(1.7), corpus(2.3));
        let expected = run(&mut engine, &one, Rule::Centroid);
        assert_eq!((expected.1, engine.kept_bytes()), (false, Bytes::ZERO));
        engine.keep(&one);
        assert_eq!(run(&mut engine, &one, Rule::Centroid), expected);
        assert_eq!(engine.kept_bytes(), Bytes::of::<i16>(200 * 256));
        engine.keep(&one);
        assert_eq!(run(&mut engine, &one, Rule::Centroid), (expected.0.clone(), true));
        // Similarities, where the first had contributions.
        assert!(!run(&mut engine, &one, Rule::Farthest).1);
        assert!(run(&mut engine, &one, Rule::Chain).1);
        assert_eq!(run(&mut engine, &one, Rule::Centroid), expected);
        assert!(!run(&mut engine, &other, Rule::Centroid).1);
        assert_eq!(engine.kept_bytes(), Bytes::ZERO);
        assert_eq!(run(&mut engine, &one, Rule::Centroid), expected);
        engine.keep(&other);
        assert_eq!(engine.kept_bytes(), Bytes::ZERO);
        assert!(!run(&mut engine, &other, Rule::Centroid).1);
        engine.free_kept();
        assert_eq!(engine.kept_bytes(), Bytes::ZERO);
        assert!(!run(&mut engine, &other, Rule::Centroid).1);
    }

    /// Equal values do not make it the same corpus: it is known by its address.
    #[test]
    fn another_corpus_in_the_place_of_a_dropped_one_is_another() {
        let (mut engine, one) = (engine(), corpus(1.7));
        engine.keep(&one);
        run(&mut engine, &one, Rule::Centroid);
        drop(one);
        for seed in [1.7, 2.3, 1.7, 2.3] {
            assert!(!run(&mut engine, &corpus(seed), Rule::Centroid).1);
        }
    }

    #[test]
    fn a_cancelled_run_leaves_a_whole_matrix_or_none() {
        let (mut engine, one) = (engine(), corpus(1.7));
        let expected = run(&mut engine, &one, Rule::Centroid).0;
        let plan = Plan::new(&Request::default(), N).unwrap();
        let cancelled = |engine: &mut CpuEngine| {
            let progress = Progress::default();
            progress.cancel();
            let result = engine.sequences_in_memory(&one, &plan, &progress);
            assert_eq!(result, Err(Error::Cancelled));
        };
        engine.keep(&one);
        cancelled(&mut engine);
        assert_eq!(engine.kept_bytes(), Bytes::ZERO);
        run(&mut engine, &one, Rule::Centroid);
        cancelled(&mut engine);
        assert_eq!(run(&mut engine, &one, Rule::Centroid), (expected, true));
    }
}
