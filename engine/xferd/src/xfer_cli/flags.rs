//! Flags of a transfer, shared by `copy` and `sync`.

use super::Common;
use crate::client::{Engine, Filter, TransferOptions};
use crate::config::{Durability, IoChoice};
use crate::failure::Failure;
use crate::report::Verbosity;
use clap::ArgMatches;
use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

/// What `copy` and `sync` take.
#[derive(clap::Args, Clone, Debug)]
pub(super) struct TransferFlags {
    /// Archive: -rlptgo, so also owners and groups, where the destination allows it
    #[arg(short = 'a', long, help_heading = "What is kept")]
    archive: bool,
    /// Directories with everything below them (always so; accepted as rsync's)
    #[arg(short = 'r', long, help_heading = "What is kept")]
    recursive: bool,
    /// Symbolic links as links (always so; accepted as rsync's)
    #[arg(short = 'l', long, help_heading = "What is kept")]
    links: bool,
    /// Permission bits (always so; accepted as rsync's)
    #[arg(short = 'p', long, help_heading = "What is kept")]
    perms: bool,
    /// Modification times in nanoseconds (always so; accepted as rsync's)
    #[arg(short = 't', long, help_heading = "What is kept")]
    times: bool,
    /// Groups, by name, else by number
    #[arg(short = 'g', long, help_heading = "What is kept")]
    group: bool,
    /// Owners, by name, else by number
    #[arg(short = 'o', long, help_heading = "What is kept")]
    owner: bool,

    /// Compare by content, not by size and time
    #[arg(short = 'c', long, help_heading = "What is sent")]
    checksum: bool,
    /// Leave out names that match (rsync's patterns: *, **, ?, [..], trailing / for directories, leading / for
    /// the top); the first --include or --exclude that matches decides
    #[arg(long, value_name = "PATTERN", action = clap::ArgAction::Append, help_heading = "What is sent")]
    exclude: Vec<OsString>,
    /// Do not leave out names that match
    #[arg(long, value_name = "PATTERN", action = clap::ArgAction::Append, help_heading = "What is sent")]
    include: Vec<OsString>,
    /// Read patterns to leave out from a file, one a line; empty lines and lines with # or ; are skipped,
    /// '+ PATTERN' includes
    #[arg(long, value_name = "FILE", action = clap::ArgAction::Append, help_heading = "What is sent")]
    exclude_from: Vec<PathBuf>,
    /// Show what would be done; write nothing
    #[arg(short = 'n', long, help_heading = "What is sent")]
    dry_run: bool,

    /// Write over the old content instead of beside it: no second copy needed, but not atomic
    #[arg(long, help_heading = "How")]
    inplace: bool,
    /// Send changed files whole, not as what differs from the older one at the destination
    #[arg(short = 'W', long, help_heading = "How")]
    whole_file: bool,
    /// Send what differs (always so for files of 1 MiB and more; accepted as rsync's)
    #[arg(long, conflicts_with = "whole_file", help_heading = "How")]
    no_whole_file: bool,
    /// Compress with zstd what gets smaller by it: for links that carry less than a core compresses, which are some
    /// hundreds of MB a second
    #[arg(short = 'z', long, help_heading = "How")]
    compress: bool,
    /// At most N connections for data once there are more than 64 MiB to move, one up to that [default: as many as
    /// both ends have cores, at most 4]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=16), help_heading = "How")]
    streams: Option<u16>,
    /// Send at most RATE a second, over one connection: KiB, or with a suffix as rsync's (B, K, M, G; KB, MB, GB are
    /// powers of 1000); 0 is no limit
    #[arg(long, value_name = "RATE", value_parser = super::rate::parse, help_heading = "How")]
    bwlimit: Option<u64>,
    /// When exit 0 is said: none (visible), file (each synced) or tree (synced in batches, with their
    /// directories) [default: tree]
    #[arg(long, value_name = "LEVEL", hide_possible_values = true, help_heading = "How")]
    durability: Option<Durability>,
    /// What proves equality: full (BLAKE3 on both ends) or transport (the tags of the records: the receiver hashes no
    /// file above 128 KiB and takes the sender's word for its root, which the receipt says) [default: full]
    #[arg(long, value_name = "HOW", hide_possible_values = true, help_heading = "How")]
    verify: Option<Verify>,
    #[command(flatten)]
    engine: EngineFlags,

    /// Name every file, unchanged ones too
    #[arg(short = 'v', long, help_heading = "Output")]
    verbose: bool,
    /// Failures only
    #[arg(short = 'q', long, conflicts_with = "verbose", help_heading = "Output")]
    quiet: bool,
    /// Show progress on a terminal
    #[arg(short = 'P', long, help_heading = "Output")]
    progress: bool,
}

