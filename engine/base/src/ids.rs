//! Identifiers. Each is a type of its own, so that a device id never stands where a transfer id belongs.

use core::fmt;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $len:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
        pub struct $name(pub [u8; $len]);

        impl $name {
            /// Length in bytes.
            pub const LEN: usize = $len;

            /// Reads exactly [`Self::LEN`] bytes; `None` for any other length.
            pub fn from_slice(bytes: &[u8]) -> Option<Self> {
                bytes.try_into().ok().map(Self)
            }

            /// Reads twice [`Self::LEN`] hexadecimal digits, either case; `None` otherwise.
            pub fn from_hex(text: &str) -> Option<Self> {
                let digits = text.as_bytes();
                if digits.len() != $len * 2 {
                    return None;
                }
                let mut out = [0u8; $len];
                for (byte, pair) in out.iter_mut().zip(digits.chunks_exact(2)) {
                    let high = (pair[0] as char).to_digit(16)?;
                    let low = (pair[1] as char).to_digit(16)?;
                    *byte = (high * 16 + low) as u8;
                }
                Some(Self(out))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                for byte in self.0 {
                    write!(f, "{byte:02x}")?;
                }
                Ok(())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self)
            }
        }
    };
}

id!(/// SHA-256 of a device's Ed25519 public key.
    DeviceId, 32);
id!(/// First 8 bytes of SHA-256 of a trust root's public key.
    RootId, 8);
id!(/// Public name of one session, from the exporter of its handshake.
    SessionId, 32);
id!(/// One transfer, chosen at random by the side that offers it.
    TransferId, 16);
id!(/// One staged part: see `disk::paths::part_id`.
    PartId, 16);
id!(/// Names a pre-shared key on the wire.
    PskId, 16);
id!(/// A group of accounts, chosen at random when it is made.
    GroupId, 32);
id!(/// A BLAKE3 value: a chunk's chaining value, or a file's root (what `b3sum` prints).
    Value, 32);

impl DeviceId {
    /// The first 8 bytes as hexadecimal: what people read.
    pub fn short(&self) -> ShortFp {
        let mut out = [0; 8];
        out.copy_from_slice(&self.0[..8]);
        ShortFp(out)
    }
}

id!(/// Short fingerprint: the first 8 bytes of a [`DeviceId`].
    ShortFp, 8);

/// One decision of the authorizer, as the audit log and refusals name it. They grow with time; 0 is none.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct DecisionId(pub u64);

impl DecisionId {
    /// Reads 1 to 16 hexadecimal digits; `None` otherwise.
    pub fn from_hex(text: &str) -> Option<Self> {
        let digits = (1..=16).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        digits.then(|| u64::from_str_radix(text, 16).ok()).flatten().map(Self)
    }
}

impl fmt::Display for DecisionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:x}", self.0)
    }
}

impl fmt::Debug for DecisionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DecisionId({self})")
    }
}

/// Index of a core within one process, from 0.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct CoreId(pub u16);

/// Index of a file within one transfer, from 0, in the order of its entries.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct FileIndex(pub u32);

/// Index of a chunk within one file, from 0.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct ChunkIndex(pub u32);

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use std::string::ToString;

    #[test]
    fn hexadecimal_round_trips_and_rejects_the_rest() {
        let id = TransferId([0xa5; 16]);
        assert_eq!(TransferId::from_hex(&id.to_string()), Some(id));
        assert_eq!(TransferId::from_hex(&id.to_string().to_uppercase()), Some(id));
        for bad in ["", "a5", "zz".repeat(16).as_str(), "+5".repeat(16).as_str()] {
            assert_eq!(TransferId::from_hex(bad), None, "{bad}");
        }
        assert_eq!(PartId::from_slice(&[0; 15]), None);
        let decision = DecisionId(0x19a_0000_0001);
        assert_eq!(DecisionId::from_hex(&decision.to_string()), Some(decision));
        for bad in ["", "+1", "g", "11112222333344445"] {
            assert_eq!(DecisionId::from_hex(bad), None, "{bad}");
        }
    }
}
