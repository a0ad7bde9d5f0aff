//! What both machines have in common: state, deadline, bytes before authentication, outputs.

use super::states::{Event, State, TRANSITIONS};
use super::{Config, HandshakeError, Output};
use crate::message::Close;
use crate::session::record::{Opener, Sealer};
use crate::session::transition;
use crate::wire::{Flags, FrameType, HEADER_BYTES, Header, WireError, payload_bytes_max, plain_trailer};
use alloc::collections::VecDeque;
use alloc::sync::Arc;
use alloc::vec::Vec;
use base::io::Now;

pub(super) struct Common {
    pub(super) config: Arc<Config>,
    pub(super) outputs: VecDeque<Output>,
    /// Seals our next handshake frame, or the Close that ends it.
    pub(super) sealer: Option<Sealer>,
    state: State,
    deadline_ns: u64,
    received: u64,
}

impl Common {
    pub(super) fn new(config: Arc<Config>, now: Now) -> Self {
        let deadline_ns = now.mono_ns.saturating_add(config.limits.handshake_ms.saturating_mul(1_000_000));
        Self {
            config,
            outputs: VecDeque::new(),
            sealer: None,
            state: State::Connected,
            deadline_ns,
            received: 0,
        }
    }

    pub(super) fn state(&self) -> State {
        self.state
    }

    pub(super) fn deadline_ns(&self) -> u64 {
        self.deadline_ns
    }

    pub(super) fn step(&mut self, event: Event) {
        // A state that the list does not have is a fault of ours: nothing is believed any more.
        if transition::step(TRANSITIONS, &mut self.state, event).is_err() {
            self.state = State::Failed;
        }
    }

    pub(super) fn is_over(&self) -> bool {
        matches!(self.state, State::Verified | State::Failed)
    }

    /// Checks a header before memory is found for its payload.
    pub(super) fn check_header(
        &self,
        header: &[u8; HEADER_BYTES],
        expected: &[FrameType],
    ) -> Result<Header, HandshakeError> {
        let header = Header::parse_unbounded(header)?;
        if !expected.contains(&header.kind) {
            return Err(HandshakeError::Unexpected { state: self.state, kind: header.kind });
        }
        let limits = &self.config.limits;
        let most = match header.kind {
            FrameType::Hello | FrameType::HelloReply => limits.hello_bytes_max,
            _ => payload_bytes_max(limits),
        };
        if header.length > most {
            return Err(WireError::TooLong { length: header.length.into(), most: most.into() }.into());
        }
        let bytes = self.received + HEADER_BYTES as u64 + u64::from(header.length);
        let most = u64::from(limits.before_auth_bytes_max);
        if bytes > most {
            return Err(HandshakeError::TooMuch { bytes, most });
        }
        Ok(header)
    }

    /// Takes a frame in: deadline, header, bytes before authentication.
    pub(super) fn admit(
        &mut self,
        header: &[u8; HEADER_BYTES],
        payload: &[u8],
        expected: &[FrameType],
        now: Now,
    ) -> Result<Header, HandshakeError> {
        if now.mono_ns >= self.deadline_ns {
            return Err(HandshakeError::Timeout);
        }
        let parsed = self.check_header(header, expected)?;
        if parsed.length as usize != payload.len() {
            return Err(WireError::Truncated { wanted: parsed.length as usize, left: payload.len() }.into());
        }
        self.received += (HEADER_BYTES + payload.len()) as u64;
        Ok(parsed)
    }

    /// Queues a frame in the clear.
    pub(super) fn send_clear(&mut self, kind: FrameType, payload: &[u8]) {
        self.outputs.push_back(Output::Send(clear(kind, payload)));
    }

    /// Queues a sealed frame.
    pub(super) fn send_sealed(&mut self, kind: FrameType, data: &[u8]) -> Result<(), HandshakeError> {
        let sealer = self.sealer.as_mut().expect("keys exist before the first sealed frame");
        let frame = sealer.seal_vec(kind, data, &plain_trailer(Flags::NONE))?;
        self.outputs.push_back(Output::Send(frame));
        Ok(())
    }

    /// Ends in failure, with a sealed Close if there are keys for it.
    pub(super) fn fail(&mut self, error: &HandshakeError) {
        self.step(Event::Failure);
        let sealed = self.sealer.take().zip(error.close()).and_then(|(mut sealer, close)| {
            sealer.seal_vec(FrameType::Close, &close.encode(), &plain_trailer(Flags::NONE)).ok()
        });
        self.outputs.extend(sealed.map(Output::Send));
    }
}

pub(super) fn clear(kind: FrameType, payload: &[u8]) -> Vec<u8> {
    let header = Header { kind, length: payload.len() as u32 }.encode();
    [&header, payload].concat()
}

/// Opens a handshake record in place: its data. A sealed Close becomes [`HandshakeError::Refused`].
pub(super) fn open<'a>(
    opener: &mut Opener,
    header: &[u8; HEADER_BYTES],
    payload: &'a mut [u8],
) -> Result<&'a [u8], HandshakeError> {
    let opened = opener.open(header, payload)?;
    if opened.flags != Flags::NONE {
        return Err(WireError::Flags(opened.flags.bits()).into());
    }
    let data = &payload[..opened.data_len as usize];
    match opened.kind {
        FrameType::Close => Err(HandshakeError::Refused(Close::parse(data)?)),
        _ => Ok(data),
    }
}