/// How this process works; every command that connects takes these.
#[derive(clap::Args, Clone, Debug)]
pub(super) struct EngineFlags {
    /// Threads with a ring each [default: 1, more when there are streams for them]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=64), help_heading = "How")]
    cores: Option<u16>,
    /// How the kernel is asked: auto, uring or threads [default: auto]
    #[arg(long, value_name = "WAY", hide_possible_values = true, help_heading = "How")]
    io: Option<IoChoice>,
    /// Further tries of the first connection
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true, help_heading = "How")]
    retry: u32,
}

/// What proves that two files are equal.
#[derive(Clone, Copy, PartialEq, Eq, Debug, clap::ValueEnum)]
pub(super) enum Verify {
    /// BLAKE3 on both ends.
    Full,
    /// The tags of the records.
    Transport,
}

impl EngineFlags {
    pub(super) fn engine(&self, common: &Common) -> Engine {
        Engine {
            state: common.state_dir(),
            cores: self.cores,
            io: self.io.unwrap_or(IoChoice::Auto),
            retries: self.retry,
        }
    }
}

impl TransferFlags {
    pub(super) fn verbosity(&self) -> Verbosity {
        Verbosity { names: self.verbose, quiet: self.quiet, progress: self.progress }
    }

    pub(super) fn engine(&self, common: &Common) -> Engine {
        self.engine.engine(common)
    }

    /// `matches` are those of the command itself: they know the order of --include and --exclude.
    pub(super) fn options(&self, matches: &ArgMatches) -> Result<TransferOptions, Failure> {
        Ok(TransferOptions {
            owner: self.owner || self.archive,
            group: self.group || self.archive,
            checksum: self.checksum,
            dry_run: self.dry_run,
            inplace: self.inplace,
            whole_file: self.whole_file,
            compress: self.compress,
            streams: self.streams,
            durability: self.durability.unwrap_or(Durability::Tree),
            verify_transport: self.verify == Some(Verify::Transport),
            filters: self.filters(matches)?,
            bytes_per_second: self.bwlimit.filter(|rate| *rate > 0),
            delete: false,
            delete_max: None,
        })
    }

    fn filters(&self, matches: &ArgMatches) -> Result<Vec<Filter>, Failure> {
        let mut placed: Vec<(usize, Vec<Filter>)> = Vec::new();
        for (id, include, patterns) in [("exclude", false, &self.exclude), ("include", true, &self.include)] {
            let indices = matches.indices_of(id).into_iter().flatten();
            for (index, pattern) in indices.zip(patterns) {
                placed.push((index, vec![Filter { include, pattern: pattern.as_bytes().to_vec() }]));
            }
        }
        let indices = matches.indices_of("exclude_from").into_iter().flatten();
        for (index, path) in indices.zip(&self.exclude_from) {
            let text = std::fs::read(path)
                .map_err(|error| Failure::io(crate::escape::Shown(path.as_os_str().as_bytes()), &error))?;
            placed.push((index, patterns_of(&text)));
        }
        placed.sort_by_key(|(index, _)| *index);
        let filters: Vec<Filter> = placed.into_iter().flat_map(|(_, filters)| filters).collect();
        match filters.iter().any(|filter| filter.pattern.is_empty()) {
            true => {
                Err(Failure::usage("an empty pattern matches nothing", "leave it out, or write a pattern"))
            }
            false => Ok(filters),
        }
    }
}

/// Lines of an --exclude-from file.
fn patterns_of(text: &[u8]) -> Vec<Filter> {
    text.split(|&b| b == b'\n')
        .map(|line| line.strip_suffix(b"\r").unwrap_or(line))
        .filter(|line| !line.is_empty() && !line.starts_with(b"#") && !line.starts_with(b";"))
        .map(|line| match (line.strip_prefix(b"+ "), line.strip_prefix(b"- ")) {
            (Some(pattern), _) => Filter { include: true, pattern: pattern.to_vec() },
            (_, Some(pattern)) => Filter { include: false, pattern: pattern.to_vec() },
            _ => Filter { include: false, pattern: line.to_vec() },
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_a_pattern_file_are_rules() {
        let filters = patterns_of(b"# comment\n*.tmp\r\n\n; too\n+ keep.tmp\n- /top\n");
        let told: Vec<(bool, &[u8])> = filters.iter().map(|f| (f.include, f.pattern.as_slice())).collect();
        assert_eq!(told, [(false, &b"*.tmp"[..]), (true, b"keep.tmp"), (false, b"/top")]);
    }
}
