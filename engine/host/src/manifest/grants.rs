//! What a plugin may use beside what every plugin may.

use super::reader::Table;
use super::{ManifestError, Problem};
use base::limits::Limits;

/// Names of grants, each of an import interface or two.
pub(super) const NAMES: &[&str] = &[
    "identity",
    "quota",
    "kv",
    "files",
    "messages",
    "peers",
    "transfers",
    "candidates",
    "datagrams",
    "shares",
    "blobs",
    "membership",
    "versions",
    "dns-sd",
];

/// Whom a bucket counts.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Per {
    /// Each device.
    Device,
    /// Each account.
    Account,
    /// All together.
    Node,
}

/// A token bucket.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BucketGrant {
    /// Its name.
    pub name: String,
    /// Nanoseconds until one token has come back.
    pub token_ns: u64,
    /// Tokens of a full bucket.
    pub burst: u64,
    /// Whom it counts.
    pub per: Per,
}

/// Own keys.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KvGrant {
    /// Keys and values together.
    pub bytes_max: u32,
    /// Whether it writes.
    pub write: bool,
}

/// Messages to other nodes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MessageGrant {
    /// Topics; `*` at the end matches the rest.
    pub topics: Vec<String>,
    /// Bytes of one message.
    pub bytes_max: u32,
    /// Their rate.
    pub rate: BucketGrant,
}

/// What `[grants]` asks for. A grant that is not asked for is not given.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Grants {
    /// Claims beside `account` and `name`; `None`: no identity at all.
    pub identity: Option<Vec<String>>,
    /// Token buckets.
    pub quota: Vec<BucketGrant>,
    /// Own keys.
    pub kv: Option<KvGrant>,
    /// Roots whose names it sees.
    pub files: Option<Vec<String>>,
    /// Messages.
    pub messages: Option<MessageGrant>,
    /// Sockets it sends through.
    pub datagrams: Option<Vec<String>>,
    /// Roots it may begin transfers on.
    pub transfers: Option<Vec<String>>,
    /// Grants without a bound of their own: peers, candidates, shares, blobs, membership, versions, dns-sd.
    pub plain: Vec<String>,
}

impl Grants {
    /// Whether this grant is asked for.
    pub fn asks_for(&self, grant: &str) -> bool {
        match grant {
            "identity" => self.identity.is_some(),
            "quota" => !self.quota.is_empty(),
            "kv" => self.kv.is_some(),
            "files" => self.files.is_some(),
            "messages" => self.messages.is_some(),
            "datagrams" => self.datagrams.is_some(),
            "transfers" => self.transfers.is_some(),
            other => self.plain.iter().any(|plain| plain == other),
        }
    }

    /// The names of what is asked for, in the order of the documentation.
    pub fn names(&self) -> Vec<&'static str> {
        NAMES.iter().copied().filter(|name| self.asks_for(name)).collect()
    }

    /// What an import interface needs: the line to write into `[grants]`; `None` where it needs none, or where what
    /// it needs is here.
    pub fn lacking(&self, interface: &str) -> Option<&'static str> {
        let (has, line) = match interface {
            "identity" => (self.identity.is_some(), "identity = { claims = [] }"),
            "quota" => (!self.quota.is_empty(), "quota = { NAME = { rate = \"100/min\", burst = 20 } }"),
            "kv-read" => (self.kv.is_some(), "kv = { bytes-max = \"256KiB\" }"),
            "kv-write" => {
                (self.kv.as_ref().is_some_and(|kv| kv.write), "kv = { bytes-max = \"256KiB\", write = true }")
            }
            "files" => (self.files.is_some(), "files = { roots = [\"ROOT\"] }"),
            "messages" => (
                self.messages.is_some(),
                "messages = { topics = [\"TOPIC\"], max-bytes = \"64KiB\", rate = \"50/s\" }",
            ),
            "datagrams" => (self.datagrams.is_some(), "datagrams = { sockets = [\"NAME\"] }"),
            "transfers" => (self.transfers.is_some(), "transfers = { roots = [\"ROOT\"] }"),
            "peers" => (self.asks_for("peers"), "peers = {}"),
            "candidates" => (self.asks_for("candidates"), "candidates = {}"),
            "shares" => (self.asks_for("shares"), "shares = {}"),
            "blobs" => (self.asks_for("blobs"), "blobs = {}"),
            "membership" => (self.asks_for("membership"), "membership = {}"),
            "versions" => (self.asks_for("versions"), "versions = {}"),
            "dns-sd" => (self.asks_for("dns-sd"), "dns-sd = {}"),
            _ => return None,
        };
        (!has).then_some(line)
    }
}

