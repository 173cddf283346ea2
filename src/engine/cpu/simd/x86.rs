//! The levels of x86-64: each from its registers and the names of its instructions.

use core::arch::x86_64::{__m128i, __m256i, __m512i, _MM_HINT_T1};

use bytemuck::{must_cast, must_cast_mut, must_cast_ref};
use pulp::x86::{V2, V3, V4};
use pulp::NullaryFnOnce;

use super::operations::{HalfLine, Line, Simd, LINE};

pulp::simd_type! {
    /// x86-64-v4 with VNNI: the compiler makes one instruction, vpdpwssd, of products of pairs and
    /// their addition to sums.
    pub(super) struct V4Vnni {
        pub sse: "sse",
        pub sse2: "sse2",
        pub fxsr: "fxsr",
        pub sse3: "sse3",
        pub ssse3: "ssse3",
        pub sse4_1: "sse4.1",
        pub sse4_2: "sse4.2",
        pub popcnt: "popcnt",
        pub avx: "avx",
        pub avx2: "avx2",
        pub bmi1: "bmi1",
        pub bmi2: "bmi2",
        pub fma: "fma",
        pub lzcnt: "lzcnt",
        pub avx512f: "avx512f",
        pub avx512bw: "avx512bw",
        pub avx512cd: "avx512cd",
        pub avx512dq: "avx512dq",
        pub avx512vl: "avx512vl",
        pub avx512vnni: "avx512vnni",
    }
}

/// A level from its registers and the names of its instructions.
macro_rules! level {
    (
        $level:ident, $rows:literal rows, $parts:literal x $wide:ty, from $half:ty,
        $splat:ident . $splat_op:ident, $widen:ident . $widen_op:ident,
        $add:ident . $add_op:ident, $min:ident . $min_op:ident,
        $madd:ident . $madd_op:ident, $half_cast:expr, $where_equal:expr,
        $narrow:ident . ($low_op:ident, $high_op:ident),
        ($add16_op:ident, $sub16_op:ident, $min16_op:ident, $max16_op:ident),
        $where_equal_narrow:expr
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
            fn load_values(self, from: &[i16; 2 * LINE]) -> Self::Wide {
                must_cast(*from)
            }

            #[inline(always)]
            fn sum(self, of: Self::Wide) -> i32 {
                let numbers: [i32; LINE] = must_cast(of);
                numbers.into_iter().fold(0, i32::wrapping_add)
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
            fn multiply_pairs(self, a: Self::Wide, b: Self::Wide) -> Self::Wide {
                std::array::from_fn(
                    #[inline(always)]
                    |part| self.$madd.$madd_op(a[part], b[part]),
                )
            }

            #[inline(always)]
            fn interleave(self, low: Self::Wide, high: Self::Wide) -> [Self::Wide; 2] {
                let lower = std::array::from_fn(
                    #[inline(always)]
                    |part| self.$narrow.$low_op(low[part], high[part]),
                );
                let upper = std::array::from_fn(
                    #[inline(always)]
                    |part| self.$narrow.$high_op(low[part], high[part]),
                );
                [lower, upper]
            }

            #[inline(always)]
            fn add_narrow(self, a: Self::Wide, b: Self::Wide) -> Self::Wide {
                std::array::from_fn(
                    #[inline(always)]
                    |part| self.$narrow.$add16_op(a[part], b[part]),
                )
            }

            #[inline(always)]
            fn negate_narrow(self, a: Self::Wide) -> Self::Wide {
                let zero = self.splat(0);
                std::array::from_fn(
                    #[inline(always)]
                    |part| self.$narrow.$sub16_op(zero[part], a[part]),
                )
            }

            #[inline(always)]
            fn min_narrow(self, a: Self::Wide, b: Self::Wide) -> Self::Wide {
                std::array::from_fn(
                    #[inline(always)]
                    |part| self.$narrow.$min16_op(a[part], b[part]),
                )
            }

            #[inline(always)]
            fn max_narrow(self, a: Self::Wide, b: Self::Wide) -> Self::Wide {
                std::array::from_fn(
                    #[inline(always)]
                    |part| self.$narrow.$max16_op(a[part], b[part]),
                )
            }

            #[inline(always)]
            fn where_equal_narrow(
                self,
                a: Self::Wide,
                b: Self::Wide,
                yes: Self::Wide,
                no: Self::Wide,
            ) -> Self::Wide {
                std::array::from_fn(
                    #[inline(always)]
                    |part| $where_equal_narrow(self, a[part], b[part], yes[part], no[part]),
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
            fn prefetch_values(self, from: &[i16; 2 * LINE], ahead: usize) {
                let line = from.as_ptr().wrapping_add(ahead);
                self.sse._mm_prefetch::<_MM_HINT_T1>(line.cast());
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
    },
    sse2.(_mm_unpacklo_epi16, _mm_unpackhi_epi16),
    (_mm_add_epi16, _mm_sub_epi16, _mm_min_epi16, _mm_max_epi16),
    |simd: V2, a, b, yes, no| {
        simd.sse4_1._mm_blendv_epi8(no, yes, simd.sse2._mm_cmpeq_epi16(a, b))
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
    },
    avx2.(_mm256_unpacklo_epi16, _mm256_unpackhi_epi16),
    (_mm256_add_epi16, _mm256_sub_epi16, _mm256_min_epi16, _mm256_max_epi16),
    |simd: V3, a, b, yes, no| {
        simd.avx2._mm256_blendv_epi8(no, yes, simd.avx2._mm256_cmpeq_epi16(a, b))
    }
);
/// A level whose registers have 512 bits.
macro_rules! level_of_512_bits {
    ($level:ident) => {
        level!(
            $level, 8 rows, 1 x __m512i, from __m256i,
            avx512f._mm512_set1_epi32, avx512f._mm512_cvtepi16_epi32,
            avx512f._mm512_add_epi32, avx512f._mm512_min_epi32,
            avx512bw._mm512_madd_epi16,
            |half: __m256i| half,
            |simd: $level, a, b, yes, no| {
                let mask = simd.avx512f._mm512_cmpeq_epi32_mask(a, b);
                simd.avx512f._mm512_mask_blend_epi32(mask, no, yes)
            },
            avx512bw.(_mm512_unpacklo_epi16, _mm512_unpackhi_epi16),
            (_mm512_add_epi16, _mm512_sub_epi16, _mm512_min_epi16, _mm512_max_epi16),
            |simd: $level, a, b, yes, no| {
                let mask = simd.avx512bw._mm512_cmpeq_epi16_mask(a, b);
                simd.avx512bw._mm512_mask_blend_epi16(mask, no, yes)
            }
        );
    };
}

level_of_512_bits!(V4);
level_of_512_bits!(V4Vnni);
