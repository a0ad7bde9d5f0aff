//! NDJSON: one object a line with `schema`, `seq`, `utc_ms`, `event`. Fields are only ever added.

use super::outcome::Outcome;
use super::told::{Start, Told, kind_name};
use base::hooks::Stage;
use serde_json::{Map, Value, json};
use std::io::Write;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Version of the shape of the lines.
const SCHEMA: u32 = 1;
/// Progress at most this often.
const PROGRESS_EVERY: Duration = Duration::from_secs(1);

/// Writes the lines of one command. A reader that went away is no reason to fail.
pub(super) struct JsonLines<W: Write> {
    out: W,
    seq: u64,
    ended: bool,
    began: Instant,
    progress_at: Option<Instant>,
}

impl<W: Write> JsonLines<W> {
    pub(super) fn new(out: W) -> Self {
        Self { out, seq: 0, ended: false, began: Instant::now(), progress_at: None }
    }

    pub(super) fn tell(&mut self, told: &Told) {
        let (event, fields) = match told {
            Told::Start(start) => ("start", start_fields(start)),
            Told::File { .. } => ("file", file_fields(told)),
            Told::Progress { .. } => {
                let due = self.progress_at.is_none_or(|at| at.elapsed() >= PROGRESS_EVERY);
                if !due {
                    return;
                }
                self.progress_at = Some(Instant::now());
                ("progress", progress_fields(told, self.began.elapsed()))
            }
            Told::Warning { code, message, path } => {
                let mut fields = path.as_deref().map(path_fields).unwrap_or_default();
                fields.insert("code".into(), code.name().into());
                fields.insert("message".into(), message.as_str().into());
                ("warning", fields)
            }
            Told::Retry { what, attempt, wait_ms, code } => {
                let code = code.name();
                ("retry", object(json!({"what": what, "attempt": attempt, "wait_ms": wait_ms, "code": code})))
            }
            Told::Row { event, fields, .. } => (*event, fields.clone()),
        };
        self.line(event, fields);
    }

    pub(super) fn end(&mut self, outcome: &Outcome) {
        if !self.ended {
            self.line("result", result_fields(outcome));
            self.ended = true;
        }
    }

    fn line(&mut self, event: &str, fields: Map<String, Value>) {
        if self.ended {
            return;
        }
        let utc_ms = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis() as u64;
        let mut object = Map::new();
        object.insert("schema".into(), SCHEMA.into());
        object.insert("seq".into(), self.seq.into());
        object.insert("utc_ms".into(), utc_ms.into());
        object.insert("event".into(), event.into());
        object.extend(fields);
        self.seq += 1;
        let mut line = Value::Object(object).to_string();
        line.push('\n');
        let _ = self.out.write_all(line.as_bytes()).and_then(|()| self.out.flush());
    }
}

/// `path`, or `path_base64` when it is not UTF-8.
pub fn path_fields(path: &[u8]) -> Map<String, Value> {
    bytes_fields("path", path)
}

/// Bytes under a key, or as base64 under `KEY_base64` when they are not UTF-8.
pub fn bytes_fields(key: &str, bytes: &[u8]) -> Map<String, Value> {
    let (key, value) = match std::str::from_utf8(bytes) {
        Ok(text) => (key.to_owned(), text.to_owned()),
        Err(_) => (format!("{key}_base64"), base64(bytes)),
    };
    Map::from_iter([(key, value.into())])
}

/// A name inside a list: text, or an object with `base64`.
fn name(bytes: &[u8]) -> Value {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.into(),
        Err(_) => json!({"base64": base64(bytes)}),
    }
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

fn start_fields(start: &Start) -> Map<String, Value> {
    let sources: Vec<Value> = start.sources.iter().map(|source| name(source)).collect();
    let transfer = Some(&start.transfer).filter(|id| !id.is_empty());
    object(json!({"command": start.command, "direction": start.direction, "transfer": transfer,
        "sources": sources, "destination": name(&start.destination), "streams": start.streams, "io": start.io}))
}

fn file_fields(told: &Told) -> Map<String, Value> {
    let Told::File { path, kind, action, size, root, bytes_sent, bytes_resumed, bytes_reused, code } = told
    else {
        return Map::new();
    };
    let mut fields = path_fields(path);
    fields.insert("kind".into(), kind.map(kind_name).into());
    fields.insert("action".into(), action.name().into());
    fields.insert("size".into(), (*size).into());
    fields.insert("root".into(), root.map(|root| root.to_string()).into());
    fields.insert("bytes_sent".into(), (*bytes_sent).into());
    fields.insert("bytes_resumed".into(), (*bytes_resumed).into());
    fields.insert("bytes_reused".into(), (*bytes_reused).into());
    fields.insert("code".into(), code.map(|code| code.name()).into());
    fields
}

fn progress_fields(told: &Told, elapsed: Duration) -> Map<String, Value> {
    let Told::Progress { bytes, bytes_total, files, files_total, limiting } = told else { return Map::new() };
    let rate = *bytes as f64 / elapsed.as_secs_f64().max(1e-3);
    let left = bytes_total.saturating_sub(*bytes) as f64;
    let eta = (rate > 0.0).then(|| (left / rate).round() as u64);
    object(json!({"bytes": bytes, "bytes_total": bytes_total, "files": files, "files_total": files_total,
        "bytes_per_second": rate as u64, "eta_s": eta, "limiting": limiting.map(Stage::name)}))
}

