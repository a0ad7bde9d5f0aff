//! From an operation to its submission entry.

use super::{Held, Uring};
use crate::arena::Buf;
use crate::error::errno;
use crate::pool::RWF_DONTCACHE;
use crate::slots::Key;
use crate::sockets::{self, RAW_ADDRESS_BYTES, RawAddress, borrow};
use base::io::{Errno, Fd, Op, Out, Token};
use io_uring::{opcode, squeue, types};

/// IORING_RECVSEND_POLL_FIRST of io_uring_enter(2): wait for the socket before trying.
const POLL_FIRST: u16 = 1;
/// IORING_SEND_ZC_REPORT_USAGE: the notification says whether the kernel copied after all.
const REPORT_USAGE: u16 = 8;

impl Uring {
    /// Starts an operation for which `has_room` held.
    pub(super) fn start(&mut self, token: Token, key: Key, op: Op<Buf>) {
        let (entry, held) = match op {
            Op::Accept { listener } => self.accept(key, listener),
            Op::Connect { to } => match sockets::outgoing(to, false) {
                Ok(socket) => self.connect(key, socket, to),
                Err(errno) => return self.end_now(token, Err(errno), None, Out::Nothing),
            },
            Op::Head { socket, at } => self.head(key, socket, at),
            Op::Recv { socket, buf, at, len } => {
                let (flags, priority) = self.receive_flags(socket, len);
                let entry = opcode::Recv::new(types::Fd(socket.0), buf.span(at, len), len);
                (entry.flags(flags).ioprio(priority).build(), Held::Recv { buf })
            }
            Op::Send { socket, buf, at, len, zc } => {
                let zc = zc && self.found.send_zc && !self.ground.notes.of(socket.0).copy_only;
                let held = Held::Send { buf, socket: socket.0, at, len, zc, sent: None };
                (transfer_entry(&held), held)
            }
            Op::Read { file, offset, mut buf, at, len, .. } if in_memory(file) => {
                let result = read_now(file, offset, &mut buf, at, len);
                return self.end_now(token, result, Some(buf), Out::Nothing);
            }
            Op::Write { file, offset, buf, at, len, .. } if in_memory(file) => {
                let result = write_now(file, offset, &buf, at, len);
                return self.end_now(token, result, Some(buf), Out::Nothing);
            }
            Op::Read { file, offset, buf, at, len, uncached } => {
                self.file(Held::File { buf, file: file.0, offset, at, len, write: false, uncached })
            }
            Op::Write { file, offset, buf, at, len, uncached } => {
                self.file(Held::File { buf, file: file.0, offset, at, len, write: true, uncached })
            }
            Op::Sync { file, data_only } => {
                let flags = if data_only { types::FsyncFlags::DATASYNC } else { types::FsyncFlags::empty() };
                (opcode::Fsync::new(types::Fd(file.0)).flags(flags).build(), Held::Plain)
            }
            Op::Reserve { file, offset, len } => {
                let entry = opcode::Fallocate::new(types::Fd(file.0), len);
                (entry.offset(offset).mode(libc::FALLOC_FL_KEEP_SIZE).build(), Held::Plain)
            }
            Op::Close { fd } => {
                self.ground.notes.forget(fd.0);
                (opcode::Close::new(types::Fd(fd.0)).build(), Held::Plain)
            }
            Op::Acts(_) | Op::Timer { .. } => unreachable!("started without an entry"),
        };
        self.kept.slots.fill(key, token, held);
        self.push(&entry.user_data(key.pack()));
        self.owed += 1;
    }

    fn accept(&mut self, key: Key, listener: Fd) -> (squeue::Entry, Held) {
        let pad = self.kept.pads[key.index as usize].get();
        // SAFETY: the slot is vacant, so nothing else refers to its pad; only addresses are formed beyond
        // the two writes.
        let (address, len) = unsafe {
            (*pad).address = RawAddress::NONE;
            (*pad).address_len = RAW_ADDRESS_BYTES;
            (&raw mut (*pad).address, &raw mut (*pad).address_len)
        };
        let entry = opcode::Accept::new(types::Fd(listener.0), address.cast(), len);
        (entry.flags(libc::SOCK_CLOEXEC).build(), Held::Accept)
    }

    fn connect(&mut self, key: Key, socket: i32, to: std::net::SocketAddr) -> (squeue::Entry, Held) {
        let (raw, len) = RawAddress::encode(to);
        let pad = self.kept.pads[key.index as usize].get();
        // SAFETY: as in `accept`.
        let address = unsafe {
            (*pad).address = raw;
            &raw const (*pad).address
        };
        self.ground.notes.forget(socket);
        let entry = opcode::Connect::new(types::Fd(socket), address.cast(), len);
        (entry.build(), Held::Connect { socket })
    }

