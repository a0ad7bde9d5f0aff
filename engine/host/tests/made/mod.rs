//! Components made from WebAssembly text, so that these tests need no compiler for guests.
//!
//! The text speaks the canonical ABI by hand. Addresses in the guest's memory: 16 "ok", 64 the keys and texts a test
//! names, 512 zeros (the `ok` of `configure`), 1024 the decision, 2048 what imports return, from 8192 the heap.
#![allow(dead_code, unreachable_pub)]

use base::hooks::{Action, Fact, Facts};
use base::ids::DeviceId;
use base::io::Now;
use base::limits::Limits;
use host::{
    Buckets, Decider, Identity, Kv, Manifest, Metering, PluginError, PolicySet, PolicySource, Request,
    Runtime, Value, Verdict,
};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

const WIT: &str = include_str!("../../../../wit/xferd.wit");

/// A component of this world from a core module.
pub fn component(world: &str, module: &str) -> Vec<u8> {
    component_of(WIT, world, module)
}

/// As [`component`], with other interfaces.
pub fn component_of(wit: &str, world: &str, module: &str) -> Vec<u8> {
    let mut resolve = Resolve::default();
    let package = resolve.push_str("xferd.wit", wit).expect("the interfaces parse");
    let world = resolve.select_world(&[package], Some(world)).expect("a world of this name");
    let mut module = wat::parse_str(module).unwrap_or_else(|error| panic!("{error}\n{module}"));
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8)
        .expect("the world is embedded");
    let encoder = ComponentEncoder::default().validate(true).module(&module).expect("a module");
    encoder.expect_encode()
}

trait ExpectEncode {
    fn expect_encode(self) -> Vec<u8>;
}

impl ExpectEncode for ComponentEncoder {
    fn expect_encode(mut self) -> Vec<u8> {
        self.encode().unwrap_or_else(|error| panic!("{error:#}"))
    }
}

