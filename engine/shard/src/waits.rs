//! What links wait for by themselves: a time, or an arena slot. A link that waits for nothing is not looked at, so that
//! idle sessions cost nothing but the Ping that is due.

use crate::link::{Link, LinkEvent, LinkId, Phase};
use crate::links::Links;
use crate::rate::Rate;
use crate::rx::Rx;
use crate::tools::Core;
use base::codes::Code;
use base::hooks::Hooks;
use base::io::Io;
use proto::session::liveness::Action;
use proto::wire::FrameType;
use std::collections::{BTreeSet, VecDeque};

/// Who waits. A link is in each list at most once.
#[derive(Default)]
pub(crate) struct Waits {
    timers: BTreeSet<(u64, LinkId)>,
    slots: VecDeque<LinkId>,
}

impl Waits {
    /// The link is looked at when this time has come, or earlier. What was due later is found out then.
    pub(crate) fn until<B>(&mut self, link: &mut Link<B>, at_ns: u64) {
        if at_ns < link.timer_ns {
            self.timers.remove(&(link.timer_ns, link.id));
            self.timers.insert((at_ns, link.id));
            link.timer_ns = at_ns;
        }
    }

    /// The link tries again once slots may be free.
    pub(crate) fn for_slot<B>(&mut self, link: &mut Link<B>) {
        if !core::mem::replace(&mut link.listed, true) {
            self.slots.push_back(link.id);
        }
    }

    /// The link is gone.
    pub(crate) fn forget<B>(&mut self, link: &Link<B>) {
        self.timers.remove(&(link.timer_ns, link.id));
    }

    /// When somebody is to be looked at, monotonic ns.
    pub(crate) fn due_ns(&self) -> u64 {
        self.timers.first().map_or(u64::MAX, |(at_ns, _)| *at_ns)
    }

    /// Whether somebody waits for a slot.
    pub(crate) fn is_hungry(&self) -> bool {
        !self.slots.is_empty()
    }
}

impl<B: AsMut<[u8]> + AsRef<[u8]>> Links<B> {
    /// As [`Waits::until`].
    pub(crate) fn wait_until(&mut self, id: LinkId, at_ns: u64) {
        if let Some((link, waits)) = self.parts(id) {
            waits.until(link, at_ns);
        }
    }

    /// Lets links that waited for an arena slot try again, in the order in which they came.
    pub(crate) fn feed<I: Io<Buf = B>, H: Hooks>(&mut self, core: &mut Core<I, H>) {
        for _ in 0..self.waits.slots.len() {
            let Some(id) = self.waits.slots.pop_front() else { return };
            let Some(link) = self.find_mut(id) else { continue };
            link.listed = false;
            if link.tx.hungry {
                self.pump(core, id);
            }
            let Some(link) = self.find_mut(id) else { continue };
            match link.rx {
                Rx::WaitSlot { header, length } => self.receive_body(core, id, header, length),
                Rx::WaitFull => self.receive(core, id, true),
                _ => {}
            }
        }
    }

    /// Bounds the bytes per second that a link sends, and with `both` also those it receives.
    pub(crate) fn limit_rate<I: Io<Buf = B>, H: Hooks>(
        &mut self,
        core: &Core<I, H>,
        id: LinkId,
        per_second: u64,
        both: bool,
    ) {
        if let Some(link) = self.find_mut(id) {
            link.rates.lower(per_second, both, core.now.mono_ns);
        }
    }

    /// Bounds both directions as a decision demands since; `own` is what the peer asked for itself.
    pub(crate) fn change_rate<I: Io<Buf = B>, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        id: LinkId,
        per_second: u64,
        own: Option<u64>,
    ) {
        if let Some(link) = self.find_mut(id) {
            link.rates.replace(per_second, own, core.now.mono_ns);
            // Nobody wakes it when there is no longer anything that it owes.
            self.go_on(core, id);
        }
    }

    /// Looks at the links whose time has come: closes what passed its deadline, pings the silent, lets those go on whose
    /// rate allows it again.
    pub(crate) fn look<I: Io<Buf = B>, H: Hooks>(&mut self, core: &mut Core<I, H>) {
        let mono = core.now.mono_ns;
        while let Some(&(at_ns, id)) = self.waits.timers.first().filter(|(at_ns, _)| *at_ns <= mono) {
            self.waits.timers.remove(&(at_ns, id));
            let Some(link) = self.find_mut(id) else { continue };
            link.timer_ns = u64::MAX;
            self.look_at(core, id);
            if let Some((link, waits)) = self.parts(id) {
                waits.until(link, next_ns(link).max(mono + 1));
            }
        }
    }

    fn look_at<I: Io<Buf = B>, H: Hooks>(&mut self, core: &mut Core<I, H>, id: LinkId) {
        let mono = core.now.mono_ns;
        let Some(link) = self.find_mut(id) else { return };
        match &mut link.phase {
            Phase::Closing if link.deadline_ns <= mono => self.cut_off(core, id),
            Phase::Handshake(..) if link.deadline_ns <= mono => {
                self.fail(core, id, Code::Timeout, "the handshake took too long");
                if let Some(link) = self.find(id)
                    && link.socket.0 >= 0
                {
                    core.io.shut(link.socket);
                }
            }
            Phase::Up(_) if link.deadline_ns <= mono => {
                self.fail(core, id, Code::Timeout, "a record did not arrive in time");
            }
            Phase::Up(up) => {
                match up.liveness.on_timer(core.now) {
                    None => {}
                    Some(Action::Ping(ping)) => self.send_bytes(core, id, FrameType::Ping, &ping.encode()),
                    Some(Action::Dead) => self.fail(core, id, Code::Timeout, "the peer does not answer"),
                }
                self.let_on(core, id);
            }
            _ => {}
        }
    }

    /// Lets a link go on whose rate allows it again.
    fn let_on<I: Io<Buf = B>, H: Hooks>(&mut self, core: &mut Core<I, H>, id: LinkId) {
        if self.find(id).is_some_and(|link| link.rates.any()) {
            self.go_on(core, id);
        }
    }

    fn go_on<I: Io<Buf = B>, H: Hooks>(&mut self, core: &mut Core<I, H>, id: LinkId) {
        let most = core.settings.limits.buffers_per_direction;
        let Some(link) = self.find(id) else { return };
        match link.rx {
            Rx::Paused { full } if link.lent < most => self.receive(core, id, full),
            _ => {}
        }
        core.events.push_back(LinkEvent::Room(id));
    }
}

/// When a link has something to do by itself.
fn next_ns<B>(link: &Link<B>) -> u64 {
    let Phase::Up(up) = &link.phase else { return link.deadline_ns };
    let paused = matches!(link.rx, Rx::Paused { .. });
    let owed = |rate: Option<Rate>| rate.filter(Rate::owes).map_or(u64::MAX, |rate| rate.allows_at_ns());
    let rx = if paused { owed(link.rates.rx) } else { u64::MAX };
    link.deadline_ns.min(up.liveness.deadline_ns()).min(rx).min(owed(link.rates.tx))
}
