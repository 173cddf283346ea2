//! The choice of a level for a piece of work.

use super::level::Level;
use super::operations::OnSimd;
use super::portable::Portable;

/// Runs `work` on `level`, or on plain loops where the machine does not have it.
pub(crate) fn dispatch<W: OnSimd>(level: Level, work: W) -> W::Output {
    #[cfg(target_arch = "x86_64")]
    {
        use pulp::x86::{V2, V3, V4};

        use super::x86::V4Vnni;

        match level {
            Level::Avx512Vnni => {
                if let Some(simd) = V4Vnni::try_new() {
                    return work.run(simd);
                }
            }
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
            Level::Portable | Level::Neon => {}
        }
    }
    #[cfg(target_arch = "aarch64")]
    if level == Level::Neon {
        if let Some(simd) = pulp::aarch64::Neon::try_new() {
            return work.run(simd);
        }
    }
    let _ = level;
    work.run(Portable)
}
