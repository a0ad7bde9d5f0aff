//! What a loss of power leaves.

use super::{Body, Ino, SimDisk};
use crate::random::Random;
use base::entry::Kind;
use std::collections::BTreeMap;

impl SimDisk {
    /// The machine loses power: what was synced survives; of the rest a random subset of sectors and
    /// attributes, and a random prefix of each directory's changes. Every opening and lock is gone.
    pub fn lose_power(&mut self, random: &mut Random) {
        for node in self.nodes.values_mut() {
            match &mut node.body {
                Body::File(content) => content.lose_power(random),
                Body::Directory(names) => names.lose_power(random),
                Body::Symlink(_) | Body::Special => {}
            }
            if random.coin() {
                node.durable = node.seen;
            }
            node.seen = node.durable;
            node.opens = 0;
            node.lock = None;
        }
        self.check();
    }

    /// What a file system check does before the next mount: a directory keeps its first name alone,
    /// links are counted, and what has no name is gone.
    fn check(&mut self) {
        let mut links = BTreeMap::from([(Self::ROOT, 1u32)]);
        let mut queue = vec![Self::ROOT];
        while let Some(dir) = queue.pop() {
            let Body::Directory(names) = &self.node(dir).body else { continue };
            for (name, ino) in names.seen.clone() {
                let is_dir = self.node(ino).kind() == Some(Kind::Directory);
                if is_dir && links.contains_key(&ino) {
                    self.forget(dir, &name);
                    continue;
                }
                *links.entry(ino).or_default() += 1;
                if is_dir {
                    *links.entry(dir).or_default() += 1;
                    self.adopt(dir, ino);
                    queue.push(ino);
                }
            }
        }
        self.nodes.retain(|ino, _| links.contains_key(ino));
        for (ino, count) in links {
            self.node_mut(ino).links = count;
        }
        self.used = self.nodes.values().map(super::Node::allocated).sum();
    }

    fn forget(&mut self, dir: Ino, name: &[u8]) {
        if let Body::Directory(names) = &mut self.node_mut(dir).body {
            names.seen.remove(name);
            names.durable.remove(name);
        }
    }

    fn adopt(&mut self, dir: Ino, child: Ino) {
        if let Body::Directory(names) = &mut self.node_mut(child).body {
            names.parent = dir;
        }
    }

    /// The process dies and the machine stays: everything seen stays, openings and locks are gone.
    pub fn close_all(&mut self) {
        let inodes: Vec<Ino> = self.nodes.keys().copied().collect();
        for ino in inodes {
            self.change(ino, |node| {
                node.opens = 0;
                node.lock = None;
            });
        }
    }
}
