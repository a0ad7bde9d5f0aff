//! Receipt: the receiver's signature under a whole transfer.
//!
//! One for each transfer, after its last batch. It commits to every seal, so to every entry that this
//! transfer sent, and says what became of them and how safe they are.

use super::merkle::Tree;
use super::offer::{Durability, Verify};
use super::seal::BadSignature;
use super::{Malformed, no_meaning};
use crate::wire::layouts::{Layout, field};
use crate::wire::{Reader, Writer};
use alloc::string::String;
use alloc::vec::Vec;
use base::hooks::STAGES;
use base::ids::{DeviceId, SessionId, TransferId, Value};
use base::limits::Limits;
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use sha2::{Digest, Sha256};

const LABEL: &[u8] = b"xferd/1 receipt";
const VERSION: u8 = 1;

/// Byte table.
pub const LAYOUT: Layout = Layout {
    name: "Receipt",
    place: "data of a Receipt frame, and part of a receipt file",
    fields: &[
        field("version", "u8", "1"),
        field("transfer_id", "[16]", "as in the offer"),
        field("session", "[32]", "session id"),
        field("sender", "[32]", "device id"),
        field("receiver", "[32]", "device id"),
        field("root", "u16 + bytes", "as in the offer, UTF-8"),
        field("merkle", "[32]", "root over the seals"),
        field("seals", "u32", "number of seals"),
        field("created", "u64", "names made that were not there"),
        field("replaced", "u64", "names that had other content"),
        field("metadata", "u64", "names of which only metadata was set"),
        field("directories", "u64", "directories among created and metadata"),
        field("bytes", "u64", "content of the files put in place"),
        field("reused", "u64", "of these bytes, taken from what was there before: deltas"),
        field("unchanged", "u64", "entries that were equal already"),
        field("failed", "u64", "entries that failed"),
        field("deleted", "u64", "names deleted"),
        field("durability", "u8", "0 none, 1 file, 2 tree"),
        field("inplace", "u8", "1: files were written in place, not atomically"),
        field("verify", "u8", "0 full, 1 transport"),
        field(
            "stages_ms",
            "u32 x 12",
            "time per stage at the receiver, sampled: read hash seal send receive open write sync credit peer bwlimit compress",
        ),
        field("began_ms", "u64", "UTC milliseconds"),
        field("ended_ms", "u64", "UTC milliseconds"),
        field("signature", "[64]", "Ed25519 over `xferd/1 receipt` and all fields before"),
    ],
};

/// What became of the entries of a transfer.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Counts {
    /// Names made that were not there before.
    pub created: u64,
    /// Names that had other content before.
    pub replaced: u64,
    /// Names of which only metadata was set.
    pub metadata: u64,
    /// Directories among created and metadata.
    pub directories: u64,
    /// Content of the files put in place.
    pub bytes: u64,
    /// Of these bytes, what deltas took from older files instead of the wire.
    pub reused: u64,
    /// Entries that were equal already.
    pub unchanged: u64,
    /// Entries that failed.
    pub failed: u64,
    /// Names deleted.
    pub deleted: u64,
}

/// Root over all seals of a transfer, in the order of their sequence.
#[derive(Clone, Debug, Default)]
pub struct SealTree(Tree);

impl SealTree {
    /// No seal.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the root of the next seal.
    pub fn push(&mut self, merkle: &Value) {
        self.0.push(super::merkle::seal_leaf(self.count(), merkle));
    }

    /// Number of seals.
    pub fn count(&self) -> u32 {
        self.0.count() as u32
    }

    /// The root.
    pub fn root(&self) -> Value {
        self.0.root()
    }
}

/// All of a receipt but its signature.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ReceiptBody {
    /// As in the offer.
    pub transfer: TransferId,
    /// In which session.
    pub session: SessionId,
    /// Who sent.
    pub sender: DeviceId,
    /// Who received and signs.
    pub receiver: DeviceId,
    /// As in the offer.
    pub root: String,
    /// Root over the seals: [`SealTree::root`].
    pub merkle: Value,
    /// Number of seals.
    pub seals: u32,
    /// What became of the entries.
    pub counts: Counts,
    /// How safe they are.
    pub durability: Durability,
    /// Whether files were written in place, not atomically.
    pub inplace: bool,
    /// What was compared.
    pub verify: Verify,
    /// Where the receiver's time went, in milliseconds: [`base::hooks::Stage`] in order, sampled and scaled.
    pub stages_ms: [u32; STAGES],
    /// UTC milliseconds of the offer.
    pub began_ms: u64,
    /// UTC milliseconds of the last publication.
    pub ended_ms: u64,
}

impl ReceiptBody {
    /// Signs it.
    pub fn sign(self, key: &SigningKey) -> Receipt {
        let signature = key.sign(&self.signed_bytes()).to_bytes();
        Receipt { body: self, signature }
    }

    fn signed_bytes(&self) -> Vec<u8> {
        let mut out = Writer::new();
        out.bytes(LABEL);
        self.write(&mut out);
        out.into_vec()
    }

    fn write(&self, out: &mut Writer) {
        out.u8(VERSION).bytes(&self.transfer.0).bytes(&self.session.0).bytes(&self.sender.0);
        out.bytes(&self.receiver.0).counted16(self.root.as_bytes()).bytes(&self.merkle.0).u32(self.seals);
        let counts = &self.counts;
        out.u64(counts.created).u64(counts.replaced).u64(counts.metadata);
        out.u64(counts.directories).u64(counts.bytes).u64(counts.reused);
        out.u64(counts.unchanged).u64(counts.failed).u64(counts.deleted);
        out.u8(self.durability as u8).u8(u8::from(self.inplace)).u8(self.verify as u8);
        for ms in self.stages_ms {
            out.u32(ms);
        }
        out.u64(self.began_ms).u64(self.ended_ms);
    }

