//! A plugin that does what no plugin should: its setting `evil` names what. Every one has to end with the daemon
//! unharmed and the plugin named in one clear error.
#![cfg_attr(target_arch = "wasm32", no_std)]
#![forbid(unsafe_code)]

use core::hint::black_box;
use xferd_plugin_sdk::policy::Effect;
use xferd_plugin_sdk::policy::{Decision, Obligation, PathRule, Policy, Request, abstain, allow, deny};
use xferd_plugin_sdk::prelude::*;
use xferd_plugin_sdk::settings::Settings;
use xferd_plugin_sdk::value::Attr;
use xferd_plugin_sdk::{clock, context, identity, kv, log, metrics, quota};

/// What the setting may name, beside `trap-N`.
pub const EVILS: &[&str] = &[
    "none",
    "refuse",
    "loop-configure",
    "loop-decide",
    "grow-memory",
    "recurse-direct",
    "recurse-indirect",
    "return-huge",
    "host-calls",
    "host-bytes",
    "log-flood",
    "log-long",
    "metrics-flood",
    "many-rules",
    "odd-code",
    "unknown-obligation",
    "panic",
];

/// Host calls that `trap-N` makes before it traps, in this order: 1 traps before the first, 13 after the last.
pub const CALLS: u32 = 12;

struct Hostile {
    evil: String,
}

impl Policy for Hostile {
    fn configure(settings: &Settings) -> Result<Self, String> {
        let evil = settings.text("evil")?.to_owned();
        match evil.as_str() {
            "refuse" => Err("evil: these settings are refused".to_owned()),
            "loop-configure" => forever(),
            _ => Ok(Self { evil }),
        }
    }

    fn decide(&self, request: &Request) -> Decision {
        match self.evil.as_str() {
            "loop-decide" => forever(),
            "grow-memory" => grow(),
            "recurse-direct" => abstain().ttl_ms(direct(1)),
            "recurse-indirect" => abstain().ttl_ms(even(1)),
            "return-huge" => deny("huge").detail("x".repeat(1 << 30)),
            "host-calls" => host_calls(1_000_000_000),
            "host-bytes" => host_bytes(),
            "log-flood" => flood(),
            "log-long" => long_line(),
            "metrics-flood" => counters(),
            "many-rules" => allow().paths(vec![PathRule::new("*", Effect::Deny, "evil"); 100_000]),
            "odd-code" => deny("no\u{1b}[31m code\n").detail("\u{202e}line\nbreaks"),
            "unknown-obligation" => allow().oblige(Obligation::MustUnderstand(Attr::new("levitate", true))),
            "panic" => panic!("evil was asked for by {:?}", request.action.word()),
            other => match other.strip_prefix("trap-").and_then(|number| number.parse().ok()) {
                Some(number) => trap_at(number, request),
                None => abstain(),
            },
        }
    }
}

fn forever() -> ! {
    let mut turns = 0u64;
    loop {
        turns = black_box(turns.wrapping_add(1));
    }
}

fn grow() -> Decision {
    // Nothing is written to it: the memory shall be over before the time is.
    let mut blocks: Vec<Vec<u8>> = Vec::new();
    loop {
        blocks.push(black_box(Vec::with_capacity(64 << 10)));
    }
}

fn direct(depth: u32) -> u32 {
    let frame = black_box([depth; 64]);
    if black_box(true) { direct(depth + 1).wrapping_add(frame[1]) } else { 0 }
}

fn even(depth: u32) -> u32 {
    let frame = black_box([depth; 64]);
    let next: fn(u32) -> u32 = black_box(odd);
    next(depth + 1).wrapping_add(frame[1])
}

fn odd(depth: u32) -> u32 {
    let frame = black_box([depth; 64]);
    let next: fn(u32) -> u32 = black_box(even);
    next(depth + 1).wrapping_add(frame[2])
}

fn host_calls(number: u32) -> Decision {
    let mut there = 0u32;
    for _ in 0..number {
        there += u32::from(context::get("account").is_some());
    }
    abstain().ttl_ms(there)
}

/// Few calls that move much: each asks for 64 facts.
fn host_bytes() -> Decision {
    let keys = ["path"; 64];
    let mut there = 0;
    for _ in 0..900 {
        there += context::get_many(&keys).len();
    }
    abstain().ttl_ms(there as u32)
}

fn flood() -> Decision {
    for line in 0..900 {
        log::error!("flood {line}");
    }
    abstain()
}

fn long_line() -> Decision {
    log::error!("{}", "x".repeat(200 << 10));
    abstain()
}

fn counters() -> Decision {
    for number in 0..900 {
        metrics::add(&format!("counter-{number}"), u64::MAX);
        metrics::observe("nan", f64::NAN);
    }
    abstain()
}

/// Makes the first `number - 1` host calls, then traps; without a trap when there are not as many.
fn trap_at(number: u32, request: &Request) -> Decision {
    let calls: [&dyn Fn(); CALLS as usize] = [
        &|| _ = black_box(context::get("path")),
        &|| _ = black_box(context::get_many(&["account", "address"])),
        &|| _ = black_box(log::enabled(log::Level::Warn)),
        &|| log::warn!("before the trap"),
        &|| metrics::add("calls", 1),
        &|| metrics::observe("calls", 1.0),
        &|| _ = black_box(clock::unix_ms()),
        &|| _ = black_box(identity::claim(request.subject, "email")),
        &|| _ = black_box(identity::groups_of(request.subject)),
        &|| _ = black_box(kv::get("key")),
        &|| _ = black_box(kv::scan("k", None, 256)),
        &|| _ = black_box(quota::take("any", 1)),
    ];
    for (made, call) in (1..).zip(calls) {
        assert!(made != number, "trap at host call {number}");
        call();
    }
    assert!(number != CALLS + 1, "trap after every host call");
    abstain()
}

xferd_plugin_sdk::export_policy!(Hostile);

#[cfg(test)]
mod tests {
    use super::*;
    use xferd_plugin_sdk::double::Double;
    use xferd_plugin_sdk::policy::Action;

    fn decided(evil: &str) -> Decision {
        let hostile = Hostile::configure(&Settings::of([("evil", evil)])).expect("configured");
        let request = Request { subject: Default::default(), action: Action::Push, root: "r".into() };
        Double::default().run(|| hostile.decide(&request))
    }

    #[test]
    fn what_ends_by_itself_ends() {
        assert_eq!(decided("none"), abstain());
        assert_eq!(decided("many-rules").obligations.len(), 1);
        assert_eq!(decided("trap-99"), abstain());
        assert!(Hostile::configure(&Settings::of([("evil", "refuse")])).is_err());
    }

    #[test]
    fn every_host_call_has_its_trap() {
        for number in 1..=CALLS + 1 {
            let trapped = std::panic::catch_unwind(|| decided(&format!("trap-{number}")));
            assert!(trapped.is_err(), "trap-{number}");
        }
    }
}
