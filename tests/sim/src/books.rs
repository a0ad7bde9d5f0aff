//! What a daemon's store would count of what accounts store: kept over restarts, as the store on a disk is.

use crate::disk::{Image, SimDisk, View};
use crate::oracle::OWN_PREFIX;
use base::hooks::Storing;
use base::ids::TransferId;
use std::collections::BTreeMap;

/// The books of one share.
#[derive(Clone, Debug)]
pub struct Books {
    root: &'static [u8],
    files: BTreeMap<Vec<u8>, u64>,
    coming: BTreeMap<(TransferId, Vec<u8>), u64>,
    /// How often they were asked, and how often about files that were coming.
    pub asked: [u64; 2],
}

impl Books {
    /// Of a share with all that lies there counted.
    pub fn new(root: &'static [u8], disk: &SimDisk) -> Self {
        Self { root, files: sizes(root, disk).collect(), coming: BTreeMap::new(), asked: [0; 2] }
    }

    /// Bytes of all files.
    pub fn bytes(&self) -> u64 {
        self.files.values().sum()
    }

    /// Counts a change; nothing is refused.
    pub fn take(&mut self, change: &Storing) {
        self.asked[0] += 1;
        self.asked[1] += u64::from(!change.coming.is_empty());
        for (path, named) in &change.came {
            let bytes = self.coming.remove(&(change.transfer, path.to_vec()));
            let bytes = bytes.expect("what came was coming");
            if *named {
                self.files.insert(path.to_vec(), bytes);
            }
        }
        for path in &change.gone {
            self.files.remove(&path[..]);
        }
        for file in &change.coming {
            let before = self.coming.insert((change.transfer, file.path.to_vec()), file.bytes);
            assert_eq!(before, None, "a path of a transfer comes once");
        }
    }

    /// A start, once its journals are settled.
    pub fn settle(&mut self, disk: &SimDisk) {
        for ((_, path), bytes) in std::mem::take(&mut self.coming) {
            if self.size(disk, &path) == Some(bytes) {
                self.files.insert(path, bytes);
            }
        }
    }

    fn size(&self, disk: &SimDisk, path: &[u8]) -> Option<u64> {
        match disk.visible(&[self.root, path].join(&b'/')) {
            Some(Image::File { bytes, .. }) => Some(bytes.len() as u64),
            _ => None,
        }
    }

    /// Files that are there and neither counted nor coming.
    pub fn uncounted(&self, disk: &SimDisk) -> Vec<Vec<u8>> {
        let missing = |(path, size): &(Vec<u8>, u64)| {
            let coming = || self.coming.iter().any(|((_, other), bytes)| other == path && bytes == size);
            self.files.get(path) != Some(size) && !coming()
        };
        sizes(self.root, disk).filter(missing).map(|(path, _)| path).collect()
    }

    /// Files that are counted and not there so, and whether some are coming still.
    pub fn stale(&self, disk: &SimDisk) -> (Vec<Vec<u8>>, bool) {
        let stale = self.files.iter().filter(|(path, bytes)| self.size(disk, path) != Some(**bytes));
        (stale.map(|(path, _)| path.clone()).collect(), !self.coming.is_empty())
    }
}

/// Regular files beneath a directory but those of our own, with their sizes.
fn sizes(root: &[u8], disk: &SimDisk) -> impl Iterator<Item = (Vec<u8>, u64)> {
    let is_own =
        |path: &[u8]| path.rsplit(|&byte| byte == b'/').next().unwrap_or(path).starts_with(OWN_PREFIX);
    disk.tree(root, View::Visible).into_iter().filter_map(move |(path, image)| match image {
        Image::File { bytes, .. } if !is_own(&path) => Some((path, bytes.len() as u64)),
        _ => None,
    })
}
