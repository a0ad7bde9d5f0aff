//! What observers are told: from the reports of cores to the events of `xferd.wit`.
//!
//! | topic | attributes beside `account`, `address` |
//! |---|---|
//! | `session.up`, `session.down` | `code` of one that failed |
//! | `transfer.finished`, `transfer.failed` | `transfer`, `action`, `root`, `path`, `files`, `bytes`; `code` |
//! | `decision.denied` | `decision`, `action`, `root`, `path`, `code`, `reason` |
//! | `notify.` and the text of the obligation | as `decision.denied`, without `code` |
//! | `peer.joined` | `name`; no address |

use super::events::{Report, TransferEnd, Who};
use base::codes::Code;
use base::hooks::{Decision, Effect};
use base::ids::DeviceId;
use host::{Happening, Value};

/// Longest topic.
const TOPIC_BYTES_MAX: usize = 128;

/// The events of one report.
pub(super) fn of(report: &Report, at_ms: u64) -> Vec<Happening> {
    match report {
        Report::Up(who) => vec![event("session.up", who, at_ms, Vec::new())],
        Report::Down(who, code) => vec![event("session.down", who, at_ms, code_of(*code))],
        Report::Ended(end) => vec![ended(end, at_ms)],
        Report::Decided { who, action, root, path, decision } => {
            decided(who, (action, root, path), decision, at_ms)
        }
        Report::Refused { .. }
        | Report::Warning { .. }
        | Report::Plugin { .. }
        | Report::Stepped { .. }
        | Report::File { .. } => Vec::new(),
    }
}

/// A device has joined.
pub(super) fn joined(device: DeviceId, account: &str, name: &str, at_ms: u64) -> Happening {
    let attrs = vec![text("account", account), text("name", name)];
    let topic = "peer.joined".to_owned();
    Happening { topic, subject: Some(device), ticket: None, at_ms, attrs, body: Vec::new() }
}

fn event(topic: &str, who: &Who, at_ms: u64, more: Vec<(String, Value)>) -> Happening {
    let mut attrs = vec![text("account", &who.account), text("address", &who.address.ip().to_string())];
    attrs.extend(more);
    let mut topic = topic.to_owned();
    topic.truncate(topic.floor_char_boundary(TOPIC_BYTES_MAX));
    Happening { topic, subject: Some(who.device), ticket: None, at_ms, attrs, body: Vec::new() }
}

fn ended(end: &TransferEnd, at_ms: u64) -> Happening {
    let mut attrs = vec![
        text("transfer", &end.transfer.to_string()),
        text("action", end.action),
        text("root", &end.root),
        path_of(&end.path),
        ("files".to_owned(), Value::Uint(end.files)),
        ("bytes".to_owned(), Value::Uint(end.bytes)),
    ];
    attrs.extend(code_of(end.code));
    let topic = if end.code.is_none() { "transfer.finished" } else { "transfer.failed" };
    event(topic, &end.who, at_ms, attrs)
}

fn decided(
    who: &Who,
    (action, root, path): (&str, &str, &[u8]),
    decision: &Decision,
    at_ms: u64,
) -> Vec<Happening> {
    let attrs = || {
        vec![
            text("decision", &decision.id.to_string()),
            text("action", action),
            text("root", root),
            path_of(path),
            text("reason", &decision.reason),
        ]
    };
    let mut all = Vec::new();
    if decision.effect == Effect::Deny {
        let mut attrs = attrs();
        attrs.extend(code_of(Some(decision.code)));
        all.push(event("decision.denied", who, at_ms, attrs));
    }
    if let Some(notify) = &decision.obligations.notify {
        all.push(event(&format!("notify.{notify}"), who, at_ms, attrs()));
    }
    all
}

fn text(key: &str, value: &str) -> (String, Value) {
    (key.to_owned(), Value::Text(value.to_owned()))
}

/// Text where it is UTF-8, else the bytes.
fn path_of(path: &[u8]) -> (String, Value) {
    let value = match std::str::from_utf8(path) {
        Ok(text) => Value::Text(text.to_owned()),
        Err(_) => Value::Blob(path.to_vec()),
    };
    ("path".to_owned(), value)
}

fn code_of(code: Option<Code>) -> Vec<(String, Value)> {
    code.map(|code| text("code", code.name())).into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use base::ids::TransferId;

    // proves: E4
    #[test]
    fn a_transfer_is_told_by_how_it_ended_and_a_foreign_path_as_bytes() {
        let who = Who {
            device: DeviceId([1; 32]),
            account: "ann".into(),
            address: "1.2.3.4:5".parse().expect("address"),
        };
        let end = |code| {
            let (root, path) = ("inbox".to_owned(), b"a\xff".to_vec());
            let end = TransferEnd {
                who: who.clone(),
                transfer: TransferId([2; 16]),
                action: "push",
                root,
                path,
                files: 3,
                bytes: 70,
                code,
            };
            of(&Report::Ended(Box::new(end)), 9).remove(0)
        };
        let finished = end(None);
        assert_eq!(
            (finished.topic.as_str(), finished.subject, finished.at_ms),
            ("transfer.finished", Some(who.device), 9)
        );
        let attr = |of: &Happening, key: &str| {
            of.attrs.iter().find(|(known, _)| known == key).map(|(_, value)| value.clone())
        };
        assert_eq!(attr(&finished, "path"), Some(Value::Blob(b"a\xff".to_vec())));
        assert_eq!((attr(&finished, "files"), attr(&finished, "code")), (Some(Value::Uint(3)), None));
        assert_eq!(attr(&end(Some(Code::Io)), "code"), Some(Value::Text("IO".to_owned())));
        assert_eq!(end(Some(Code::Io)).topic, "transfer.failed");
    }
}
