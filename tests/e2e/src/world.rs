//! One daemon and one client that joined it as `lab`: where most tests begin.

use crate::client::{Client, Run, Running};
use crate::daemon::{Daemon, Start};
use crate::proxy::Proxy;
use crate::scratch::Scratch;
use std::path::{Path, PathBuf};

/// Both ends below one scratch directory.
pub struct World {
    /// The client, in the folder `client` with an own state.
    pub client: Client,
    /// What the daemon serves as `/`.
    pub root: PathBuf,
    /// How the daemon is started.
    pub start: Start,
    daemon: Option<Daemon>,
    scratch: Scratch,
}

impl World {
    /// A daemon with the folder `root` as `/`, and a client that joined it.
    pub fn new() -> Self {
        Self::with(Scratch::new(), |start| start)
    }

    /// The same in this scratch directory, the daemon's start changed.
    pub fn with(scratch: Scratch, change: impl FnOnce(Start) -> Start) -> Self {
        let mut world = Self::apart(scratch, change);
        world.join(None);
        world
    }

    /// The same with a proxy between the two.
    pub fn behind_proxy(scratch: Scratch, change: impl FnOnce(Start) -> Start) -> (Self, Proxy) {
        let mut world = Self::apart(scratch, change);
        let proxy = Proxy::new(world.daemon().addr);
        world.join(Some(&proxy));
        (world, proxy)
    }

    /// A daemon, and a client that has not joined it.
    pub fn apart(scratch: Scratch, change: impl FnOnce(Start) -> Start) -> Self {
        let root = scratch.dir("root");
        let start = change(Start::new(&scratch.join("daemon")).root(&root));
        let client = Client::new(&scratch.join("client.state"), &scratch.dir("client"));
        let daemon = Some(start.ready());
        Self { client, root, start, daemon, scratch }
    }

    /// A daemon with the shares that this configuration names instead of one root, and a client that joined it.
    pub fn shares(scratch: Scratch, config: &str) -> Self {
        Self::shares_with(scratch, config, |start| start)
    }

    /// The same, the daemon's start changed.
    pub fn shares_with(scratch: Scratch, config: &str, change: impl FnOnce(Start) -> Start) -> Self {
        let root = scratch.dir("root");
        let start = change(Start::new(&scratch.join("daemon")).config(config));
        let client = Client::new(&scratch.join("client.state"), &scratch.dir("client"));
        let daemon = Some(start.ready());
        let mut world = Self { client, root, start, daemon, scratch };
        world.join(None);
        world
    }

    fn join(&mut self, proxy: Option<&Proxy>) {
        let address = proxy.map(|proxy| proxy.addr.to_string());
        let extra: Vec<&str> = address.iter().flat_map(|address| ["--address", address.as_str()]).collect();
        let token = self.daemon().invite("alice", &extra);
        self.client.run(["join", token.as_str(), "--name", "lab"]).ok();
    }

    /// The daemon that runs.
    pub fn daemon(&self) -> &Daemon {
        self.daemon.as_ref().expect("a daemon runs unless a test killed it")
    }

    /// A further client that joined as `account`.
    pub fn further_client(&self, account: &str) -> Client {
        let state = self.scratch.join(&format!("{account}.state"));
        Client::joined(&state, &self.scratch.dir(account), self.daemon(), account, "lab")
    }

    /// A path below the scratch directory.
    pub fn path(&self, name: &str) -> PathBuf {
        self.scratch.join(name)
    }

    /// A path in the client's folder.
    pub fn local(&self, name: &str) -> PathBuf {
        self.client.folder.join(name)
    }

    /// SIGKILL to the daemon.
    pub fn kill(&mut self) {
        self.daemon.take().expect("a daemon runs").kill();
    }

    /// Waits for the daemon's own end.
    pub fn wait(&mut self) -> std::process::ExitStatus {
        self.daemon.take().expect("a daemon runs").wait()
    }

    /// Waits until the daemon ends by itself while `command` runs, as at a crash point; a daemon that outlives the
    /// command is told to end. The command is killed once the daemon is gone: nobody would answer it.
    pub fn wait_or_terminate(&mut self, command: Running) -> std::process::ExitStatus {
        let daemon = self.daemon.take().expect("a daemon runs");
        daemon.outlives(command)
    }

    /// Starts the daemon where it may end by itself while it recovers; one that does not is told to end once it
    /// answers. How it ended.
    pub fn start_and_end(&mut self, address: std::net::SocketAddr) -> std::process::ExitStatus {
        match self.start.clone().listen(address).ready_or_ended() {
            Ok(daemon) => daemon.outlives(self.client.start(["ls", "lab:/"])),
            Err(status) => status,
        }
    }

    /// SIGTERM to the daemon; how it ended.
    pub fn terminate(&mut self) -> std::process::ExitStatus {
        self.daemon.take().expect("a daemon runs").terminate()
    }

    /// Starts the daemon on a state that was used before, on `port_of`'s address or a free one.
    pub fn start_again(&mut self, address: Option<std::net::SocketAddr>) -> &Daemon {
        let start = self.start.clone();
        let start = address.map_or(start.clone(), |address| start.listen(address));
        self.daemon.insert(start.ready())
    }

    /// `xfer sync -a FROM/ lab:TO --json`, exit 0.
    pub fn push(&self, from: &Path, to: &str) -> Run {
        let from = format!("{}/", from.display());
        self.client.json(["sync", "-a", from.as_str(), &format!("lab:{to}")]).ok()
    }

    /// `xfer sync -a lab:FROM TO --json`, exit 0.
    pub fn pull(&self, from: &str, to: &Path) -> Run {
        self.client.json(["sync", "-a", &format!("lab:{from}/"), &to.display().to_string()]).ok()
    }

    /// Asserts that nothing of the engine's own is left visible or hidden in the served folder.
    pub fn assert_no_leftovers(&self) {
        let names = crate::compare::names(&self.root);
        let left: Vec<_> = names.iter().filter(|name| name.to_string_lossy().contains(".xferd-")).collect();
        assert!(left.is_empty(), "left behind: {left:?}");
    }
}

impl Default for World {
    fn default() -> Self {
        Self::new()
    }
}
