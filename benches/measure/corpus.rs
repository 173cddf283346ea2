//! A corpus of any size, made by a small generator, as an npy file of halves that is mapped.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use half::f16;
use half::slice::HalfBitsSliceExt;
use memmap2::Mmap;
use vkd::{Elements, Input};

#[path = "../../cli/src/bench/clustered.rs"]
mod clustered;

use clustered::Clustered;

/// Writes `num_items` items.
pub fn write_clustered(path: &Path, num_items: u32, dim: u32) {
    let mut items = Clustered::new(dim);
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
    let mut row = Vec::new();
    for _ in 0..num_items {
        row.clear();
        items.push_item(&mut row);
        for &value in &row {
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
