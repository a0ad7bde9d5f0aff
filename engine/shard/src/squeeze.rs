//! Compression of records: one zstd frame in place of a record's data, where that pays.
//!
//! ```text
//! sender    | content ................ |  ->  | frame ..... |         in the record's own slot, by way of `beside`
//! receiver  | frame ..... |  ->  | content ................ |         as long as the trailer says, or the link closes
//! ```
//!
//! The contexts and the buffer beside them belong to the core: they are made for its first compressed record and
//! nothing is allocated for one after that. What is written is bounded by what the trailer states, and that by a
//! record: a frame that holds more is refused where it would go beyond, and none is ever given memory of its own.

use base::codes::Code;
use base::limits::Limits;
use zstd_safe::{CCtx, CParameter, DCtx, find_frame_compressed_size};

/// Level of zstd. By records, 3 leaves a fifteenth less of source code or of programs than 1 does and takes a quarter to
/// two thirds longer for it. Its tables for a record take less than [`base::limits::COMPRESS_BYTES_PER_CORE`].
const LEVEL: i32 = 1;

/// A frame must be smaller than the content by one over this.
const GAIN: usize = 16;

/// After so many records in a row that did not pay most are sent untried.
const VAIN: u32 = 4;

/// Of those one in this many is tried.
const TRY_ONE_IN: u32 = 16;

/// What is wrong with a compressed record of a peer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Squeezed {
    /// Its transfer does not compress.
    NotOffered,
    /// It says that it stands for more than a record.
    TooLong,
    /// It is not one frame that holds just what its trailer says.
    Broken,
}

impl Squeezed {
    pub(crate) fn code(self) -> Code {
        match self {
            Self::NotOffered | Self::Broken => Code::InvalidRequest,
            Self::TooLong => Code::TooLarge,
        }
    }

    pub(crate) fn detail(self) -> &'static str {
        match self {
            Self::NotOffered => "a compressed record in a transfer without compression",
            Self::TooLong => "a compressed record that stands for more than a record holds",
            Self::Broken => "a compressed record that does not hold what it says",
        }
    }
}

/// What a core compresses with.
#[derive(Default)]
pub(crate) struct Squeezer {
    compressor: Option<CCtx<'static>>,
    expander: Option<DCtx<'static>>,
    beside: Vec<u8>,
}

impl Squeezer {
    /// Puts a frame in the place of `content` and returns its length; `None`: it does not pay, and `content` is as it
    /// was.
    fn squeeze(&mut self, content: &mut [u8]) -> Option<u32> {
        let most = content.len() - content.len().div_ceil(GAIN);
        if self.beside.len() < most {
            self.beside.resize(most, 0);
        }
        if self.compressor.is_none() {
            let mut compressor = CCtx::try_create()?;
            compressor.set_parameter(CParameter::CompressionLevel(LEVEL)).ok()?;
            self.compressor = Some(compressor);
        }
        let len = self.compressor.as_mut()?.compress2(&mut self.beside[..most], content).ok()?;
        content[..len].copy_from_slice(&self.beside[..len]);
        Some(len as u32)
    }

    /// Puts what the frame in the first `len` bytes of `area` holds in its place: `plain` bytes.
    ///
    /// # Errors
    /// See [`Squeezed`]; then `area` holds neither.
    pub(crate) fn expand(
        &mut self,
        area: &mut [u8],
        len: u32,
        plain: u32,
        limits: &Limits,
    ) -> Result<(), Squeezed> {
        if plain > limits.record_bytes {
            return Err(Squeezed::TooLong);
        }
        let (len, plain) = (len as usize, plain as usize);
        self.beside.clear();
        self.beside.extend_from_slice(&area[..len]);
        if find_frame_compressed_size(&self.beside) != Ok(len) {
            return Err(Squeezed::Broken);
        }
        let expander = self.expander.get_or_insert_with(DCtx::create);
        match expander.decompress(&mut area[..plain], &self.beside) {
            Ok(written) if written == plain => Ok(()),
            _ => Err(Squeezed::Broken),
        }
    }
}

/// Whether compressing pays for what a stream sends, seen by what it sent.
#[derive(Default)]
pub(crate) struct Worth {
    /// Records in a row for which it did not.
    vain: u32,
    /// Records that were not tried since the last that was.
    untried: u32,
}

