//! `copy` and `sync`.

use super::hooks::keep_receipt;
use super::remote::{self, Known};
use super::run::{self, Ran, Runner};
use super::{Engine, Transfer, TransferKind, TransferOptions, place};
use crate::failure::Failure;
use crate::report::{Files, Outcome, Reporter, Start, Told};
use crate::xfer_cli::{Ends, RemotePath};
use base::codes::{Code, exit};
use base::hooks::FileAction;
use base::ids::TransferId;
use base::limits::Limits;
use proto::transfer::filter::{FilterRule, Filters};
use proto::transfer::offer::{Existing, Options, Verify};
use proto::transfer::receipt::Receipt;
use shard::command::{Job, JobData, JobKind, Totals};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// Copies or syncs.
///
/// # Errors
/// Nothing was begun. How a transfer that began ended is in the outcome.
pub fn transfer(engine: &Engine, transfer: Transfer, reporter: &mut Reporter) -> Result<Outcome, Failure> {
    let options = options(&transfer.options)?;
    let name = match &transfer.ends {
        Ends::Push { to, .. } => &to.remote,
        Ends::Pull { sources, .. } => &sources[0].remote,
    };
    let kind = job_kind(&transfer, options)?;
    let known = remote::find(&engine.state, name, engine.retries)?;
    let runner = Runner::new()?;
    let id = TransferId(*identity::random().map_err(|error| remote::refused_file(&error))?);
    let job = Job { destination: known.destination.clone(), join: None, id, kind };
    let cores = run::core_count(engine, transfer.options.streams);
    let start = |io| Some(Told::Start(Start { transfer: id.to_string(), ..start(&transfer, io) }));
    let ran = runner.run(engine, &known.who(), cores, job, reporter, start)?;
    Ok(outcome(ran, &known, &transfer.options))
}

fn options(flags: &TransferOptions) -> Result<Options, Failure> {
    let rules = flags
        .filters
        .iter()
        .map(|filter| FilterRule { include: filter.include, pattern: filter.pattern.clone() })
        .collect();
    let filters = Filters::compile(rules, &Limits::DEFAULT).map_err(|_| {
        Failure::usage(
            "a pattern of --include or --exclude is none, or there are too many",
            "see 'xfer sync --help'",
        )
    })?;
    Ok(Options {
        recursive: true,
        links: true,
        perms: true,
        times: true,
        owner: flags.owner,
        group: flags.group,
        sparse: true,
        delete: flags.delete,
        dry_run: flags.dry_run,
        checksum: flags.checksum,
        inplace: flags.inplace,
        delta: !flags.whole_file,
        compress: flags.compress,
        existing: Existing::Overwrite,
        durability: crate::server::durability(flags.durability),
        verify: if flags.verify_transport { Verify::Transport } else { Verify::Full },
        filters,
        delete_max: flags.delete_max,
        bytes_per_second: flags.bytes_per_second,
    })
}

fn job_kind(transfer: &Transfer, options: Options) -> Result<JobKind, Failure> {
    let streams = transfer.options.streams;
    let copy = transfer.kind == TransferKind::Copy;
    match &transfer.ends {
        Ends::Push { sources, to } => Ok(JobKind::Push {
            sources: sources.iter().map(|path| place::source(path)).collect::<Result<_, _>>()?,
            to: to.path.clone(),
            to_directory: to.directory,
            copy,
            options,
            streams,
        }),
        Ends::Pull { sources, to } => {
            let into = place::destination(to, copy, sources.len() > 1, options.dry_run)?;
            Ok(JobKind::Pull {
                from: sources.iter().map(|source| source.path.clone()).collect(),
                into: into.directory,
                path: into.path,
                anchor: into.anchor,
                into_directory: into.keeps_names,
                owners: rustix::process::geteuid().is_root(),
                options,
                streams,
            })
        }
    }
}

fn start(transfer: &Transfer, io: &str) -> Start {
    let command = if transfer.kind == TransferKind::Copy { "copy" } else { "sync" };
    let (direction, sources, destination) = match &transfer.ends {
        Ends::Push { sources, to } => ("push", place::bytes_of(sources), to.to_bytes()),
        Ends::Pull { sources, to } => {
            let sources = sources.iter().map(RemotePath::to_bytes).collect();
            ("pull", sources, Path::as_os_str(to).as_bytes().to_vec())
        }
    };
    let streams = transfer.options.streams;
    Start { command, direction, transfer: String::new(), sources, destination, streams, io: io.to_owned() }
}

