//! Speed: what the end-to-end benches and the comparison share.
//!
//! Whole commands are timed, in interleaved order, and ratios of medians are printed: absolute numbers belong
//! to a machine. Contents are verified outside the timer, by a walk and hashes that share no code with the
//! engine. A loss is printed like a win, a failure is kept, a tool that is not there is named. Nothing here asserts
//! a duration.
//!
//! `workloads` says what is done, `tools` who does it, `measure` takes one run, `rounds` interleaves the runs,
//! `report` prints what came of it.

#![forbid(unsafe_code)]

pub mod cpu;
pub mod data;
pub mod ground;
pub mod judge;
pub mod machine;
pub mod measure;
pub mod process;
pub mod report;
pub mod rounds;
pub mod tools;
pub mod wire;
pub mod workloads;

/// What can go wrong in a bench, said to a person.
pub type Outcome<T> = Result<T, String>;

/// Whether small sizes are asked for: to see that a bench works, not how fast the thing is.
pub fn quick() -> bool {
    std::env::var_os("XFERD_BENCH_QUICK").is_some_and(|value| value != "0" && !value.is_empty())
}
