//! A network of byte pipes that behaves as TCP sockets do, seen through system calls.
//!
//! A connection has two sides; each side has a pipe of bytes coming in. What a peer sent lies in the pipe
//! at once and is seen once it *arrived*, perhaps in pieces. A receive is ready at the low-water mark (or at
//! its own length, where that is less), at the end of the stream, at an error, or when the pipe is full. A
//! cut lets part of what is on its way arrive, then resets both sides.

use crate::random::Random;
use crate::world::EndId;
use base::ids::CoreId;
use base::io::Errno;
use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;

/// Bytes a pipe holds where nothing asks for less.
pub(crate) const PIPE_BYTES: usize = 64 << 10;
/// Connections waiting for an accept, at most, per listener.
const BACKLOG_MAX: usize = 128;

/// One side of one connection.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Socket {
    /// Which connection.
    pub connection: u64,
    /// 0: the side that connected; 1: the side that accepted.
    pub side: usize,
}

impl Socket {
    /// The other side.
    pub fn peer(self) -> Self {
        Self { side: 1 - self.side, ..self }
    }
}

#[derive(Default, Debug)]
struct Pipe {
    bytes: VecDeque<u8>,
    arrived: usize,
    capacity: usize,
    fin_sent: bool,
    fin_arrived: bool,
    arriving: bool,
    stalled_until: u64,
}

#[derive(Debug)]
struct Side {
    end: EndId,
    address: SocketAddr,
    open: bool,
    /// Its machine is off: nothing is answered, nothing is told.
    vanished: bool,
    shut_read: bool,
    /// The connection was reset; `error` is reported once.
    reset: bool,
    error: Option<Errno>,
    low_water: u32,
    incoming: Pipe,
    readers: VecDeque<u64>,
    writers: VecDeque<u64>,
}

#[derive(Debug)]
struct Listener {
    end: EndId,
    core: CoreId,
    address: SocketAddr,
    queue: VecDeque<u64>,
    accepters: VecDeque<u64>,
}

/// Every socket of the world.
#[derive(Default, Debug)]
pub struct Network {
    connections: BTreeMap<u64, [Side; 2]>,
    listeners: BTreeMap<u64, Listener>,
    next: u64,
}

/// Which operations wait on a socket.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Waiters {
    Readers,
    Writers,
}

impl Network {
    /// A listening socket of one core; several on one address share its connections (SO_REUSEPORT).
    pub fn listen(&mut self, end: EndId, core: CoreId, address: SocketAddr) -> u64 {
        self.next += 1;
        let listener = Listener { end, core, address, queue: VecDeque::new(), accepters: VecDeque::new() };
        self.listeners.insert(self.next, listener);
        self.next
    }

    /// A connection to one of the listeners of `to`, in that listener's queue.
    ///
    /// # Errors
    /// ECONNREFUSED without a listener, ETIMEDOUT when its queue is full.
    pub fn connect(
        &mut self,
        end: EndId,
        from: SocketAddr,
        to: SocketAddr,
        pipe_bytes: usize,
        random: &mut Random,
    ) -> Result<(Socket, u64), Errno> {
        let there: Vec<u64> =
            self.listeners.iter().filter(|(_, one)| one.address == to).map(|(&id, _)| id).collect();
        if there.is_empty() {
            return Err(Errno::CONNREFUSED);
        }
        let chosen = there[random.index(there.len())];
        let connection = self.next + 1;
        let listener = self.listeners.get_mut(&chosen).ok_or(Errno::CONNREFUSED)?;
        if listener.queue.len() >= BACKLOG_MAX {
            return Err(Errno::TIMEDOUT);
        }
        listener.queue.push_back(connection);
        let sides = [(end, from), (listener.end, to)].map(|(end, address)| Side {
            end,
            address,
            open: true,
            vanished: false,
            shut_read: false,
            reset: false,
            error: None,
            low_water: 1,
            incoming: Pipe { capacity: pipe_bytes, ..Pipe::default() },
            readers: VecDeque::new(),
            writers: VecDeque::new(),
        });
        self.next = connection;
        self.connections.insert(connection, sides);
        Ok((Socket { connection, side: 0 }, chosen))
    }

    /// The next connection of a listener, and where it comes from.
    pub fn accept(&mut self, listener: u64) -> Option<(Socket, SocketAddr)> {
        let connection = self.listeners.get_mut(&listener)?.queue.pop_front()?;
        let from = self.connections.get(&connection)?[0].address;
        Some((Socket { connection, side: 1 }, from))
    }

