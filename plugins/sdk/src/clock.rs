//! The time at which the call began. A decision that read it is kept one second at most.

use crate::host::clock as host;

/// UTC milliseconds since 1970.
#[must_use]
pub fn unix_ms() -> u64 {
    host::unix_ms()
}

/// Milliseconds since some moment before the plugin was loaded; never goes back.
#[must_use]
pub fn monotonic_ms() -> u64 {
    host::monotonic_ms()
}
