//! What goes over ssh: rsync, sftp, tar. The server is our own, with throw-away keys; nothing of the user's
//! configuration is read, nothing of the machine's is written.
//!
//! The cipher is AES-256-GCM, the fastest that OpenSSH has on a processor with AES.

use super::{How, Job, Tool, first_line, rsync};
use crate::ground::Ground;
use crate::measure::Kind;
use crate::process::{self, Kept, find, free_port, listens, until};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::rc::Rc;
use std::time::Duration;
use xferd_e2e::Depth;

/// A running sshd; it ends when this is dropped.
pub(super) struct Sshd {
    child: Kept,
    /// Where it listens.
    pub(super) port: u16,
    /// Keys and configurations of both ends.
    pub(super) folder: PathBuf,
    /// The directory that sshd insists on, if it was made for this run.
    made: Option<&'static Path>,
}

/// Where sshd, as root, wants an empty directory; the system's own service makes the same one.
const PRIVILEGE_SEPARATION: &str = "/run/sshd";

impl Sshd {
    /// Starts it on a free port of loopback.
    ///
    /// # Errors
    /// A program is missing, or it does not start.
    pub(super) fn start(ground: &Ground) -> Result<Rc<Self>, String> {
        let program = find("sshd").ok_or("sshd (openssh-server) is not installed")?;
        find("ssh").ok_or("ssh (openssh-client) is not installed")?;
        let folder = ground.desk().join("ssh");
        std::fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        for key in ["host", "client"] {
            let mut command = Command::new("ssh-keygen");
            command.args(["-q", "-t", "ed25519", "-N", "", "-C", key, "-f"]).arg(folder.join(key));
            process::run(&mut command)?;
        }
        let port = free_port()?;
        write_configurations(&folder, port)?;
        let made = Path::new(PRIVILEGE_SEPARATION);
        let made = (rustix::process::geteuid().is_root() && !made.exists()).then_some(made);
        if let Some(made) = made {
            std::fs::create_dir(made).map_err(|error| format!("{}: {error}", made.display()))?;
        }
        let log = folder.join("log");
        let output = std::fs::File::create(&log).map_err(|error| error.to_string())?;
        let mut command = Command::new(program);
        command.args(["-D", "-e", "-f"]).arg(folder.join("sshd_config"));
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(output).spawn();
        let child = Kept(child.map_err(|error| format!("sshd: {error}"))?);
        let found = Self { child, port, folder, made };
        until("sshd listens", Duration::from_secs(20), || listens(port))?;
        let said = || std::fs::read_to_string(&log).unwrap_or_default();
        process::run(found.ssh().arg("true")).map_err(|error| format!("{error} {}", said()))?;
        Ok(Rc::new(found))
    }

    /// `ssh` to it.
    fn ssh(&self) -> Command {
        let mut command = Command::new("ssh");
        command.arg("-F").arg(self.client_config()).arg("127.0.0.1");
        command
    }

    fn client_config(&self) -> PathBuf {
        self.folder.join("ssh_config")
    }

    /// The same as rsync and syq want it: one word for the program and its arguments.
    pub(super) fn shell(&self) -> String {
        format!("ssh -F {}", self.client_config().display())
    }

    /// Its process id.
    pub(super) fn id(&self) -> u32 {
        self.child.0.id()
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        if let Some(made) = self.made {
            let _ = std::fs::remove_dir(made);
        }
    }
}

