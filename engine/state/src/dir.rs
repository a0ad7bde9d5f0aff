//! The state directory: who may see it, who holds it, and how a file in it is replaced.
//!
//! ```text
//! STATE/format  lock  admin.sock  device.key  authority.key  state.db  log.db
//! STATE/trust/  remotes/  journal/  receipts/  runs/  plugin/
//! ```
//!
//! Invariants: the directory is ours and nobody else may enter it; every operation goes through the
//! descriptor opened then, so a later swap of the path changes nothing; a file is the old one or the new one
//! whole, also after a power loss. It never deletes what it did not make: a directory with foreign names in
//! it is refused.

mod error;

use base::name::RelPath;
use rustix::fs::{self, AtFlags, FlockOperation, Mode, OFlags};
use rustix::io::Errno;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

pub use error::DirError;

/// Version of the layout; a directory of a higher one is refused.
const FORMAT: u32 = 1;
const FORMAT_BYTES_MAX: u64 = 32;
const SUBDIRECTORIES: [&str; 6] = ["trust", "remotes", "journal", "receipts", "runs", "plugin"];
/// What else may lie there; by these a state directory that lost its `format` in a crash is told from a
/// directory that was named by mistake.
const FILES: [&str; 6] = ["format", "lock", "admin.sock", "device.key", "authority.key", "log.db"];
const OPEN_DIRECTORY: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);

/// An open state directory; while it lives and [`StateDir::open`] made it, no other daemon can use it.
pub struct StateDir {
    path: PathBuf,
    root: OwnedFd,
    lock: Option<File>,
    temps: AtomicU64,
}

impl StateDir {
    /// Opens or creates a directory for the one daemon that uses it, and empties `runs/`.
    ///
    /// # Errors
    /// It is loose, foreign, newer, locked by another process, or the system refuses.
    pub fn open(path: &Path) -> Result<Self, DirError> {
        let mut dir = Self::enter(path)?;
        dir.lock = Some(dir.take_lock()?);
        dir.settle()?;
        dir.sweep_temps()?;
        dir.empty("runs")?;
        Ok(dir)
    }

    /// Opens or creates a directory that several commands of a client use side by side: without the lock.
    ///
    /// # Errors
    /// As [`StateDir::open`], never [`DirError::Locked`].
    pub fn open_shared(path: &Path) -> Result<Self, DirError> {
        let dir = Self::enter(path)?;
        dir.settle()?;
        Ok(dir)
    }

    /// Its path, as it was opened.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The path of a name in it.
    pub fn join(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Whether this is the daemon's own handle.
    pub fn is_locked(&self) -> bool {
        self.lock.is_some()
    }

    /// Its descriptor.
    pub fn as_fd(&self) -> BorrowedFd<'_> {
        self.root.as_fd()
    }

    /// Replaces or creates a file: temp, fsync, rename, fsync of its directory. `name` is relative, such as
    /// `receipts/00ff.xr`; its directory exists.
    ///
    /// # Errors
    /// The system refuses; the old file is then still there.
    ///
    /// # Panics
    /// `name` breaks the path rules of `base::name`.
    pub fn write_file(&self, name: &str, bytes: &[u8], mode: u32) -> Result<(), DirError> {
        let (parent, leaf) = self.parent_of(name)?;
        let io = |doing| move |errno| self.failed(doing, name, errno);
        let temp =
            format!(".{leaf}.{}-{}.tmp", std::process::id(), self.temps.fetch_add(1, Ordering::Relaxed));
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let mode = Mode::from_raw_mode(mode);
        let mut file = File::from(fs::openat(&parent, &temp, flags, mode).map_err(io("create"))?);
        let written = fs::fchmod(&file, mode)
            .map_err(io::Error::from)
            .and_then(|()| file.write_all(bytes))
            .and_then(|()| file.sync_all())
            .and_then(|()| Ok(fs::renameat(&parent, &temp, &parent, leaf)?));
        if let Err(error) = written {
            // The first error is the one worth telling; a temp that stays is swept by the next daemon.
            let _ = fs::unlinkat(&parent, &temp, AtFlags::empty());
            return Err(DirError::Io { doing: "write", path: self.join(name), error });
        }
        fs::fsync(&parent).map_err(io("sync the directory of"))
    }

