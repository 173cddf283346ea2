//! One heap for all threads of a process that has a limit of address space.
//!
//! glibc gives a thread a heap of its own with its first allocation, or with any later one where
//! there was no room before: 64 MiB of address space at once, of which most is never used. Where a
//! limit leaves little more than that, the next small allocation fails, and with it the process.
//! `MALLOC_ARENA_MAX=1` in the environment is the usual remedy, which comes too late here.

/// Has glibc use its first heap alone, from here on; elsewhere there is nothing to do. Threads that
/// have a heap keep it.
pub(super) fn keep_to_one() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    {
        /// Of malloc.h.
        const M_ARENA_MAX: libc::c_int = -8;
        static ONCE: std::sync::Once = std::sync::Once::new();
        ONCE.call_once(|| {
            // SAFETY: sets a number of the allocator, under its lock.
            unsafe { libc::mallopt(M_ARENA_MAX, 1) };
        });
    }
}
