//! Whose turn it is, and what happens while time passes.

use super::{At, CoreState, Death, EndId, Inner, Step, ops};
use crate::buffers::{Arena, SimBuf};
use crate::faults::FaultKind;
use crate::net::Socket;
use base::hooks::{Reply, Ticket};
use base::ids::CoreId;
use base::io::{Done, Out, Token};
use std::collections::BTreeMap;

/// The longest time one turn takes.
const TURN_NS_MAX: u64 = 5_000;
/// The longest time from one stage of an ordinary operation to the next.
const DELAY_NS_MAX: u64 = 200_000;
/// The same for a slow one.
const SLOW_NS_MAX: u64 = 50_000_000;

/// What is planned for a time.
#[derive(Debug)]
pub(super) enum Event {
    /// An operation takes effect, or takes its next step.
    Effect(u64),
    /// An operation's completion becomes visible to its core.
    Deliver(u64),
    /// A piece of a stream arrives.
    Arrive(Socket),
    /// Hooks answer a core of this process.
    Answer(At, u32, Ticket, Reply),
    Restart(EndId),
    Alarm(u64),
}

impl Inner {
    pub(super) fn plan_at(&mut self, at_ns: u64, event: Event) {
        self.order += 1;
        self.queue.insert((at_ns, self.order), event);
    }

    pub(super) fn plan_after(&mut self, after_ns: u64, event: Event) {
        self.plan_at(self.now_ns + after_ns, event);
    }

    /// Plans something for a random moment soon.
    pub(super) fn plan_soon(&mut self, event: Event) {
        let slow = self.plan.strikes(FaultKind::Slow, &mut self.random);
        let delay = self.random.between(1, if slow { SLOW_NS_MAX } else { DELAY_NS_MAX });
        self.plan_after(delay, event);
    }

    pub(super) fn boot(&mut self, end: EndId) -> u16 {
        let limits = &self.config.limits;
        let slots = (limits.arena_bytes_per_core / u64::from(limits.buffer_bytes)) as u32;
        let slot_bytes = limits.buffer_bytes;
        let machine = self.end(end);
        assert!(!machine.alive, "one process per machine");
        machine.alive = true;
        machine.process += 1;
        let process = machine.process;
        let was_off = !std::mem::replace(&mut machine.powered, true);
        machine.cores = (0..machine.config.cores)
            .map(|_| CoreState {
                arena: Arena::new(slots, slot_bytes),
                ready: Vec::new(),
                tokens: BTreeMap::new(),
                in_flight: 0,
                woken: false,
                parked: None,
                inbox: Vec::new(),
            })
            .collect();
        let cores = machine.config.cores;
        self.record(At { end, core: CoreId(0) }, "boot", u64::from(process), 0);
        if was_off {
            for socket in self.net.reappear(end) {
                self.pump(socket);
            }
        }
        cores
    }

    /// Runs everything that is due.
    pub(super) fn run_due(&mut self) {
        while let Some(entry) = self.queue.first_entry() {
            if entry.key().0 > self.now_ns {
                break;
            }
            let event = entry.remove();
            self.run(event);
        }
    }

    fn run(&mut self, event: Event) {
        match event {
            Event::Effect(op) => self.effect(op),
            Event::Deliver(op) => self.deliver(op),
            Event::Arrive(socket) => self.arrive(socket),
            Event::Answer(at, process, ticket, reply) => {
                if self.is_process(at.end, process) {
                    self.core(at).inbox.push((ticket, reply));
                    self.wake(at);
                }
            }
            Event::Restart(end) => {
                if !self.end(end).alive {
                    self.announcements.push_back(Step::Restart(end));
                }
            }
            Event::Alarm(tag) => self.announcements.push_back(Step::Alarm(tag)),
        }
    }

    pub(super) fn is_process(&self, end: EndId, process: u32) -> bool {
        let machine = &self.ends[end.0 as usize];
        machine.alive && machine.process == process
    }

    pub(super) fn wake(&mut self, at: At) {
        let machine = self.end(at.end);
        if machine.alive && usize::from(at.core.0) < machine.cores.len() {
            self.core(at).woken = true;
        }
    }

