//! Keeps a report: for each account its last transfers, a line each.
#![cfg_attr(target_arch = "wasm32", no_std)]
#![forbid(unsafe_code)]

use xferd_plugin_sdk::observer::Observer;
use xferd_plugin_sdk::prelude::*;
use xferd_plugin_sdk::settings::Settings;
use xferd_plugin_sdk::value::Event;
use xferd_plugin_sdk::{kv, log};

/// Lines kept for an account.
const LINES_MAX: usize = 100;

struct Report;

impl Observer for Report {
    fn configure(_: &Settings) -> Result<Self, String> {
        Ok(Self)
    }

    fn topics(&self) -> Vec<String> {
        vec!["transfer.*".to_owned(), "decision.denied".to_owned()]
    }

    fn on_events(&mut self, batch: &[Event]) {
        for event in batch {
            let account = event.text("account").unwrap_or("nobody");
            let line = line(event);
            log::info!("{account}: {line}");
            let before = kv::text(account).unwrap_or_default();
            let mut lines: Vec<&str> = before.lines().collect();
            lines.push(&line);
            let first = lines.len().saturating_sub(LINES_MAX);
            if let Err(error) = kv::put(account, lines[first..].join("\n").as_bytes()) {
                log::warn!("{account}: not kept: {error:?}");
            }
        }
    }
}

/// One line about one event.
fn line(event: &Event) -> String {
    let word = |key: &str| event.text(key).unwrap_or("-").to_owned();
    let number = |key: &str| event.attr(key).and_then(|value| value.as_uint()).unwrap_or(0);
    match event.topic.as_str() {
        "transfer.finished" => {
            format!(
                "{} /{} {}: {} names, {} bytes",
                word("action"),
                word("root"),
                word("path"),
                number("files"),
                number("bytes")
            )
        }
        "transfer.failed" => {
            format!("{} /{} {}: {}", word("action"), word("root"), word("path"), word("code"))
        }
        _ => format!("denied {}: {}", word("action"), word("reason")),
    }
}

xferd_plugin_sdk::export_observer!(Report);

#[cfg(test)]
mod tests {
    use super::*;
    use xferd_plugin_sdk::double::Double;
    use xferd_plugin_sdk::value::Attr;

    #[test]
    fn an_account_has_its_last_lines() {
        let event = |bytes: u64| {
            let attrs = [
                Attr::new("account", "ann"),
                Attr::new("action", "push"),
                Attr::new("root", "inbox"),
                Attr::new("path", "a"),
                Attr::new("files", 1_u64),
                Attr::new("bytes", bytes),
            ];
            Event::of("transfer.finished", attrs)
        };
        let mut world = Double::default();
        let events: Vec<Event> = (0..150).map(event).collect();
        world.run(|| Report.on_events(&events));
        let kept = String::from_utf8(world.value("ann").expect("a report").to_vec()).expect("text");
        assert_eq!(kept.lines().count(), LINES_MAX);
        assert_eq!(kept.lines().last(), Some("push /inbox a: 1 names, 149 bytes"));
    }
}
