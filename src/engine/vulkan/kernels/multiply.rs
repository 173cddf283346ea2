//! The ways in which the kernels multiply prepared rows, and how a row is written for each
//! (shaders/tile.glsl).
//!
//! All give the same 32 bits. Which is fastest depends on the instructions that a device has.

use super::table;
use crate::engine::vulkan::gpu::device::Device;
use crate::engine::vulkan::gpu::pipeline::{Constant, Kernel, Recipe};
use crate::engine::vulkan::settings::{Multiply, Settings};

impl Multiply {
    /// The fastest way that the device has, or what the settings ask for.
    pub(crate) fn choose(device: &Device, settings: &Settings) -> Multiply {
        let limits = device.limits();
        match settings.multiply {
            Some(Multiply::Dot16) if !limits.dot16 => Multiply::Biased,
            Some(Multiply::Dot8) if !limits.dot8 => Multiply::Biased,
            Some(multiply) => multiply,
            // Faster there than wide products; dot products of 8 bits are the slowest.
            None if limits.is_swiftshader => Multiply::Biased,
            None if limits.software => Multiply::Wide,
            None if limits.dot16_is_fast => Multiply::Dot16,
            None if limits.dot8_is_fast => Multiply::Dot8,
            None => Multiply::Biased,
        }
    }

    /// Chunks of 16 bytes in a row, beside those of 8 values.
    pub(crate) fn extra_chunks(self) -> u32 {
        u32::from(self == Multiply::Biased)
    }

    /// Writes the values of a row and zeros behind them; `to` holds all its chunks.
    pub(crate) fn write(self, row: &[i16], to: &mut [u8]) {
        let chunks = to.len() / 16 - self.extra_chunks() as usize;
        let (values_to, extra) = to.split_at_mut(chunks * 16);
        let mut values = row.chunks(8);
        for to in values_to.chunks_exact_mut(16) {
            let mut eight = [0; 8];
            let values = values.next().unwrap_or_default();
            eight[..values.len()].copy_from_slice(values);
            self.write_eight(eight, to);
        }
        if self == Multiply::Biased {
            let sum: i32 = row.iter().copied().map(i32::from).sum();
            let share = (sum as u32).wrapping_shl(15).wrapping_add((chunks as u32 * 8) << 29);
            extra.fill(0);
            extra[..4].copy_from_slice(&share.to_ne_bytes());
        }
    }

    fn write_eight(self, values: [i16; 8], to: &mut [u8]) {
        let word = |at: usize| -> [u8; 4] {
            let halves = |bias: u16| {
                let half = |value: i16| u32::from(value as u16 ^ bias);
                (half(values[2 * at]) | half(values[2 * at + 1]) << 16).to_ne_bytes()
            };
            match self {
                Multiply::Wide | Multiply::Dot16 => halves(0),
                Multiply::Biased => halves(0x8000),
                Multiply::Dot8 => {
                    let shift = if at < 2 { 8 } else { 0 };
                    let byte = |value: i16| (value >> shift) as u8;
                    let first = at % 2 * 4;
                    u32::from_le_bytes(std::array::from_fn(|i| byte(values[first + i])))
                        .to_ne_bytes()
                }
            }
        };
        to.chunks_exact_mut(4).enumerate().for_each(|(at, to)| to.copy_from_slice(&word(at)));
    }
}

/// The kernels that read such rows.
pub(crate) struct TileKernels {
    /// Of the contribution matrix.
    pub(crate) matrix: Kernel,
    /// Of some of its rows.
    pub(crate) rows: Kernel,
    /// Of dot products.
    pub(crate) dots: Kernel,
}

pub(crate) fn kernels(multiply: Multiply, texels: bool) -> TileKernels {
    use table::*;
    let (matrix, rows, dots) = match multiply {
        Multiply::Wide if texels => (MATRIX_TEXELS, ROWS_TEXELS, DOTS_TEXELS),
        Multiply::Wide => (MATRIX_WIDE, ROWS_WIDE, DOTS_WIDE),
        Multiply::Biased => (MATRIX_BIASED, ROWS_BIASED, DOTS_BIASED),
        Multiply::Dot16 => (MATRIX_DOT16, ROWS_DOT16, DOTS_DOT16),
        Multiply::Dot8 => (MATRIX_DOT8, ROWS_DOT8, DOTS_DOT8),
    };
    TileKernels { matrix, rows, dots }
}

/// The recipe of one of them.
pub(crate) fn recipe(device: &Device, kernel: Kernel, push_words: u32) -> Recipe {
    let Lanes { x, y } = lanes(device);
    let constants = vec![Constant { id: 0, value: x }, Constant { id: 1, value: y }];
    Recipe::plain(kernel, constants, push_words)
}

/// Lanes of a workgroup that computes tiles.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lanes {
    /// These share their rows of slab A.
    pub(crate) x: u32,
    pub(crate) y: u32,
}

/// A software driver runs 8 at once.
pub(crate) fn lanes(device: &Device) -> Lanes {
    Lanes { x: 8, y: if device.limits().software { 1 } else { 8 } }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(multiply: Multiply, row: &[i16], chunks: usize) -> Vec<u32> {
        let mut bytes = vec![0xff; (chunks + multiply.extra_chunks() as usize) * 16];
        multiply.write(row, &mut bytes);
        let word = |bytes: &[u8]| u32::from_ne_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
        bytes.chunks(4).map(word).collect()
    }

    #[test]
    fn rows_are_written_as_the_kernels_read_them() {
        let row = [1, -1, 258, 0, -32768, 5, 6, 7, 9];
        let wide = [0xffff_0001, 258, 0x0005_8000, 0x0007_0006, 9, 0, 0, 0];
        assert_eq!(words(Multiply::Wide, &row, 2), wide);
        assert_eq!(words(Multiply::Dot16, &row, 2), wide);
        let bias = 0x8000_8000;
        let biased: Vec<u32> = wide.iter().map(|word| word ^ bias).collect();
        let got = words(Multiply::Biased, &row, 2);
        assert_eq!(got[..8], biased);
        let sum: i64 = row.iter().map(|&value| i64::from(value)).sum();
        assert_eq!(got[8..], [(sum * 32768 + 16 * (1 << 29)) as u32, 0, 0, 0]);
        let upper = [0x0001_ff00, 0x0000_0080];
        let lower = [0x0002_ff01, 0x0706_0500];
        assert_eq!(words(Multiply::Dot8, &row[..8], 1), [upper, lower].concat());
    }
}
