//! The configuration in force, as TOML that could be read again, each value with who set it.

use super::{Config, Demands, Grant, Origin, PathRule, PluginConfig, Rule, Share};
use base::hooks::Effect;
use std::fmt::Write as _;

/// What `check-config` prints.
pub fn effective(config: &Config) -> String {
    let mut lines = Lines::default();
    lines.put("cores", config.cores.value, &config.cores.origin);
    let listen: Vec<String> =
        config.listen.value.iter().map(|address| quoted(&address.to_string())).collect();
    lines.put("listen", format!("[{}]", listen.join(", ")), &config.listen.origin);
    if let Some(root) = &config.root {
        lines.put("root", quoted(&root.value.to_string_lossy()), &root.origin);
    }
    lines.put("state", quoted(&config.state.value.to_string_lossy()), &config.state.origin);
    lines.put("io", quoted(config.io.value.word()), &config.io.origin);
    lines.put("durability", quoted(config.durability.value.word()), &config.durability.origin);
    lines.put("count-stored", config.count_stored.value, &config.count_stored.origin);
    lines.head("[log]", None);
    lines.put("level", quoted(&config.log.value), &config.log.origin);
    lines.put("format", quoted(config.log_format.value.word()), &config.log_format.origin);
    if !config.limits_set.is_empty() {
        lines.head("[limits]", None);
        for (index, (name, setting)) in config.limits_set.iter().enumerate() {
            let last = !config.limits_set[index + 1..].iter().any(|(later, _)| later == name);
            if last {
                lines.put(name, setting.value, &setting.origin);
            }
        }
    }
    for share in config.shares.iter().filter(|share| !share.name.is_empty()) {
        share_lines(&mut lines, share);
    }
    for rule in &config.rules {
        rule_lines(&mut lines, rule);
    }
    plugin_lines(&mut lines, &config.plugin);
    lines.0
}

fn plugin_lines(lines: &mut Lines, plugin: &PluginConfig) {
    if *plugin == PluginConfig::default() {
        return;
    }
    lines.head("[plugin]", None);
    let keys: Vec<String> =
        plugin.keys.iter().map(|key| quoted(&base::ids::Value(*key).to_string())).collect();
    lines.bare("keys", format!("[{}]", keys.join(", ")));
    if let Some(enabled) = &plugin.enabled {
        let names: Vec<String> = enabled.value.iter().map(|name| quoted(name)).collect();
        lines.put("enabled", format!("[{}]", names.join(", ")), &enabled.origin);
    }
    for (name, settings) in &plugin.settings {
        lines.head(&format!("[plugin.settings.{}]", quoted(name)), Some(&settings.origin));
        for (key, value) in &settings.value {
            lines.bare(&quoted(key), value);
        }
    }
}

fn share_lines(lines: &mut Lines, share: &Share) {
    lines.head("[[share]]", Some(&share.origin));
    lines.bare("name", quoted(&share.name));
    lines.bare("path", quoted(&share.path.to_string_lossy()));
    lines.bare("read-only", share.read_only);
    lines.bare("owners", share.owners);
    if !share.allow.is_empty() {
        lines.bare("allow", grants(&share.allow));
    }
    if !share.deny.is_empty() {
        lines.bare("deny", grants(&share.deny));
    }
    lines.bare("durability-min", quoted(share.durability_min.word()));
    lines.bare("count-stored", share.count_stored);
}

fn rule_lines(lines: &mut Lines, rule: &Rule) {
    lines.head("[[rule]]", Some(&rule.origin));
    lines.bare("effect", quoted(if rule.effect == Effect::Allow { "allow" } else { "deny" }));
    if let Some(account) = &rule.account {
        lines.bare("account", quoted(account));
    }
    if let Some(group) = &rule.group {
        lines.bare("group", quoted(group));
    }
    if let Some(device) = &rule.device {
        lines.bare("device", quoted(&device.to_string()));
    }
    if !rule.actions.is_empty() {
        let words: Vec<String> = rule.actions.iter().map(|action| quoted(action.word())).collect();
        lines.bare("action", format!("[{}]", words.join(", ")));
    }
    if let Some(share) = &rule.share {
        lines.bare("share", quoted(share));
    }
    if let Some(protocol) = &rule.protocol {
        lines.bare("protocol", quoted(protocol));
    }
    let Demands {
        bytes_max,
        files_max,
        bytes_per_second,
        stored_bytes_max,
        not_after_ms,
        read_only,
        store_as,
        label,
        notify,
    } = &rule.demands;
    let numbers = [
        ("max-bytes", bytes_max),
        ("max-files", files_max),
        ("bytes-per-second", bytes_per_second),
        ("max-stored-bytes", stored_bytes_max),
    ];
    for (key, number) in numbers.into_iter().filter_map(|(key, number)| Some((key, number.as_ref()?))) {
        lines.bare(key, number);
    }
    if let Some(not_after_ms) = not_after_ms {
        lines.bare("not-after", crate::report::date(*not_after_ms));
    }
    if *read_only {
        lines.bare("read-only", true);
    }
    for (key, text) in [("store-as", store_as), ("label", label), ("notify", notify)] {
        if let Some(text) = text {
            lines.bare(key, quoted(text));
        }
    }
    for path in &rule.paths {
        path_lines(lines, path);
    }
}

fn path_lines(lines: &mut Lines, path: &PathRule) {
    lines.head("[[rule.path]]", None);
    lines.bare("glob", quoted(&path.glob));
    lines.bare("effect", quoted(if path.effect == Effect::Allow { "allow" } else { "deny" }));
    if let Some(most) = path.bytes_max {
        lines.bare("max-bytes", most);
    }
    for (key, text) in [("store-as", &path.store_as), ("code", &path.code)] {
        if let Some(text) = text {
            lines.bare(key, quoted(text));
        }
    }
}

fn grants(grants: &[Grant]) -> String {
    let words: Vec<String> = grants
        .iter()
        .map(|grant| {
            let what = match (grant.read, grant.write) {
                (true, true) => "rw",
                (true, false) => "r",
                _ => "w",
            };
            quoted(&format!("{}:{what}", grant.who))
        })
        .collect();
    format!("[{}]", words.join(", "))
}

/// A TOML basic string.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => {
                out.push('\\');
                out.push(c);
            }
            c if c.is_control() => {
                let _ = write!(out, "\\u{:04X}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

#[derive(Default)]
struct Lines(String);

impl Lines {
    fn put(&mut self, key: &str, value: impl std::fmt::Display, origin: &Origin) {
        let line = format!("{key} = {value}");
        let _ = writeln!(self.0, "{line:<44} # {origin}");
    }

    fn bare(&mut self, key: &str, value: impl std::fmt::Display) {
        let _ = writeln!(self.0, "{key} = {value}");
    }

    fn head(&mut self, head: &str, origin: Option<&Origin>) {
        let _ = match origin {
            Some(origin) => writeln!(self.0, "\n{head:<44} # {origin}"),
            None => writeln!(self.0, "\n{head}"),
        };
    }
}
