//! Trailers: what follows the data inside a sealed payload, so that data begins on a page boundary.
//! Every trailer ends in flags, the last two bytes before the tag.

use super::{FrameType, Reader, WireError};
use base::ids::{ChunkIndex, FileIndex, Value};

/// Flags of a record.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Flags(u16);

impl Flags {
    /// No flag.
    pub const NONE: Self = Self(0);
    /// The message continues in the next frame of this type.
    pub const MORE: Self = Self(1);
    /// The next frame on this stream is a full-size Chunk.
    pub const FULL: Self = Self(2);
    /// A run of zeros; the record carries no data.
    pub const HOLE: Self = Self(4);
    /// Last record of its chunk; the trailer carries the chunk's value.
    pub const LAST: Self = Self(8);
    /// The data is one zstd frame; only in transfers whose offer asks for compression.
    pub const ZSTD: Self = Self(16);
    /// The data says where in the receiver's older file the content lies.
    pub const COPY: Self = Self(32);

    const KNOWN: u16 = 63;

    /// Reads flags from a peer.
    ///
    /// # Errors
    /// A bit without a meaning, or one not negotiated.
    pub fn parse(bits: u16) -> Result<Self, WireError> {
        if bits & !Self::KNOWN != 0 {
            return Err(WireError::Flags(bits));
        }
        Ok(Self(bits))
    }

    /// Refuses the flags that only a Chunk may have, and those of bulk data where it is none.
    fn of_whole_data(self, bulk: bool) -> Result<Self, WireError> {
        let misplaced = self.hole() || self.last() || self.copy() || self.zstd() && !bulk;
        if misplaced { Err(WireError::Flags(self.0)) } else { Ok(self) }
    }

    /// The bits.
    pub fn bits(self) -> u16 {
        self.0
    }

    /// Whether all of `other` are set.
    pub fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// These but for `other`.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// These and `other`.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether the message continues in the next frame of this type.
    pub fn more(self) -> bool {
        self.contains(Self::MORE)
    }
    /// Whether the next frame is a full-size Chunk.
    pub fn full(self) -> bool {
        self.contains(Self::FULL)
    }
    /// Whether the record is a run of zeros.
    pub fn hole(self) -> bool {
        self.contains(Self::HOLE)
    }
    /// Whether the record's data is compressed.
    pub fn zstd(self) -> bool {
        self.contains(Self::ZSTD)
    }
    /// Whether the record's data is rows of copies.
    pub fn copy(self) -> bool {
        self.contains(Self::COPY)
    }
    /// Whether the record is the last of its chunk.
    pub fn last(self) -> bool {
        self.contains(Self::LAST)
    }
}

/// Trailer of a Chunk record: 56 bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ChunkTrailer {
    /// The chunk's value when [`Flags::LAST`] is set, else zero.
    pub value: Value,
    /// Session-local number of the transfer.
    pub transfer: u32,
    /// Index of the file.
    pub file: FileIndex,
    /// Index of the chunk in the file.
    pub chunk: ChunkIndex,
    /// Where in the chunk the record's data begins, in bytes.
    pub offset: u32,
    /// Length of a run of zeros when [`Flags::HOLE`] is set, of all copies when [`Flags::COPY`] is, of the content
    /// when [`Flags::ZSTD`] is, else zero.
    pub run: u32,
    /// Flags.
    pub flags: Flags,
}

impl ChunkTrailer {
    /// Bytes on the wire.
    pub const BYTES: usize = 56;

