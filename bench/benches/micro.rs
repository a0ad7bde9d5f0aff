//! The parts of the data path, each alone on one core with everything in cache.

use base::entry::FileTime;
use base::ids::{ChunkIndex, FileIndex, PartId, Value};
use base::io::Now;
use base::limits::{DATA_AT, HEADER_AT, Limits};
use criterion::{
    BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main, measurement::WallTime,
};
use disk::journal::{ChunkValue, Writer};
use proto::session::{Opener, Sealer, Secret, Suite};
use proto::transfer::chunk::{ChunkHasher, Chunks, root_of};
use proto::transfer::filter::{FilterRule, Filters};
use proto::transfer::manifest::Manifest;
use proto::transfer::order::check_path;
use proto::transfer::pack::{PackBuilder, PackView};
use proto::wire::{ChunkTrailer, Flags, FrameType, Header};
use std::hint::black_box;
use std::time::{Duration, Instant};
use xferd_bench::quick;

const LIMITS: &Limits = &Limits::DEFAULT;
const SUITES: [Suite; 2] = [Suite::Aes256Gcm, Suite::ChaCha20Poly1305];

fn group<'a>(criterion: &'a mut Criterion, name: &str) -> BenchmarkGroup<'a, WallTime> {
    let mut group = criterion.benchmark_group(name);
    let (samples, warm_up_ms, measure_ms) = if quick() { (10, 50, 200) } else { (30, 500, 1500) };
    group
        .sample_size(samples)
        .warm_up_time(Duration::from_millis(warm_up_ms))
        .measurement_time(Duration::from_millis(measure_ms));
    group
}

fn sealer(suite: Suite) -> Sealer {
    Sealer::new(suite, Secret::new([7; 32]), LIMITS, Now::default())
}

fn trailer() -> ChunkTrailer {
    ChunkTrailer {
        value: Value::default(),
        transfer: 1,
        file: FileIndex(2),
        chunk: ChunkIndex(3),
        offset: 262_144,
        run: 0,
        flags: Flags::default(),
    }
}

/// Bytes of data in one record: a message, a small file, a full record.
const SIZES: [u32; 3] = [256, 4096, LIMITS.record_bytes];

fn size_name(suite: Suite, bytes: u32) -> String {
    format!("{} {bytes} B", suite.name())
}

/// Sealing a record in its arena slot.
fn seal(criterion: &mut Criterion) {
    let mut group = group(criterion, "seal");
    for (suite, bytes) in SUITES.into_iter().flat_map(|suite| SIZES.map(|bytes| (suite, bytes))) {
        let mut slot = vec![0x5a; LIMITS.buffer_bytes as usize];
        let tail = trailer().encode();
        group.throughput(Throughput::Bytes(bytes.into()));
        group.bench_function(size_name(suite, bytes), |bencher| {
            let mut sealer = sealer(suite);
            bencher.iter(|| {
                let sealed = sealer.seal(FrameType::Chunk, black_box(&mut slot), bytes, &tail);
                sealed.expect("a record fits its slot")
            });
        });
    }
    group.finish();
}

/// Opening it where it lies; each needs a record of its own, sealed outside the timer.
fn open(criterion: &mut Criterion) {
    let mut group = group(criterion, "open");
    for (suite, bytes) in SUITES.into_iter().flat_map(|suite| SIZES.map(|bytes| (suite, bytes))) {
        let mut slot = vec![0x5a; LIMITS.buffer_bytes as usize];
        group.throughput(Throughput::Bytes(bytes.into()));
        group.bench_function(size_name(suite, bytes), |bencher| {
            bencher.iter_custom(|rounds| opening(suite, bytes, &mut slot, rounds));
        });
    }
    group.finish();
}

fn opening(suite: Suite, bytes: u32, slot: &mut [u8], rounds: u64) -> Duration {
    let tail = trailer().encode();
    let (mut sealer, mut opener) = (sealer(suite), Opener::new(suite, Secret::new([7; 32]), LIMITS));
    let mut spent = Duration::ZERO;
    for _ in 0..rounds {
        let (_, length) = sealer.seal(FrameType::Chunk, slot, bytes, &tail).expect("a record fits its slot");
        let (head, payload) = slot.split_at_mut(DATA_AT as usize);
        let header = head[HEADER_AT as usize..].try_into().expect("a header is 12 bytes");
        let began = Instant::now();
        let opened = opener.open(header, &mut payload[..length as usize - 12]);
        spent += began.elapsed();
        black_box(opened.expect("what was sealed opens"));
    }
    spent
}

