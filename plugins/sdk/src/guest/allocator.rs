//! The guest's memory.
//!
//! Blocks have sizes of powers of two from 16 bytes on. A freed block waits in the list of its size; none is ever
//! split, merged or given back, because the instance that serves a decision lives for microseconds, and the host
//! bounds the memory of those that live long. What has no block in its list is cut from the end of the memory.

use core::alloc::{GlobalAlloc, Layout};
use core::arch::wasm32::{memory_grow, memory_size};
use core::cell::UnsafeCell;
use core::ptr::null_mut;

/// Bytes of a WASM page.
const PAGE_BYTES: usize = 65536;
/// log2 of the smallest block.
const SMALLEST_LOG2: usize = 4;
/// Blocks from 16 bytes to 1 GiB.
const SIZES: usize = 27;
/// Largest alignment of a block.
const ALIGN_MAX: usize = 4096;

struct Heap(UnsafeCell<State>);

struct State {
    /// First byte never given out; 0 before the first block.
    next: usize,
    /// End of the memory there is.
    end: usize,
    /// Per size the first free block; a free block begins with the address of the one after it.
    free: [usize; SIZES],
}

// SAFETY: a guest has one thread, and no method calls another that takes memory.
unsafe impl Sync for Heap {}

#[global_allocator]
static HEAP: Heap = Heap(UnsafeCell::new(State { next: 0, end: 0, free: [0; SIZES] }));

unsafe extern "C" {
    /// Where the linker's own data end (wasm-ld).
    static __heap_base: u8;
}

// SAFETY: a block is cut from memory that is ours from `__heap_base` on, has at least the size and alignment
// asked for, and is in nobody's hands twice: it is either cut, or taken out of its list.
unsafe impl GlobalAlloc for Heap {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let Some(size) = size_of(layout) else { return null_mut() };
        // SAFETY: one thread, and no other reference lives while this one does.
        let state = unsafe { &mut *self.0.get() };
        let first = state.free[size];
        if first != 0 {
            // SAFETY: a free block of at least 16 bytes that `dealloc` wrote the next address into.
            state.free[size] = unsafe { *(first as *const usize) };
            return first as *mut u8;
        }
        state.cut(size)
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        let Some(size) = size_of(layout) else { return };
        // SAFETY: one thread, and no other reference lives while this one does.
        let state = unsafe { &mut *self.0.get() };
        // SAFETY: the block was ours, has 16 bytes or more, is aligned to them, and nobody uses it any longer.
        unsafe { *block.cast::<usize>() = state.free[size] };
        state.free[size] = block as usize;
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, bytes: usize) -> *mut u8 {
        let Ok(wanted) = Layout::from_size_align(bytes, layout.align()) else { return null_mut() };
        if size_of(wanted) == size_of(layout) {
            return block;
        }
        // SAFETY: both blocks are ours and do not overlap; the shorter of the two lengths is copied.
        unsafe {
            let larger = self.alloc(wanted);
            if !larger.is_null() {
                core::ptr::copy_nonoverlapping(block, larger, layout.size().min(bytes));
                self.dealloc(block, layout);
            }
            larger
        }
    }
}

/// The size's number, counted from the smallest block; none where no block can have it.
fn size_of(layout: Layout) -> Option<usize> {
    if layout.align() > ALIGN_MAX {
        return None;
    }
    let bytes = layout.size().max(layout.align()).max(1 << SMALLEST_LOG2);
    let log2 = bytes.checked_next_power_of_two()?.trailing_zeros() as usize;
    Some(log2 - SMALLEST_LOG2).filter(|size| *size < SIZES)
}

impl State {
    fn cut(&mut self, size: usize) -> *mut u8 {
        if self.next == 0 {
            self.next = core::ptr::addr_of!(__heap_base) as usize;
            self.end = memory_size(0) * PAGE_BYTES;
        }
        let bytes = 1usize << (size + SMALLEST_LOG2);
        let align = bytes.min(ALIGN_MAX);
        let Some(begin) = self.next.checked_next_multiple_of(align) else { return null_mut() };
        let Some(end) = begin.checked_add(bytes) else { return null_mut() };
        if end > self.end {
            let pages = (end - self.end).div_ceil(PAGE_BYTES);
            if memory_grow(0, pages) == usize::MAX {
                return null_mut();
            }
            self.end += pages * PAGE_BYTES;
        }
        self.next = end;
        begin as *mut u8
    }
}
