//! All links of one core: how they begin, receive, send and end.

use crate::admission::Admission;
use crate::link::{Link, LinkEvent, LinkId, Phase, Role, Shaking, Up, flags_of};
use crate::mailbox::Mail;
use crate::ops::{Finish, Owner, Yield};
use crate::rate::Rates;
use crate::rx::{Rx, full_frame_bytes, header_of};
use crate::tools::Core;
use crate::tx::Tx;
use crate::waits::Waits;
use base::codes::Code;
use base::hooks::{Frame, Hooks, Peer, Stage, StageTimes, Ticket};
use base::ids::SessionId;
use base::io::{Errno, Fd, Io, Op};
use base::limits::{DATA_AT, HEADER_AT, HEADER_BYTES};
use base::points::Point;
use core::net::SocketAddr;
use proto::message::{Beat, Close, fragments};
use proto::session::handshake::HandshakeError;
use proto::session::phase::Course;
use proto::wire::{Flags, FrameType, Header, Trailer, plain_trailer};
use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

/// Tickets of key look-ups are told from those of requests by this bit.
const PSK_TICKETS: u64 = 1 << 63;

/// Frames up to this many bytes are not timed.
const SAMPLED_FROM: u32 = 4096;

/// Nanoseconds of a millisecond.
pub(crate) const MS: u64 = 1_000_000;

/// All links of one core.
pub(crate) struct Links<B> {
    slab: Vec<(u32, Option<Link<B>>)>,
    free: Vec<u32>,
    pub(crate) admission: Admission,
    pub(crate) waits: Waits,
    /// Links that are verified and not closing.
    pub(crate) up: u32,
    psk_waits: BTreeMap<Ticket, LinkId>,
    next_psk: u64,
}

/// Whether a trailer announces a full record.
fn announces(trailer: &[u8]) -> bool {
    flags_of(trailer) & Flags::FULL.bits() != 0
}

impl<B: AsMut<[u8]> + AsRef<[u8]>> Links<B> {
    pub(crate) fn new() -> Self {
        Self {
            slab: Vec::new(),
            free: Vec::new(),
            admission: Admission::default(),
            waits: Waits::default(),
            up: 0,
            psk_waits: BTreeMap::new(),
            next_psk: 0,
        }
    }

    /// A ticket for a key that this link's handshake needs.
    pub(crate) fn ticket_for(&mut self, id: LinkId) -> Ticket {
        self.next_psk += 1;
        let ticket = Ticket(PSK_TICKETS | self.next_psk);
        self.psk_waits.insert(ticket, id);
        ticket
    }

    /// The link a ticket is for, once.
    pub(crate) fn ticket_taken(&mut self, ticket: Ticket) -> Option<LinkId> {
        self.psk_waits.remove(&ticket)
    }

    /// Takes a link out of the table without touching its socket.
    pub(crate) fn remove(&mut self, id: LinkId) {
        let Some((generation, entry)) = self.slab.get_mut(id.slot as usize) else { return };
        if *generation == id.generation
            && let Some(link) = entry.take()
        {
            self.waits.forget(&link);
            *generation = generation.wrapping_add(1);
            self.free.push(id.slot);
        }
    }

    /// The link of this name, while it lives.
    pub(crate) fn find(&self, id: LinkId) -> Option<&Link<B>> {
        let (generation, link) = self.slab.get(id.slot as usize)?;
        (*generation == id.generation).then_some(link.as_ref()).flatten()
    }

    pub(crate) fn find_mut(&mut self, id: LinkId) -> Option<&mut Link<B>> {
        let (generation, link) = self.slab.get_mut(id.slot as usize)?;
        (*generation == id.generation).then_some(link.as_mut()).flatten()
    }

    /// A link, and the lists of those that wait.
    pub(crate) fn parts(&mut self, id: LinkId) -> Option<(&mut Link<B>, &mut Waits)> {
        let (generation, link) = self.slab.get_mut(id.slot as usize)?;
        (*generation == id.generation).then_some(link.as_mut()).flatten().map(|link| (link, &mut self.waits))
    }

