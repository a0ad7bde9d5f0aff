//! `ls`, `rm`, `status`: one request, one reply.

use super::Engine;
use super::remote::{self, Known};
use super::run::{self, Ran, Runner};
use crate::escape::{Shown, shown};
use crate::failure::Failure;
use crate::report::{self, Outcome, Reporter, Told, path_fields};
use crate::xfer_cli::RemotePath;
use base::codes::{Code, exit};
use base::entry::{Entry, Kind};
use base::ids::TransferId;
use base::limits::Limits;
use proto::message::is_protocol_name;
use proto::transfer::entries::EntriesBatch;
use proto::transfer::list::ListRequest;
use proto::transfer::order::Order;
use proto::transfer::remove::{RemoveReply, RemoveRequest};
use serde_json::{Value, json};
use shard::command::{Job, JobData, JobKind};
use std::time::Duration;

/// Room of an envelope around a call.
const ENVELOPE_BYTES: usize = 512;

/// Lists a remote directory.
///
/// # Errors
/// It could not be listed.
pub fn list(
    engine: &Engine,
    at: &RemotePath,
    long: bool,
    reporter: &mut Reporter,
) -> Result<Outcome, Failure> {
    let request = ListRequest { root: "/".to_owned(), path: at.path.clone(), recursive: false, after: None };
    let pages = ask(engine, &at.remote, JobKind::List(request), reporter)?;
    let mut order = Order::new();
    let mut rows = 0_u64;
    for page in &pages {
        order.next_page();
        let batch = EntriesBatch::parse(page, &Limits::DEFAULT, &mut order)
            .map_err(|error| malformed(error.code()))?;
        for entry in &batch.entries {
            let owner = (batch.owner_name(entry.uid, false), batch.owner_name(entry.gid, true));
            reporter.tell(&row(entry, owner, long));
            rows += 1;
        }
    }
    Ok(Outcome { data: Some(json!({"entries": rows})), ..Outcome::ok() })
}

fn row(entry: &Entry, owner: (Option<&str>, Option<&str>), long: bool) -> Told {
    let mut fields = path_fields(&entry.path);
    let kind = match entry.kind {
        Kind::File => "file",
        Kind::Directory => "directory",
        Kind::Symlink => "symlink",
    };
    fields.insert("kind".into(), kind.into());
    fields.insert("size".into(), entry.size.into());
    fields.insert("allocated".into(), entry.allocated.into());
    fields.insert("mode".into(), entry.mode.into());
    fields.insert("mtime_s".into(), entry.mtime.seconds.into());
    fields.insert("mtime_ns".into(), entry.mtime.nanos.into());
    fields.insert("uid".into(), entry.uid.into());
    fields.insert("gid".into(), entry.gid.into());
    fields.insert("owner".into(), owner.0.into());
    fields.insert("group".into(), owner.1.into());
    if entry.kind == Kind::Symlink {
        let target = path_fields(&entry.target);
        fields.extend(target.into_iter().map(|(key, value)| (key.replace("path", "target"), value)));
    }
    let slash = if entry.kind == Kind::Directory { "/" } else { "" };
    let mut line = format!("{}{slash}", Shown(&entry.path));
    if long {
        let seconds = u64::try_from(entry.mtime.seconds).unwrap_or(0);
        let link = match entry.kind {
            Kind::Symlink => format!(" -> {}", Shown(&entry.target)),
            _ => String::new(),
        };
        let name = |name: Option<&str>, id: u32| name.map_or_else(|| id.to_string(), shown);
        line = format!(
            "{} {:<8} {:<8} {:>14} {} {line}{link}",
            mode_text(entry),
            name(owner.0, entry.uid),
            name(owner.1, entry.gid),
            entry.size,
            report::date(seconds.saturating_mul(1000)),
        );
    }
    Told::Row { event: "entry", fields, line }
}

/// `drwxr-sr-t`, as ls(1) has it.
fn mode_text(entry: &Entry) -> String {
    let kind = match entry.kind {
        Kind::File => '-',
        Kind::Directory => 'd',
        Kind::Symlink => 'l',
    };
    let mut text = String::from(kind);
    for (shift, special, letter) in [(6, 0o4000, 's'), (3, 0o2000, 's'), (0, 0o1000, 't')] {
        let bits = entry.mode >> shift;
        text.push(if bits & 4 != 0 { 'r' } else { '-' });
        text.push(if bits & 2 != 0 { 'w' } else { '-' });
        text.push(match (entry.mode & special != 0, bits & 1 != 0) {
            (true, true) => letter,
            (true, false) => letter.to_ascii_uppercase(),
            (false, true) => 'x',
            (false, false) => '-',
        });
    }
    text
}