    /// # Panics
    /// If `at` leaves the header: the caller's own bug.
    fn head(&mut self, key: Key, socket: Fd, at: u8) -> (squeue::Entry, Held) {
        assert!(at < 12, "a header has 12 bytes");
        let pad = self.kept.pads[key.index as usize].get();
        // SAFETY: as in `accept`; `at` is within the array.
        let room = unsafe {
            (*pad).head = [0; 12];
            (&raw mut (*pad).head).cast::<u8>().add(usize::from(at))
        };
        let len = u32::from(12 - at);
        let (flags, priority) = self.receive_flags(socket, len);
        let entry = opcode::Recv::new(types::Fd(socket.0), room, len);
        (entry.flags(flags).ioprio(priority).build(), Held::Head { at })
    }

    /// A receive first takes what is there, however little, unless told to poll first; so a low-water mark
    /// works only with that. Where the mark is the whole receive, the kernel also collects it whole.
    fn receive_flags(&mut self, socket: Fd, len: u32) -> (i32, u16) {
        if !self.ground.waits_for_low_water(socket, len) {
            return (0, 0);
        }
        let whole = self.ground.notes.of(socket.0).low_water == len;
        (if whole { libc::MSG_WAITALL } else { 0 }, POLL_FIRST)
    }

    fn file(&mut self, mut held: Held) -> (squeue::Entry, Held) {
        if let Held::File { file, uncached, .. } = &mut held {
            *uncached &= !self.ground.notes.of(*file).cached_only;
        }
        (transfer_entry(&held), held)
    }

    /// Submits again what was refused an extra, as far as there is room.
    pub(super) fn submit_again(&mut self) {
        while !self.again.is_empty() && self.has_room() {
            let Some(key) = self.again.pop_front() else { return };
            let Some(held) = self.kept.slots.held(key) else { continue };
            let entry = transfer_entry(held).user_data(key.pack());
            self.push(&entry);
            self.owed += 1;
        }
    }
}

/// Whether a file lies in memory (tmpfs). io_uring gives every buffered write there to a worker thread, which
/// costs more than the copy itself, and the copy waits for no device. Asked each time: that is cheap beside a
/// transfer, and a remembered answer could be another file's.
fn in_memory(file: Fd) -> bool {
    const TMPFS_MAGIC: i64 = 0x0102_1994;
    let found = borrow(file.0).and_then(|fd| rustix::fs::fstatfs(fd).ok());
    #[allow(clippy::unnecessary_cast)] // the width differs between architectures
    found.is_some_and(|found| found.f_type as i64 == TMPFS_MAGIC)
}

/// pread(2), here and now.
fn read_now(file: Fd, offset: u64, buf: &mut Buf, at: u32, len: u32) -> Result<u32, Errno> {
    let fd = borrow(file.0).ok_or(Errno(libc::EBADF))?;
    let room = &mut buf.as_mut()[at as usize..][..len as usize];
    rustix::io::retry_on_intr(|| rustix::io::pread(fd, &mut *room, offset)).map(|n| n as u32).map_err(errno)
}

/// pwrite(2), here and now.
fn write_now(file: Fd, offset: u64, buf: &Buf, at: u32, len: u32) -> Result<u32, Errno> {
    let fd = borrow(file.0).ok_or(Errno(libc::EBADF))?;
    let bytes = &buf.as_ref()[at as usize..][..len as usize];
    rustix::io::retry_on_intr(|| rustix::io::pwrite(fd, bytes, offset)).map(|n| n as u32).map_err(errno)
}

/// The entry of a send, read or write, as it is held.
fn transfer_entry(held: &Held) -> squeue::Entry {
    // A send asks the kernel to go on until all is queued, which saves turns; it may still be short.
    let whole = libc::MSG_NOSIGNAL | libc::MSG_WAITALL;
    match held {
        Held::Send { buf, socket, at, len, zc: true, .. } => {
            let entry = opcode::SendZc::new(types::Fd(*socket), buf.span(*at, *len), *len);
            entry.flags(whole).zc_flags(REPORT_USAGE).build()
        }
        Held::Send { buf, socket, at, len, zc: false, .. } => {
            opcode::Send::new(types::Fd(*socket), buf.span(*at, *len), *len).flags(whole).build()
        }
        Held::File { buf, file, offset, at, len, write, uncached } => {
            let flags = if *uncached { RWF_DONTCACHE } else { 0 };
            let (file, span) = (types::Fd(*file), buf.span(*at, *len));
            if *write {
                opcode::Write::new(file, span, *len).offset(*offset).rw_flags(flags).build()
            } else {
                opcode::Read::new(file, span, *len).offset(*offset).rw_flags(flags).build()
            }
        }
        _ => unreachable!("only transfers are built here"),
    }
}
