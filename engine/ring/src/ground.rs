//! What both engines stand on: arena, clocks, bell, peers, and what was learnt about descriptors.

use crate::acts;
use crate::arena::{Arena, Buf};
use crate::clock;
use crate::error::RingError;
use crate::sockets;
use crate::wake::{Bell, Waker};
use base::ids::CoreId;
use base::io::{Act, Batch, Done, Errno, Fd, IoCaps, Now, Out, Token};
use base::limits::Limits;
use std::sync::Arc;

/// The common part of one core's engine.
pub(crate) struct Ground {
    pub(crate) core: CoreId,
    pub(crate) arena: Arena,
    pub(crate) caps: IoCaps,
    pub(crate) now: Now,
    pub(crate) bell: Arc<Bell>,
    pub(crate) peers: Vec<Waker>,
    pub(crate) notes: Notes,
    /// `Woken` is due.
    pub(crate) woken: bool,
}

impl Ground {
    /// # Errors
    /// No memory or descriptor left.
    pub(crate) fn new(core: CoreId, name: &'static str, limits: &Limits) -> Result<Self, RingError> {
        let arena = Arena::new(limits)?;
        let caps = IoCaps {
            name,
            notice: None,
            zero_copy_send: false,
            buffer_bytes: limits.buffer_bytes,
            buffers: arena.slots(),
        };
        let bell = Bell::new()?;
        let now = clock::sample();
        Ok(Self { core, arena, caps, now, bell, peers: Vec::new(), notes: Notes::default(), woken: false })
    }

    /// Unpredictable bytes from the kernel's pool.
    ///
    /// # Panics
    /// If the kernel has none to give: nothing secret can be made then.
    pub(crate) fn random(&self, mut out: &mut [u8]) {
        while !out.is_empty() {
            let flags = rustix::rand::GetRandomFlags::empty();
            match rustix::io::retry_on_intr(|| rustix::rand::getrandom(&mut *out, flags)) {
                Ok(filled) => out = &mut out[filled..],
                Err(error) => panic!("getrandom: {error}"),
            }
        }
    }

    /// Runs a batch here and now.
    pub(crate) fn act(&mut self, batch: &mut Batch<Buf>) {
        acts::run(batch);
        self.notes.forget_closed(batch);
    }

    /// SO_RCVLOWAT, remembered: receives below it must not wait for it.
    pub(crate) fn set_low_water(&mut self, socket: Fd, bytes: u32) -> Result<(), Errno> {
        if self.notes.of(socket.0).low_water == bytes {
            return Ok(());
        }
        sockets::set_low_water(socket.0, bytes)?;
        self.notes.change(socket.0, |note| note.low_water = bytes);
        Ok(())
    }

    /// Whether a receive of `len` bytes waits for the low-water mark. A mark above `len` is lowered first,
    /// or the socket would not be reported readable with all that is asked for at hand.
    pub(crate) fn waits_for_low_water(&mut self, socket: Fd, len: u32) -> bool {
        let mark = self.notes.of(socket.0).low_water;
        if mark <= 1 {
            return false;
        }
        if mark > len {
            // It was set on this very socket before, so it can be set again.
            let _ = self.set_low_water(socket, len.max(1));
        }
        true
    }

    /// Hears the bell; what was queued for this core is looked at after this.
    pub(crate) fn hear(&mut self) {
        if self.bell.hear() {
            self.woken = true;
        }
    }

    /// Appends `Woken` when due; wakes before the core looked are one.
    pub(crate) fn collect_woken(&mut self, done: &mut Vec<Done<Buf>>) {
        if self.woken && done.len() < done.capacity() {
            self.woken = false;
            done.push(Done { token: Token::new(0xff, 0, 0), result: Ok(0), buf: None, out: Out::Woken });
        }
    }
}

// A note ends when this core closes its descriptor. Another core may close it instead and the number come back
// for another file: a stale note costs speed at most, never correctness.

/// One descriptor's note.
#[derive(Clone, Copy, Default)]
pub(crate) struct Note {
    /// RWF_DONTCACHE was refused.
    pub(crate) cached_only: bool,
    /// SEND_ZC was refused, or the kernel copied anyway.
    pub(crate) copy_only: bool,
    /// SO_RCVLOWAT, where above 1.
    pub(crate) low_water: u32,
}

/// The notes of one core. Its size is bounded by RLIMIT_NOFILE.
#[derive(Default)]
pub(crate) struct Notes(Vec<Note>);

impl Notes {
    /// The note, all false when there is none.
    pub(crate) fn of(&self, fd: i32) -> Note {
        usize::try_from(fd).ok().and_then(|at| self.0.get(at)).copied().unwrap_or_default()
    }

    /// Writes into the note.
    pub(crate) fn change(&mut self, fd: i32, change: impl FnOnce(&mut Note)) {
        let Ok(at) = usize::try_from(fd) else { return };
        if at >= self.0.len() {
            self.0.resize(at + 1, Note::default());
        }
        change(&mut self.0[at]);
    }

    /// The descriptor is closed, or its number was just given out.
    pub(crate) fn forget(&mut self, fd: i32) {
        if let Some(note) = usize::try_from(fd).ok().and_then(|at| self.0.get_mut(at)) {
            *note = Note::default();
        }
    }

    /// Forgets what a batch closes.
    pub(crate) fn forget_closed<B>(&mut self, batch: &Batch<B>) {
        for act in batch.acts() {
            if let Act::Close { fd: Fd(fd) } = act {
                self.forget(*fd);
            }
        }
    }
}
