//! Requests and their one reply (P3).
//!
//! ```text
//! Handshaked -> RequestPending -> Processing -> ResponseSent -> Handshaked
//!                                           \-> ErrorSent    -> Handshaked
//! ```
//!
//! A request that is no longer in [`Requests`] was answered: a second reply has nowhere to come from, and a
//! session that ends hands back every request that still waits, so that none is without one.

use super::envelope::{Envelope, EnvelopeError, MessageId, TYPE_BYTES_MAX};
use super::scan::scan;
use crate::session::transition::{self, Row, Undeclared, row};
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;
use base::codes::Code;
use base::limits::Limits;
use bson::raw::{RawDocument, RawDocumentBuf, cstr};
use bytes::Bytes;

const SUCCESS: &str = "success";
const PROTOCOL: &str = "protocol";
const ERROR: &str = "error";
/// Longest message or details of an error.
pub const ERROR_TEXT_BYTES_MAX: usize = 1024;

/// A call of a protocol.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Request {
    /// Its id.
    pub id: MessageId,
    /// Name of the protocol.
    pub protocol: String,
    /// The protocol's own bytes.
    pub payload: Bytes,
    /// Optional metadata.
    pub metadata: Option<Bytes>,
}

/// The one answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Reply {
    /// Done, with optional data.
    Success(Option<Bytes>),
    /// The protocol's own answer.
    Protocol(Bytes),
    /// Refused or failed.
    Error {
        /// Why.
        code: Code,
        /// For people; foreign text on the receiving side.
        message: String,
        /// More of it, for programs.
        details: Option<String>,
    },
}

/// A Control message.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Control {
    /// A request.
    Request(Request),
    /// A reply, to the request of this id.
    Reply {
        /// Which request.
        to: MessageId,
        /// The answer.
        reply: Reply,
    },
}

/// Whether a name may be a protocol's: 1 to 64 of `a-z 0-9 . _ -`, and none of the reply types.
pub fn is_protocol_name(name: &str) -> bool {
    let letters =
        name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"._-".contains(&byte));
    letters && (1..=TYPE_BYTES_MAX).contains(&name.len()) && ![SUCCESS, PROTOCOL, ERROR].contains(&name)
}

impl Control {
    /// The data of its frames, before fragmenting. `reply_id` names the message itself when it is a reply.
    ///
    /// # Panics
    /// A request of ours names a protocol that cannot be one.
    pub fn encode(&self, reply_id: MessageId, utc_ms: u64) -> Vec<u8> {
        let utc_ms = i64::try_from(utc_ms).unwrap_or(i64::MAX);
        let envelope = match self {
            Self::Request(request) => {
                assert!(is_protocol_name(&request.protocol), "{:?} is no protocol", request.protocol);
                Envelope {
                    kind: request.protocol.clone(),
                    id: request.id,
                    utc_ms,
                    reply_to: None,
                    metadata: request.metadata.clone(),
                    payload: Some(request.payload.clone()),
                    signed: None,
                }
            }
            Self::Reply { to, reply } => {
                let (kind, payload) = match reply {
                    Reply::Success(data) => (SUCCESS, data.clone()),
                    Reply::Protocol(data) => (PROTOCOL, Some(data.clone())),
                    Reply::Error { code, message, details } => {
                        (ERROR, Some(encode_error(*code, message, details.as_deref()).into()))
                    }
                };
                let reply_to = Some(*to);
                Envelope {
                    kind: kind.into(),
                    id: reply_id,
                    utc_ms,
                    reply_to,
                    metadata: None,
                    payload,
                    signed: None,
                }
            }
        };
        envelope.encode()
    }

