//! Files of keys and trust: read only when nobody else could have written or read them, written whole.

use rustix::fs::{self, AtFlags, FileType, Mode, OFlags, RenameFlags};
use rustix::io::Errno;
use std::fmt;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use zeroize::Zeroizing;

const DIRECTORY: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);
const READ: OFlags = OFlags::RDONLY.union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC).union(OFlags::NONBLOCK);

/// Why a file of keys or trust cannot be used.
#[derive(Debug)]
pub enum FileError {
    /// The operating system refused.
    Io {
        /// What was tried, as in "cannot {doing} {path}".
        doing: &'static str,
        /// On what.
        path: PathBuf,
        /// Its answer.
        error: io::Error,
    },
    /// A link, directory or device stands in its place.
    NotRegular {
        /// Which.
        path: PathBuf,
    },
    /// Another user owns it.
    NotOurs {
        /// Which.
        path: PathBuf,
        /// Who owns it.
        owner: u32,
        /// Who we are.
        us: u32,
    },
    /// Others may read or write it.
    Loose {
        /// Which.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// It is larger than it may be.
    TooLarge {
        /// Which.
        path: PathBuf,
        /// Most bytes.
        bytes_max: u64,
    },
    /// Its bytes are not what belongs there.
    Damaged {
        /// Which.
        path: PathBuf,
        /// In what.
        why: Damage,
    },
    /// The kernel gave no random bytes.
    Entropy(io::Error),
}

/// What is wrong with the bytes of a file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Damage {
    /// Its length.
    Length {
        /// Bytes it should have.
        wanted: u64,
    },
    /// Its first bytes: another kind of file.
    Magic,
    /// Its version, which a later release wrote.
    Version(u16),
    /// The kind of key.
    Kind(u16),
    /// Its content breaks a rule or its signature does not hold.
    Content,
    /// It belongs to another root or device than its place says.
    Place,
}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io { doing, path, error } => write!(f, "cannot {doing} {path:?}: {error}"),
            Self::NotRegular { path } => {
                write!(f, "{path:?} is not a regular file: put the file itself there, not a link to it")
            }
            Self::NotOurs { path, owner, us } => write!(
                f,
                "{path:?} belongs to user {owner} and this process is user {us}: run it as that user, or run \
                 `chown {us} {path:?}`"
            ),
            Self::Loose { path, mode } => write!(
                f,
                "{path:?} holds a private key and is open to others (mode {mode:04o}): run `chmod 600 {path:?}`; if \
                 others may have read it, revoke the device and join again"
            ),
            Self::TooLarge { path, bytes_max } => {
                write!(f, "{path:?} is larger than {bytes_max} bytes: restore it from a backup")
            }
            Self::Damaged { path, why: Damage::Version(found) } => {
                write!(f, "{path:?} has version {found}: use the release that wrote it, or a later one")
            }
            Self::Damaged { path, why } => {
                let what = match why {
                    Damage::Length { wanted } => format!("should have {wanted} bytes"),
                    Damage::Magic => "is not a file of xferd".into(),
                    Damage::Kind(kind) => format!("holds a key of another kind ({kind})"),
                    Damage::Place => "belongs to another root or device".into(),
                    Damage::Version(_) | Damage::Content => "is damaged".into(),
                };
                write!(f, "{path:?} {what}: restore it from a backup")
            }
            Self::Entropy(error) => write!(f, "the kernel gave no random bytes: {error}"),
        }
    }
}

impl std::error::Error for FileError {}

/// Random bytes of the kernel.
///
/// # Errors
/// It has none to give.
pub fn random<const N: usize>() -> Result<Zeroizing<[u8; N]>, FileError> {
    let mut bytes = Zeroizing::new([0; N]);
    getrandom::fill(bytes.as_mut()).map_err(|error| FileError::Entropy(io::Error::other(error)))?;
    Ok(bytes)
}

