//! Flags over environment over files.

use super::file::{self, Said};
use super::{
    Config, DIRECTORY, Durability, IoChoice, LogFormat, Origin, PORT, Problem, Rule, Setting, Share, nearest,
};
use base::limits::{LimitError, Limits};
use std::ffi::OsString;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

/// What was given on the command line.
#[derive(Clone, Default, Debug)]
#[allow(missing_docs)]
pub struct Flags {
    pub config: Option<PathBuf>,
    pub state: Option<PathBuf>,
    pub cores: Option<u16>,
    pub root: Option<PathBuf>,
    pub listen: Vec<String>,
    pub io: Option<IoChoice>,
    pub durability: Option<Durability>,
    pub log: Option<String>,
    pub log_format: Option<LogFormat>,
    pub limits: Vec<String>,
}

/// The process around us, passed in so that tests can choose it.
pub struct Environment<'a> {
    /// An environment variable.
    pub variable: &'a dyn Fn(&str) -> Option<OsString>,
    /// Whether we run as root.
    pub is_root: bool,
    /// CPUs we may run on.
    pub cpus: u16,
}

/// A number of cores between 1 and `cores_max`.
pub(super) fn checked_cores(number: u64) -> Result<u16, String> {
    let most = Limits::DEFAULT.cores_max;
    match u16::try_from(number) {
        Ok(cores) if cores > 0 && u32::from(cores) <= most => Ok(cores),
        _ => Err(format!("{number} is not between 1 and {most}")),
    }
}

/// Reads the files, then lays environment and flags over them.
///
/// # Errors
/// Everything that is wrong: files in the order they are read, lines in order, then environment and flags.
pub fn load(flags: &Flags, environment: &Environment<'_>) -> Result<Config, Vec<Problem>> {
    let mut problems = Vec::new();
    let mut said = Said::default();
    let files = files(flags, environment, &mut problems);
    for path in &files {
        match std::fs::read(path) {
            Ok(bytes) => match String::from_utf8(bytes) {
                Ok(text) => merge(&mut said, file::read(path, &text, &mut problems)),
                Err(_) => problems.push(whole_file(path, "not UTF-8 text")),
            },
            Err(error) => problems.push(whole_file(path, &format!("cannot be read: {error}"))),
        }
    }
    lay_environment(&mut said, environment, &mut problems);
    lay_flags(&mut said, flags, &mut problems);
    let config = finish(said, environment, &mut problems);
    problems.sort_by_key(|problem| match &problem.origin {
        Origin::File { path, line } => (files.iter().position(|file| file == path).unwrap_or(0), *line),
        _ => (files.len(), 0),
    });
    if problems.is_empty() { Ok(config) } else { Err(problems) }
}

fn whole_file(path: &Path, message: &str) -> Problem {
    Problem { origin: Origin::File { path: path.to_owned(), line: 1 }, message: message.to_owned() }
}

/// `--config` (or `XFERD_CONFIG`): one file, or a directory like /etc/xferd. A default directory that is not there
/// is no mistake.
fn files(flags: &Flags, environment: &Environment<'_>, problems: &mut Vec<Problem>) -> Vec<PathBuf> {
    let named = flags.config.clone().or_else(|| (environment.variable)("XFERD_CONFIG").map(PathBuf::from));
    let directory = match &named {
        Some(path) if !path.is_dir() => return vec![path.clone()],
        Some(path) => path.clone(),
        None => PathBuf::from(DIRECTORY),
    };
    let main = directory.join("xferd.toml");
    let mut files = Vec::new();
    if main.exists() {
        files.push(main);
    } else if named.is_some() {
        problems.push(whole_file(&main, "not found"));
    }
    let drop_ins = directory.join("conf.d");
    match std::fs::read_dir(&drop_ins) {
        Ok(entries) => {
            let mut more: Vec<PathBuf> = entries
                .flatten()
                .map(|e| e.path())
                .filter(|p| p.extension().is_some_and(|e| e == "toml"))
                .collect();
            more.sort();
            files.extend(more);
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => problems.push(whole_file(&drop_ins, &format!("cannot be read: {error}"))),
    }
    files
}

/// A later file wins; shares and rules add up.
fn merge(said: &mut Said, more: Said) {
    said.cores = more.cores.or(said.cores.take());
    said.listen = more.listen.or(said.listen.take());
    said.root = more.root.or(said.root.take());
    said.io = more.io.or(said.io.take());
    said.durability = more.durability.or(said.durability.take());
    said.count_stored = more.count_stored.or(said.count_stored.take());
    said.state = more.state.or(said.state.take());
    said.log = more.log.or(said.log.take());
    said.log_format = more.log_format.or(said.log_format.take());
    said.limits.extend(more.limits);
    said.shares.extend(more.shares);
    said.rules.extend(more.rules);
    said.plugin.keys.extend(more.plugin.keys);
    said.plugin.enabled = more.plugin.enabled.or(said.plugin.enabled.take());
    said.plugin.settings.extend(more.plugin.settings);
}

fn lay_environment(said: &mut Said, environment: &Environment<'_>, problems: &mut Vec<Problem>) {
    let mut lay = Lay { environment, problems };
    lay.text("XFERD_CORES", &mut said.cores, |t| {
        let number = t.parse().map_err(|_| format!("\"{t}\" is not a whole number"))?;
        checked_cores(number)
    });
    lay.text("XFERD_LISTEN", &mut said.listen, |t| {
        t.split(',').map(|one| file::address(one.trim())).collect()
    });
    lay.text("XFERD_IO", &mut said.io, |t| one_of(t, IoChoice::from_word, IoChoice::WORDS));
    lay.text("XFERD_DURABILITY", &mut said.durability, |t| {
        one_of(t, Durability::from_word, Durability::WORDS)
    });
    lay.text("XFERD_LOG", &mut said.log, |t| Ok(t.to_owned()));
    lay.text("XFERD_LOG_FORMAT", &mut said.log_format, |t| one_of(t, LogFormat::from_word, LogFormat::WORDS));
    lay.path("XFERD_ROOT", &mut said.root);
    lay.path("XFERD_STATE", &mut said.state);
}

struct Lay<'a> {
    environment: &'a Environment<'a>,
    problems: &'a mut Vec<Problem>,
}

