//! Socket operations: tried at once, and again when epoll says so.

use super::{Held, Threads};
use crate::arena::Buf;
use crate::error::errno;
use crate::pool::close;
use crate::slots::Key;
use crate::sockets::{borrow, outgoing, settle};
use base::io::{Errno, Fd, Op, Out, Token};
use rustix::event::epoll;
use rustix::fd::{BorrowedFd, IntoRawFd};
use rustix::net::{RecvFlags, SendFlags, SocketFlags, acceptfrom_with, connect, recv, send, sockopt};
use std::collections::VecDeque;
use std::net::SocketAddr;

/// EBADF: a descriptor that is none.
const BADF: Errno = Errno(9);

/// The operations waiting for one socket, in order.
#[derive(Default)]
pub(super) struct Waiting {
    readers: VecDeque<Key>,
    writers: VecDeque<Key>,
    /// It is in the epoll, as far as this core knows.
    registered: bool,
}

/// What one attempt gave.
enum Tried {
    Wait,
    Ended(Result<u32, Errno>, Out<Buf>),
}

impl Threads {
    /// Starts an operation on a socket.
    pub(super) fn start_socket(&mut self, key: Key, token: Token, op: Op<Buf>) {
        let (socket, held, at_once) = match op {
            Op::Accept { listener } => {
                set_nonblocking(listener.0);
                (listener.0, Held::Accept { listener: listener.0 }, true)
            }
            Op::Connect { to } => match begin_connect(to) {
                Ok(socket) => {
                    self.forget_socket(socket);
                    self.ground.notes.forget(socket);
                    (socket, Held::Connect { socket }, false)
                }
                Err(error) => return self.end_now(token, Err(error), None, Out::Nothing),
            },
            Op::Head { socket, at } => {
                assert!(at < 12, "a header has 12 bytes");
                let at_once = !self.ground.waits_for_low_water(socket, u32::from(12 - at));
                (socket.0, Held::Head { socket: socket.0, at }, at_once)
            }
            Op::Recv { socket, buf, at, len } => {
                buf.span(at, len);
                let at_once = !self.ground.waits_for_low_water(socket, len);
                (socket.0, Held::Recv { socket: socket.0, buf, at, len }, at_once)
            }
            Op::Send { socket, buf, at, len, zc: _ } => {
                buf.span(at, len);
                (socket.0, Held::Send { socket: socket.0, buf, at, len }, true)
            }
            _ => unreachable!("started elsewhere"),
        };
        let writes = matches!(held, Held::Connect { .. } | Held::Send { .. });
        self.slots.fill(key, token, held);
        // Behind others on the same socket and direction it must wait for its turn.
        let first = self.waiting.get(&socket).is_none_or(|waiting| {
            if writes { waiting.writers.is_empty() } else { waiting.readers.is_empty() }
        });
        if at_once && first && self.attempt(key) {
            return;
        }
        let waiting = self.waiting.entry(socket).or_default();
        let queue = if writes { &mut waiting.writers } else { &mut waiting.readers };
        queue.push_back(key);
        self.arm(socket);
    }

    /// Tries once; whether the operation ended.
    fn attempt(&mut self, key: Key) -> bool {
        let tried = match self.slots.held(key) {
            Some(Held::Accept { listener }) => accept(*listener),
            Some(Held::Connect { socket }) => connected(*socket),
            Some(Held::Head { socket, at }) => receive_head(*socket, *at),
            Some(Held::Recv { socket, buf, at, len }) => {
                receive(*socket, &mut buf.as_mut()[*at as usize..(*at + *len) as usize])
            }
            Some(Held::Send { socket, buf, at, len }) => {
                transmit(*socket, &buf.as_ref()[*at as usize..(*at + *len) as usize])
            }
            _ => return true,
        };
        match tried {
            Tried::Wait => false,
            Tried::Ended(result, out) => {
                if let Out::Accepted { socket, .. } = &out {
                    self.forget_socket(socket.0);
                    self.ground.notes.forget(socket.0);
                }
                self.end(key, result, out);
                true
            }
        }
    }

    /// Asks epoll for one event of what the socket's operations wait for.
    fn arm(&mut self, socket: i32) {
        let Some(waiting) = self.waiting.get_mut(&socket) else { return };
        let mut flags = epoll::EventFlags::ONESHOT;
        if !waiting.readers.is_empty() {
            flags |= epoll::EventFlags::IN | epoll::EventFlags::RDHUP;
        }
        if !waiting.writers.is_empty() {
            flags |= epoll::EventFlags::OUT;
        }
        if waiting.readers.is_empty() && waiting.writers.is_empty() {
            return;
        }
        let data = epoll::EventData::new_u64(socket as u64);
        let result = match borrow(socket) {
            None => Err(rustix::io::Errno::BADF),
            Some(fd) if waiting.registered => match epoll::modify(&self.epoll, fd, data, flags) {
                // Another core closed it and the number came back.
                Err(rustix::io::Errno::NOENT) => epoll::add(&self.epoll, fd, data, flags),
                result => result,
            },
            Some(fd) => match epoll::add(&self.epoll, fd, data, flags) {
                Err(rustix::io::Errno::EXIST) => epoll::modify(&self.epoll, fd, data, flags),
                result => result,
            },
        };
        match result {
            Ok(()) => waiting.registered = true,
            Err(error) => self.fail_waiting(socket, errno(error)),
        }
    }

    /// epoll reported the socket.
    pub(super) fn on_ready(&mut self, socket: i32, flags: epoll::EventFlags) {
        let broken = flags.intersects(epoll::EventFlags::ERR | epoll::EventFlags::HUP);
        if broken || flags.intersects(epoll::EventFlags::IN | epoll::EventFlags::RDHUP) {
            self.attempt_queue(socket, false);
        }
        if broken || flags.contains(epoll::EventFlags::OUT) {
            self.attempt_queue(socket, true);
        }
        self.arm(socket);
    }