/// BLAKE3 alone, as both ends use it.
fn hash(criterion: &mut Criterion) {
    let mut group = group(criterion, "BLAKE3");
    for bytes in [4096, LIMITS.record_bytes, 1 << 20] {
        let data = vec![0x5a; bytes as usize];
        group.throughput(Throughput::Bytes(bytes.into()));
        group.bench_function(format!("{bytes} B"), |bencher| {
            bencher.iter(|| blake3::hash(black_box(&data)));
        });
    }
    group.finish();
}

/// Header and trailer, written and read.
fn frame(criterion: &mut Criterion) {
    let mut group = group(criterion, "frame");
    group.throughput(Throughput::Elements(1));
    let header = Header { kind: FrameType::Chunk, length: 262_216 };
    group.bench_function("header", |bencher| {
        bencher.iter(|| Header::parse(&black_box(&header).encode(), LIMITS).expect("it is well formed"));
    });
    group.bench_function("chunk trailer", |bencher| {
        let trailer = trailer();
        bencher.iter(|| ChunkTrailer::parse(&black_box(&trailer).encode()).expect("it is well formed"));
    });
    group.finish();
}

/// The value of a chunk of 1 MiB, hashed record by record as it passes; and the root over a file's values.
fn chunk_value(criterion: &mut Criterion) {
    let mut group = group(criterion, "chunk value");
    let record = vec![0x5a; LIMITS.record_bytes as usize];
    let chunks = Chunks::new(1 << 30, 20, LIMITS).expect("a file of 1 GiB has chunks of 1 MiB");
    group.throughput(Throughput::Bytes(1 << 20));
    group.bench_function("1 MiB", |bencher| {
        bencher.iter(|| {
            let mut hasher = ChunkHasher::new(&chunks, ChunkIndex(5)).expect("the file has 1024 chunks");
            for _ in 0..(1 << 20) / LIMITS.record_bytes {
                hasher.update(black_box(&record));
            }
            hasher.finish()
        });
    });
    let values: Vec<Value> = (0..=255).cycle().take(1024).map(|byte| Value([byte; 32])).collect();
    group.throughput(Throughput::Elements(1024));
    group.bench_function("root of 1024", |bencher| bencher.iter(|| root_of(black_box(&values))));
    group.finish();
}

/// Files of 4 KiB packed into a record and found in it again.
fn pack(criterion: &mut Criterion) {
    let mut group = group(criterion, "pack");
    let mut area = vec![0; LIMITS.record_bytes as usize];
    let file = vec![0x5a; 4096];
    let fill = |area: &mut [u8]| {
        let mut builder = PackBuilder::new(1, LIMITS);
        let mut count = 0;
        while builder.append(area, FileIndex(count), &file, FileTime::default()) {
            count += 1;
        }
        (builder.finish(area, Flags::default()), count)
    };
    let ((length, trailer), count) = fill(&mut area);
    group.throughput(Throughput::Elements(count.into()));
    group.bench_function("parse", |bencher| {
        bencher.iter(|| {
            let pack = PackView::parse(black_box(&area[..length as usize]), &trailer, LIMITS);
            pack.expect("what was packed is well formed").len()
        });
    });
    group.bench_function("fill", |bencher| bencher.iter(|| fill(black_box(&mut area))));
    group.finish();
}

/// The chunk values of a file of 1 GiB, written and read.
fn manifest(criterion: &mut Criterion) {
    let mut group = group(criterion, "manifest");
    let values: Vec<Value> = (0..=255).cycle().take(1024).map(|byte| Value([byte; 32])).collect();
    let manifest = Manifest { transfer: 1, file: FileIndex(2), values };
    let encoded = manifest.encode();
    group.throughput(Throughput::Elements(1024));
    group.bench_function("encode", |bencher| bencher.iter(|| black_box(&manifest).encode()));
    group.bench_function("parse", |bencher| {
        bencher.iter(|| Manifest::parse(black_box(&encoded), LIMITS).expect("it is well formed"));
    });
    group.finish();
}