    /// Reads a whole file of at most `bytes_max`; `None` when there is none.
    ///
    /// # Errors
    /// It is too large, or the system refuses.
    ///
    /// # Panics
    /// `name` breaks the path rules of `base::name`.
    pub fn read_file(&self, name: &str, bytes_max: u64) -> Result<Option<Vec<u8>>, DirError> {
        let (parent, leaf) = self.parent_of(name)?;
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = match fs::openat(&parent, leaf, flags, Mode::empty()) {
            Ok(file) => File::from(file),
            Err(Errno::NOENT) => return Ok(None),
            Err(errno) => return Err(self.failed("open", name, errno)),
        };
        let mut bytes = Vec::new();
        file.take(bytes_max + 1).read_to_end(&mut bytes).map_err(|error| DirError::Io {
            doing: "read",
            path: self.join(name),
            error,
        })?;
        if bytes.len() as u64 > bytes_max {
            return Err(DirError::TooLarge { path: self.join(name), bytes_max });
        }
        Ok(Some(bytes))
    }

    /// Removes a file, durably; `false` when there was none.
    ///
    /// # Errors
    /// The system refuses.
    ///
    /// # Panics
    /// `name` breaks the path rules of `base::name`.
    pub fn remove_file(&self, name: &str) -> Result<bool, DirError> {
        let (parent, leaf) = self.parent_of(name)?;
        match fs::unlinkat(&parent, leaf, AtFlags::empty()) {
            Ok(()) => {}
            Err(Errno::NOENT) => return Ok(false),
            Err(errno) => return Err(self.failed("remove", name, errno)),
        }
        fs::fsync(&parent).map_err(|errno| self.failed("sync the directory of", name, errno))?;
        Ok(true)
    }

    /// Makes the directory and holds it, if nobody else can look into it.
    fn enter(path: &Path) -> Result<Self, DirError> {
        let io = |doing| move |error: io::Error| DirError::Io { doing, path: path.to_owned(), error };
        if !path.exists() {
            create(path).map_err(io("create state directory"))?;
        }
        let root = fs::open(path, OPEN_DIRECTORY, Mode::empty())
            .map_err(|errno| io("open state directory")(errno.into()))?;
        let stat = fs::fstat(&root).map_err(|errno| io("examine state directory")(errno.into()))?;
        let us = rustix::process::geteuid().as_raw();
        if stat.st_uid != us {
            return Err(DirError::NotOurs { path: path.to_owned(), owner: stat.st_uid, us });
        }
        let mode = stat.st_mode & 0o7777;
        if mode & 0o077 != 0 {
            return Err(DirError::Loose { path: path.to_owned(), mode });
        }
        let dir = Self { path: path.to_owned(), root, lock: None, temps: AtomicU64::new(0) };
        dir.refuse_foreign()?;
        Ok(dir)
    }

    fn refuse_foreign(&self) -> Result<(), DirError> {
        if self.read_file("format", FORMAT_BYTES_MAX)?.is_some() {
            return Ok(());
        }
        for name in self.names(".")? {
            let ours = SUBDIRECTORIES.contains(&name.as_str())
                || FILES.contains(&name.as_str())
                || name.starts_with("state.db")
                || is_temp(&name);
            if !ours {
                return Err(DirError::Foreign { path: self.path.clone(), name });
            }
        }
        Ok(())
    }

    fn take_lock(&self) -> Result<File, DirError> {
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let lock = fs::openat(&self.root, "lock", flags, Mode::from_raw_mode(0o600))
            .map_err(|errno| self.failed("open", "lock", errno))?;
        match fs::flock(&lock, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(Errno::WOULDBLOCK) => {
                let pid = self.read_file("lock", FORMAT_BYTES_MAX)?;
                let pid = pid.and_then(|text| str::from_utf8(&text).ok()?.trim().parse().ok());
                return Err(DirError::Locked { path: self.path.clone(), pid });
            }
            Err(errno) => return Err(self.failed("lock", "lock", errno)),
        }
        let mut lock = File::from(lock);
        let written = lock.set_len(0).and_then(|()| writeln!(lock, "{}", std::process::id()));
        written.map_err(|error| DirError::Io { doing: "write", path: self.join("lock"), error })?;
        Ok(lock)
    }

