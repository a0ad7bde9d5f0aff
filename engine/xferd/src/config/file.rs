//! One TOML file, read key by key, so that every mistake in it is told at once with its line.

use super::{
    ActionKind, Durability, Grant, IoChoice, LogFormat, Origin, PORT, PluginConfig, Problem, Rule, Setting,
    Share, Who, is_plain_name, nearest,
};
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// What one file says; absent keys are `None`.
#[derive(Default, Debug)]
pub(super) struct Said {
    pub(super) cores: Option<Setting<u16>>,
    pub(super) listen: Option<Setting<Vec<SocketAddr>>>,
    pub(super) root: Option<Setting<PathBuf>>,
    pub(super) io: Option<Setting<IoChoice>>,
    pub(super) durability: Option<Setting<Durability>>,
    pub(super) count_stored: Option<Setting<bool>>,
    pub(super) state: Option<Setting<PathBuf>>,
    pub(super) log: Option<Setting<String>>,
    pub(super) log_format: Option<Setting<LogFormat>>,
    pub(super) limits: Vec<(String, Setting<u64>)>,
    pub(super) shares: Vec<SaidShare>,
    pub(super) rules: Vec<Rule>,
    pub(super) plugin: PluginConfig,
}

/// A share whose defaults depend on the other layers.
#[derive(Debug)]
pub(super) struct SaidShare {
    pub(super) share: Share,
    pub(super) durability_min: Option<Durability>,
    pub(super) count_stored: Option<bool>,
}

/// Reads one file's text. `path` only names it.
pub(super) fn read(path: &Path, text: &str, problems: &mut Vec<Problem>) -> Said {
    let (table, errors) = DeTable::parse_recoverable(text);
    let file = File { path, text };
    for error in &errors {
        let at = error.span().map_or(0, |span| span.start);
        problems.push(Problem { origin: file.origin(at), message: error.message().to_owned() });
    }
    if !errors.is_empty() {
        return Said::default();
    }
    let mut said = Said::default();
    let mut top = Keys::new(&file, "", table.get_ref(), problems);
    said.cores = top.take("cores", cores);
    said.listen = top.take("listen", addresses);
    said.root = top.take("root", absolute_path);
    said.state = top.take("state", absolute_path);
    said.io = top.take("io", |v| word(v, IoChoice::from_word, IoChoice::WORDS));
    said.durability = top.take("durability", |v| word(v, Durability::from_word, Durability::WORDS));
    said.count_stored = top.take("count-stored", boolean);
    let log = top.table("log");
    let limits = top.table("limits");
    let shares = top.tables("share");
    let rules = top.tables("rule");
    let plugin = top.table("plugin");
    top.finish();
    if let Some(log) = log {
        let mut keys = Keys::new(&file, "log.", log, problems);
        said.log = keys.take("level", |v| text_of(v).map(str::to_owned));
        said.log_format = keys.take("format", |v| word(v, LogFormat::from_word, LogFormat::WORDS));
        keys.finish();
    }
    for (key, value) in limits.into_iter().flatten() {
        let origin = file.origin(key.span().start);
        match whole_number(value.get_ref()) {
            Ok(number) => said.limits.push((key.get_ref().to_string(), Setting { value: number, origin })),
            Err(message) => {
                problems.push(Problem { origin, message: format!("limits.{}: {message}", key.get_ref()) })
            }
        }
    }
    said.shares = shares.iter().filter_map(|(at, table)| share(&file, *at, table, problems)).collect();
    said.rules =
        rules.iter().filter_map(|(at, table)| super::rule::rule(&file, *at, table, problems)).collect();
    if let Some(table) = plugin {
        said.plugin = super::plugin::plugin(&file, table, problems);
    }
    said
}

/// A file's name and text: turns byte offsets into lines.
pub(super) struct File<'a> {
    path: &'a Path,
    text: &'a str,
}

impl File<'_> {
    pub(super) fn origin(&self, at: usize) -> Origin {
        let before = &self.text.as_bytes()[..at.min(self.text.len())];
        Origin::File { path: self.path.to_owned(), line: 1 + before.iter().filter(|&&b| b == b'\n').count() }
    }
}

/// The keys of one table: taken one by one, the rest is unknown.
pub(super) struct Keys<'a, 'i, 'p> {
    file: &'a File<'a>,
    prefix: &'static str,
    table: &'a DeTable<'i>,
    known: Vec<&'static str>,
    problems: &'p mut Vec<Problem>,
}

type Entry<'a, 'i> = (usize, &'a DeTable<'i>);

