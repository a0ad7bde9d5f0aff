//! Bytes per second of one link: a token bucket that holds a quarter of a second.

const NS_PER_SECOND: u128 = 1_000_000_000;

/// The bucket. It may go into debt by one record; nothing moves until the debt is paid.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rate {
    per_second: u64,
    tokens: i64,
    at_ns: u64,
}

impl Rate {
    /// Full.
    pub(crate) fn new(per_second: u64, now_ns: u64) -> Self {
        Self { per_second, tokens: Self::most(per_second), at_ns: now_ns }
    }

    fn most(per_second: u64) -> i64 {
        (per_second / 4).min(i64::MAX as u64) as i64
    }

    /// Whether more was moved than was allowed by then.
    pub(crate) fn owes(&self) -> bool {
        self.tokens < 0
    }

    /// When more may move, monotonic ns.
    pub(crate) fn allows_at_ns(&self) -> u64 {
        let owed = u128::from(self.tokens.min(0).unsigned_abs());
        let wait_ns = (owed * NS_PER_SECOND).div_ceil(u128::from(self.per_second.max(1)));
        self.at_ns.saturating_add(u64::try_from(wait_ns).unwrap_or(u64::MAX))
    }

    /// Takes what was moved.
    pub(crate) fn take(&mut self, bytes: u64) {
        self.tokens = self.tokens.saturating_sub_unsigned(bytes);
    }

    /// Whether more may move.
    pub(crate) fn allows(&mut self, now_ns: u64) -> bool {
        let rate = u128::from(self.per_second.max(1));
        let earned = u128::from(now_ns.saturating_sub(self.at_ns)) * rate / NS_PER_SECOND;
        // Only the time that a whole byte took is over: however often it is asked, no fraction is lost.
        self.at_ns += (earned * NS_PER_SECOND / rate) as u64;
        let tokens = self.tokens.saturating_add(earned.min(i64::MAX as u128) as i64);
        self.tokens = tokens.min(Self::most(self.per_second));
        self.tokens >= 0
    }
}

/// What one link lets through; `None` is no bound.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct Rates {
    pub(crate) rx: Option<Rate>,
    pub(crate) tx: Option<Rate>,
}

impl Rates {
    /// No more than this in a second of what is sent, and with `both` of what is received; a lower bound stays.
    pub(crate) fn lower(&mut self, per_second: u64, both: bool, now_ns: u64) {
        let rate = Rate::new(per_second, now_ns);
        let lowered = |old: Option<Rate>| match old {
            Some(old) if old.per_second <= per_second => Some(old),
            _ => Some(rate),
        };
        self.tx = lowered(self.tx);
        if both {
            self.rx = lowered(self.rx);
        }
    }

    /// What a decision demands since, in place of what one demanded before; `own` is the bound that this end's peer
    /// asked for itself.
    pub(crate) fn replace(&mut self, per_second: u64, own: Option<u64>, now_ns: u64) {
        let to = |old: Option<Rate>, per_second: u64| match old {
            _ if per_second == u64::MAX => None,
            Some(old) if old.per_second == per_second => Some(old),
            _ => Some(Rate::new(per_second, now_ns)),
        };
        self.rx = to(self.rx, per_second);
        self.tx = to(self.tx, per_second.min(own.unwrap_or(u64::MAX)));
    }

    /// Whether there is a bound at all.
    pub(crate) fn any(&self) -> bool {
        self.rx.is_some() || self.tx.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_moves_what_it_says() {
        let mut rate = Rate::new(1000, 0);
        let mut moved = 0;
        for ms in 0..10_000u64 {
            while rate.allows(ms * 1_000_000) {
                rate.take(10);
                moved += 10;
            }
        }
        assert!((10_000..=10_300).contains(&moved), "{moved}");
    }

    #[test]
    fn no_fraction_is_lost_however_often_it_is_asked() {
        let mut rate = Rate::new(1_500_000, 0);
        rate.take(1_500_000);
        let asked = (0..1_000_000).filter(|us| rate.allows(us * 1000)).count();
        // A quarter of a second was there from the beginning.
        assert!((249_000..=251_000).contains(&asked), "{asked}");
    }

    #[test]
    fn a_rate_that_is_demanded_since_takes_the_place_of_the_one_before() {
        let mut rates = Rates::default();
        rates.lower(100, true, 0);
        rates.replace(1000, Some(400), 5);
        assert_eq!(rates.tx.map(|rate| rate.per_second), Some(400));
        assert_eq!(rates.rx.map(|rate| rate.per_second), Some(1000));
        rates.replace(u64::MAX, None, 6);
        assert!(!rates.any());
    }

    #[test]
    fn a_debt_is_paid_when_it_says() {
        let mut rate = Rate::new(3, 7);
        assert!(!rate.owes());
        rate.take(10);
        let at_ns = rate.allows_at_ns();
        assert!(rate.owes() && !rate.allows(at_ns - 1) && rate.allows(at_ns));
    }
}