    /// Reads a whole Control message from a peer.
    ///
    /// # Errors
    /// The rule it breaks; the connection ends.
    pub fn decode(bytes: &Bytes, limits: &Limits) -> Result<Self, EnvelopeError> {
        let envelope = Envelope::decode(bytes, limits)?;
        let Envelope { kind, id, reply_to, metadata, payload, signed, .. } = envelope;
        if signed.is_some() {
            return Err(EnvelopeError::Field("signature"));
        }
        let Some(to) = reply_to else {
            if !is_protocol_name(&kind) {
                return Err(EnvelopeError::Field("type"));
            }
            let payload = payload.unwrap_or_default();
            return Ok(Self::Request(Request { id, protocol: kind, payload, metadata }));
        };
        if metadata.is_some() {
            return Err(EnvelopeError::Field("metadata"));
        }
        let reply = match (kind.as_str(), payload) {
            (SUCCESS, data) => Reply::Success(data),
            (PROTOCOL, Some(data)) => Reply::Protocol(data),
            (ERROR, Some(data)) => decode_error(&data, limits)?,
            (PROTOCOL | ERROR, None) => return Err(EnvelopeError::Field("payload")),
            _ => return Err(EnvelopeError::Field("type")),
        };
        Ok(Self::Reply { to, reply })
    }
}

fn encode_error(code: Code, message: &str, details: Option<&str>) -> Vec<u8> {
    let mut document = RawDocumentBuf::new();
    document.append(cstr!("code"), i32::from(code.number()));
    document.append(cstr!("message"), clip(message));
    if let Some(details) = details {
        document.append(cstr!("details"), clip(details));
    }
    document.into_bytes()
}

/// At most [`ERROR_TEXT_BYTES_MAX`], cut at a character's border.
fn clip(text: &str) -> &str {
    let mut end = text.len().min(ERROR_TEXT_BYTES_MAX);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

fn decode_error(data: &[u8], limits: &Limits) -> Result<Reply, EnvelopeError> {
    scan(data, limits)?;
    let document = RawDocument::from_bytes(data).map_err(|_| EnvelopeError::Field("payload"))?;
    let (mut code, mut message, mut details) = (None, None, None);
    for element in document {
        let (key, value) = element.map_err(|_| EnvelopeError::Field("payload"))?;
        let text = || value.as_str().map(|text| String::from(clip(text)));
        match key.as_str() {
            "code" => code = value.as_i32(),
            "message" => message = text(),
            "details" => details = Some(text().ok_or(EnvelopeError::Field("details"))?),
            _ => return Err(EnvelopeError::Field("key")),
        }
    }
    let number = code.ok_or(EnvelopeError::Field("code"))?;
    // A code of a later version still is an error.
    let code = u16::try_from(number).ok().and_then(Code::from_number).unwrap_or(Code::InternalError);
    let message = message.ok_or(EnvelopeError::Field("message"))?;
    Ok(Reply::Error { code, message, details })
}

/// Where a request stands.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum RequestState {
    /// No request; the session is verified.
    Handshaked,
    /// Sent, or received and not taken up.
    RequestPending,
    /// A handler has it.
    Processing,
    /// Success or the protocol's answer went out.
    ResponseSent,
    /// An error went out.
    ErrorSent,
}

/// What moves it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum RequestEvent {
    /// It was sent, or arrived.
    Asked,
    /// It was taken up (on the asking side: its reply arrived, so it was).
    Taken,
    /// Success or the protocol's answer.
    Answered,
    /// An error.
    Refused,
    /// Its reply is out, or read.
    Complete,
}

/// Every transition there is.
pub const TRANSITIONS: &[Row<RequestState, RequestEvent>] = &[
    row(RequestState::Handshaked, RequestEvent::Asked, RequestState::RequestPending),
    row(RequestState::RequestPending, RequestEvent::Taken, RequestState::Processing),
    row(RequestState::Processing, RequestEvent::Answered, RequestState::ResponseSent),
    row(RequestState::Processing, RequestEvent::Refused, RequestState::ErrorSent),
    row(RequestState::ResponseSent, RequestEvent::Complete, RequestState::Handshaked),
    row(RequestState::ErrorSent, RequestEvent::Complete, RequestState::Handshaked),
];