    fn runnable(&self) -> Vec<At> {
        let mut out = Vec::new();
        for (end, machine) in self.ends.iter().enumerate().filter(|(_, machine)| machine.alive) {
            for (core, state) in machine.cores.iter().enumerate() {
                let waits = state.parked.is_some_and(|until| until > self.now_ns);
                if !waits || state.woken || !state.ready.is_empty() {
                    out.push(At { end: EndId(end as u8), core: CoreId(core as u16) });
                }
            }
        }
        out
    }

    /// The next moment at which anything changes.
    fn next_moment(&self) -> Option<u64> {
        let queued = self.queue.keys().next().map(|key| key.0);
        let cores = self.ends.iter().filter(|end| end.alive).flat_map(|end| &end.cores);
        let waits = cores.filter_map(|core| core.parked).filter(|&until| until != u64::MAX);
        queued.into_iter().chain(waits).min()
    }

    pub(super) fn next_step(&mut self) -> Step {
        self.now_ns += self.random.between(1, TURN_NS_MAX);
        loop {
            self.run_due();
            if let Some(step) = self.announcements.pop_front() {
                return step;
            }
            let runnable = self.runnable();
            if runnable.is_empty() {
                match self.next_moment() {
                    Some(time) => self.now_ns = self.now_ns.max(time),
                    None => return Step::Idle,
                }
                continue;
            }
            if self.roll_death() {
                continue;
            }
            self.turns += 1;
            let at = runnable[self.random.index(runnable.len())];
            self.record(at, "turn", self.turns, 0);
            return Step::Turn(at);
        }
    }

    /// Whether somebody dies before this turn.
    fn roll_death(&mut self) -> bool {
        const DEATHS: [(FaultKind, EndId, Death); 4] = [
            (FaultKind::KillClient, EndId::CLIENT, Death::Kill),
            (FaultKind::KillDaemon, EndId::DAEMON, Death::Kill),
            (FaultKind::PowerLossClient, EndId::CLIENT, Death::Power),
            (FaultKind::PowerLossDaemon, EndId::DAEMON, Death::Power),
        ];
        for (kind, end, death) in DEATHS {
            let alive = self.ends.get(end.0 as usize).is_some_and(|end| end.alive);
            if alive && self.plan.strikes(kind, &mut self.random) {
                self.die(end, death);
                return true;
            }
        }
        false
    }

    /// For a test that drives one core alone: time passes until that core has something.
    pub(super) fn wait(&mut self, at: At, wait_until: u64) {
        self.now_ns += self.random.between(1, TURN_NS_MAX);
        self.run_due();
        loop {
            let core = self.core(at);
            if core.woken || !core.ready.is_empty() || self.now_ns >= wait_until {
                return;
            }
            match self.queue.keys().next() {
                Some(key) if key.0 <= wait_until => self.now_ns = self.now_ns.max(key.0),
                _ if wait_until != u64::MAX => self.now_ns = wait_until,
                _ => return self.violation(format!("core {}.{} waits for ever", at.end.0, at.core.0)),
            }
            self.run_due();
        }
    }

    /// Gives completions to a core's turn.
    pub(super) fn hand_out(&mut self, at: At, wait_until: u64, done: &mut Vec<Done<SimBuf>>) {
        let mut room = done.capacity() - done.len();
        let mut given = 0;
        if room > 0 && std::mem::take(&mut self.core(at).woken) {
            let token = Token::new(ops::OWN_KIND, 0, 0);
            done.push(Done { token, result: Ok(0), buf: None, out: Out::Woken });
            (room, given) = (room - 1, 1);
        }
        while room > 0 && !self.core(at).ready.is_empty() {
            let len = self.core(at).ready.len();
            let overtakes = len > 1 && self.plan.strikes(FaultKind::Reorder, &mut self.random);
            let index = if overtakes { 1 + self.random.index(len - 1) } else { 0 };
            let core = self.core(at);
            let one = core.ready.remove(index);
            core.in_flight -= 1;
            core.tokens.remove(&one.token.0);
            self.record(at, "done", one.token.0, ops::outcome(one.result));
            done.push(one);
            (room, given) = (room - 1, given + 1);
        }
        self.core(at).parked = (given == 0).then_some(wait_until);
    }
}
