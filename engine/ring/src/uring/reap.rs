//! From a completion to the operation's one [`Done`], and the end of all operations.

use super::{CLOSE_WAIT, CLOSE_WAITS, Held, MARK_BELL, MARK_CANCEL, MARK_HEARD, MARK_MESSAGE, Uring};
use crate::arena::Buf;
use crate::pool::close;
use crate::slots::Key;
use crate::sockets::settle;
use base::io::{Done, Errno, Fd, Out, Token};
use io_uring::{cqueue, opcode};

/// IORING_NOTIF_USAGE_ZC_COPIED: the notification of a zero-copy send that was copied.
const ZC_COPIED: u32 = 1 << 31;

impl Uring {
    /// Takes completions while `done` has room.
    pub(super) fn collect_completions(&mut self, done: &mut Vec<Done<Buf>>) {
        while done.len() < done.capacity() {
            let Some(entry) = self.ring.completion().next() else { return };
            if let Some(ended) = self.on_completion(&entry) {
                done.push(ended);
            }
        }
    }

    fn on_completion(&mut self, entry: &cqueue::Entry) -> Option<Done<Buf>> {
        let word = entry.user_data();
        if word & MARK_BELL != 0 {
            self.on_mark(word);
            return None;
        }
        let key = Key::unpack(word);
        if cqueue::more(entry.flags()) {
            // The first of a zero-copy send's two: its buffer stays with the kernel.
            if let Some(Held::Send { sent, .. }) = self.kept.slots.held(key) {
                *sent = Some(entry.result());
            }
            return None;
        }
        self.owed -= 1;
        if self.tries_again(key, entry.result()) {
            return None;
        }
        let (token, held) = self.kept.slots.remove(key)?;
        Some(self.ended(key, token, held, entry))
    }

    fn on_mark(&mut self, word: u64) {
        match word {
            MARK_BELL => {
                self.bell_armed = false;
                self.on_bell();
            }
            MARK_HEARD => self.on_bell(),
            MARK_CANCEL => {}
            // Only a failed message completes: the peer's ring is gone, its bell may still be heard.
            _ if word & MARK_MESSAGE == MARK_MESSAGE => {
                if let Some(peer) = self.ground.peers.get(usize::from(word as u16)) {
                    peer.bell.strike();
                }
            }
            _ => {}
        }
    }

    fn on_bell(&mut self) {
        self.ground.hear();
        self.collect_outcomes();
    }

    /// Whether the kernel refused an extra only; the operation then goes again without it.
    fn tries_again(&mut self, key: Key, result: i32) -> bool {
        if result != -libc::EOPNOTSUPP && result != -libc::EINVAL {
            return false;
        }
        match self.kept.slots.held(key) {
            Some(Held::File { uncached: uncached @ true, file, .. }) => {
                *uncached = false;
                self.ground.notes.change(*file, |note| note.cached_only = true);
            }
            Some(Held::Send { zc: zc @ true, socket, sent: None, .. }) => {
                *zc = false;
                self.ground.notes.change(*socket, |note| note.copy_only = true);
            }
            _ => return false,
        }
        self.again.push_back(key);
        true
    }

    fn ended(&mut self, key: Key, token: Token, held: Held, entry: &cqueue::Entry) -> Done<Buf> {
        let result = match &held {
            // The second completion of a zero-copy send carries no result of its own.
            Held::Send { sent: Some(sent), .. } => outcome(*sent),
            _ => outcome(entry.result()),
        };
        let pad = self.kept.pads[key.index as usize].get();
        let (result, buf, out) = match held {
            Held::Accept => match result {
                Ok(socket) => {
                    let socket = socket as i32;
                    self.ground.notes.forget(socket);
                    settle(Fd(socket));
                    // SAFETY: the operation has completed, the kernel no longer refers to the pad.
                    let from = unsafe { (*pad).address.decode() };
                    (Ok(0), None, Out::Accepted { socket: Fd(socket), from })
                }
                Err(errno) => (Err(errno), None, Out::Nothing),
            },
            Held::Connect { socket } => match result {
                Ok(_) => {
                    settle(Fd(socket));
                    (Ok(0), None, Out::Connected(Fd(socket)))
                }
                Err(errno) => {
                    let _ = close(socket);
                    (Err(errno), None, Out::Nothing)
                }
            },
            Held::Head { at } => {
                debug_assert!(result.is_ok_and(|n| n <= u32::from(12 - at)) || result.is_err());
                // SAFETY: as above.
                let head = unsafe { (*pad).head };
                (result, None, Out::Head(head))
            }
            Held::Send { buf, socket, .. } => {
                if cqueue::notif(entry.flags()) && entry.result() as u32 & ZC_COPIED != 0 {
                    self.ground.notes.change(socket, |note| note.copy_only = true);
                }
                (result, Some(buf), Out::Nothing)
            }
            Held::Recv { buf } | Held::File { buf, .. } => (result, Some(buf), Out::Nothing),
            Held::Plain | Held::Timer | Held::Acts => (result, None, Out::Nothing),
        };
        Done { token, result, buf, out }
    }

    /// Ends every operation the kernel has. False when it does not let go in time.
    pub(super) fn end_all(&mut self) -> bool {
        let keys: Vec<Key> = self.kept.slots.keys().collect();
        for key in keys {
            let with_kernel = !matches!(self.kept.slots.held(key), Some(Held::Timer | Held::Acts));
            if with_kernel && self.has_room() {
                self.push(&opcode::AsyncCancel::new(key.pack()).build().user_data(MARK_CANCEL));
            }
        }
        // Ending the read of the bell by ringing it works even where a cancellation would not.
        self.ground.bell.strike();
        self.again.clear();
        for _ in 0..CLOSE_WAITS {
            self.enter(None);
            loop {
                let Some(entry) = self.ring.completion().next() else { break };
                if let Some(Done { out: Out::Accepted { socket, .. } | Out::Connected(socket), .. }) =
                    self.on_completion(&entry)
                {
                    let _ = close(socket.0);
                }
            }
            if self.owed == 0 && !self.bell_armed {
                return true;
            }
            self.enter(Some(CLOSE_WAIT.as_nanos() as u64));
        }
        false
    }
}

/// A completion's result.
fn outcome(result: i32) -> Result<u32, Errno> {
    if result >= 0 { Ok(result as u32) } else { Err(Errno(-result)) }
}