/// Reads a file of trust; `None` when there is none.
pub(crate) fn read(path: &Path, bytes_max: u64) -> Result<Option<Vec<u8>>, FileError> {
    let Some(mut file) = open(path, false)? else { return Ok(None) };
    let mut bytes = Vec::new();
    let read = (&mut file).take(bytes_max + 1).read_to_end(&mut bytes);
    read.map_err(|error| FileError::Io { doing: "read", path: path.to_owned(), error })?;
    if bytes.len() as u64 > bytes_max {
        return Err(FileError::TooLarge { path: path.to_owned(), bytes_max });
    }
    Ok(Some(bytes))
}

/// Reads a file of a secret of exactly `N` bytes, if it is ours alone; `None` when there is none.
pub(crate) fn read_secret<const N: usize>(path: &Path) -> Result<Option<Zeroizing<[u8; N]>>, FileError> {
    let Some(mut file) = open(path, true)? else { return Ok(None) };
    let io = |error| FileError::Io { doing: "read", path: path.to_owned(), error };
    if file.metadata().map_err(io)?.len() != N as u64 {
        let why = Damage::Length { wanted: N as u64 };
        return Err(FileError::Damaged { path: path.to_owned(), why });
    }
    let mut bytes = Zeroizing::new([0; N]);
    file.read_exact(bytes.as_mut()).map_err(io)?;
    Ok(Some(bytes))
}

/// Opens a regular file of ours; a secret one must be closed to all others.
fn open(path: &Path, secret: bool) -> Result<Option<File>, FileError> {
    let file = match fs::open(path, READ, Mode::empty()) {
        Ok(file) => file,
        Err(Errno::NOENT) => return Ok(None),
        Err(Errno::LOOP) => return Err(FileError::NotRegular { path: path.to_owned() }),
        Err(errno) => return Err(failed("open", path, errno)),
    };
    let stat = fs::fstat(&file).map_err(|errno| failed("examine", path, errno))?;
    if !FileType::from_raw_mode(stat.st_mode).is_file() {
        return Err(FileError::NotRegular { path: path.to_owned() });
    }
    let us = rustix::process::geteuid().as_raw();
    if stat.st_uid != us {
        return Err(FileError::NotOurs { path: path.to_owned(), owner: stat.st_uid, us });
    }
    let mode = stat.st_mode & 0o7777;
    if secret && mode & 0o177 != 0 {
        return Err(FileError::Loose { path: path.to_owned(), mode });
    }
    Ok(Some(file.into()))
}

/// Replaces or creates a file: temp, fsync, rename, fsync of its directory.
pub(crate) fn write(path: &Path, bytes: &[u8], mode: u32) -> Result<(), FileError> {
    put(path, bytes, mode, RenameFlags::empty()).map(|_| ())
}

/// Creates a file in the same way; `false` when there is one already, which stays.
pub(crate) fn write_new(path: &Path, bytes: &[u8], mode: u32) -> Result<bool, FileError> {
    put(path, bytes, mode, RenameFlags::NOREPLACE)
}

fn put(path: &Path, bytes: &[u8], mode: u32, how: RenameFlags) -> Result<bool, FileError> {
    static TEMPS: AtomicU64 = AtomicU64::new(0);
    let (parent, leaf) = parent_of(path)?;
    let temp = format!(".{leaf}.{}-{}.tmp", std::process::id(), TEMPS.fetch_add(1, Ordering::Relaxed));
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let mode = Mode::from_raw_mode(mode);
    let file = fs::openat(&parent, &temp, flags, mode).map_err(|errno| failed("create", path, errno))?;
    let mut file = File::from(file);
    let written = fs::fchmod(&file, mode)
        .map_err(io::Error::from)
        .and_then(|()| file.write_all(bytes))
        .and_then(|()| file.sync_all())
        .and_then(|()| Ok(fs::renameat_with(&parent, &temp, &parent, leaf, how)?));
    let placed = match written {
        Ok(()) => true,
        Err(error) => {
            // A temp that stays is swept by the next start; the first error is the one worth telling.
            let _ = fs::unlinkat(&parent, &temp, AtFlags::empty());
            if error.kind() != io::ErrorKind::AlreadyExists {
                return Err(FileError::Io { doing: "write", path: path.to_owned(), error });
            }
            false
        }
    };
    fs::fsync(&parent).map_err(|errno| failed("sync the directory of", path, errno))?;
    Ok(placed)
}

