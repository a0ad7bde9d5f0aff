//! What [`SimIo`](crate::io::SimIo) and the hooks call, each closed to a dead process.

use super::schedule::Event;
use super::{At, EndId, World};
use crate::buffers::SimBuf;
use base::hooks::{Reply, Ticket};
use base::io::{Batch, Done, Errno, Fd, Now, Op, Token};
use base::points::Point;

impl World {
    #[allow(clippy::result_large_err)] // the seam gives the operation back
    pub(crate) fn submit(
        &self,
        at: At,
        process: u32,
        token: Token,
        op: Op<SimBuf>,
    ) -> Result<(), Op<SimBuf>> {
        let mut inner = self.inner();
        if inner.is_process(at.end, process) { inner.submit(at, token, op) } else { Ok(()) }
    }

    pub(crate) fn is_process(&self, end: EndId, process: u32) -> bool {
        self.inner().is_process(end, process)
    }

    pub(crate) fn cancel(&self, at: At, process: u32, token: Token) {
        let mut inner = self.inner();
        if inner.is_process(at.end, process) {
            inner.cancel(at, token);
        }
    }

    pub(crate) fn act(&self, at: At, process: u32, batch: &mut Batch<SimBuf>) {
        let mut inner = self.inner();
        if inner.is_process(at.end, process) {
            return inner.act_inline(at, batch);
        }
        batch.results.clear();
        batch.results.resize(batch.len(), Err(Errno::IO));
    }

    pub(crate) fn set_low_water(&self, at: At, process: u32, fd: Fd, bytes: u32) -> Result<(), Errno> {
        let mut inner = self.inner();
        if inner.is_process(at.end, process) { inner.set_low_water(at, fd, bytes) } else { Ok(()) }
    }

    pub(crate) fn shut(&self, at: At, process: u32, fd: Fd, both: bool) {
        let mut inner = self.inner();
        if inner.is_process(at.end, process) {
            inner.shut(at, fd, both);
        }
    }

    pub(crate) fn wake_from(&self, at: At, process: u32) {
        let mut inner = self.inner();
        if inner.is_process(at.end, process) {
            inner.wake(at);
        }
    }

    pub(crate) fn turn(&self, at: At, process: u32, wait_until: u64, done: &mut Vec<Done<SimBuf>>) -> Now {
        let mut inner = self.inner();
        if inner.is_process(at.end, process) {
            if inner.config.blocking {
                inner.wait(at, wait_until);
            }
            inner.hand_out(at, wait_until, done);
        }
        inner.now(at.end)
    }

    pub(crate) fn answer(&self, at: At, process: u32, ticket: Ticket, reply: Reply) {
        let mut inner = self.inner();
        inner.plan_soon(Event::Answer(at, process, ticket, reply));
    }

    pub(crate) fn take_answers(&self, at: At, process: u32) -> Vec<(Ticket, Reply)> {
        let mut inner = self.inner();
        if inner.is_process(at.end, process) { std::mem::take(&mut inner.core(at).inbox) } else { Vec::new() }
    }

    pub(crate) fn reach(&self, at: At, process: u32, point: Point) {
        self.inner().reach(at, process, point);
    }
}
