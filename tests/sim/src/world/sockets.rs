//! Operations on sockets.

use super::descriptors::Object;
use super::files::{span, span_mut};
use super::ops::ENOTSOCK;
use super::schedule::Event;
use super::{At, EndId, Inner};
use crate::buffers::SimBuf;
use crate::faults::FaultKind;
use crate::net::{self, Socket, Waiters};
use base::ids::CoreId;
use base::io::{Errno, Fd, Op, Out};
use base::limits::HEADER_BYTES;
use std::net::SocketAddr;

/// How long a connection to a machine that is off takes to fail.
const UNREACHABLE_NS: u64 = 50_000_000;
/// The longest stall.
const STALL_NS_MAX: u64 = 500_000_000;
/// The narrowest pipe.
const NARROW_BYTES: usize = 512;
/// The ports of those that connect.
const EPHEMERAL_PORTS: std::ops::Range<u64> = 32_768..60_999;

impl Inner {
    fn socket_of(&self, id: u64) -> Option<Socket> {
        match self.ops.get(&id)?.object? {
            (_, Object::Socket(socket)) => Some(socket),
            _ => None,
        }
    }

    pub(super) fn try_accept(&mut self, id: u64, op: Op<SimBuf>) {
        let found = self.ops.get(&id).map(|one| (one.at, one.object));
        let Some((at, Some((_, Object::Listener(listener))))) = found else {
            return self.fail(id, op, Errno::INVAL);
        };
        if let Err(errno) = self.end(at.end).descriptors.room() {
            return self.fail(id, op, errno);
        }
        match self.net.accept(listener) {
            Some((socket, from)) => {
                let fd = self.add_descriptor(at.end, Object::Socket(socket));
                self.finish(id, Ok(0), None, Out::Accepted { socket: fd, from });
            }
            None => match self.net.accepters(listener) {
                Some(accepters) => {
                    accepters.push_back(id);
                    self.put_back(id, op);
                }
                None => self.fail(id, op, Errno::INVAL),
            },
        }
    }

    pub(super) fn connect(&mut self, id: u64, to: SocketAddr) {
        let Some(at) = self.ops.get(&id).map(|one| one.at) else { return };
        match self.ends.iter().find(|end| end.address == to.ip()) {
            None => return self.finish(id, Err(Errno::NETUNREACH), None, Out::Nothing),
            Some(end) if !end.powered => {
                self.conclude(id, Err(Errno::HOSTUNREACH), None, Out::Nothing);
                return self.plan_after(UNREACHABLE_NS, Event::Deliver(id));
            }
            Some(_) => {}
        }
        if let Err(errno) = self.end(at.end).descriptors.room() {
            return self.finish(id, Err(errno), None, Out::Nothing);
        }
        let port = self.random.between(EPHEMERAL_PORTS.start, EPHEMERAL_PORTS.end) as u16;
        let from = SocketAddr::new(self.end(at.end).address, port);
        let narrow = self.plan.is_on(FaultKind::ShortSend) && self.random.coin();
        let pipe_bytes = if narrow { NARROW_BYTES << self.random.below(4) } else { net::PIPE_BYTES };
        match self.net.connect(at.end, from, to, pipe_bytes, &mut self.random) {
            Ok((socket, listener)) => {
                let core = self.net.listener_core(listener).map_or(0, |core| core.0);
                self.record(at, "connected", socket.connection, i64::from(core));
                let fd = self.add_descriptor(at.end, Object::Socket(socket));
                self.finish(id, Ok(0), None, Out::Connected(fd));
                self.pump_accepters(listener);
            }
            Err(errno) => self.finish(id, Err(errno), None, Out::Nothing),
        }
    }

    fn pump_accepters(&mut self, listener: u64) {
        while let Some(id) = self.net.accepters(listener).and_then(|queue| queue.pop_front()) {
            // One that was cancelled has left its number here.
            if let Some(op) = self.take_op(id) {
                return self.try_accept(id, op);
            }
        }
    }

    /// Tries a receive; false: it waits.
    pub(super) fn try_receive(&mut self, id: u64, mut op: Op<SimBuf>, first: bool) -> bool {
        let Some(socket) = self.socket_of(id) else {
            self.fail(id, op, ENOTSOCK);
            return true;
        };
        let mut head = [0; HEADER_BYTES as usize];
        let room = match &mut op {
            Op::Head { at, .. } => head.get_mut(usize::from(*at)..),
            Op::Recv { buf, at, len, .. } => span_mut(buf.as_mut(), *at, *len),
            _ => None,
        };
        let Some(room) = room.filter(|room| !room.is_empty()) else {
            self.violation(format!("a receive of no bytes: {op:?}"));
            self.fail(id, op, Errno::INVAL);
            return true;
        };
        let short =
            self.net.arrived(socket) > 1 && self.plan.strikes(FaultKind::ShortReceive, &mut self.random);
        let most = if short { self.random.between(1, room.len() as u64) as usize } else { room.len() };
        match self.net.receive(socket, &mut room[..most], first && short) {
            None => {
                self.put_back(id, op);
                self.wait_for(socket, Waiters::Readers, id, first);
                false
            }
            Some(result) => {
                let result = result.map(|count| count as u32);
                let (buf, out) = match op {
                    Op::Recv { buf, .. } => (Some(buf), Out::Nothing),
                    _ => (None, Out::Head(head)),
                };
                self.finish(id, result, buf, out);
                // There may be room for the peer's senders.
                self.pump_senders(socket.peer());
                true
            }
        }
    }