fn write_configurations(folder: &Path, port: u16) -> Result<(), String> {
    let at = |name: &str| folder.join(name).display().to_string();
    let read = |name: &str| std::fs::read_to_string(folder.join(name)).map_err(|error| error.to_string());
    let server = format!(
        "Port {port}\nListenAddress 127.0.0.1\nHostKey {}\nAuthorizedKeysFile {}\nStrictModes no\nUsePAM no\n\
         PasswordAuthentication no\nKbdInteractiveAuthentication no\nPermitRootLogin prohibit-password\nPidFile none\n\
         Subsystem sftp internal-sftp\nMaxStartups 1000\nMaxSessions 100\nLogLevel ERROR\nUseDNS no\nPrintMotd no\n\
         PrintLastLog no\n",
        at("host"),
        at("client.pub")
    );
    let client = format!(
        "Host *\nPort {port}\nIdentityFile {}\nIdentitiesOnly yes\nIdentityAgent none\nUserKnownHostsFile {}\n\
         GlobalKnownHostsFile /dev/null\nStrictHostKeyChecking yes\nCiphers aes256-gcm@openssh.com\nCompression no\n\
         BatchMode yes\nControlPath none\nLogLevel ERROR\n",
        at("client"),
        at("known_hosts")
    );
    let known = format!("[127.0.0.1]:{port} {}", read("host.pub")?);
    for (name, text) in [("sshd_config", server), ("ssh_config", client), ("known_hosts", known)] {
        std::fs::write(folder.join(name), text).map_err(|error| format!("{name}: {error}"))?;
    }
    Ok(())
}

/// rsync, its far end started by ssh.
pub(super) struct RsyncSsh(pub(super) Rc<Sshd>);

impl Tool for RsyncSsh {
    fn name(&self) -> String {
        "rsync + ssh".into()
    }

    fn kind(&self) -> Kind {
        Kind::Encrypted
    }

    fn depth(&self) -> Depth {
        Depth::Archive
    }

    fn version(&self) -> Option<String> {
        first_line("ssh", "-V")
    }

    fn far(&self) -> Vec<u32> {
        vec![self.0.id()]
    }

    fn command(&self, job: &Job<'_>) -> Option<Command> {
        let mut command = rsync::command(job, |spot| format!("127.0.0.1:{}", spot.path.display()))?;
        command.args(["-e", &self.0.shell()]);
        Some(command)
    }
}

/// OpenSSH's sftp, told by a batch.
pub(super) struct Sftp(pub(super) Rc<Sshd>);

impl Tool for Sftp {
    fn name(&self) -> String {
        "sftp".into()
    }

    fn kind(&self) -> Kind {
        Kind::Encrypted
    }

    fn depth(&self) -> Depth {
        Depth::Content
    }

    fn is_incremental(&self) -> bool {
        false
    }

    /// To resume what is not there is an error.
    fn begins_with(&self) -> How {
        How::Fresh
    }

    fn far(&self) -> Vec<u32> {
        vec![self.0.id()]
    }

    fn command(&self, job: &Job<'_>) -> Option<Command> {
        let line = match job {
            Job::File { from, to, how: How::Fresh } => {
                format!("put {} {}", from.display(), to.path.display())
            }
            Job::File { from, to, how: How::Resume } => {
                format!("reput {} {}", from.display(), to.path.display())
            }
            Job::Tree { from, to } => format!("put -r {} {}", from.display(), to.path.display()),
            Job::File { .. } | Job::Fetch { .. } => return None,
        };
        let batch = self.0.folder.join("batch");
        std::fs::write(&batch, format!("{line}\n")).ok()?;
        let mut command = Command::new("sftp");
        command.arg("-q").arg("-F").arg(self.0.client_config()).arg("-b").arg(batch).arg("127.0.0.1");
        Some(command)
    }
}

/// tar piped into tar at the other end of ssh.
pub(super) struct TarSsh(pub(super) Rc<Sshd>);

impl Tool for TarSsh {
    fn name(&self) -> String {
        "tar | ssh tar".into()
    }

    fn kind(&self) -> Kind {
        Kind::Encrypted
    }

    fn depth(&self) -> Depth {
        Depth::Content
    }

    fn is_incremental(&self) -> bool {
        false
    }

    fn far(&self) -> Vec<u32> {
        vec![self.0.id()]
    }

    fn command(&self, job: &Job<'_>) -> Option<Command> {
        let (pack, unpack) = super::tar::halves(job)?;
        let mut command = Command::new("sh");
        command.arg("-c").arg(format!("{pack} | {} 127.0.0.1 '{unpack}'", self.0.shell()));
        Some(command)
    }
}
