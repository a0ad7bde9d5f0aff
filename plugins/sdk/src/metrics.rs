//! Numbers shown by `xfer status --plugins`; at most 32 names.

use crate::host::metrics as host;

/// Adds to a counter.
pub fn add(counter: &str, delta: u64) {
    host::add(counter, delta);
}

/// One sample; shown as count, sum and largest.
pub fn observe(histogram: &str, sample: f64) {
    host::observe(histogram, sample);
}
