//! The sending side of a link: sealed frames in the order of their record numbers, one send in flight.
//!
//! Small frames wait as bytes and are copied together into one arena slot per send; data frames are sealed
//! in their own slot and sent from there.

use crate::link::LinkId;
use crate::ops::Owner;
use crate::tools::Core;
use base::hooks::Hooks;
use base::io::{Fd, Io, Op};
use base::points::Point;
use std::collections::VecDeque;

/// One sealed thing to send.
enum Sealed<B> {
    /// A whole small frame, and what is passed once it was sent.
    Bytes(Vec<u8>, Option<Point>),
    /// A frame in its slot.
    Slot { slot: B, at: u32, len: u32 },
}

/// Sending side of a link.
pub(crate) struct Tx<B> {
    queue: VecDeque<Sealed<B>>,
    /// Bytes of the small frames in the queue.
    queued: u64,
    /// Slots among the queue, including the one being sent.
    slots: u32,
    sending: bool,
    sending_slot: bool,
    /// What is passed once the send in flight ended.
    leaving: Vec<Point>,
    /// No arena slot was free for the small frames.
    pub(crate) hungry: bool,
    /// When the send in flight began, if it is sampled.
    pub(crate) sampled: Option<u64>,
    /// Bytes handed to the kernel.
    pub(crate) sent: u64,
}

impl<B: AsMut<[u8]> + AsRef<[u8]>> Tx<B> {
    pub(crate) fn new() -> Self {
        Self {
            queue: VecDeque::new(),
            queued: 0,
            slots: 0,
            sending: false,
            sending_slot: false,
            leaving: Vec::new(),
            hungry: false,
            sampled: None,
            sent: 0,
        }
    }

    /// Nothing waits and nothing is in flight.
    pub(crate) fn is_empty(&self) -> bool {
        self.queue.is_empty() && !self.sending
    }

    /// Data slots that may be queued at once.
    pub(crate) fn room(&self, slots_max: u32) -> u32 {
        slots_max.saturating_sub(self.slots)
    }

    /// Frames that wait.
    pub(crate) fn queued(&self) -> usize {
        self.queue.len()
    }

    /// Bytes of small frames that wait.
    pub(crate) fn queued_bytes(&self) -> u64 {
        self.queued
    }

    pub(crate) fn push_bytes(&mut self, frame: Vec<u8>) {
        self.queued += frame.len() as u64;
        self.queue.push_back(Sealed::Bytes(frame, None));
    }

    /// Names what is passed once the small frame queued last was sent. It may be in flight already.
    pub(crate) fn mark(&mut self, point: Point) {
        match self.queue.back_mut() {
            Some(Sealed::Bytes(_, mark)) => *mark = Some(point),
            Some(Sealed::Slot { .. }) => {}
            None => self.leaving.extend(self.sending.then_some(point)),
        }
    }

    pub(crate) fn push_slot(&mut self, slot: B, at: u32, len: u32) {
        self.slots += 1;
        self.queue.push_back(Sealed::Slot { slot, at, len });
    }

    /// Drops what waits; what is in flight comes back by itself.
    pub(crate) fn abandon(&mut self) {
        self.slots = u32::from(self.sending_slot);
        self.queue.clear();
        self.queued = 0;
        self.leaving.clear();
    }

    /// Starts the next send when none is in flight.
    pub(crate) fn pump<I: Io<Buf = B>, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        link: LinkId,
        socket: Fd,
        zc: bool,
    ) {
        if self.sending {
            return;
        }
        let (buf, at, len) = match self.queue.front() {
            None => return,
            Some(Sealed::Slot { .. }) => {
                let Some(Sealed::Slot { slot, at, len }) = self.queue.pop_front() else { return };
                self.sending_slot = true;
                (slot, at, len)
            }
            Some(Sealed::Bytes(..)) => {
                let Some(mut slot) = core.io.take() else {
                    self.hungry = true;
                    return;
                };
                let len = self.gather(slot.as_mut());
                self.sending_slot = false;
                (slot, 0, len)
            }
        };
        self.hungry = false;
        self.sending = true;
        self.sampled = if self.sending_slot { core.sample() } else { None };
        core.start(Owner::LinkTx(link), Op::Send { socket, buf, at, len, zc: zc && self.sending_slot });
    }

    /// Copies as many of the leading small frames into the slot as fit; a frame longer than the slot goes
    /// out in pieces.
    fn gather(&mut self, slot: &mut [u8]) -> u32 {
        let mut used = 0;
        while let Some(Sealed::Bytes(frame, mark)) = self.queue.front_mut() {
            let room = slot.len() - used;
            if frame.len() <= room {
                slot[used..used + frame.len()].copy_from_slice(frame);
                used += frame.len();
                self.leaving.extend(*mark);
                self.queue.pop_front();
                continue;
            }
            if used == 0 {
                slot[..room].copy_from_slice(&frame[..room]);
                frame.drain(..room);
                used = room;
            }
            break;
        }
        self.queued -= used as u64;
        used as u32
    }

    /// A send ended. Returns whether it was a data slot.
    pub(crate) fn on_sent<I: Io<Buf = B>, H: Hooks>(&mut self, core: &mut Core<I, H>, bytes: u32) -> bool {
        self.sending = false;
        self.sent += u64::from(bytes);
        for point in self.leaving.drain(..).filter(|_| bytes > 0) {
            core.reach(point);
        }
        let was_slot = core::mem::take(&mut self.sending_slot);
        if was_slot {
            self.slots -= 1;
        }
        was_slot
    }
}
