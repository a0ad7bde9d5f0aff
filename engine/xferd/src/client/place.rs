//! Local sources and destinations: an open directory and a path beneath it.

use crate::escape::Shown;
use crate::failure::Failure;
use base::codes::{Code, exit};
use base::io::Fd;
use shard::command::Source;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

/// Where a pull writes to.
pub(super) struct Into {
    pub(super) directory: Fd,
    pub(super) path: Vec<u8>,
    pub(super) anchor: Arc<str>,
    /// Sources keep their names below `path`.
    pub(super) keeps_names: bool,
}

/// Opens a local source. A link is sent as a link, unless a trailing `/` asks for the directory behind it.
///
/// # Errors
/// It is not there or cannot be looked at: exit 3.
pub(super) fn source(path: &Path) -> Result<Source, Failure> {
    let stat = std::fs::symlink_metadata(path).map_err(|error| refused(path, &error))?;
    let slash = path.as_os_str().as_bytes().ends_with(b"/");
    let whole = match last_name(path) {
        Some(name) if !slash || stat.is_file() => {
            return Ok(Source { base: open(parent(path))?, path: name.to_vec(), name: name.to_vec() });
        }
        Some(name) => name.to_vec(),
        None => Vec::new(),
    };
    Ok(Source { base: open(path)?, path: Vec::new(), name: whole })
}

/// Opens a local destination. `many`: the sources need a directory to go into.
///
/// # Errors
/// Its directory is not there, or it is no directory where one is needed.
pub(super) fn destination(path: &Path, copy: bool, many: bool, dry_run: bool) -> Result<Into, Failure> {
    let slash = path.as_os_str().as_bytes().ends_with(b"/");
    let stat = std::fs::metadata(path);
    let is_directory = stat.as_ref().is_ok_and(std::fs::Metadata::is_dir);
    if is_directory {
        return beneath(path, Vec::new(), copy);
    }
    if stat.is_ok() && (slash || many) {
        let message = format!("{} is no directory", Shown(path.as_os_str().as_bytes()));
        let next = "name a directory to copy several sources into";
        return Err(Failure { exit: exit::FILE_SELECTION, ..Failure::new(Code::Conflict, message, next) });
    }
    if many && !slash {
        let message = format!(
            "{} does not exist; several sources need a directory",
            Shown(path.as_os_str().as_bytes())
        );
        return Err(Failure {
            exit: exit::FILE_SELECTION,
            ..Failure::new(Code::NotFound, message, "write it with a trailing / to have it made")
        });
    }
    let Some(name) = last_name(path) else { return Err(refused(path, &std::io::ErrorKind::NotFound.into())) };
    if slash && copy && !dry_run {
        std::fs::create_dir(path).map_err(|error| refused(path, &error))?;
        return beneath(path, Vec::new(), copy);
    }
    beneath(parent(path), name.to_vec(), slash && copy)
}

fn beneath(directory: &Path, path: Vec<u8>, keeps_names: bool) -> Result<Into, Failure> {
    let fd = open(directory)?;
    let whole = std::fs::canonicalize(directory).unwrap_or_else(|_| directory.to_owned());
    Ok(Into { directory: fd, path, anchor: whole.to_string_lossy().into(), keeps_names })
}

/// The last component, unless it is `.`, `..` or the root.
fn last_name(path: &Path) -> Option<&[u8]> {
    match path.components().next_back() {
        Some(Component::Normal(name)) if !ends_in_dot(path) => Some(name.as_bytes()),
        _ => None,
    }
}

/// `Path` takes `a/.` for `a`.
fn ends_in_dot(path: &Path) -> bool {
    let bytes = path.as_os_str().as_bytes();
    bytes.ends_with(b"/.") || bytes.ends_with(b"/./")
}

fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new(OsStr::new(".")),
    }
}

fn open(directory: &Path) -> Result<Fd, Failure> {
    ring::open_root(directory).map_err(|error| refused(directory, &error))
}

fn refused(path: &Path, error: &std::io::Error) -> Failure {
    let failure = Failure::io(Shown(path.as_os_str().as_bytes()), error);
    Failure { exit: exit::FILE_SELECTION, ..failure }
}

/// Local paths as they are reported.
pub(super) fn bytes_of(paths: &[PathBuf]) -> Vec<Vec<u8>> {
    paths.iter().map(|path| path.as_os_str().as_bytes().to_vec()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_are_named_as_cp_names_them() {
        let home = tempfile::tempdir().expect("temporary directory");
        let at = |name: &str| home.path().join(name);
        std::fs::create_dir(at("dir")).expect("made");
        std::fs::write(at("file"), "x").expect("written");
        std::os::unix::fs::symlink("dir", at("link")).expect("linked");
        let named = |text: &str| {
            let found = source(&PathBuf::from(format!("{}/{text}", home.path().display()))).expect(text);
            (String::from_utf8(found.path).expect("text"), String::from_utf8(found.name).expect("text"))
        };
        let pair = |path: &str, name: &str| (path.to_owned(), name.to_owned());
        assert_eq!(named("file"), pair("file", "file"));
        assert_eq!(named("dir"), pair("dir", "dir"));
        assert_eq!(named("dir/"), pair("", "dir"));
        assert_eq!(named("dir/."), pair("", ""));
        assert_eq!(named("link"), pair("link", "link"));
        assert_eq!(named("link/"), pair("", "link"));
        assert_eq!(source(&at("gone")).expect_err("gone").exit, 3);
    }

    #[test]
    fn destinations_are_directories_or_names_in_one() {
        let home = tempfile::tempdir().expect("temporary directory");
        let at = |name: &str| PathBuf::from(format!("{}/{name}", home.path().display()));
        std::fs::create_dir(at("dir")).expect("made");
        std::fs::write(at("file"), "x").expect("written");
        let into = |name: &str, many: bool| destination(&at(name), true, many, false);
        let found = into("dir", true).expect("a directory");
        assert!(found.keeps_names && found.path.is_empty());
        let found = into("new", false).expect("a name");
        assert_eq!((found.keeps_names, found.path.as_slice()), (false, &b"new"[..]));
        assert!(
            into("file", true).is_err() && into("new", true).is_err() && into("no/where", false).is_err()
        );
        assert!(into("made/", true).expect("made").keeps_names && at("made").is_dir());
        let rehearsed = destination(&at("not/"), true, true, true).expect("a name");
        assert!(rehearsed.keeps_names && rehearsed.path == b"not" && !at("not").exists());
        let synced = destination(&at("dir"), false, false, false).expect("a directory");
        assert!(!synced.keeps_names && synced.path.is_empty());
    }
}
