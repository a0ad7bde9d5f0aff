//! Cases of `xferd plugin test`, as authors write them in TOML.
//!
//! ```toml
//! [settings]                       # for every case of the file; what is not named has its default
//! suffix = ".exe"
//!
//! [[case]]
//! name = "a program stays out"
//! request = { subject = "aa..", account = "alice", action = "push", root = "inbox", path = "a.exe", size = 10 }
//! settings = { suffix = ".bat" }   # over those of the file
//! kv = { seen = "3" }              # the plugin's own keys
//! now = 1794787200000              # UTC milliseconds
//! claims = { email = "a@b.c", groups = ["ops"] }   # of the subject; `account` comes from the request
//! groups = ["0a.."]                # ids of the subject's groups
//! expect = { effect = "deny", code = "kept-out", obligations = ["max-bytes 5"], reads = ["context path"] }
//! fuel-max = 20000                 # instructions, exact: the same on every machine
//! ```

use base::hooks::{Action, Fact, Facts};
use base::ids::DeviceId;
use host::{CONTEXT_KEYS, Identity, Kv, KvEntry, Value};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::sync::Arc;

/// One file of cases.
#[derive(Deserialize, Debug)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Cases {
    /// Settings of every case.
    #[serde(default)]
    pub settings: toml::Table,
    /// In their order.
    #[serde(default, rename = "case")]
    pub cases: Vec<Case>,
}

/// One question, and what the answer has to be.
#[derive(Deserialize, Debug)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Case {
    /// What it shows.
    pub name: String,
    request: toml::Table,
    /// Settings over those of the file.
    #[serde(default)]
    pub settings: toml::Table,
    #[serde(default)]
    kv: BTreeMap<String, String>,
    /// UTC milliseconds.
    #[serde(default)]
    pub now: u64,
    #[serde(default)]
    claims: BTreeMap<String, Claim>,
    #[serde(default)]
    groups: Vec<String>,
    /// What the answer has to be.
    pub expect: Expect,
    /// Most instructions.
    pub fuel_max: Option<u64>,
}

/// A fact about the subject.
#[derive(Clone, Deserialize, Debug)]
#[serde(untagged, expecting = "a claim is text or a list of texts")]
enum Claim {
    Text(String),
    Texts(Vec<String>),
}

/// What an answer has to be. What is not named may be anything.
#[derive(Deserialize, Debug)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Expect {
    /// `allow`, `deny` or `abstain`.
    pub effect: String,
    /// Its code.
    pub code: Option<String>,
    /// Its obligations, all of them, in their order.
    pub obligations: Option<Vec<String>>,
    /// What was read, in any order.
    pub reads: Option<Vec<String>>,
}

/// A case's question, parsed.
pub struct Question<'a> {
    /// Who asks.
    pub subject: DeviceId,
    /// What.
    pub action: Action<'a>,
    /// Where.
    pub root: &'a str,
    /// What `context` holds.
    pub facts: Given,
    /// What `identity` says.
    pub identity: Arc<dyn Identity>,
    /// The plugin's own keys.
    pub kv: Kv,
}

/// Facts of a case.
#[derive(Clone, Debug, Default)]
pub struct Given(BTreeMap<String, Fact>);

impl Facts for Given {
    fn get(&self, key: &str) -> Option<Fact> {
        self.0.get(key).cloned()
    }
}

impl Case {
    /// The question.
    ///
    /// # Errors
    /// A sentence that names what is wrong in it.
    pub fn question(&self) -> Result<Question<'_>, String> {
        let mut facts = BTreeMap::new();
        let (mut action, mut root, mut subject, mut protocol) = (None, "", DeviceId([0; 32]), "");
        for (key, value) in &self.request {
            let text = || value.as_str().ok_or_else(|| format!("request.{key} has to be text"));
            match key.as_str() {
                "action" => action = Some(text()?),
                "root" => root = text()?,
                "subject" => {
                    let hex = DeviceId::from_hex(text()?);
                    subject = hex.ok_or("request.subject has to be 64 hexadecimal digits")?;
                }
                known if CONTEXT_KEYS.contains(&known) => {
                    if known == "protocol" {
                        protocol = text()?;
                    }
                    let fact = match (value.as_str(), value.as_integer().map(u64::try_from)) {
                        (Some(text), _) => Fact::Text(text.to_owned()),
                        (_, Some(Ok(number))) => Fact::Number(number),
                        _ => return Err(format!("request.{key} has to be text or a number")),
                    };
                    facts.insert(key.clone(), fact);
                }
                _ => {
                    let known = CONTEXT_KEYS.join(", ");
                    return Err(format!("request.{key}: there may be subject, action, root, {known}"));
                }
            }
        }
        let action = action_named(action.ok_or("request.action is missing")?, protocol)?;
        let identity = Arc::new(self.identity(subject)?);
        Ok(Question { subject, action, root, facts: Given(facts), identity, kv: self.keys() })
    }

    fn identity(&self, subject: DeviceId) -> Result<Subject, String> {
        let mut claims = self.claims.clone();
        if let Some(account) = self.request.get("account").and_then(toml::Value::as_str) {
            claims.entry("account".into()).or_insert_with(|| Claim::Text(account.to_owned()));
        }
        let group = |hex: &String| {
            DeviceId::from_hex(hex)
                .map(|id| id.0)
                .ok_or_else(|| format!("groups: \"{hex}\" has to be 64 hexadecimal digits"))
        };
        Ok(Subject { id: subject, claims, groups: self.groups.iter().map(group).collect::<Result<_, _>>()? })
    }

    fn keys(&self) -> Kv {
        let entry =
            |value: &String| KvEntry { value: Arc::from(value.as_bytes()), version: 1, until_ms: u64::MAX };
        Kv::new(self.kv.iter().map(|(key, value)| (key.clone(), entry(value))), 0)
    }
}