/// Why a request or reply has no place.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RequestError {
    /// As many wait as may.
    TooMany {
        /// How many.
        most: u32,
    },
    /// A request of this id waits already.
    Duplicate(MessageId),
    /// No request of this id waits.
    Unknown(MessageId),
    /// A step that the list does not have: a fault of our own.
    Undeclared,
}

impl From<Undeclared> for RequestError {
    fn from(_: Undeclared) -> Self {
        Self::Undeclared
    }
}

/// One step of a request.
pub type RequestStep = Result<Row<RequestState, RequestEvent>, RequestError>;

impl RequestError {
    /// What the peer is told.
    pub fn code(&self) -> Code {
        match self {
            Self::TooMany { .. } => Code::RateLimited,
            Self::Duplicate(_) | Self::Unknown(_) => Code::InvalidRequest,
            Self::Undeclared => Code::InternalError,
        }
    }
}

/// The requests of one direction of one session that wait for their reply.
#[derive(Clone, Debug)]
pub struct Requests {
    waiting: BTreeMap<MessageId, RequestState>,
    most: u32,
}

impl Requests {
    /// None wait.
    pub fn new(limits: &Limits) -> Self {
        Self { waiting: BTreeMap::new(), most: limits.requests_per_session_max }
    }

    /// How many wait.
    pub fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Whether none waits.
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Where a request stands.
    pub fn state(&self, id: MessageId) -> RequestState {
        self.waiting.get(&id).copied().unwrap_or(RequestState::Handshaked)
    }

    /// A request is sent, or arrived.
    ///
    /// # Errors
    /// Too many wait, or one of this id does.
    pub fn on_request(&mut self, id: MessageId) -> RequestStep {
        if self.waiting.contains_key(&id) {
            return Err(RequestError::Duplicate(id));
        }
        if self.waiting.len() as u64 >= u64::from(self.most) {
            return Err(RequestError::TooMany { most: self.most });
        }
        let mut state = RequestState::Handshaked;
        let row = transition::step(TRANSITIONS, &mut state, RequestEvent::Asked)?;
        self.waiting.insert(id, state);
        Ok(row)
    }

    /// A handler takes it up; on the asking side, its reply arrived.
    ///
    /// # Errors
    /// It does not wait.
    pub fn on_taken(&mut self, id: MessageId) -> RequestStep {
        self.step(id, RequestEvent::Taken)
    }

    /// Its reply is made, or read: the first one, or an error.
    ///
    /// # Errors
    /// It does not wait: unknown, or answered before.
    pub fn on_reply(&mut self, id: MessageId, error: bool) -> RequestStep {
        self.step(id, if error { RequestEvent::Refused } else { RequestEvent::Answered })
    }

    /// Its reply is on its way, or was acted on: it waits no longer.
    ///
    /// # Errors
    /// It does not wait.
    pub fn on_complete(&mut self, id: MessageId) -> RequestStep {
        let step = self.step(id, RequestEvent::Complete);
        self.waiting.remove(&id);
        step
    }

    fn step(&mut self, id: MessageId, event: RequestEvent) -> RequestStep {
        let state = self.waiting.get_mut(&id).ok_or(RequestError::Unknown(id))?;
        Ok(transition::step(TRANSITIONS, state, event)?)
    }

