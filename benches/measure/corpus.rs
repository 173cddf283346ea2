//! A corpus of any size, made by a small generator, as an npy file of halves that is mapped.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use half::f16;
use half::slice::HalfBitsSliceExt;
use memmap2::Mmap;
use vkd::{Elements, Input};

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

/// Writes `num_items` items: a common mean, a cluster and noise of equal weight each.
pub fn write_clustered(path: &Path, num_items: u32, dim: u32) {
    let mut numbers = Numbers(20_261_129);
    let mean = numbers.row(dim);
    let clusters: Vec<Vec<f32>> = (0..CLUSTERS).map(|_| numbers.row(dim)).collect();
    let mut file = BufWriter::with_capacity(1 << 20, File::create(path).unwrap());
    let mut header =
        format!("{{'descr': '<f2', 'fortran_order': False, 'shape': ({num_items}, {dim}), }}");
    while (header.len() + 11) % 64 != 0 {
        header.push(' ');
    }
    header.push('\n');
    file.write_all(b"\x93NUMPY\x01\x00").unwrap();
    file.write_all(&(header.len() as u16).to_le_bytes()).unwrap();
    file.write_all(header.as_bytes()).unwrap();
    for _ in 0..num_items {
        let cluster = &clusters[(numbers.next() % u64::from(CLUSTERS)) as usize];
        for (mean, cluster) in mean.iter().zip(cluster) {
            let value = 0.05 * (mean + cluster + numbers.normal());
            file.write_all(&f16::from_f32(value).to_le_bytes()).unwrap();
        }
    }
    file.flush().unwrap();
}

/// Such a file, mapped.
pub struct Mapped {
    map: Mmap,
    pub num_items: u32,
    dim: u32,
}

/// Bytes before the values: the header above is shorter than 128.
const HEADER: usize = 128;

impl Mapped {
    pub fn new(path: &Path) -> Mapped {
        let file = File::open(path).unwrap();
        // SAFETY: a file of this benchmark, which nothing changes while it runs.
        let map = unsafe { Mmap::map(&file) }.unwrap();
        let text = std::str::from_utf8(&map[10..HEADER]).unwrap();
        let shape = text.split('(').nth(1).unwrap().split(')').next().unwrap();
        let shape: Vec<u32> = shape.split(',').map(|word| word.trim().parse().unwrap()).collect();
        Mapped { map, num_items: shape[0], dim: shape[1] }
    }

    pub fn input(&self) -> Input<'_> {
        let bits: &[u16] = bytemuck::cast_slice(&self.map[HEADER..]);
        let values: &[f16] = bits.reinterpret_cast();
        let Mapped { num_items, dim, .. } = *self;
        Input::new(Elements::F16(values), num_items, dim)
    }
}
