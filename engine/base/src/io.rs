//! The seam between one core and the world.
//!
//! A core owns one [`Io`]: the kernel through io_uring, the kernel through blocking threads, or the
//! simulator. The core submits an [`Op`] under a [`Token`] and gets exactly one [`Done`] back, with what
//! the kernel gave, short or not: `shard::turn` alone asks for the rest. Metadata is never a single
//! operation: [`Act`]s travel in a [`Batch`], run inline by [`Io::act`] or in the background as
//! [`Op::Acts`].
//!
//! Names enter a batch only as [`Name`] and [`RelPath`], so nothing unchecked reaches the kernel, and
//! every implementation opens paths beneath the given descriptor, following no symlink.

use crate::entry::{Meta, Stat};
use crate::ids::CoreId;
use crate::name::{Name, RelPath};
use alloc::boxed::Box;
use alloc::vec::Vec;
use core::net::SocketAddr;

/// A Linux error number, positive.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Errno(pub i32);

#[allow(missing_docs)]
impl Errno {
    pub const PERM: Self = Self(1);
    pub const NOENT: Self = Self(2);
    pub const INTR: Self = Self(4);
    pub const IO: Self = Self(5);
    pub const AGAIN: Self = Self(11);
    pub const NOMEM: Self = Self(12);
    pub const ACCES: Self = Self(13);
    pub const EXIST: Self = Self(17);
    pub const XDEV: Self = Self(18);
    pub const NOTDIR: Self = Self(20);
    pub const ISDIR: Self = Self(21);
    pub const INVAL: Self = Self(22);
    pub const NFILE: Self = Self(23);
    pub const MFILE: Self = Self(24);
    pub const FBIG: Self = Self(27);
    pub const NOSPC: Self = Self(28);
    pub const ROFS: Self = Self(30);
    pub const MLINK: Self = Self(31);
    pub const PIPE: Self = Self(32);
    pub const NAMETOOLONG: Self = Self(36);
    pub const NOSYS: Self = Self(38);
    pub const NOTEMPTY: Self = Self(39);
    pub const LOOP: Self = Self(40);
    pub const OPNOTSUPP: Self = Self(95);
    pub const ADDRINUSE: Self = Self(98);
    pub const NETUNREACH: Self = Self(101);
    pub const CONNRESET: Self = Self(104);
    pub const TIMEDOUT: Self = Self(110);
    pub const CONNREFUSED: Self = Self(111);
    pub const HOSTUNREACH: Self = Self(113);
    pub const DQUOT: Self = Self(122);
    pub const CANCELED: Self = Self(125);
}

/// Names one operation: kind (8 bits), generation (24 bits), slot (32 bits), chosen by the shard.
/// Kind 0xFF is the implementation's own.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Token(pub u64);

impl Token {
    /// Packs the three parts; `generation` keeps its low 24 bits.
    pub fn new(kind: u8, generation: u32, slot: u32) -> Self {
        Self(u64::from(kind) << 56 | u64::from(generation & 0x00ff_ffff) << 32 | u64::from(slot))
    }
    /// Kind.
    pub fn kind(self) -> u8 {
        (self.0 >> 56) as u8
    }
    /// Generation, 24 bits.
    pub fn generation(self) -> u32 {
        (self.0 >> 32) as u32 & 0x00ff_ffff
    }
    /// Slot.
    pub fn slot(self) -> u32 {
        self.0 as u32
    }
}

/// A descriptor. It is closed by its owner through [`Op::Close`] or [`Act::Close`]; there is no Drop.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Fd(pub i32);

/// Time, sampled once a turn.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Now {
    /// Monotonic, nanoseconds.
    pub mono_ns: u64,
    /// UTC, milliseconds since 1970.
    pub utc_ms: u64,
}

/// What this implementation can do here; probed once.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct IoCaps {
    /// `uring`, `threads` or `sim`.
    pub name: &'static str,
    /// Why io_uring is not used, when it is not.
    pub notice: Option<alloc::string::String>,
    /// SEND_ZC is there.
    pub zero_copy_send: bool,
    /// Bytes of one arena slot.
    pub buffer_bytes: u32,
    /// Slots of the arena.
    pub buffers: u32,
}