    /// Checks or writes `format`, then makes what is missing.
    fn settle(&self) -> Result<(), DirError> {
        match self.read_file("format", FORMAT_BYTES_MAX)? {
            None => self.write_file("format", format!("{FORMAT}\n").as_bytes(), 0o600)?,
            Some(text) => {
                let found = str::from_utf8(&text).ok().and_then(|text| text.trim().parse::<u32>().ok());
                match found {
                    Some(0) | None => return Err(DirError::Format { path: self.join("format") }),
                    Some(found) if found > FORMAT => {
                        return Err(DirError::Newer { path: self.path.clone(), found, known: FORMAT });
                    }
                    Some(_) => {}
                }
            }
        }
        for name in SUBDIRECTORIES {
            match fs::mkdirat(&self.root, name, Mode::from_raw_mode(0o700)) {
                Ok(()) | Err(Errno::EXIST) => {}
                Err(errno) => return Err(self.failed("create", name, errno)),
            }
        }
        fs::fsync(&self.root).map_err(|errno| self.failed("sync", "", errno))
    }

    /// Removes temps of writers that were killed; only under the lock, where no writer can be alive.
    fn sweep_temps(&self) -> Result<(), DirError> {
        let roots = self.names("trust")?.into_iter().map(|root| format!("trust/{root}"));
        for directory in [".", "receipts", "remotes"].map(String::from).into_iter().chain(roots) {
            // What somebody else put among the roots is left alone.
            let Ok(names) = self.names(&directory) else { continue };
            for name in names.into_iter().filter(|name| is_temp(name)) {
                self.remove_file(&if directory == "." { name } else { format!("{directory}/{name}") })?;
            }
        }
        Ok(())
    }

    fn empty(&self, directory: &str) -> Result<(), DirError> {
        for name in self.names(directory)? {
            let path = self.join(directory).join(&name);
            let gone = match std::fs::symlink_metadata(&path) {
                Ok(stat) if stat.is_dir() => std::fs::remove_dir_all(&path),
                Ok(_) => std::fs::remove_file(&path),
                Err(error) => Err(error),
            };
            gone.map_err(|error| DirError::Io { doing: "remove", path, error })?;
        }
        Ok(())
    }

    fn names(&self, directory: &str) -> Result<Vec<String>, DirError> {
        let failed = |errno| self.failed("list", directory, errno);
        let fd = fs::openat(&self.root, directory, OPEN_DIRECTORY, Mode::empty()).map_err(failed)?;
        let mut names = Vec::new();
        for entry in fs::Dir::new(fd).map_err(failed)? {
            let name = entry.map_err(failed)?.file_name().to_string_lossy().into_owned();
            if name != "." && name != ".." {
                names.push(name);
            }
        }
        Ok(names)
    }

    /// The directory a name lies in, held open, and the name there.
    fn parent_of<'a>(&self, name: &'a str) -> Result<(OwnedFd, &'a str), DirError> {
        assert!(RelPath::new(name.as_bytes()).is_ok_and(|path| path != RelPath::ROOT), "bad name {name:?}");
        let (parent, leaf) = name.rsplit_once('/').unwrap_or((".", name));
        let flags = OPEN_DIRECTORY | OFlags::NOFOLLOW;
        let fd = fs::openat(&self.root, parent, flags, Mode::empty())
            .map_err(|errno| self.failed("open the directory of", name, errno))?;
        Ok((fd, leaf))
    }

    fn failed(&self, doing: &'static str, name: &str, errno: Errno) -> DirError {
        DirError::Io { doing, path: self.join(name), error: errno.into() }
    }
}

fn is_temp(name: &str) -> bool {
    name.starts_with('.') && name.ends_with(".tmp")
}

