//! A mistake that a test plants on its own thread, to prove that the simulator's oracle sees it.

use std::cell::Cell;

thread_local! {
    static BEFORE_SEAL: Cell<bool> = const { Cell::new(false) };
}

/// From here on files on this thread get their names before their seals hold, or not.
pub fn publish_before_seal(planted: bool) {
    BEFORE_SEAL.set(planted);
}

pub(crate) fn publishes_before_seal() -> bool {
    BEFORE_SEAL.get()
}
