//! What accounts store: the sums that cores and policies read, and where they are compared with the disk.
//!
//! The store counts what is published and removed; what others do in a share's directory it cannot see. A start looks
//! for the files whose publication a crash may have cut short, `xferd stored --recount` for all.

use super::control::Daemon;
use crate::config::{Config, Share};
use crate::failure::{Failure, plain};
use base::codes::Code;
use base::hooks::Storing;
use rustix::fs::{Mode, OFlags, ResolveFlags};
use serde_json::{Value, json};
use state::{Store, StoreError, StoredFile, StoredSum};
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::{PoisonError, RwLock};

/// Files of one answer to a recount: some that the disk has to be asked about take a second.
const FILES_AT_ONCE: u32 = 16_384;
/// Sums of one answer.
const ROWS_MAX: usize = 4096;

/// The sums, as all cores read them. The store's thread writes them once they are durable.
#[derive(Default)]
pub struct StoredTable(RwLock<Table>);

#[derive(Default)]
struct Table {
    counted: BTreeSet<String>,
    sums: BTreeMap<String, BTreeMap<String, u64>>,
}

impl StoredTable {
    /// Of the shares of a configuration, and what the store knows.
    pub fn new(shares: &[Share], sums: &[StoredSum]) -> Self {
        let table = Self::default();
        table.serve(shares);
        table.learn(sums);
        table
    }

    /// Other shares are served from now on.
    pub fn serve(&self, shares: &[Share]) {
        let counted = shares.iter().filter(|share| share.count_stored).map(|share| share.name.clone());
        self.0.write().unwrap_or_else(PoisonError::into_inner).counted = counted.collect();
    }

    /// Bytes of an account on a share; `None`: it is not counted.
    pub fn bytes(&self, root: &str, account: &str) -> Option<u64> {
        let table = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let counted = table.counted.contains(root);
        counted.then(|| table.sums.get(root).and_then(|sums| sums.get(account)).copied().unwrap_or(0))
    }

    /// Sums that changed.
    pub fn learn(&self, sums: &[StoredSum]) {
        let mut table = self.0.write().unwrap_or_else(PoisonError::into_inner);
        for sum in sums {
            let of_root = table.sums.entry(sum.root.clone()).or_default();
            match sum.files {
                0 => drop(of_root.remove(&sum.account)),
                _ => drop(of_root.insert(sum.account.clone(), sum.bytes)),
            }
        }
    }
}

/// Where shares lie, by their names.
pub(super) fn places(config: &Config) -> Vec<(String, PathBuf)> {
    config.shares.iter().map(|share| (share.name.clone(), share.path.clone())).collect()
}

/// Looks which files of earlier processes got their names; once the journals are settled, before anything is published.
/// Those of a share that is not served wait until it is.
///
/// # Errors
/// The store refuses.
pub(super) fn settle(
    store: &mut Store,
    places: &[(String, PathBuf)],
    table: &StoredTable,
) -> Result<usize, StoreError> {
    let mut changes: BTreeMap<_, Storing> = BTreeMap::new();
    let mut settled = 0;
    for (name, path) in places {
        let Ok(root) = open(path) else { continue };
        for left in store.unsettled()?.into_iter().filter(|left| left.root == *name) {
            let named = size_of(root.as_fd(), &left.path) == Some(left.bytes);
            let change = changes
                .entry((left.transfer, name.clone()))
                .or_insert_with(|| Storing::new("".into(), name.as_str().into(), left.transfer));
            change.came.push((left.path.into(), named));
            settled += 1;
        }
    }
    for change in changes.values() {
        table.learn(&store.count_stored(change)?.sums);
    }
    Ok(settled)
}

fn open(path: &Path) -> rustix::io::Result<OwnedFd> {
    rustix::fs::open(path, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())
}

/// Bytes of a regular file beneath a directory; `None`: there is none.
fn size_of(root: BorrowedFd<'_>, path: &[u8]) -> Option<u64> {
    let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let beneath = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
    let file = rustix::fs::openat2(root, OsStr::from_bytes(path), flags, Mode::empty(), beneath).ok()?;
    let stat = rustix::fs::fstat(&file).ok()?;
    let regular = rustix::fs::FileType::from_raw_mode(stat.st_mode) == rustix::fs::FileType::RegularFile;
    regular.then_some(stat.st_size as u64)
}

/// A share by its name as people write it, `/` for the only one.
fn place(config: &Config, share: &str) -> Result<(String, PathBuf), Failure> {
    let wanted = share.trim_matches('/');
    let places = places(config);
    let known: Vec<String> = places.iter().map(|(name, _)| format!("/{name}")).collect();
    places.into_iter().find(|(name, _)| name == wanted).ok_or_else(|| {
        let message = format!("no share is called /{}", crate::escape::shown(wanted));
        Failure::new(Code::NotFound, message, format!("there are: {}", known.join(" ")))
    })
}

