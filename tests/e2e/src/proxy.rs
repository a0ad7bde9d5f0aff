//! A wire that can be cut, held, slowed and corrupted at a chosen byte, and that counts what passes.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::program::HANG;

/// Which way bytes go.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Direction {
    /// From the client to the daemon.
    Up,
    /// From the daemon to the client.
    Down,
}

/// What one connection carried.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Carried {
    /// Bytes from the client to the daemon.
    pub up: u64,
    /// Bytes from the daemon to the client.
    pub down: u64,
}

#[derive(Default)]
struct State {
    target: Option<SocketAddr>,
    connections: Vec<Carried>,
    sockets: Vec<TcpStream>,
    held: bool,
    hold_at: Option<(Direction, u64)>,
    cut_at: Option<(Direction, u64)>,
    flip_at: Option<(Direction, u64)>,
    bytes_per_second: Option<u64>,
    closed: bool,
}

impl State {
    fn holds(&self, direction: Direction) -> bool {
        self.held || self.hold_at.is_some_and(|(way, at)| way == direction && self.total(way) >= at)
    }

    fn total(&self, direction: Direction) -> u64 {
        self.connections.iter().map(|one| if direction == Direction::Up { one.up } else { one.down }).sum()
    }
}

/// A proxy on loopback.
pub struct Proxy {
    /// Where it listens.
    pub addr: SocketAddr,
    shared: Arc<(Mutex<State>, Condvar)>,
}

impl Proxy {
    /// Between its own port and `target`.
    pub fn new(target: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a loopback port");
        let addr = listener.local_addr().expect("a bound listener");
        let shared =
            Arc::new((Mutex::new(State { target: Some(target), ..State::default() }), Condvar::new()));
        let accepting = Arc::clone(&shared);
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                if lock(&accepting).closed {
                    break;
                }
                let _ = carry(client, &accepting);
            }
        });
        Self { addr, shared }
    }

    /// Sends further connections elsewhere.
    pub fn retarget(&self, target: SocketAddr) {
        lock(&self.shared).target = Some(target);
    }

    /// Cuts every connection once `bytes` in all passed in this direction.
    pub fn cut_after(&self, direction: Direction, bytes: u64) {
        lock(&self.shared).cut_at = Some((direction, bytes));
    }

    /// Inverts one bit of the byte at this offset of all that passes in this direction; once.
    pub fn flip_at(&self, direction: Direction, offset: u64) {
        lock(&self.shared).flip_at = Some((direction, offset));
    }

    /// Passes at most that many bytes a second on each connection and direction; `None`: all.
    pub fn slow(&self, bytes_per_second: Option<u64>) {
        lock(&self.shared).bytes_per_second = bytes_per_second;
    }

    /// Holds all bytes back until [`Proxy::release`].
    pub fn hold(&self) {
        lock(&self.shared).held = true;
    }

    /// Holds back what comes once `bytes` in all passed in this direction, until [`Proxy::release`].
    pub fn hold_after(&self, direction: Direction, bytes: u64) {
        lock(&self.shared).hold_at = Some((direction, bytes));
    }

    /// Lets bytes pass again.
    pub fn release(&self) {
        let mut state = lock(&self.shared);
        (state.held, state.hold_at) = (false, None);
        drop(state);
        self.shared.1.notify_all();
    }

    /// Cuts every connection that stands.
    pub fn cut(&self) {
        cut(&mut lock(&self.shared));
        self.shared.1.notify_all();
    }

    /// Waits until `bytes` in all passed in this direction; false when it takes longer than a hang.
    pub fn wait_for(&self, direction: Direction, bytes: u64) -> bool {
        let state = lock(&self.shared);
        let waited = self.shared.1.wait_timeout_while(state, HANG, |state| state.total(direction) < bytes);
        !waited.unwrap_or_else(PoisonError::into_inner).1.timed_out()
    }

    /// What each connection carried, in the order they came.
    pub fn carried(&self) -> Vec<Carried> {
        lock(&self.shared).connections.clone()
    }

    /// Bytes in all in this direction.
    pub fn total(&self, direction: Direction) -> u64 {
        lock(&self.shared).total(direction)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        {
            let mut state = lock(&self.shared);
            state.closed = true;
            (state.held, state.hold_at) = (false, None);
            cut(&mut state);
        }
        self.shared.1.notify_all();
        let _ = TcpStream::connect(self.addr);
    }
}

fn lock(shared: &(Mutex<State>, Condvar)) -> MutexGuard<'_, State> {
    shared.0.lock().unwrap_or_else(PoisonError::into_inner)
}

fn cut(state: &mut State) {
    for socket in state.sockets.drain(..) {
        let _ = socket.shutdown(Shutdown::Both);
    }
}

fn carry(client: TcpStream, shared: &Arc<(Mutex<State>, Condvar)>) -> std::io::Result<()> {
    let mut state = lock(shared);
    let target = state.target.ok_or(std::io::ErrorKind::NotConnected)?;
    let server = TcpStream::connect(target)?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let index = state.connections.len();
    state.connections.push(Carried::default());
    state.sockets.extend([client.try_clone()?, server.try_clone()?]);
    drop(state);
    for (from, to, direction) in
        [(client.try_clone()?, server.try_clone()?, Direction::Up), (server, client, Direction::Down)]
    {
        let shared = Arc::clone(shared);
        std::thread::spawn(move || pass(from, to, direction, index, &shared));
    }
    Ok(())
}

fn pass(
    mut from: TcpStream,
    mut to: TcpStream,
    direction: Direction,
    index: usize,
    shared: &(Mutex<State>, Condvar),
) {
    let mut piece = vec![0; 64 << 10];
    while let Ok(read @ 1..) = from.read(&mut piece) {
        let Some(len) = admit(&mut piece[..read], direction, index, shared) else { break };
        if to.write_all(&piece[..len]).is_err() {
            break;
        }
        shared.1.notify_all();
        if len < read {
            cut(&mut lock(shared));
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Write);
    let _ = from.shutdown(Shutdown::Read);
}

/// Applies what was asked for to one piece; how much of it may pass. `None`: the connection is cut.
fn admit(
    piece: &mut [u8],
    direction: Direction,
    index: usize,
    shared: &(Mutex<State>, Condvar),
) -> Option<usize> {
    let mut state = shared
        .1
        .wait_while(lock(shared), |state| state.holds(direction))
        .unwrap_or_else(PoisonError::into_inner);
    if let Some(rate) = state.bytes_per_second {
        let pause = Duration::from_nanos(piece.len() as u64 * 1_000_000_000 / rate.max(1));
        let paused = shared
            .1
            .wait_timeout_while(state, pause, |state| !state.closed && state.bytes_per_second.is_some());
        state = paused.unwrap_or_else(PoisonError::into_inner).0;
    }
    let before = state.total(direction);
    let mut len = piece.len();
    if let Some((_, at)) = state.cut_at.filter(|(way, at)| *way == direction && before + len as u64 >= *at) {
        len = at.saturating_sub(before) as usize;
        state.cut_at = None;
        if len == 0 {
            cut(&mut state);
            return None;
        }
        // The caller sees a shortened piece and cuts.
        len = len.min(piece.len() - 1);
    }
    let range = before..before + len as u64;
    if let Some((_, at)) = state.flip_at.filter(|(way, at)| *way == direction && range.contains(at)) {
        piece[(at - before) as usize] ^= 1;
        state.flip_at = None;
    }
    let carried = &mut state.connections[index];
    match direction {
        Direction::Up => carried.up += len as u64,
        Direction::Down => carried.down += len as u64,
    }
    Some(len)
}
