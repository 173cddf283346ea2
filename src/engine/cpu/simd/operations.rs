//! The operations that every level has, and the numbers that they work on.

use bytemuck::{Pod, Zeroable};
use pulp::NullaryFnOnce;

/// Numbers that one operation works on.
pub(crate) const LINE: usize = 16;

/// 16 numbers of 32 bits: scores or sums, or pairs of 16-bit values, as one multiply-add takes
/// them; or 32 numbers of 16 bits ("narrow").
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Pod, Zeroable)]
#[repr(C, align(64))]
pub(crate) struct Line(pub(crate) [i32; LINE]);

/// 16 contributions.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Pod, Zeroable)]
#[repr(C, align(32))]
pub(crate) struct HalfLine(pub(crate) [i16; LINE]);

/// Which pairs [`Simd::interleave`] gives: registers of 128 bits give half of theirs at a time.
pub(crate) const INTERLEAVED: [Line; 2] = [
    Line([0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25, 26, 27]),
    Line([4, 5, 6, 7, 12, 13, 14, 15, 20, 21, 22, 23, 28, 29, 30, 31]),
];

/// One level of vector instructions: operations on 16 numbers at once.
pub(crate) trait Simd: Copy + Send + Sync {
    /// A [`Line`] in registers.
    type Wide: Copy;

    /// Rows of a tile of dot products: as many as registers hold sums for.
    const TILE_ROWS: usize;

    /// Compiles `work` with the instructions of this level.
    fn vectorize<R, F: NullaryFnOnce<Output = R>>(self, work: F) -> R;

    fn splat(self, value: i32) -> Self::Wide;

    fn load(self, from: &Line) -> Self::Wide;

    /// 32 numbers of 16 bits, wherever they lie.
    fn load_values(self, from: &[i16; 2 * LINE]) -> Self::Wide;

    fn store(self, from: Self::Wide, to: &mut Line);

    /// The wrapping sum of all 16 numbers.
    fn sum(self, of: Self::Wide) -> i32;

    /// 16-bit numbers, widened.
    fn widen(self, from: &HalfLine) -> Self::Wide;

    /// Wrapping sums.
    fn add(self, a: Self::Wide, b: Self::Wide) -> Self::Wide;

    fn min(self, a: Self::Wide, b: Self::Wide) -> Self::Wide;

    /// Of each pair in `a` and its pair in `b`: the sum of the two products.
    fn multiply_pairs(self, a: Self::Wide, b: Self::Wide) -> Self::Wide;

    /// Of 32 numbers of 16 bits each: pairs of one of `low` and one of `high`, in the order of
    /// [`INTERLEAVED`].
    fn interleave(self, low: Self::Wide, high: Self::Wide) -> [Self::Wide; 2];

    /// Of 32 numbers of 16 bits: wrapping sums.
    fn add_narrow(self, a: Self::Wide, b: Self::Wide) -> Self::Wide;

    /// Of 32 numbers of 16 bits: 0 - a, wrapping.
    fn negate_narrow(self, a: Self::Wide) -> Self::Wide;

    fn min_narrow(self, a: Self::Wide, b: Self::Wide) -> Self::Wide;

    fn max_narrow(self, a: Self::Wide, b: Self::Wide) -> Self::Wide;

    /// Of 32 numbers of 16 bits: `yes` where `a` equals `b`, else `no`.
    fn where_equal_narrow(
        self,
        a: Self::Wide,
        b: Self::Wide,
        yes: Self::Wide,
        no: Self::Wide,
    ) -> Self::Wide;

    /// `yes` where `a` equals `b`, else `no`.
    fn where_equal(
        self,
        a: Self::Wide,
        b: Self::Wide,
        yes: Self::Wide,
        no: Self::Wide,
    ) -> Self::Wide;

    /// Adds to each of 16 sums the two products of its pair in `a` with its pair in `b`.
    fn multiply_add(self, sum: Self::Wide, a: Self::Wide, b: Self::Wide) -> Self::Wide;

    /// Asks for the cache line that lies `ahead` values behind the first of `from`, in the
    /// second-level cache.
    fn prefetch_values(self, from: &[i16; 2 * LINE], ahead: usize);

    /// Asks for the cache line of `row[at]`, which is about to be read, in the second-level cache.
    fn prefetch(self, row: &[HalfLine], at: usize);
}

/// Work that is generic over the level.
pub(crate) trait OnSimd {
    type Output;

    fn run<S: Simd>(self, simd: S) -> Self::Output;
}