/// What a journal gets for one chunk received, and for a window of them.
fn journal(criterion: &mut Criterion) {
    let mut group = group(criterion, "journal append");
    for chunks in [1_u32, 16] {
        let rows: Vec<ChunkValue> = (0..chunks)
            .map(|chunk| ChunkValue { chunk: ChunkIndex(chunk), value: Value([chunk as u8; 32]) })
            .collect();
        let (mut journal, _) = Writer::part(PartId([7; 16]), derived, LIMITS);
        group.throughput(Throughput::Elements(chunks.into()));
        group.bench_function(format!("{chunks} chunks"), |bencher| {
            bencher.iter(|| journal.received(black_box(&rows)));
        });
    }
    group.finish();
}

fn derived(parts: &[&[u8]]) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new();
    for part in parts {
        hasher.update(part);
    }
    hasher.finalize().into()
}

/// One record of source code and one of noise, compressed and brought back, as `-z` does it.
fn compress(criterion: &mut Criterion) {
    let mut group = group(criterion, "compress");
    let record = LIMITS.record_bytes as usize;
    let mut noise = vec![0; record];
    blake3::Hasher::new().finalize_xof().fill(&mut noise);
    group.throughput(Throughput::Bytes(record as u64));
    for (name, content) in [("source code", source_code(record)), ("noise", noise)] {
        let mut frame = vec![0; zstd_safe::compress_bound(record)];
        let mut compressor = zstd_safe::CCtx::create();
        compressor.set_parameter(zstd_safe::CParameter::CompressionLevel(1)).expect("there is such a level");
        group.bench_function(format!("{name} in"), |bencher| {
            bencher.iter(|| compressor.compress2(&mut frame[..], black_box(&content)).expect("it fits"));
        });
        let len = compressor.compress2(&mut frame[..], &content).expect("it fits");
        let mut expander = zstd_safe::DCtx::create();
        let mut out = vec![0; record];
        group.bench_function(format!("{name} out"), |bencher| {
            bencher
                .iter(|| expander.decompress(&mut out[..], black_box(&frame[..len])).expect("it is whole"));
        });
    }
    group.finish();
}

/// The engine's own.
fn source_code(len: usize) -> Vec<u8> {
    let top = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../engine/shard/src");
    let mut out = Vec::new();
    for folder in [top.clone(), top.join("send"), top.join("receive")] {
        let entries = std::fs::read_dir(folder).expect("the sources are there");
        let mut files: Vec<_> = entries.map(|entry| entry.expect("it can be read").path()).collect();
        files.sort();
        for file in files.iter().filter(|file| file.is_file()) {
            out.extend(std::fs::read(file).expect("it can be read"));
        }
    }
    assert!(out.len() >= len);
    out.truncate(len);
    out
}

/// A path from a peer, judged.
fn path_check(criterion: &mut Criterion) {
    let mut group = group(criterion, "path check");
    let path = b"projects/xferd/engine/shard/src/receive/home.rs";
    group.throughput(Throughput::Elements(1));
    group.bench_function("8 components", |bencher| {
        bencher.iter(|| check_path(black_box(path), LIMITS).expect("it is a good path").as_bytes().len());
    });
    group.finish();
}

/// A path against 16 patterns of which the last one matches.
fn filter(criterion: &mut Criterion) {
    let mut group = group(criterion, "filter");
    let patterns = (0..15).map(|number| format!("*.{number}/**/build")).chain(["*.rs".to_owned()]);
    let rules =
        patterns.map(|pattern| FilterRule { include: false, pattern: pattern.into_bytes() }).collect();
    let filters = Filters::compile(rules, LIMITS).expect("they are good patterns");
    let path = b"projects/xferd/engine/shard/src/receive/home.rs";
    assert!(!filters.includes(path, false));
    group.throughput(Throughput::Elements(1));
    group.bench_function("16 patterns", |bencher| {
        bencher.iter(|| filters.includes(black_box(path), false));
    });
    group.finish();
}

criterion_group!(
    benches,
    seal,
    open,
    hash,
    frame,
    chunk_value,
    pack,
    manifest,
    journal,
    compress,
    path_check,
    filter
);
criterion_main!(benches);
