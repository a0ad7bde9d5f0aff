//! The COMMITTING records of a batch.

use super::{FileState, TreePublication};
use crate::journal::{Append, CommittingBody, Writer};
use crate::publish::{DirRef, FileRef};
use alloc::collections::BTreeMap;

impl TreePublication {
    /// What COMMITTING lists: directories without files of their own, then the files.
    pub(super) fn commit_items(&self) -> usize {
        self.directories.len() + self.files.len()
    }

    /// The next piece of the batch, as much as a record holds.
    pub(super) fn committing(&mut self, journal: &mut Writer) -> Append {
        let mut body = CommittingBody::new(self.batch, &self.anchor, self.record_bytes_max);
        let mut listed = BTreeMap::new();
        while self.commit_next < self.commit_items() && self.commit_item(&mut body, &mut listed) {
            self.commit_next += 1;
        }
        let last = self.commit_next == self.commit_items();
        assert!(last || !body.is_empty(), "the longest item fits a record");
        self.committed = true;
        journal.committing(&body, last)
    }

    /// Lists one item; `false`: it needs the next record.
    fn commit_item(&self, body: &mut CommittingBody, listed: &mut BTreeMap<DirRef, u16>) -> bool {
        if let Some(directory) = self.directories.get(self.commit_next) {
            let wanted = directory.parent || directory.meta.is_some();
            return !wanted || self.listed(DirRef(self.commit_next as u32), body, listed).is_some();
        }
        let index = self.commit_next - self.directories.len();
        let file = &self.files[index];
        if file.state != FileState::Staged {
            return true;
        }
        let Some(directory) = self.listed(file.dir, body, listed) else { return false };
        let name = self.file_name(FileRef(index as u32));
        body.file(directory, file.no_replace, &file.temp, name, file.inode, &file.root)
    }

    fn listed(
        &self,
        dir: DirRef,
        body: &mut CommittingBody,
        listed: &mut BTreeMap<DirRef, u16>,
    ) -> Option<u16> {
        if let Some(&known) = listed.get(&dir) {
            return Some(known);
        }
        let index = body.directory(&self.directories[dir.0 as usize].path)?;
        listed.insert(dir, index);
        Some(index)
    }
}