/// One core's way to the world. Nothing here blocks, except `turn` until its deadline.
pub trait Io {
    /// One arena slot: move-only, returned to the arena by Drop.
    type Buf: AsRef<[u8]> + AsMut<[u8]>;

    /// What was probed at start.
    fn caps(&self) -> &IoCaps;
    /// The time sampled at the beginning of this turn.
    fn now(&self) -> Now;
    /// A fresh monotonic time in nanoseconds, for sampled records only.
    fn stamp(&self) -> u64;
    /// Fills `out` with unpredictable bytes.
    fn random(&mut self, out: &mut [u8]);
    /// An arena slot; `None`: the caller waits until one is dropped.
    fn take(&mut self) -> Option<Self::Buf>;
    /// Starts an operation.
    ///
    /// # Errors
    /// The queue is full; the operation is given back untouched.
    #[allow(clippy::result_large_err)]
    fn submit(&mut self, token: Token, op: Op<Self::Buf>) -> Result<(), Op<Self::Buf>>;
    /// Asks for an operation to end early; its `Done` still comes, once.
    fn cancel(&mut self, token: Token);
    /// Runs a batch of plain system calls here and now; results are in the batch.
    fn act(&mut self, batch: &mut Batch<Self::Buf>);
    /// SO_RCVLOWAT of a socket, in bytes.
    ///
    /// # Errors
    /// What setsockopt said.
    fn set_low_water(&mut self, socket: Fd, bytes: u32) -> Result<(), Errno>;
    /// Shuts a socket down in both directions, so that operations in flight on it end.
    fn shut(&mut self, socket: Fd);
    /// Ends the sending direction of a socket: the peer reads what was sent and then the end; receives go on.
    fn shut_write(&mut self, socket: Fd);
    /// Makes another core's `turn` return with [`Out::Woken`].
    fn wake(&mut self, core: CoreId);
    /// Submits what is queued, waits until something completed or the monotonic time `wait_until` (ns;
    /// 0: do not wait), samples the time and appends completions to `done`, at most its free capacity.
    fn turn(&mut self, wait_until: u64, done: &mut Vec<Done<Self::Buf>>);
}

/// One operation. `at` and `len` are bytes within the buffer, offsets are bytes within the file.
#[derive(Debug)]
pub enum Op<B> {
    /// Waits for one connection.
    Accept {
        /// A listening socket.
        listener: Fd,
    },
    /// Opens a TCP connection (TCP_NODELAY set).
    Connect {
        /// Where to.
        to: SocketAddr,
    },
    /// Receives bytes `at..12` of a frame header into the operation's own slot: an idle connection
    /// holds no buffer. The result is how many came; the bytes are in [`Out::Head`] from index `at`.
    Head {
        /// A connected socket.
        socket: Fd,
        /// How many of the 12 bytes are already here.
        at: u8,
    },
    /// Receives into a buffer.
    Recv {
        /// A connected socket.
        socket: Fd,
        /// Where to.
        buf: B,
        /// First byte.
        at: u32,
        /// Most bytes.
        len: u32,
    },
    /// Sends from a buffer.
    Send {
        /// A connected socket.
        socket: Fd,
        /// From where.
        buf: B,
        /// First byte.
        at: u32,
        /// How many bytes.
        len: u32,
        /// Ask for zero copy where the kernel has it.
        zc: bool,
    },
    /// Reads from a file.
    Read {
        /// An open file.
        file: Fd,
        /// File offset.
        offset: u64,
        /// Where to.
        buf: B,
        /// First byte in the buffer.
        at: u32,
        /// Most bytes.
        len: u32,
        /// Leave no trace in the page cache where the file system can (RWF_DONTCACHE).
        uncached: bool,
    },
    /// Writes to a file.
    Write {
        /// An open file.
        file: Fd,
        /// File offset.
        offset: u64,
        /// From where.
        buf: B,
        /// First byte in the buffer.
        at: u32,
        /// How many bytes.
        len: u32,
        /// Leave no trace in the page cache where the file system can (RWF_DONTCACHE).
        uncached: bool,
    },
    /// fsync, or fdatasync with `data_only`.
    Sync {
        /// An open file or directory.
        file: Fd,
        /// fdatasync.
        data_only: bool,
    },
    /// fallocate with KEEP_SIZE.
    Reserve {
        /// An open file.
        file: Fd,
        /// From.
        offset: u64,
        /// How many bytes.
        len: u64,
    },
    /// Runs a batch in the background; it comes back in [`Out::Acts`].
    Acts(Box<Batch<B>>),
    /// Completes at a monotonic time in nanoseconds.
    Timer {
        /// When.
        at_ns: u64,
    },
    /// Closes a descriptor.
    Close {
        /// Which.
        fd: Fd,
    },
}

