//! Speed: what the end-to-end benches share.
//!
//! Whole commands are timed, in interleaved order, and ratios of medians are printed: absolute numbers belong
//! to a machine. Contents are verified outside the timer. Nothing here asserts a duration.

#![forbid(unsafe_code)]

pub mod cpu;
pub mod rounds;
pub mod rsyncd;

/// Whether small sizes are asked for: to see that a bench works, not how fast the thing is.
pub fn quick() -> bool {
    std::env::var_os("XFERD_BENCH_QUICK").is_some_and(|value| value != "0" && !value.is_empty())
}
