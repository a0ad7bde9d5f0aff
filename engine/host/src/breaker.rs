//! When a plugin that failed is made anew: later each time, and not for a while when it fails too often.

use base::limits::Limits;
use std::collections::VecDeque;

const MINUTE_NS: u64 = 60_000_000_000;
const MS_NS: u64 = 1_000_000;

/// The faults of one plugin.
pub(crate) struct Breaker {
    faults: VecDeque<u64>,
    closed_at_ns: u64,
    most: usize,
    first_ns: u64,
    rest_ns: u64,
}

impl Breaker {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self {
            faults: VecDeque::new(),
            closed_at_ns: 0,
            most: limits.plugin_faults_per_minute_max.max(1) as usize,
            first_ns: u64::from(limits.plugin_restart_ms) * MS_NS,
            rest_ns: u64::from(limits.plugin_rest_ms) * MS_NS,
        }
    }

    /// It failed.
    pub(crate) fn on_fault(&mut self, now_ns: u64) {
        self.faults.retain(|at| at + MINUTE_NS > now_ns);
        self.faults.push_back(now_ns);
        let wait = match self.faults.len() {
            many if many >= self.most => self.rest_ns,
            few => (self.first_ns << (few - 1).min(16)).min(self.rest_ns),
        };
        self.closed_at_ns = now_ns.saturating_add(wait);
    }

    /// Nanoseconds until it may be made anew; `None`: it may.
    pub(crate) fn wait_ns(&self, now_ns: u64) -> Option<u64> {
        self.closed_at_ns.checked_sub(now_ns).filter(|wait| *wait > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_and_the_fifth_fault_of_a_minute_rests() {
        let mut breaker = Breaker::new(&Limits::DEFAULT);
        assert_eq!(breaker.wait_ns(5), None);
        let waits = [100, 200, 400, 800, 60_000].map(|ms: u64| ms * MS_NS);
        let mut now = 7;
        for wait in waits {
            breaker.on_fault(now);
            assert_eq!(breaker.wait_ns(now), Some(wait));
            assert_eq!(breaker.wait_ns(now + wait), None);
            now += wait;
        }
        breaker.on_fault(now + MINUTE_NS);
        assert_eq!(breaker.wait_ns(now + MINUTE_NS), Some(100 * MS_NS), "the minute is over");
    }
}