    /// Reads a trailer that was inside an opened record.
    ///
    /// # Errors
    /// Not 56 bytes; flags, value, run or reserved bytes that contradict each other.
    pub fn parse(bytes: &[u8]) -> Result<Self, WireError> {
        let mut reader = Reader::new(bytes);
        let value = Value(reader.array()?);
        let transfer = reader.u32()?;
        let file = FileIndex(reader.u32()?);
        let chunk = ChunkIndex(reader.u32()?);
        let offset = reader.u32()?;
        let run = reader.u32()?;
        let reserved = reader.u16()?;
        let flags = Flags::parse(reader.u16()?)?;
        reader.finish()?;
        if reserved != 0 {
            return Err(WireError::Value { field: "reserved", value: reserved.into() });
        }
        let kinds = u32::from(flags.hole()) + u32::from(flags.copy()) + u32::from(flags.zstd());
        if kinds > 1 {
            return Err(WireError::Flags(flags.0));
        }
        if (kinds == 1) == (run == 0) {
            return Err(WireError::Value { field: "run", value: run.into() });
        }
        if !flags.last() && value != Value::default() {
            return Err(WireError::Value { field: "value", value: value.0[0].into() });
        }
        Ok(Self { value, transfer, file, chunk, offset, run, flags })
    }

    /// Its bytes.
    pub fn encode(&self) -> [u8; Self::BYTES] {
        let mut out = [0; Self::BYTES];
        out[..32].copy_from_slice(&self.value.0);
        out[32..36].copy_from_slice(&self.transfer.to_be_bytes());
        out[36..40].copy_from_slice(&self.file.0.to_be_bytes());
        out[40..44].copy_from_slice(&self.chunk.0.to_be_bytes());
        out[44..48].copy_from_slice(&self.offset.to_be_bytes());
        out[48..52].copy_from_slice(&self.run.to_be_bytes());
        out[54..].copy_from_slice(&self.flags.bits().to_be_bytes());
        out
    }
}

/// Trailer of a Pack record: 12 bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PackTrailer {
    /// Session-local number of the transfer.
    pub transfer: u32,
    /// Rows of the table.
    pub rows: u16,
    /// Where in the data the table begins: the bytes of all files.
    pub table_offset: u32,
    /// Flags.
    pub flags: Flags,
}

impl PackTrailer {
    /// Bytes on the wire.
    pub const BYTES: usize = 12;

    /// Reads a trailer that was inside an opened record.
    ///
    /// # Errors
    /// Not 12 bytes, flags without a meaning or of a Chunk.
    pub fn parse(bytes: &[u8]) -> Result<Self, WireError> {
        let mut reader = Reader::new(bytes);
        let transfer = reader.u32()?;
        let rows = reader.u16()?;
        let table_offset = reader.u32()?;
        let flags = Flags::parse(reader.u16()?)?.of_whole_data(true)?;
        reader.finish()?;
        Ok(Self { transfer, rows, table_offset, flags })
    }

    /// Its bytes.
    pub fn encode(&self) -> [u8; Self::BYTES] {
        let mut out = [0; Self::BYTES];
        out[..4].copy_from_slice(&self.transfer.to_be_bytes());
        out[4..6].copy_from_slice(&self.rows.to_be_bytes());
        out[6..10].copy_from_slice(&self.table_offset.to_be_bytes());
        out[10..].copy_from_slice(&self.flags.bits().to_be_bytes());
        out
    }
}

/// The trailer of all other types: flags alone.
pub fn plain_trailer(flags: Flags) -> [u8; 2] {
    flags.bits().to_be_bytes()
}

/// Bytes of the trailer of a type.
pub const fn trailer_bytes(kind: FrameType) -> usize {
    match kind {
        FrameType::Chunk => ChunkTrailer::BYTES,
        FrameType::Pack => PackTrailer::BYTES,
        _ => 2,
    }
}

/// A trailer, by the type of its frame.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Trailer {
    /// Of a Chunk.
    Chunk(ChunkTrailer),
    /// Of a Pack.
    Pack(PackTrailer),
    /// Of any other type.
    Plain(Flags),
}

