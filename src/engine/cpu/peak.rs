//! What the processor can do at most, for the benchmarks: multiply-adds from registers.

use std::time::Instant;

use super::simd::{dispatch, Level, Line, OnSimd, Simd};
use super::threads;

/// Rounds of the timed loop: some 10 ms.
const ROUNDS: usize = 4_000_000;

/// 16-bit multiply-adds per second of `num_threads` threads that do nothing else.
pub fn multiply_adds_per_second(level: Level, num_threads: usize) -> f64 {
    let begin = Instant::now();
    let work = || {
        std::hint::black_box(dispatch(level, Peak));
        Ok(())
    };
    // The work cannot fail.
    let _ = threads::run(num_threads, work);
    // 8 sums of 16 items, 2 products each.
    (num_threads * ROUNDS * 8 * 16 * 2) as f64 / begin.elapsed().as_secs_f64()
}

struct Peak;

impl OnSimd for Peak {
    type Output = i32;

    fn run<S: Simd>(self, simd: S) -> i32 {
        simd.vectorize(
            #[inline(always)]
            || {
                let rows = S::TILE_ROWS;
                let mut sums = [simd.splat(0); 8];
                let (mut a, b) = (simd.splat(3), simd.splat(0x0005_0007));
                for _ in 0..ROUNDS * 8 / rows {
                    for sum in &mut sums[..rows] {
                        *sum = simd.multiply_add(*sum, a, b);
                    }
                    a = std::hint::black_box(a);
                }
                let mut total = 0i32;
                for sum in sums {
                    let mut line = Line::default();
                    simd.store(sum, &mut line);
                    total = line.0.into_iter().fold(total, i32::wrapping_add);
                }
                total
            },
        )
    }
}
