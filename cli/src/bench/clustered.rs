//! Embeddings of any number of items from a small generator, always the same: a common mean, a
//! cluster and noise of equal weight each, as those of texts have. The library's benches use this
//! file, too.

/// Clusters that items belong to.
const CLUSTERS: u32 = 2_000;

/// Numbers from a multiplier of 64 bits (Steele, Lea, Flood 2014: splitmix64).
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// About normal: the sum of four uniform numbers of 16 bits, of mean 0 and deviation 1.
    fn normal(&mut self) -> f32 {
        let bits = self.next();
        let sum: u64 = (0..4).map(|part| bits >> (16 * part) & 0xffff).sum();
        (sum as f32 / 65_536.0 - 2.0) * 1.732
    }

    fn row(&mut self, dim: u32) -> Vec<f32> {
        (0..dim).map(|_| self.normal()).collect()
    }
}

/// The items, one after the other.
pub(crate) struct Clustered {
    numbers: Numbers,
    mean: Vec<f32>,
    clusters: Vec<Vec<f32>>,
}

impl Clustered {
    pub(crate) fn new(dim: u32) -> Clustered {
        let mut numbers = Numbers(20_261_129);
        let mean = numbers.row(dim);
        let clusters = (0..CLUSTERS).map(|_| numbers.row(dim)).collect();
        Clustered { numbers, mean, clusters }
    }

    /// Puts the values of the next item behind `values`.
    pub(crate) fn push_item(&mut self, values: &mut Vec<f32>) {
        let cluster = &self.clusters[(self.numbers.next() % u64::from(CLUSTERS)) as usize];
        for (mean, cluster) in self.mean.iter().zip(cluster) {
            values.push(0.05 * (mean + cluster + self.numbers.normal()));
        }
    }
}
