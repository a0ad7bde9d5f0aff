//! Where the files of a comparison lie: below /dev/shm, so that the path is measured and not a disk, and below
//! `target/`, where a disk is wanted.

use crate::Outcome;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

/// Two folders, gone with this value.
pub struct Ground {
    memory: PathBuf,
    disk: PathBuf,
}

/// Which of the two.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Area {
    /// Below /dev/shm.
    Memory,
    /// Below `target/`.
    Disk,
}

/// A name that the far end serves.
#[derive(Clone, Debug)]
pub struct Spot {
    /// Where it lies.
    pub area: Area,
    /// Its name below the served folder of that area.
    pub name: String,
    /// The same as a path of this machine.
    pub path: PathBuf,
}

impl Area {
    /// The name of the share, module or folder.
    pub fn share(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Disk => "disk",
        }
    }
}

const PREFIX: &str = "xferd-bench-";

/// Grounds of this process so far: each has folders of its own.
static GROUNDS: AtomicU32 = AtomicU32::new(0);

impl Ground {
    /// Makes both, the second below `disk`; what interrupted runs left is removed.
    ///
    /// # Errors
    /// One cannot be made.
    pub fn new(disk: &Path) -> Outcome<Self> {
        let memory = Path::new("/dev/shm");
        let disk = std::path::absolute(disk).map_err(|error| format!("{}: {error}", disk.display()))?;
        let disk = disk.as_path();
        let memory = if memory.is_dir() { memory } else { disk };
        for parent in [memory, disk] {
            std::fs::create_dir_all(parent).map_err(|error| format!("{}: {error}", parent.display()))?;
            remove_left(parent);
        }
        let (number, pid) = (GROUNDS.fetch_add(1, Ordering::Relaxed), std::process::id());
        let own = |parent: &Path, kind: &str| parent.join(format!("{PREFIX}{kind}-{number}-{pid}"));
        let ground = Self { memory: own(memory, "memory"), disk: own(disk, "disk") };
        for area in [Area::Memory, Area::Disk] {
            for folder in [ground.served(area), ground.sources(area)] {
                std::fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
            }
        }
        Ok(ground)
    }

    fn top(&self, area: Area) -> &Path {
        match area {
            Area::Memory => &self.memory,
            Area::Disk => &self.disk,
        }
    }

    /// What the far ends serve.
    pub fn served(&self, area: Area) -> PathBuf {
        self.top(area).join("served")
    }

    /// Where the near end's files lie.
    pub fn sources(&self, area: Area) -> PathBuf {
        self.top(area).join("sources")
    }

    /// For configurations, keys and states: on disk.
    pub fn desk(&self) -> &Path {
        &self.disk
    }

    /// A served name.
    pub fn spot(&self, area: Area, name: &str) -> Spot {
        Spot { area, name: name.to_owned(), path: self.served(area).join(name) }
    }
}

impl Drop for Ground {
    fn drop(&mut self) {
        for folder in [&self.memory, &self.disk] {
            if let Err(error) = remove(folder) {
                eprintln!("bench: {error}");
            }
        }
    }
}

fn remove_left(parent: &Path) {
    for entry in std::fs::read_dir(parent).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let pid = name.to_str().and_then(|name| name.strip_prefix(PREFIX)?.rsplit('-').next());
        if pid.is_some_and(|pid| !Path::new("/proc").join(pid).exists()) {
            let _ = remove(&entry.path());
        }
    }
}

/// Removes a file or a folder, if there.
///
/// # Errors
/// It is there and stays.
pub fn remove(path: &Path) -> Outcome<()> {
    let kind = std::fs::symlink_metadata(path);
    let done = match kind {
        Ok(stat) if stat.is_dir() => std::fs::remove_dir_all(path),
        Ok(_) => std::fs::remove_file(path),
        Err(_) => return Ok(()),
    };
    done.map_err(|error| format!("{}: {error}", path.display()))
}

/// Writes out what the kernel holds back for a file system, so that a run does not pay for the one before.
pub fn flush(below: &Path) {
    if let Ok(folder) = std::fs::File::open(below) {
        let _ = rustix::fs::syncfs(&folder);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_there_and_go() {
        let parent = tempfile::tempdir().expect("a folder");
        let left = parent.path().join(format!("{PREFIX}disk-4194305"));
        std::fs::create_dir(&left).expect("a folder");
        let ground = Ground::new(parent.path()).expect("made");
        drop(Ground::new(parent.path()).expect("another one"));
        assert!(!left.exists(), "what a process that is gone left is removed");
        let served = ground.served(Area::Memory);
        assert!(served.is_dir() && ground.spot(Area::Memory, "a").path == served.join("a"));
        drop(ground);
        assert!(!served.exists());
    }
}
