//! Bytes per second of one link: a token bucket that holds a quarter of a second.

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

    /// Takes what was moved.
    pub(crate) fn take(&mut self, bytes: u64) {
        self.tokens = self.tokens.saturating_sub_unsigned(bytes);
    }

    /// Whether more may move.
    pub(crate) fn allows(&mut self, now_ns: u64) -> bool {
        let earned =
            u128::from(now_ns.saturating_sub(self.at_ns)) * u128::from(self.per_second) / 1_000_000_000;
        if earned > 0 {
            self.at_ns = now_ns;
            self.tokens = self
                .tokens
                .saturating_add(earned.min(i64::MAX as u128) as i64)
                .min(Self::most(self.per_second));
        }
        self.tokens >= 0
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
}
