//! What two verified peers say to each other besides data.
//!
//! ```text
//! Control frames -> Reassembly -> scan -> Envelope -> Request | Reply
//! ```

pub mod close;
pub mod envelope;
pub mod fragments;
pub mod request;
pub mod scan;

pub use close::{Beat, Close};
pub use envelope::{Envelope, EnvelopeError, MessageId, Source};
pub use fragments::{Reassembly, fragments};
pub use request::{
    Control, Reply, Request, RequestError, RequestState, RequestStep, Requests, is_protocol_name,
};
pub use scan::{ScanError, scan};