/// Makes the directory 0700 from its first moment; parents as the umask says.
fn create(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        std::fs::create_dir_all(parent)?;
    }
    match std::fs::DirBuilder::new().mode(0o700).create(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        done => done,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{MetadataExt, PermissionsExt};

    fn home() -> (tempfile::TempDir, PathBuf) {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("deep/state");
        (home, path)
    }

    #[test]
    fn a_fresh_directory_is_private_and_has_its_layout() {
        let (_home, path) = home();
        let dir = StateDir::open(&path).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().mode() & 0o7777, 0o700);
        for name in SUBDIRECTORIES {
            assert_eq!(std::fs::metadata(path.join(name)).unwrap().mode() & 0o7777, 0o700, "{name}");
        }
        assert_eq!(dir.read_file("format", 32).unwrap().as_deref(), Some(&b"1\n"[..]));
        assert_eq!(dir.read_file("absent", 32).unwrap(), None);
    }

    #[test]
    fn a_directory_others_may_enter_is_refused_with_the_chmod_to_run() {
        let (_home, path) = home();
        drop(StateDir::open(&path).unwrap());
        for mode in [0o701, 0o710, 0o755] {
            std::fs::set_permissions(&path, PermissionsExt::from_mode(mode)).unwrap();
            let error = StateDir::open(&path).err().expect("refused");
            assert!(matches!(error, DirError::Loose { mode: found, .. } if found == mode));
            assert!(error.to_string().contains("chmod 700"), "{error}");
            assert!(StateDir::open_shared(&path).is_err());
        }
    }

    #[test]
    fn a_second_daemon_is_refused_and_told_who_the_first_is() {
        let (_home, path) = home();
        let first = StateDir::open(&path).unwrap();
        let error = StateDir::open(&path).err().expect("refused");
        assert!(matches!(error, DirError::Locked { pid: Some(pid), .. } if pid == std::process::id()));
        assert!(error.to_string().contains(&std::process::id().to_string()));
        StateDir::open_shared(&path).expect("a client needs no lock");
        drop(first);
        StateDir::open(&path).expect("free again");
    }

    #[test]
    fn a_newer_format_and_a_foreign_directory_are_refused() {
        let (home, path) = home();
        drop(StateDir::open(&path).unwrap());
        std::fs::write(path.join("format"), "2\n").unwrap();
        assert!(matches!(StateDir::open(&path), Err(DirError::Newer { found: 2, known: 1, .. })));
        for bad in ["", "one", "0", "-1"] {
            std::fs::write(path.join("format"), bad).unwrap();
            assert!(matches!(StateDir::open(&path), Err(DirError::Format { .. })), "{bad:?}");
        }
        let foreign = home.path().join("documents");
        create(&foreign).unwrap();
        std::fs::write(foreign.join("thesis.tex"), "x").unwrap();
        assert!(
            matches!(StateDir::open(&foreign), Err(DirError::Foreign { name, .. }) if name == "thesis.tex")
        );
        assert_eq!(std::fs::read_dir(&foreign).unwrap().count(), 1, "nothing was made in it");
    }

    #[test]
    fn an_interrupted_first_start_is_finished_by_the_next() {
        let (_home, path) = home();
        create(&path).unwrap();
        std::fs::write(path.join("lock"), "").unwrap();
        std::fs::write(path.join(".format.1-0.tmp"), "").unwrap();
        std::fs::create_dir_all(path.join("trust/00")).unwrap();
        std::fs::write(path.join("trust/00/.root.1-0.tmp"), "").unwrap();
        std::fs::write(path.join("trust/notes"), "").unwrap();
        std::fs::create_dir(path.join("runs")).unwrap();
        std::fs::create_dir(path.join("runs/sorted")).unwrap();
        std::fs::write(path.join("runs/sorted/1"), "x").unwrap();
        StateDir::open(&path).unwrap();
        assert!(!path.join(".format.1-0.tmp").exists() && !path.join("trust/00/.root.1-0.tmp").exists());
        assert!(path.join("trust/notes").exists());
        assert_eq!(std::fs::read_dir(path.join("runs")).unwrap().count(), 0);
    }

    #[test]
    fn files_are_replaced_whole_with_their_mode_and_leave_no_temp() {
        let (_home, path) = home();
        let dir = StateDir::open(&path).unwrap();
        dir.write_file("receipts/00.xr", b"old", 0o600).unwrap();
        dir.write_file("receipts/00.xr", b"newer", 0o600).unwrap();
        assert_eq!(dir.read_file("receipts/00.xr", 5).unwrap().as_deref(), Some(&b"newer"[..]));
        assert!(matches!(dir.read_file("receipts/00.xr", 4), Err(DirError::TooLarge { bytes_max: 4, .. })));
        assert_eq!(std::fs::metadata(path.join("receipts/00.xr")).unwrap().mode() & 0o7777, 0o600);
        assert_eq!(dir.names("receipts").unwrap(), ["00.xr"]);
        assert!(dir.write_file("nowhere/00", b"", 0o600).is_err());
        assert!(dir.remove_file("receipts/00.xr").unwrap());
        assert!(!dir.remove_file("receipts/00.xr").unwrap());
    }

    #[test]
    fn a_link_in_the_place_of_a_file_is_not_followed() {
        let (home, path) = home();
        let dir = StateDir::open(&path).unwrap();
        let outside = home.path().join("outside");
        std::fs::write(&outside, "canary").unwrap();
        std::os::unix::fs::symlink(&outside, path.join("device.key")).unwrap();
        assert!(dir.read_file("device.key", 100).is_err());
        dir.write_file("device.key", b"ours", 0o600).unwrap();
        assert_eq!(std::fs::read(&outside).unwrap(), b"canary");
    }
}
