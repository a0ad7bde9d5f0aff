//! What a person does to a disk from outside the programs under test: sources are made and edited,
//! sectors rot. Panics where a person would have noticed a mistake.

use super::{Body, Ino, SimDisk, View};
use base::entry::Meta;
use base::io::How;

impl SimDisk {
    fn parent_of<'a>(&mut self, path: &'a [u8]) -> (Ino, &'a [u8]) {
        match path.iter().rposition(|&b| b == b'/') {
            Some(at) => (self.build_dir(&path[..at]), &path[at + 1..]),
            None => (Self::ROOT, path),
        }
    }

    /// Makes a directory and its parents where they are missing.
    pub fn build_dir(&mut self, path: &[u8]) -> Ino {
        let mut at = Self::ROOT;
        for name in path.split(|&b| b == b'/').filter(|name| !name.is_empty()) {
            at = match self.lookup(at, name) {
                Ok(ino) => ino,
                Err(_) => self.make_dir(at, name, 0o755).expect("a person may make directories"),
            };
        }
        at
    }

    /// Makes or rewrites a file.
    pub fn build_file(&mut self, path: &[u8], bytes: &[u8]) -> Ino {
        let (dir, name) = self.parent_of(path);
        let (ino, _) = self.open(dir, name, How::CreateOrOpen { mode: 0o644 }).expect("a person may write");
        self.resize(ino, 0).expect("a file");
        self.build_bytes(ino, 0, bytes);
        self.release(ino, 0);
        ino
    }

    /// Overwrites part of a file.
    pub fn build_bytes(&mut self, ino: Ino, offset: u64, bytes: &[u8]) {
        let written = self.write(ino, offset, bytes).or(if bytes.is_empty() { Ok(0) } else { Err(()) });
        assert_eq!(written, Ok(bytes.len()), "the disk is large enough");
    }

    /// Makes a symlink.
    pub fn build_symlink(&mut self, path: &[u8], target: &[u8]) -> Ino {
        let (dir, name) = self.parent_of(path);
        self.symlink(dir, name, target).expect("a person may make symlinks")
    }

    /// Sets metadata.
    pub fn build_meta(&mut self, path: &[u8], meta: &Meta) {
        let ino = self.find(path, View::Visible).expect("it exists");
        self.set_meta(ino, meta).expect("a person may change it");
    }

    /// Removes a file, symlink or empty directory.
    pub fn build_remove(&mut self, path: &[u8]) {
        let (dir, name) = self.parent_of(path);
        let ino = self.lookup(dir, name).expect("it exists");
        let directory = matches!(self.node(ino).body, Body::Directory(_));
        self.remove(dir, name, directory).expect("a person may remove it");
    }

    /// Makes everything durable (sync).
    pub fn settle(&mut self) {
        let inodes: Vec<Ino> = self.nodes.keys().copied().collect();
        for ino in inodes {
            self.sync(ino, false);
        }
    }

    /// The medium changes bits of one byte.
    ///
    /// # Panics
    /// There is no such file.
    pub fn rot(&mut self, path: &[u8], offset: u64, flip: u8) {
        let ino = self.find(path, View::Visible).expect("it exists");
        self.change_content(ino, |content| content.rot(offset, flip)).expect("a file");
    }
}
