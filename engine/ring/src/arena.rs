//! One core's buffers: a fixed mapping cut into equal slots.
//!
//! Slots are handed out last in, first out, so that a lightly loaded core stays in cache. A [`Buf`] keeps
//! the mapping alive; its bytes never move, so the kernel may be given their address for as long as the
//! `Buf` exists.

use crate::error::{RingError, errno};
use base::limits::Limits;
use rustix::mm::{Advice, MapFlags, ProtFlags, madvise, mmap_anonymous, munmap};
use std::cell::RefCell;
use std::fmt;
use std::ptr::NonNull;
use std::rc::Rc;

struct Mapping {
    base: NonNull<u8>,
    bytes: usize,
    slot_bytes: usize,
    free: RefCell<Vec<u32>>,
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: `base` and `bytes` are what mmap returned and was given; every Buf holds an Rc of this,
        // so no slot is in use any more.
        let _ = unsafe { munmap(self.base.as_ptr().cast(), self.bytes) };
    }
}

/// The arena of one core. Not `Send`: buffers stay on the core that took them.
pub(crate) struct Arena(Rc<Mapping>);

impl Arena {
    /// Maps `limits.arena_bytes_per_core` in slots of `limits.buffer_bytes`, in huge pages where the system
    /// allows; pages cost memory when first touched.
    ///
    /// # Errors
    /// What mmap said.
    pub(crate) fn new(limits: &Limits) -> Result<Self, RingError> {
        let slot_bytes = limits.buffer_bytes as usize;
        let slots = limits.arena_bytes_per_core as usize / slot_bytes;
        let bytes = slots * slot_bytes;
        // SAFETY: a fresh private anonymous mapping; no address is imposed.
        let mapped = unsafe {
            mmap_anonymous(std::ptr::null_mut(), bytes, ProtFlags::READ | ProtFlags::WRITE, MapFlags::PRIVATE)
        };
        let base = mapped.map_err(|e| RingError::Arena { bytes: bytes as u64, errno: errno(e) })?;
        // SAFETY: the range is the mapping just made; the advice changes no content.
        let _ = unsafe { madvise(base, bytes, Advice::LinuxHugepage) };
        let base = NonNull::new(base.cast::<u8>())
            .ok_or(RingError::Arena { bytes: bytes as u64, errno: base::io::Errno::NOMEM })?;
        let free = RefCell::new((0..slots as u32).rev().collect());
        Ok(Self(Rc::new(Mapping { base, bytes, slot_bytes, free })))
    }

    /// Number of slots, taken or not.
    pub(crate) fn slots(&self) -> u32 {
        (self.0.bytes / self.0.slot_bytes) as u32
    }

    /// A slot, or `None` when all are taken. Its content is what its last user left.
    pub(crate) fn take(&self) -> Option<Buf> {
        let index = self.0.free.borrow_mut().pop()?;
        Some(Buf { mapping: Rc::clone(&self.0), index })
    }
}

/// One slot of a core's arena: move-only; dropping it gives the slot back.
pub struct Buf {
    mapping: Rc<Mapping>,
    index: u32,
}

impl Buf {
    fn start(&self) -> *mut u8 {
        // SAFETY: index < slots, so the offset lies within the mapping.
        unsafe { self.mapping.base.as_ptr().add(self.index as usize * self.mapping.slot_bytes) }
    }

    /// Address of byte `at`, valid for `len` bytes and for as long as this `Buf` exists.
    ///
    /// # Panics
    /// If the span leaves the slot: the caller's own arithmetic is wrong.
    pub(crate) fn span(&self, at: u32, len: u32) -> *mut u8 {
        assert!(at as usize + len as usize <= self.mapping.slot_bytes, "span {at}+{len} leaves the buffer");
        // SAFETY: `at` is within the slot, as just asserted.
        unsafe { self.start().add(at as usize) }
    }
}

impl AsRef<[u8]> for Buf {
    fn as_ref(&self) -> &[u8] {
        // SAFETY: the slot is mapped, zeroed by the kernel at first, and handed out to this Buf alone.
        unsafe { std::slice::from_raw_parts(self.start(), self.mapping.slot_bytes) }
    }
}

impl AsMut<[u8]> for Buf {
    fn as_mut(&mut self) -> &mut [u8] {
        // SAFETY: as in `as_ref`, and `&mut self` makes this the only borrow.
        unsafe { std::slice::from_raw_parts_mut(self.start(), self.mapping.slot_bytes) }
    }
}

impl Drop for Buf {
    fn drop(&mut self) {
        self.mapping.free.borrow_mut().push(self.index);
    }
}

impl fmt::Debug for Buf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Buf({})", self.index)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_are_distinct_bounded_and_returned() {
        let arena = Arena::new(&Limits::TINY).expect("mapped");
        let mut taken: Vec<Buf> = std::iter::from_fn(|| arena.take()).collect();
        assert_eq!(taken.len() as u32, arena.slots());
        for (index, buf) in taken.iter_mut().enumerate() {
            assert_eq!(buf.as_ref().len(), Limits::TINY.buffer_bytes as usize);
            buf.as_mut().fill(index as u8);
        }
        for (index, buf) in taken.iter().enumerate() {
            assert!(buf.as_ref().iter().all(|&b| b == index as u8));
        }
        let last = taken.pop().expect("one");
        assert!(arena.take().is_none());
        drop(last);
        assert!(arena.take().is_some());
    }

    #[test]
    fn a_buffer_outlives_its_arena_handle() {
        let arena = Arena::new(&Limits::TINY).expect("mapped");
        let mut buf = arena.take().expect("free");
        drop(arena);
        buf.as_mut()[0] = 7;
        assert_eq!(buf.as_ref()[0], 7);
    }

    #[test]
    #[should_panic(expected = "leaves the buffer")]
    fn a_span_beyond_the_slot_is_our_own_bug() {
        let arena = Arena::new(&Limits::TINY).expect("mapped");
        let buf = arena.take().expect("free");
        buf.span(Limits::TINY.buffer_bytes, 1);
    }
}
