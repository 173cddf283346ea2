//! What the processor can do at most, for the benchmarks: multiply-adds from registers.

use std::time::Instant;

use super::simd::{dispatch, Level, Line, OnSimd, Simd, LINE};
use crate::threads;

/// Rounds of the timed loop: some 10 ms.
const ROUNDS: usize = 4_000_000;

/// 16-bit multiply-adds per second of `num_threads` threads that do nothing else.
pub fn multiply_adds_per_second(level: Level, num_threads: usize) -> f64 {
    let begin = Instant::now();
    let work = |_: &threads::Failure| {
        std::hint::black_box(dispatch(level, Peak));
        Ok(())
    };
    // The work cannot fail.
    let _ = threads::run(num_threads, work);
    // 8 sums of 16 items, 2 products each.
    (num_threads * ROUNDS * 8 * LINE * 2) as f64 / begin.elapsed().as_secs_f64()
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
                let a: [_; 8] = std::hint::black_box(std::array::from_fn(|row| row as i32));
                let (mut b, one) = (simd.splat(0x0005_0007), simd.splat(1));
                for _ in 0..ROUNDS * 8 / rows {
                    // Each row its own factor, or the compiler would multiply once for all.
                    for (sum, &a) in sums[..rows].iter_mut().zip(&a) {
                        *sum = simd.multiply_add(*sum, simd.splat(a), b);
                    }
                    b = simd.add(b, one);
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