impl<B> Op<B> {
    /// The descriptor it works on while it is in flight: closing it must wait. `None` of those that have none or end it.
    pub fn fd(&self) -> Option<Fd> {
        match self {
            Self::Accept { listener: fd }
            | Self::Head { socket: fd, .. }
            | Self::Recv { socket: fd, .. }
            | Self::Send { socket: fd, .. }
            | Self::Read { file: fd, .. }
            | Self::Write { file: fd, .. }
            | Self::Sync { file: fd, .. }
            | Self::Reserve { file: fd, .. } => Some(*fd),
            Self::Connect { .. } | Self::Acts(_) | Self::Timer { .. } | Self::Close { .. } => None,
        }
    }
}

/// How one operation ended. A buffer that went in comes back here, always.
#[derive(Debug)]
pub struct Done<B> {
    /// Whose.
    pub token: Token,
    /// Bytes, or 0 where there are none to count.
    pub result: Result<u32, Errno>,
    /// The buffer that went in.
    pub buf: Option<B>,
    /// What came out beside bytes.
    pub out: Out<B>,
}

/// What an operation yields beside its result.
#[derive(Debug)]
pub enum Out<B> {
    /// Nothing.
    Nothing,
    /// The header bytes received so far.
    Head([u8; 12]),
    /// A new connection.
    Accepted {
        /// Its socket, TCP_NODELAY set.
        socket: Fd,
        /// Its other end.
        from: SocketAddr,
    },
    /// The connection asked for.
    Connected(Fd),
    /// The batch, with its results.
    Acts(Box<Batch<B>>),
    /// Another core or the control thread called `wake`; the token is `Token::new(0xFF, 0, 0)`.
    Woken,
}

/// A component in a batch.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NameAt {
    at: u32,
    len: u32,
}

/// A relative path in a batch.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PathAt {
    at: u32,
    len: u32,
}

/// Free text in a batch: link targets and listings, never opened.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TextAt {
    at: u32,
    len: u32,
}

/// How a path is opened. Always beneath the directory, following no link.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum How {
    /// An existing file or directory, to read. A FIFO does not block.
    Read,
    /// An existing directory.
    Directory,
    /// An existing file, to read and write.
    Write,
    /// A file that must not exist yet, to read and write.
    Create {
        /// Permission bits; the umask does not apply.
        mode: u32,
    },
    /// A file to read and write, created where absent.
    CreateOrOpen {
        /// Permission bits of a created file.
        mode: u32,
    },
}

/// How a rename treats an existing name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RenameHow {
    /// Replaces it.
    Replace,
    /// EEXIST.
    NoReplace,
    /// The two change places.
    Exchange,
}

