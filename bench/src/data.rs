//! What is moved. The same seed gives the same bytes on every machine.

use crate::Outcome;
use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use xferd_e2e::{Seed, tree};

/// A file of random bytes.
pub fn file(path: &Path, bytes: u64, seed: u64) {
    tree::file(path, bytes, &mut Seed(seed));
}

/// Changes eight bytes in each page of a file: no piece of it that a tool could keep stays as it was, and it costs
/// much less than writing it anew.
///
/// # Errors
/// It cannot be written.
pub fn touch_every_page(path: &Path, seed: u64) -> Outcome<()> {
    let failed = |error: std::io::Error| format!("{}: {error}", path.display());
    let file = File::options().write(true).open(path).map_err(failed)?;
    let bytes = file.metadata().map_err(failed)?.len();
    let mut seed = Seed(seed);
    for at in (0..bytes.saturating_sub(8)).step_by(4096) {
        file.write_all_at(&seed.draw().to_le_bytes(), at).map_err(failed)?;
    }
    Ok(())
}

/// `folders` folders of `each` files of `bytes` bytes.
///
/// # Errors
/// They cannot be written.
pub fn small_files(top: &Path, folders: u64, each: u64, bytes: usize) -> Outcome<()> {
    let mut seed = Seed(4);
    for folder in 0..folders {
        let folder = top.join(format!("{folder:03}"));
        fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        for file in 0..each {
            let path = folder.join(format!("{file:03}"));
            fs::write(&path, seed.bytes(bytes)).map_err(|error| format!("{}: {error}", path.display()))?;
        }
    }
    Ok(())
}

/// A tree as source code is kept: nested folders, most files of a few KiB, some of hundreds. Returns its bytes.
///
/// # Errors
/// It cannot be written.
pub fn source_tree(top: &Path, files: u64) -> Outcome<u64> {
    let failed = |error: std::io::Error| format!("{}: {error}", top.display());
    let mut seed = Seed(5);
    let mut folders: Vec<PathBuf> = vec![top.to_owned()];
    fs::create_dir_all(top).map_err(failed)?;
    for index in 0..files / 14 {
        let folder = seed.pick(&folders).join(format!("module_{index:04}"));
        fs::create_dir(&folder).map_err(failed)?;
        folders.push(folder);
    }
    let mut bytes = 0;
    for index in 0..files {
        // Sizes double with every coin that falls on its head: a median of 4 KiB, a mean of about 10, a long tail.
        let doublings = (seed.draw() | 1 << 8).trailing_zeros();
        let size = (1 << 10) + seed.below(5 << 10) * (1 << doublings) / 2;
        let path = seed.pick(&folders).join(format!("file_{index:05}.rs"));
        fs::write(&path, seed.bytes(size as usize)).map_err(failed)?;
        bytes += size;
    }
    Ok(bytes)
}

/// The same tree with every `one_in`-th file changed, a byte longer; what is unchanged is linked, not copied. Folders
/// get the times they had.
///
/// # Errors
/// It cannot be written.
pub fn changed_tree(from: &Path, to: &Path, one_in: usize) -> Outcome<()> {
    let failed = |error: std::io::Error| format!("{}: {error}", to.display());
    fs::create_dir_all(to).map_err(failed)?;
    let mut names = xferd_e2e::compare::names(from);
    names.sort();
    let mut seed = Seed(6);
    let mut files = 0;
    for name in &names {
        let (old, new) = (from.join(name), to.join(name));
        if old.is_dir() {
            fs::create_dir_all(&new).map_err(failed)?;
            continue;
        }
        files += 1;
        if files % one_in == 0 {
            let mut content = fs::read(&old).map_err(failed)?;
            let at = seed.below(content.len().max(1) as u64) as usize;
            content.insert(at.min(content.len()), b'x');
            fs::write(&new, content).map_err(failed)?;
        } else {
            fs::hard_link(&old, &new).map_err(failed)?;
        }
    }
    for name in names.iter().map(PathBuf::as_path).chain([Path::new("")]) {
        let (old, new) = (from.join(name), to.join(name));
        if old.is_dir() {
            let stat = fs::metadata(&old).map_err(failed)?;
            use std::os::unix::fs::MetadataExt;
            tree::set_mtime(&new, stat.mtime(), stat.mtime_nsec());
        }
    }
    Ok(())
}

/// A copy of a file with random bytes inserted at an offset.
///
/// # Errors
/// It cannot be written.
pub fn with_insertion(from: &Path, to: &Path, at: u64, bytes: u64, seed: u64) -> Outcome<()> {
    let failed = |error: std::io::Error| format!("{}: {error}", to.display());
    let mut source = File::open(from).map_err(failed)?;
    let mut copy = File::create(to).map_err(failed)?;
    std::io::copy(&mut (&source).take(at), &mut copy).map_err(failed)?;
    copy.write_all(&Seed(seed).bytes(bytes as usize)).map_err(failed)?;
    std::io::copy(&mut source, &mut copy).map(drop).map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use xferd_e2e::compare::{names, snapshot};

    #[test]
    fn a_changed_tree_differs_where_it_should() {
        let folder = tempfile::tempdir().expect("a folder");
        let (one, other) = (folder.path().join("a"), folder.path().join("b"));
        let bytes = source_tree(&one, 200).expect("made");
        assert!((200 * 3000..200 * 40_000).contains(&bytes), "{bytes}");
        changed_tree(&one, &other, 20).expect("made");
        assert_eq!(names(&one).len(), names(&other).len());
        let (was, is) = (snapshot(&one), snapshot(&other));
        let changed = was.iter().filter(|(path, node)| node.root != is[*path].root).count();
        assert_eq!(changed, 10);
    }

    #[test]
    fn an_insertion_moves_what_is_behind_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let (from, to) = (folder.path().join("a"), folder.path().join("b"));
        file(&from, 10_000, 1);
        with_insertion(&from, &to, 1_000, 50, 2).expect("written");
        let (was, is) = (fs::read(&from).expect("read"), fs::read(&to).expect("read"));
        assert_eq!((&is[..1_000], &is[1_050..]), (&was[..1_000], &was[1_000..]));
    }

    #[test]
    fn no_page_stays_as_it_was() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("file");
        file(&path, 20_000, 1);
        let was = fs::read(&path).expect("read");
        touch_every_page(&path, 2).expect("written");
        let is = fs::read(&path).expect("read");
        assert_eq!(was.len(), is.len());
        assert!(was.chunks(4096).zip(is.chunks(4096)).all(|(was, is)| was != is));
    }
}
