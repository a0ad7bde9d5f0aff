//! The streams of an outgoing transfer: which there are, and what travels on each.
//!
//! A chunk that was sent whole is not there before the receiver names it: when its stream goes away it is sent
//! once more, on another one. Not at once: a receiver that has everything closes its streams, and what it says of them
//! travels on the control connection.

use super::StreamRef;
use super::files::Wanted;
use super::home::Home;
use super::lane::LaneAt;
use base::ids::{ChunkIndex, FileIndex};
use base::limits::Limits;
use proto::transfer::ack::AckRange;
use proto::transfer::want::ChunkRange;
use std::collections::BTreeMap;

/// A stream and what the lane on it was given.
pub(super) struct Lane {
    pub(super) stream: StreamRef,
    pub(super) orders: u32,
    /// Waiting for its `Dropped`.
    pub(super) dropping: bool,
}

impl Lane {
    pub(super) fn at(&self) -> LaneAt {
        (self.stream.core, self.stream.link)
    }
}

impl Home {
    /// Adds a data stream.
    pub(super) fn add_stream(&mut self, stream: StreamRef) {
        if !self.lanes.iter().any(|lane| lane.stream == stream) {
            self.lanes.push(Lane { stream, orders: 0, dropping: false });
            self.totals.streams = self.totals.streams.max(self.lanes.len() as u16 - 1);
        }
    }

    /// A data stream went away. Its lane reports every chunk it still had; what it had sent and nobody has
    /// acknowledged by `lost_ns` is sent once more.
    pub(super) fn remove_stream(&mut self, stream: StreamRef, lost_ns: u64) {
        self.lanes.retain(|lane| lane.stream != stream);
        self.gone.push_back(((stream.core, stream.link), lost_ns));
    }

    /// When a chunk counts as lost next, monotonic ns.
    pub(super) fn lost_ns(&self) -> u64 {
        self.gone.front().map_or(u64::MAX, |(_, lost_ns)| *lost_ns)
    }

    /// Sends once more what streams carried that went away a while ago.
    pub(super) fn send_lost(&mut self, now_ns: u64) {
        while let Some((gone, _)) = self.gone.pop_front_if(|(_, lost_ns)| *lost_ns <= now_ns) {
            self.resend(gone);
        }
    }

    fn resend(&mut self, gone: LaneAt) {
        let lost = self.in_transit.extract_if(.., |_, lane| *lane == gone);
        let mut reopen: BTreeMap<FileIndex, Vec<ChunkRange>> = BTreeMap::new();
        for ((file, chunk), _) in lost {
            match self.files.open.get_mut(&file) {
                Some(open) => open.on_lost(chunk),
                None => reopen.entry(file).or_default().push(ChunkRange { first: chunk.0, count: 1 }),
            }
        }
        for (index, ranges) in reopen {
            self.files.wanted.push_back(Wanted { index, ranges: Some(ranges), again: true, delta: None });
        }
    }

    /// A chunk was sent whole.
    pub(super) fn on_carried(&mut self, file: FileIndex, chunk: ChunkIndex, lane: LaneAt, carried: bool) {
        let on_stream = self.lanes.iter().any(|other| other.at() == lane && other.stream.stream > 0)
            || self.gone.iter().any(|(gone, _)| *gone == lane);
        let known = self.lanes.iter().any(|other| other.at() == lane);
        if carried && on_stream {
            self.in_transit.insert((file, chunk), lane);
        } else if carried
            && !known
            && let Some(open) = self.files.open.get_mut(&file)
        {
            // The stream went away before its lane's report came.
            open.on_lost(chunk);
        }
    }

    /// The receiver named what it has.
    pub(super) fn on_arrived(&mut self, range: &AckRange) {
        let (from, to) = match *range {
            AckRange::Chunks { file, first, count } => {
                let last = first.saturating_add(count.saturating_sub(1));
                if let Some(open) = self.files.open.get_mut(&file) {
                    open.on_named(ChunkIndex(first), ChunkIndex(last));
                }
                ((file, ChunkIndex(first)), (file, ChunkIndex(last)))
            }
            AckRange::Files { first, count } => {
                let last = FileIndex(first.0.saturating_add(count.saturating_sub(1)));
                ((first, ChunkIndex(0)), (last, ChunkIndex(u32::MAX)))
            }
        };
        if from <= to {
            self.in_transit.extract_if(from..=to, |_, _| true).for_each(drop);
        }
    }

    /// How many data streams to open, once.
    pub(super) fn wants_streams(&mut self, limits: &Limits) -> Option<u16> {
        if self.streams_asked || self.result.is_some() {
            return None;
        }
        let count = worth(self.spec.streams, self.spec.streams_max, self.bytes_known, limits)?;
        self.streams_asked = true;
        Some(count)
    }
}

/// How many data streams a transfer is worth, once so many bytes are known to travel: none up to
/// `streams_bytes_min`, above it `most`, or fewer when fewer are `wished` for. A single one would only take the place
/// of the control connection.
pub(crate) fn worth(wished: Option<u16>, most: u16, bytes: u64, limits: &Limits) -> Option<u16> {
    let count = wished.unwrap_or(most).min(most);
    (bytes > limits.streams_bytes_min && count > 1).then_some(count)
}

#[cfg(test)]
mod tests {
    use super::*;

    // proves: E1
    #[test]
    fn streams_are_for_transfers_above_the_threshold() {
        let limits = &Limits::DEFAULT;
        let small = limits.streams_bytes_min;
        assert_eq!((worth(None, 4, small, limits), worth(Some(4), 4, small, limits)), (None, None));
        assert_eq!(
            (worth(None, 4, small + 1, limits), worth(Some(8), 4, small + 1, limits)),
            (Some(4), Some(4))
        );
        assert_eq!(
            (worth(Some(2), 4, small + 1, limits), worth(Some(1), 4, small + 1, limits)),
            (Some(2), None)
        );
    }
}
