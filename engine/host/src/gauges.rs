//! Numbers of one plugin, counted by every core without a lock and read by the control thread.

use base::limits::Limits;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Buckets of the histogram: four to each power of two from 64 ns, the last from 1 s.
const STEPS: usize = 96;

/// Names with a count each; the first so many names get a place.
struct Named(Box<[Place]>);

/// A name, its count, and an extra number.
type Place = (OnceLock<Box<str>>, AtomicU64, AtomicU64);

impl Named {
    fn new(places: u32) -> Self {
        Self((0..places).map(|_| (OnceLock::new(), AtomicU64::new(0), AtomicU64::new(0))).collect())
    }

    /// The name's place: (count, an extra number).
    fn place(&self, name: &str) -> Option<(&AtomicU64, &AtomicU64)> {
        let place = self.0.iter().find(|(known, ..)| &**known.get_or_init(|| name.into()) == name)?;
        Some((&place.1, &place.2))
    }

    fn rows(&self) -> impl Iterator<Item = (String, u64, u64)> {
        self.0.iter().map_while(|(name, count, extra)| {
            name.get().map(|name| (name.to_string(), count.load(Relaxed), extra.load(Relaxed)))
        })
    }
}

/// The counters.
pub(crate) struct Gauges {
    calls: AtomicU64,
    cached: AtomicU64,
    faults: AtomicU64,
    timeouts: AtomicU64,
    restarts: AtomicU64,
    memory_peak: AtomicU64,
    logs_dropped: AtomicU64,
    log_second: AtomicU64,
    log_lines: AtomicU64,
    steps: [AtomicU64; STEPS],
    denials: Named,
    counters: Named,
    samples: Named,
}

/// Those numbers at one moment.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Snapshot {
    /// Calls that ran code.
    pub calls: u64,
    /// Decisions answered without running it.
    pub cached: u64,
    /// Calls that trapped, timeouts included.
    pub faults: u64,
    /// Calls past their deadline.
    pub timeouts: u64,
    /// Instances made anew after a fault.
    pub restarts: u64,
    /// Most bytes of memory one instance had.
    pub memory_peak: u64,
    /// Lines over the rate.
    pub logs_dropped: u64,
    /// Half of the calls took no longer, in nanoseconds; within a fifth.
    pub p50_ns: u64,
    /// 99 of 100 calls took no longer.
    pub p99_ns: u64,
    /// Denials by code.
    pub denials: Vec<(String, u64)>,
    /// The plugin's own counters.
    pub counters: Vec<(String, u64)>,
    /// The plugin's own samples: (name, number, largest).
    pub samples: Vec<(String, u64, u64)>,
}

impl Gauges {
    pub(crate) fn new(limits: &Limits) -> Self {
        let named = || Named::new(limits.plugin_counters_max);
        Self {
            calls: AtomicU64::new(0),
            cached: AtomicU64::new(0),
            faults: AtomicU64::new(0),
            timeouts: AtomicU64::new(0),
            restarts: AtomicU64::new(0),
            memory_peak: AtomicU64::new(0),
            logs_dropped: AtomicU64::new(0),
            log_second: AtomicU64::new(0),
            log_lines: AtomicU64::new(0),
            steps: std::array::from_fn(|_| AtomicU64::new(0)),
            denials: named(),
            counters: named(),
            samples: named(),
        }
    }

    pub(crate) fn called(&self, ns: u64, memory: u64) {
        self.calls.fetch_add(1, Relaxed);
        self.steps[step_of(ns)].fetch_add(1, Relaxed);
        self.memory_peak.fetch_max(memory, Relaxed);
    }

    pub(crate) fn answered_from_cache(&self) {
        self.cached.fetch_add(1, Relaxed);
    }

    pub(crate) fn faulted(&self, timeout: bool) {
        self.faults.fetch_add(1, Relaxed);
        self.timeouts.fetch_add(u64::from(timeout), Relaxed);
    }

    pub(crate) fn restarted(&self) {
        self.restarts.fetch_add(1, Relaxed);
    }

    pub(crate) fn denied(&self, code: &str) {
        if let Some((count, _)) = self.denials.place(code) {
            count.fetch_add(1, Relaxed);
        }
    }

