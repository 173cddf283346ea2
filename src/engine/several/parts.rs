//! How the starts of a run are split.
//!
//! The first part of an engine is small and shows its speed; then an engine takes three quarters of
//! what is its due of the rest, so that the parts shrink and all end together. An engine computes
//! its contribution matrix for each part, so it takes no second one where the others would be done
//! before its first pick. Knows numbers only, no engine.

use std::ops::Range;

/// The first parts of all engines together are one in so many of all starts.
const FIRST: usize = 32;

/// What an engine takes of its due, while others work.
const SHARE: f64 = 0.75;

/// What an engine was seen to do.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Speed {
    /// Sequences a second.
    pub(super) sequences: f64,
    /// Seconds before the first pick of a part.
    pub(super) begin: f64,
}

/// An engine that takes parts.
#[derive(Debug, Clone, Copy)]
struct Member {
    /// How fast it is believed to be, beside the others, until it has shown its speed.
    guess: usize,
    speed: Option<Speed>,
    /// It takes no more: the others will be done earlier.
    gone: bool,
}

/// The starts that are left, and who takes them.
#[derive(Debug)]
pub(super) struct Parts {
    next: usize,
    count: usize,
    members: Vec<Member>,
}

impl Parts {
    /// `count` starts for as many engines as there are guesses of their speed.
    pub(super) fn new(count: usize, guesses: &[usize]) -> Parts {
        let member = |&guess| Member { guess, speed: None, gone: false };
        Parts { next: 0, count, members: guesses.iter().map(member).collect() }
    }

    /// Starts that no engine has taken.
    pub(super) fn left(&self) -> usize {
        self.count - self.next
    }

    /// Notes what an engine has shown.
    pub(super) fn seen(&mut self, engine: usize, speed: Speed) {
        self.members[engine].speed = Some(speed);
    }

    /// Counts on an engine no more.
    pub(super) fn give_up(&mut self, engine: usize) {
        self.members[engine].gone = true;
    }

    /// The next part for an engine; `None`: it is done.
    pub(super) fn take(&mut self, engine: usize) -> Option<Range<usize>> {
        let left = self.left();
        if left == 0 {
            return None;
        }
        let size = match self.members[engine].speed {
            None => {
                let all: usize = self.members.iter().map(|member| member.guess).sum();
                (self.count * self.members[engine].guess).div_ceil(FIRST * all)
            }
            Some(own) => {
                let others = self.others(engine, own);
                if own.begin * others > left as f64 {
                    self.members[engine].gone = true;
                    return None;
                }
                let due = left as f64 * own.sequences / (own.sequences + others);
                (if others > 0.0 { due * SHARE } else { due }).ceil() as usize
            }
        };
        let first = self.next;
        self.next += size.clamp(1, left);
        Some(first..self.next)
    }

    /// Sequences a second of those who work beside an engine. Who has not shown a speed yet is
    /// taken to be as fast.
    fn others(&self, engine: usize, own: Speed) -> f64 {
        let members = self.members.iter().enumerate();
        let working = members.filter(|(number, member)| *number != engine && !member.gone);
        working.map(|(_, member)| member.speed.unwrap_or(own).sequences).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn speed(sequences: f64, begin: f64) -> Speed {
        Speed { sequences, begin }
    }

    #[test]
    fn the_first_part_is_small_and_later_ones_follow_the_speed() {
        let mut parts = Parts::new(6400, &[1, 1]);
        assert_eq!(parts.take(0), Some(0..100));
        assert_eq!(parts.take(1), Some(100..200));
        parts.seen(0, speed(900.0, 0.0));
        parts.seen(1, speed(100.0, 0.0));
        assert_eq!(parts.take(0), Some(200..4385));
        assert_eq!(parts.take(1), Some(4385..4537));
        let mut next = parts.next;
        while let Some(part) = parts.take(0) {
            assert_eq!(part.start, next);
            next = part.end;
        }
        assert_eq!((next, parts.left()), (6400, 0));
    }

    #[test]
    fn first_parts_follow_the_guesses() {
        let mut parts = Parts::new(3200, &[1, 3]);
        assert_eq!(parts.take(0), Some(0..25));
        assert_eq!(parts.take(1), Some(25..100));
    }

    #[test]
    fn who_would_come_too_late_takes_no_more() {
        let mut parts = Parts::new(1000, &[1, 1]);
        parts.seen(0, speed(1000.0, 0.1));
        parts.seen(1, speed(10.0, 2.0));
        assert_eq!(parts.take(1), None);
        // The last one takes it all, however late it is.
        parts.seen(0, speed(1000.0, 50.0));
        assert_eq!(parts.take(0), Some(0..1000));
        assert_eq!(parts.take(0), None);
    }
}