    /// Tries a send, which waits when nothing fits.
    pub(super) fn try_send(&mut self, id: u64, op: Op<SimBuf>) {
        let Some(socket) = self.socket_of(id) else { return self.fail(id, op, ENOTSOCK) };
        let bytes = match &op {
            Op::Send { buf, at, len, .. } => span(buf.as_ref(), *at, *len),
            _ => None,
        };
        let Some(bytes) = bytes.filter(|bytes| !bytes.is_empty()) else {
            self.violation(format!("a send of no bytes: {op:?}"));
            return self.fail(id, op, Errno::INVAL);
        };
        if self.plan.strikes(FaultKind::Cut, &mut self.random) {
            self.cut(socket.connection);
        }
        if self.plan.strikes(FaultKind::Stall, &mut self.random) {
            let until = self.now_ns + self.random.between(1, STALL_NS_MAX);
            self.net.stall(socket.connection, until);
        }
        let short = bytes.len() > 1 && self.plan.strikes(FaultKind::ShortSend, &mut self.random);
        let most = if short { self.random.between(1, bytes.len() as u64) as usize } else { bytes.len() };
        match self.net.send(socket, &bytes[..most]) {
            None => {
                self.put_back(id, op);
                self.wait_for(socket, Waiters::Writers, id, true);
            }
            Some(result) => {
                if let Ok(count) = result {
                    self.trace.fold(&bytes[..count]);
                }
                let Op::Send { buf, .. } = op else { return };
                self.finish(id, result.map(|count| count as u32), Some(buf), Out::Nothing);
                self.expect_arrival(socket.peer());
                // A send into a connection whose other end is gone resets this one.
                self.pump_receivers(socket);
            }
        }
    }

    fn wait_for(&mut self, socket: Socket, which: Waiters, id: u64, is_new: bool) {
        if let Some(waiters) = self.net.waiters(socket, which) {
            if is_new {
                waiters.push_back(id);
            } else {
                waiters.push_front(id);
            }
        }
    }

    fn expect_arrival(&mut self, socket: Socket) {
        if self.net.plan_arrival(socket) {
            self.plan_soon(Event::Arrive(socket));
        }
    }

    pub(super) fn arrive(&mut self, socket: Socket) {
        let in_pieces = self.plan.strikes(FaultKind::ShortReceive, &mut self.random);
        let random = in_pieces.then_some(&mut self.random);
        match self.net.arrive(socket, self.now_ns, random) {
            Some(stalled_until) => {
                if self.net.plan_arrival(socket) {
                    self.plan_at(stalled_until, Event::Arrive(socket));
                }
            }
            None => {
                self.expect_arrival(socket);
                self.pump(socket);
            }
        }
    }

    /// Something changed on this side: those who wait try again.
    pub(super) fn pump(&mut self, socket: Socket) {
        self.pump_receivers(socket);
        self.pump_senders(socket);
    }

    fn pump_receivers(&mut self, socket: Socket) {
        while let Some(id) = self.net.waiters(socket, Waiters::Readers).and_then(|queue| queue.pop_front()) {
            if let Some(op) = self.take_op(id)
                && !self.try_receive(id, op, false)
            {
                break;
            }
        }
    }

    fn pump_senders(&mut self, socket: Socket) {
        let waiting = self.net.waiters(socket, Waiters::Writers).map(std::mem::take).unwrap_or_default();
        for id in waiting {
            // One that still cannot send joins the queue again, in order.
            if let Some(op) = self.take_op(id) {
                self.try_send(id, op);
            }
        }
    }

    pub(super) fn cut(&mut self, connection: u64) {
        self.record(At { end: EndId(0), core: CoreId(0) }, "cut", connection, 0);
        self.net.cut(connection, &mut self.random);
        for side in 0..2 {
            self.pump(Socket { connection, side });
        }
    }

    pub(super) fn shut(&mut self, at: At, fd: Fd, both: bool) {
        match self.find(at, fd) {
            Ok((_, Object::Socket(socket))) => {
                self.net.shut(socket, both);
                self.expect_arrival(socket.peer());
                self.pump(socket);
            }
            // As Linux: the port is free at once, and accepts end with EINVAL.
            Ok((_, Object::Listener(listener))) => {
                let waiting = self.net.accepters(listener).map(std::mem::take).unwrap_or_default();
                self.close_listener(listener);
                for id in waiting {
                    if let Some(op) = self.take_op(id) {
                        self.fail(id, op, Errno::INVAL);
                    }
                }
            }
            _ => {}
        }
    }

    pub(super) fn set_low_water(&mut self, at: At, fd: Fd, bytes: u32) -> Result<(), Errno> {
        match self.find(at, fd)? {
            (_, Object::Socket(socket)) => {
                self.net.set_low_water(socket, bytes);
                self.pump_receivers(socket);
                self.pump_senders(socket.peer());
                Ok(())
            }
            _ => Err(ENOTSOCK),
        }
    }

    pub(super) fn close_socket(&mut self, socket: Socket) {
        self.net.close(socket);
        self.expect_arrival(socket.peer());
        self.pump(socket.peer());
    }

    pub(super) fn close_listener(&mut self, listener: u64) {
        for socket in self.net.close_listener(listener) {
            self.pump(socket);
        }
    }
}
