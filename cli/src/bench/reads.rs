//! How fast the processor reads its memory. The library's benches use this file, too.

use std::time::Instant;

/// GB/s at which `threads` threads together read a buffer of `bytes` bytes, each its own part again
/// and again: the best of several tries of some 0.2 s.
pub(crate) fn read_bandwidth(bytes: usize, threads: usize) -> f64 {
    let words = vec![1u64; bytes / 8];
    let part = words.len().div_ceil(threads);
    let rounds = (4_000_000_000 / bytes).max(1);
    let try_once = || {
        let begin = Instant::now();
        std::thread::scope(|scope| {
            for words in words.chunks(part) {
                scope.spawn(move || {
                    for _ in 0..rounds {
                        let mut sums = [0u64; 16];
                        for line in std::hint::black_box(words).chunks_exact(16) {
                            sums.iter_mut().zip(line).for_each(|(sum, word)| *sum ^= word);
                        }
                        std::hint::black_box(sums);
                    }
                });
            }
        });
        (rounds * words.len() * 8) as f64 / 1e9 / begin.elapsed().as_secs_f64()
    };
    (0..5).map(|_| try_once()).fold(0.0, f64::max)
}
