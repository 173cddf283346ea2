//! A forked child keeps no lock on a file.
//!
//! A lock belongs to the open file, which parent and child share after a fork: as long as the child
//! lives it would keep the file locked, also when the parent has ended. So the descriptors of
//! locked files are listed here, and the child puts /dev/null in their places. The list is plain
//! atomics, because a child of a process with threads may not take a lock. Where the list is full,
//! the child keeps what is not in it; the parent's own unlocking still frees the file.

use std::fs::File;

/// A place in the list, for as long as it lives.
#[derive(Debug)]
pub(super) struct Listed {
    #[cfg(unix)]
    place: Option<usize>,
}

#[cfg(not(unix))]
impl Listed {
    /// There is no fork here.
    pub(super) fn new(_: &File) -> Listed {
        Listed {}
    }
}

#[cfg(unix)]
mod unix {
    use std::os::fd::AsRawFd;
    use std::sync::atomic::{AtomicI32, Ordering::Relaxed};
    use std::sync::Once;

    use super::{File, Listed};

    /// Files that one process writes at once.
    const PLACES: usize = 1024;
    const FREE: i32 = -1;

    static DESCRIPTORS: [AtomicI32; PLACES] = [const { AtomicI32::new(FREE) }; PLACES];
    static PREPARED: Once = Once::new();

    impl Listed {
        /// Lists `file`, which must outlive its place. To be called before it is locked.
        pub(in crate::store) fn new(file: &File) -> Listed {
            PREPARED.call_once(|| {
                // SAFETY: the handler calls only what is safe between a fork and an exec, and it
                // stays in memory: the library is linked to be never unloaded.
                unsafe { libc::pthread_atfork(None, None, Some(in_child)) };
            });
            let descriptor = file.as_raw_fd();
            let free = |place: &AtomicI32| {
                place.compare_exchange(FREE, descriptor, Relaxed, Relaxed).is_ok()
            };
            Listed { place: DESCRIPTORS.iter().position(free) }
        }
    }

    impl Drop for Listed {
        fn drop(&mut self) {
            if let Some(place) = self.place {
                DESCRIPTORS[place].store(FREE, Relaxed);
            }
        }
    }

    /// Lets go of every listed file. Its number stays taken, so that whoever still closes it closes
    /// nothing else.
    unsafe extern "C" fn in_child() {
        // SAFETY: open, dup2, fcntl and close are safe in a forked child, and a listed descriptor
        // is open (it leaves the list before it is closed).
        unsafe {
            let null = libc::open(c"/dev/null".as_ptr(), libc::O_RDWR | libc::O_CLOEXEC);
            for place in &DESCRIPTORS {
                let descriptor = place.swap(FREE, Relaxed);
                if descriptor == FREE {
                    continue;
                }
                if null == -1 || libc::dup2(null, descriptor) == -1 {
                    libc::close(descriptor);
                } else {
                    libc::fcntl(descriptor, libc::F_SETFD, libc::FD_CLOEXEC);
                }
            }
            if null != -1 {
                libc::close(null);
            }
        }
    }
}
