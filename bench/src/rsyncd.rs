//! rsync's daemon on loopback, with a configuration of its own.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A running rsync daemon; it ends when this is dropped.
pub struct Rsyncd {
    child: Child,
    address: SocketAddr,
}

impl Rsyncd {
    /// Serves `folder` for writing as the module `data`; `None` where rsync is not installed.
    pub fn start(folder: &Path, scratch: &Path) -> Option<Self> {
        Command::new("rsync").arg("--version").stdout(Stdio::null()).status().ok()?;
        // The port is free when asked for; rsync has no way to take port 0 and say which it got.
        let address = TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).ok()?;
        let config = scratch.join("rsyncd.conf");
        let identity = if is_root() { "uid = 0\ngid = 0\n" } else { "" };
        let text = format!(
            "use chroot = no\n{identity}log file = /dev/null\n[data]\npath = {}\nread only = no\n",
            folder.display()
        );
        std::fs::write(&config, text).ok()?;
        let mut command = Command::new("rsync");
        command.args(["--daemon", "--no-detach", "--address=127.0.0.1"]);
        command.arg(format!("--port={}", address.port())).arg(format!("--config={}", config.display()));
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().ok()?;
        let daemon = Self { child, address };
        let until = Instant::now() + Duration::from_secs(20);
        while TcpStream::connect(daemon.address).is_err() {
            if Instant::now() > until {
                return None;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        Some(daemon)
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Runs `rsync ARGUMENTS source rsync://.../data/to` to its end.
    ///
    /// # Panics
    /// rsync fails.
    pub fn push(&self, arguments: &[&str], source: &str, to: &str) {
        let status = Command::new("rsync")
            .args(arguments)
            .arg(source)
            .arg(format!("rsync://{}/data/{to}", self.address))
            .status()
            .expect("rsync runs");
        assert!(status.success(), "rsync: {status}");
    }
}

impl Drop for Rsyncd {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn is_root() -> bool {
    std::fs::metadata("/proc/self").is_ok_and(|stat| std::os::unix::fs::MetadataExt::uid(&stat) == 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use xferd_e2e::Scratch;

    #[test]
    fn the_daemon_takes_a_file_and_ends_when_dropped() {
        let scratch = Scratch::new();
        let folder = scratch.dir("served");
        let Some(daemon) = Rsyncd::start(&folder, scratch.path()) else {
            println!("skipped: the_daemon_takes_a_file_and_ends_when_dropped: rsync is not installed");
            return;
        };
        std::fs::write(scratch.join("file"), "content").expect("written");
        daemon.push(&["-a"], &scratch.join("file").display().to_string(), "file");
        assert_eq!(std::fs::read(folder.join("file")).expect("there"), b"content");
        let address = daemon.address;
        drop(daemon);
        assert!(TcpStream::connect(address).is_err());
    }
}
