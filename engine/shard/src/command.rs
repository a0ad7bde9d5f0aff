//! What a program asks of a core, and how it hears that it is done.

use crate::settings::{Destination, Share};
use base::codes::Code;
use base::hooks::{FileAction, StageTimes};
use base::ids::{DeviceId, PskId, TransferId};
use base::io::Fd;
use proto::session::handshake::Config as HandshakeConfig;
use proto::transfer::list::ListRequest;
use proto::transfer::offer::Options;
use proto::transfer::receipt::Receipt;
use proto::transfer::remove::RemoveRequest;
use std::sync::Arc;
use std::sync::mpsc::SyncSender;

/// From the control thread, or from the program itself.
#[derive(Debug)]
pub enum Command {
    /// Do this as a client. Its end is a [`JobEnd`] from [`Shard::job_end`](crate::Shard::job_end).
    Job(Box<Job>),
    /// End the job as a signal does: what is durable stays, the rest resumes later.
    Cancel,
    /// Accept nothing further, let transfers end until the monotonic deadline (ns), then close.
    Drain {
        /// When to close all the same.
        deadline_ns: u64,
    },
    /// Close everything and return.
    Stop,
    /// Shares and rules changed; the rest of the settings stays.
    Shares(Vec<Share>),
    /// Who this device is in handshakes that begin from now on.
    Handshake(Handshake),
    /// Report counters.
    Status(SyncSender<CoreStatus>),
    /// End the sessions of this device.
    Expel(DeviceId, Code),
}

/// This device in handshakes: key, certificate, whom it trusts.
#[derive(Clone)]
pub struct Handshake(pub Arc<HandshakeConfig>);

impl core::fmt::Debug for Handshake {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Handshake")
    }
}

/// One piece of client work over one session.
#[derive(Clone, Debug)]
pub struct Job {
    /// Where.
    pub destination: Destination,
    /// A join token's key instead of a certificate.
    pub join: Option<(PskId, [u8; 32])>,
    /// Names its transfer; random.
    pub id: TransferId,
    /// What.
    pub kind: JobKind,
}

/// What a client does.
#[derive(Clone, Debug)]
pub enum JobKind {
    /// Send local files.
    Push {
        /// What to send.
        sources: Vec<Source>,
        /// Where to on the other end, without a leading or trailing `/`.
        to: Vec<u8>,
        /// The destination was written as a directory (`dir/`).
        to_directory: bool,
        /// As `cp`: into the destination when that is a directory. Else the destination becomes the source.
        copy: bool,
        /// The copy or sync flags.
        options: Options,
        /// Data streams: `None` lets the engine choose.
        streams: Option<u16>,
    },
    /// Receive remote files.
    Pull {
        /// What to ask for.
        from: Vec<Vec<u8>>,
        /// Local destination: an open directory and a path beneath it.
        into: Fd,
        /// Path beneath `into`; empty for the directory itself.
        path: Vec<u8>,
        /// `into` as text, so that a rerun finds its parts.
        anchor: Arc<str>,
        /// Sources keep their names below `path`; else the one source becomes `path`.
        into_directory: bool,
        /// The copy or sync flags.
        options: Options,
        /// Data streams: `None` lets the engine choose.
        streams: Option<u16>,
        /// Owners, groups and setuid bits may be applied.
        owners: bool,
    },
    /// Names of a remote directory; the reply's pages are the data.
    List(ListRequest),
    /// Remove remote names.
    Remove(RemoveRequest),
    /// Any other protocol.
    Call {
        /// Its name.
        protocol: String,
        /// Its bytes.
        payload: Vec<u8>,
        /// Asked again only where nothing can have come of it: what is called may do something.
        once: bool,
    },
    /// As `Call` with `xferd.join`; the payload is made once the session id is known.
    Join {
        /// Makes the request's bytes from the session id.
        request: JoinRequest,
    },
}

/// Makes the bytes of a join request from the session id it is bound to.
#[derive(Clone)]
pub struct JoinRequest(pub Arc<MakeRequest>);

/// From a session id to a request's bytes.
pub type MakeRequest = dyn Fn(&base::ids::SessionId) -> Vec<u8> + Send + Sync;

impl core::fmt::Debug for JoinRequest {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("JoinRequest")
    }
}

/// One source of a push.
#[derive(Clone, Debug)]
pub struct Source {
    /// An open directory.
    pub base: Fd,
    /// Path beneath it; empty for the directory itself.
    pub path: Vec<u8>,
    /// Its last component as it shall be called in a destination directory; empty: its contents go there.
    pub name: Vec<u8>,
}

/// How a job ended.
#[derive(Clone, Debug)]
pub struct JobEnd {
    /// Success, or why not.
    pub result: Result<JobData, Failure>,
    /// What moved, also after a failure.
    pub totals: Totals,
}

/// What a successful job yields.
#[derive(Clone, Debug)]
pub enum JobData {
    /// A transfer's signed receipt, and the receipt file's bytes.
    Receipt(Box<Receipt>, Vec<u8>),
    /// Reply data, one piece per page.
    Reply(Vec<Vec<u8>>),
}

/// Why a job or transfer failed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Failure {
    /// The code.
    pub code: Code,
    /// What happened, to what, what next.
    pub message: String,
}

/// What moved.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Totals {
    /// Content bytes sent or received in this run.
    pub bytes: u64,
    /// Bytes on the wire, both directions.
    pub bytes_wire: u64,
    /// Content bytes kept from an earlier run.
    pub bytes_resumed: u64,
    /// Content bytes taken from older files instead of the wire.
    pub bytes_reused: u64,
    /// Names by what became of them, indexed as [`FileAction`] is ordered.
    pub files: [u64; 7],
    /// Names that failed because they vanished at the source.
    pub vanished: u64,
    /// The deletion limit stopped deletions.
    pub delete_limited: bool,
    /// Time per stage on this end.
    pub stages: StageTimes,
    /// Streams that carried data.
    pub streams: u16,
    /// CPU nanoseconds the other end spent, where it says.
    pub cpu_remote_ns: u64,
}

impl Totals {
    /// Counts one name.
    pub fn count(&mut self, action: FileAction) {
        self.files[action as usize] += 1;
    }

    /// How many names ended like this.
    pub fn counted(&self, action: FileAction) -> u64 {
        self.files[action as usize]
    }
}

/// Counters of one core.
#[derive(Clone, Debug, Default)]
pub struct CoreStatus {
    /// Which core.
    pub core: u16,
    /// Verified sessions.
    pub sessions: u32,
    /// Sessions by what they do, as [`Phase::ALL`](proto::session::phase::Phase::ALL) is ordered.
    pub phases: [u32; 6],
    /// Streams carried.
    pub streams: u32,
    /// Handshakes in progress.
    pub half_open: u32,
    /// Transfers whose home is here.
    pub transfers: u32,
    /// Content bytes received since start.
    pub bytes_in: u64,
    /// Content bytes sent since start.
    pub bytes_out: u64,
    /// Connections refused since start.
    pub refused: u64,
    /// Time per stage since start.
    pub stages: StageTimes,
    /// Running transfers.
    pub running: Vec<RunningTransfer>,
}

/// One running transfer in a status.
#[derive(Clone, Debug)]
pub struct RunningTransfer {
    /// Which.
    pub id: TransferId,
    /// Whose.
    pub account: Arc<str>,
    /// `push` or `pull`, seen from the client.
    pub direction: &'static str,
    /// Bytes moved so far.
    pub bytes: u64,
    /// Files done so far.
    pub files: u64,
    /// The stage with the most time.
    pub limiting: Option<&'static str>,
}
