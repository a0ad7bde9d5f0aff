//! A small program over `Io`, so that the world is tried before anything real runs in it: a sender copies
//! one file through a socket to a receiver, which publishes it whole and says so. Whatever fails is begun
//! again. It has no part in what the world is for.

#![allow(clippy::unwrap_used)] // a test's own mistakes may panic

use base::io::{Act, ActOut, Batch, Done, Errno, Fd, How, Io, Op, Out, RenameHow, Token};
use base::limits::Limits;
use base::name::{Name, RelPath};
use sim::buffers::SimBuf;
use sim::io::SimIo;
use std::net::SocketAddr;

/// How long an operation may take.
const PATIENCE_NS: u64 = 2_000_000_000;

/// What a stage wants next.
enum Next {
    Wait(Op<SimBuf>),
    Fail,
}

/// One core that runs one stage after the other, one operation at a time.
struct Engine {
    io: SimIo,
    done: Vec<Done<SimBuf>>,
    serial: u32,
    /// Not accepted yet: the queue was full.
    refused: Option<Op<SimBuf>>,
    /// When the operation in flight is cancelled.
    patience_ends: u64,
}

impl Engine {
    fn new(io: SimIo) -> Self {
        let done = Vec::with_capacity(Limits::TINY.done_per_turn as usize);
        Self { io, done, serial: 0, refused: None, patience_ends: 0 }
    }

    fn submit(&mut self, op: Op<SimBuf>) {
        self.serial += 1;
        self.patience_ends = self.io.now().mono_ns + PATIENCE_NS;
        self.refused = self.io.submit(Token::new(1, self.serial, 7), op).err();
    }

    /// One turn: the completion of the operation in flight, when it came.
    fn turn(&mut self) -> Option<Done<SimBuf>> {
        if let Some(op) = self.refused.take() {
            self.submit(op);
        }
        self.io.turn(self.patience_ends, &mut self.done);
        let mine = Token::new(1, self.serial, 7);
        let done = self.done.drain(..).find(|done| done.token == mine);
        if done.is_none() && self.io.now().mono_ns >= self.patience_ends {
            // Silence, as of a machine without power.
            self.io.cancel(mine);
            self.patience_ends = self.io.now().mono_ns + PATIENCE_NS;
        }
        done
    }

    fn act(&mut self, build: impl FnOnce(&mut Batch<SimBuf>)) -> Result<ActOut, Errno> {
        let mut batch = Batch::new();
        build(&mut batch);
        self.io.act(&mut batch);
        batch.results[0]
    }

    fn close(&mut self, fd: &mut Option<Fd>) {
        if let Some(fd) = fd.take() {
            let _ = self.act(|batch| batch.push(Act::Close { fd }));
        }
    }
}

fn open(dir: Fd, path: &[u8], how: How) -> Batch<SimBuf> {
    let mut batch = Batch::new();
    let path = batch.path(RelPath::new(path).unwrap());
    batch.push(Act::Open { dir, path, how });
    batch
}

enum Sending {
    Begin,
    Connecting,
    Opening,
    Head(u32),
    Reading,
    Body { from: u32, to: u32 },
    Confirming,
}

/// Sends `file` of `dir`, whose length it is told, until the other end confirms it.
pub(crate) struct Sender {
    engine: Engine,
    stage: Sending,
    to: SocketAddr,
    dir: Fd,
    size: u64,
    offset: u64,
    socket: Option<Fd>,
    file: Option<Fd>,
    /// The receiver said it is published.
    pub(crate) confirmed: bool,
}

impl Sender {
    pub(crate) fn new(io: SimIo, to: SocketAddr, dir: Fd, size: u64) -> Self {
        let engine = Engine::new(io);
        let (socket, file) = (None, None);
        let mut sender =
            Self { engine, stage: Sending::Begin, to, dir, size, offset: 0, socket, file, confirmed: false };
        sender.pause();
        sender
    }

    fn pause(&mut self) {
        self.engine.close(&mut self.socket);
        self.engine.close(&mut self.file);
        self.offset = 0;
        self.stage = Sending::Begin;
        let at_ns = self.engine.io.now().mono_ns + 10_000_000;
        self.engine.submit(Op::Timer { at_ns });
    }

    pub(crate) fn turn(&mut self) {
        let Some(done) = self.engine.turn() else { return };
        if self.confirmed {
            return;
        }
        match self.on_done(done) {
            Some(Next::Wait(op)) => self.engine.submit(op),
            Some(Next::Fail) => self.pause(),
            None => {
                self.confirmed = true;
                self.engine.close(&mut self.socket);
                self.engine.close(&mut self.file);
            }
        }
    }

