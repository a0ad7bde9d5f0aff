//! Operations in flight: who asked, and how much of it is still to come.
//!
//! [`Io`](base::io::Io) completes with what the kernel gave, short or not. This table asks for the rest, so that an owner
//! sees one [`Finish`] per operation: all of it, the end of the file or connection, or an error. The rest of a
//! short operation is asked for by number, so a descriptor is closed only when nothing on it is in flight.

use crate::link::LinkId;
use base::io::{Batch, Done, Errno, Fd, Io, Op, Out, Token};
use core::net::SocketAddr;
use std::collections::VecDeque;

/// Who gets the [`Finish`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Owner {
    /// A link's receiving side.
    LinkRx(LinkId),
    /// A link's sending side.
    LinkTx(LinkId),
    /// A link being opened.
    Connect(LinkId),
    /// A listener, by its place in the settings.
    Listener(u32),
    /// The home of an outgoing transfer.
    Send { link: LinkId, number: u32 },
    /// The sending lane of a link.
    SendLane { link: LinkId, tag: u64 },
    /// The home of an incoming transfer.
    Receive { link: LinkId, number: u32, tag: u64 },
    /// The receiving lane of a link.
    ReceiveLane { link: LinkId, tag: u64 },
    /// The recovery of what earlier runs left.
    Recovery,
    /// Nobody waits (closing a descriptor).
    Nobody,
}

/// The one end of an operation.
#[derive(Debug)]
pub(crate) struct Finish<B> {
    /// Bytes in all: less than asked only at the end of a file or connection.
    pub(crate) result: Result<u32, Errno>,
    /// The buffer that went in.
    pub(crate) slot: Option<B>,
    /// What came beside.
    pub(crate) yields: Yield,
    /// The batch that went in, with its results.
    pub(crate) acts: Option<Box<Batch<B>>>,
}

/// What an operation yields beside bytes.
#[derive(Debug)]
pub(crate) enum Yield {
    /// Nothing.
    Nothing,
    /// A frame header, whole when the result is 12.
    Head([u8; 12]),
    /// A new connection.
    Accepted { socket: Fd, from: SocketAddr },
    /// The connection asked for.
    Connected(Fd),
}

/// How to ask for the rest.
#[derive(Clone, Copy)]
enum Rest {
    Whole,
    Head { socket: Fd },
    Recv { socket: Fd },
    Send { socket: Fd, zc: bool },
    Read { file: Fd, offset: u64, uncached: bool },
    Write { file: Fd, offset: u64, uncached: bool },
}

struct Slot {
    owner: Owner,
    rest: Rest,
    /// The descriptors it works on.
    fds: [Option<Fd>; 2],
    at: u32,
    len: u32,
    done: u32,
    head: [u8; 12],
}

/// All operations of one core.
pub(crate) struct Ops<B> {
    slots: Vec<(u32, Option<Slot>)>,
    free: Vec<u32>,
    /// Given back by a full queue; tried again each turn.
    backlog: VecDeque<(Token, Op<B>)>,
    /// By descriptor: operations on it, and whether it is closed when the last of them ends.
    uses: Vec<(u32, bool)>,
}

const KIND: u8 = 1;

impl<B> Ops<B> {
    pub(crate) fn new() -> Self {
        Self { slots: Vec::new(), free: Vec::new(), backlog: VecDeque::new(), uses: Vec::new() }
    }

