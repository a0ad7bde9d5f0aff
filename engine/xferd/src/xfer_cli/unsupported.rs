//! Flags of rsync, scp and cp that people will try: refused by name, with a reason and a next step.

/// Why a flag is refused and what to do instead.
pub(super) struct Refused {
    flags: &'static [&'static str],
    pub(super) reason: &'static str,
    pub(super) next: &'static str,
}

const REFUSED: &[Refused] = &[
    Refused {
        flags: &["--zc", "--compress-choice", "--zl", "--compress-level", "--skip-compress"],
        reason: "there is nothing to choose: -z is zstd, and what does not get smaller is sent as it is",
        next: "use -z",
    },
    Refused {
        flags: &["-H", "--hard-links"],
        reason: "hard links are not kept; each name becomes a file of its own",
        next: "leave it out, or pack the tree with tar first",
    },
    Refused {
        flags: &["-A", "--acls"],
        reason: "access control lists are not kept",
        next: "leave it out; save them with getfacl -R and restore them with setfacl --restore",
    },
    Refused {
        flags: &["-X", "--xattrs"],
        reason: "extended attributes are not kept",
        next: "leave it out; save them with getfattr -Rd and restore them with setfattr --restore",
    },
    Refused {
        flags: &["-D", "--devices", "--specials", "--write-devices"],
        reason: "devices, sockets and FIFOs are never transferred; they are counted and warned about",
        next: "leave it out; -a here means -rlptgo",
    },
    Refused {
        flags: &["--partial", "--partial-dir", "--append", "--append-verify"],
        reason: "there is nothing to choose: what was received is always kept hidden and resumed, never shown",
        next: "leave it out and run the same command again after an interruption",
    },
    Refused {
        flags: &["-u", "--update", "--existing", "--ignore-existing", "--size-only", "-I", "--ignore-times"],
        reason: "which names are sent is decided by size and mtime, or by content with -c",
        next: "leave it out; use -c to compare content, --exclude to leave names out",
    },
    Refused {
        flags: &[
            "-L",
            "--copy-links",
            "-k",
            "--copy-dirlinks",
            "--safe-links",
            "--copy-unsafe-links",
            "-K",
            "--keep-dirlinks",
            "--munge-links",
        ],
        reason: "symbolic links are kept as they are and never followed",
        next: "leave it out; name the target itself as a source",
    },
    Refused {
        flags: &["-e", "--rsh", "--rsync-path"],
        reason: "there is no remote shell: xfer talks to a daemon it joined",
        next: "join it once: 'xferd invite --account NAME' there, 'xfer join TOKEN --name NAME' here",
    },
    Refused {
        flags: &["-b", "--backup", "--backup-dir", "--suffix"],
        reason: "old versions are not kept",
        next: "leave it out and copy the old ones first",
    },
    Refused {
        flags: &["--link-dest", "--copy-dest", "--compare-dest"],
        reason: "only the destination itself is compared",
        next: "leave it out",
    },
    Refused {
        flags: &["-R", "--relative", "--files-from", "-d", "--dirs", "--prune-empty-dirs", "-m"],
        reason: "a source is copied under its own last name, with everything below it",
        next: "leave it out; choose with --include and --exclude, or name more sources",
    },
    Refused {
        flags: &["--delete-before", "--delete-during", "--del", "--delete-after", "--delete-delay"],
        reason: "there is one time to delete: after everything that was sent is in place",
        next: "use --delete",
    },
    Refused {
        flags: &["--delete-excluded", "--ignore-errors", "--force"],
        reason: "what is excluded or could not be read is never deleted, and a directory never gives way to a file",
        next: "leave it out; remove with 'xfer rm -r' what shall go",
    },
    Refused {
        flags: &["--max-delete"],
        reason: "it is called --delete-max here",
        next: "use --delete-max N",
    },
    Refused {
        flags: &["-x", "--one-file-system"],
        reason: "a tree is followed into the file systems mounted in it",
        next: "leave it out; --exclude the mount points",
    },
    Refused {
        flags: &["-f", "--filter", "-C", "--cvs-exclude", "--include-from"],
        reason: "filters are --include, --exclude and --exclude-from",
        next: "write the rules as those",
    },
    Refused {
        flags: &[
            "--chmod",
            "--chown",
            "--usermap",
            "--groupmap",
            "--numeric-ids",
            "-E",
            "--executability",
            "--super",
            "--fake-super",
        ],
        reason: "modes and owners are kept as they are, or not at all",
        next: "leave it out and change them afterwards",
    },
    Refused {
        flags: &["-O", "--omit-dir-times", "-J", "--omit-link-times", "-U", "--atimes", "-N", "--crtimes"],
        reason: "modification times are kept for every kind; other times are not",
        next: "leave it out",
    },
    Refused {
        flags: &["-B", "--block-size", "--checksum-choice", "--cc"],
        reason: "a changed file is cut where its content says so, hashed with BLAKE3",
        next: "leave it out",
    },
    Refused {
        flags: &["-S", "--sparse", "--no-sparse", "--preallocate"],
        reason: "sparse files always stay sparse, others are always reserved",
        next: "leave it out",
    },
    Refused {
        flags: &["--fsync"],
        reason: "syncing is chosen by --durability; the default syncs already",
        next: "use --durability file, tree or none",
    },
    Refused {
        flags: &[
            "-i",
            "--itemize-changes",
            "--out-format",
            "--info",
            "--debug",
            "--stats",
            "--log-file",
            "-h",
            "--human-readable",
            "-8",
        ],
        reason: "output is -v for names, -P for progress, --json for programs",
        next: "use one of those",
    },
    Refused {
        flags: &["--remove-source-files"],
        reason: "sources are never removed",
        next: "remove them yourself after 'xfer verify RECEIPT DIR'",
    },
    Refused {
        flags: &["--timeout", "--contimeout"],
        reason: "deadlines are part of the protocol",
        next: "leave it out; --retry N tries the first connection again",
    },
];

/// Looks a flag up as clap names it: `-H`, `--timeout`, or with `=value`.
pub(super) fn find(flag: &str) -> Option<(&str, &'static Refused)> {
    let name = flag.split_once('=').map_or(flag, |(name, _)| name);
    REFUSED.iter().find(|row| row.flags.contains(&name)).map(|row| (name, row))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn no_flag_is_both_refused_and_taken_by_a_transfer() {
        let command = crate::xfer_cli::Xfer::command();
        for name in ["copy", "sync"] {
            let command = command.find_subcommand(name).expect("exists");
            for argument in command.get_arguments() {
                let long = argument.get_long().map(|long| format!("--{long}"));
                let short = argument.get_short().map(|short| format!("-{short}"));
                for flag in [long, short].into_iter().flatten() {
                    assert!(find(&flag).is_none(), "{name} {flag}");
                }
            }
        }
    }

    #[test]
    fn flags_are_found_with_and_without_a_value() {
        assert_eq!(find("--timeout=10").expect("refused").0, "--timeout");
        assert!(find("-H").is_some() && find("--frobnicate").is_none());
    }
}