    fn on_done(&mut self, done: Done<SimBuf>) -> Option<Next> {
        let Ok(count) = done.result else { return Some(Next::Fail) };
        let next = match (&self.stage, done.out) {
            (Sending::Begin, _) => {
                self.stage = Sending::Connecting;
                Op::Connect { to: self.to }
            }
            (Sending::Connecting, Out::Connected(socket)) => {
                self.socket = Some(socket);
                self.stage = Sending::Opening;
                return Some(self.open_source());
            }
            (Sending::Opening, Out::Acts(batch)) => return Some(self.on_open(batch.results[0])),
            (Sending::Head(from), _) => {
                let sent = from + count;
                let buf = done.buf.expect("a send gives its buffer back");
                if sent < 12 {
                    self.stage = Sending::Head(sent);
                    Op::Send { socket: self.socket?, buf, at: sent, len: 12 - sent, zc: false }
                } else {
                    self.read(buf)
                }
            }
            (Sending::Reading, _) => {
                let buf = done.buf.expect("a read gives its buffer back");
                if count == 0 {
                    return Some(Next::Fail);
                }
                self.stage = Sending::Body { from: 0, to: count };
                Op::Send { socket: self.socket?, buf, at: 0, len: count, zc: false }
            }
            (&Sending::Body { from, to }, _) => {
                let buf = done.buf.expect("a send gives its buffer back");
                self.offset += u64::from(count);
                if from + count < to {
                    self.stage = Sending::Body { from: from + count, to };
                    Op::Send {
                        socket: self.socket?,
                        buf,
                        at: from + count,
                        len: to - from - count,
                        zc: false,
                    }
                } else if self.offset < self.size {
                    self.read(buf)
                } else {
                    self.stage = Sending::Confirming;
                    Op::Recv { socket: self.socket?, buf, at: 0, len: 1 }
                }
            }
            (Sending::Confirming, _) if count == 1 => return None,
            _ => return Some(Next::Fail),
        };
        Some(Next::Wait(next))
    }

    /// Inline first; in the background when the path is not in the cache.
    fn open_source(&mut self) -> Next {
        let mut batch = open(self.dir, b"file", How::Read);
        self.engine.io.act(&mut batch);
        match batch.results[0] {
            Err(Errno::AGAIN) => Next::Wait(Op::Acts(Box::new(open(self.dir, b"file", How::Read)))),
            result => self.on_open(result),
        }
    }

    fn on_open(&mut self, result: Result<ActOut, Errno>) -> Next {
        let (Ok(ActOut::Fd(file)), Some(socket), Some(mut buf)) =
            (result, self.socket, self.engine.io.take())
        else {
            return Next::Fail;
        };
        self.file = Some(file);
        buf.as_mut()[..8].copy_from_slice(&self.size.to_be_bytes());
        buf.as_mut()[8..12].copy_from_slice(b"toy!");
        self.stage = Sending::Head(0);
        Next::Wait(Op::Send { socket, buf, at: 0, len: 12, zc: false })
    }

    fn read(&mut self, buf: SimBuf) -> Op<SimBuf> {
        self.stage = Sending::Reading;
        let file = self.file.expect("open while it sends");
        let len = (self.size - self.offset).min(3000) as u32;
        Op::Read { file, offset: self.offset, buf, at: 0, len, uncached: false }
    }
}

enum Receiving {
    Accepting,
    Head(u8, [u8; 12]),
    Opening,
    Body,
    Writing { from: u32, to: u32 },
    Syncing,
    Renaming,
    SyncingDirectory,
    Confirming,
}

/// Receives files under the name `copy`, one connection after the other.
pub(crate) struct Receiver {
    engine: Engine,
    stage: Receiving,
    listener: Fd,
    dir: Fd,
    part: Vec<u8>,
    parts: u32,
    size: u64,
    offset: u64,
    socket: Option<Fd>,
    file: Option<Fd>,
    /// A planted mistake: the part is published without being synced.
    skip_sync: bool,
}

impl Receiver {
    pub(crate) fn new(io: SimIo, listener: Fd, dir: Fd, skip_sync: bool) -> Self {
        let mut receiver = Self {
            engine: Engine::new(io),
            stage: Receiving::Accepting,
            listener,
            dir,
            part: Vec::new(),
            parts: 0,
            size: 0,
            offset: 0,
            socket: None,
            file: None,
            skip_sync,
        };
        receiver.begin();
        receiver
    }

    fn begin(&mut self) {
        self.engine.close(&mut self.socket);
        self.engine.close(&mut self.file);
        let (dir, part) = (self.dir, std::mem::take(&mut self.part));
        if !part.is_empty() {
            let _ = self.engine.act(|batch| {
                let name = batch.name(Name::new(&part).unwrap());
                batch.push(Act::Remove { dir, name, directory: false });
            });
        }
        self.offset = 0;
        self.stage = Receiving::Accepting;
        self.engine.submit(Op::Accept { listener: self.listener });
    }

