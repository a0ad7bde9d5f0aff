//! The life of an operation: submitted, in effect, delivered, or cancelled; one completion each.

use super::descriptors::Object;
use super::schedule::Event;
use super::{At, Inner};
use crate::buffers::SimBuf;
use crate::disk::EBADF;
use base::io::{Done, Errno, Fd, Op, Out, Token};

/// Kind of the tokens that belong to the implementation.
pub(super) const OWN_KIND: u8 = 0xff;
/// Not a socket.
pub(super) const ENOTSOCK: Errno = Errno(88);

/// An operation in flight.
pub(super) struct Pending {
    pub(super) at: At,
    pub(super) token: Token,
    /// `None` once it took effect.
    pub(super) op: Option<Op<SimBuf>>,
    /// What it works on, held since its submission.
    pub(super) object: Option<(u64, Object)>,
    done: Option<Done<SimBuf>>,
}

/// A result as a number for the trace.
pub(super) fn outcome(result: Result<u32, Errno>) -> i64 {
    match result {
        Ok(count) => i64::from(count),
        Err(errno) => -i64::from(errno.0),
    }
}

/// What a failed operation gives back of itself.
fn leftovers(op: Op<SimBuf>) -> (Option<SimBuf>, Out<SimBuf>) {
    match op {
        Op::Recv { buf, .. } | Op::Send { buf, .. } | Op::Read { buf, .. } | Op::Write { buf, .. } => {
            (Some(buf), Out::Nothing)
        }
        Op::Head { .. } => (None, Out::Head([0; 12])),
        Op::Acts(batch) => (None, Out::Acts(batch)),
        _ => (None, Out::Nothing),
    }
}

impl Inner {
    #[allow(clippy::result_large_err)] // the seam gives the operation back
    pub(super) fn submit(&mut self, at: At, token: Token, op: Op<SimBuf>) -> Result<(), Op<SimBuf>> {
        let most = self.config.limits.ops_in_flight_per_core;
        if self.core(at).in_flight >= most {
            self.pressure.queue_full += 1;
            return Err(op);
        }
        self.pressure.tokens_reused += u64::from(token.generation() > 0);
        self.order += 1;
        let id = self.order;
        let core = self.core(at);
        core.in_flight += 1;
        if core.tokens.insert(token.0, id).is_some() {
            self.violation(format!("token {:016x} is in flight twice", token.0));
        }
        if token.kind() == OWN_KIND {
            self.violation(format!("token {:016x} is not the core's to use", token.0));
        }
        let object = op.fd().map(|fd| self.find(at, fd)).transpose();
        let held = object.unwrap_or(None);
        self.ops.insert(id, Pending { at, token, op: None, object: held, done: None });
        if let Err(errno) = object {
            self.fail(id, op, errno);
            return Ok(());
        }
        if let Some((object, _)) = held {
            self.end(at.end).descriptors.hold(object);
        }
        let due = if let Op::Timer { at_ns } = op { Some(at_ns.max(self.now_ns)) } else { None };
        self.put_back(id, op);
        match due {
            Some(time) => self.plan_at(time, Event::Effect(id)),
            None => self.plan_soon(Event::Effect(id)),
        }
        Ok(())
    }

    /// What a descriptor stands for; one that is closed is a mistake of the core.
    pub(super) fn find(&mut self, at: At, fd: Fd) -> Result<(u64, Object), Errno> {
        let found = self.end(at.end).descriptors.find(fd);
        if found.is_err() {
            let (end, core) = (at.end.0, at.core.0);
            self.violation(format!("core {end}.{core} used descriptor {} that is not open", fd.0));
        }
        found
    }

