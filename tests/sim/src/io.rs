//! `base::io::Io` over the simulated world: one core's handle of it.
//!
//! Once its process is dead the handle does nothing: operations vanish, acts yield EIO, turns are empty.

use crate::buffers::{Arena, SimBuf};
use crate::random::Random;
use crate::world::{At, World};
use base::hooks::{Reply, Ticket};
use base::ids::CoreId;
use base::io::{Batch, Done, Errno, Fd, Io, IoCaps, Now, Op, Token};
use base::points::Point;
use std::rc::Rc;

/// One core's way to the simulated world.
pub struct SimIo {
    world: World,
    at: At,
    process: u32,
    arena: Rc<Arena>,
    random: Random,
    caps: IoCaps,
    now: Now,
}

impl SimIo {
    pub(crate) fn new(
        world: World,
        at: At,
        process: u32,
        arena: Rc<Arena>,
        random: Random,
        now: Now,
    ) -> Self {
        let caps = IoCaps {
            name: "sim",
            notice: None,
            zero_copy_send: false,
            buffer_bytes: arena.slot_bytes(),
            buffers: arena.slots(),
        };
        Self { world, at, process, arena, random, caps, now }
    }

    /// Which core it is of.
    pub fn at(&self) -> At {
        self.at
    }

    /// What hooks of this core use to reach the world.
    pub fn line(&self) -> Line {
        Line { world: self.world.clone(), at: self.at, process: self.process }
    }
}

impl Io for SimIo {
    type Buf = SimBuf;

    fn caps(&self) -> &IoCaps {
        &self.caps
    }

    fn now(&self) -> Now {
        self.now
    }

    fn stamp(&self) -> u64 {
        self.world.now_ns()
    }

    fn random(&mut self, out: &mut [u8]) {
        self.random.fill(out);
    }

    fn take(&mut self) -> Option<SimBuf> {
        let slot = self.arena.take();
        if slot.is_none() {
            self.world.arena_empty();
        }
        slot
    }

    fn submit(&mut self, token: Token, op: Op<SimBuf>) -> Result<(), Op<SimBuf>> {
        self.world.submit(self.at, self.process, token, op)
    }

    fn cancel(&mut self, token: Token) {
        self.world.cancel(self.at, self.process, token);
    }

    fn act(&mut self, batch: &mut Batch<SimBuf>) {
        self.world.act(self.at, self.process, batch);
    }

    fn set_low_water(&mut self, socket: Fd, bytes: u32) -> Result<(), Errno> {
        self.world.set_low_water(self.at, self.process, socket, bytes)
    }

    fn shut(&mut self, socket: Fd) {
        self.world.shut(self.at, self.process, socket, true);
    }

    fn shut_write(&mut self, socket: Fd) {
        self.world.shut(self.at, self.process, socket, false);
    }

    fn wake(&mut self, core: CoreId) {
        self.world.wake_from(At { core, ..self.at }, self.process);
    }

    fn turn(&mut self, wait_until: u64, done: &mut Vec<Done<SimBuf>>) {
        self.now = self.world.turn(self.at, self.process, wait_until, done);
    }
}

/// One core's hooks on the world: answers that come later, crash points.
#[derive(Clone)]
pub struct Line {
    world: World,
    at: At,
    process: u32,
}

impl Line {
    /// Which core it is of.
    pub fn at(&self) -> At {
        self.at
    }

    /// The world.
    pub fn world(&self) -> &World {
        &self.world
    }

    /// Whether its process lives.
    pub fn is_alive(&self) -> bool {
        self.world.is_process(self.at.end, self.process)
    }

    /// The reply comes after a random time, with a wake.
    pub fn answer(&self, ticket: Ticket, reply: Reply) {
        self.world.answer(self.at, self.process, ticket, reply);
    }

    /// Replies that came.
    pub fn take_answers(&self) -> Vec<(Ticket, Reply)> {
        self.world.take_answers(self.at, self.process)
    }

    /// A crash point was passed.
    pub fn reach(&self, point: Point) {
        self.world.reach(self.at, self.process, point);
    }
}
