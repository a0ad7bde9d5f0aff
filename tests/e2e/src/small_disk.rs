//! A disk that is soon full: a tmpfs of a few MiB.

use std::path::{Path, PathBuf};
use std::process::Command;

/// A mounted one; unmounted when dropped, which must be after every process that uses it.
pub struct SmallDisk(PathBuf);

impl SmallDisk {
    /// Mounts one of `mib` MiB at an empty folder. `None`: it cannot be mounted here, which is printed as why `test` is
    /// skipped.
    pub fn mount(test: &str, at: &Path, mib: u32) -> Option<Self> {
        let size = format!("size={mib}m");
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(at).output();
        if !mounted.is_ok_and(|out| out.status.success()) {
            println!("skipped: {test}: mount is not permitted");
            return None;
        }
        Some(Self(at.to_owned()))
    }

    /// Makes it larger.
    ///
    /// # Panics
    /// It cannot be.
    pub fn grow(&self, mib: u32) {
        let size = format!("remount,size={mib}m");
        let grown = Command::new("mount").args(["-o", &size]).arg(&self.0).status().expect("mount runs");
        assert!(grown.success(), "remount: {grown}");
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}