    fn side(&self, socket: Socket) -> Option<&Side> {
        Some(&self.connections.get(&socket.connection)?[socket.side])
    }

    fn side_mut(&mut self, socket: Socket) -> Option<&mut Side> {
        Some(&mut self.connections.get_mut(&socket.connection)?[socket.side])
    }

    /// Receives what arrived; `None`: not ready. With `eager` one byte is enough, as for a receive that is
    /// tried before it is polled.
    pub fn receive(&mut self, socket: Socket, out: &mut [u8], eager: bool) -> Option<Result<usize, Errno>> {
        let Some(side) = self.side_mut(socket) else { return Some(Err(Errno::CONNRESET)) };
        let pipe = &mut side.incoming;
        let mark = (side.low_water as usize).min(out.len()).min(pipe.capacity);
        let enough = if eager { 1 } else { mark.max(1) };
        let ended = pipe.fin_arrived || side.shut_read || side.reset;
        if pipe.arrived < enough && !ended {
            return None;
        }
        if pipe.arrived == 0 {
            return Some(side.error.take().map_or(Ok(0), Err));
        }
        let len = out.len().min(pipe.arrived);
        for (slot, byte) in out.iter_mut().zip(pipe.bytes.drain(..len)) {
            *slot = byte;
        }
        pipe.arrived -= len;
        Some(Ok(len))
    }

    /// Sends what fits; `None`: nothing fits.
    pub fn send(&mut self, socket: Socket, bytes: &[u8]) -> Option<Result<usize, Errno>> {
        let Some(sides) = self.connections.get_mut(&socket.connection) else {
            return Some(Err(Errno::PIPE));
        };
        let [me, peer] = if socket.side == 0 { [0, 1] } else { [1, 0] };
        if let Some(errno) = sides[me].error.take() {
            return Some(Err(errno));
        }
        if sides[me].reset || sides[peer].incoming.fin_sent {
            return Some(Err(Errno::PIPE));
        }
        if !sides[peer].open && !sides[peer].vanished {
            // Nobody is there any more: the bytes leave, a reset comes back.
            reset(&mut sides[me]);
            return Some(Ok(bytes.len()));
        }
        let pipe = &mut sides[peer].incoming;
        let len = bytes.len().min(pipe.capacity - pipe.bytes.len().min(pipe.capacity));
        if len == 0 {
            return None;
        }
        pipe.bytes.extend(&bytes[..len]);
        Some(Ok(len))
    }

    /// Whether something is on its way to this side and no arrival is planned; it then counts as planned.
    pub(crate) fn plan_arrival(&mut self, socket: Socket) -> bool {
        let Some(side) = self.side_mut(socket) else { return false };
        let pipe = &mut side.incoming;
        let waits = pipe.arrived < pipe.bytes.len() || (pipe.fin_sent && !pipe.fin_arrived);
        if pipe.arriving || !waits || side.vanished {
            return false;
        }
        pipe.arriving = true;
        true
    }

    /// All that is on its way arrives, or with `random` a piece of it. `Some(time)`: it is stalled until then.
    pub(crate) fn arrive(&mut self, socket: Socket, now_ns: u64, random: Option<&mut Random>) -> Option<u64> {
        let side = self.side_mut(socket)?;
        let pipe = &mut side.incoming;
        pipe.arriving = false;
        if pipe.stalled_until > now_ns {
            return Some(pipe.stalled_until);
        }
        let waiting = pipe.bytes.len() - pipe.arrived;
        pipe.arrived += match random {
            Some(random) if waiting > 0 => random.between(1, waiting as u64) as usize,
            _ => waiting,
        };
        pipe.fin_arrived = pipe.fin_sent && pipe.arrived == pipe.bytes.len();
        None
    }

    /// Nothing moves towards either side until `until_ns`.
    pub(crate) fn stall(&mut self, connection: u64, until_ns: u64) {
        for side in self.connections.get_mut(&connection).into_iter().flatten() {
            side.incoming.stalled_until = until_ns;
        }
    }

    /// Both sides are reset; a random part of what was on its way arrives.
    pub(crate) fn cut(&mut self, connection: u64, random: &mut Random) {
        for side in self.connections.get_mut(&connection).into_iter().flatten() {
            let pipe = &mut side.incoming;
            pipe.arrived += random.below((pipe.bytes.len() - pipe.arrived) as u64 + 1) as usize;
            reset(side);
        }
    }

