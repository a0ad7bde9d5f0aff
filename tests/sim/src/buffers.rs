//! The arena of one simulated core: a fixed number of slots, each handed out once at a time.

use std::cell::RefCell;
use std::fmt;
use std::rc::Rc;

/// What a slot holds before its first use, so that a read of bytes nobody wrote is seen.
const FRESH: u8 = 0xa5;

/// The slots of one core.
#[derive(Debug)]
pub struct Arena {
    free: RefCell<Vec<Box<[u8]>>>,
    slots: u32,
    slot_bytes: u32,
}

impl Arena {
    /// `slots` slots of `slot_bytes` each.
    pub fn new(slots: u32, slot_bytes: u32) -> Rc<Self> {
        let slot = vec![FRESH; slot_bytes as usize].into_boxed_slice();
        Rc::new(Self { free: RefCell::new(vec![slot; slots as usize]), slots, slot_bytes })
    }

    /// A slot, when one is free.
    pub fn take(self: &Rc<Self>) -> Option<SimBuf> {
        let bytes = self.free.borrow_mut().pop()?;
        Some(SimBuf { arena: Rc::clone(self), bytes })
    }

    /// How many slots are handed out.
    pub fn taken(&self) -> u32 {
        self.slots - self.free.borrow().len() as u32
    }

    /// How many slots there are.
    pub fn slots(&self) -> u32 {
        self.slots
    }

    /// Bytes of a slot.
    pub fn slot_bytes(&self) -> u32 {
        self.slot_bytes
    }
}

/// One slot; dropping it gives it back.
pub struct SimBuf {
    arena: Rc<Arena>,
    bytes: Box<[u8]>,
}

impl AsRef<[u8]> for SimBuf {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl AsMut<[u8]> for SimBuf {
    fn as_mut(&mut self) -> &mut [u8] {
        &mut self.bytes
    }
}

impl fmt::Debug for SimBuf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SimBuf({} bytes)", self.bytes.len())
    }
}

impl Drop for SimBuf {
    fn drop(&mut self) {
        let bytes = std::mem::take(&mut self.bytes);
        self.arena.free.borrow_mut().push(bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slot_comes_back_when_dropped() {
        let arena = Arena::new(2, 16);
        let first = arena.take().expect("two are free");
        let second = arena.take().expect("one is free");
        assert!(arena.take().is_none());
        drop(first);
        assert_eq!(arena.taken(), 1);
        assert!(arena.take().is_some());
        drop(second);
        assert_eq!(arena.taken(), 0);
    }
}