    fn attempt_queue(&mut self, socket: i32, writes: bool) {
        while let Some(key) = self.queue(socket, writes).and_then(|queue| queue.front().copied()) {
            if !self.attempt(key) {
                return;
            }
            if let Some(queue) = self.queue(socket, writes) {
                queue.pop_front();
            }
        }
    }

    fn queue(&mut self, socket: i32, writes: bool) -> Option<&mut VecDeque<Key>> {
        let waiting = self.waiting.get_mut(&socket)?;
        Some(if writes { &mut waiting.writers } else { &mut waiting.readers })
    }

    /// Ends whatever waits for the socket.
    fn fail_waiting(&mut self, socket: i32, error: Errno) {
        let Some(waiting) = self.waiting.remove(&socket) else { return };
        for key in waiting.readers.into_iter().chain(waiting.writers) {
            self.fail(key, error);
        }
    }

    fn fail(&mut self, key: Key, error: Errno) {
        let out = match self.slots.held(key) {
            Some(Held::Head { .. }) => Out::Head([0; 12]),
            Some(Held::Connect { socket }) => {
                let _ = close(*socket);
                Out::Nothing
            }
            _ => Out::Nothing,
        };
        self.end(key, Err(error), out);
    }

    /// The number is closed, or was just given out.
    pub(super) fn forget_socket(&mut self, socket: i32) {
        self.fail_waiting(socket, Errno::CANCELED);
    }

    pub(super) fn cancel_socket(&mut self, key: Key) {
        let socket = match self.slots.held(key) {
            Some(Held::Accept { listener }) => *listener,
            Some(Held::Connect { socket } | Held::Head { socket, .. }) => *socket,
            Some(Held::Recv { socket, .. } | Held::Send { socket, .. }) => *socket,
            _ => return,
        };
        if let Some(waiting) = self.waiting.get_mut(&socket) {
            waiting.readers.retain(|other| *other != key);
            waiting.writers.retain(|other| *other != key);
        }
        if matches!(self.slots.held(key), Some(Held::Connect { .. })) {
            // The socket goes with it, and the epoll's entry with the socket.
            self.waiting.remove(&socket);
        }
        self.fail(key, Errno::CANCELED);
    }
}

fn set_nonblocking(listener: i32) {
    use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
    let Some(listener) = borrow(listener) else { return };
    if let Ok(flags) = fcntl_getfl(listener)
        && !flags.contains(OFlags::NONBLOCK)
    {
        let _ = fcntl_setfl(listener, flags | OFlags::NONBLOCK);
    }
}

fn begin_connect(to: SocketAddr) -> Result<i32, Errno> {
    let socket = outgoing(to, true)?;
    match connect(borrow(socket).ok_or(BADF)?, &to) {
        Ok(()) | Err(rustix::io::Errno::INPROGRESS) => Ok(socket),
        Err(error) => {
            let _ = close(socket);
            Err(errno(error))
        }
    }
}

/// After epoll reported the socket: SO_ERROR says how connecting ended.
fn connected(socket: i32) -> Tried {
    let error = match borrow(socket).map(sockopt::socket_error) {
        Some(Ok(Ok(()))) => {
            settle(Fd(socket));
            return Tried::Ended(Ok(0), Out::Connected(Fd(socket)));
        }
        Some(Ok(Err(error)) | Err(error)) => errno(error),
        None => BADF,
    };
    let _ = close(socket);
    Tried::Ended(Err(error), Out::Nothing)
}

fn accept(listener: i32) -> Tried {
    attempt(
        listener,
        |fd| acceptfrom_with(fd, SocketFlags::CLOEXEC),
        |result| match result {
            Ok((socket, from)) => {
                let socket = socket.into_raw_fd();
                settle(Fd(socket));
                let unknown = SocketAddr::from(([0, 0, 0, 0], 0));
                let from = from.and_then(|from| from.try_into().ok()).unwrap_or(unknown);
                (Ok(0), Out::Accepted { socket: Fd(socket), from })
            }
            Err(error) => (Err(error), Out::Nothing),
        },
    )
}

fn receive_head(socket: i32, at: u8) -> Tried {
    let mut head = [0; 12];
    match receive(socket, &mut head[usize::from(at)..]) {
        Tried::Ended(result, _) => Tried::Ended(result, Out::Head(head)),
        Tried::Wait => Tried::Wait,
    }
}

fn receive(socket: i32, room: &mut [u8]) -> Tried {
    attempt(
        socket,
        |fd| recv(fd, &mut *room, RecvFlags::DONTWAIT),
        |result| (result.map(|(n, _)| n as u32), Out::Nothing),
    )
}

fn transmit(socket: i32, bytes: &[u8]) -> Tried {
    attempt(
        socket,
        |fd| send(fd, bytes, SendFlags::DONTWAIT | SendFlags::NOSIGNAL),
        |result| (result.map(|n| n as u32), Out::Nothing),
    )
}

/// One non-blocking call, repeated while a signal interrupts it.
fn attempt<T>(
    socket: i32,
    mut call: impl FnMut(BorrowedFd<'static>) -> rustix::io::Result<T>,
    end: impl FnOnce(Result<T, Errno>) -> (Result<u32, Errno>, Out<Buf>),
) -> Tried {
    let result = match borrow(socket) {
        Some(fd) => rustix::io::retry_on_intr(|| call(fd)).map_err(errno),
        None => Err(BADF),
    };
    if matches!(result, Err(Errno::AGAIN)) {
        return Tried::Wait;
    }
    let (result, out) = end(result);
    Tried::Ended(result, out)
}