impl Lay<'_> {
    fn text<T>(
        &mut self,
        name: &'static str,
        slot: &mut Option<Setting<T>>,
        parse: impl Fn(&str) -> Result<T, String>,
    ) {
        let Some(raw) = (self.environment.variable)(name).filter(|v| !v.is_empty()) else { return };
        let origin = Origin::Environment(name);
        let parsed = raw.to_str().ok_or_else(|| "not UTF-8".to_owned()).and_then(parse);
        match parsed {
            Ok(value) => *slot = Some(Setting { value, origin }),
            Err(message) => self.problems.push(Problem { origin, message }),
        }
    }

    fn path(&mut self, name: &'static str, slot: &mut Option<Setting<PathBuf>>) {
        if let Some(raw) = (self.environment.variable)(name).filter(|v| !v.is_empty()) {
            *slot = Some(Setting { value: absolute(Path::new(&raw)), origin: Origin::Environment(name) });
        }
    }
}

/// Relative to the working directory, which only flags and environment may be.
fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

fn one_of<T>(text: &str, from: impl Fn(&str) -> Option<T>, words: &[&str]) -> Result<T, String> {
    from(text).ok_or_else(|| format!("\"{}\" is none of {}", text.escape_debug(), words.join(", ")))
}

fn lay_flags(said: &mut Said, flags: &Flags, problems: &mut Vec<Problem>) {
    fn set<T: Clone>(slot: &mut Option<Setting<T>>, flag: &Option<T>, name: &'static str) {
        if let Some(value) = flag {
            *slot = Some(Setting { value: value.clone(), origin: Origin::Flag(name) });
        }
    }
    set(&mut said.cores, &flags.cores, "--cores");
    set(&mut said.root, &flags.root.as_deref().map(absolute), "--root");
    set(&mut said.state, &flags.state.as_deref().map(absolute), "--state");
    set(&mut said.io, &flags.io, "--io");
    set(&mut said.durability, &flags.durability, "--durability");
    set(&mut said.log, &flags.log, "--log");
    set(&mut said.log_format, &flags.log_format, "--log-format");
    if !flags.listen.is_empty() {
        let origin = Origin::Flag("--listen");
        match flags.listen.iter().map(|text| file::address(text)).collect() {
            Ok(value) => said.listen = Some(Setting { value, origin }),
            Err(message) => problems.push(Problem { origin, message }),
        }
    }
    for text in &flags.limits {
        let origin = Origin::Flag("--limit");
        match text.split_once('=').and_then(|(name, value)| Some((name, value.parse().ok()?))) {
            Some((name, value)) => said.limits.push((name.to_owned(), Setting { value, origin })),
            None => problems.push(Problem { origin, message: format!("\"{text}\" is not NAME=NUMBER") }),
        }
    }
}

