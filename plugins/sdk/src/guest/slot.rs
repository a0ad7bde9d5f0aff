//! Where a configured plugin lies between two calls.

use core::cell::RefCell;

/// A place for one value in a `static`. On WASM there is one thread; natively each thread has to keep to its own
/// plugin, so the macros that use it expand to nothing there.
pub struct Slot<T>(RefCell<Option<T>>);

// SAFETY: a guest has one thread (the host gives no way to start another), and the macros that make a static of
// this type expand on wasm32 only.
#[cfg(target_arch = "wasm32")]
unsafe impl<T> Sync for Slot<T> {}

impl<T> Slot<T> {
    /// An empty place.
    #[must_use]
    pub const fn new() -> Self {
        Self(RefCell::new(None))
    }

    /// Puts a value there; the one before is dropped.
    pub fn set(&self, value: T) {
        *self.0.borrow_mut() = Some(value);
    }

    /// Works on the value.
    ///
    /// # Panics
    /// Before the first `set`, which is `configure`: the host calls it before anything else.
    pub fn with<R>(&self, work: impl FnOnce(&mut T) -> R) -> R {
        match self.0.borrow_mut().as_mut() {
            Some(value) => work(value),
            None => panic!("called before configure"),
        }
    }
}

impl<T: Default> Slot<T> {
    /// Works on the value, which is the default before the first `set`.
    pub fn with_or_default<R>(&self, work: impl FnOnce(&mut T) -> R) -> R {
        work(self.0.borrow_mut().get_or_insert_with(T::default))
    }
}

impl<T> Default for Slot<T> {
    fn default() -> Self {
        Self::new()
    }
}