    /// Every link.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Link<B>> {
        self.slab.iter().filter_map(|(_, link)| link.as_ref())
    }

    /// Names of all links.
    pub(crate) fn ids(&self) -> Vec<LinkId> {
        self.iter().map(|link| link.id).collect()
    }

    /// No link is left.
    pub(crate) fn is_empty(&self) -> bool {
        self.slab.len() == self.free.len()
    }

    /// Time of sampled records on a link since the last call.
    pub(crate) fn take_stages(&mut self, id: LinkId) -> StageTimes {
        self.find_mut(id).map_or(StageTimes::default(), |link| core::mem::take(&mut link.stages))
    }

    /// The verified peer of a link.
    pub(crate) fn peer(&self, id: LinkId) -> Option<&Peer> {
        self.find(id)?.up().map(|up| &up.peer)
    }

    /// The name of a link's session, once it is verified.
    pub(crate) fn session(&self, id: LinkId) -> Option<SessionId> {
        self.find(id)?.session
    }

    /// Adds a link in the given phase.
    pub(crate) fn add(
        &mut self,
        socket: Fd,
        address: SocketAddr,
        role: Role,
        phase: Phase,
        deadline_ns: u64,
    ) -> LinkId {
        let slot = self.free.pop().unwrap_or_else(|| {
            self.slab.push((0, None));
            self.slab.len() as u32 - 1
        });
        let (generation, entry) = &mut self.slab[slot as usize];
        let id = LinkId { slot, generation: *generation };
        *entry = Some(Link {
            id,
            socket,
            address,
            role,
            phase,
            rx: Rx::Idle,
            tx: Tx::new(),
            lent: 0,
            deadline_ns,
            stages: StageTimes::default(),
            receiving: None,
            rates: Rates::default(),
            reported: false,
            drains: None,
            said: false,
            accepted: false,
            connect: None,
            course: Course::new(),
            session: None,
            timer_ns: u64::MAX,
            listed: false,
        });
        if let Some(link) = entry {
            self.waits.until(link, deadline_ns);
        }
        id
    }

    /// Queues one small frame: data and plain flags. A message longer than a record goes out in fragments.
    pub(crate) fn send_bytes<I, H>(&mut self, core: &mut Core<I, H>, id: LinkId, kind: FrameType, data: &[u8])
    where
        I: Io<Buf = B>,
        H: Hooks,
    {
        for (piece, flags) in fragments(data, core.settings.limits.record_bytes) {
            self.seal_small(core, id, kind, piece, &plain_trailer(flags));
        }
        self.pump(core, id);
    }

    /// Names what is passed once the kernel has the bytes queued last.
    pub(crate) fn mark(&mut self, id: LinkId, point: Point) {
        if let Some(link) = self.find_mut(id).filter(|link| link.is_up()) {
            link.tx.mark(point);
        }
    }

    /// Queues a Ping whose Pong makes the link healthy; it goes out together with what is sent next.
    pub(crate) fn probe<I: Io<Buf = B>, H: Hooks>(&mut self, core: &mut Core<I, H>, id: LinkId) {
        let Some(up) = self.find_mut(id).and_then(Link::up_mut) else { return };
        let ping = up.liveness.probe(core.now).encode();
        let at_ns = up.liveness.deadline_ns();
        self.wait_until(id, at_ns);
        self.seal_small(core, id, FrameType::Ping, &ping, &plain_trailer(Flags::NONE));
    }

    /// Queues one small frame with its own trailer.
    pub(crate) fn send_small<I: Io<Buf = B>, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        id: LinkId,
        kind: FrameType,
        data: &[u8],
        trailer: &[u8],
    ) {
        self.seal_small(core, id, kind, data, trailer);
        self.pump(core, id);
    }

    fn seal_small<I: Io<Buf = B>, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        id: LinkId,
        kind: FrameType,
        data: &[u8],
        trailer: &[u8],
    ) {
        let now = core.now;
        let Some(link) = self.find_mut(id) else { return };
        let Phase::Up(up) = &mut link.phase else { return };
        up.announced = announces(trailer);
        let rekeyed = up.rekey_if_due(&mut core.hooks, now, &mut link.tx);
        core.hooks.sealing(&up.next_record(kind, trailer));
        let sealed = rekeyed.and_then(|()| up.sealer.seal_vec(kind, data, trailer));
        match sealed {
            Ok(frame) => {
                let (sent, session) = (true, up.peer.session);
                core.hooks.frame(&Frame { sent, session, kind: kind.number(), data });
                link.tx.push_bytes(frame);
            }
            Err(error) => self.fail(core, id, error.code(), "a message could not be sealed"),
        }
    }

    /// How many data slots may be queued on a link. Never two where a rate was asked for: the first may use it up, and
    /// who announced the second would have to send it before anything else.
    pub(crate) fn room<I: Io<Buf = B>, H: Hooks>(&self, core: &Core<I, H>, id: LinkId) -> u32 {
        match self.find(id) {
            Some(link) if link.is_up() => {
                let room = link.tx.room(core.settings.limits.slots_queued_max);
                let Some(mut tx) = link.rates.tx else { return room };
                if tx.allows(core.now.mono_ns) { room.min(1) } else { 0 }
            }
            _ => 0,
        }
    }

    /// Whether so much waits to be sent on a link that what can wait shall wait.
    pub(crate) fn is_backed_up<I: Io<Buf = B>, H: Hooks>(&self, core: &Core<I, H>, id: LinkId) -> bool {
        self.find(id)
            .is_some_and(|link| link.tx.queued() > core.settings.limits.buffers_per_direction as usize)
    }

    /// Whether nothing waits to be sent on a link.
    pub(crate) fn is_idle(&self, id: LinkId) -> bool {
        self.find(id).is_some_and(|link| link.tx.is_empty())
    }

    /// Seals `data_len` bytes of data at [`DATA_AT`] with their trailer in the slot and queues the frame.
    /// A link that is gone drops it.
    pub(crate) fn send_slot<I: Io<Buf = B>, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        id: LinkId,
        kind: FrameType,
        mut slot: B,
        data_len: u32,
        trailer: &[u8],
    ) {
        let now = core.now;
        let Some((link, waits)) = self.parts(id) else { return };
        let Phase::Up(up) = &mut link.phase else { return };
        // Nothing comes between a record that announces a full one and that one, not even a change of keys.
        let announced = core::mem::replace(&mut up.announced, announces(trailer));
        let rekeyed = if announced { Ok(()) } else { up.rekey_if_due(&mut core.hooks, now, &mut link.tx) };
        core.hooks.sealing(&up.next_record(kind, trailer));
        let sealed = rekeyed.and_then(|()| up.sealer.seal(kind, slot.as_mut(), data_len, trailer));
        match sealed {
            Ok((at, len)) => {
                if let Some(tx) = &mut link.rates.tx {
                    // Nothing further is sent before the debt is paid: that time is the rate's.
                    tx.allows(now.mono_ns);
                    let owed_from = tx.allows_at_ns();
                    tx.take(u64::from(len));
                    let at_ns = tx.allows_at_ns();
                    let waits_ns = at_ns.saturating_sub(owed_from.max(now.mono_ns));
                    link.stages.add(Stage::Bwlimit, waits_ns);
                    core.status.stages.add(Stage::Bwlimit, waits_ns);
                    waits.until(link, at_ns);
                }
                link.tx.push_slot(slot, at, len);
            }
            Err(error) => return self.fail(core, id, error.code(), "a record could not be sealed"),
        }
        self.pump(core, id);
    }

    /// Starts the next send.
    pub(crate) fn pump<I: Io<Buf = B>, H: Hooks>(&mut self, core: &mut Core<I, H>, id: LinkId) {
        let Some((link, waits)) = self.parts(id) else { return };
        let socket = link.socket;
        link.tx.pump(core, id, socket, false);
        if link.tx.hungry {
            waits.for_slot(link);
        }
    }

    /// A lent slot of this link was dropped.
    pub(crate) fn release<I: Io<Buf = B>, H: Hooks>(&mut self, core: &mut Core<I, H>, id: LinkId) {
        let Some(link) = self.find_mut(id) else { return };
        link.lent = link.lent.saturating_sub(1);
        if let Rx::Paused { full } = link.rx {
            self.receive(core, id, full);
        }
    }

    /// Begins to receive the next frame, or pauses.
    pub(crate) fn receive<I: Io<Buf = B>, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        id: LinkId,
        full: bool,
    ) {
        let most = core.settings.limits.buffers_per_direction;
        let full_len = full_frame_bytes(&core.settings.limits);
        let queued_max = u64::from(core.settings.limits.queued_bytes_max);
        let Some((link, waits)) = self.parts(id) else { return };
        let socket = link.socket;
        let now_ns = core.now.mono_ns;
        if link.rx.in_flight() {
            return;
        }
        if let Some(rx) = &mut link.rates.rx
            && !rx.allows(now_ns)
        {
            let at_ns = rx.allows_at_ns();
            link.rx = Rx::Paused { full };
            return waits.until(link, at_ns);
        }
        // Whoever does not read what it asked for is not asked for more.
        if link.lent >= most || link.tx.queued_bytes() > queued_max {
            link.rx = Rx::Paused { full };
            return;
        }
        if !full {
            link.rx = Rx::Head;
            core.start(Owner::LinkRx(id), Op::Head { socket, at: 0 });
            return;
        }
        let Some(buf) = core.io.take() else {
            link.rx = Rx::WaitFull;
            return waits.for_slot(link);
        };
        link.rx = Rx::Full;
        link.receiving = core.sample();
        if link.is_up() {
            link.deadline_ns = core.now.mono_ns + core.settings.limits.record_ms * MS;
            waits.until(link, link.deadline_ns);
        }
        // A socket that cannot take the mark still delivers the record, in more pieces.
        let _ = core.io.set_low_water(socket, full_len);
        core.start(Owner::LinkRx(id), Op::Recv { socket, buf, at: HEADER_AT, len: full_len });
    }

    /// A receive ended.
    pub(crate) fn on_rx<I: Io<Buf = B>, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        id: LinkId,
        finish: Finish<B>,
    ) {
        let Some(link) = self.find_mut(id) else { return };
        let mut began = link.receiving.take();
        core.timed(&mut link.stages, Stage::Receive, &mut began);
        let state = core::mem::replace(&mut link.rx, Rx::Idle);
        if matches!(link.phase, Phase::Closing) {
            return self.on_drained(core, id, state, finish);
        }
        core.settings.wire.fetch_add(u64::from(finish.result.unwrap_or(0)), Ordering::Relaxed);
        let count = match finish.result {
            Ok(count) => count,
            Err(errno) => {
                link.rx = Rx::Over;
                return self.lost(core, id, errno);
            }
        };
        match (state, finish.yields, finish.slot) {
            (Rx::Head, Yield::Head(_), _) if count == 0 => {
                link.rx = Rx::Over;
                self.down(core, id, None, "the peer closed the connection");
            }
            (Rx::Head, Yield::Head(header), _) if count == HEADER_BYTES => self.on_header(core, id, header),
            (Rx::Body { header, length }, _, Some(slot)) if count == length => {
                self.on_frame(core, id, header, length, slot);
            }
            (Rx::Full, _, Some(slot)) if count == full_frame_bytes(&core.settings.limits) => {
                let header = header_of(slot.as_ref());
                let socket = link.socket;
                let _ = core.io.set_low_water(socket, 1);
                match Header::parse(&header, &core.settings.limits) {
                    Ok(parsed) if parsed.length + HEADER_BYTES == count => {
                        self.on_frame(core, id, header, parsed.length, slot);
                    }
                    _ => self.fail(
                        core,
                        id,
                        Code::InvalidRequest,
                        "a full chunk was announced and did not come",
                    ),
                }
            }
            _ => {
                if let Some(link) = self.find_mut(id) {
                    link.rx = Rx::Over;
                }
                self.down(core, id, Some(Code::ConnectionLost), "the connection ended within a record");
            }
        }
    }

    fn on_header<I: Io<Buf = B>, H: Hooks>(&mut self, core: &mut Core<I, H>, id: LinkId, header: [u8; 12]) {
        let record_ms = core.settings.limits.record_ms;
        let Some(link) = self.find_mut(id) else { return };
        let parsed = match &link.phase {
            Phase::Handshake(Shaking::Initiator(machine), _) => machine.on_header(&header),
            Phase::Handshake(Shaking::Responder(machine), _) => machine.on_header(&header),
            _ => Header::parse(&header, &core.settings.limits).map_err(HandshakeError::from),
        };
        let parsed = match parsed {
            Ok(parsed) => parsed,
            Err(error) => return self.fail(core, id, error.code(), &error.detail()),
        };
        let Some((link, waits)) = self.parts(id) else { return };
        if link.is_up() {
            link.deadline_ns = core.now.mono_ns + record_ms * MS;
            waits.until(link, link.deadline_ns);
        }
        self.receive_body(core, id, header, parsed.length);
    }

    pub(crate) fn receive_body<I: Io<Buf = B>, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        id: LinkId,
        header: [u8; 12],
        length: u32,
    ) {
        let Some((link, waits)) = self.parts(id) else { return };
        if length == 0 {
            return self.fail(core, id, Code::InvalidRequest, "an empty frame");
        }
        let Some(buf) = core.io.take() else {
            link.rx = Rx::WaitSlot { header, length };
            return waits.for_slot(link);
        };
        link.rx = Rx::Body { header, length };
        link.receiving = if length > SAMPLED_FROM { core.sample() } else { None };
        let socket = link.socket;
        core.start(Owner::LinkRx(id), Op::Recv { socket, buf, at: DATA_AT, len: length });
    }

    fn on_frame<I: Io<Buf = B>, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        id: LinkId,
        header: [u8; 12],
        length: u32,
        mut slot: B,
    ) {
        let Some(link) = self.find_mut(id) else { return };
        let payload = &mut slot.as_mut()[DATA_AT as usize..(DATA_AT + length) as usize];
        match &mut link.phase {
            Phase::Handshake(..) => {
                let bytes = payload.to_vec();
                drop(slot);
                self.on_handshake_frame(core, id, header, bytes);
            }
            Phase::Up(up) => {
                link.deadline_ns = u64::MAX;
                let mut from = if length > SAMPLED_FROM { core.sample() } else { None };
                let opened = up.opener.open(&header, payload);
                core.timed(&mut link.stages, Stage::Open, &mut from);
                match opened {
                    Ok(opened) => {
                        up.liveness.on_received(core.now);
                        if let Some(rx) = &mut link.rates.rx {
                            rx.take(u64::from(length));
                        }
                        let (kind, data_len, trailer) = (opened.kind, opened.data_len, opened.trailer);
                        self.on_opened(core, id, kind, slot, data_len, trailer);
                    }
                    Err(error) => self.fail(core, id, error.code(), "a record did not open"),
                }
            }
            Phase::Closing => {}
        }
    }

    fn on_opened<I: Io<Buf = B>, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        id: LinkId,
        kind: FrameType,
        slot: B,
        data_len: u32,
        trailer: Trailer,
    ) {
        let full = trailer.flags().full();
        let data = &slot.as_ref()[DATA_AT as usize..(DATA_AT + data_len) as usize];
        match kind {
            FrameType::Chunk | FrameType::Pack => {
                if let Some(link) = self.find_mut(id) {
                    link.lent += 1;
                }
                core.events.push_back(LinkEvent::Frame { link: id, kind, slot, data_len, trailer });
            }
            FrameType::Entries
            | FrameType::Want
            | FrameType::Pieces
            | FrameType::Manifest
            | FrameType::Seal
            | FrameType::Ack
            | FrameType::Times
            | FrameType::Receipt => {
                if let Some(up) = self.find(id).and_then(Link::up) {
                    let (sent, session) = (false, up.peer.session);
                    core.hooks.frame(&Frame { sent, session, kind: kind.number(), data });
                }
                core.events.push_back(LinkEvent::Frame { link: id, kind, slot, data_len, trailer });
            }
            _ => {
                let flags = trailer.flags();
                let owned = data.to_vec();
                drop(slot);
                if !self.on_session_frame(core, id, kind, &owned, flags) {
                    return;
                }
            }
        }
        self.receive(core, id, full);
    }

    /// Frames of the session itself. Returns whether to receive on.
    fn on_session_frame<I: Io<Buf = B>, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        id: LinkId,
        kind: FrameType,
        data: &[u8],
        flags: Flags,
    ) -> bool {
        let Some(Up { controls, opener, liveness, .. }) = self.find_mut(id).and_then(Link::up_mut) else {
            return false;
        };
        match kind {
            FrameType::Control => match controls.push(data, flags) {
                Ok(Some(bytes)) => core.events.push_back(LinkEvent::Control { link: id, bytes }),
                Ok(None) => {}
                Err(error) => {
                    self.fail(core, id, error.code(), "a control message exceeds control_bytes_max");
                    return false;
                }
            },
            FrameType::Ping => match Beat::parse(data) {
                Ok(ping) => {
                    let pong = liveness.on_ping(ping, core.now).encode();
                    self.send_bytes(core, id, FrameType::Pong, &pong);
                }
                Err(error) => {
                    self.fail(core, id, error.code(), "a malformed ping");
                    return false;
                }
            },
            FrameType::Pong => {
                let (now, before) = (core.now, liveness.is_healthy());
                if !Beat::parse(data).is_ok_and(|pong| liveness.on_pong(pong, now).is_ok()) {
                    self.fail(core, id, Code::InvalidRequest, "a pong without its ping");
                    return false;
                }
                if !before {
                    core.events.push_back(LinkEvent::Healthy(id));
                }
            }
            FrameType::KeyUpdate => opener.on_key_update(),
            FrameType::Close => {
                match Close::parse(data) {
                    Ok(close) => self.down(core, id, Some(close.code), &close.detail),
                    Err(error) => self.down(core, id, Some(error.code()), "a malformed close"),
                }
                return false;
            }
            FrameType::Ignorable(_) => {}
            _ => {
                self.fail(core, id, Code::InvalidRequest, "a frame that does not belong here");
                return false;
            }
        }
        true
    }

    /// A send ended.
    pub(crate) fn on_tx<I: Io<Buf = B>, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        id: LinkId,
        finish: Finish<B>,
    ) {
        drop(finish.slot);
        let Some(link) = self.find_mut(id) else { return };
        let bytes = finish.result.unwrap_or(0);
        let mut from = link.tx.sampled.take();
        core.timed(&mut link.stages, Stage::Send, &mut from);
        core.settings.wire.fetch_add(u64::from(bytes), Ordering::Relaxed);
        let was_slot = link.tx.on_sent(core, bytes);
        match finish.result {
            Ok(0) | Err(_) => {
                link.tx.abandon();
                let errno = finish.result.err().unwrap_or(Errno::PIPE);
                self.lost(core, id, errno);
            }
            Ok(_) => {
                if was_slot {
                    core.events.push_back(LinkEvent::Room(id));
                }
                if let Rx::Paused { full } = link.rx {
                    self.receive(core, id, full);
                }
                self.pump(core, id);
                self.settle(core, id);
            }
        }
    }

    pub(crate) fn lost<I: Io<Buf = B>, H: Hooks>(&mut self, core: &mut Core<I, H>, id: LinkId, errno: Errno) {
        let code = match Code::from_errno(errno) {
            Code::Io => Code::ConnectionLost,
            code => code,
        };
        self.down(core, id, Some(code), &format!("the connection was lost (error {})", errno.0));
    }

    /// Tells a stream's home that it stands.
    pub(crate) fn tell_home<I: Io<Buf = B>, H: Hooks>(&self, core: &mut Core<I, H>, stream: LinkId) {
        if let Some(Link { role: Role::Stream { session, home, index }, .. }) = self.find(stream) {
            let mail = Mail::StreamUp { session: *session, core: core.id, stream, index: *index };
            core.post(*home, mail);
        }
    }
}