fn finish(said: Said, environment: &Environment<'_>, problems: &mut Vec<Problem>) -> Config {
    let limits = limits(&said.limits, problems);
    let durability = said.durability.unwrap_or_else(|| Setting::default_of(Durability::None));
    let count_stored = said.count_stored.unwrap_or_else(|| Setting::default_of(false));
    let mut shares: Vec<Share> = said
        .shares
        .into_iter()
        .map(|said| Share {
            durability_min: said.durability_min.unwrap_or(durability.value),
            count_stored: said.count_stored.unwrap_or(count_stored.value),
            ..said.share
        })
        .collect();
    check_shares(&shares, said.root.as_ref(), problems);
    check_rules(&said.rules, &shares, said.root.is_some(), problems);
    if let Some(root) = &said.root {
        shares.push(Share {
            name: String::new(),
            path: root.value.clone(),
            read_only: false,
            owners: environment.is_root,
            allow: Vec::new(),
            deny: Vec::new(),
            durability_min: durability.value,
            count_stored: count_stored.value,
            origin: root.origin.clone(),
        });
    }
    check_counts(&said.rules, &shares, problems);
    let listen = said
        .listen
        .unwrap_or_else(|| Setting::default_of(vec![SocketAddr::from((Ipv4Addr::UNSPECIFIED, PORT))]));
    let log = said.log.unwrap_or_else(|| Setting::default_of("info".to_owned()));
    if let Err(message) = crate::logs::filter(&log.value) {
        problems.push(Problem { origin: log.origin.clone(), message });
    }
    if listen.value.is_empty() {
        problems
            .push(Problem { origin: listen.origin.clone(), message: "listen names no address".to_owned() });
    }
    Config {
        cores: said.cores.unwrap_or_else(|| Setting::default_of(environment.cpus.max(1))),
        listen,
        root: said.root,
        io: said.io.unwrap_or_else(|| Setting::default_of(IoChoice::Auto)),
        durability,
        count_stored,
        state: said.state.unwrap_or_else(|| Setting::default_of(default_state(environment))),
        log,
        log_format: said.log_format.unwrap_or_else(|| Setting::default_of(LogFormat::Text)),
        limits,
        limits_set: said.limits,
        shares,
        rules: said.rules,
        plugin: said.plugin,
    }
}

/// `/var/lib/xferd` for root, else `$XDG_STATE_HOME/xferd` (`~/.local/state/xferd`).
fn default_state(environment: &Environment<'_>) -> PathBuf {
    if environment.is_root {
        return PathBuf::from("/var/lib/xferd");
    }
    crate::state_dir::xdg_state_home(environment.variable).join("xferd")
}

fn limits(set: &[(String, Setting<u64>)], problems: &mut Vec<Problem>) -> Limits {
    let mut limits = Limits::DEFAULT;
    for (name, setting) in set {
        let outcome = match name.as_str() {
            "record_bytes" | "buffer_bytes" => {
                Err(format!("limits.{name} is fixed by the protocol; leave it out"))
            }
            _ => limits.set(name, setting.value).map_err(|error| match error {
                LimitError::Range { most } => {
                    format!("limits.{name}: {} is not between 1 and {most}", setting.value)
                }
                LimitError::Unknown => match nearest(name, Limits::NAMES.iter().copied()) {
                    Some(near) => format!("unknown key \"limits.{name}\"; did you mean \"limits.{near}\"?"),
                    None => {
                        format!("unknown key \"limits.{name}\"; 'xferd check-config --limits' lists them")
                    }
                },
            }),
        };
        if let Err(message) = outcome {
            problems.push(Problem { origin: setting.origin.clone(), message });
        }
    }
    if let (Some(relation), Some((_, last))) = (limits.broken_relation(), set.last()) {
        problems.push(Problem { origin: last.origin.clone(), message: format!("limits: {relation}") });
    }
    limits
}

fn check_shares(shares: &[Share], root: Option<&Setting<PathBuf>>, problems: &mut Vec<Problem>) {
    if let (Some(root), Some(first)) = (root, shares.first()) {
        let message = format!(
            "a root ({}) and shares exclude each other: give the root directory a [[share]] of its own, or drop the shares",
            root.origin
        );
        problems.push(Problem { origin: first.origin.clone(), message });
    }
    for (index, share) in shares.iter().enumerate() {
        if let Some(other) = shares[..index].iter().find(|other| other.name == share.name) {
            let message = format!("share \"{}\" exists already ({})", share.name, other.origin);
            problems.push(Problem { origin: share.origin.clone(), message });
        }
    }
}

fn check_rules(rules: &[Rule], shares: &[Share], root: bool, problems: &mut Vec<Problem>) {
    for rule in rules {
        let Some(name) = &rule.share else { continue };
        if shares.iter().any(|share| share.name == *name) {
            continue;
        }
        let hint = match nearest(name, shares.iter().map(|share| share.name.as_str())) {
            Some(near) => format!("did you mean \"{near}\"?"),
            None if root => "with a root there are no named shares; leave share out".to_owned(),
            None => "name it in a [[share]]".to_owned(),
        };
        problems.push(Problem {
            origin: rule.origin.clone(),
            message: format!("rule.share: no share \"{name}\"; {hint}"),
        });
    }
}

/// What nobody counts cannot be bounded.
fn check_counts(rules: &[Rule], shares: &[Share], problems: &mut Vec<Problem>) {
    for rule in rules.iter().filter(|rule| rule.demands.stored_bytes_max.is_some()) {
        let about = |share: &&Share| rule.share.as_ref().is_none_or(|name| *name == share.name);
        let Some(share) = shares.iter().filter(about).find(|share| !share.count_stored) else { continue };
        let place = match &*share.name {
            "" => "count-stored = true".to_owned(),
            name => format!("count-stored = true to share \"{name}\", or to the top of the file"),
        };
        let message = format!("rule.max-stored-bytes: nobody counts what is stored there; add {place}");
        problems.push(Problem { origin: rule.origin.clone(), message });
    }
}