#[allow(missing_docs)] // the fields are named by the acts' own lines
/// One metadata step. Directories are open descriptors; names are single components below them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Act {
    /// Opens `path` beneath `dir`: [`ActOut::Fd`].
    Open { dir: Fd, path: PathAt, how: How },
    /// Closes a descriptor.
    Close { fd: Fd },
    /// statx of `name` in `dir` (a symlink itself), or of the descriptor: [`ActOut::Stat`].
    Stat { dir: Fd, name: Option<NameAt> },
    /// Next names of an open directory, at most `bytes_max` of them: [`ActOut::Names`].
    List { dir: Fd, bytes_max: u32 },
    /// Target of a symlink: [`ActOut::Text`].
    ReadLink { dir: Fd, name: NameAt },
    /// Makes a directory.
    MakeDir { dir: Fd, name: NameAt, mode: u32 },
    /// Makes a symlink.
    Symlink { dir: Fd, name: NameAt, target: TextAt },
    /// Makes a hard link.
    Link { from_dir: Fd, from: NameAt, to_dir: Fd, to: NameAt },
    /// Renames.
    Rename { from_dir: Fd, from: NameAt, to_dir: Fd, to: NameAt, how: RenameHow },
    /// Removes a file or an empty directory.
    Remove { dir: Fd, name: NameAt, directory: bool },
    /// Sets metadata of the descriptor, or of `name` in it without following a link: owner first, then
    /// mode, then times.
    SetMeta { dir: Fd, name: Option<NameAt>, meta: Meta },
    /// ftruncate.
    Resize { fd: Fd, size: u64 },
    /// Gives `to` all content of `from`, shared until either is written (FICLONE). Where the file system cannot, it
    /// fails and `to` is as it was. It may write back all of `from` first.
    Clone { from: Fd, to: Fd },
    /// Frees a range (FALLOC_FL_PUNCH_HOLE).
    Punch { fd: Fd, offset: u64, len: u64 },
    /// The next run of data at or after `offset`: [`ActOut::Extent`] (SEEK_DATA, SEEK_HOLE).
    Extent { fd: Fd, offset: u64 },
    /// Free space of the file system: [`ActOut::Space`].
    SpaceOf { fd: Fd },
    /// flock, exclusive, without waiting: EAGAIN when another holds it.
    Lock { fd: Fd },
    /// Open, stat, read up to `len` bytes into `data` at `at`, stat, close: [`ActOut::Got`]. ENOENT,
    /// ELOOP and the like are the open's.
    Get { dir: Fd, name: NameAt, at: u32, len: u32 },
    /// Create (O_EXCL, 0600), write `len` bytes of `data` at `at`, set metadata, close unless `keep`:
    /// [`ActOut::Put`]. Whatever fails after the creation removes the name again.
    Put { dir: Fd, name: NameAt, at: u32, len: u32, meta: Meta, keep: bool },
}

#[allow(missing_docs)] // the fields are named by the results' own lines
/// What an act yields.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ActOut {
    /// Nothing.
    Nothing,
    /// A descriptor, the caller's to close.
    Fd(Fd),
    /// A stat.
    Stat(Stat),
    /// Names in `out` ([`Batch::names_of`]); `more` when the directory has further ones.
    Names { text: TextAt, more: bool },
    /// Bytes in `out`.
    Text(TextAt),
    /// Data lies at `from..to`; both are the file's size when there is none after the offset.
    Extent { from: u64, to: u64 },
    /// Bytes an unprivileged writer may still use; whether mounted read-only.
    Space { free: u64, read_only: bool },
    /// Bytes read; the stats before and after the read.
    Got { len: u32, before: Stat, after: Stat },
    /// The inode number when kept (else 0), and the descriptor when kept.
    Put { inode: u64, fd: Option<Fd> },
}

/// A run of acts with the memory they share. Recycled by its owner: [`Batch::clear`] keeps capacities.
#[derive(Debug)]
pub struct Batch<B> {
    acts: Vec<Act>,
    names: Vec<u8>,
    /// One per act after it ran. An act whose batch was cut short has no result.
    pub results: Vec<Result<ActOut, Errno>>,
    /// Listings and link targets.
    pub out: Vec<u8>,
    /// What Get fills and Put reads.
    pub data: Option<B>,
}

impl<B> Default for Batch<B> {
    fn default() -> Self {
        Self::new()
    }
}

