//! How a decision came about, from the audit log.

use crate::escape::Shown;
use crate::failure::Failure;
use base::codes::Code;
use base::hooks::{Effect, Obligations};
use base::ids::DecisionId;
use serde_json::{Value, json};
use state::{AuditRecord, Store};

/// The record of a decision.
///
/// # Errors
/// It is no name of a decision, nothing is kept under it, or the store refuses.
pub(super) fn explain(store: &mut Store, decision: &str) -> Result<Value, Failure> {
    let id = DecisionId::from_hex(decision).ok_or_else(|| {
        let message = format!("{} is no decision", crate::escape::shown(decision));
        Failure::usage(message, "copy it from the refusal: 'denied ... (decision 19a2f04c1e00)'")
    })?;
    let found = store.decision(id).map_err(|error| Failure::new(error.code(), error.to_string(), ""))?;
    let record = found.ok_or_else(|| {
        let next =
            "the log keeps the last audit_rows_max of them; look at the daemon's own log for older ones";
        Failure::new(Code::NotFound, format!("no decision {id} is kept"), next)
    })?;
    Ok(told(&record))
}

fn told(record: &AuditRecord) -> Value {
    let list = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
    json!({
        "decision": record.decision.to_string(), "utc_ms": record.utc_ms,
        "effect": if record.allowed { "allow" } else { "deny" }, "code": record.code.map(Code::name),
        "reason": record.reason, "by": record.decided_by, "account": record.account,
        "device": record.device.map(|device| device.to_string()), "address": record.address,
        "action": record.action, "share": record.root, "path": Shown(&record.path).to_string(),
        "reads": list(&record.reads), "obligations": list(&record.obligations), "took_ns": record.took_ns,
        "cache": record.cache,
    })
}

/// Obligations, `name=value` each.
pub(super) fn spelled(obligations: &Obligations) -> Vec<String> {
    let Obligations { bytes_max, files_max, bytes_per_second, stored_bytes_max, not_after_ms, .. } =
        obligations;
    let bounds = [
        ("max-bytes", bytes_max),
        ("max-files", files_max),
        ("bytes-per-second", bytes_per_second),
        ("max-stored-bytes", stored_bytes_max),
        ("not-after-ms", not_after_ms),
    ];
    let mut out: Vec<String> = Vec::new();
    out.extend(
        bounds.iter().filter(|(_, bound)| **bound != u64::MAX).map(|(name, bound)| format!("{name}={bound}")),
    );
    if obligations.read_only {
        out.push("read-only".to_owned());
    }
    let texts =
        [("store-as", &obligations.store_as), ("label", &obligations.label), ("notify", &obligations.notify)];
    out.extend(
        texts.iter().filter_map(|(name, text)| Some(format!("{name}={}", text.as_ref()?.escape_debug()))),
    );
    for rule in obligations.paths.iter().flat_map(|rules| rules.iter()) {
        let effect = if rule.effect == Effect::Allow { "allow" } else { "deny" };
        let most =
            if rule.bytes_max == u64::MAX { String::new() } else { format!(" max-bytes={}", rule.bytes_max) };
        let place = rule.store_as.as_ref().map(|place| format!(" store-as={}", place.escape_debug()));
        let (glob, code) = (rule.glob.escape_debug(), rule.code.escape_debug());
        out.push(format!("path {glob} {effect}{most}{} code={code}", place.unwrap_or_default()));
    }
    out
}
