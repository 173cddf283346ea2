//! Vector instructions: which level the machine has, and the few operations the kernels need of it.
//!
//! The kernels are written once over `Simd`; pulp checks the level at run time and makes the calls
//! safe. A level is a type here, so a kernel is compiled once for every level and chosen once per run.

use bytemuck::{Pod, Zeroable};
use pulp::NullaryFnOnce;

/// Levels of vector instructions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// What the compiler makes of plain loops; for processors other than x86-64.
    Portable,
    /// 128 bits: x86-64-v2, since about 2009.
    Sse42,
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
            (Level::Sse42, pulp::x86::V2::try_new().is_some()),
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
            Level::Sse42 => "SSE4.2",
            Level::Avx2 => "AVX2",
            Level::Avx512 => "AVX-512",
        }
    }
}

/// 16 numbers of 32 bits: scores or sums, or pairs of 16-bit values, as one multiply-add takes them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Pod, Zeroable)]
#[repr(C, align(64))]
pub(super) struct Line(pub(super) [i32; 16]);

/// 16 contributions.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Pod, Zeroable)]
#[repr(C, align(32))]
pub(super) struct HalfLine(pub(super) [i16; 16]);

/// One level of vector instructions: operations on 16 numbers at once.
pub(super) trait Simd: Copy + Send + Sync {
    /// 16 numbers of 32 bits in registers.
    type Wide: Copy;

    /// Rows of a tile of dot products: as many as registers hold sums for.
    const TILE_ROWS: usize;

    /// Compiles `work` with the instructions of this level.
    fn vectorize<R, F: NullaryFnOnce<Output = R>>(self, work: F) -> R;

    fn splat(self, value: i32) -> Self::Wide;

    fn load(self, from: &Line) -> Self::Wide;

    fn store(self, from: Self::Wide, to: &mut Line);

    /// 16-bit numbers, widened.
    fn widen(self, from: &HalfLine) -> Self::Wide;

    /// Wrapping sums.
    fn add(self, a: Self::Wide, b: Self::Wide) -> Self::Wide;

    fn min(self, a: Self::Wide, b: Self::Wide) -> Self::Wide;

    /// `yes` where `a` equals `b`, else `no`.
    fn where_equal(
        self,
        a: Self::Wide,
        b: Self::Wide,
        yes: Self::Wide,
        no: Self::Wide,
    ) -> Self::Wide;

    /// Adds to each of 16 sums the two products of its pair in `b` with the pair that is in all of `a`.
    fn multiply_add(self, sum: Self::Wide, a: Self::Wide, b: Self::Wide) -> Self::Wide;