fn action_named<'a>(word: &str, protocol: &'a str) -> Result<Action<'a>, String> {
    let all = [
        Action::Connect,
        Action::Browse,
        Action::Pull,
        Action::Push,
        Action::Replace,
        Action::Remove,
        Action::Invoke(protocol),
    ];
    let names = all.map(|action| action.name()).join(", ");
    all.into_iter()
        .find(|action| action.name() == word)
        .ok_or_else(|| format!("request.action: \"{word}\" is none of {names}"))
}

/// The one device that a case knows.
struct Subject {
    id: DeviceId,
    claims: BTreeMap<String, Claim>,
    groups: Vec<[u8; 32]>,
}

impl Identity for Subject {
    fn me(&self) -> DeviceId {
        DeviceId([0xee; 32])
    }

    fn claim(&self, peer: &DeviceId, name: &str) -> Option<Value> {
        self.claims.get(name).filter(|_| *peer == self.id).map(|claim| match claim {
            Claim::Text(text) => Value::Text(text.clone()),
            Claim::Texts(texts) => Value::Texts(texts.clone()),
        })
    }

    fn is_member(&self, peer: &DeviceId, group: &[u8; 32]) -> bool {
        *peer == self.id && self.groups.contains(group)
    }

    fn groups_of(&self, peer: &DeviceId) -> Vec<[u8; 32]> {
        if *peer == self.id { self.groups.clone() } else { Vec::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn case(request: &str) -> Case {
        let text = format!("[[case]]\nname = \"x\"\nrequest = {request}\nexpect = {{ effect = \"deny\" }}\n");
        toml::from_str::<Cases>(&text).unwrap().cases.remove(0)
    }

    #[test]
    fn a_claim_is_text_or_texts() {
        let case = case("{ action = \"push\" }\nclaims = { email = \"a@b.c\", groups = [\"dev\", \"ops\"] }");
        let question = case.question().unwrap();
        let claim = |name| question.identity.claim(&question.subject, name);
        assert_eq!(claim("email"), Some(Value::Text("a@b.c".into())));
        assert_eq!(claim("groups"), Some(Value::Texts(vec!["dev".into(), "ops".into()])));
        let wrong =
            "[[case]]\nname = \"x\"\nrequest = {}\nclaims = { a = 1 }\nexpect = { effect = \"deny\" }\n";
        let error = toml::from_str::<Cases>(wrong).unwrap_err().to_string();
        assert!(error.contains("text or a list of texts"), "{error}");
    }

    #[test]
    fn a_question_is_its_request_and_every_mistake_is_named() {
        let good = case("{ action = \"push\", root = \"r\", account = \"alice\", size = 3 }");
        let question = good.question().unwrap();
        assert_eq!((question.action, question.root), (Action::Push, "r"));
        assert_eq!(question.facts.get("size"), Some(Fact::Number(3)));
        let account = question.identity.claim(&question.subject, "account");
        assert_eq!(account, Some(Value::Text("alice".into())));
        for (request, named) in [
            ("{ root = \"r\" }", "request.action is missing"),
            ("{ action = \"fly\" }", "\"fly\""),
            ("{ action = \"push\", sise = 3 }", "request.sise"),
            ("{ action = \"push\", size = -3 }", "request.size"),
            ("{ action = \"push\", subject = \"12\" }", "request.subject"),
        ] {
            let case = case(request);
            let error = case.question().err().unwrap();
            assert!(error.contains(named), "{error}");
        }
        assert!(toml::from_str::<Cases>("[[case]]\nnam = 1").is_err());
    }
}
