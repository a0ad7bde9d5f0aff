//! How links end: last words, then the peer's, then the socket.
//!
//! ```text
//! fail | bye -> down -> what is queued is sent -> shut_write -> what the peer still says is read -> close
//!                                                     |                     up to the end, bytes, deadline
//!                                                     +-> close, where the peer ended first or was nobody
//! ```
//!
//! A socket that is closed over unread bytes is reset, and a reset takes the last words with it.

use crate::link::{LinkEvent, LinkId, Phase, Shaking};
use crate::links::{Links, MS};
use crate::ops::Finish;
use crate::rate::Rates;
use crate::rx::{Rx, full_frame_bytes};
use crate::tools::Core;
use base::codes::Code;
use base::hooks::{Event, Hooks};
use base::io::Io;
use base::limits::HEADER_BYTES;
use proto::message::Close;
use proto::session::handshake::{HandshakeError, Output};
use proto::wire::{Flags, FrameType, plain_trailer};

impl<B: AsMut<[u8]> + AsRef<[u8]>> Links<B> {
    /// Tells the peer why and ends the link.
    pub(crate) fn fail<I: Io<Buf = B>, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        id: LinkId,
        code: Code,
        detail: &str,
    ) {
        let Some(link) = self.find_mut(id) else { return };
        let mut frames = Vec::new();
        match &mut link.phase {
            Phase::Up(up) => {
                let close = Close::new(code, detail).encode();
                let trailer = plain_trailer(Flags::NONE);
                core.hooks.sealing(&up.next_record(FrameType::Close, &trailer));
                frames.extend(up.sealer.seal_vec(FrameType::Close, &close, &trailer).ok());
            }
            Phase::Handshake(Shaking::Responder(machine), _) => {
                machine.on_failure(&HandshakeError::Turned(Close::new(code, detail)));
                while let Some(Output::Send(frame)) = machine.output() {
                    frames.push(frame);
                }
            }
            _ => {}
        }
        for frame in frames {
            link.tx.push_bytes(frame);
        }
        self.pump(core, id);
        self.end(core, id, Some(code), detail, true);
    }

    /// Ends a link in an orderly way.
    pub(crate) fn bye<I: Io<Buf = B>, H: Hooks>(&mut self, core: &mut Core<I, H>, id: LinkId) {
        self.end(core, id, None, "", true);
    }

    /// The peer ended the link, or the network did.
    pub(crate) fn down<I: Io<Buf = B>, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        id: LinkId,
        code: Option<Code>,
        detail: &str,
    ) {
        self.end(core, id, code, detail, false);
    }

    /// Reports a link as down, once, and lets it drain.
    fn end<I: Io<Buf = B>, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        id: LinkId,
        code: Option<Code>,
        detail: &str,
        drains: bool,
    ) {
        let Some(link) = self.find_mut(id) else { return };
        if link.reported {
            // The peer went away meanwhile: there is nothing to wait for.
            if !drains {
                link.drains = None;
                self.settle(core, id);
            }
            return;
        }
        link.reported = true;
        self.on_over(core, id, code.is_none());
        let (close_ms, most) = (core.settings.limits.close_ms, core.settings.limits.close_drain_bytes_max);
        let Some(link) = self.find_mut(id) else { return };
        let phase = core::mem::replace(&mut link.phase, Phase::Closing);
        let (accepted, address, role) = (link.accepted, link.address, link.role);
        // Whoever was not verified is not worth a wait: a flood would make it a memory of its own.
        link.drains = (drains && matches!(phase, Phase::Up(_))).then_some(most);
        link.deadline_ns = core.now.mono_ns + close_ms * MS;
        let deadline_ns = link.deadline_ns;
        self.wait_until(id, deadline_ns);
        match phase {
            Phase::Up(up) => {
                self.up -= 1;
                core.hooks.event(&Event::SessionDown { peer: &up.peer, code });
            }
            Phase::Handshake(..) if accepted => {
                core.status.refused += 1;
                let code = code.unwrap_or(Code::ConnectionLost);
                core.hooks.event(&Event::Refused { address, code, detail });
            }
            _ => {}
        }
        self.admission.half_open_ended(id);
        if accepted {
            self.admission.connection_ended(address);
        }
        core.events.push_back(LinkEvent::Down { link: id, role, code, detail: detail.to_owned() });
        self.settle(core, id);
    }

    /// Frees a closing link once nothing of it is in flight and the peer is done.
    pub(crate) fn settle<I: Io<Buf = B>, H: Hooks>(&mut self, core: &mut Core<I, H>, id: LinkId) {
        let Some(link) = self.find_mut(id) else { return };
        if !matches!(link.phase, Phase::Closing) {
            return;
        }
        if matches!(link.rx, Rx::Over) {
            link.drains = None;
        }
        let (socket, said_all) = (link.socket, link.tx.is_empty());
        if link.drains.is_some() {
            if said_all && !core::mem::replace(&mut link.said, true) {
                core.io.shut_write(socket);
            }
            // Also before all is said: a peer that is stuck with writing does not read. What is dropped has no rate, and
            // waits for no slot of its size.
            if !link.rx.in_flight() {
                (link.rx, link.rates) = (Rx::Idle, Rates::default());
                self.receive(core, id, false);
            }
            return;
        }
        if !said_all {
            return;
        }
        if link.rx.in_flight() {
            if socket.0 >= 0 {
                core.io.shut(socket);
            }
            return;
        }
        self.remove(id);
        if socket.0 >= 0 {
            core.close(socket);
        }
    }

    /// A receive of a closing link ended: what came is dropped, and more is read as long as it is worth it.
    pub(crate) fn on_drained<I: Io<Buf = B>, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        id: LinkId,
        state: Rx,
        finish: Finish<B>,
    ) {
        drop(finish.slot);
        let count = finish.result.unwrap_or(0);
        let Some(link) = self.find_mut(id) else { return };
        let asked = match state {
            Rx::Head => HEADER_BYTES,
            Rx::Body { length, .. } => length,
            Rx::Full => {
                let _ = core.io.set_low_water(link.socket, 1);
                full_frame_bytes(&core.settings.limits)
            }
            _ => u32::MAX,
        };
        let left = link.drains.unwrap_or(0).saturating_sub(u64::from(count));
        link.drains = link.drains.map(|_| left);
        if count < asked || left == 0 {
            link.rx = Rx::Over;
            return self.settle(core, id);
        }
        // Frames are not told apart any more: it is only read.
        self.receive_body(core, id, [0; 12], core.settings.limits.record_bytes);
    }

    /// A closing link's time is over.
    pub(crate) fn cut_off<I: Io<Buf = B>, H: Hooks>(&mut self, core: &mut Core<I, H>, id: LinkId) {
        let Some(link) = self.find_mut(id) else { return };
        link.drains = None;
        link.deadline_ns = u64::MAX;
        link.tx.abandon();
        core.io.shut(link.socket);
        if !link.rx.in_flight() {
            link.rx = Rx::Over;
        }
        self.settle(core, id);
    }
}