/// What accounts store.
///
/// # Errors
/// No such share, or the store refuses.
pub(super) fn shown(
    store: &mut Store,
    config: &Config,
    share: Option<&str>,
    account: Option<&str>,
) -> Result<Value, Failure> {
    let wanted = share.map(|share| place(config, share)).transpose()?.map(|(name, _)| name);
    let about = |sum: &StoredSum| {
        wanted.as_ref().is_none_or(|name| *name == sum.root) && account.is_none_or(|name| name == sum.account)
    };
    let mut sums = store.stored_sums().map_err(|error| refused(&error))?;
    sums.retain(about);
    let left_out = sums.len().saturating_sub(ROWS_MAX);
    let row = |sum: &StoredSum| json!({"share": format!("/{}", sum.root), "account": sum.account, "files": sum.files, "bytes": sum.bytes});
    let rows: Vec<Value> = sums.iter().take(ROWS_MAX).map(row).collect();
    let shares = config.shares.iter();
    let shares: Vec<Value> = shares
        .map(|share| json!({"share": format!("/{}", share.name), "counted": share.count_stored}))
        .collect();
    Ok(json!({"stored": rows, "left_out": left_out, "shares": shares}))
}

/// Compares some files with the disk, beside what the daemon serves.
pub(super) async fn recount(daemon: &Daemon, share: &str, after: Option<Vec<u8>>) -> Result<Value, Failure> {
    let (name, path) = place(&daemon.started.borrow().config, share)?;
    let share = name.clone();
    let listed = daemon.ask_store(move |store| listed(store, &share, after.as_deref())).await?;
    let looked = tokio::task::spawn_blocking(move || looked_at(&path, listed)).await;
    let lost = |_| Failure::new(Code::InternalError, "the files could not be looked at", "look at the log");
    let (found, next) = looked.map_err(lost)??;
    let table = daemon.shared.stored.clone();
    daemon.ask_store(move |store| correct(store, &name, &found, next, &table)).await
}

/// The same without a daemon.
///
/// # Errors
/// No such share, it cannot be opened, or the store refuses.
pub(super) fn recount_offline(
    store: &mut Store,
    config: &Config,
    share: &str,
    after: Option<&[u8]>,
) -> Result<Value, Failure> {
    let (name, path) = place(config, share)?;
    let (found, next) = looked_at(&path, listed(store, &name, after)?)?;
    correct(store, &name, &found, next, &StoredTable::default())
}

fn listed(store: &mut Store, share: &str, after: Option<&[u8]>) -> Result<Vec<StoredFile>, Failure> {
    store.stored_files(share, after, FILES_AT_ONCE).map_err(|error| refused(&error))
}

/// Files whose size is another, or that are not there (`None`), and behind which file the next ones are.
type Looked = (Vec<(StoredFile, Option<u64>)>, Option<Vec<u8>>);

fn looked_at(path: &Path, listed: Vec<StoredFile>) -> Result<Looked, Failure> {
    let root = open(path).map_err(|errno| {
        let message = format!("{} cannot be opened: {}", path.display(), plain(&errno.into()));
        Failure::new(Code::Io, message, "make it readable to this user; nothing was changed")
    })?;
    let full = listed.len() == FILES_AT_ONCE as usize;
    let next = listed.last().filter(|_| full).map(|last| last.path.clone());
    let sized = listed.into_iter().map(|file| (size_of(root.as_fd(), &file.path), file));
    let differing = sized.filter(|(size, file)| *size != Some(file.bytes)).map(|(size, file)| (file, size));
    Ok((differing.collect(), next))
}

fn correct(
    store: &mut Store,
    root: &str,
    found: &[(StoredFile, Option<u64>)],
    next: Option<Vec<u8>>,
    table: &StoredTable,
) -> Result<Value, Failure> {
    table.learn(&store.correct_stored(root, found).map_err(|error| refused(&error))?);
    Ok(json!({"corrected": found.len(), "next": next}))
}

fn refused(error: &StoreError) -> Failure {
    Failure::new(error.code(), error.to_string(), "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_is_that_of_a_regular_file_beneath_the_directory() {
        let home = tempfile::tempdir().expect("temporary directory");
        std::fs::create_dir(home.path().join("a")).expect("made");
        std::fs::write(home.path().join("a/b"), "four").expect("written");
        std::fs::write(home.path().join("outside"), "outside").expect("written");
        std::os::unix::fs::symlink("b", home.path().join("a/link")).expect("made");
        let root = open(&home.path().join("a")).expect("opened");
        let size = |path: &str| size_of(root.as_fd(), path.as_bytes());
        assert_eq!((size("b"), size("none"), size("link")), (Some(4), None, None));
        assert_eq!((size("../outside"), size("."), size("b/c")), (None, None, None));
    }

    #[test]
    fn sums_are_those_of_shares_that_are_counted() {
        let sum = |root: &str, bytes, files| StoredSum {
            root: root.to_owned(),
            account: "alice".to_owned(),
            bytes,
            files,
        };
        let table = StoredTable::default();
        table.learn(&[sum("a", 7, 1), sum("b", 8, 1)]);
        assert_eq!(table.bytes("a", "alice"), None);
        table.0.write().expect("whole").counted.insert("a".to_owned());
        assert_eq!((table.bytes("a", "alice"), table.bytes("a", "bob")), (Some(7), Some(0)));
        table.learn(&[sum("a", 0, 0)]);
        assert_eq!(table.bytes("a", "alice"), Some(0));
    }
}