    /// SO_RCVLOWAT; the pipe grows so that it can be reached.
    pub(crate) fn set_low_water(&mut self, socket: Socket, bytes: u32) {
        if let Some(side) = self.side_mut(socket) {
            side.low_water = bytes.max(1);
            side.incoming.capacity = side.incoming.capacity.max(bytes as usize * 2);
        }
    }

    /// shutdown(SHUT_RDWR), or SHUT_WR alone.
    pub(crate) fn shut(&mut self, socket: Socket, both: bool) {
        if let Some(side) = self.side_mut(socket) {
            side.shut_read |= both;
        }
        if let Some(peer) = self.side_mut(socket.peer()) {
            peer.incoming.fin_sent = true;
        }
    }

    /// The last descriptor is gone: bytes nobody read make it a reset, else it ends in order.
    pub(crate) fn close(&mut self, socket: Socket) {
        let Some(side) = self.side_mut(socket) else { return };
        side.open = false;
        let unread = !side.incoming.bytes.is_empty();
        if let Some(peer) = self.side_mut(socket.peer()) {
            if unread {
                reset(peer);
            } else {
                peer.incoming.fin_sent = true;
            }
            if !peer.open {
                self.connections.remove(&socket.connection);
            }
        }
    }

    /// A listener is gone; connections nobody accepted are reset. The sides told of it.
    pub(crate) fn close_listener(&mut self, listener: u64) -> Vec<Socket> {
        let queue = self.listeners.remove(&listener).map(|one| one.queue).unwrap_or_default();
        let mut told = Vec::new();
        for connection in queue {
            let socket = Socket { connection, side: 1 };
            if let Some(peer) = self.side_mut(socket.peer()) {
                reset(peer);
            }
            self.close(socket);
            told.push(socket.peer());
        }
        told
    }

    /// A machine is off: its side of every connection goes silent.
    pub(crate) fn vanish(&mut self, end: EndId) {
        self.listeners.retain(|_, one| one.end != end);
        for side in self.connections.values_mut().flatten().filter(|side| side.end == end) {
            side.vanished = true;
            side.open = false;
        }
        self.connections.retain(|_, sides| sides.iter().any(|side| side.open));
    }

    /// The machine is on again and knows none of its connections: who has sent to it is reset.
    pub(crate) fn reappear(&mut self, end: EndId) -> Vec<Socket> {
        let mut told = Vec::new();
        for (&connection, sides) in &mut self.connections {
            for side in 0..2 {
                if sides[side].end != end || !sides[side].vanished {
                    continue;
                }
                sides[side].vanished = false;
                if !sides[side].incoming.bytes.is_empty() || sides[side].incoming.fin_sent {
                    reset(&mut sides[1 - side]);
                    told.push(Socket { connection, side: 1 - side });
                }
            }
        }
        told
    }

    /// Sockets of connections that still exist, for tests that cut one.
    pub fn connections(&self) -> Vec<u64> {
        self.connections.keys().copied().collect()
    }

    /// Whose core a listener belongs to.
    pub(crate) fn listener_core(&self, listener: u64) -> Option<CoreId> {
        self.listeners.get(&listener).map(|one| one.core)
    }

    pub(crate) fn waiters(&mut self, socket: Socket, which: Waiters) -> Option<&mut VecDeque<u64>> {
        let side = self.side_mut(socket)?;
        Some(match which {
            Waiters::Readers => &mut side.readers,
            Waiters::Writers => &mut side.writers,
        })
    }

    pub(crate) fn accepters(&mut self, listener: u64) -> Option<&mut VecDeque<u64>> {
        self.listeners.get_mut(&listener).map(|one| &mut one.accepters)
    }

    /// Bytes that arrived and were not received, for tests.
    pub fn arrived(&self, socket: Socket) -> usize {
        self.side(socket).map_or(0, |side| side.incoming.arrived)
    }
}

/// A reset arrives: what had arrived can still be read, what was on its way is lost.
fn reset(side: &mut Side) {
    if side.reset {
        return;
    }
    side.reset = true;
    side.error = Some(Errno::CONNRESET);
    let arrived = side.incoming.arrived;
    side.incoming.bytes.truncate(arrived);
}
