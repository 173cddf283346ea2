//! An engine that works for one run at a time, in the order in which the runs were started.
//!
//! A run takes a place in the queue when it is started, waits there on its own thread, and leaves
//! when it has ended or is cancelled: who waits wakes at once where `wake` follows the wish to
//! stop.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use crate::engine::Engine;
use crate::error::Result;
use crate::progress::Progress;
use crate::threads::lock;

/// The engine, and who waits for it.
pub(super) struct Turns {
    engine: Mutex<Box<dyn Engine>>,
    queue: Mutex<Queue>,
    moved: Condvar,
}

#[derive(Debug, Default)]
struct Queue {
    next_ticket: u64,
    /// The tickets of all that are not done; the first one has the engine.
    tickets: VecDeque<u64>,
}

impl Queue {
    fn join(&mut self) -> u64 {
        self.next_ticket += 1;
        self.tickets.push_back(self.next_ticket);
        self.next_ticket
    }
}

/// A place in the queue, given up when it is dropped.
pub(super) struct Place {
    turns: Arc<Turns>,
    ticket: u64,
}

impl Turns {
    pub(super) fn new(engine: Box<dyn Engine>) -> Arc<Turns> {
        let (engine, queue) = (Mutex::new(engine), Mutex::default());
        Arc::new(Turns { engine, queue, moved: Condvar::new() })
    }

    /// The place behind all others.
    pub(super) fn join(self: &Arc<Self>) -> Place {
        let ticket = lock(&self.queue).join();
        Place { turns: Arc::clone(self), ticket }
    }

    /// Lets all who wait look at their wish to stop.
    pub(super) fn wake(&self) {
        // Whoever has looked, and not found it, waits by now.
        drop(lock(&self.queue));
        self.moved.notify_all();
    }
}

impl Place {
    /// Waits for the engine, unless the run is cancelled.
    pub(super) fn engine(&self, progress: &Progress) -> Result<MutexGuard<'_, Box<dyn Engine>>> {
        let Turns { engine, queue, moved } = &*self.turns;
        let mut queue = lock(queue);
        loop {
            progress.check()?;
            if queue.tickets.front() == Some(&self.ticket) {
                // Nobody else has it.
                return Ok(lock(engine));
            }
            queue = moved.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        lock(&self.turns.queue).tickets.retain(|&ticket| ticket != self.ticket);
        self.turns.moved.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;
    use std::thread;
    use std::time::Duration;

    use super::*;
    use crate::engine::reference::Reference;
    use crate::error::Error;

    #[test]
    fn the_first_has_the_engine_and_a_cancelled_one_leaves_the_queue() {
        let turns = Turns::new(Box::<Reference>::default());
        let [first, second, third] = [(); 3].map(|()| turns.join());
        let (sender, order) = channel();
        thread::scope(|scope| {
            let engine = first.engine(&Progress::default()).unwrap();
            let cancelled = Arc::new(Progress::default());
            let wish = Arc::clone(&cancelled);
            let waits = scope.spawn(move || second.engine(&wish).map(|_| ()));
            scope.spawn(move || {
                drop(third.engine(&Progress::default()).unwrap());
                sender.send("third").unwrap();
            });
            thread::sleep(Duration::from_millis(5));
            cancelled.cancel();
            turns.wake();
            assert_eq!(waits.join().unwrap(), Err(Error::Cancelled));
            assert!(order.try_recv().is_err(), "the first one is not done");
            drop(engine);
            drop(first);
            assert_eq!(order.recv(), Ok("third"));
        });
    }
}