impl Worth {
    /// As [`Squeezer::squeeze`], where it is tried.
    pub(crate) fn squeeze(&mut self, squeezer: &mut Squeezer, content: &mut [u8]) -> Option<u32> {
        if self.vain >= VAIN && self.untried + 1 < TRY_ONE_IN {
            self.untried += 1;
            return None;
        }
        self.untried = 0;
        let len = squeezer.squeeze(content);
        self.vain = if len.is_some() { 0 } else { self.vain.saturating_add(1) };
        len
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: &Limits = &Limits::DEFAULT;
    const RECORD: usize = LIMITS.record_bytes as usize;

    fn text(len: usize) -> Vec<u8> {
        (0..len)
            .map(|at| b"it was a dark and stormy night; the rain fell in torrents "[at * at % 57])
            .collect()
    }

    fn noise(len: usize) -> Vec<u8> {
        let mut out = vec![0; len];
        blake3::Hasher::new().update(b"noise").finalize_xof().fill(&mut out);
        out
    }

    #[test]
    fn what_is_squeezed_expands_to_itself() {
        let mut squeezer = Squeezer::default();
        for len in [200, 1000, 4096, RECORD - 1, RECORD] {
            for content in [text(len), vec![0; len]] {
                let mut area = content.clone();
                let squeezed = squeezer.squeeze(&mut area).expect("it pays");
                assert!((squeezed as usize) < len, "{len}");
                assert_eq!(squeezer.expand(&mut area, squeezed, len as u32, LIMITS), Ok(()));
                assert!(area == content, "{len}");
            }
        }
        let held = squeezer.compressor.as_ref().map_or(0, CCtx::sizeof)
            + squeezer.expander.as_ref().map_or(0, DCtx::sizeof)
            + squeezer.beside.capacity();
        assert!(held <= base::limits::COMPRESS_BYTES_PER_CORE as usize, "{held} bytes");
    }

    #[test]
    fn what_does_not_pay_stays_as_it_is() {
        let mut squeezer = Squeezer::default();
        for len in [0, 1, 3, 15, 16, 100, RECORD] {
            let mut area = noise(len);
            assert_eq!(squeezer.squeeze(&mut area), None, "{len}");
            assert!(area == noise(len), "{len}");
        }
        // After a refusal the context is as good as before.
        assert!(squeezer.squeeze(&mut text(RECORD)).is_some());
    }

    #[test]
    fn frames_that_lie_are_refused_and_the_next_one_is_not() {
        let mut squeezer = Squeezer::default();
        let content = text(RECORD);
        let mut frame = content.clone();
        let len = squeezer.squeeze(&mut frame).expect("it pays");
        let plain = RECORD as u32;
        let mut refused = |area: &[u8], len: u32, plain: u32| {
            let mut area = area.to_vec();
            squeezer.expand(&mut area, len, plain, LIMITS).expect_err("a lie")
        };
        assert_eq!(refused(&frame, len, plain + 1), Squeezed::TooLong);
        assert_eq!(refused(&frame, len, u32::MAX), Squeezed::TooLong);
        assert_eq!(refused(&frame, len, plain - 1), Squeezed::Broken, "more than it says");
        assert_eq!(refused(&frame, len, 1), Squeezed::Broken, "a bomb");
        assert_eq!(refused(&frame, len - 1, plain), Squeezed::Broken, "cut off");
        assert_eq!(refused(&frame, len + 1, plain), Squeezed::Broken, "something behind it");
        assert_eq!(refused(&frame, 0, plain), Squeezed::Broken, "nothing");
        assert_eq!(refused(&content, plain, plain), Squeezed::Broken, "no frame");
        let mut short = text(1000);
        let less = squeezer.squeeze(&mut short).expect("it pays") as usize;
        let mut two = short[..less].to_vec();
        two.extend_from_slice(&short[..less]);
        two.resize(RECORD, 0);
        assert_eq!(squeezer.expand(&mut two, 2 * less as u32, 2000, LIMITS), Err(Squeezed::Broken), "two");
        assert_eq!(squeezer.expand(&mut two, less as u32, 1001, LIMITS), Err(Squeezed::Broken), "less");
        assert_eq!(squeezer.expand(&mut frame, len, plain, LIMITS), Ok(()));
        assert!(frame == content);
    }

    #[test]
    fn bytes_at_random_never_write_beyond_what_they_say() {
        let mut squeezer = Squeezer::default();
        let mut frame = text(4096);
        let len = squeezer.squeeze(&mut frame).expect("it pays") as usize;
        for at in 0..len.min(400) {
            for bit in 0..8 {
                let mut area = vec![0xa5; 8192];
                area[..len].copy_from_slice(&frame[..len]);
                area[at] ^= 1 << bit;
                let _ = squeezer.expand(&mut area, len as u32, 4096, LIMITS);
                assert!(area[4096..].iter().all(|byte| *byte == 0xa5));
            }
        }
    }

    #[test]
    fn what_never_pays_is_tried_seldom_and_found_again() {
        let (mut squeezer, mut worth) = (Squeezer::default(), Worth::default());
        for _ in 0..VAIN {
            assert_eq!(worth.squeeze(&mut squeezer, &mut noise(4096)), None);
        }
        let tried =
            |worth: &mut Worth, squeezer: &mut Squeezer| worth.squeeze(squeezer, &mut text(4096)).is_some();
        let first = (1..=2 * TRY_ONE_IN).find(|_| tried(&mut worth, &mut squeezer));
        assert_eq!(first, Some(TRY_ONE_IN));
        assert!(tried(&mut worth, &mut squeezer), "from then on all are");
    }
}
