//! Transcript and key schedule of the handshake.
//!
//! ```text
//! E = Extract(0, psk or 0^32)              H = Extract(Expand(E, "derived"), x25519 shared)
//! s_hs, c_hs = Expand(H, .., TH(Hello, HelloReply))      M = Extract(Expand(H, "derived"), 0^32)
//! s_ap, c_ap, exporter = Expand(M, .., TH(Hello .. the initiator's Fin))
//! session id, join, token = Expand(exporter, ..)
//! ```

use super::hello::{PskName, Purpose};
use super::{HandshakeError, JoinSecret, Role};
use crate::session::secret::{Secret, sha256};
use base::ids::{DeviceId, SessionId};
use sha2::{Digest, Sha256};
use x25519_dalek::{PublicKey, StaticSecret};

/// Running hash over the items of a handshake: type u8, length u24, bytes.
#[derive(Clone)]
pub(super) struct Transcript(Sha256);

impl Transcript {
    pub(super) fn new() -> Self {
        Self(Sha256::new())
    }

    pub(super) fn add(&mut self, kind: u8, bytes: &[u8]) {
        let [high, length @ ..] = (bytes.len() as u32).to_be_bytes();
        debug_assert_eq!(high, 0);
        self.0.update([kind]);
        self.0.update(length);
        self.0.update(bytes);
    }

    pub(super) fn hash(&self) -> [u8; 32] {
        self.0.clone().finalize().into()
    }
}

/// What a pre-shared key is bound to besides its name.
pub(super) enum Binding {
    /// The hub's device.
    Hub(DeviceId),
    /// A session.
    Session(SessionId),
}

/// E, from a pre-shared key imported with its purpose, name and binding.
pub(super) fn early_psk(psk: &Secret, name: &PskName, binding: &Binding) -> Secret {
    let binding = match binding {
        Binding::Hub(device) => &device.0,
        Binding::Session(session) => &session.0,
    };
    let label = match name.purpose() {
        Purpose::Certificate => "import cert",
        Purpose::Join => "import join",
        Purpose::Stream => "import stream",
    };
    let id = name.id();
    let context = sha256(&[&[id.len() as u8], &id, binding]);
    let imported = Secret::extract_first(psk.expose()).expand(label, &context);
    Secret::extract_first(imported.expose())
}

/// E, without a pre-shared key.
pub(super) fn early_none() -> Secret {
    Secret::extract_first(&[0; 32])
}

/// The key of a Hello's binder; only initiators make one.
pub(super) fn binder(early: &Secret, name: &PskName, hello_without_binder: &[u8]) -> [u8; 32] {
    binder_key(early, name).mac(&sha256(&[hello_without_binder]))
}

pub(super) fn binder_holds(early: &Secret, name: &PskName, hello: &[u8], tag: &[u8; 32]) -> bool {
    binder_key(early, name).mac_holds(&sha256(&[hello]), tag)
}

fn binder_key(early: &Secret, name: &PskName) -> Secret {
    let label = match name.purpose() {
        Purpose::Certificate => "binder cert",
        Purpose::Join => "binder join",
        Purpose::Stream => "binder stream",
    };
    early.expand(label, b"")
}

/// The x25519 shared secret, refused when zero.
pub(super) fn agree(ours: &StaticSecret, theirs: [u8; 32]) -> Result<Secret, HandshakeError> {
    let shared = ours.diffie_hellman(&PublicKey::from(theirs));
    if !shared.was_contributory() {
        return Err(HandshakeError::ZeroShare);
    }
    Ok(Secret::new(shared.to_bytes()))
}

/// Secrets until Ready.
pub(super) struct HandshakeSecrets {
    pub(super) initiator: Secret,
    pub(super) responder: Secret,
    main: Secret,
}

impl HandshakeSecrets {
    pub(super) fn new(early: &Secret, shared: &Secret, hellos: &[u8; 32]) -> Self {
        let h = early.expand("derived", b"").extract(shared.expose());
        Self {
            initiator: h.expand("c_hs", hellos),
            responder: h.expand("s_hs", hellos),
            main: h.expand("derived", b"").extract(&[0; 32]),
        }
    }

    pub(super) fn of(&self, role: Role) -> &Secret {
        match role {
            Role::Initiator => &self.initiator,
            Role::Responder => &self.responder,
        }
    }

    pub(super) fn fin_key(&self, role: Role) -> Secret {
        self.of(role).expand("fin", b"")
    }

    /// Secrets of the session; `all` is the transcript up to the initiator's Fin.
    pub(super) fn session(&self, role: Role, all: &[u8; 32]) -> SessionSecrets {
        let exporter = self.main.expand("exporter", all);
        SessionSecrets {
            initiator: self.main.expand("c_ap", all),
            responder: self.main.expand("s_ap", all),
            session: SessionId(*exporter.expand("session id", b"").expose()),
            join: JoinSecret { secret: exporter.expand("join", b""), role },
            token: exporter.expand("token", b""),
        }
    }
}

/// Secrets from Ready on.
pub(super) struct SessionSecrets {
    pub(super) initiator: Secret,
    pub(super) responder: Secret,
    pub(super) session: SessionId,
    pub(super) join: JoinSecret,
    pub(super) token: Secret,
}
