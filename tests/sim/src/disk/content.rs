//! What one file holds: sparse, by sector of 512 bytes, as it is seen and as it would survive.

use crate::random::Random;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// Bytes of the unit that reaches the medium whole or not at all.
pub const SECTOR_BYTES: u64 = 512;

#[derive(Clone, PartialEq, Eq, Debug)]
enum Sector {
    /// Allocated, reads as zeros, counts as a hole.
    Reserved,
    Data(Rc<[u8; SECTOR_BYTES as usize]>),
}

/// One state of a file's bytes.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Sectors {
    size: u64,
    map: BTreeMap<u64, Sector>,
}

fn sectors_of(size: u64) -> u64 {
    size.div_ceil(SECTOR_BYTES)
}

impl Sectors {
    /// Length in bytes.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Sectors the file system holds for it.
    pub fn allocated(&self) -> u64 {
        self.map.len() as u64
    }

    /// Copies bytes from `offset` on; how many there were.
    pub fn read(&self, offset: u64, out: &mut [u8]) -> usize {
        let len = out.len().min(self.size.saturating_sub(offset) as usize);
        let mut done = 0;
        while done < len {
            let at = offset + done as u64;
            let within = (at % SECTOR_BYTES) as usize;
            let part = (len - done).min(SECTOR_BYTES as usize - within);
            match self.map.get(&(at / SECTOR_BYTES)) {
                Some(Sector::Data(bytes)) => {
                    out[done..done + part].copy_from_slice(&bytes[within..within + part]);
                }
                Some(Sector::Reserved) | None => out[done..done + part].fill(0),
            }
            done += part;
        }
        len
    }

    /// All of it.
    pub fn bytes(&self) -> Vec<u8> {
        let mut out = vec![0; self.size as usize];
        self.read(0, &mut out);
        out
    }

    /// The next run of data at or after `offset`; the size twice when there is none.
    pub fn extent(&self, offset: u64) -> (u64, u64) {
        let data = |(_, sector): &(&u64, &Sector)| matches!(sector, Sector::Data(_));
        let Some((&first, _)) = self.map.range(offset / SECTOR_BYTES..).find(data) else {
            return (self.size, self.size);
        };
        let from = offset.max(first * SECTOR_BYTES);
        if from >= self.size {
            return (self.size, self.size);
        }
        let run = self.map.range(first..).zip(first..).take_while(|((index, sector), expected)| {
            *index == expected && matches!(sector, Sector::Data(_))
        });
        (from, self.size.min((first + run.count() as u64) * SECTOR_BYTES))
    }

    /// How many sectors from `offset` on `len` bytes would have to be allocated.
    pub fn missing(&self, offset: u64, len: u64) -> u64 {
        let range = offset / SECTOR_BYTES..sectors_of(offset + len);
        (range.end - range.start) - self.map.range(range).count() as u64
    }

    fn sector_mut(&mut self, index: u64) -> &mut [u8; SECTOR_BYTES as usize] {
        let sector = self.map.entry(index).or_insert(Sector::Reserved);
        if matches!(sector, Sector::Reserved) {
            *sector = Sector::Data(Rc::new([0; SECTOR_BYTES as usize]));
        }
        match sector {
            Sector::Data(bytes) => Rc::make_mut(bytes),
            Sector::Reserved => unreachable!("filled above"),
        }
    }

    fn write(&mut self, offset: u64, bytes: &[u8]) {
        let mut done = 0;
        while done < bytes.len() {
            let at = offset + done as u64;
            let within = (at % SECTOR_BYTES) as usize;
            let part = (bytes.len() - done).min(SECTOR_BYTES as usize - within);
            self.sector_mut(at / SECTOR_BYTES)[within..within + part]
                .copy_from_slice(&bytes[done..done + part]);
            done += part;
        }
        self.size = self.size.max(offset + bytes.len() as u64);
    }

    fn zero(&mut self, from: u64, to: u64) {
        let (first, last) = (from / SECTOR_BYTES, to / SECTOR_BYTES);
        for (index, start, end) in [
            (first, from % SECTOR_BYTES, if first == last { to % SECTOR_BYTES } else { SECTOR_BYTES }),
            (last, if first == last { from % SECTOR_BYTES } else { 0 }, to % SECTOR_BYTES),
        ] {
            if matches!(self.map.get(&index), Some(Sector::Data(_))) {
                self.sector_mut(index)[start as usize..end as usize].fill(0);
            }
        }
    }

    fn cut(&mut self, size: u64) {
        if size < self.size {
            self.map.split_off(&sectors_of(size));
            self.zero(size, sectors_of(size) * SECTOR_BYTES);
        }
        self.size = size;
    }
}

/// A file's bytes as seen, as they would survive a loss of power, and which sectors differ in between.
#[derive(Clone, Default, Debug)]
pub struct Content {
    seen: Sectors,
    durable: Sectors,
    dirty: BTreeSet<u64>,
}

impl Content {
    /// What a read sees.
    pub fn seen(&self) -> &Sectors {
        &self.seen
    }

