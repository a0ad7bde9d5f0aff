//! The words, numbers and seams every room shares.
//!
//! `base` imports nothing: no clock, socket, file, thread, randomness or environment. What it holds is
//! plain data ([`entry`], [`ids`], [`codes`]), the one table of bounds ([`limits`]), the names of the
//! moments at which a test may kill the process ([`points`]), and the two seams between a core and
//! the world: [`io::Io`] (the kernel, or a simulator of it) and [`hooks::Hooks`] (the daemon's other
//! threads, or a simulator of them).
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

pub mod authorize;
pub mod codes;
pub mod durability;
pub mod entry;
pub mod hooks;
pub mod ids;
pub mod io;
pub mod limits;
pub mod name;
pub mod points;
pub mod stored;
