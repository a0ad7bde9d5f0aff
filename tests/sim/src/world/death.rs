//! How processes end.

use super::descriptors::Object;
use super::files::span;
use super::schedule::Event;
use super::{At, Death, EndId, Inner, Step};
use base::ids::CoreId;
use base::io::Op;
use base::points::Point;

/// The longest time until a dead process may start again.
const RESTART_NS_MAX: u64 = 200_000_000;

impl Inner {
    pub(super) fn die(&mut self, end: EndId, death: Death) {
        if !self.end(end).alive {
            return;
        }
        self.record(At { end, core: CoreId(0) }, "dies", u64::from(death == Death::Power), 0);
        self.stop_ops(end);
        self.end(end).alive = false;
        if death == Death::Power {
            let machine = &mut self.ends[end.0 as usize];
            machine.powered = false;
            machine.descriptors.take_all();
            machine.disk.lose_power(&mut self.random);
            self.net.vanish(end);
        } else {
            self.close_everything(end);
        }
        self.announcements.push_back(Step::Died(end, death));
        let pause = self.random.between(1, RESTART_NS_MAX);
        self.plan_after(pause, Event::Restart(end));
    }

    pub(super) fn exit(&mut self, end: EndId) {
        self.record(At { end, core: CoreId(0) }, "exits", 0, 0);
        self.stop_ops(end);
        self.end(end).alive = false;
        self.close_everything(end);
    }

    /// Operations in flight end nowhere. A write that had not taken effect may have begun.
    fn stop_ops(&mut self, end: EndId) {
        self.set_disk_time(end);
        let ids: Vec<u64> = self.ops.iter().filter(|(_, one)| one.at.end == end).map(|(&id, _)| id).collect();
        for id in ids {
            let Some(pending) = self.ops.remove(&id) else { continue };
            if let (
                Some(Op::Write { offset, buf, at, len, .. }),
                Some((_, Object::File { ino, write: true })),
            ) = (&pending.op, pending.object)
                && let Some(bytes) = span(buf.as_ref(), *at, *len)
                && self.random.coin()
            {
                let begun = self.random.below(bytes.len() as u64 + 1) as usize;
                // A full disk takes less; nobody is left to be told.
                let _ = self.end(end).disk.write(ino, *offset, &bytes[..begun]);
            }
        }
        for core in &mut self.end(end).cores {
            core.ready.clear();
            core.inbox.clear();
            core.tokens.clear();
            core.in_flight = 0;
        }
    }

    fn close_everything(&mut self, end: EndId) {
        for object in self.end(end).descriptors.take_all() {
            match object {
                Object::File { .. } => {}
                Object::Socket(socket) => self.close_socket(socket),
                Object::Listener(listener) => self.close_listener(listener),
            }
        }
        self.end(end).disk.close_all();
    }

    /// A crash point was passed by a live process.
    pub(super) fn reach(&mut self, at: At, process: u32, point: Point) {
        if !self.is_process(at.end, process) {
            return;
        }
        self.record(at, point.name(), 0, 0);
        if let Some(kill) = self.plan.reach(point) {
            self.die(at.end, if kill.power { Death::Power } else { Death::Kill });
        }
    }
}