    fn read(reader: &mut Reader<'_>, limits: &Limits) -> Result<Self, Malformed> {
        let version = reader.u8()?;
        if version != VERSION {
            return Err(no_meaning("version", u64::from(version)));
        }
        let transfer = TransferId(reader.array()?);
        let session = SessionId(reader.array()?);
        let (sender, receiver) = (DeviceId(reader.array()?), DeviceId(reader.array()?));
        let root = reader.counted16(limits.path_bytes_max as usize)?;
        let root = core::str::from_utf8(root).map_err(|_| Malformed::Text { field: "root" })?;
        let (merkle, seals) = (Value(reader.array()?), reader.u32()?);
        let counts = Counts {
            created: reader.u64()?,
            replaced: reader.u64()?,
            metadata: reader.u64()?,
            directories: reader.u64()?,
            bytes: reader.u64()?,
            reused: reader.u64()?,
            unchanged: reader.u64()?,
            failed: reader.u64()?,
            deleted: reader.u64()?,
        };
        let durability = reader.u8()?;
        let durability =
            Durability::from_byte(durability).ok_or(no_meaning("durability", u64::from(durability)))?;
        let inplace = match reader.u8()? {
            0 => false,
            1 => true,
            other => return Err(no_meaning("inplace", u64::from(other))),
        };
        let verify = reader.u8()?;
        let verify = Verify::from_byte(verify).ok_or(no_meaning("verify", u64::from(verify)))?;
        let mut stages_ms = [0; STAGES];
        for ms in &mut stages_ms {
            *ms = reader.u32()?;
        }
        let (began_ms, ended_ms) = (reader.u64()?, reader.u64()?);
        let root = String::from(root);
        Ok(Self {
            transfer,
            session,
            sender,
            receiver,
            root,
            merkle,
            seals,
            counts,
            durability,
            inplace,
            verify,
            stages_ms,
            began_ms,
            ended_ms,
        })
    }
}

/// A signed receipt.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Receipt {
    /// What it says.
    pub body: ReceiptBody,
    /// By the receiver's device.
    pub signature: [u8; 64],
}

impl Receipt {
    /// Checks the signature, and that `key` is the receiver's.
    ///
    /// # Errors
    /// It is not by `key` over this receipt, or the receiver is another device.
    pub fn verify(&self, key: &VerifyingKey) -> Result<(), BadSignature> {
        if Sha256::digest(key.as_bytes()).as_slice() != self.body.receiver.0 {
            return Err(BadSignature);
        }
        let signature = Signature::from_bytes(&self.signature);
        key.verify_strict(&self.body.signed_bytes(), &signature).map_err(|_| BadSignature)
    }

    /// The message's bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Writer::new();
        self.body.write(&mut out);
        out.bytes(&self.signature);
        out.into_vec()
    }

    /// Reads and checks a message, not its signature.
    ///
    /// # Errors
    /// The rule it breaks.
    pub fn parse(bytes: &[u8], limits: &Limits) -> Result<Self, Malformed> {
        let mut reader = Reader::new(bytes);
        let body = ReceiptBody::read(&mut reader, limits)?;
        let signature = reader.array()?;
        reader.finish()?;
        Ok(Self { body, signature })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn key() -> SigningKey {
        SigningKey::from_bytes(&[9; 32])
    }

    fn device(key: &SigningKey) -> DeviceId {
        DeviceId(Sha256::digest(key.verifying_key().as_bytes()).into())
    }

    fn body() -> ReceiptBody {
        ReceiptBody {
            transfer: TransferId([1; 16]),
            session: SessionId([2; 32]),
            sender: DeviceId([3; 32]),
            receiver: device(&key()),
            root: String::from("/incoming"),
            merkle: Value([5; 32]),
            seals: 6,
            counts: Counts {
                created: 7,
                replaced: 5,
                metadata: 6,
                directories: 8,
                bytes: 9,
                reused: 4,
                unchanged: 10,
                failed: 11,
                deleted: 12,
            },
            durability: Durability::Tree,
            inplace: true,
            verify: Verify::Full,
            stages_ms: [3; STAGES],
            began_ms: 13,
            ended_ms: 14,
        }
    }

    // proves: O10
    #[test]
    fn a_receipt_round_trips_and_holds_for_its_receiver_alone() {
        let receipt = body().sign(&key());
        let bytes = receipt.encode();
        assert_eq!(Receipt::parse(&bytes, &Limits::TINY), Ok(receipt.clone()));
        assert_eq!(receipt.verify(&key().verifying_key()), Ok(()));
        let other = SigningKey::from_bytes(&[8; 32]);
        assert_eq!(receipt.verify(&other.verifying_key()), Err(BadSignature));
        assert_eq!(body().sign(&other).verify(&other.verifying_key()), Err(BadSignature), "not the receiver");
        for cut in 0..bytes.len() {
            assert!(Receipt::parse(&bytes[..cut], &Limits::TINY).is_err());
        }
    }

    // proves: O10
    #[test]
    fn one_changed_bit_never_holds() {
        let bytes = body().sign(&key()).encode();
        for bit in 0..bytes.len() * 8 {
            let mut bytes = bytes.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            if let Ok(receipt) = Receipt::parse(&bytes, &Limits::TINY) {
                assert_eq!(receipt.verify(&key().verifying_key()), Err(BadSignature), "bit {bit}");
            }
        }
    }

    proptest! {
        #[test]
        fn foreign_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            let _ = Receipt::parse(&bytes, &Limits::TINY);
        }
    }
}
