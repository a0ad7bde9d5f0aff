//! What concerns the whole process: umask, descriptor limit, CPUs, the root directory.

use crate::error::errno_of;
use base::io::Fd;
use rustix::fs::{Mode, OFlags};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
use std::io;
use std::os::fd::IntoRawFd;
use std::path::Path;
use std::sync::OnceLock;

/// Modes in acts are meant literally; see the crate's head.
pub fn set_umask_zero() {
    rustix::process::umask(Mode::empty());
}

/// Opens a directory to work beneath: it can be listed and synced. The path may contain links; it is the
/// user's own. The descriptor is the caller's.
///
/// # Errors
/// What open(2) said; ENOTDIR for anything but a directory.
pub fn open_root(path: &Path) -> io::Result<Fd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let fd = rustix::fs::open(path, flags, Mode::empty())?;
    Ok(Fd(fd.into_raw_fd()))
}

/// Raises the soft limit on open files to the hard one; the limit that holds afterwards
/// (`u64::MAX`: none).
pub fn raise_open_files() -> u64 {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
    match setrlimit(Resource::Nofile, raised) {
        Ok(()) => limit.maximum.unwrap_or(u64::MAX),
        Err(_) => limit.current.unwrap_or(u64::MAX),
    }
}

/// The CPUs the process may use, as found before the first pinning.
fn allowed() -> &'static [usize] {
    static ALLOWED: OnceLock<Vec<usize>> = OnceLock::new();
    ALLOWED.get_or_init(|| match sched_getaffinity(None) {
        Ok(set) => (0..CpuSet::MAX_CPU).filter(|&cpu| set.is_set(cpu)).collect(),
        Err(_) => Vec::new(),
    })
}

/// Pins the calling thread to the `index`-th CPU of the affinity mask the process began with.
///
/// # Errors
/// InvalidInput when there are fewer CPUs; else what sched_setaffinity(2) said.
pub fn pin_to_cpu(index: usize) -> io::Result<()> {
    let cpu = *allowed().get(index).ok_or(io::ErrorKind::InvalidInput)?;
    let mut set = CpuSet::new();
    set.set(cpu);
    Ok(sched_setaffinity(None, &set)?)
}

/// Lets the calling thread run on every CPU of the process: a helper inherits its core's pin, and would
/// then compete with it.
pub(crate) fn unpin() {
    let mut set = CpuSet::new();
    allowed().iter().for_each(|&cpu| set.set(cpu));
    let _ = sched_setaffinity(None, &set);
}

/// Starts a named thread.
pub(crate) fn spawn<F>(name: &str, body: F) -> Result<std::thread::JoinHandle<()>, crate::RingError>
where
    F: FnOnce() + Send + 'static,
{
    std::thread::Builder::new()
        .name(name.to_owned())
        .spawn(body)
        .map_err(|e| crate::RingError::Thread { errno: errno_of(&e) })
}
