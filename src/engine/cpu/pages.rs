//! Large zeroed memory, in huge pages where the system grants them.
//!
//! A row of the matrix begins at a random place; with pages of 4 KiB each one costs several misses
//! of the address translation. The memory comes from the system untouched, so threads that write it
//! first place it.

use memmap2::MmapMut;

use crate::error::{Error, Result};
use crate::memory::{has_room, Bytes};

/// A slice of 16-bit numbers of its own.
#[derive(Debug)]
pub(super) struct Pages(MmapMut);

impl Pages {
    /// `len` zeros.
    pub(super) fn zeroed(len: u64, what: &'static str) -> Result<Pages> {
        let bytes = Bytes::of::<i16>(len).get();
        let refused = || Error::HostMemory { what, bytes };
        let size = usize::try_from(bytes).map_err(|_| refused())?;
        let memory = MmapMut::map_anon(size.max(1)).map_err(|_| refused())?;
        if !has_room(Bytes::ZERO) {
            return Err(refused());
        }
        #[cfg(target_os = "linux")]
        {
            // Only advice: a system without huge pages says no, and all goes on as before.
            let _ = memory.advise(memmap2::Advice::HugePage);
        }
        Ok(Pages(memory))
    }

    pub(super) fn get(&self) -> &[i16] {
        bytemuck::cast_slice(&self.0[..self.0.len() & !1])
    }

    pub(super) fn get_mut(&mut self) -> &mut [i16] {
        let len = self.0.len() & !1;
        bytemuck::cast_slice_mut(&mut self.0[..len])
    }
}
