//! The parts of the data path, each alone on one core with everything in cache.

use base::entry::FileTime;
use base::ids::{ChunkIndex, FileIndex, Value};
use base::io::Now;
use base::limits::{DATA_AT, HEADER_AT, Limits};
use criterion::{
    BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main, measurement::WallTime,
};
use proto::session::{Opener, Sealer, Secret, Suite};
use proto::transfer::chunk::{ChunkHasher, Chunks, root_of};
use proto::transfer::pack::{PackBuilder, PackView};
use proto::wire::{ChunkTrailer, Flags, FrameType, Header};
use std::hint::black_box;
use std::time::{Duration, Instant};
use xferd_bench::quick;

const LIMITS: &Limits = &Limits::DEFAULT;
const SUITES: [Suite; 2] = [Suite::Aes256Gcm, Suite::ChaCha20Poly1305];

fn group<'a>(criterion: &'a mut Criterion, name: &str) -> BenchmarkGroup<'a, WallTime> {
    let mut group = criterion.benchmark_group(name);
    if quick() {
        group
            .sample_size(10)
            .warm_up_time(Duration::from_millis(50))
            .measurement_time(Duration::from_millis(200));
    }
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

/// Sealing a full record in its arena slot.
fn seal(criterion: &mut Criterion) {
    let mut group = group(criterion, "seal");
    group.throughput(Throughput::Bytes(LIMITS.record_bytes.into()));
    for suite in SUITES {
        let mut slot = vec![0x5a; LIMITS.buffer_bytes as usize];
        let tail = trailer().encode();
        group.bench_function(suite.name(), |bencher| {
            let mut sealer = sealer(suite);
            bencher.iter(|| {
                let sealed = sealer.seal(FrameType::Chunk, black_box(&mut slot), LIMITS.record_bytes, &tail);
                sealed.expect("a record fits its slot")
            });
        });
    }
    group.finish();
}

/// Opening it where it lies; each needs a record of its own, sealed outside the timer.
fn open(criterion: &mut Criterion) {
    let mut group = group(criterion, "open");
    group.throughput(Throughput::Bytes(LIMITS.record_bytes.into()));
    for suite in SUITES {
        let mut slot = vec![0x5a; LIMITS.buffer_bytes as usize];
        let tail = trailer().encode();
        group.bench_function(suite.name(), |bencher| {
            bencher.iter_custom(|rounds| {
                let (mut sealer, mut opener) =
                    (sealer(suite), Opener::new(suite, Secret::new([7; 32]), LIMITS));
                let mut spent = Duration::ZERO;
                for _ in 0..rounds {
                    let sealed = sealer.seal(FrameType::Chunk, &mut slot, LIMITS.record_bytes, &tail);
                    let (_, length) = sealed.expect("a record fits its slot");
                    let (head, payload) = slot.split_at_mut(DATA_AT as usize);
                    let header = head[HEADER_AT as usize..].try_into().expect("a header is 12 bytes");
                    let began = Instant::now();
                    let opened = opener.open(header, &mut payload[..length as usize - 12]);
                    spent += began.elapsed();
                    black_box(opened.expect("what was sealed opens"));
                }
                spent
            });
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

criterion_group!(benches, seal, open, frame, chunk_value, pack);
criterion_main!(benches);
