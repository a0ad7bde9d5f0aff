//! What a share's file system can do: tried with hidden files of our own that are removed again.

use super::Finding;
use crate::config::Share;
use crate::failure::plain;
use rustix::fd::OwnedFd;
use rustix::fs::{AtFlags, FallocateFlags, Mode, OFlags, RenameFlags};
use rustix::io::ReadWriteFlags;
use std::io::{IoSlice, Write};

/// Looks at one share.
pub(super) fn examine(share: &Share) -> Vec<Finding> {
    let what = match share.name.is_empty() {
        true => format!("root {}", share.path.display()),
        false => format!("share {} {}", share.name, share.path.display()),
    };
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let directory = match rustix::fs::open(&share.path, flags, Mode::empty()) {
        Ok(directory) => directory,
        Err(error) => {
            return vec![Finding::fatal(
                what,
                plain(&error.into()),
                "make the directory, or correct its path",
            )];
        }
    };
    let kind = kind_of(&directory);
    if share.read_only {
        return vec![Finding::good(what, format!("{kind}, read-only"))];
    }
    let mut abilities = Vec::new();
    let outcome = try_all(&directory, &mut abilities);
    let named = |there: bool| -> Vec<&str> {
        abilities.iter().filter(|(_, has)| *has == there).map(|(name, _)| *name).collect()
    };
    let kind = format!("{kind} with {}", named(true).join(", "));
    let missing = named(false);
    let finding = match (outcome, missing.is_empty()) {
        (Err(error), _) => Finding::fatal(
            what,
            format!("{kind}; a file cannot be made: {}", plain(&error.into())),
            "make it writable for this user, or set read-only = true",
        ),
        (Ok(()), true) => Finding::good(what, kind),
        // Linux before 6.14, and many file systems after it: nothing to warn of.
        (Ok(()), false) if missing == [DONT_CACHE_NAME] => {
            let found = format!("{kind}; without {DONT_CACHE_NAME}: large files go through the page cache");
            Finding::good(what, found)
        }
        (Ok(()), false) => Finding::warning(
            what,
            format!("{kind} without {}", missing.join(", ")),
            "slower or less careful ways are used instead",
        ),
    };
    vec![finding]
}

/// Names of the file systems one meets (statfs(2)).
fn kind_of(directory: &OwnedFd) -> String {
    let Ok(stat) = rustix::fs::fstatfs(directory) else { return "unknown file system".to_owned() };
    let name = match stat.f_type as u64 & 0xffff_ffff {
        0xef53 => "ext4",
        0x5846_5342 => "xfs",
        0x9123_683e => "btrfs",
        0x0102_1994 => "tmpfs",
        0x2fc1_2fc1 => "zfs",
        0x794c_7630 => "overlayfs",
        0x6969 => "nfs",
        0xff53_4d42 | 0xfe53_4d42 => "smb",
        0x6573_5546 => "fuse",
        0xf2f5_2010 => "f2fs",
        0x0102_1997 => "9p",
        other => return format!("file system {other:x}"),
    };
    name.to_owned()
}

/// Two hidden files, named by our process so that two doctors do not meet.
struct Probe<'a> {
    directory: &'a OwnedFd,
    names: [String; 2],
}

impl Drop for Probe<'_> {
    fn drop(&mut self) {
        for name in &self.names {
            let _ = rustix::fs::unlinkat(self.directory, name.as_str(), AtFlags::empty());
        }
    }
}

const DONT_CACHE_NAME: &str = "RWF_DONTCACHE";
/// Its flag for pwritev2(2).
const DONT_CACHE: ReadWriteFlags = ReadWriteFlags::from_bits_retain(0x80);

/// Tries everything; each ability by name, and whether it is there.
fn try_all(directory: &OwnedFd, abilities: &mut Vec<(&'static str, bool)>) -> rustix::io::Result<()> {
    let id = std::process::id();
    let names = [format!(".xferd-{id:032x}.part"), format!(".xferd-{:032x}.part", u64::from(id) | 1 << 63)];
    let probe = Probe { directory, names };
    let [first, second] = probe.names.each_ref().map(String::as_str);
    let flags = OFlags::CREATE | OFlags::EXCL | OFlags::RDWR | OFlags::CLOEXEC | OFlags::NOFOLLOW;
    let file = rustix::fs::openat(directory, first, flags, Mode::from(0o600))?;
    let reserved = rustix::fs::fallocate(&file, FallocateFlags::KEEP_SIZE, 0, 4096).is_ok();
    abilities.push(("reservation (fallocate)", reserved));
    let mut file = std::fs::File::from(file);
    file.write_all(b"xferd")
        .map_err(|error| rustix::io::Errno::from_io_error(&error).unwrap_or(rustix::io::Errno::IO))?;
    let uncached = rustix::io::pwritev2(&file, &[IoSlice::new(b"x")], 0, DONT_CACHE).is_ok();
    abilities.push((DONT_CACHE_NAME, uncached));
    rustix::fs::fdatasync(&file)?;
    let kept = rustix::fs::renameat_with(directory, first, directory, second, RenameFlags::NOREPLACE).is_ok();
    abilities.push(("RENAME_NOREPLACE", kept));
    if !kept {
        rustix::fs::renameat(directory, first, directory, second)?;
    }
    let again = rustix::fs::openat(directory, first, flags, Mode::from(0o600))?;
    let exchanged =
        rustix::fs::renameat_with(directory, first, directory, second, RenameFlags::EXCHANGE).is_ok();
    abilities.push(("RENAME_EXCHANGE", exchanged));
    drop(again);
    let unnamed = OFlags::TMPFILE | OFlags::RDWR | OFlags::CLOEXEC;
    let unnamed = rustix::fs::openat(directory, ".", unnamed, Mode::from(0o600)).is_ok();
    abilities.push(("O_TMPFILE", unnamed));
    rustix::fs::fsync(directory)
}

#[cfg(test)]
mod tests {
    use super::super::Weight;
    use super::*;
    use crate::config::{Durability, Origin};

    fn share(path: &std::path::Path, read_only: bool) -> Share {
        Share {
            name: String::new(),
            path: path.to_owned(),
            read_only,
            owners: false,
            allow: Vec::new(),
            deny: Vec::new(),
            durability_min: Durability::None,
            count_stored: false,
            origin: Origin::Default,
        }
    }

    #[test]
    fn a_probe_leaves_nothing_behind_and_names_what_is_missing() {
        let directory = tempfile::tempdir().expect("temporary directory");
        let findings = examine(&share(directory.path(), false));
        assert_ne!(findings[0].weight, Weight::Fatal, "{findings:?}");
        assert!(findings[0].found.contains("RWF_DONTCACHE"), "{findings:?}");
        assert_eq!(std::fs::read_dir(directory.path()).expect("readable").count(), 0);
        let gone = examine(&share(&directory.path().join("gone"), false));
        assert_eq!(gone[0].weight, Weight::Fatal);
        assert_eq!(examine(&share(directory.path(), true))[0].weight, Weight::Good);
    }
}
