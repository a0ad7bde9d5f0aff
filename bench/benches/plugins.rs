//! Policies: an instance, a decision fresh, reused and kept, and what a host call costs.

#[path = "../../engine/host/tests/made/mod.rs"]
mod made;

use criterion::{BenchmarkGroup, Criterion, criterion_group, criterion_main, measurement::WallTime};
use host::{Decider, Manifest, Verdict};
use made::{Given, Parts, manifest, policy, push};
use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use xferd_bench::quick;

fn group<'a>(criterion: &'a mut Criterion, name: &str) -> BenchmarkGroup<'a, WallTime> {
    let mut group = criterion.benchmark_group(name);
    let (samples, warm_up_ms, measure_ms) = if quick() { (10, 50, 200) } else { (30, 500, 1500) };
    group
        .sample_size(samples)
        .warm_up_time(Duration::from_millis(warm_up_ms))
        .measurement_time(Duration::from_millis(measure_ms));
    group
}

const ALLOW: &str = "(call $answer (i32.const 0))";

/// Reads the path, as most policies do.
const READS: &str =
    "(call $context (i32.const 64) (i32.const 4) (i32.const 2048)) (call $answer (i32.const 0))";

/// So many reads of the same fact.
fn reads(times: u32) -> String {
    format!(
        "(loop $l (call $context (i32.const 64) (i32.const 4) (i32.const 2048))
            (local.set $action (i32.add (local.get $action) (i32.const 1)))
            (br_if $l (i32.lt_u (local.get $action) (i32.const {})))) {ALLOW}",
        times + 3
    )
}

fn decider(decide: &str, manifest: Manifest) -> Decider {
    made::decider(&policy(Parts { text: "path", decide, ..Parts::default() }), manifest)
}

/// A decision that is never kept: its answer has no time to live.
fn never_kept(decide: &str) -> String {
    let body = decide.replace(ALLOW, "(drop (call $answer (i32.const 0)))");
    format!("{body} (i32.store (i32.const 1052) (i32.const 0)) (i32.const 1024)")
}

fn decisions(criterion: &mut Criterion) {
    let mut group = group(criterion, "policy");
    let facts = Given::default().with("path", "reports/2024/q3.pdf");
    let mut bench = |name: &str, mut decider: Decider| {
        let decide = |decider: &mut Decider| -> Verdict { push(decider, &facts, 0) };
        assert!(decide(&mut decider).answers[0].opinion.fault.is_none());
        group.bench_function(name, |bencher| bencher.iter(|| black_box(decide(&mut decider))));
    };
    let instance = decider(READS, manifest("m", "")).set().clone();
    bench("decide fresh", decider(&never_kept(READS), manifest("m", "")));
    bench("decide reused", decider(&never_kept(READS), manifest("m", "plugin.instance = \"reused\"")));
    bench("decide kept", decider(READS, manifest("m", "")));
    bench("decide fresh, 100 host calls", decider(&never_kept(&reads(100)), manifest("m", "")));
    let ten = |decide: &str| {
        let component = policy(Parts { text: "path", decide, ..Parts::default() });
        let sources = (0..10).map(|n| made::source(manifest(&format!("m{n}"), ""), &component)).collect();
        Decider::new(Arc::new(made::set(sources).expect("ten policies")))
    };
    bench("ten policies fresh", ten(&never_kept(READS)));
    bench("ten policies kept", ten(READS));
    group.bench_function("instance, made and configured", |bencher| {
        bencher.iter(|| instance.instantiate().expect("it is configured"));
    });
    group.finish();
}

/// A long-lived handler.
fn handler(criterion: &mut Criterion) {
    let done = "(global.set $heap (i32.const 8192)) (call $done (i32.const 64) (i32.const 1))";
    let write =
        format!("(call $increment (i32.const 64) (i32.const 1) (i64.const 1) (i32.const 2048)) {done}");
    let mut group = group(criterion, "handler");
    for (name, run) in [("call", done), ("call, one write", write.as_str())] {
        let mut lane = lane(run);
        assert!(lane.run(call(), made::at(0)).result.is_ok());
        group.bench_function(name, |bencher| bencher.iter(|| black_box(lane.run(call(), made::at(0)))));
    }
    group.finish();
}

fn lane(run: &str) -> host::Lane {
    let component = made::handler("n", run, "");
    let source = made::source(made::manifest_of("handler", "h", "grants.kv = { write = true }"), &component);
    let (buckets, known) = (Arc::new(host::Buckets::new(16)), Arc::new(made::Known::default()));
    host::Lane::new(made::runtime(), source, &buckets, known, Vec::new(), made::at(0)).expect("it fits")
}

fn call() -> host::Invocation {
    host::Invocation {
        name: "ok".into(),
        caller: made::ANN,
        arguments: Vec::new(),
        body: vec![7; 100],
        facts: Vec::new(),
    }
}

/// How long a call runs that never ends, from its begin to its answer: quiet, and beside twice as many busy threads as
/// there are CPUs.
fn kills(_: &mut Criterion) {
    let (policies, calls) = if quick() { (20, 5) } else { (300, 100) };
    let hangs = "(loop $l (br $l)) (unreachable)";
    for busy in [0, 2 * std::thread::available_parallelism().map_or(2, usize::from)] {
        let stop = AtomicBool::new(false);
        std::thread::scope(|scope| {
            for _ in 0..busy {
                scope.spawn(|| {
                    while !stop.load(Ordering::Relaxed) {
                        std::hint::spin_loop();
                    }
                });
            }
            let mut decider = decider(hangs, manifest("m", ""));
            let facts = Given::default();
            let policy = (0..policies).map(|_| {
                let began = Instant::now();
                assert!(push(&mut decider, &facts, 0).answers[0].opinion.fault.is_some());
                began.elapsed()
            });
            told(&format!("a policy, deadline 3 ms, beside {busy} busy threads"), policy.collect());
            let mut lane = lane(hangs);
            let lane = (0..calls).map(|second| {
                let began = Instant::now();
                assert!(lane.run(call(), made::at(120 * second)).result.is_err());
                began.elapsed()
            });
            told(&format!("a handler, deadline 40 ms, beside {busy} busy threads"), lane.collect());
            stop.store(true, Ordering::Relaxed);
        });
    }
}

fn told(what: &str, mut taken: Vec<Duration>) {
    taken.sort_unstable();
    let at =
        |percent: usize| taken[(taken.len() * percent / 100).min(taken.len() - 1)].as_secs_f64() * 1000.0;
    println!(
        "ended: {what}: p50 {:.2} ms, p99 {:.2} ms, most {:.2} ms of {}",
        at(50),
        at(99),
        at(100),
        taken.len()
    );
}

/// What an install takes.
fn install(criterion: &mut Criterion) {
    let component = policy(Parts { text: "path", decide: READS, ..Parts::default() });
    let runtime = made::runtime();
    let compiled = runtime.compile(&component).expect("it compiles");
    let sealed = compiled.seal(&[7; 32]);
    let mut group = group(criterion, "install");
    group.bench_function("inspect", |bencher| bencher.iter(|| black_box(host::inspect(&component))));
    group.bench_function("compile", |bencher| bencher.iter(|| black_box(runtime.compile(&component))));
    group.bench_function("load sealed", |bencher| {
        bencher.iter(|| black_box(runtime.load_sealed(&sealed, &[7; 32], &compiled.wasm)));
    });
    group.finish();
}

criterion_group!(benches, decisions, handler, install, kills);
criterion_main!(benches);
