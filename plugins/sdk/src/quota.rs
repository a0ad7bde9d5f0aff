//! Token buckets, named in `grants.quota` and kept by the engine.

use crate::host::quota as host;

/// Takes `amount` at once, or nothing: false. A decision that took is never kept.
#[must_use]
pub fn take(bucket: &str, amount: u64) -> bool {
    host::take(bucket, amount)
}
