//! What a disk holds, read by path: as a process would see it, or as it would be after a loss of power
//! in which nothing unsynced survived.

use super::{Attributes, Body, Ino, Node, SimDisk};
use std::collections::BTreeMap;

/// Which of the two states.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum View {
    /// As a process sees it.
    Visible,
    /// What survives for certain.
    Durable,
}

/// One name and all it holds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Image {
    /// A regular file.
    File {
        /// Its content.
        bytes: Vec<u8>,
        /// Its attributes.
        attributes: Attributes,
    },
    /// A directory.
    Directory {
        /// Its attributes.
        attributes: Attributes,
    },
    /// A symbolic link.
    Symlink {
        /// Its target.
        target: Vec<u8>,
        /// Its attributes.
        attributes: Attributes,
    },
    /// Anything else.
    Special,
}

impl Image {
    /// Content of a file.
    pub fn bytes(&self) -> Option<&[u8]> {
        match self {
            Self::File { bytes, .. } => Some(bytes),
            _ => None,
        }
    }
}

impl SimDisk {
    fn image_of(&self, node: &Node, view: View) -> Image {
        let attributes = if view == View::Visible { node.seen } else { node.durable };
        match &node.body {
            Body::File(content) => {
                let state = if view == View::Visible { content.seen() } else { content.durable() };
                Image::File { bytes: state.bytes(), attributes }
            }
            Body::Directory(_) => Image::Directory { attributes },
            Body::Symlink(target) => Image::Symlink { target: target.clone(), attributes },
            Body::Special => Image::Special,
        }
    }

    fn names_in(&self, dir: Ino, view: View) -> Option<&BTreeMap<Vec<u8>, Ino>> {
        match (&self.node(dir).body, view) {
            (Body::Directory(names), View::Visible) => Some(&names.seen),
            (Body::Directory(names), View::Durable) => Some(&names.durable),
            _ => None,
        }
    }

    /// The inode of an absolute path (no leading `/`), no permission asked; no symlink is followed.
    pub fn find(&self, path: &[u8], view: View) -> Option<Ino> {
        let mut names = path.split(|&b| b == b'/').filter(|name| !name.is_empty());
        names.try_fold(Self::ROOT, |dir, name| self.names_in(dir, view)?.get(name).copied())
    }

    /// One name.
    pub fn image(&self, path: &[u8], view: View) -> Option<Image> {
        Some(self.image_of(self.node(self.find(path, view)?), view))
    }

    /// One name as a process sees it.
    pub fn visible(&self, path: &[u8]) -> Option<Image> {
        self.image(path, View::Visible)
    }

    /// One name as it survives for certain.
    pub fn durable(&self, path: &[u8]) -> Option<Image> {
        self.image(path, View::Durable)
    }

    /// Everything below `path`, by path relative to it; empty when there is no such directory.
    pub fn tree(&self, path: &[u8], view: View) -> BTreeMap<Vec<u8>, Image> {
        let mut out = BTreeMap::new();
        let mut queue = Vec::from_iter(self.find(path, view).map(|dir| (Vec::new(), dir, 0)));
        while let Some((prefix, dir, depth)) = queue.pop() {
            let Some(names) = self.names_in(dir, view) else { continue };
            for (name, &ino) in names {
                let mut path: Vec<u8> = prefix.clone();
                if !path.is_empty() {
                    path.push(b'/');
                }
                path.extend_from_slice(name);
                out.insert(path.clone(), self.image_of(self.node(ino), view));
                // A durable view can hold a directory within itself for the moment of a move.
                if depth < base::name::PATH_DEPTH_MAX {
                    queue.push((path, ino, depth + 1));
                }
            }
        }
        out
    }
}
