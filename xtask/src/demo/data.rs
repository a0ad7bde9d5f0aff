//! The demo's folder and files.

use crate::shell::Outcome;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

/// A folder that is gone when this is dropped.
pub(super) struct Scratch(PathBuf);

impl Scratch {
    /// A folder for this process; what interrupted demos left is removed.
    pub(super) fn new(target: &Path) -> Outcome<Self> {
        for entry in std::fs::read_dir(target).into_iter().flatten().flatten() {
            let name = entry.file_name();
            let left = name
                .to_str()
                .and_then(|name| name.strip_prefix("demo-"))
                .map(|pid| Path::new("/proc").join(pid));
            if left.is_some_and(|process| !process.exists()) {
                remove(&entry.path())?;
            }
        }
        let path = target.join(format!("demo-{}", std::process::id()));
        std::fs::create_dir_all(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(Self(path))
    }

    /// Its path.
    pub(super) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Err(error) = remove(&self.0) {
            eprintln!("xtask: {error}");
        }
    }
}

/// Removes a file or folder, if there.
pub(super) fn remove(path: &Path) -> Outcome<()> {
    let done = if path.is_dir() { std::fs::remove_dir_all(path) } else { std::fs::remove_file(path) };
    match done {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(format!("{}: {error}", path.display()))
        }
        _ => Ok(()),
    }
}

/// Refuses to begin what cannot end.
pub(super) fn check_space(folder: &Path, needed: u64) -> Outcome<()> {
    let space = rustix::fs::statvfs(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let free = space.f_bavail * space.f_frsize;
    if free < needed {
        let (needed, free) = (needed >> 20, free >> 20);
        return Err(format!(
            "the demo needs {needed} MiB in {}, {free} MiB are free; try --mib 256",
            folder.display()
        ));
    }
    Ok(())
}

/// A file of random bytes: BLAKE3's own stream, keyed by the kernel's random numbers.
pub(super) fn random_file(path: &Path, bytes: u64) -> Outcome<()> {
    let failed = |error: std::io::Error| format!("{}: {error}", path.display());
    let mut key = [0; 32];
    std::io::Read::read_exact(&mut File::open("/dev/urandom").map_err(failed)?, &mut key).map_err(failed)?;
    let mut stream = blake3::Hasher::new_keyed(&key).finalize_xof();
    let mut file = File::create(path).map_err(failed)?;
    let mut piece = vec![0; 1 << 20];
    let mut left = bytes;
    while left > 0 {
        let len = left.min(piece.len() as u64) as usize;
        stream.fill(&mut piece[..len]);
        file.write_all(&piece[..len]).map_err(failed)?;
        left -= len as u64;
    }
    Ok(())
}