    pub(crate) fn add(&self, counter: &str, delta: u64) {
        if let Some((count, _)) = self.counters.place(counter) {
            count.fetch_add(delta, Relaxed);
        }
    }

    pub(crate) fn sample(&self, name: &str, sample: f64) {
        if let Some((count, largest)) = self.samples.place(name) {
            count.fetch_add(1, Relaxed);
            // Of finite positive numbers, the larger one has the larger bits.
            if sample.is_finite() && sample > 0.0 {
                largest.fetch_max(sample.to_bits(), Relaxed);
            }
        }
    }

    /// Whether one more line may be logged in this second; `Some` with the lines dropped before it.
    pub(crate) fn may_log(&self, now_ms: u64, most: u32) -> bool {
        let second = now_ms / 1000;
        if self.log_second.swap(second, Relaxed) != second {
            self.log_lines.store(0, Relaxed);
        }
        let may = self.log_lines.fetch_add(1, Relaxed) < u64::from(most);
        if !may {
            self.logs_dropped.fetch_add(1, Relaxed);
        }
        may
    }

    pub(crate) fn snapshot(&self) -> Snapshot {
        let steps: Vec<u64> = self.steps.iter().map(|step| step.load(Relaxed)).collect();
        let flat = |named: &Named| named.rows().map(|(name, count, _)| (name, count)).collect();
        let sample = |(name, count, bits): (String, u64, u64)| (name, count, f64::from_bits(bits) as u64);
        Snapshot {
            calls: self.calls.load(Relaxed),
            cached: self.cached.load(Relaxed),
            faults: self.faults.load(Relaxed),
            timeouts: self.timeouts.load(Relaxed),
            restarts: self.restarts.load(Relaxed),
            memory_peak: self.memory_peak.load(Relaxed),
            logs_dropped: self.logs_dropped.load(Relaxed),
            p50_ns: quantile(&steps, 50),
            p99_ns: quantile(&steps, 99),
            denials: flat(&self.denials),
            counters: flat(&self.counters),
            samples: self.samples.rows().map(sample).collect(),
        }
    }
}

/// Four steps to each power of two from 2^6.
fn step_of(ns: u64) -> usize {
    let ns = ns.max(64);
    let power = 63 - ns.leading_zeros() as usize;
    let quarter = (ns >> (power - 2)) as usize & 3;
    ((power - 6) * 4 + quarter).min(STEPS - 1)
}

/// The upper end of a step.
fn end_of(step: usize) -> u64 {
    let (power, quarter) = (step / 4 + 6, step as u64 % 4);
    (1u64 << power) + ((quarter + 1) << (power - 2))
}

fn quantile(steps: &[u64], percent: u64) -> u64 {
    let all: u64 = steps.iter().sum();
    let wanted = (all * percent).div_ceil(100);
    let mut seen = 0;
    for (step, count) in steps.iter().enumerate() {
        seen += count;
        if seen >= wanted && seen > 0 {
            return end_of(step);
        }
    }
    0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_within_a_quarter_and_names_are_bounded() {
        let gauges = Gauges::new(&Limits::TINY);
        for ns in 1..=1000u64 {
            gauges.called(ns * 1000, ns);
        }
        for name in 0..100 {
            gauges.add(&format!("c{name}"), 2);
        }
        gauges.sample("s", 7.5);
        let seen = gauges.snapshot();
        assert!((500_000..=625_000).contains(&seen.p50_ns), "{}", seen.p50_ns);
        assert!((990_000..=1_250_000).contains(&seen.p99_ns), "{}", seen.p99_ns);
        assert_eq!((seen.calls, seen.memory_peak), (1000, 1000));
        assert_eq!(seen.counters.len(), Limits::TINY.plugin_counters_max as usize);
        assert_eq!(seen.counters[0], ("c0".to_owned(), 2));
        assert_eq!(seen.samples, [("s".to_owned(), 1, 7)]);
        assert_eq!(quantile(&[0; 4], 99), 0);
    }

    #[test]
    fn lines_are_bounded_by_the_second() {
        let gauges = Gauges::new(&Limits::TINY);
        assert_eq!((0..10).filter(|_| gauges.may_log(5000, 4)).count(), 4);
        assert!(gauges.may_log(6000, 4));
        assert_eq!(gauges.snapshot().logs_dropped, 6);
    }
}
