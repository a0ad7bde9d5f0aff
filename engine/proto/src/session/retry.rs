//! When to try again, and when to stop. Random bytes for the jitter are passed in.

/// How failures are spaced.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Policy {
    /// Failures in a row after which it is given up.
    pub tries: u32,
    /// Wait after the first failure.
    pub first_ms: u64,
    /// Longest wait, before jitter; each is twice the one before.
    pub most_ms: u64,
    /// Waits vary by this much in both directions.
    pub jitter_percent: u32,
}

impl Policy {
    /// An operation: 3 tries, 1 s, doubled, jitter 0.1.
    pub const OPERATION: Self = Self { tries: 3, first_ms: 1000, most_ms: 30_000, jitter_percent: 10 };
    /// A link that stood: 1, 2, 4 .. 30 s, 25 %, stops after 10 failures in a row.
    pub const LINK: Self = Self { tries: 10, first_ms: 1000, most_ms: 30_000, jitter_percent: 25 };
    /// A datagram: 3 tries with wide jitter, so that many devices do not answer at once.
    pub const DATAGRAM: Self = Self { tries: 3, first_ms: 250, most_ms: 2000, jitter_percent: 50 };
    /// The first connection of a command: once.
    pub const ONCE: Self = Self { tries: 1, ..Self::OPERATION };
}

/// Failures in a row under one policy.
#[derive(Clone, Copy, Debug)]
pub struct Backoff {
    policy: Policy,
    failures: u32,
}

impl Backoff {
    /// No failure so far.
    pub fn new(policy: Policy) -> Self {
        Self { policy, failures: 0 }
    }

    /// Failures in a row.
    pub fn failures(&self) -> u32 {
        self.failures
    }

    /// Tries that are left after this one.
    pub fn left(&self) -> u32 {
        self.policy.tries.saturating_sub(self.failures).saturating_sub(1)
    }

    /// It failed: milliseconds to wait before the next try, `None` to stop.
    pub fn on_failure(&mut self, random: u32) -> Option<u64> {
        self.failures = self.failures.saturating_add(1);
        if self.failures >= self.policy.tries {
            return None;
        }
        let doublings = (self.failures - 1).min(63);
        let wait = self.policy.first_ms.saturating_mul(1 << doublings).min(self.policy.most_ms);
        let span = wait.saturating_mul(self.policy.jitter_percent.min(100).into()) / 100;
        Some(wait - span + u64::from(random) % (2 * span + 1))
    }

    /// It worked: failures count from zero again.
    pub fn on_success(&mut self) {
        self.failures = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    fn waits(policy: Policy, random: u32) -> Vec<u64> {
        let mut backoff = Backoff::new(policy);
        core::iter::from_fn(|| backoff.on_failure(random)).collect()
    }

    // proves: L10 C7
    #[test]
    fn waits_double_up_to_the_bound_and_stop() {
        let no_jitter = |policy| Policy { jitter_percent: 0, ..policy };
        assert_eq!(waits(no_jitter(Policy::OPERATION), 1), [1000, 2000]);
        let link = [1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000, 30_000];
        assert_eq!(waits(no_jitter(Policy::LINK), 1), link);
        assert_eq!(waits(Policy::ONCE, 1), []);
    }

    #[test]
    fn jitter_stays_within_its_share() {
        for random in (0..10_000).map(|step: u32| step.wrapping_mul(429_497)) {
            let first = waits(Policy::LINK, random)[0];
            assert!((750..=1250).contains(&first), "{first}");
        }
        assert_eq!(waits(Policy::LINK, 0)[0], 750);
        assert_eq!(waits(Policy::LINK, 500)[0], 1250);
        let huge = Policy { tries: 200, first_ms: u64::MAX, most_ms: u64::MAX / 4, jitter_percent: 100 };
        assert_eq!(waits(huge, u32::MAX).len(), 199);
    }

    #[test]
    fn success_closes_the_breaker_again() {
        let mut backoff = Backoff::new(Policy::OPERATION);
        assert_eq!(backoff.left(), 2);
        assert!(backoff.on_failure(0).is_some());
        assert_eq!(backoff.left(), 1);
        backoff.on_success();
        assert!(backoff.on_failure(0).is_some() && backoff.on_failure(0).is_some());
        assert_eq!((backoff.on_failure(0), backoff.failures()), (None, 3));
    }
}
