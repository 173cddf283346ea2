//! Vector instructions: which level the machine has, and the few operations the kernels need of it.
//!
//! The kernels are written once over `Simd`; pulp checks the level at run time and makes the calls
//! safe. A level is a type here, so a kernel is compiled once for every level and chosen once per run.

use pulp::NullaryFnOnce;

/// Levels of vector instructions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// What the compiler makes of plain loops; for processors other than x86-64.
    Portable,
    /// x86-64 as every one has it.
    Sse2,
    /// 256 bits: x86-64-v3, since about 2013.
    Avx2,
    /// 512 bits: x86-64-v4.
    Avx512,
}

impl Level {
    /// The levels of this machine, lowest first.
    pub fn available() -> Vec<Level> {
        #[cfg(target_arch = "x86_64")]
        let levels = [
            (Level::Sse2, pulp::x86::V1::try_new().is_some()),
            (Level::Avx2, pulp::x86::V3::try_new().is_some()),
            (Level::Avx512, pulp::x86::V4::try_new().is_some()),
        ];
        #[cfg(not(target_arch = "x86_64"))]
        let levels = [];
        let higher = levels.into_iter().filter(|(_, there)| *there).map(|(level, _)| level);
        std::iter::once(Level::Portable).chain(higher).collect()
    }

    /// The best level of this machine.
    pub fn best() -> Level {
        Level::available().last().copied().unwrap_or(Level::Portable)
    }

    /// The name that users see.
    pub fn name(self) -> &'static str {
        match self {
            Level::Portable => "portable",
            Level::Sse2 => "SSE2",
            Level::Avx2 => "AVX2",
            Level::Avx512 => "AVX-512",
        }
    }
}

/// Two 16-bit values for each of 16 items, side by side: what one multiply-add takes.
pub(super) type Pairs = [i32; 16];

/// One level of vector instructions.
pub(super) trait Simd: Copy + Send + Sync {
    /// 16 numbers of 32 bits in registers.
    type Wide: Copy;

    /// Rows of a tile of dot products: as many as registers hold sums for.
    const TILE_ROWS: usize;

    /// Compiles `work` with the instructions of this level.
    fn vectorize<R, F: NullaryFnOnce<Output = R>>(self, work: F) -> R;

    fn zero(self) -> Self::Wide;

    fn load(self, from: &Pairs) -> Self::Wide;

    fn store(self, from: Self::Wide) -> [i32; 16];

    /// Adds to each of 16 sums the two products of its pair in `b` with the one pair `a`.
    fn multiply_add(self, sum: Self::Wide, a: i32, b: Self::Wide) -> Self::Wide;

    /// Asks for the cache line of `row[at]`, which is about to be read.
    fn prefetch(self, row: &[i16], at: usize);
}

/// Work that is generic over the level.
pub(super) trait OnSimd {
    type Output;

    fn run<S: Simd>(self, simd: S) -> Self::Output;
}

/// Runs `work` on `level`, or on plain loops where the machine does not have it.
pub(super) fn dispatch<W: OnSimd>(level: Level, work: W) -> W::Output {
    #[cfg(target_arch = "x86_64")]
    {
        use pulp::x86::{V1, V3, V4};
        match level {
            Level::Avx512 => {
                if let Some(simd) = V4::try_new() {
                    return work.run(simd);
                }
            }
            Level::Avx2 => {
                if let Some(simd) = V3::try_new() {
                    return work.run(simd);
                }
            }
            Level::Sse2 => {
                if let Some(simd) = V1::try_new() {
                    return work.run(simd);
                }
            }
            Level::Portable => {}
        }
    }
    let _ = level;
    work.run(Portable)
}

/// Plain loops.
#[derive(Debug, Clone, Copy)]
struct Portable;

impl Simd for Portable {
    type Wide = [i32; 16];
    const TILE_ROWS: usize = 2;

    #[inline(always)]
    fn vectorize<R, F: NullaryFnOnce<Output = R>>(self, work: F) -> R {
        work.call()
    }

    #[inline(always)]
    fn zero(self) -> [i32; 16] {
        [0; 16]
    }

    #[inline(always)]
    fn load(self, from: &Pairs) -> [i32; 16] {
        *from
    }

    #[inline(always)]
    fn store(self, from: [i32; 16]) -> [i32; 16] {
        from
    }

    #[inline(always)]
    fn multiply_add(self, mut sum: [i32; 16], a: i32, b: [i32; 16]) -> [i32; 16] {
        let halves = |pair: i32| (i32::from(pair as i16), pair >> 16);
        let (a_low, a_high) = halves(a);
        for (sum, b) in sum.iter_mut().zip(b) {
            let (low, high) = halves(b);
            // Sums of some dimensions may wrap; the sum of all fits.
            *sum = sum.wrapping_add((a_low * low).wrapping_add(a_high * high));
        }
        sum
    }

    #[inline(always)]
    fn prefetch(self, _: &[i16], _: usize) {}
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use core::arch::x86_64::{__m128i, __m256i, __m512i, _MM_HINT_T0};

    use pulp::x86::{V1, V3, V4};
    use pulp::NullaryFnOnce;

    use super::{Pairs, Simd};

    macro_rules! level {
        ($level:ty, $rows:literal, $register:ty, $parts:literal, $splat:expr, $add:expr, $madd:expr) => {
            impl Simd for $level {
                type Wide = [$register; $parts];
                const TILE_ROWS: usize = $rows;

                #[inline(always)]
                fn vectorize<R, F: NullaryFnOnce<Output = R>>(self, work: F) -> R {
                    <$level>::vectorize(self, work)
                }

                #[inline(always)]
                fn zero(self) -> Self::Wide {
                    bytemuck::cast([0i32; 16])
                }

                #[inline(always)]
                fn load(self, from: &Pairs) -> Self::Wide {
                    bytemuck::cast(*from)
                }

                #[inline(always)]
                fn store(self, from: Self::Wide) -> [i32; 16] {
                    bytemuck::cast(from)
                }

                #[inline(always)]
                fn multiply_add(self, mut sum: Self::Wide, a: i32, b: Self::Wide) -> Self::Wide {
                    let a = $splat(self, a);
                    for part in 0..$parts {
                        sum[part] = $add(self, sum[part], $madd(self, a, b[part]));
                    }
                    sum
                }

                #[inline(always)]
                fn prefetch(self, row: &[i16], at: usize) {
                    let line: *const i16 = row.as_ptr().wrapping_add(at);
                    self.sse._mm_prefetch::<_MM_HINT_T0>(line.cast());
                }
            }
        };
    }

    level!(
        V1,
        2,
        __m128i,
        4,
        |simd: V1, a| simd.sse2._mm_set1_epi32(a),
        |simd: V1, a, b| simd.sse2._mm_add_epi32(a, b),
        |simd: V1, a, b| simd.sse2._mm_madd_epi16(a, b)
    );
    level!(
        V3,
        4,
        __m256i,
        2,
        |simd: V3, a| simd.avx._mm256_set1_epi32(a),
        |simd: V3, a, b| simd.avx2._mm256_add_epi32(a, b),
        |simd: V3, a, b| simd.avx2._mm256_madd_epi16(a, b)
    );
    level!(
        V4,
        8,
        __m512i,
        1,
        |simd: V4, a| simd.avx512f._mm512_set1_epi32(a),
        |simd: V4, a, b| simd.avx512f._mm512_add_epi32(a, b),
        |simd: V4, a, b| simd.avx512bw._mm512_madd_epi16(a, b)
    );
}
