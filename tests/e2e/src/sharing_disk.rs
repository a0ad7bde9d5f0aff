//! A disk whose files can share content: btrfs or xfs in an image of its own.

use crate::scratch::Scratch;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Bytes of the image; xfs makes none below 300 MiB.
const IMAGE_BYTES: u64 = 400 << 20;

/// A mounted one; unmounted when dropped, which must be after every process that uses it.
pub struct SharingDisk {
    /// Where it is mounted.
    pub path: PathBuf,
    _scratch: Scratch,
}

impl SharingDisk {
    /// Makes and mounts one of type `btrfs` or `xfs`. `None`: that cannot be done here, which is printed as why `test`
    /// is skipped.
    pub fn mount(test: &str, kind: &str) -> Option<Self> {
        let scratch = Scratch::new();
        let (image, path) = (scratch.dir("image").join("disk"), scratch.dir("mounted"));
        std::fs::File::create(&image).and_then(|file| file.set_len(IMAGE_BYTES)).expect("an image is made");
        let run = |program: &str, arguments: &[&str], to: &[&Path]| {
            let output = Command::new(program).args(arguments).args(to).output();
            output.is_ok_and(|output| output.status.success())
        };
        if !run(&format!("mkfs.{kind}"), &["-q"], &[&image]) {
            println!("skipped: {test}: mkfs.{kind} is not here (btrfs-progs, xfsprogs)");
            return None;
        }
        if !run("mount", &["-o", "loop"], &[&image, &path]) {
            println!("skipped: {test}: {kind} cannot be mounted");
            return None;
        }
        Some(Self { path, _scratch: scratch })
    }

    /// Bytes that are taken, once everything is written.
    pub fn used(&self) -> u64 {
        let disk = std::fs::File::open(&self.path).expect("it can be opened");
        rustix::fs::syncfs(&disk).expect("it can be synced");
        let told = rustix::fs::fstatvfs(&disk).expect("it can be asked");
        (told.f_blocks - told.f_bfree) * told.f_frsize
    }
}

impl Drop for SharingDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.path).status();
    }
}
