//! The conformance suite, on the kernel: io_uring and threads, default and tiny bounds.

use base::ids::CoreId;
use base::io::{Fd, Io};
use base::limits::Limits;
use base::name::Name;
use conformance::{World, run_all};
use ring::{Engine, Mode, Waker, listen, open_root, set_umask_zero};
use rustix::fd::OwnedFd;
use rustix::net::{AddressFamily, SocketType, bind, getsockname, socket};
use std::net::SocketAddr;
use std::path::Path;
use tempfile::TempDir;

/// A tmpfs on every Linux.
const MEMORY: &str = "/dev/shm";

struct Kernel {
    engine: Engine,
    waker: Waker,
    limits: Limits,
    root: Fd,
    deaf: Option<OwnedFd>,
    directory: TempDir,
}

impl Kernel {
    fn new(mode: Mode, limits: Limits, memory: bool) -> Self {
        set_umask_zero();
        let mut engine = Engine::new(mode, CoreId(0), &limits).expect("an engine");
        let waker = engine.waker();
        engine.set_peers(vec![waker.clone()]);
        let directory = if memory { TempDir::new_in(MEMORY) } else { TempDir::new() }.expect("a directory");
        let root = open_root(directory.path()).expect("opened");
        Self { engine, waker, limits, root, deaf: None, directory }
    }
}

impl World for Kernel {
    type Io = Engine;

    fn limits(&self) -> &Limits {
        &self.limits
    }

    fn io(&mut self) -> &mut Engine {
        &mut self.engine
    }

    fn core(&self) -> CoreId {
        CoreId(0)
    }

    fn root(&mut self) -> Fd {
        self.root
    }

    fn listener(&mut self) -> (Fd, SocketAddr) {
        listen("127.0.0.1:0".parse().expect("valid"), 16).expect("listens")
    }

    fn deaf_address(&mut self) -> SocketAddr {
        // Bound, so that nobody else gets the port, but not listening.
        let socket = socket(AddressFamily::INET, SocketType::STREAM, None).expect("a socket");
        let any: SocketAddr = "127.0.0.1:0".parse().expect("valid");
        bind(&socket, &any).expect("bound");
        let address = getsockname(&socket).expect("an address").try_into().expect("IPv4");
        self.deaf = Some(socket);
        address
    }

    fn wake_from_outside(&mut self) {
        let waker = self.waker.clone();
        std::thread::spawn(move || waker.wake()).join().expect("woken");
    }

    fn make_fifo(&mut self, dir: Fd, name: Name<'_>) -> bool {
        assert_eq!(dir, self.root);
        let path = self.directory.path().join(std::str::from_utf8(name.as_bytes()).expect("text"));
        rustix::fs::mknodat(rustix::fs::CWD, &path, rustix::fs::FileType::Fifo, 0o600.into(), 0)
            .expect("a FIFO");
        true
    }
}

impl Drop for Kernel {
    fn drop(&mut self) {
        let mut batch = base::io::Batch::new();
        batch.push(base::io::Act::Close { fd: self.root });
        self.engine.act(&mut batch);
    }
}

/// Both engines treat files in memory apart from files on disk.
fn both_file_systems(mode: Mode, limits: Limits) {
    for memory in [false, true] {
        if memory && !Path::new(MEMORY).is_dir() {
            eprintln!("skipped: there is no {MEMORY}");
            continue;
        }
        run_all(|| Kernel::new(mode, limits.clone(), memory));
    }
}

/// io_uring is tested where it can be used; where not, its absence is said by name.
fn uring(limits: Limits) {
    match ring::probe::probe() {
        Ok(_) => both_file_systems(Mode::Uring, limits),
        Err(refusal) => eprintln!("skipped: {refusal}"),
    }
}

#[test]
fn uring_conforms() {
    uring(Limits::DEFAULT);
}

#[test]
fn uring_conforms_when_tiny() {
    uring(Limits::TINY);
}

#[test]
fn threads_conform() {
    both_file_systems(Mode::Threads, Limits::DEFAULT);
}

#[test]
fn threads_conform_when_tiny() {
    both_file_systems(Mode::Threads, Limits::TINY);
}