impl Trailer {
    /// Reads the trailer of a frame of type `kind`.
    ///
    /// # Errors
    /// As the trailer's own `parse`; a plain trailer with a flag that only a Chunk has.
    pub fn parse(kind: FrameType, bytes: &[u8]) -> Result<Self, WireError> {
        match kind {
            FrameType::Chunk => ChunkTrailer::parse(bytes).map(Self::Chunk),
            FrameType::Pack => PackTrailer::parse(bytes).map(Self::Pack),
            _ => {
                let mut reader = Reader::new(bytes);
                let flags = Flags::parse(reader.u16()?)?.of_whole_data(false)?;
                reader.finish()?;
                Ok(Self::Plain(flags))
            }
        }
    }

    /// Its flags.
    pub fn flags(&self) -> Flags {
        match self {
            Self::Chunk(trailer) => trailer.flags,
            Self::Pack(trailer) => trailer.flags,
            Self::Plain(flags) => *flags,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chunk() -> ChunkTrailer {
        ChunkTrailer {
            value: Value([7; 32]),
            transfer: 1,
            file: FileIndex(2),
            chunk: ChunkIndex(3),
            offset: 4,
            run: 0,
            flags: Flags::LAST.with(Flags::FULL),
        }
    }

    #[test]
    fn trailers_round_trip() {
        let trailer = chunk();
        assert_eq!(Trailer::parse(FrameType::Chunk, &trailer.encode()), Ok(Trailer::Chunk(trailer)));
        let pack = PackTrailer { transfer: 9, rows: 3, table_offset: 300, flags: Flags::NONE };
        assert_eq!(Trailer::parse(FrameType::Pack, &pack.encode()), Ok(Trailer::Pack(pack)));
        assert_eq!(
            Trailer::parse(FrameType::Control, &plain_trailer(Flags::MORE)),
            Ok(Trailer::Plain(Flags::MORE))
        );
    }

    #[test]
    fn contradictions_are_refused() {
        let hole_without_run = ChunkTrailer { flags: Flags::HOLE.with(Flags::LAST), ..chunk() };
        assert!(ChunkTrailer::parse(&hole_without_run.encode()).is_err());
        let value_without_last = ChunkTrailer { flags: Flags::NONE, ..chunk() };
        assert!(ChunkTrailer::parse(&value_without_last.encode()).is_err());
        let mut reserved = chunk().encode();
        reserved[53] = 1;
        assert_eq!(ChunkTrailer::parse(&reserved), Err(WireError::Value { field: "reserved", value: 1 }));
        assert!(ChunkTrailer::parse(&chunk().encode()[1..]).is_err());
        assert_eq!(Flags::parse(64), Err(WireError::Flags(64)));
        assert!(Trailer::parse(FrameType::Ping, &plain_trailer(Flags::LAST)).is_err());
        let copies = ChunkTrailer { flags: Flags::COPY.with(Flags::LAST), run: 5, ..chunk() };
        assert_eq!(ChunkTrailer::parse(&copies.encode()), Ok(copies));
        assert!(ChunkTrailer::parse(&ChunkTrailer { run: 0, ..copies }.encode()).is_err());
        let both = ChunkTrailer { flags: copies.flags.with(Flags::HOLE), ..copies };
        assert_eq!(ChunkTrailer::parse(&both.encode()), Err(WireError::Flags(44)));
        assert!(Trailer::parse(FrameType::Want, &plain_trailer(Flags::COPY)).is_err());
        assert!(Trailer::parse(FrameType::Want, &plain_trailer(Flags::ZSTD)).is_err());
        let zstd = ChunkTrailer { flags: Flags::ZSTD, run: 5, value: Value::default(), ..copies };
        assert_eq!(ChunkTrailer::parse(&zstd.encode()), Ok(zstd));
        assert!(ChunkTrailer::parse(&ChunkTrailer { run: 0, ..zstd }.encode()).is_err());
        let both = ChunkTrailer { flags: Flags::ZSTD.with(Flags::COPY), ..zstd };
        assert_eq!(ChunkTrailer::parse(&both.encode()), Err(WireError::Flags(48)));
        let pack = PackTrailer { transfer: 9, rows: 3, table_offset: 300, flags: Flags::ZSTD };
        assert_eq!(PackTrailer::parse(&pack.encode()), Ok(pack));
    }
}