fn result_fields(outcome: &Outcome) -> Map<String, Value> {
    let failure = outcome.failure.as_ref();
    let seconds = |ns: u64| ns as f64 / 1e9;
    let stages: Map<String, Value> = Stage::ALL
        .iter()
        .map(|stage| (stage.name().into(), seconds(outcome.stages.0[*stage as usize]).into()))
        .collect();
    let files = outcome.files;
    let mut fields = object(json!({
        "ok": outcome.exit == 0, "exit": outcome.exit,
        "code": failure.map(|f| f.code.name()),
        "message": failure.map(|f| f.message.as_str()),
        "next": failure.map(|f| f.next.as_str()).filter(|next| !next.is_empty()),
        "bytes": outcome.bytes, "bytes_wire": outcome.bytes_wire, "bytes_resumed": outcome.bytes_resumed,
        "bytes_reused": outcome.bytes_reused,
        "files": {"created": files.created, "replaced": files.replaced, "unchanged": files.unchanged,
            "deleted": files.deleted, "failed": files.failed},
        "seconds": outcome.seconds,
        "cpu_s": {"local": outcome.cpu_local_s, "remote": outcome.cpu_remote_s},
        "stages": stages, "limiting": outcome.limiting().map(Stage::name),
        "durability": outcome.durability, "verify": outcome.verify, "inplace": outcome.inplace, "dry_run": outcome.dry_run,
        "receipt": outcome.receipt.as_ref().map(|path| path.to_string_lossy()),
    }));
    if let Some(data) = &outcome.data {
        fields.insert("data".into(), data.clone());
    }
    fields
}

/// RFC 4648, section 4, with padding.
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let at = |index: usize| u32::from(group.get(index).copied().unwrap_or(0));
        let bits = at(0) << 16 | at(1) << 8 | at(2);
        for digit in 0..4 {
            let known = digit <= group.len();
            out.push(if known { DIGITS[(bits >> (18 - 6 * digit) & 63) as usize] as char } else { '=' });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::Failure;
    use base::codes::Code;
    use base::hooks::FileAction;

    fn written(act: impl FnOnce(&mut JsonLines<&mut Vec<u8>>)) -> Vec<Value> {
        let mut out = Vec::new();
        act(&mut JsonLines::new(&mut out));
        out.split(|&b| b == b'\n')
            .filter(|l| !l.is_empty())
            .map(|l| serde_json::from_slice(l).expect("JSON"))
            .collect()
    }

    #[test]
    fn base64_pads_as_the_rfc_says() {
        let cases = [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
        ];
        for (plain, coded) in cases {
            assert_eq!(base64(plain.as_bytes()), coded);
        }
        assert_eq!(base64(&[0xff, 0xfe, 0xfd]), "//79");
    }

    #[test]
    fn lines_count_from_zero_and_end_once() {
        let lines = written(|json| {
            json.tell(&Told::Warning {
                code: Code::Vanished,
                message: "gone".into(),
                path: Some(b"a\xff".to_vec()),
            });
            json.tell(&Told::Retry { what: "link", attempt: 1, wait_ms: 1000, code: Code::Unavailable });
            json.end(&Outcome::failed(Failure::usage("no", "do")));
            json.end(&Outcome::ok());
            json.tell(&Told::Retry { what: "link", attempt: 2, wait_ms: 1, code: Code::Unavailable });
        });
        let seqs: Vec<u64> = lines.iter().map(|l| l["seq"].as_u64().expect("a number")).collect();
        assert_eq!(seqs, [0, 1, 2]);
        assert_eq!(lines[0]["path_base64"], "Yf8=");
        assert_eq!(
            (&lines[2]["event"], &lines[2]["exit"], &lines[2]["ok"]),
            (&json!("result"), &json!(1), &json!(false))
        );
        assert_eq!(lines[2]["next"], "do");
    }

    #[test]
    fn a_file_carries_its_root() {
        let lines = written(|json| {
            json.tell(&Told::File {
                path: b"a/b".to_vec(),
                kind: Some(base::entry::Kind::File),
                action: FileAction::Created,
                size: 7,
                root: Some(base::ids::Value([0xab; 32])),
                bytes_sent: 7,
                bytes_resumed: 0,
                bytes_reused: 0,
                code: None,
            });
        });
        assert_eq!(lines[0]["root"], "ab".repeat(32));
        assert_eq!((&lines[0]["path"], &lines[0]["action"]), (&json!("a/b"), &json!("created")));
    }

    #[test]
    fn progress_comes_at_most_once_a_second() {
        let told = Told::Progress { bytes: 1, bytes_total: 2, files: 0, files_total: 1, limiting: None };
        let lines = written(|json| {
            json.tell(&told);
            json.tell(&told);
        });
        assert_eq!(lines.len(), 1);
    }
}
