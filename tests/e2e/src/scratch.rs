//! A directory for one test, gone with it. With `XFERD_KEEP` set, a failing test keeps and names it.

use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// A scratch directory.
pub struct Scratch {
    dir: Option<TempDir>,
}

impl Scratch {
    /// A fresh one, on the file system of the build, so that tests see a real disk.
    pub fn new() -> Self {
        let here = std::env::current_exe().expect("a test has a path");
        let target = here.ancestors().nth(3).expect("a test lies in target/<profile>/deps");
        Self::below(&target.join("tmp"))
    }

    /// A fresh one below `parent`, such as `/dev/shm`.
    pub fn below(parent: &Path) -> Self {
        std::fs::create_dir_all(parent).expect("the scratch folder can be made");
        let dir =
            tempfile::Builder::new().prefix("xferd-e2e-").tempdir_in(parent).expect("a scratch directory");
        Self { dir: Some(dir) }
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        self.dir.as_ref().expect("held until dropped").path()
    }

    /// A path in it; nothing is made.
    pub fn join(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }

    /// A directory in it.
    pub fn dir(&self, name: &str) -> PathBuf {
        let path = self.join(name);
        std::fs::create_dir_all(&path).expect("a scratch directory");
        path
    }
}

impl Default for Scratch {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let keep = std::thread::panicking() && std::env::var_os("XFERD_KEEP").is_some();
        if let Some(dir) = self.dir.take_if(|_| keep) {
            eprintln!("kept: {}", dir.keep().display());
        }
    }
}
