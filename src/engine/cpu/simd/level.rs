//! Levels of vector instructions, and which of them this machine has.

/// Levels of vector instructions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// What the compiler makes of plain loops; for processors other than x86-64 and ARM of 64 bits.
    Portable,
    /// 128 bits: every ARM processor of 64 bits (aarch64).
    Neon,
    /// 128 bits: x86-64-v2, since about 2009.
    Sse42,
    /// 256 bits: x86-64-v3, since about 2013.
    Avx2,
    /// 512 bits: x86-64-v4.
    Avx512,
    /// The same with VNNI, which multiplies and adds in one instruction: since about 2019 (Intel)
    /// and 2022 (AMD).
    Avx512Vnni,
}

impl Level {
    /// The levels of this machine, lowest first.
    pub fn available() -> Vec<Level> {
        #[cfg(target_arch = "x86_64")]
        let levels = [
            (Level::Sse42, pulp::x86::V2::try_new().is_some()),
            (Level::Avx2, pulp::x86::V3::try_new().is_some()),
            (Level::Avx512, pulp::x86::V4::try_new().is_some()),
            (Level::Avx512Vnni, super::x86::V4Vnni::try_new().is_some()),
        ];
        #[cfg(target_arch = "aarch64")]
        let levels = [(Level::Neon, pulp::aarch64::Neon::try_new().is_some())];
        #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
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
            Level::Neon => "NEON",
            Level::Sse42 => "SSE4.2",
            Level::Avx2 => "AVX2",
            Level::Avx512 => "AVX-512",
            Level::Avx512Vnni => "AVX-512 VNNI",
        }
    }
}
