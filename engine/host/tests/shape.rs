//! Components that do not fit, each told by interface and item; and compiled code that is not ours.
// proves: E4

mod made;

use host::{Manifest, Runtime, SealError, World, inspect, wasm_digest};
use made::{Parts, component, component_of, deciding, manifest, policy, runtime, set, source};

const WIT: &str = include_str!("../../../wit/xferd.wit");
const ALLOW: &str = "(call $answer (i32.const 0))";

#[test]
fn a_policy_is_seen_as_one_with_what_it_uses() {
    let decide = "(drop (call $clock )) (call $context (i32.const 64) (i32.const 4) (i32.const 2048))
        (call $answer (i32.const 0))";
    let shape = inspect(&policy(Parts { text: "path", decide, ..Parts::default() })).expect("it fits");
    assert_eq!(shape.worlds, [World::Policy]);
    assert_eq!(shape.imports["context"], ["get"]);
    assert_eq!(shape.imports["clock"], ["unix-ms"]);
    assert_eq!(shape.exports["authorizer"], ["decide"]);
    assert!(shape.check(&manifest("m", "")).is_ok());
}

#[test]
fn what_is_not_granted_is_named_with_the_line_to_add() {
    let decide = "(call $answer (call $take (i32.const 64) (i32.const 2) (i64.const 1)))";
    let component = policy(Parts { text: "up", decide, ..Parts::default() });
    let error =
        inspect(&component).expect("it fits").check(&manifest("m", "")).expect_err("no grant").to_string();
    assert!(error.contains("quota = { NAME = { rate = \"100/min\", burst = 20 } }"), "{error}");
    let error = set(vec![source(manifest("m", ""), &component)]).expect_err("no grant").to_string();
    assert!(error.contains("plugin test/m: it imports quota, which is not granted"), "{error}");
}

#[test]
fn another_world_is_told_by_its_exports() {
    let shape = inspect(&deciding(ALLOW)).expect("it is a policy");
    let text = "plugin.name = \"a/b\"\nplugin.version = \"1\"\nplugin.world = \"xferd:plugin/observer@0.1\"";
    let error = shape.check(&Manifest::parse(text).unwrap()).expect_err("it is no observer").to_string();
    assert_eq!(error, "the world observer exports observer-events, this component exports authorizer, setup");
    let text = text.replace("observer", "handler");
    let error = shape.check(&Manifest::parse(&text).unwrap()).expect_err("it is no handler").to_string();
    assert!(error.starts_with("the world handler exports command"), "{error}");
}

#[test]
fn an_import_of_another_world_is_named_when_it_is_taken_in() {
    let run = "(call $after (i64.const 1) (i32.const 2048)) (call $later )";
    let component = made::handler("", run, "");
    let error = set(vec![source(manifest("m", ""), &component)]).expect_err("it is a handler").to_string();
    assert_eq!(error, "plugin test/m: it imports timers, which the world policy does not have");
}

#[test]
fn an_item_of_another_type_is_told_by_interface_and_item() {
    let other = WIT.replace("unix-ms: func() -> u64", "unix-ms: func() -> s64");
    let module = made::policy_module(Parts {
        decide: "(drop (call $clock )) (call $answer (i32.const 0))",
        ..Parts::default()
    });
    let error = inspect(&component_of(&other, "policy", &module)).expect_err("another type").to_string();
    assert_eq!(error, "it imports clock.unix-ms as func() -> s64; xferd.wit has func() -> u64");
    let other =
        WIT.replace("enum effect { allow, deny, abstain }", "enum effect { allow, deny, abstain, maybe }");
    let module = made::policy_module(Parts { decide: ALLOW, ..Parts::default() });
    let error = inspect(&component_of(&other, "policy", &module)).expect_err("another type").to_string();
    assert_eq!(
        error,
        "it exports authorizer.effect as enum { allow, deny, abstain, maybe }; xferd.wit has enum { allow, deny, abstain }"
    );
}

#[test]
fn a_function_that_is_not_there_and_another_version_are_told() {
    let other = WIT.replace("unix-ms: func() -> u64;", "unix-ms: func() -> u64; leap-ms: func() -> u64;");
    let module = made::policy_module(Parts { decide: ALLOW, ..Parts::default() }).replace(
        "(memory (export",
        "(import \"xferd:plugin/clock@0.1.0\" \"leap-ms\" (func (result i64))) (memory (export",
    );
    let error = inspect(&component_of(&other, "policy", &module)).expect_err("no such function").to_string();
    assert_eq!(error, "it imports clock.leap-ms: the interface clock has unix-ms, monotonic-ms");
    let later = WIT.replace("xferd:plugin@0.1.0", "xferd:plugin@0.7.0");
    let module = made::policy_module(Parts { decide: ALLOW, ..Parts::default() }).replace("@0.1.0", "@0.7.0");
    let error = inspect(&component_of(&later, "policy", &module)).expect_err("another version").to_string();
    assert!(
        error.contains("it was built against xferd:plugin/") && error.contains("speaks xferd:plugin@0.1.0"),
        "{error}"
    );
}

