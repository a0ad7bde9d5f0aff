//! The same work on our own ring, on tokio-uring, glommio, compio and on blocking threads, in one run.
//!
//! A sender reads a warm file in records of 256 KiB, seals each with AES-256-GCM and sends it over loopback; a
//! receiver opens each and writes it over an existing file. Each end is a process of one thread on a CPU of its own, with
//! four buffers in flight and SO_RCVLOWAT at a sealed record. What differs is who speaks to the kernel.
//!
//! `runtimes [GiB] [rounds]` runs all; `runtimes NAME tx|rx FILE RECORDS [ADDRESS]` is one end, which the first starts.

#![forbid(unsafe_code)]

mod blocking;
mod compare;
mod compio_end;
mod glommio_end;
mod own;
mod record;
mod tokio_uring_end;

use std::net::SocketAddr;
use std::path::Path;
use std::process::ExitCode;

/// What can go wrong, said to a person.
pub type Outcome<T> = Result<T, String>;

/// The sending end: so many records of a file to an address.
pub type Send = fn(&Path, u64, SocketAddr) -> Outcome<()>;
/// The receiving end: says where it listens, takes so many records into a file.
pub type Receive = fn(&Path, u64, &dyn Fn(SocketAddr)) -> Outcome<()>;

/// One way to do the work.
pub struct Runtime {
    /// Its name.
    pub name: &'static str,
    /// Sends.
    pub send: Send,
    /// Receives.
    pub receive: Receive,
}

/// All of them; the first is ours.
pub const RUNTIMES: [Runtime; 5] = [
    Runtime { name: "own ring", send: own::send, receive: own::receive },
    Runtime { name: "blocking", send: blocking::send, receive: blocking::receive },
    Runtime { name: "tokio-uring", send: tokio_uring_end::send, receive: tokio_uring_end::receive },
    Runtime { name: "compio", send: compio_end::send, receive: compio_end::receive },
    Runtime { name: "glommio", send: glommio_end::send, receive: glommio_end::receive },
];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match words[..] {
        [name, "tx", file, records, to] => one_end(name, |runtime| {
            let to = to.parse().map_err(|_| format!("{to} is no address"))?;
            (runtime.send)(Path::new(file), number(records)?, to)
        }),
        [name, "rx", file, records] => one_end(name, |runtime| {
            (runtime.receive)(Path::new(file), number(records)?, &|address| println!("{address}"))
        }),
        [] => compare::run(4, 5),
        [gib] => number(gib).and_then(|gib| compare::run(gib, 5)),
        [gib, rounds] => number(gib).and_then(|gib| compare::run(gib, number(rounds)? as usize)),
        _ => Err("runtimes [GiB] [rounds]".into()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("runtimes: {message}");
            ExitCode::FAILURE
        }
    }
}

fn one_end(name: &str, work: impl FnOnce(&Runtime) -> Outcome<()>) -> Outcome<()> {
    let found = RUNTIMES.iter().find(|runtime| runtime.name == name);
    work(found.ok_or_else(|| format!("no runtime {name}"))?)
}

fn number(text: &str) -> Outcome<u64> {
    text.parse().map_err(|_| format!("{text} is no number"))
}