/// Removes remote names.
///
/// # Errors
/// Nothing was removed.
pub fn remove(
    engine: &Engine,
    paths: &[RemotePath],
    recursive: bool,
    reporter: &mut Reporter,
) -> Result<Outcome, Failure> {
    let Some(first) = paths.first() else { return Err(Failure::usage("nothing is named", "")) };
    let request = RemoveRequest {
        root: "/".to_owned(),
        paths: paths.iter().map(|path| path.path.clone()).collect(),
        recursive,
        dry_run: false,
    };
    let pages = ask(engine, &first.remote, JobKind::Remove(request), reporter)?;
    let bytes = pages.first().map(Vec::as_slice).unwrap_or_default();
    let reply = RemoveReply::parse(bytes, &Limits::DEFAULT).map_err(|error| malformed(error.code()))?;
    for (path, code) in &reply.failed {
        let message = format!("not removed: {}", code.name());
        reporter.tell(&Told::Warning { code: *code, message, path: Some(path.clone()) });
    }
    let mut outcome = Outcome {
        data: Some(json!({"files": reply.files, "directories": reply.directories})),
        ..Outcome::ok()
    };
    outcome.files.deleted = reply.files + reply.directories;
    outcome.files.failed = reply.failures;
    if reply.failures > 0 {
        outcome.failure = Some(not_removed(&reply, recursive));
        outcome.exit = outcome.failure.as_ref().map_or(exit::OK, |failure| failure.exit);
    }
    Ok(outcome)
}

/// One name that failed, and nothing else, has its own exit status; several are a partial end.
fn not_removed(reply: &RemoveReply, recursive: bool) -> Failure {
    let next = if recursive { "" } else { "a directory needs -r" };
    match reply.failed.as_slice() {
        [(path, code)] if reply.failures == 1 && reply.files + reply.directories == 0 => {
            Failure::new(*code, format!("{} was not removed: {}", Shown(path), code.name()), next)
        }
        _ => {
            let message = format!("{} names were not removed", reply.failures);
            Failure { exit: exit::PARTIAL, ..Failure::new(Code::Conflict, message, next) }
        }
    }
}

/// Asks a remote about itself.
///
/// # Errors
/// It did not answer.
pub fn status(
    engine: &Engine,
    name: &str,
    plugins: bool,
    reporter: &mut Reporter,
) -> Result<Outcome, Failure> {
    let call = JobKind::Call { protocol: "xferd.status".to_owned(), payload: Vec::new(), once: false };
    let pages = ask(engine, name, call, reporter)?;
    let bytes = pages.first().map(Vec::as_slice).unwrap_or_default();
    let data: Value = serde_json::from_slice(bytes).map_err(|_| malformed(Code::InvalidRequest))?;
    let data = if plugins { json!({"plugins": data["plugins"]}) } else { data };
    if !reporter.is_json() {
        let line = report::lines(&data).trim_end().to_owned();
        reporter.tell(&Told::Row { event: "status", fields: serde_json::Map::new(), line });
    }
    Ok(Outcome { data: Some(data), ..Outcome::ok() })
}

fn malformed(code: Code) -> Failure {
    Failure::new(code, "the reply breaks a rule of the protocol", "use the same release on both ends")
}

/// One call of a protocol that the daemon's plugins serve.
pub struct ProtocolCall<'a> {
    /// Name of the remote.
    pub remote: &'a str,
    /// Name of the protocol.
    pub protocol: &'a str,
    /// What is sent.
    pub body: Vec<u8>,
    /// How long the answer may take, connecting included.
    pub within: Duration,
}