/// Removes a file, durably; `false` when there was none.
pub(crate) fn remove(path: &Path) -> Result<bool, FileError> {
    let (parent, leaf) = parent_of(path)?;
    match fs::unlinkat(&parent, leaf, AtFlags::empty()) {
        Ok(()) => {}
        Err(Errno::NOENT) => return Ok(false),
        Err(errno) => return Err(failed("remove", path, errno)),
    }
    fs::fsync(&parent).map_err(|errno| failed("sync the directory of", path, errno))?;
    Ok(true)
}

/// Makes a directory, 0700 and durable, unless it is there.
pub(crate) fn make_directory(path: &Path) -> Result<(), FileError> {
    let (parent, leaf) = parent_of(path)?;
    match fs::mkdirat(&parent, leaf, Mode::from_raw_mode(0o700)) {
        Ok(()) | Err(Errno::EXIST) => {}
        Err(errno) => return Err(failed("create", path, errno)),
    }
    fs::fsync(&parent).map_err(|errno| failed("sync the directory of", path, errno))
}

/// Names in a directory, sorted; hidden ones (temps among them) are left out. No directory: no names.
pub(crate) fn names(path: &Path) -> Result<Vec<String>, FileError> {
    let io = |error| FileError::Io { doing: "list", path: path.to_owned(), error };
    let entries = match std::fs::read_dir(path) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(io(error)),
    };
    let mut names = Vec::new();
    for entry in entries {
        let name = entry.map_err(io)?.file_name();
        // A name that is no UTF-8 was not made here.
        names.extend(name.into_string().ok().filter(|name| !name.starts_with('.')));
    }
    names.sort();
    Ok(names)
}

fn parent_of(path: &Path) -> Result<(OwnedFd, &str), FileError> {
    let leaf = path.file_name().and_then(|leaf| leaf.to_str()).expect("names of this room are ASCII");
    let parent = path.parent().expect("a file of this room lies in a directory");
    let fd = fs::open(parent, DIRECTORY, Mode::empty()).map_err(|errno| failed("open", parent, errno))?;
    Ok((fd, leaf))
}

fn failed(doing: &'static str, path: &Path, errno: Errno) -> FileError {
    FileError::Io { doing, path: path.to_owned(), error: errno.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_file_never_replaces_and_leaves_no_temp() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("a");
        assert!(write_new(&path, b"one", 0o600).unwrap());
        assert!(!write_new(&path, b"two", 0o600).unwrap());
        assert_eq!(read(&path, 3).unwrap().as_deref(), Some(&b"one"[..]));
        assert!(matches!(read(&path, 2), Err(FileError::TooLarge { bytes_max: 2, .. })));
        write(&path, b"three", 0o600).unwrap();
        assert_eq!(std::fs::read_dir(home.path()).unwrap().count(), 1);
        assert!(remove(&path).unwrap() && !remove(&path).unwrap());
        assert_eq!(read(&path, 9).unwrap(), None);
        assert!(names(&path).unwrap().is_empty());
    }

    #[test]
    fn only_regular_files_are_read_and_a_pipe_does_not_hang() {
        let home = tempfile::tempdir().unwrap();
        let pipe = home.path().join("pipe");
        fs::mknodat(fs::CWD, &pipe, FileType::Fifo, Mode::from_raw_mode(0o600), 0).unwrap();
        let link = home.path().join("link");
        std::os::unix::fs::symlink(&pipe, &link).unwrap();
        for path in [&pipe, &link, &home.path().to_owned()] {
            assert!(matches!(read(path, 9), Err(FileError::NotRegular { .. })), "{path:?}");
        }
    }
}