    pub(super) fn effect(&mut self, id: u64) {
        let Some(pending) = self.ops.get_mut(&id) else { return };
        let Some(op) = pending.op.take() else { return };
        let at = pending.at;
        self.set_disk_time(at.end);
        match op {
            Op::Accept { .. } => self.try_accept(id, op),
            Op::Head { .. } | Op::Recv { .. } => {
                self.try_receive(id, op, true);
            }
            Op::Send { .. } => self.try_send(id, op),
            Op::Connect { to } => self.connect(id, to),
            Op::Read { .. } | Op::Write { .. } | Op::Sync { .. } | Op::Reserve { .. } => self.file_op(id, op),
            Op::Acts(batch) => self.act_step(id, batch),
            Op::Timer { .. } => {
                // At its moment, so that timers come in order.
                self.conclude(id, Ok(0), None, Out::Nothing);
                self.deliver(id);
            }
            Op::Close { fd } => {
                let result = self.close(at, fd);
                self.finish(id, result.map(|()| 0), None, Out::Nothing);
            }
        }
    }

    /// Takes a number away and ends what it stood for, when nothing else holds it.
    pub(super) fn close(&mut self, at: At, fd: Fd) -> Result<(), Errno> {
        match self.end(at.end).descriptors.remove(fd) {
            Ok(id) => {
                self.let_go(at, id);
                Ok(())
            }
            Err(_) => {
                let (end, core) = (at.end.0, at.core.0);
                self.violation(format!("core {end}.{core} closed descriptor {} that is not open", fd.0));
                Err(EBADF)
            }
        }
    }

    fn let_go(&mut self, at: At, id: u64) {
        match self.end(at.end).descriptors.let_go(id) {
            Some(Object::File { ino, .. }) => self.end(at.end).disk.release(ino, id),
            Some(Object::Socket(socket)) => self.close_socket(socket),
            Some(Object::Listener(listener)) => self.close_listener(listener),
            None => {}
        }
    }

    /// It waits: for its moment, for a socket, or for its next step.
    pub(super) fn put_back(&mut self, id: u64, op: Op<SimBuf>) {
        if let Some(pending) = self.ops.get_mut(&id) {
            pending.op = Some(op);
        }
    }

    /// Takes an operation that waits out of its place.
    pub(super) fn take_op(&mut self, id: u64) -> Option<Op<SimBuf>> {
        self.ops.get_mut(&id)?.op.take()
    }

    pub(super) fn fail(&mut self, id: u64, op: Op<SimBuf>, errno: Errno) {
        let (buf, out) = leftovers(op);
        self.finish(id, Err(errno), buf, out);
    }

    pub(super) fn finish(
        &mut self,
        id: u64,
        result: Result<u32, Errno>,
        buf: Option<SimBuf>,
        out: Out<SimBuf>,
    ) {
        self.conclude(id, result, buf, out);
        self.plan_soon(Event::Deliver(id));
    }

    /// Notes how an operation ended; whoever calls plans its delivery.
    pub(super) fn conclude(
        &mut self,
        id: u64,
        result: Result<u32, Errno>,
        buf: Option<SimBuf>,
        out: Out<SimBuf>,
    ) {
        let Some(pending) = self.ops.get_mut(&id) else { return };
        let (at, token, held) = (pending.at, pending.token, pending.object.take());
        pending.done = Some(Done { token, result, buf, out });
        self.record(at, "effect", token.0, outcome(result));
        if let Some((object, _)) = held {
            self.let_go(at, object);
        }
    }

    pub(super) fn deliver(&mut self, id: u64) {
        let Some(mut pending) = self.ops.remove(&id) else { return };
        if let Some(done) = pending.done.take() {
            self.core(pending.at).ready.push(done);
        }
    }

    /// An operation that waits ends; one on a file may end or go on, as with io_uring.
    pub(super) fn cancel(&mut self, at: At, token: Token) {
        let Some(&id) = self.core(at).tokens.get(&token.0) else { return };
        let Some(op) = self.take_op(id) else { return };
        let ends = match &op {
            Op::Close { .. } => false,
            Op::Acts(batch) => batch.results.is_empty() && self.random.coin(),
            Op::Read { .. } | Op::Write { .. } | Op::Sync { .. } | Op::Reserve { .. } => self.random.coin(),
            _ => true,
        };
        if ends {
            self.fail(id, op, Errno::CANCELED);
        } else {
            self.put_back(id, op);
        }
    }
}