    /// Asks for the cache line of `row[at]`, which is about to be read, in the second-level cache.
    fn prefetch(self, row: &[HalfLine], at: usize);
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
        use pulp::x86::{V2, V3, V4};
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
            Level::Sse42 => {
                if let Some(simd) = V2::try_new() {
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
    fn splat(self, value: i32) -> [i32; 16] {
        [value; 16]
    }

    #[inline(always)]
    fn load(self, from: &Line) -> [i32; 16] {
        from.0
    }

    #[inline(always)]
    fn store(self, from: [i32; 16], to: &mut Line) {
        to.0 = from;
    }

    #[inline(always)]
    fn widen(self, from: &HalfLine) -> [i32; 16] {
        from.0.map(i32::from)
    }

    #[inline(always)]
    fn add(self, a: [i32; 16], b: [i32; 16]) -> [i32; 16] {
        each(a, b, i32::wrapping_add)
    }

    #[inline(always)]
    fn min(self, a: [i32; 16], b: [i32; 16]) -> [i32; 16] {
        each(a, b, i32::min)
    }

    #[inline(always)]
    fn where_equal(self, a: [i32; 16], b: [i32; 16], yes: [i32; 16], no: [i32; 16]) -> [i32; 16] {
        std::array::from_fn(|lane| if a[lane] == b[lane] { yes[lane] } else { no[lane] })
    }

    #[inline(always)]
    fn multiply_add(self, sum: [i32; 16], a: [i32; 16], b: [i32; 16]) -> [i32; 16] {
        let low = |pair: i32| i32::from(pair as i16);
        // Sums of some dimensions may wrap; the sum of all fits.
        let products = each(a, b, |a, b| (low(a) * low(b)).wrapping_add((a >> 16) * (b >> 16)));
        self.add(sum, products)
    }

    #[inline(always)]
    fn prefetch(self, _: &[HalfLine], _: usize) {}
}

#[inline(always)]
fn each(a: [i32; 16], b: [i32; 16], of: impl Fn(i32, i32) -> i32) -> [i32; 16] {
    std::array::from_fn(|lane| of(a[lane], b[lane]))
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use core::arch::x86_64::{__m128i, __m256i, __m512i, _MM_HINT_T1};

    use bytemuck::{must_cast_mut, must_cast_ref};
    use pulp::x86::{V2, V3, V4};
    use pulp::NullaryFnOnce;

    use super::{HalfLine, Line, Simd};

    /// A level from its registers and the names of its instructions.
    macro_rules! level {
        (
            $level:ident, $rows:literal rows, $parts:literal x $wide:ty, from $half:ty,
            $splat:ident . $splat_op:ident, $widen:ident . $widen_op:ident,
            $add:ident . $add_op:ident, $min:ident . $min_op:ident,
            $madd:ident . $madd_op:ident, $half_cast:expr, $where_equal:expr
        ) => {
            impl Simd for $level {
                type Wide = [$wide; $parts];
                const TILE_ROWS: usize = $rows;

                #[inline(always)]
                fn vectorize<R, F: NullaryFnOnce<Output = R>>(self, work: F) -> R {
                    <$level>::vectorize(self, work)
                }

                #[inline(always)]
                fn splat(self, value: i32) -> Self::Wide {
                    [self.$splat.$splat_op(value); $parts]
                }

                #[inline(always)]
                fn load(self, from: &Line) -> Self::Wide {
                    *must_cast_ref(from)
                }

                #[inline(always)]
                fn store(self, from: Self::Wide, to: &mut Line) {
                    *must_cast_mut(to) = from;
                }

                #[inline(always)]
                fn widen(self, from: &HalfLine) -> Self::Wide {
                    let halves: &[$half; $parts] = must_cast_ref(from);
                    halves.map(
                        #[inline(always)]
                        |half| self.$widen.$widen_op($half_cast(half)),
                    )
                }

                #[inline(always)]
                fn add(self, a: Self::Wide, b: Self::Wide) -> Self::Wide {
                    std::array::from_fn(
                        #[inline(always)]
                        |part| self.$add.$add_op(a[part], b[part]),
                    )
                }

                #[inline(always)]
                fn min(self, a: Self::Wide, b: Self::Wide) -> Self::Wide {
                    std::array::from_fn(
                        #[inline(always)]
                        |part| self.$min.$min_op(a[part], b[part]),
                    )
                }

                #[inline(always)]
                fn where_equal(
                    self,
                    a: Self::Wide,
                    b: Self::Wide,
                    yes: Self::Wide,
                    no: Self::Wide,
                ) -> Self::Wide {
                    std::array::from_fn(
                        #[inline(always)]
                        |part| $where_equal(self, a[part], b[part], yes[part], no[part]),
                    )
                }

                #[inline(always)]
                fn multiply_add(self, sum: Self::Wide, a: Self::Wide, b: Self::Wide) -> Self::Wide {
                    std::array::from_fn(
                        #[inline(always)]
                        |part| {
                            let products = self.$madd.$madd_op(a[part], b[part]);
                            self.$add.$add_op(sum[part], products)
                        },
                    )
                }

                #[inline(always)]
                fn prefetch(self, row: &[HalfLine], at: usize) {
                    let line = row.as_ptr().wrapping_add(at);
                    self.sse._mm_prefetch::<_MM_HINT_T1>(line.cast());
                }
            }
        };
    }

    level!(
        V2, 2 rows, 4 x __m128i, from u64,
        sse2._mm_set1_epi32, sse4_1._mm_cvtepi16_epi32,
        sse2._mm_add_epi32, sse4_1._mm_min_epi32,
        sse2._mm_madd_epi16,
        |half: u64| bytemuck::must_cast([half, 0]),
        |simd: V2, a, b, yes, no| {
            simd.sse4_1._mm_blendv_epi8(no, yes, simd.sse2._mm_cmpeq_epi32(a, b))
        }
    );
    level!(
        V3, 4 rows, 2 x __m256i, from __m128i,
        avx._mm256_set1_epi32, avx2._mm256_cvtepi16_epi32,
        avx2._mm256_add_epi32, avx2._mm256_min_epi32,
        avx2._mm256_madd_epi16,
        |half: __m128i| half,
        |simd: V3, a, b, yes, no| {
            simd.avx2._mm256_blendv_epi8(no, yes, simd.avx2._mm256_cmpeq_epi32(a, b))
        }
    );
    level!(
        V4, 8 rows, 1 x __m512i, from __m256i,
        avx512f._mm512_set1_epi32, avx512f._mm512_cvtepi16_epi32,
        avx512f._mm512_add_epi32, avx512f._mm512_min_epi32,
        avx512bw._mm512_madd_epi16,
        |half: __m256i| half,
        |simd: V4, a, b, yes, no| {
            let mask = simd.avx512f._mm512_cmpeq_epi32_mask(a, b);
            simd.avx512f._mm512_mask_blend_epi32(mask, no, yes)
        }
    );
}