/// Calls a protocol and gives its answer. It is asked again only where nothing can have come of it.
///
/// # Errors
/// It was not served.
pub fn call(engine: &Engine, call: ProtocolCall<'_>, reporter: &mut Reporter) -> Result<Vec<u8>, Failure> {
    let ProtocolCall { remote: name, protocol, body, within } = call;
    if !is_protocol_name(protocol) {
        let message = format!("{} is no protocol", shown(protocol));
        return Err(Failure::usage(message, "a protocol's name has 1 to 64 of a-z 0-9 . _ -"));
    }
    let most = Limits::DEFAULT.control_bytes_max as usize - ENVELOPE_BYTES;
    if body.len() > most {
        let message = format!("{} bytes do not fit one call, at most {most} do", body.len());
        return Err(Failure::new(Code::TooLarge, message, "copy a file instead, and call with its name"));
    }
    let known = remote::find(&engine.state, name, engine.retries)?;
    let kind = JobKind::Call { protocol: protocol.to_owned(), payload: body, once: true };
    let ran = run_one(engine, &known, kind, Some(within), reporter)?;
    let unserved = |failure: Failure| Failure { next: next_of(failure.code, failure.next), ..failure };
    match (ran.end.result, ran.signal) {
        (_, Some(run::LATE)) => {
            let message =
                format!("no answer of {protocol} within {}", report::duration(within.as_secs_f64()));
            let next = "whether it was served is not known; wait longer with --timeout";
            Err(Failure::new(Code::Timeout, message, next))
        }
        (_, Some(signal)) => Err(run::interrupted(signal)),
        (Err(failure), None) => Err(unserved(run::failed(&failure))),
        (Ok(JobData::Reply(pages)), None) => Ok(pages.concat()),
        (Ok(JobData::Receipt(..)), None) => Err(malformed(Code::InvalidRequest)),
    }
}

/// What to do about a call that was not served.
fn next_of(code: Code, otherwise: String) -> String {
    let next = match code {
        Code::NotFound => "ask whoever runs the daemon to install a handler plugin that serves it",
        Code::TooLarge => "send less",
        Code::RateLimited | Code::Busy | Code::Unavailable => "call again later",
        Code::Timeout => "nothing came of it unless the handler says otherwise; call again",
        Code::InternalError => "the daemon's log says more",
        Code::ConnectionLost => "look whether it was served before you call again",
        _ => return otherwise,
    };
    next.to_owned()
}

/// Runs one request and gives the pages of its reply.
fn ask(engine: &Engine, name: &str, kind: JobKind, reporter: &mut Reporter) -> Result<Vec<Vec<u8>>, Failure> {
    let known = remote::find(&engine.state, name, engine.retries)?;
    let ran = run_one(engine, &known, kind, None, reporter)?;
    match (ran.end.result, ran.signal) {
        (_, Some(signal)) => Err(run::interrupted(signal)),
        (Err(failure), None) => Err(run::failed(&failure)),
        (Ok(JobData::Reply(pages)), None) => Ok(pages),
        (Ok(JobData::Receipt(..)), None) => Err(malformed(Code::InvalidRequest)),
    }
}

fn run_one(
    engine: &Engine,
    known: &Known,
    kind: JobKind,
    within: Option<Duration>,
    reporter: &mut Reporter,
) -> Result<Ran, Failure> {
    let id = TransferId::default();
    let job = Job { destination: known.destination.clone(), join: None, id, kind };
    let cores = engine.cores.unwrap_or(1);
    Runner::new()?.within(within).run(engine, &known.who(), cores, job, reporter, |_| None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use base::entry::FileTime;

    #[test]
    fn a_row_reads_as_ls_prints_it() {
        let entry = Entry {
            kind: Kind::Directory,
            chunk_log2: 0,
            mode: 0o3751,
            uid: 7,
            gid: 0,
            size: 4096,
            allocated: 0,
            mtime: FileTime { seconds: 0, nanos: 0 },
            path: b"a\x1b".to_vec(),
            target: Vec::new(),
        };
        assert_eq!(mode_text(&entry), "drwxr-s--t");
        let Told::Row { line, fields, .. } = row(&entry, (None, Some("root")), true) else { panic!("a row") };
        assert_eq!(line, "drwxr-s--t 7        root               4096 1970-01-01 00:00:00Z a\\u{1b}/");
        assert_eq!(fields["path"], "a\u{1b}");
    }

    #[test]
    fn one_name_that_failed_keeps_its_own_code() {
        let one = RemoveReply {
            failures: 1,
            failed: vec![(b"x".to_vec(), Code::NotFound)],
            ..RemoveReply::default()
        };
        assert_eq!(not_removed(&one, true).exit, 3);
        let two = RemoveReply { files: 1, ..one };
        assert_eq!(not_removed(&two, true).exit, 23);
    }
}