/// Reads `[grants]`.
pub(super) fn read(table: Option<Table<'_>>, limits: &Limits) -> Result<Grants, ManifestError> {
    let mut grants = Grants::default();
    let Some(mut table) = table else { return Ok(grants) };
    if let Some(mut identity) = table.table("identity")? {
        grants.identity = Some(identity.texts("claims")?.unwrap_or_default());
        identity.end()?;
    }
    if let Some(quota) = table.table("quota")? {
        for (name, bucket) in quota.tables()? {
            grants.quota.push(bucket_of(name, bucket, limits)?);
        }
    }
    if let Some(mut kv) = table.table("kv")? {
        let most = u64::from(limits.plugin_kv_bytes_max);
        let bytes_max = kv.bytes("bytes-max", most)?.unwrap_or(most) as u32;
        grants.kv = Some(KvGrant { bytes_max, write: kv.flag("write")?.unwrap_or(false) });
        kv.end()?;
    }
    grants.files = list_of(&mut table, "files", "roots")?;
    grants.datagrams = list_of(&mut table, "datagrams", "sockets")?;
    grants.transfers = list_of(&mut table, "transfers", "roots")?;
    if let Some(messages) = table.table("messages")? {
        grants.messages = Some(messages_of(messages, limits)?);
    }
    for name in ["peers", "candidates", "shares", "blobs", "membership", "versions", "dns-sd"] {
        if let Some(plain) = table.table(name)? {
            plain.end()?;
            grants.plain.push(name.to_owned());
        }
    }
    table.end()?;
    Ok(grants)
}

fn list_of(
    table: &mut Table<'_>,
    grant: &'static str,
    key: &'static str,
) -> Result<Option<Vec<String>>, ManifestError> {
    let Some(mut grant) = table.table(grant)? else { return Ok(None) };
    let texts = grant.texts(key)?.ok_or_else(|| grant.missing(key))?;
    grant.end()?;
    Ok(Some(texts))
}

fn bucket_of(name: String, mut table: Table<'_>, limits: &Limits) -> Result<BucketGrant, ManifestError> {
    let text = table.required_text("rate")?;
    let token_ns = rate_of(&text).ok_or_else(|| table.wrong("rate", RATE))?;
    let burst = table.number("burst", u64::from(u32::MAX))?.unwrap_or(1);
    let per = match table.text("per")?.as_deref() {
        None | Some("device") => Per::Device,
        Some("account") => Per::Account,
        Some("node") => Per::Node,
        Some(_) => return Err(table.wrong("per", Problem::Form("\"device\", \"account\" or \"node\""))),
    };
    if name.len() > limits.plugin_name_bytes_max as usize {
        return Err(table.wrong("rate", Problem::Form("a shorter name of the bucket")));
    }
    table.end()?;
    Ok(BucketGrant { name, token_ns, burst, per })
}

fn messages_of(mut table: Table<'_>, limits: &Limits) -> Result<MessageGrant, ManifestError> {
    let topics = table.texts("topics")?.ok_or_else(|| table.missing("topics"))?;
    let most = u64::from(limits.control_bytes_max);
    let bytes_max = table.bytes("max-bytes", most)?.unwrap_or(u64::from(64 * base::limits::KIB)) as u32;
    let text = table.text("rate")?.unwrap_or_else(|| "50/s".to_owned());
    let token_ns = rate_of(&text).ok_or_else(|| table.wrong("rate", RATE))?;
    let burst = table.number("burst", u64::from(u32::MAX))?.unwrap_or(50);
    table.end()?;
    Ok(MessageGrant {
        topics,
        bytes_max,
        rate: BucketGrant { name: "messages".into(), token_ns, burst, per: Per::Node },
    })
}

const RATE: Problem = Problem::Form("\"100/s\", \"100/min\", \"100/h\" or \"100/day\"");

/// Nanoseconds of one token; `None` for what is no rate.
fn rate_of(text: &str) -> Option<u64> {
    let (count, unit) = text.split_once('/')?;
    let seconds: u64 = match unit {
        "s" => 1,
        "min" => 60,
        "h" => 3600,
        "day" => 86_400,
        _ => return None,
    };
    let count: u64 = count.trim().parse().ok().filter(|count| *count > 0)?;
    Some((seconds * 1_000_000_000 / count).max(1))
}
