//! Mistakes planted on purpose: each must turn the oracle red.
//!
//! Two lie at the seam between a core and the world, one in the engine itself behind its feature `planted`.

use base::ids::CoreId;
use base::io::{Batch, Done, Errno, Fd, Io, IoCaps, Now, Op, Token};
use base::limits::DATA_AT;
use sim::buffers::SimBuf;
use sim::io::SimIo;
use std::collections::BTreeMap;

/// A mistake.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Planted {
    /// Syncs are claimed and not done, so everything is acknowledged before it is durable.
    AcknowledgeBeforeSync,
    /// The second chunk of each file is never written.
    SkipChunk,
    /// A file gets its name when its content is there, before its seal is.
    PublishBeforeSeal,
}

/// A core's way to the world, with or without a mistake.
pub(crate) struct Tampered {
    io: SimIo,
    planted: Option<Planted>,
    /// Writes that are claimed: their buffers and lengths, by token.
    claimed: BTreeMap<u64, (SimBuf, u32)>,
}

impl Tampered {
    pub(crate) fn new(io: SimIo, planted: Option<Planted>) -> Self {
        shard::planted::publish_before_seal(planted == Some(Planted::PublishBeforeSeal));
        Self { io, planted, claimed: BTreeMap::new() }
    }
}

impl Io for Tampered {
    type Buf = SimBuf;

    fn caps(&self) -> &IoCaps {
        self.io.caps()
    }

    fn now(&self) -> Now {
        self.io.now()
    }

    fn stamp(&self) -> u64 {
        self.io.stamp()
    }

    fn random(&mut self, out: &mut [u8]) {
        self.io.random(out);
    }

    fn take(&mut self) -> Option<SimBuf> {
        self.io.take()
    }

    fn submit(&mut self, token: Token, op: Op<SimBuf>) -> Result<(), Op<SimBuf>> {
        let at_ns = self.io.now().mono_ns;
        match (self.planted, op) {
            (Some(Planted::AcknowledgeBeforeSync), Op::Sync { file, data_only }) => {
                self.io.submit(token, Op::Timer { at_ns }).map_err(|_| Op::Sync { file, data_only })
            }
            // Chunks are written from where data lies in a slot, journals from its beginning.
            (Some(Planted::SkipChunk), Op::Write { file, offset, buf, at: DATA_AT, len, uncached })
                if (4096..8192).contains(&offset) =>
            {
                match self.io.submit(token, Op::Timer { at_ns }) {
                    Ok(()) => {
                        self.claimed.insert(token.0, (buf, len));
                        Ok(())
                    }
                    Err(_) => Err(Op::Write { file, offset, buf, at: DATA_AT, len, uncached }),
                }
            }
            (_, op) => self.io.submit(token, op),
        }
    }

    fn cancel(&mut self, token: Token) {
        self.io.cancel(token);
    }

    fn act(&mut self, batch: &mut Batch<SimBuf>) {
        self.io.act(batch);
    }

    fn set_low_water(&mut self, socket: Fd, bytes: u32) -> Result<(), Errno> {
        self.io.set_low_water(socket, bytes)
    }

    fn shut(&mut self, socket: Fd) {
        self.io.shut(socket);
    }

    fn shut_write(&mut self, socket: Fd) {
        self.io.shut_write(socket);
    }

    fn wake(&mut self, core: CoreId) {
        self.io.wake(core);
    }

    fn turn(&mut self, wait_until: u64, done: &mut Vec<Done<SimBuf>>) {
        self.io.turn(wait_until, done);
        for one in done {
            if let Some((buf, len)) = self.claimed.remove(&one.token.0) {
                (one.result, one.buf) = (Ok(len), Some(buf));
            }
        }
    }
}
