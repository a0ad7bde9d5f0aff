//! What generated bindings ask of their runtime: memory for results of host calls, and flags.
//!
//! It stands in for the crate `wit-bindgen`, so that the SDK has no dependency and a plugin builds from what the
//! program `xferd` carries within itself. The contract is the canonical ABI's
//! (<https://github.com/WebAssembly/component-model/blob/main/design/mvp/CanonicalABI.md>).

use alloc::alloc::{Layout, alloc, dealloc, handle_alloc_error};
use core::ptr::{NonNull, null_mut};

/// Bindings call it so that `cabi_realloc` is linked; being in this file, it is.
pub fn maybe_link_cabi_realloc() {}

/// Memory into which the host writes results: a new block, or a larger one with the old one's content.
///
/// # Safety
/// As the canonical ABI's `realloc`: `old` came from here with `old_bytes` and `align`, or `old_bytes` is 0.
#[cfg(target_arch = "wasm32")]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cabi_realloc(old: *mut u8, old_bytes: usize, align: usize, bytes: usize) -> *mut u8 {
    if bytes == 0 {
        return align as *mut u8;
    }
    // SAFETY: the canonical ABI passes a power of two, and a size below 2^31.
    let layout = unsafe { Layout::from_size_align_unchecked(bytes, align) };
    // SAFETY: `bytes` is not 0, and `old` came from here with this alignment.
    let block = unsafe {
        match old_bytes {
            0 => alloc(layout),
            _ => alloc::alloc::realloc(old, Layout::from_size_align_unchecked(old_bytes, align), bytes),
        }
    };
    if block.is_null() {
        handle_alloc_error(layout);
    }
    block
}

/// A block that holds arguments during a host call.
pub struct Cleanup {
    block: NonNull<u8>,
    layout: Layout,
}

impl Cleanup {
    /// A block of this shape, and what frees it when dropped; null and nothing where the shape is empty.
    #[must_use]
    pub fn new(layout: Layout) -> (*mut u8, Option<Self>) {
        if layout.size() == 0 {
            return (null_mut(), None);
        }
        // SAFETY: the size is not 0.
        match NonNull::new(unsafe { alloc(layout) }) {
            Some(block) => (block.as_ptr(), Some(Self { block, layout })),
            None => handle_alloc_error(layout),
        }
    }

    /// Leaves the block to somebody else.
    pub fn forget(self) {
        core::mem::forget(self);
    }
}

impl Drop for Cleanup {
    fn drop(&mut self) {
        // SAFETY: made by `new` with this layout, freed here alone.
        unsafe { dealloc(self.block.as_ptr(), self.layout) };
    }
}

/// Flags as bindings write them.
pub mod bitflags {
    macro_rules! flags {
        ($(#[$meta:meta])* $vis:vis struct $name:ident : $bits:ty { $(const $flag:ident = $value:expr;)* }) => {
            $(#[$meta])*
            $vis struct $name {
                bits: $bits,
            }

            impl $name {
                $(
                    /// The flag of this name.
                    pub const $flag: Self = Self { bits: $value };
                )*

                /// No flag.
                #[must_use]
                pub const fn empty() -> Self {
                    Self { bits: 0 }
                }

                /// The flags of these bits; unknown bits stay.
                #[must_use]
                pub const fn from_bits_retain(bits: $bits) -> Self {
                    Self { bits }
                }

                /// The bits.
                #[must_use]
                pub const fn bits(&self) -> $bits {
                    self.bits
                }

                /// Whether all of `other` is set.
                #[must_use]
                pub const fn contains(self, other: Self) -> bool {
                    self.bits & other.bits == other.bits
                }
            }

            impl core::ops::BitOr for $name {
                type Output = Self;
                fn bitor(self, other: Self) -> Self {
                    Self { bits: self.bits | other.bits }
                }
            }
        };
    }
    pub(crate) use flags as bitflags;
}