/// The imports a body may call.
const IMPORTS: &[(&str, &str)] = &[
    ("$context", r#"(import "xferd:plugin/context@0.1.0" "get" (func $context (param i32 i32 i32)))"#),
    ("$clock", r#"(import "xferd:plugin/clock@0.1.0" "unix-ms" (func $clock (result i64)))"#),
    ("$take", r#"(import "xferd:plugin/quota@0.1.0" "take" (func $take (param i32 i32 i64) (result i32)))"#),
    ("$kv", r#"(import "xferd:plugin/kv-read@0.1.0" "get" (func $kv (param i32 i32 i32)))"#),
    ("$emit", r#"(import "xferd:plugin/log@0.1.0" "emit" (func $emit (param i32 i32 i32 i32 i32)))"#),
    (
        "$member",
        r#"(import "xferd:plugin/identity@0.1.0" "is-member"
            (func $member (param i64 i64 i64 i64 i64 i64 i64 i64) (result i32)))"#,
    ),
    ("$count", r#"(import "xferd:plugin/metrics@0.1.0" "add" (func $count (param i32 i32 i64)))"#),
    (
        "$put",
        r#"(import "xferd:plugin/kv-write@0.1.0" "put" (func $put (param i32 i32 i32 i32 i32 i64 i32)))"#,
    ),
    (
        "$increment",
        r#"(import "xferd:plugin/kv-write@0.1.0" "increment" (func $increment (param i32 i32 i64 i32)))"#,
    ),
    ("$after", r#"(import "xferd:plugin/timers@0.1.0" "after" (func $after (param i64 i32)))"#),
    ("$reply", r#"(import "xferd:plugin/messages@0.1.0" "answer" (func $reply (param i64 i32 i32 i32)))"#),
    ("$shares", r#"(import "xferd:plugin/shares@0.1.0" "drop" (func $shares (param i64 i32)))"#),
    ("$random", r#"(import "xferd:plugin/random@0.1.0" "next-u64" (func $random (result i64)))"#),
];

/// What a policy is made of.
#[derive(Clone, Copy, Default)]
pub struct Parts<'a> {
    /// Text at 64.
    pub text: &'a str,
    /// Instructions of `configure` before it says ok.
    pub configure: &'a str,
    /// Instructions of `decide` that leave the address of the decision; `(call $answer (i32.const 0))` allows,
    /// 1 denies, 2 abstains.
    pub decide: &'a str,
    /// More items of the module.
    pub more: &'a str,
}

/// The module of a policy.
pub fn policy_module(parts: Parts<'_>) -> String {
    let Parts { text, configure, decide, more } = parts;
    let decide = format!(
        r#"(func (export "xferd:plugin/authorizer@0.1.0#decide")
            (param $a i64) (param i64 i64 i64) (param $action i32) (param $protocol i32) (param $protocol_len i32)
            (param $root i32) (param $root_len i32) (result i32)
            {decide})"#
    );
    module(Parts { text, configure, decide: &decide, more })
}

/// A handler that serves the protocol `ok`: `run` is the instructions of `run`, which may use `$call` and `$body`,
/// `$body_len`, and leave the address of an outcome; `(call $done (i32.const AT) (i32.const BYTES))` makes one.
/// `events` is those of `on-events`, with `$count`.
pub fn handler(text: &str, run: &str, events: &str) -> Vec<u8> {
    let more = format!(
        r#"
        (func $done (param i32 i32) (result i32)
            (i32.store8 (i32.const 600) (i32.const 0))
            (i32.store (i32.const 604) (local.get 0)) (i32.store (i32.const 608) (local.get 1))
            (i32.const 600))
        (func $later (result i32) (i32.store8 (i32.const 600) (i32.const 1)) (i32.const 600))
        (func $refused (param i32 i32) (result i32)
            (drop (call $done (local.get 0) (local.get 1)))
            (i32.store8 (i32.const 600) (i32.const 2)) (i32.const 600))
        (func (export "xferd:plugin/command@0.1.0#describe") (result i32)
            (i32.store (i32.const 640) (i32.const 16)) (i32.store (i32.const 644) (i32.const 2))
            (i32.store (i32.const 700) (i32.const 640)) (i32.store (i32.const 704) (i32.const 1))
            (i32.const 700))
        (func (export "xferd:plugin/command@0.1.0#run")
            (param $name i32) (param $name_len i32) (param i64 i64 i64 i64) (param $call i64)
            (param $args i32) (param $args_len i32) (param $body i32) (param $body_len i32) (result i32)
            {run})
        (func (export "xferd:plugin/command@0.1.0#on-events") (param $events i32) (param $count i32)
            {events})"#
    );
    component("handler", &module(Parts { text, more: &more, ..Parts::default() }))
}

/// An observer of these events: `events` is the instructions of `on-events`. Its one topic is the text.
pub fn observer(text: &str, events: &str) -> Vec<u8> {
    let bytes = text.len();
    let more = format!(
        r#"
        (func (export "xferd:plugin/observer-events@0.1.0#topics") (result i32)
            (i32.store (i32.const 640) (i32.const 64)) (i32.store (i32.const 644) (i32.const {bytes}))
            (i32.store (i32.const 700) (i32.const 640)) (i32.store (i32.const 704) (i32.const 1))
            (i32.const 700))
        (func (export "xferd:plugin/observer-events@0.1.0#on-events") (param $events i32) (param $count i32)
            {events})"#
    );
    component("observer", &module(Parts { text, more: &more, ..Parts::default() }))
}

/// A module with memory, allocator and `configure`; `decide` and `more` are items of it.
fn module(parts: Parts<'_>) -> String {
    let Parts { text, configure, decide, more } = parts;
    let body = format!("{configure}{decide}{more}");
    let imports: String = IMPORTS
        .iter()
        .filter(|(name, _)| {
            body.contains(&format!("call {name} ")) || body.contains(&format!("call {name}\n"))
        })
        .map(|(_, import)| format!("{import}\n"))
        .collect();
    format!(
        r#"(module
        {imports}
        (memory (export "memory") 1)
        (global $heap (mut i32) (i32.const 8192))
        (data (i32.const 16) "ok")
        (data (i32.const 64) "{text}")
        (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (local i32)
            (local.set 4 (i32.and
                (i32.add (global.get $heap) (i32.sub (local.get 2) (i32.const 1)))
                (i32.sub (i32.const 0) (local.get 2))))
            (global.set $heap (i32.add (local.get 4) (local.get 3)))
            (local.get 4))
        (func $answer (param i32) (result i32)
            (i32.store8 (i32.const 1024) (local.get 0))
            (i32.store (i32.const 1028) (i32.const 16))
            (i32.store (i32.const 1032) (i32.const 2))
            (i32.store8 (i32.const 1048) (i32.const 2))
            (i32.store (i32.const 1052) (i32.const 60000))
            (i32.const 1024))
        {more}
        (func (export "xferd:plugin/setup@0.1.0#configure") (param i32 i32) (result i32)
            {configure}
            (i32.const 512))
        {decide})"#
    )
}

/// A policy component.
pub fn policy(parts: Parts<'_>) -> Vec<u8> {
    component("policy", &policy_module(parts))
}

/// A policy whose `decide` is this.
pub fn deciding(decide: &str) -> Vec<u8> {
    policy(Parts { decide, ..Parts::default() })
}

/// A manifest of another world.
pub fn manifest_of(world: &str, name: &str, more: &str) -> Manifest {
    let text = format!(
        "plugin.name = \"test/{name}\"\nplugin.version = \"1.0.0\"\nplugin.world = \"xferd:plugin/{world}@0.1\"\n{more}"
    );
    Manifest::parse(&text).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

/// A manifest of this name with these further lines.
pub fn manifest(name: &str, more: &str) -> Manifest {
    manifest_of("policy", name, more)
}

/// One runtime for all tests of a program.
pub fn runtime() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| Runtime::new(&Limits::DEFAULT, Metering::Deadlines).expect("a runtime"))
}

/// A source from a component and its manifest.
pub fn source(manifest: Manifest, component: &[u8]) -> PolicySource {
    let runtime = runtime();
    let loaded = runtime.load(&runtime.compile(component).expect("it compiles")).expect("it loads");
    let settings = manifest.settings(&toml::Table::new()).expect("every setting has a default");
    PolicySource { manifest, loaded, settings, kv: Kv::default() }
}

/// A set of such sources.
pub fn set(sources: Vec<PolicySource>) -> Result<PolicySet, PluginError> {
    PolicySet::new(runtime(), 1, sources, &Arc::new(Buckets::new(64)), None)
}

/// A decider over one policy.
pub fn decider(component: &[u8], manifest: Manifest) -> Decider {
    Decider::new(Arc::new(set(vec![source(manifest, component)]).expect("the policy is taken in")))
}

/// Facts of one call, and how often each was asked for.
#[derive(Default)]
pub struct Given {
    pub facts: BTreeMap<&'static str, Fact>,
    pub asked: RefCell<BTreeMap<String, u32>>,
}

impl Given {
    pub fn with(mut self, key: &'static str, value: &str) -> Self {
        self.facts.insert(key, Fact::Text(value.to_owned()));
        self
    }
}

impl Facts for Given {
    fn get(&self, key: &str) -> Option<Fact> {
        *self.asked.borrow_mut().entry(key.to_owned()).or_default() += 1;
        self.facts.get(key).cloned()
    }
}

/// Everybody of this account; members of the groups listed.
#[derive(Default)]
pub struct Known {
    pub groups: Vec<(DeviceId, [u8; 32])>,
}

impl Identity for Known {
    fn me(&self) -> DeviceId {
        DeviceId([9; 32])
    }

    fn claim(&self, _: &DeviceId, name: &str) -> Option<Value> {
        (name == "account").then(|| Value::Text("ann".into()))
    }

    fn is_member(&self, peer: &DeviceId, group: &[u8; 32]) -> bool {
        self.groups.contains(&(*peer, *group))
    }

    fn groups_of(&self, peer: &DeviceId) -> Vec<[u8; 32]> {
        self.groups.iter().filter(|(member, _)| member == peer).map(|(_, group)| *group).collect()
    }
}

/// Who asks in these tests.
pub const ANN: DeviceId = DeviceId([1; 32]);

/// At this many seconds.
pub fn at(seconds: u64) -> Now {
    Now { mono_ns: seconds * 1_000_000_000, utc_ms: 1_700_000_000_000 + seconds * 1000 }
}

/// Asks whether Ann may push to `inbox`, at a time.
pub fn push(decider: &mut Decider, facts: &Given, seconds: u64) -> Verdict {
    let identity: Arc<dyn Identity> = Arc::new(Known::default());
    ask(decider, Action::Push, facts, &identity, seconds)
}

/// Asks for an action of Ann on `inbox`.
pub fn ask(
    decider: &mut Decider,
    action: Action<'_>,
    facts: &Given,
    identity: &Arc<dyn Identity>,
    seconds: u64,
) -> Verdict {
    let request = Request { subject: &ANN, action, root: "inbox" };
    decider.decide(&request, facts, identity, at(seconds))
}
