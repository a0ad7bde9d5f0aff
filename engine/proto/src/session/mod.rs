//! One connection between two peers: who they are, under which keys, and whether it still lives.
//!
//! ```text
//! accept -> handshake::peek_hello -> Responder --+
//! connect ------------------------> Initiator --+--> Established { Sealer, Opener, ids, peer }
//! ```

pub mod record;
pub mod secret;
pub mod suite;

pub use record::{Opened, Opener, RecordError, Sealer};
pub use secret::Secret;
pub use suite::Suite;