    /// The session ended: every request that will get no reply from the peer.
    pub fn on_end(&mut self) -> impl Iterator<Item = MessageId> {
        core::mem::take(&mut self.waiting).into_keys()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(byte: u8) -> MessageId {
        MessageId([byte; 16])
    }

    fn round(control: &Control) -> Control {
        Control::decode(&control.encode(id(9), 5).into(), &Limits::DEFAULT).unwrap()
    }

    fn error() -> Reply {
        Reply::Error { code: Code::NotFound, message: "no such share".into(), details: Some("x".into()) }
    }

    // proves: P3 L7 C6
    #[test]
    fn requests_and_replies_round_trip() {
        let request = |metadata| {
            let (payload, protocol) = (Bytes::from_static(b"p"), "xferd.list".into());
            Control::Request(Request { id: id(1), protocol, payload, metadata })
        };
        let reply = |reply| Control::Reply { to: id(1), reply };
        for control in [
            request(None),
            request(Some(Bytes::from_static(b"m"))),
            reply(Reply::Success(None)),
            reply(Reply::Success(Some(Bytes::new()))),
            reply(Reply::Protocol(Bytes::from_static(b"data"))),
            reply(error()),
            reply(Reply::Error { code: Code::Busy, message: String::new(), details: None }),
        ] {
            assert_eq!(round(&control), control);
        }
    }

    #[test]
    fn names_that_are_no_protocol_are_refused() {
        for name in ["success", "protocol", "error", "", "A", "a b", "a/b", "ü", &"a".repeat(65)] {
            assert!(!is_protocol_name(name), "{name:?}");
        }
        let forged = Envelope {
            kind: "Share".into(),
            id: id(1),
            utc_ms: 0,
            reply_to: None,
            metadata: None,
            payload: None,
            signed: None,
        };
        let decode = |envelope: &Envelope| Control::decode(&envelope.encode().into(), &Limits::DEFAULT);
        assert_eq!(decode(&forged), Err(EnvelopeError::Field("type")));
        let mut reply = Envelope { reply_to: Some(id(2)), ..forged };
        assert_eq!(decode(&reply), Err(EnvelopeError::Field("type")));
        reply.kind = "error".into();
        assert_eq!(decode(&reply), Err(EnvelopeError::Field("payload")));
        reply.payload = Some(Bytes::from_static(b"no bson"));
        assert!(matches!(decode(&reply), Err(EnvelopeError::Scan(_))));
    }

    #[test]
    fn unknown_codes_stay_errors_and_long_texts_are_cut() {
        let data = bson::doc! { "code": 9999, "message": "m" }.to_vec().unwrap();
        let reply = decode_error(&data, &Limits::DEFAULT).unwrap();
        assert!(matches!(reply, Reply::Error { code: Code::InternalError, .. }));
        let long = Reply::Error { code: Code::Io, message: "ü".repeat(600), details: None };
        let Control::Reply { reply: Reply::Error { message, .. }, .. } =
            round(&Control::Reply { to: id(1), reply: long })
        else {
            panic!("no error")
        };
        assert_eq!(message.len(), ERROR_TEXT_BYTES_MAX);
    }

    // proves: P3
    #[test]
    fn the_list_of_transitions_is_the_documents() {
        let printed = transition::render("request (P3)", TRANSITIONS);
        assert_eq!(printed, include_str!("../../tests/golden/request.txt"));
    }

    // proves: P3
    #[test]
    fn every_request_has_one_reply() {
        let mut requests = Requests::new(&Limits::TINY);
        assert!(requests.on_request(id(1)).is_ok());
        assert_eq!(requests.on_request(id(1)), Err(RequestError::Duplicate(id(1))));
        assert!(requests.on_request(id(2)).is_ok());
        assert_eq!(requests.on_request(id(3)), Err(RequestError::TooMany { most: 2 }));
        assert_eq!(requests.state(id(1)), RequestState::RequestPending);
        assert!(requests.on_taken(id(1)).is_ok());
        assert_eq!(requests.state(id(1)), RequestState::Processing);
        assert_eq!(requests.on_reply(id(1), true).unwrap().to, RequestState::ErrorSent);
        assert_eq!(requests.on_complete(id(1)).unwrap().to, RequestState::Handshaked);
        assert_eq!(requests.on_reply(id(1), true), Err(RequestError::Unknown(id(1))));
        let left: Vec<_> = requests.on_end().collect();
        assert_eq!((left, requests.is_empty()), (alloc::vec![id(2)], true));
    }

    #[test]
    #[should_panic(expected = "undeclared transition")]
    fn a_request_is_taken_up_once() {
        let mut requests = Requests::new(&Limits::TINY);
        requests.on_request(id(1)).unwrap();
        requests.on_taken(id(1)).unwrap();
        let _ = requests.on_taken(id(1));
    }
}
