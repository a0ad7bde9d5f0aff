//! The operations in flight: a bounded table, each row named by index and generation, so that a late word
//! about a row's former tenant is recognised.

use base::io::Token;

/// Names one tenancy of one row.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Key {
    pub(crate) index: u32,
    /// 31 bits, so that a packed key never equals the ring's own marks.
    pub(crate) generation: u32,
}

impl Key {
    /// As the kernel carries it.
    pub(crate) fn pack(self) -> u64 {
        u64::from(self.generation) << 32 | u64::from(self.index)
    }

    pub(crate) fn unpack(word: u64) -> Self {
        Self { index: word as u32, generation: (word >> 32) as u32 }
    }
}

struct Row<H> {
    generation: u32,
    held: Option<H>,
}

/// The table. `H` is what an operation holds until it completes.
pub(crate) struct Slots<H> {
    rows: Vec<Row<H>>,
    /// Beside the rows, so that looking a token up reads little memory.
    tokens: Vec<Token>,
    free: Vec<u32>,
    most: u32,
    live: u32,
}

impl<H> Slots<H> {
    /// A table of at most `most` rows; rows are made when first needed.
    pub(crate) fn new(most: u32) -> Self {
        Self { rows: Vec::new(), tokens: Vec::new(), free: Vec::new(), most, live: 0 }
    }

    /// Rows in use.
    pub(crate) fn live(&self) -> u32 {
        self.live
    }

    /// The key the next [`Slots::fill`] will use; `None` when the table is full.
    pub(crate) fn vacant(&mut self) -> Option<Key> {
        if let Some(&index) = self.free.last() {
            return Some(Key { index, generation: self.rows[index as usize].generation });
        }
        let index = self.rows.len() as u32;
        if index >= self.most {
            return None;
        }
        self.rows.push(Row { generation: 0, held: None });
        self.tokens.push(Token(0));
        self.free.push(index);
        Some(Key { index, generation: 0 })
    }

    /// Puts a tenant into the row of [`Slots::vacant`].
    pub(crate) fn fill(&mut self, key: Key, token: Token, held: H) {
        let index = self.free.pop();
        assert_eq!(index, Some(key.index), "fill follows vacant");
        let row = &mut self.rows[key.index as usize];
        debug_assert!(row.held.is_none() && row.generation == key.generation);
        row.held = Some(held);
        self.tokens[key.index as usize] = token;
        self.live += 1;
    }

    /// The tenant, if this tenancy still lasts.
    pub(crate) fn held(&mut self, key: Key) -> Option<&mut H> {
        let row = self.rows.get_mut(key.index as usize)?;
        if row.generation == key.generation { row.held.as_mut() } else { None }
    }

    /// Whether this tenancy still lasts.
    pub(crate) fn is_live(&self, key: Key) -> bool {
        self.rows
            .get(key.index as usize)
            .is_some_and(|row| row.generation == key.generation && row.held.is_some())
    }

    /// Ends a tenancy.
    pub(crate) fn remove(&mut self, key: Key) -> Option<(Token, H)> {
        let row = self.rows.get_mut(key.index as usize)?;
        if row.generation != key.generation {
            return None;
        }
        let held = row.held.take()?;
        row.generation = (row.generation + 1) & 0x7fff_ffff;
        self.free.push(key.index);
        self.live -= 1;
        Some((self.tokens[key.index as usize], held))
    }

    /// The tenancy of this token, if it lasts.
    pub(crate) fn find(&self, token: Token) -> Option<Key> {
        let mut from = 0;
        while let Some(at) = self.tokens[from..].iter().position(|&t| t == token) {
            let index = from + at;
            if self.rows[index].held.is_some() {
                return Some(Key { index: index as u32, generation: self.rows[index].generation });
            }
            from = index + 1;
        }
        None
    }

    /// Every tenancy.
    pub(crate) fn keys(&self) -> impl Iterator<Item = Key> + '_ {
        self.rows
            .iter()
            .enumerate()
            .filter(|(_, row)| row.held.is_some())
            .map(|(index, row)| Key { index: index as u32, generation: row.generation })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_reused_under_another_generation() {
        let mut slots = Slots::new(2);
        let first = slots.vacant().expect("room");
        slots.fill(first, Token(7), 'a');
        let second = slots.vacant().expect("room");
        slots.fill(second, Token(8), 'b');
        assert!(slots.vacant().is_none());
        assert_eq!(slots.find(Token(8)), Some(second));
        assert_eq!(slots.remove(first), Some((Token(7), 'a')));
        assert_eq!(slots.remove(first), None);
        assert_eq!(slots.find(Token(7)), None);
        let third = slots.vacant().expect("room");
        assert_eq!(third.index, first.index);
        assert_ne!(third, first);
        slots.fill(third, Token(9), 'c');
        assert!(!slots.is_live(first) && slots.is_live(third));
        assert_eq!(Key::unpack(third.pack()), third);
        assert_eq!(slots.live(), 2);
    }
}
