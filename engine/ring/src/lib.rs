//! The kernel, behind [`base::io::Io`]: io_uring, blocking threads, plain system calls.
//!
//! ```text
//!   core ── submit/act/turn ──▶ Engine ─┬─ Uring    one ring per core, one helper thread for cold batches
//!                                       └─ Threads  epoll for sockets, a small pool for files
//!                                  both ─── acts (plain descriptor-relative syscalls), buffers (arena)
//! ```
//!
//! All handwritten `unsafe` of the project is here. Its one rule: memory the kernel (or a pool thread)
//! may touch belongs to the operation's slot until that operation has completed. An engine that is
//! dropped first ends its operations, then closes the ring, then frees the slots; the arena lives as
//! long as any buffer of it.
//!
//! What it never does: decide. It has no protocol, no paths of its own making, no retry except EINTR and
//! a refused `uncached`; a short result is passed on as it came.
//!
//! A process calls [`set_umask_zero`] before its first engine: modes in acts are meant literally, and
//! masking them afterwards would cost one more system call per file.

pub mod acts;
mod arena;
mod clock;
mod engine;
mod error;
mod ground;
mod pool;
pub mod probe;
mod process;
mod slots;
mod sockets;
mod threads;
mod uring;
mod wake;

pub use arena::Buf;
pub use clock::{ClockState, clock_state};
pub use engine::{Engine, Mode};
pub use error::{Refusal, RingError};
pub use process::{open_root, pin_to_cpu, raise_open_files, set_umask_zero};
pub use sockets::{listen, settle};
pub use threads::Threads;
pub use uring::Uring;
pub use wake::Waker;