    /// What would survive for certain.
    pub fn durable(&self) -> &Sectors {
        &self.durable
    }

    /// Writes, in the cache.
    pub fn write(&mut self, offset: u64, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        self.seen.write(offset, bytes);
        self.dirty.extend(offset / SECTOR_BYTES..sectors_of(offset + bytes.len() as u64));
    }

    /// Allocates without changing the size.
    pub fn reserve(&mut self, offset: u64, len: u64) {
        for index in offset / SECTOR_BYTES..sectors_of(offset + len) {
            self.seen.map.entry(index).or_insert(Sector::Reserved);
            self.dirty.insert(index);
        }
    }

    /// Cuts or extends.
    pub fn resize(&mut self, size: u64) {
        let last = *self.seen.map.keys().next_back().unwrap_or(&0);
        if size < self.seen.size {
            self.dirty.extend(size / SECTOR_BYTES..=last);
        }
        self.seen.cut(size);
    }

    /// Frees whole sectors of a range and zeroes the rest of it.
    pub fn punch(&mut self, offset: u64, len: u64) {
        let to = (offset + len).min(sectors_of(self.seen.size) * SECTOR_BYTES);
        if offset >= to {
            return;
        }
        self.dirty.extend(offset / SECTOR_BYTES..sectors_of(to));
        self.seen.zero(offset, to);
        for index in sectors_of(offset)..to / SECTOR_BYTES {
            self.seen.map.remove(&index);
        }
    }

    fn settle(&mut self, index: u64) {
        match self.seen.map.get(&index) {
            Some(sector) => self.durable.map.insert(index, sector.clone()),
            None => self.durable.map.remove(&index),
        };
    }

    /// fsync or fdatasync that succeeds.
    pub fn sync(&mut self) {
        for index in std::mem::take(&mut self.dirty) {
            self.settle(index);
        }
        self.durable.size = self.seen.size;
    }

    /// fsync that fails: a random part is written, and what was not written counts as clean from then on.
    pub fn sync_failing(&mut self, random: &mut Random) {
        for index in std::mem::take(&mut self.dirty) {
            if random.coin() {
                self.settle(index);
            }
        }
    }

    /// A loss of power: of what was not synced, a random part survives.
    pub fn lose_power(&mut self, random: &mut Random) {
        let survival = random.between(0, 4);
        for index in std::mem::take(&mut self.dirty) {
            if random.below(4) < survival {
                self.settle(index);
            }
        }
        if random.coin() {
            self.durable.size = self.seen.size;
        }
        let size = self.durable.size;
        self.durable.map.split_off(&sectors_of(size));
        self.seen = self.durable.clone();
    }

    /// The medium changes a byte on its own.
    pub fn rot(&mut self, offset: u64, flip: u8) {
        for state in [&mut self.seen, &mut self.durable] {
            if offset < state.size {
                state.sector_mut(offset / SECTOR_BYTES)[(offset % SECTOR_BYTES) as usize] ^= flip;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_equals_a_plain_vector_under_random_edits() {
        for seed in 0..50 {
            let mut random = Random::new(seed);
            let (mut content, mut plain) = (Content::default(), Vec::new());
            for _ in 0..60 {
                let (at, len) = (random.below(5000) as usize, random.below(1500) as usize);
                match random.below(5) {
                    0 => {
                        content.resize(at as u64);
                        plain.resize(at, 0);
                    }
                    1 => {
                        content.punch(at as u64, len as u64);
                        let end = plain.len().min(at + len);
                        if at < end {
                            plain[at..end].fill(0);
                        }
                    }
                    2 => content.reserve(at as u64, len as u64),
                    _ => {
                        let byte = random.next() as u8;
                        content.write(at as u64, &vec![byte; len]);
                        if len > 0 {
                            plain.resize(plain.len().max(at + len), 0);
                            plain[at..at + len].fill(byte);
                        }
                    }
                }
                assert_eq!(content.seen().bytes(), plain, "seed {seed}");
            }
            content.sync();
            assert_eq!(content.durable(), content.seen(), "seed {seed}");
        }
    }

    #[test]
    fn a_failed_sync_loses_what_it_did_not_write_even_if_asked_again() {
        let lost = (0..20).any(|seed| {
            let mut content = Content::default();
            content.write(0, &[7; 4096]);
            content.sync_failing(&mut Random::new(seed));
            content.sync();
            content.durable().bytes() != content.seen().bytes()
        });
        assert!(lost);
    }

    #[test]
    fn extents_follow_data_and_skip_reservations() {
        let mut content = Content::default();
        content.resize(8192);
        content.reserve(0, 512);
        content.write(1024, &[1; 1024]);
        content.write(4096, &[1]);
        let seen = content.seen();
        assert_eq!(seen.extent(0), (1024, 2048));
        assert_eq!(seen.extent(1500), (1500, 2048));
        assert_eq!(seen.extent(2048), (4096, 4608));
        assert_eq!(seen.extent(5000), (8192, 8192));
        assert_eq!(seen.allocated(), 4);
        assert_eq!(seen.missing(0, 2048), 1);
    }
}
