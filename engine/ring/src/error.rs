//! Why an engine could not be made.

use base::io::Errno;
use std::fmt;

/// Why io_uring cannot be used here.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Refusal {
    /// The kernel has no io_uring (ENOSYS): older than 5.1, or built without it.
    Missing,
    /// Forbidden (EPERM or EACCES): by seccomp, as containers do, or by `kernel.io_uring_disabled`,
    /// whose value is given when it is not 0.
    Forbidden {
        /// Value of `/proc/sys/kernel/io_uring_disabled` when not 0.
        disabled: Option<u8>,
    },
    /// The kernel refused for another reason, such as memory or descriptors.
    Failed(Errno),
    /// The kernel is too old: it lacks this feature or opcode.
    Lacks(&'static str),
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("this kernel has no io_uring"),
            Self::Forbidden { disabled: Some(value) } => {
                write!(f, "io_uring is forbidden (kernel.io_uring_disabled={value})")
            }
            Self::Forbidden { disabled: None } => {
                f.write_str("io_uring is forbidden (seccomp, as in many containers)")
            }
            Self::Failed(errno) => write!(f, "io_uring could not be set up (errno {})", errno.0),
            Self::Lacks(what) => write!(f, "this kernel's io_uring lacks {what}"),
        }
    }
}

/// Why an engine could not be made.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RingError {
    /// io_uring was asked for and cannot be used.
    Refused(Refusal),
    /// The arena could not be mapped.
    Arena {
        /// Its size.
        bytes: u64,
        /// What mmap said.
        errno: Errno,
    },
    /// A helper thread could not be started.
    Thread {
        /// What the system said.
        errno: Errno,
    },
    /// An eventfd or epoll descriptor could not be made.
    Descriptor {
        /// What the system said.
        errno: Errno,
    },
}

impl fmt::Display for RingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(refusal) => refusal.fmt(f),
            Self::Arena { bytes, errno } => {
                write!(f, "no memory for an arena of {bytes} bytes (errno {})", errno.0)
            }
            Self::Thread { errno } => write!(f, "a helper thread could not be started (errno {})", errno.0),
            Self::Descriptor { errno } => write!(f, "no further descriptor (errno {})", errno.0),
        }
    }
}

impl std::error::Error for RingError {}

/// The number of an error of the standard library; EIO where it has none.
pub(crate) fn errno_of(error: &std::io::Error) -> Errno {
    error.raw_os_error().map_or(Errno::IO, Errno)
}

/// The number of an error of `rustix`.
pub(crate) fn errno(error: rustix::io::Errno) -> Errno {
    Errno(error.raw_os_error())
}