    /// How many are in flight or waiting for room.
    pub(crate) fn in_flight(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    /// Starts an operation for an owner.
    pub(crate) fn start<I: Io<Buf = B>>(&mut self, io: &mut I, owner: Owner, op: Op<B>) {
        let fds = [op.fd(), None];
        self.start_on(io, owner, op, fds);
    }

    /// Starts an operation that works on these descriptors.
    pub(crate) fn start_on<I: Io<Buf = B>>(
        &mut self,
        io: &mut I,
        owner: Owner,
        op: Op<B>,
        fds: [Option<Fd>; 2],
    ) {
        let (rest, at, len) = match &op {
            Op::Head { socket, at } => (Rest::Head { socket: *socket }, u32::from(*at), 12 - u32::from(*at)),
            Op::Recv { socket, at, len, .. } => (Rest::Recv { socket: *socket }, *at, *len),
            Op::Send { socket, at, len, zc, .. } => (Rest::Send { socket: *socket, zc: *zc }, *at, *len),
            Op::Read { file, offset, at, len, uncached, .. } => {
                (Rest::Read { file: *file, offset: *offset, uncached: *uncached }, *at, *len)
            }
            Op::Write { file, offset, at, len, uncached, .. } => {
                (Rest::Write { file: *file, offset: *offset, uncached: *uncached }, *at, *len)
            }
            _ => (Rest::Whole, 0, 0),
        };
        for fd in fds.into_iter().flatten() {
            if let Some(uses) = self.uses_of(fd) {
                uses.0 += 1;
            }
        }
        let slot = Slot { owner, rest, fds, at, len, done: 0, head: [0; 12] };
        let index = match self.free.pop() {
            Some(index) => {
                self.slots[index as usize].1 = Some(slot);
                index
            }
            None => {
                self.slots.push((0, Some(slot)));
                self.slots.len() as u32 - 1
            }
        };
        let token = Token::new(KIND, self.slots[index as usize].0, index);
        self.submit(io, token, op);
    }

    fn uses_of(&mut self, fd: Fd) -> Option<&mut (u32, bool)> {
        let at = usize::try_from(fd.0).ok()?;
        if at >= self.uses.len() {
            self.uses.resize(at + 1, (0, false));
        }
        self.uses.get_mut(at)
    }

    /// Closes a descriptor once nothing on it is in flight; nobody waits for it.
    pub(crate) fn close<I: Io<Buf = B>>(&mut self, io: &mut I, fd: Fd) {
        match self.uses_of(fd) {
            Some((count, closing)) if *count > 0 => *closing = true,
            _ => self.start(io, Owner::Nobody, Op::Close { fd }),
        }
    }

    fn submit<I: Io<Buf = B>>(&mut self, io: &mut I, token: Token, op: Op<B>) {
        if !self.backlog.is_empty() {
            self.backlog.push_back((token, op));
        } else if let Err(op) = io.submit(token, op) {
            self.backlog.push_back((token, op));
        }
    }

    /// Submits what a full queue gave back.
    pub(crate) fn retry<I: Io<Buf = B>>(&mut self, io: &mut I) {
        while let Some((token, op)) = self.backlog.pop_front() {
            if let Err(op) = io.submit(token, op) {
                self.backlog.push_front((token, op));
                return;
            }
        }
    }

    /// Takes a completion. `None`: the rest was asked for, or the completion is not of this table.
    pub(crate) fn finish<I: Io<Buf = B>>(&mut self, io: &mut I, done: Done<B>) -> Option<(Owner, Finish<B>)> {
        let token = done.token;
        if token.kind() != KIND {
            return None;
        }
        let index = token.slot() as usize;
        let (generation, entry) = self.slots.get_mut(index)?;
        assert!(
            *generation & 0x00ff_ffff == token.generation(),
            "a completion for an operation that has ended"
        );
        let slot = entry.as_mut()?;
        if let Some(again) = slot.again(&done) {
            let Some(op) = slot.resume(again, done) else {
                return Some(self.end(io, index, Err(Errno::IO), None, Out::Nothing));
            };
            self.submit(io, token, op);
            return None;
        }
        let result = match done.result {
            Ok(count) => Ok(slot.done + count),
            Err(errno) => Err(errno),
        };
        let mut out = done.out;
        if let Out::Head(bytes) = &mut out {
            slot.take_head(bytes, done.result.unwrap_or(0));
            *bytes = slot.head;
        }
        Some(self.end(io, index, result, done.buf, out))
    }

    fn end<I: Io<Buf = B>>(
        &mut self,
        io: &mut I,
        index: usize,
        result: Result<u32, Errno>,
        slot: Option<B>,
        out: Out<B>,
    ) -> (Owner, Finish<B>) {
        let (yields, acts) = match out {
            Out::Head(bytes) => (Yield::Head(bytes), None),
            Out::Accepted { socket, from } => (Yield::Accepted { socket, from }, None),
            Out::Connected(socket) => (Yield::Connected(socket), None),
            Out::Acts(batch) => (Yield::Nothing, Some(batch)),
            Out::Nothing | Out::Woken => (Yield::Nothing, None),
        };
        let (generation, entry) = &mut self.slots[index];
        let (owner, fds) = entry.take().map_or((Owner::Nobody, [None; 2]), |slot| (slot.owner, slot.fds));
        *generation = generation.wrapping_add(1);
        self.free.push(index as u32);
        for fd in fds.into_iter().flatten() {
            let Some((count, closing)) = self.uses_of(fd) else { continue };
            *count -= 1;
            if *count == 0 && core::mem::take(closing) {
                self.start(io, Owner::Nobody, Op::Close { fd });
            }
        }
        (owner, Finish { result, slot, yields, acts })
    }
}

impl Slot {
    /// How many more bytes came, when the rest must be asked for.
    fn again<B>(&self, done: &Done<B>) -> Option<u32> {
        if matches!(self.rest, Rest::Whole) {
            return None;
        }
        match done.result {
            Err(Errno::INTR | Errno::AGAIN) => Some(0),
            Ok(count) if count > 0 && self.done + count < self.len => Some(count),
            // A write that takes nothing will never take anything.
            _ => None,
        }
    }

    fn take_head(&mut self, bytes: &[u8; 12], count: u32) {
        let from = (self.at + self.done) as usize;
        let to = from + count as usize;
        if to <= 12 {
            self.head[from..to].copy_from_slice(&bytes[from..to]);
        }
    }

    fn resume<B>(&mut self, count: u32, done: Done<B>) -> Option<Op<B>> {
        if let Out::Head(bytes) = &done.out {
            self.take_head(bytes, count);
        }
        self.done += count;
        let (at, len) = (self.at + self.done, self.len - self.done);
        let skip = u64::from(self.done);
        Some(match self.rest {
            Rest::Whole => return None,
            Rest::Head { socket } => Op::Head { socket, at: at as u8 },
            Rest::Recv { socket } => Op::Recv { socket, buf: done.buf?, at, len },
            Rest::Send { socket, zc } => Op::Send { socket, buf: done.buf?, at, len, zc },
            Rest::Read { file, offset, uncached } => {
                Op::Read { file, offset: offset + skip, buf: done.buf?, at, len, uncached }
            }
            Rest::Write { file, offset, uncached } => {
                Op::Write { file, offset: offset + skip, buf: done.buf?, at, len, uncached }
            }
        })
    }
}
