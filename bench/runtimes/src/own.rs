//! Our own ring, through the same seam as the engine's cores: `Op` in, `Done` out.

use crate::Outcome;
use crate::record::{BUFFERS, Keys, RECORD, SEALED, pin, said};
use base::ids::CoreId;
use base::io::{Done, Fd, Io as _, Op, Out, Token};
use base::limits::Limits;
use ring::{Buf, Engine, Mode};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::os::fd::AsRawFd as _;
use std::path::Path;

const FILE: u8 = 1;
const SOCKET: u8 = 2;
/// Beyond any turn.
const PATIENCE_NS: u64 = 60_000_000_000;

struct Ring {
    engine: Engine,
    done: Vec<Done<Buf>>,
}

impl Ring {
    fn new() -> Outcome<Self> {
        let engine = Engine::new(Mode::Uring, CoreId(0), &Limits::DEFAULT).map_err(said)?;
        Ok(Self { engine, done: Vec::with_capacity(64) })
    }

    fn submit(&mut self, kind: u8, slot: u32, op: Op<Buf>) -> Outcome<()> {
        self.engine.submit(Token::new(kind, 0, slot), op).map_err(|_| "the queue is full".to_owned())
    }

    /// What ended; waits for something.
    fn turn(&mut self) -> Vec<Done<Buf>> {
        let until = self.engine.now().mono_ns + PATIENCE_NS;
        self.engine.turn(until, &mut self.done);
        // The vector keeps its capacity: an engine fills what is free and never grows it.
        self.done.drain(..).collect()
    }

    fn take(&mut self) -> Outcome<Buf> {
        self.engine.take().ok_or_else(|| "no buffer".into())
    }
}

/// The bytes and the buffer of an operation that moved some.
fn moved(done: Done<Buf>) -> Outcome<(u8, u32, u32, Buf)> {
    let count = done.result.map_err(|error| format!("{:?}: {error:?}", done.token))?;
    let buf = done.buf.ok_or("a buffer is gone")?;
    if count == 0 {
        return Err("nothing moved".into());
    }
    Ok((done.token.kind(), done.token.slot(), count, buf))
}

/// The sending end. Records are read ahead in any order and leave in theirs.
pub fn send(file: &Path, records: u64, to: SocketAddr) -> Outcome<()> {
    pin(0);
    let file = std::fs::File::open(file).map_err(said)?;
    let fd = Fd(file.as_raw_fd());
    let (mut ring, mut keys) = (Ring::new()?, Keys::new()?);
    ring.submit(SOCKET, 0, Op::Connect { to })?;
    let connected = ring.turn().into_iter().find_map(|done| match done.out {
        Out::Connected(socket) => Some(socket),
        _ => None,
    });
    let socket = connected.ok_or("no connection")?;
    let read = |ring: &mut Ring, record: u32, buf: Buf| {
        let offset = u64::from(record) * RECORD as u64;
        ring.submit(
            FILE,
            record,
            Op::Read { file: fd, offset, buf, at: 0, len: RECORD as u32, uncached: false },
        )
    };
    let write = |ring: &mut Ring, record: u32, buf: Buf, at: u32| {
        ring.submit(SOCKET, record, Op::Send { socket, buf, at, len: SEALED as u32 - at, zc: false })
    };
    let records = records as u32;
    let mut next = records.min(BUFFERS as u32);
    for record in 0..next {
        let buf = ring.take()?;
        read(&mut ring, record, buf)?;
    }
    let mut ready: BTreeMap<u32, Buf> = BTreeMap::new();
    let (mut sending, mut sent_bytes, mut busy) = (0, 0, false);
    while sending < records {
        for done in ring.turn() {
            let (kind, record, count, buf) = moved(done)?;
            if kind == FILE {
                if count as usize != RECORD {
                    return Err("a short read".into());
                }
                ready.insert(record, buf);
                continue;
            }
            sent_bytes += count;
            if sent_bytes < SEALED as u32 {
                write(&mut ring, record, buf, sent_bytes)?;
                continue;
            }
            (sending, sent_bytes, busy) = (sending + 1, 0, false);
            if next < records {
                read(&mut ring, next, buf)?;
                next += 1;
            }
        }
        if !busy && let Some(mut buf) = ready.remove(&sending) {
            keys.seal(buf.as_mut())?;
            write(&mut ring, sending, buf, 0)?;
            busy = true;
        }
    }
    Ok(())
}

/// The receiving end. The next record is asked for before the last one is opened.
pub fn receive(file: &Path, records: u64, ready: &dyn Fn(SocketAddr)) -> Outcome<()> {
    pin(1);
    let file = std::fs::File::options().write(true).open(file).map_err(said)?;
    let fd = Fd(file.as_raw_fd());
    let connection = crate::blocking::accepted(ready)?;
    let socket = Fd(connection.as_raw_fd());
    let (mut ring, mut keys) = (Ring::new()?, Keys::new()?);
    ring.engine.set_low_water(socket, SEALED as u32).map_err(|error| format!("SO_RCVLOWAT: {error:?}"))?;
    let take = |ring: &mut Ring, record: u32, buf: Buf, at: u32| {
        ring.submit(SOCKET, record, Op::Recv { socket, buf, at, len: SEALED as u32 - at })
    };
    let records = records as u32;
    let mut free = (0..BUFFERS).map(|_| ring.take()).collect::<Outcome<Vec<Buf>>>()?;
    let (mut receiving, mut received_bytes, mut written, mut waiting) = (0, 0, 0, true);
    while written < records {
        if waiting
            && receiving < records
            && let Some(buf) = free.pop()
        {
            take(&mut ring, receiving, buf, 0)?;
            waiting = false;
        }
        for done in ring.turn() {
            let (kind, record, count, mut buf) = moved(done)?;
            if kind == FILE {
                written += 1;
                free.push(buf);
                continue;
            }
            received_bytes += count;
            if received_bytes < SEALED as u32 {
                take(&mut ring, record, buf, received_bytes)?;
                continue;
            }
            (receiving, received_bytes, waiting) = (receiving + 1, 0, true);
            if receiving < records
                && let Some(next) = free.pop()
            {
                take(&mut ring, receiving, next, 0)?;
                waiting = false;
            }
            keys.open(buf.as_mut())?;
            let offset = u64::from(record) * RECORD as u64;
            let op = Op::Write { file: fd, offset, buf, at: 0, len: RECORD as u32, uncached: false };
            ring.submit(FILE, record, op)?;
        }
    }
    Ok(())
}
