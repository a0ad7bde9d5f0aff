//! The protocol, sans-IO: the only implementation of FORMAT.md.
//!
//! Nothing here reads a clock, touches a socket or a file, starts a thread or draws randomness: `now` and
//! random bytes are parameters, bytes come in and go out.
//!
//! - [`wire`]: frames, trailers, their layouts
//! - [`session`]: the handshake, records, certificates, liveness, retries
//! - [`message`]: Control messages: envelope, requests and replies, fragments; Close, Ping, Pong
//! - [`transfer`]: offers, entries, wants, chunks, packs, seals, acks, receipts
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(test)]
extern crate std;

pub mod message;
pub mod session;
pub mod transfer;
pub mod wire;