fn outcome(ran: Ran, known: &Known, options: &TransferOptions) -> Outcome {
    let totals = ran.end.totals;
    let mut outcome = Outcome {
        bytes: totals.bytes,
        bytes_wire: totals.bytes_wire,
        bytes_resumed: totals.bytes_resumed,
        bytes_reused: totals.bytes_reused,
        files: files(&totals),
        seconds: ran.seconds,
        cpu_local_s: ran.cpu_local_s,
        cpu_remote_s: (totals.cpu_remote_ns > 0).then(|| totals.cpu_remote_ns as f64 / 1e9),
        stages: totals.stages,
        dry_run: options.dry_run,
        inplace: options.inplace,
        transfer: true,
        ..Outcome::default()
    };
    let failure = match (ran.end.result, ran.signal) {
        (_, Some(signal)) => Some(run::interrupted(signal)),
        (Err(failure), None) => Some(run::failed(&failure)),
        (Ok(JobData::Receipt(receipt, file)), None) => {
            adopt(&mut outcome, &receipt);
            match keep_receipt(&known.device.state, receipt.body.transfer, &file) {
                Ok(path) => {
                    outcome.receipt = Some(path);
                    partial(&outcome.files, &totals, options.delete_max)
                }
                Err(error) => Some(remote::refused_write(&error)),
            }
        }
        (Ok(JobData::Reply(_)), None) => partial(&outcome.files, &totals, options.delete_max),
    };
    outcome.exit = failure.as_ref().map_or(exit::OK, |failure| failure.exit);
    outcome.failure = failure;
    outcome
}

/// Counts as far as this end saw them: what a failed transfer has instead of a receipt.
fn files(totals: &Totals) -> Files {
    Files {
        created: totals.counted(FileAction::Created),
        replaced: totals.counted(FileAction::Replaced),
        unchanged: totals.counted(FileAction::Unchanged),
        deleted: totals.counted(FileAction::Deleted),
        failed: totals.counted(FileAction::Failed),
    }
}

/// The receipt's word counts.
fn adopt(outcome: &mut Outcome, receipt: &Receipt) {
    let counts = receipt.body.counts;
    outcome.files = Files {
        created: counts.created,
        replaced: counts.replaced,
        unchanged: counts.unchanged,
        deleted: counts.deleted,
        failed: counts.failed,
    };
    outcome.durability = receipt.body.durability.name();
    outcome.verify = receipt.body.verify.name();
    outcome.inplace = receipt.body.inplace;
}

/// A transfer that ended in order but not with everything in place.
fn partial(files: &Files, totals: &Totals, delete_max: Option<u64>) -> Option<Failure> {
    let of = |exit, code, message: String, next| Some(Failure { exit, ..Failure::new(code, message, next) });
    let others = files.failed.saturating_sub(totals.vanished);
    if others > 0 {
        let message = format!("{} names failed; the rest is in place", files.failed);
        return of(
            exit::PARTIAL,
            Code::Io,
            message,
            "the messages above name them; run it again after correcting them",
        );
    }
    if totals.vanished > 0 {
        let message =
            format!("{} sources vanished before they were read; the rest is in place", totals.vanished);
        return of(exit::VANISHED, Code::Vanished, message, "");
    }
    if totals.delete_limited {
        let (message, next) = match delete_max {
            Some(_) => (
                "more names are to be deleted than --delete-max allows; none was",
                "look at them with -n -v, then raise --delete-max",
            ),
            None => ("more names are to be deleted than one run takes", "run it again"),
        };
        return of(exit::DELETE_LIMIT, Code::TooLarge, message.to_owned(), next);
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_partial_end_has_the_exit_status_of_its_worst_part() {
        let files = |failed| Files { failed, ..Files::default() };
        let totals = |vanished, delete_limited| Totals { vanished, delete_limited, ..Totals::default() };
        let exit =
            |files: Files, totals: Totals| partial(&files, &totals, Some(1)).map(|failure| failure.exit);
        assert_eq!(exit(files(0), totals(0, false)), None);
        assert_eq!(exit(files(2), totals(1, true)), Some(23));
        assert_eq!(exit(files(1), totals(1, true)), Some(24));
        assert_eq!(exit(files(0), totals(0, true)), Some(25));
    }
}
