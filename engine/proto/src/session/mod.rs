//! One connection between two peers: who they are, under which keys, and whether it still lives.
//!
//! ```text
//! accept -> handshake::peek_hello -> Responder --+
//! connect ------------------------> Initiator --+--> Established { Sealer, Opener, ids, peer }
//! ```

pub mod certificate;
pub mod handshake;
pub mod link;
pub mod liveness;
pub mod phase;
pub mod record;
pub mod retry;
pub mod secret;
pub mod suite;
pub mod transition;

pub use certificate::Certificate;
pub use handshake::{Established, HandshakeError, Initiator, Output, PeerIdentity, Responder};
pub use record::{Opened, Opener, RecordError, Sealer};
pub use secret::Secret;
pub use suite::Suite;
