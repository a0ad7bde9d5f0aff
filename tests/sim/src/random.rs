//! Numbers from a seed: xoshiro256** seeded by splitmix64 (Blackman and Vigna, public domain).
//!
//! Never used for secrets; equal seeds give equal runs on every machine.

/// A seeded stream of numbers.
#[derive(Clone, Debug)]
pub struct Random {
    state: [u64; 4],
}

/// One step of splitmix64: a good mixing of 64 bits.
pub fn mix(value: u64) -> u64 {
    let mut z = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

impl Random {
    /// The stream of a seed.
    pub fn new(seed: u64) -> Self {
        let mut state = [0; 4];
        let mut last = seed;
        for word in &mut state {
            last = mix(last);
            *word = last;
        }
        Self { state }
    }

    /// A stream of its own that depends on this one's position.
    pub fn fork(&mut self) -> Self {
        Self::new(self.next())
    }

    /// The next 64 bits.
    #[allow(clippy::should_implement_trait)] // an endless stream, not an iterator
    pub fn next(&mut self) -> u64 {
        let s = &mut self.state;
        let out = s[1].wrapping_mul(5).rotate_left(7).wrapping_mul(9);
        let t = s[1] << 17;
        s[2] ^= s[0];
        s[3] ^= s[1];
        s[1] ^= s[2];
        s[0] ^= s[3];
        s[2] ^= t;
        s[3] = s[3].rotate_left(45);
        out
    }

    /// 0 to `end` - 1; 0 when `end` is 0.
    pub fn below(&mut self, end: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(end)) >> 64) as u64
    }

    /// An index of a collection of `len` elements, which must not be empty.
    pub fn index(&mut self, len: usize) -> usize {
        self.below(len as u64) as usize
    }

    /// `from` to `to`, both included.
    pub fn between(&mut self, from: u64, to: u64) -> u64 {
        from + self.below(to - from + 1)
    }

    /// True once in `n` times on average; never for 0.
    pub fn one_in(&mut self, n: u32) -> bool {
        n > 0 && self.below(u64::from(n)) == 0
    }

    /// True every other time.
    pub fn coin(&mut self) -> bool {
        self.next() >> 63 == 1
    }

    /// Fills `out`.
    pub fn fill(&mut self, out: &mut [u8]) {
        for part in out.chunks_mut(8) {
            let word = self.next().to_le_bytes();
            part.copy_from_slice(&word[..part.len()]);
        }
    }

    /// Puts `items` into random order.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for at in (1..items.len()).rev() {
            let other = self.index(at + 1);
            items.swap(at, other);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_seeds_give_equal_streams_and_bounds_hold() {
        let (mut a, mut b, mut c) = (Random::new(7), Random::new(7), Random::new(8));
        let left: Vec<u64> = (0..100).map(|_| a.next()).collect();
        assert_eq!(left, (0..100).map(|_| b.next()).collect::<Vec<_>>());
        assert_ne!(left, (0..100).map(|_| c.next()).collect::<Vec<_>>());
        for _ in 0..1000 {
            assert!(a.below(3) < 3);
            assert!((5..=9).contains(&a.between(5, 9)));
        }
        assert_eq!(a.below(0), 0);
        assert!(!a.one_in(0));
        assert!(a.one_in(1));
    }
}
