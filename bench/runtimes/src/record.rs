//! The part of the work that is the same for all: sealing and opening, and what a socket is told.

use crate::Outcome;
use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use base::ids::CoreId;
use base::io::{Fd, Io as _};
use base::limits::Limits;
use ring::{Engine, Mode};
use std::fmt::Display;
use std::os::fd::AsRawFd;

/// Content of a record.
pub const RECORD: usize = 256 << 10;
/// A record and its tag.
pub const SEALED: usize = RECORD + 16;
/// Buffers in flight of one end.
pub const BUFFERS: usize = 4;

/// Seals and opens, counting records.
pub struct Keys {
    key: LessSafeKey,
    sequence: u64,
}

impl Keys {
    /// A key that both ends know; what is measured is not the secret.
    pub fn new() -> Outcome<Self> {
        let key = UnboundKey::new(&AES_256_GCM, &[7; 32]).map_err(said)?;
        Ok(Self { key: LessSafeKey::new(key), sequence: 0 })
    }

    fn nonce(&mut self) -> Nonce {
        let mut bytes = [0; 12];
        bytes[4..].copy_from_slice(&self.sequence.to_be_bytes());
        self.sequence += 1;
        Nonce::assume_unique_for_key(bytes)
    }

    /// Seals the first [`RECORD`] bytes; the tag follows them.
    pub fn seal(&mut self, buffer: &mut [u8]) -> Outcome<()> {
        let nonce = self.nonce();
        let (data, tag) = buffer[..SEALED].split_at_mut(RECORD);
        let made = self.key.seal_in_place_separate_tag(nonce, Aad::empty(), data).map_err(said)?;
        tag.copy_from_slice(made.as_ref());
        Ok(())
    }

    /// Opens [`SEALED`] bytes where they lie.
    pub fn open(&mut self, buffer: &mut [u8]) -> Outcome<()> {
        let nonce = self.nonce();
        self.key.open_in_place(nonce, Aad::empty(), &mut buffer[..SEALED]).map(drop).map_err(said)
    }
}

/// An error as text.
pub fn said(error: impl Display) -> String {
    error.to_string()
}

/// Buffers of one end.
pub fn buffers() -> Vec<Vec<u8>> {
    vec![vec![0; SEALED]; BUFFERS]
}

/// Tells the kernel not to wake a receiver for less than a record.
pub fn wait_for_records(socket: &impl AsRawFd) -> Outcome<()> {
    // The engine's own way to setsockopt: no other crate here has SO_RCVLOWAT without unsafe code.
    let mut engine = Engine::new(Mode::Threads, CoreId(0), &Limits::DEFAULT).map_err(said)?;
    engine
        .set_low_water(Fd(socket.as_raw_fd()), SEALED as u32)
        .map_err(|error| format!("SO_RCVLOWAT: {error:?}"))
}

/// What the engine sets on a connection, for every runtime.
pub fn settle(socket: &impl AsRawFd) {
    ring::settle(Fd(socket.as_raw_fd()));
}

/// The sender stays on the first CPU, the receiver on the second.
pub fn pin(cpu: usize) {
    // Where there is one CPU both share it.
    let _ = ring::pin_to_cpu(cpu);
}