impl<'a, 'i, 'p> Keys<'a, 'i, 'p> {
    pub(super) fn new(
        file: &'a File<'a>,
        prefix: &'static str,
        table: &'a DeTable<'i>,
        problems: &'p mut Vec<Problem>,
    ) -> Self {
        Self { file, prefix, table, known: Vec::new(), problems }
    }

    fn find(&mut self, key: &'static str) -> Option<(&'a Spanned<DeValue<'i>>, Origin)> {
        self.known.push(key);
        let (name, value) = self.table.iter().find(|(name, _)| name.get_ref() == key)?;
        Some((value, self.file.origin(name.span().start)))
    }

    pub(super) fn problem(&mut self, origin: Origin, key: &str, message: &str) {
        self.problems.push(Problem { origin, message: format!("{}{key}: {message}", self.prefix) });
    }

    pub(super) fn take<T>(
        &mut self,
        key: &'static str,
        parse: impl FnOnce(&DeValue<'_>) -> Result<T, String>,
    ) -> Option<Setting<T>> {
        let (value, origin) = self.find(key)?;
        match parse(value.get_ref()) {
            Ok(value) => Some(Setting { value, origin }),
            Err(message) => {
                self.problem(origin, key, &message);
                None
            }
        }
    }

    pub(super) fn table(&mut self, key: &'static str) -> Option<&'a DeTable<'i>> {
        let (value, origin) = self.find(key)?;
        let table = value.get_ref().as_table();
        if table.is_none() {
            self.problem(origin, key, &format!("a table is expected: write [{key}]"));
        }
        table
    }

    pub(super) fn tables(&mut self, key: &'static str) -> Vec<Entry<'a, 'i>> {
        let Some((value, origin)) = self.find(key) else { return Vec::new() };
        let items: Option<Vec<Entry<'a, 'i>>> = value.get_ref().as_array().and_then(|array| {
            array.iter().map(|item| Some((item.span().start, item.get_ref().as_table()?))).collect()
        });
        items.unwrap_or_else(|| {
            self.problem(origin, key, &format!("a list of tables is expected: write [[{key}]]"));
            Vec::new()
        })
    }

    /// Whatever was not asked for is unknown.
    pub(super) fn finish(self) {
        for (name, _) in self.table.iter().filter(|(name, _)| !self.known.iter().any(|k| k == name.get_ref()))
        {
            let near = nearest(name.get_ref(), self.known.iter().copied());
            let hint = match near {
                Some(near) => format!("did you mean \"{}{near}\"?", self.prefix),
                None => format!("known here: {}", self.known.join(", ")),
            };
            let origin = self.file.origin(name.span().start);
            let message = format!("unknown key \"{}{}\"; {hint}", self.prefix, name.get_ref());
            self.problems.push(Problem { origin, message });
        }
    }
}

fn share(file: &File<'_>, at: usize, table: &DeTable<'_>, problems: &mut Vec<Problem>) -> Option<SaidShare> {
    let mut keys = Keys::new(file, "share.", table, problems);
    let name = keys.take("name", plain_name);
    let path = keys.take("path", absolute_path);
    let read_only = keys.take("read-only", boolean);
    let owners = keys.take("owners", boolean);
    let allow = keys.take("allow", grants);
    let deny = keys.take("deny", grants);
    let count_stored = keys.take("count-stored", boolean);
    let durability = keys.take("durability-min", |v| word(v, Durability::from_word, Durability::WORDS));
    for key in ["name", "path"] {
        if !table.iter().any(|(name, _)| name.get_ref() == key) {
            keys.problem(file.origin(at), key, "missing; every [[share]] needs name and path");
        }
    }
    keys.finish();
    let share = Share {
        name: name?.value,
        path: path?.value,
        read_only: read_only.is_some_and(|s| s.value),
        owners: owners.is_some_and(|s| s.value),
        allow: allow.map(|s| s.value).unwrap_or_default(),
        deny: deny.map(|s| s.value).unwrap_or_default(),
        durability_min: Durability::None,
        count_stored: false,
        origin: file.origin(at),
    };
    let count_stored = count_stored.map(|s| s.value);
    Some(SaidShare { share, durability_min: durability.map(|s| s.value), count_stored })
}

/// Names of the keys of a table.
pub(super) fn entries<'a>(table: &'a DeTable<'_>) -> impl Iterator<Item = &'a str> {
    table.iter().map(|(name, _)| &**name.get_ref())
}

pub(super) fn text_of<'a>(value: &'a DeValue<'_>) -> Result<&'a str, String> {
    value.as_str().ok_or_else(|| format!("text in quotes is expected, not {}", article(value)))
}

fn article(value: &DeValue<'_>) -> String {
    let kind = value.type_str();
    let article = if kind.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" };
    format!("{article} {kind}")
}

pub(super) fn boolean(value: &DeValue<'_>) -> Result<bool, String> {
    value.as_bool().ok_or_else(|| format!("true or false is expected, not {}", article(value)))
}

pub(super) fn whole_number(value: &DeValue<'_>) -> Result<u64, String> {
    let integer =
        value.as_integer().ok_or_else(|| format!("a whole number is expected, not {}", article(value)))?;
    u64::from_str_radix(integer.as_str(), integer.radix())
        .map_err(|_| format!("{} is not between 0 and 2^64", integer.as_str()))
}

fn cores(value: &DeValue<'_>) -> Result<u16, String> {
    super::layers::checked_cores(whole_number(value)?)
}

pub(super) fn word<T>(
    value: &DeValue<'_>,
    from: impl Fn(&str) -> Option<T>,
    words: &[&'static str],
) -> Result<T, String> {
    let text = text_of(value)?;
    from(text).ok_or_else(|| {
        let hint = nearest(text, words.iter().copied())
            .map_or(String::new(), |w| format!("; did you mean \"{w}\"?"));
        format!("\"{text}\" is none of {}{hint}", words.join(", "))
    })
}

fn absolute_path(value: &DeValue<'_>) -> Result<PathBuf, String> {
    let path = PathBuf::from(text_of(value)?);
    if path.is_absolute() { Ok(path) } else { Err(format!("\"{}\" is not absolute", path.display())) }
}

pub(super) fn plain_name(value: &DeValue<'_>) -> Result<String, String> {
    let text = text_of(value)?;
    if is_plain_name(text) {
        return Ok(text.to_owned());
    }
    Err(format!(
        "\"{}\" cannot be a name: 1 to 64 bytes, no spaces, no control characters, none of / : *",
        text.escape_debug()
    ))
}

pub(super) fn star_or_name(value: &DeValue<'_>) -> Result<Option<String>, String> {
    if text_of(value)? == "*" { Ok(None) } else { plain_name(value).map(Some) }
}

/// One value or a list of them.
pub(super) fn one_or_more<T>(
    value: &DeValue<'_>,
    parse: impl Fn(&DeValue<'_>) -> Result<T, String>,
) -> Result<Vec<T>, String> {
    match value.as_array() {
        Some(array) => array.iter().map(|item| parse(item.get_ref())).collect(),
        None => Ok(vec![parse(value)?]),
    }
}

fn addresses(value: &DeValue<'_>) -> Result<Vec<SocketAddr>, String> {
    one_or_more(value, |item| address(text_of(item)?))
}

/// `IP:PORT`, or an IP alone for the default port.
pub(super) fn address(text: &str) -> Result<SocketAddr, String> {
    let bare = text.strip_prefix('[').and_then(|t| t.strip_suffix(']')).unwrap_or(text);
    text.parse().or_else(|_| bare.parse::<IpAddr>().map(|ip| SocketAddr::new(ip, PORT))).map_err(|_| {
        format!(
            "\"{}\" is no address to listen on; write IP:PORT, such as 0.0.0.0:{PORT} or [::]:{PORT}",
            text.escape_debug()
        )
    })
}

pub(super) fn actions(value: &DeValue<'_>) -> Result<Vec<ActionKind>, String> {
    if value.as_str() == Some("*") {
        return Ok(Vec::new());
    }
    one_or_more(value, |item| word(item, ActionKind::from_word, ActionKind::WORDS))
}

fn grants(value: &DeValue<'_>) -> Result<Vec<Grant>, String> {
    one_or_more(value, |item| grant(text_of(item)?))
}

/// `account[:r|w|rw]` or `@group[:r|w|rw]`; `*` is every account.
fn grant(text: &str) -> Result<Grant, String> {
    let (who, what) = text.split_once(':').unwrap_or((text, "rw"));
    let (read, write) = match what {
        "r" => (true, false),
        "w" => (false, true),
        "rw" => (true, true),
        _ => return Err(format!("\"{}\" ends in neither :r, :w nor :rw", text.escape_debug())),
    };
    let who = match who.strip_prefix('@') {
        _ if who == "*" => Who::Everyone,
        Some(group) if is_plain_name(group) => Who::Group(group.to_owned()),
        None if is_plain_name(who) => Who::Account(who.to_owned()),
        _ => {
            let text = text.escape_debug();
            return Err(format!(
                "\"{text}\" names neither account nor group; write \"alice:rw\", \"@ops:rw\" or \"*:r\""
            ));
        }
    };
    Ok(Grant { who, read, write })
}
