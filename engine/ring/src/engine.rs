//! The engine chosen at start: io_uring where it can be used, else threads.

use crate::arena::Buf;
use crate::error::RingError;
use crate::threads::Threads;
use crate::uring::Uring;
use crate::wake::Waker;
use base::ids::CoreId;
use base::io::{Batch, Done, Errno, Fd, Io, IoCaps, Now, Op, Token};
use base::limits::Limits;

/// Which engine is asked for (`--io`).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Mode {
    /// io_uring, or threads where it cannot be used; `IoCaps::notice` then says why.
    #[default]
    Auto,
    /// io_uring or nothing.
    Uring,
    /// Blocking threads.
    Threads,
}

impl Mode {
    /// The mode of this name: `auto`, `uring` or `threads`.
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "auto" => Some(Self::Auto),
            "uring" => Some(Self::Uring),
            "threads" => Some(Self::Threads),
            _ => None,
        }
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Uring => "uring",
            Self::Threads => "threads",
        }
    }
}

/// One core's engine. Made on the thread that uses it.
pub enum Engine {
    /// io_uring.
    Uring(Box<Uring>),
    /// Blocking threads.
    Threads(Box<Threads>),
}

impl Engine {
    /// Makes the engine of one core.
    ///
    /// # Errors
    /// io_uring was asked for and is refused, or memory, threads or descriptors are missing.
    pub fn new(mode: Mode, core: CoreId, limits: &Limits) -> Result<Self, RingError> {
        if mode != Mode::Threads {
            match Uring::new(core, limits) {
                Ok(uring) => return Ok(Self::Uring(Box::new(uring))),
                Err(RingError::Refused(refusal)) if mode == Mode::Auto => {
                    let mut threads = Threads::new(core, limits)?;
                    threads.set_notice(refusal.to_string());
                    return Ok(Self::Threads(Box::new(threads)));
                }
                Err(other) => return Err(other),
            }
        }
        Ok(Self::Threads(Box::new(Threads::new(core, limits)?)))
    }

    /// Wakes this core; for every other core and thread.
    pub fn waker(&self) -> Waker {
        match self {
            Self::Uring(engine) => engine.waker(),
            Self::Threads(engine) => engine.waker(),
        }
    }

    /// The wakers of all cores, in the order of their [`CoreId`]s.
    pub fn set_peers(&mut self, peers: Vec<Waker>) {
        match self {
            Self::Uring(engine) => engine.set_peers(peers),
            Self::Threads(engine) => engine.set_peers(peers),
        }
    }
}

macro_rules! both {
    ($self:ident, $engine:ident => $call:expr) => {
        match $self {
            Engine::Uring($engine) => $call,
            Engine::Threads($engine) => $call,
        }
    };
}

impl Io for Engine {
    type Buf = Buf;

    fn caps(&self) -> &IoCaps {
        both!(self, engine => engine.caps())
    }
    fn now(&self) -> Now {
        both!(self, engine => engine.now())
    }
    fn stamp(&self) -> u64 {
        both!(self, engine => engine.stamp())
    }
    fn random(&mut self, out: &mut [u8]) {
        both!(self, engine => engine.random(out))
    }
    fn take(&mut self) -> Option<Buf> {
        both!(self, engine => engine.take())
    }
    fn submit(&mut self, token: Token, op: Op<Buf>) -> Result<(), Op<Buf>> {
        both!(self, engine => engine.submit(token, op))
    }
    fn cancel(&mut self, token: Token) {
        both!(self, engine => engine.cancel(token))
    }
    fn act(&mut self, batch: &mut Batch<Buf>) {
        both!(self, engine => engine.act(batch))
    }
    fn set_low_water(&mut self, socket: Fd, bytes: u32) -> Result<(), Errno> {
        both!(self, engine => engine.set_low_water(socket, bytes))
    }
    fn shut(&mut self, socket: Fd) {
        both!(self, engine => engine.shut(socket))
    }
    fn shut_write(&mut self, socket: Fd) {
        both!(self, engine => engine.shut_write(socket))
    }
    fn wake(&mut self, core: CoreId) {
        both!(self, engine => engine.wake(core))
    }
    fn turn(&mut self, wait_until: u64, done: &mut Vec<Done<Buf>>) {
        both!(self, engine => engine.turn(wait_until, done))
    }
}
