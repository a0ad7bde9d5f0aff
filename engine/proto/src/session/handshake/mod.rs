//! The handshake: SIGMA-I on a key schedule like TLS 1.3's (FORMAT.md, Handshake).
//!
//! ```text
//! M1 A->B clear   Hello                          Initiator (A)        Responder (B)
//! M2 B->A clear   HelloReply                       Hello ------------->
//!         sealed  Auth{Caps, Cert, Sig, Fin}             <--- HelloReply, Auth
//! M3 A->B sealed  Auth{Caps, Cert, Sig, Fin}       Auth -------------->  Verified
//! M4 B->A sealed  Ready                     Verified <----------- Ready
//! ```
//!
//! Both sides are machines: frames and `now` go in ([`Initiator::on_frame`]), [`Output`]s come out, in order.
//! After an error the outputs that are left (a Close for the peer) are sent and the connection ends.
//! Neither side yields an [`Established`] before the other's Fin held, so nothing can be sent earlier (P4).
//!
//! Never here: a clock, a socket, randomness. Secrets are erased when dropped.

mod auth;
mod error;
mod hello;
mod initiator;
mod responder;
mod schedule;
mod side;
mod states;

pub use auth::Caps;
pub use error::{Blame, HandshakeError};
pub use hello::{HelloPeek, PskName, Purpose, StreamId, admit_hello, peek_hello};
pub use initiator::Initiator;
pub use responder::{Responder, refuse};
pub use states::{Event, State, TRANSITIONS, link_survives};

use super::certificate::Certificate;
use super::record::{Opener, Sealer};
use super::secret::Secret;
use super::suite::Suite;
use crate::wire::layouts::Layout;
use alloc::boxed::Box;
use alloc::vec::Vec;
use base::ids::{DeviceId, PskId, RootId, SessionId};
use base::limits::Limits;
use ed25519_dalek::Signer as _;
use zeroize::{Zeroize, ZeroizeOnDrop};

/// The tables of FORMAT.md.
pub const LAYOUTS: [&[Layout]; 2] = [hello::LAYOUTS, auth::LAYOUTS];

/// The side of a handshake, and of the session it makes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Role {
    /// Opened the connection.
    Initiator,
    /// Accepted it.
    Responder,
}

/// Holds a device's key, or a way to one.
pub trait Signer: Send + Sync {
    /// The device's Ed25519 public key.
    fn public_key(&self) -> [u8; 32];
    /// Signs with it.
    fn sign(&self, message: &[u8]) -> [u8; 64];
}

impl Signer for ed25519_dalek::SigningKey {
    fn public_key(&self) -> [u8; 32] {
        self.verifying_key().to_bytes()
    }

    fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.try_sign(message).expect("a key in memory signs").to_bytes()
    }
}

/// Whom this process trusts.
pub trait TrustStore: Send + Sync {
    /// The public key of a trusted root.
    fn root(&self, id: RootId) -> Option<[u8; 32]>;
    /// Whether a certificate, its device or its issuer's epoch was revoked.
    fn is_revoked(&self, certificate: &Certificate) -> bool;
    /// Version of the newest revocation list held here.
    fn crl_version(&self) -> u64;
}

/// What a process brings to every handshake.
pub struct Config {
    /// Its device key.
    pub signer: Box<dyn Signer>,
    /// Its certificate; `None` on a client that has yet to join.
    pub certificate: Option<Certificate>,
    /// Whom it trusts.
    pub trust: Box<dyn TrustStore>,
    /// Suites it takes, preferred first.
    pub suites: Vec<Suite>,
    /// Whether it has a listener.
    pub listens: bool,
    /// Features it offers; none is defined.
    pub features: u64,
    /// Its bounds.
    pub limits: Limits,
}

/// 64 fresh random bytes for one handshake; erased when dropped.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct Entropy {
    pub(super) nonce: [u8; 32],
    pub(super) ephemeral: [u8; 32],
}