    pub(crate) fn turn(&mut self) {
        let Some(done) = self.engine.turn() else { return };
        match self.on_done(done) {
            Next::Wait(op) => self.engine.submit(op),
            Next::Fail => self.begin(),
        }
    }

    fn on_done(&mut self, done: Done<SimBuf>) -> Next {
        let Ok(count) = done.result else { return Next::Fail };
        match (&mut self.stage, done.out, done.buf) {
            (Receiving::Accepting, Out::Accepted { socket, .. }, _) => {
                self.socket = Some(socket);
                self.stage = Receiving::Head(0, [0; 12]);
                Next::Wait(Op::Head { socket, at: 0 })
            }
            (Receiving::Head(at, head), Out::Head(bytes), _) if count > 0 => {
                let now = *at + count as u8;
                head[usize::from(*at)..usize::from(now)]
                    .copy_from_slice(&bytes[usize::from(*at)..usize::from(now)]);
                *at = now;
                if now < 12 {
                    return Next::Wait(Op::Head { socket: self.socket.unwrap(), at: now });
                }
                assert_eq!(&head[8..], b"toy!", "streams keep their order");
                self.size = u64::from_be_bytes(head[..8].try_into().unwrap());
                self.parts += 1;
                let core = self.engine.io.at().core.0;
                let process = self.engine.io.now().mono_ns;
                self.part = format!(".xferd-{core}-{process}-{}.part", self.parts).into_bytes();
                self.stage = Receiving::Opening;
                Next::Wait(Op::Acts(Box::new(open(self.dir, &self.part, How::Create { mode: 0o600 }))))
            }
            (Receiving::Opening, Out::Acts(batch), _) => match (batch.results[0], self.engine.io.take()) {
                (Ok(ActOut::Fd(file)), Some(buf)) => {
                    self.file = Some(file);
                    self.receive(buf)
                }
                _ => Next::Fail,
            },
            (Receiving::Body, _, Some(buf)) if count > 0 => {
                self.stage = Receiving::Writing { from: 0, to: count };
                self.write(buf, 0, count)
            }
            (&mut Receiving::Writing { from, to }, _, Some(buf)) if count > 0 => {
                self.offset += u64::from(count);
                if from + count < to {
                    self.stage = Receiving::Writing { from: from + count, to };
                    self.write(buf, from + count, to)
                } else if self.offset < self.size {
                    self.receive(buf)
                } else if self.skip_sync {
                    self.rename()
                } else {
                    self.stage = Receiving::Syncing;
                    Next::Wait(Op::Sync { file: self.file.unwrap(), data_only: false })
                }
            }
            (Receiving::Syncing, ..) => self.rename(),
            (Receiving::Renaming, Out::Acts(batch), _) if batch.results[0].is_ok() => {
                self.part.clear();
                self.stage = Receiving::SyncingDirectory;
                Next::Wait(Op::Sync { file: self.dir, data_only: false })
            }
            (Receiving::SyncingDirectory, ..) => match (self.engine.io.take(), self.socket) {
                (Some(buf), Some(socket)) => {
                    self.stage = Receiving::Confirming;
                    Next::Wait(Op::Send { socket, buf, at: 0, len: 1, zc: false })
                }
                _ => Next::Fail,
            },
            _ => Next::Fail,
        }
    }

    fn receive(&mut self, buf: SimBuf) -> Next {
        let socket = self.socket.unwrap();
        let len = (self.size - self.offset).min(4096) as u32;
        if self.engine.io.set_low_water(socket, len.min(512)).is_err() {
            return Next::Fail;
        }
        self.stage = Receiving::Body;
        Next::Wait(Op::Recv { socket, buf, at: 0, len })
    }

    fn write(&mut self, buf: SimBuf, from: u32, to: u32) -> Next {
        let file = self.file.unwrap();
        Next::Wait(Op::Write { file, offset: self.offset, buf, at: from, len: to - from, uncached: false })
    }

    fn rename(&mut self) -> Next {
        self.stage = Receiving::Renaming;
        let mut batch = Batch::new();
        let (from, to) =
            (batch.name(Name::new(&self.part).unwrap()), batch.name(Name::new(b"copy").unwrap()));
        let (dir, how) = (self.dir, RenameHow::Replace);
        batch.push(Act::Rename { from_dir: dir, from, to_dir: dir, to, how });
        Next::Wait(Op::Acts(Box::new(batch)))
    }
}
