//! Whether the other end is still there: a Ping after silence, a deadline for anything to come back.
//!
//! Any opened record is a sign of life. After `ping_ms` of silence a Ping goes out; when nothing at all came
//! for `pong_ms` after it, the peer is dead. A link is called healthy only after a Pong answered
//! [`Liveness::probe`].

use crate::message::Beat;
use base::codes::Code;
use base::io::Now;
use base::limits::Limits;

/// What has to be done.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Action {
    /// Send this Ping.
    Ping(Beat),
    /// Nothing came back: close the connection with TIMEOUT.
    Dead,
}

/// A Pong that answers no Ping of ours.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct StrayPong {
    /// The sequence it named.
    pub sequence: u64,
}

impl StrayPong {
    /// What the peer is told.
    pub fn code(&self) -> Code {
        Code::InvalidRequest
    }
}

/// The pulse of one connection.
#[derive(Clone, Debug)]
pub struct Liveness {
    ping_ns: u64,
    pong_ns: u64,
    heard_ns: u64,
    used_ns: u64,
    /// When the Ping that is still open was sent.
    pinged_ns: Option<u64>,
    sent: u64,
    answered: u64,
    healthy: bool,
}

impl Liveness {
    /// Starts with the connection.
    pub fn new(limits: &Limits, now: Now) -> Self {
        Self {
            ping_ns: limits.ping_ms.saturating_mul(1_000_000),
            pong_ns: limits.pong_ms.saturating_mul(1_000_000),
            heard_ns: now.mono_ns,
            used_ns: now.mono_ns,
            pinged_ns: None,
            sent: 0,
            answered: 0,
            healthy: false,
        }
    }

    /// Any record opened.
    pub fn on_received(&mut self, now: Now) {
        self.heard_ns = now.mono_ns;
        self.pinged_ns = None;
    }

    /// A record other than Ping and Pong was sent or opened.
    pub fn on_used(&mut self, now: Now) {
        self.used_ns = now.mono_ns;
    }

    /// A Ping arrived: the Pong to send.
    pub fn on_ping(&mut self, ping: Beat, now: Now) -> Beat {
        self.on_received(now);
        Beat { sequence: ping.sequence, utc_ms: now.utc_ms }
    }

    /// A Pong arrived.
    ///
    /// # Errors
    /// It answers nothing, or a second time.
    pub fn on_pong(&mut self, pong: Beat, now: Now) -> Result<(), StrayPong> {
        if pong.sequence <= self.answered || pong.sequence > self.sent {
            return Err(StrayPong { sequence: pong.sequence });
        }
        self.on_received(now);
        self.answered = pong.sequence;
        self.healthy = true;
        Ok(())
    }

    /// A Ping that goes out at once: before a link is called healthy.
    pub fn probe(&mut self, now: Now) -> Beat {
        self.sent += 1;
        self.pinged_ns.get_or_insert(now.mono_ns);
        Beat { sequence: self.sent, utc_ms: now.utc_ms }
    }

    /// Whether a Pong was ever received.
    pub fn is_healthy(&self) -> bool {
        self.healthy
    }

    /// Nanoseconds since anything but Ping and Pong went either way.
    pub fn idle_ns(&self, now: Now) -> u64 {
        now.mono_ns.saturating_sub(self.used_ns)
    }

    /// When [`Self::on_timer`] has something to do, on the clock of [`Now::mono_ns`].
    pub fn deadline_ns(&self) -> u64 {
        match self.pinged_ns {
            Some(pinged) => pinged.saturating_add(self.pong_ns),
            None => self.heard_ns.saturating_add(self.ping_ns),
        }
    }

    /// What is due.
    pub fn on_timer(&mut self, now: Now) -> Option<Action> {
        if now.mono_ns < self.deadline_ns() {
            return None;
        }
        match self.pinged_ns {
            Some(_) => Some(Action::Dead),
            None => Some(Action::Ping(self.probe(now))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> Now {
        Now { mono_ns: ms * 1_000_000, utc_ms: 7 }
    }

    // proves: C7
    #[test]
    fn silence_is_pinged_and_then_given_up() {
        let mut pulse = Liveness::new(&Limits::DEFAULT, at(0));
        assert_eq!(pulse.on_timer(at(29_999)), None);
        assert_eq!(pulse.on_timer(at(30_000)), Some(Action::Ping(Beat { sequence: 1, utc_ms: 7 })));
        assert_eq!(pulse.on_timer(at(59_999)), None);
        assert_eq!(pulse.on_timer(at(60_000)), Some(Action::Dead));
    }

    #[test]
    fn any_record_is_a_sign_of_life() {
        let mut pulse = Liveness::new(&Limits::DEFAULT, at(0));
        pulse.on_received(at(20_000));
        assert_eq!(pulse.deadline_ns(), at(50_000).mono_ns);
        assert!(matches!(pulse.on_timer(at(50_000)), Some(Action::Ping(_))));
        pulse.on_received(at(60_000));
        assert_eq!(pulse.on_timer(at(80_000)), None, "data instead of a Pong");
        assert!(!pulse.is_healthy());
        assert_eq!(pulse.on_pong(Beat { sequence: 1, utc_ms: 0 }, at(81_000)), Ok(()));
        assert!(pulse.is_healthy());
    }

    #[test]
    fn pongs_answer_pings_once() {
        let mut pulse = Liveness::new(&Limits::TINY, at(0));
        let stray = Beat { sequence: 1, utc_ms: 0 };
        assert_eq!(pulse.on_pong(stray, at(1)), Err(StrayPong { sequence: 1 }));
        let probe = pulse.probe(at(2));
        assert_eq!(pulse.on_pong(probe, at(3)), Ok(()));
        assert_eq!(pulse.on_pong(probe, at(4)), Err(StrayPong { sequence: 1 }));
        assert_eq!(pulse.on_ping(Beat { sequence: 9, utc_ms: 1 }, at(5)), Beat { sequence: 9, utc_ms: 7 });
        assert_eq!(pulse.idle_ns(at(6)), 6_000_000);
        pulse.on_used(at(6));
        assert_eq!(pulse.idle_ns(at(7)), 1_000_000);
    }
}