impl Entropy {
    /// Takes random bytes; the caller erases its own copy.
    pub fn new(bytes: &[u8; 64]) -> Self {
        let mut entropy = Self { nonce: [0; 32], ephemeral: [0; 32] };
        entropy.nonce.copy_from_slice(&bytes[..32]);
        entropy.ephemeral.copy_from_slice(&bytes[32..]);
        entropy
    }
}

/// How an initiator proves itself.
pub enum Mode {
    /// By its certificate.
    Certificate,
    /// By its certificate and a pre-shared key.
    CertificateAndPsk {
        /// Name of the key.
        id: PskId,
        /// The key.
        secret: Secret,
        /// The responder it is for.
        hub: DeviceId,
    },
    /// By a join token alone.
    Join {
        /// Name of the token's key.
        id: PskId,
        /// The token's key.
        secret: Secret,
        /// The hub that made the token.
        hub: DeviceId,
    },
    /// As a further stream of a session we initiated.
    Stream {
        /// Which stream of which session.
        id: StreamId,
        /// The session's secret for streams.
        join: JoinSecret,
    },
}

/// One connection we open.
pub struct Dial {
    /// How we prove who we are.
    pub mode: Mode,
    /// Who must answer, if known.
    pub expect: Option<DeviceId>,
    /// Whether it is to be a standing link between two listening devices.
    pub link: bool,
}

/// A session's secret for its further streams. Only the session's initiator dials them and only its responder
/// accepts them, so a stream's Hello cannot be reflected to its sender.
#[derive(Clone)]
pub struct JoinSecret {
    secret: Secret,
    role: Role,
}

impl JoinSecret {
    /// The key [`Responder::on_psk`] takes; `None` on the side that dials.
    pub fn for_accept(&self) -> Option<Secret> {
        (self.role == Role::Responder).then(|| self.secret.clone())
    }

    /// The key a stream is dialled with; `None` on the side that accepts.
    pub fn for_dial(&self) -> Option<Secret> {
        (self.role == Role::Initiator).then(|| self.secret.clone())
    }
}

/// Who is at the other end.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum PeerIdentity {
    /// A device, by its certificate.
    Certificate(Certificate),
    /// Somebody with a join token (seen by the hub).
    JoinToken(PskId),
    /// The hub that made our join token (seen by the joining client).
    Hub(DeviceId),
    /// The peer of a session, on a further stream of it.
    Stream(StreamId),
}

impl PeerIdentity {
    /// The device, where it is proven by this handshake itself.
    pub fn device(&self) -> Option<DeviceId> {
        match self {
            Self::Certificate(certificate) => Some(certificate.device()),
            Self::Hub(device) => Some(*device),
            Self::JoinToken(_) | Self::Stream(_) => None,
        }
    }

    /// The account, where a certificate names it.
    pub fn account(&self) -> Option<&str> {
        match self {
            Self::Certificate(certificate) => Some(certificate.account()),
            _ => None,
        }
    }
}

/// A verified session: the only way to a [`Sealer`] and an [`Opener`] of application data.
pub struct Established {
    /// Our side.
    pub role: Role,
    /// For what we send.
    pub sealer: Sealer,
    /// For what we receive.
    pub opener: Opener,
    /// The suite both agreed on.
    pub suite: Suite,
    /// Public name of the session; equal on both sides.
    pub session: SessionId,
    /// Secret for further streams.
    pub join: JoinSecret,
    /// Secret of session tokens.
    pub token: Secret,
    /// Who is at the other end.
    pub peer: PeerIdentity,
    /// What it can do.
    pub caps: Caps,
    /// Whether both sides take this for a standing link: [`link_survives`] decides between two.
    pub link: bool,
}

/// What a handshake wants done, in order.
pub enum Output {
    /// Send these bytes: whole frames, headers included.
    Send(Vec<u8>),
    /// Look up this key and call [`Responder::on_psk`].
    NeedPsk(PskName),
    /// The handshake is over.
    Verified(Box<Established>),
}

#[cfg(test)]
mod tests;
