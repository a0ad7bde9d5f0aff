//! From ranges of the older file to steps, each of which fits a buffer.

use alloc::collections::VecDeque;

/// Content that goes from the older file into the part.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Move {
    /// Offset in the older file.
    pub from: u64,
    /// Offset in the part.
    pub to: u64,
    /// Bytes, at least 1.
    pub length: u32,
}

/// The moves of one record of copies, in order.
#[derive(Debug)]
pub struct Moves {
    ranges: VecDeque<(u64, u32)>,
    to: u64,
    step_bytes: u32,
}

impl Moves {
    /// Ranges (offset, length) of the older file that stand one behind the other from `to` on in the part; no
    /// step is longer than `step_bytes`.
    pub fn new(ranges: impl IntoIterator<Item = (u64, u32)>, to: u64, step_bytes: u32) -> Self {
        Self { ranges: ranges.into_iter().collect(), to, step_bytes }
    }

    /// Whether nothing is left to move.
    pub fn is_over(&self) -> bool {
        self.ranges.is_empty()
    }

    /// The next step, without taking it.
    pub fn peek(&self) -> Option<Move> {
        let &(from, left) = self.ranges.front()?;
        Some(Move { from, to: self.to, length: left.min(self.step_bytes) })
    }
}

impl Iterator for Moves {
    type Item = Move;

    fn next(&mut self) -> Option<Move> {
        let next = self.peek()?;
        if let Some((from, left)) = self.ranges.front_mut() {
            *from += u64::from(next.length);
            *left -= next.length;
            if *left == 0 {
                self.ranges.pop_front();
            }
        }
        self.to += u64::from(next.length);
        Some(next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    #[test]
    fn steps_cover_the_ranges_in_order_and_fit_a_buffer() {
        let mut moves = Moves::new([(100, 2500), (0, 1000), (7, 1)], 5000, 1000);
        assert_eq!(moves.peek(), Some(Move { from: 100, to: 5000, length: 1000 }));
        let steps: Vec<_> = moves.by_ref().map(|step| (step.from, step.to, step.length)).collect();
        assert_eq!(
            steps,
            [(100, 5000, 1000), (1100, 6000, 1000), (2100, 7000, 500), (0, 7500, 1000), (7, 8500, 1)]
        );
        assert!(moves.is_over());
        assert_eq!(moves.next(), None);
    }
}