impl<B> Batch<B> {
    /// An empty batch.
    pub fn new() -> Self {
        Self { acts: Vec::new(), names: Vec::new(), results: Vec::new(), out: Vec::new(), data: None }
    }

    /// Empties it for reuse.
    pub fn clear(&mut self) {
        self.acts.clear();
        self.names.clear();
        self.results.clear();
        self.out.clear();
        self.data = None;
    }

    /// Adds an act.
    pub fn push(&mut self, act: Act) {
        self.acts.push(act);
    }

    /// The acts, in order.
    pub fn acts(&self) -> &[Act] {
        &self.acts
    }

    /// How many acts.
    pub fn len(&self) -> usize {
        self.acts.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.acts.is_empty()
    }

    fn append(&mut self, bytes: &[u8]) -> (u32, u32) {
        let at = self.names.len() as u32;
        self.names.extend_from_slice(bytes);
        self.names.push(0);
        (at, bytes.len() as u32)
    }

    /// Stores a component.
    pub fn name(&mut self, name: Name<'_>) -> NameAt {
        let (at, len) = self.append(name.as_bytes());
        NameAt { at, len }
    }

    /// Stores a path.
    pub fn path(&mut self, path: RelPath<'_>) -> PathAt {
        let (at, len) = self.append(path.as_bytes());
        PathAt { at, len }
    }

    /// Stores a link target: any bytes without NUL.
    pub fn text(&mut self, text: &[u8]) -> TextAt {
        let (at, len) = self.append(text);
        TextAt { at, len }
    }

    /// Bytes of a stored component, with the NUL after them.
    pub fn name_z(&self, name: NameAt) -> &[u8] {
        &self.names[name.at as usize..(name.at + name.len) as usize + 1]
    }

    /// Bytes of a stored path, with the NUL after them; just the NUL for the directory itself.
    pub fn path_z(&self, path: PathAt) -> &[u8] {
        &self.names[path.at as usize..(path.at + path.len) as usize + 1]
    }

    /// Bytes of a stored link target, with the NUL after them.
    pub fn text_z(&self, text: TextAt) -> &[u8] {
        &self.names[text.at as usize..(text.at + text.len) as usize + 1]
    }

    /// For implementations: appends bytes to `out`.
    pub fn put_out(&mut self, bytes: &[u8]) -> TextAt {
        let at = self.out.len() as u32;
        self.out.extend_from_slice(bytes);
        TextAt { at, len: bytes.len() as u32 }
    }

    /// For implementations: the text of `out` from `at` to its end.
    pub fn out_since(&self, at: usize) -> TextAt {
        TextAt { at: at as u32, len: (self.out.len() - at) as u32 }
    }

    /// Bytes of an [`ActOut::Text`].
    pub fn out_text(&self, text: TextAt) -> &[u8] {
        &self.out[text.at as usize..(text.at + text.len) as usize]
    }

    /// Names of an [`ActOut::Names`], each with what the listing says of its kind: `out` holds
    /// `kind u8 (0 unknown, 1 file, 2 directory, 3 symlink, 4 other) || length u16 big-endian || bytes`.
    /// `.` and `..` are never listed.
    pub fn names_of(&self, text: TextAt) -> impl Iterator<Item = (u8, &[u8])> {
        let mut rest = self.out_text(text);
        core::iter::from_fn(move || {
            let (&[kind, high, low], tail) = rest.split_first_chunk::<3>()?;
            let (name, tail) = tail.split_at_checked(usize::from(u16::from_be_bytes([high, low])))?;
            rest = tail;
            Some((kind, name))
        })
    }

    /// For implementations: appends one listed name to `out`.
    pub fn put_listed(&mut self, kind: u8, name: &[u8]) {
        debug_assert!(name.len() <= crate::name::NAME_BYTES_MAX);
        self.out.push(kind);
        self.out.extend_from_slice(&(name.len() as u16).to_be_bytes());
        self.out.extend_from_slice(name);
    }
}