#[test]
fn wasi_core_modules_and_rubbish_are_refused() {
    let wasi = "package wasi:sockets@0.2.0; interface network { open: func(); }";
    let mut resolve = wit_parser::Resolve::default();
    resolve.push_str("wasi.wit", wasi).unwrap();
    let own = "package a:b; world w { import wasi:sockets/network@0.2.0; }";
    let package = resolve.push_str("w.wit", own).unwrap();
    let world = resolve.select_world(&[package], Some("w")).unwrap();
    let text = "(module (import \"wasi:sockets/network@0.2.0\" \"open\" (func)))";
    let mut module = wat::parse_str(text).unwrap();
    let utf8 = wit_component::StringEncoding::UTF8;
    wit_component::embed_component_metadata(&mut module, &resolve, world, utf8).unwrap();
    let component = wit_component::ComponentEncoder::default().module(&module).unwrap().encode().unwrap();
    let error = inspect(&component).expect_err("it imports WASI").to_string();
    assert!(error.starts_with("it imports wasi:sockets/network@0.2.0: a plugin gets no WASI"), "{error}");
    let error = inspect(&wat::parse_str("(module)").unwrap()).expect_err("a module").to_string();
    assert!(error.starts_with("a core module, not a component"), "{error}");
    assert!(inspect(b"\x7fELF").is_err());
    assert!(inspect(b"").is_err());
    assert!(runtime().compile(b"\x7fELF").is_err());
}

#[test]
fn sealed_code_loads_here_and_nowhere_else() {
    let (runtime, key) = (runtime(), [7; 32]);
    let component = deciding(ALLOW);
    let wasm = wasm_digest(&component);
    let sealed = runtime.compile(&component).unwrap().seal(&key);
    assert_eq!(runtime.load_sealed(&sealed, &key, &wasm).unwrap().wasm, wasm);
    let refused =
        |file: &[u8], key: &[u8; 32], wasm: &[u8; 32]| runtime.load_sealed(file, key, wasm).unwrap_err();
    assert!(matches!(refused(&sealed, &[8; 32], &wasm), SealError::Key));
    assert!(matches!(refused(&sealed, &key, &[0; 32]), SealError::Component));
    for at in [8, 40, 72, 100, sealed.len() / 2, sealed.len() - 1] {
        let mut altered = sealed.clone();
        altered[at] ^= 1;
        assert!(matches!(refused(&altered, &key, &wasm), SealError::Key), "byte {at}");
    }
    assert!(matches!(refused(&sealed[..60], &key, &wasm), SealError::Format));
    assert!(matches!(refused(&sealed[..sealed.len() - 1], &key, &wasm), SealError::Key));
    assert!(matches!(refused(b"", &key, &wasm), SealError::Format));
    let raw = runtime.compile(&component).unwrap();
    let fuel = Runtime::new(runtime.limits(), host::Metering::Fuel).unwrap();
    assert!(matches!(fuel.load_sealed(&sealed, &key, &wasm).unwrap_err(), SealError::Compatibility));
    assert!(matches!(fuel.load(&raw).unwrap_err(), SealError::Compatibility));
}

#[test]
fn more_code_than_allowed_is_refused_before_and_after_compiling() {
    let component = deciding(ALLOW);
    let compiled = runtime().compile(&component).unwrap();
    let mut limits = runtime().limits().clone();
    limits.plugin_code_bytes_max = compiled.code_bytes() as u32 - 1;
    let tight = Runtime::new(&limits, host::Metering::Deadlines).unwrap();
    let error = tight.compile(&component).err().expect("too much code").to_string();
    assert!(error.contains("plugin_code_bytes_max"), "{error}");
    let sealed = compiled.seal(&[7; 32]);
    let error = tight.load_sealed(&sealed, &[7; 32], &compiled.wasm).unwrap_err();
    assert!(matches!(error, SealError::TooLarge { .. } | SealError::Runtime(_)), "{error}");
    limits.plugin_wasm_bytes_max = component.len() as u32 - 1;
    let tight = Runtime::new(&limits, host::Metering::Deadlines).unwrap();
    let error = tight.compile(&component).err().expect("too large").to_string();
    assert!(error.contains("plugin_wasm_bytes_max"), "{error}");
}

#[test]
fn a_reused_policy_may_read_context_and_kv_only() {
    let decide = "(drop (call $clock )) (call $answer (i32.const 0))";
    let manifest = manifest("m", "plugin.instance = \"reused\"");
    let error = set(vec![source(manifest, &deciding(decide))]).expect_err("it reads the clock").to_string();
    assert!(error.contains("this one imports clock; write instance = \"fresh\""), "{error}");
}

#[test]
fn a_component_without_any_import_is_a_policy() {
    let module = r#"(module (memory (export "memory") 1)
        (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 8192))
        (func (export "xferd:plugin/setup@0.1.0#configure") (param i32 i32) (result i32) (i32.const 512))
        (func (export "xferd:plugin/authorizer@0.1.0#decide")
            (param i64 i64 i64 i64 i32 i32 i32 i32 i32) (result i32) (i32.const 1024)))"#;
    assert_eq!(inspect(&component("policy", module)).unwrap().worlds, [World::Policy]);
}
