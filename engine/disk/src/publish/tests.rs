use super::model::{BLOCKER, Dice, Disk, OwnedStep, path};
use super::order::{Deed, Facts, Line, check};
use super::*;
use crate::journal::{JournalKind, Reader, Record, Writer};
use crate::paths::ReservedKind;
use crate::toy;
use alloc::collections::BTreeSet;
use base::entry::FileTime;
use base::ids::{PartId, Value};
use base::limits::Limits;
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::format;

/// One staged file of a case. Its inode is 100 + index; what was there before is 500 + index.
#[derive(Clone, Copy, Debug)]
struct Staged {
    dir: u32,
    part: bool,
    symlink: bool,
    meta: bool,
    no_replace: bool,
    before: Before,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Before {
    Nothing,
    File,
    Directory,
}

#[derive(Clone, Debug)]
struct Case {
    files: Vec<Staged>,
    parents: BTreeSet<u32>,
    dir_metas: BTreeSet<u32>,
    durability: Durability,
    old_file_system: bool,
    seed: u64,
}

const DIRECTORIES: u32 = 4;

fn dir_path(dir: u32) -> Vec<u8> {
    [&b""[..], b"a", b"a/b", b"c"][dir as usize].to_vec()
}

/// Long enough for a full batch to take several records.
fn name_of(file: u32) -> Vec<u8> {
    format!("file-{file:-<59}").into_bytes()
}

fn temp_of(file: u32, staged: &Staged) -> ReservedName {
    let kind = if staged.part { ReservedKind::Part } else { ReservedKind::Temp };
    ReservedName::new(kind, [file as u8; 16])
}

fn root_of(inode: u64) -> Value {
    Value([inode as u8; 32])
}

fn staged() -> impl Strategy<Value = Staged> {
    let before = prop_oneof![Just(Before::Nothing), Just(Before::File), Just(Before::Directory)];
    (0..DIRECTORIES, any::<bool>(), 0..4u8, any::<bool>(), 0..4u8, before).prop_map(
        |(dir, part, symlink, meta, no_replace, before)| Staged {
            dir,
            part: part && symlink != 0,
            symlink: symlink == 0,
            meta: meta && symlink != 0,
            no_replace: no_replace == 0,
            before,
        },
    )
}

fn case() -> impl Strategy<Value = Case> {
    let files = proptest::collection::vec(staged(), 0..=8);
    let directories = || proptest::collection::btree_set(0..DIRECTORIES, 0..3);
    let durability = prop_oneof![Just(Durability::Tree), Just(Durability::File), Just(Durability::Tree)];
    (files, directories(), directories(), durability, any::<bool>(), any::<u64>()).prop_map(
        |(files, parents, dir_metas, durability, old_file_system, seed)| Case {
            files: if durability == Durability::File { files.into_iter().take(1).collect() } else { files },
            parents,
            dir_metas,
            durability,
            old_file_system,
            seed,
        },
    )
}

/// What a run left behind.
struct Run {
    disk: Disk,
    batch: TreePublication,
    trace: Vec<Line>,
    points: Vec<Point>,
}

impl Case {
    fn facts(&self) -> Facts {
        let which = |wanted: fn(&Staged) -> bool| {
            let files = self.files.iter().enumerate().filter(|(_, file)| wanted(file));
            files.map(|(index, _)| index as u32).collect()
        };
        Facts {
            dir_of: self.files.iter().map(|file| file.dir).collect(),
            symlinks: which(|file| file.symlink),
            metas: which(|file| file.meta),
            directories: self.parents.union(&self.dir_metas).copied().collect(),
        }
    }

    fn disk(&self) -> (Disk, Writer) {
        let (mut disk, writer) = Disk::new(&Limits::TINY);
        disk.old_file_system = self.old_file_system;
        for dir in 0..DIRECTORIES {
            disk.directories.insert(dir_path(dir), Default::default());
        }
        for (index, file) in self.files.iter().enumerate() {
            let (index, dir) = (index as u32, dir_path(file.dir));
            match file.before {
                Before::Nothing => {}
                Before::File => disk.put(&dir, &name_of(index), 500 + u64::from(index), true),
                Before::Directory => disk.put(&dir, &name_of(index), BLOCKER, true),
            }
        }
        for (index, file) in self.files.iter().enumerate() {
            let (dir, temp) = (dir_path(file.dir), temp_of(index as u32, file));
            disk.put(&dir, temp.as_bytes(), 100 + index as u64, false);
            disk.synced.insert(100 + index as u64, file.symlink);
        }
        (disk, writer)
    }

    fn batch(&self) -> TreePublication {
        let mut batch = TreePublication::new(3, b"share", self.durability, &Limits::TINY);
        for dir in 0..DIRECTORIES {
            assert_eq!(batch.directory(path(&dir_path(dir))), DirRef(dir));
        }
        let mtime = Some(FileTime { seconds: 1, nanos: 2 });
        let meta = Meta { mode: Some(0o644), mtime, ..Meta::default() };
        for (index, file) in self.files.iter().enumerate() {
            let name = name_of(index as u32);
            let inode = 100 + index as u64;
            batch
                .push(&Publish {
                    dir: DirRef(file.dir),
                    temp: temp_of(index as u32, file),
                    name: Name::new(&name).expect("valid"),
                    inode,
                    root: root_of(inode),
                    meta: file.meta.then_some(meta),
                    symlink: file.symlink,
                    no_replace: file.no_replace,
                })
                .expect("not full");
        }
        self.parents.iter().for_each(|dir| batch.parent(DirRef(*dir)));
        self.dir_metas.iter().for_each(|dir| batch.directory_meta(DirRef(*dir), meta));
        batch
    }

    /// Runs the batch in a random order. One step in `fail_one_in` fails; 0: none. Stops after `most` ends
    /// of steps, as if killed: what was under way then happened or did not.
    fn run(&self, fail_one_in: u64, most: usize) -> Run {
        let mut dice = Dice(self.seed);
        let (mut disk, mut writer) = self.disk();
        let mut reader = Reader::new(JournalKind::Transfer, toy::hash, &Limits::TINY);
        reader.feed(&disk.journal);
        let (mut batch, mut trace, mut points) = (self.batch(), Vec::new(), Vec::new());
        let mut flying: Vec<(StepId, OwnedStep, Deed)> = Vec::new();
        let (mut ended, mut dry) = (0, false);
        loop {
            if !dry && (flying.is_empty() || dice.below(3) > 0) {
                match batch.next(Some(&mut writer)) {
                    Some((_, Step::Reach(point))) => {
                        trace.push(Line::Given(Deed::Reach(point)));
                        points.push(point);
                    }
                    Some((id, step)) => {
                        let owned = OwnedStep::from(&step);
                        let deed = self.deed(&owned, &mut reader);
                        trace.push(Line::Given(deed.clone()));
                        flying.push((id, owned, deed));
                    }
                    None => dry = true,
                }
                continue;
            }
            if flying.is_empty() {
                break;
            }
            if ended == most {
                for (_, step, _) in flying.iter().filter(|_| dice.below(2) == 0) {
                    let _ = disk.run(step, |file| 100 + u64::from(file.0), |dir| dir_path(dir.0));
                }
                return Run { disk, batch, trace, points };
            }
            let (id, step, deed) = flying.swap_remove(dice.below(flying.len() as u64) as usize);
            let result = if fail_one_in > 0 && dice.below(fail_one_in) == 0 {
                Err(Errno::NOSPC)
            } else {
                disk.run(&step, |file| 100 + u64::from(file.0), |dir| dir_path(dir.0))
            };
            trace.push(if result.is_ok() { Line::Held(deed) } else { Line::Failed(deed) });
            batch.on_done(id, result);
            (ended, dry) = (ended + 1, false);
        }
        assert!(batch.outcome().is_some(), "nothing in flight, nothing to start, not over");
        Run { disk, batch, trace, points }
    }

    fn deed(&self, step: &OwnedStep, reader: &mut Reader) -> Deed {
        match step {
            OwnedStep::Sync(file) => Deed::SyncFile(file.0),
            OwnedStep::SetMeta(file) => Deed::SetMeta(file.0),
            OwnedStep::SetDirMeta(dir) => Deed::SetDirMeta(dir.0),
            OwnedStep::SyncJournal => Deed::SyncJournal,
            OwnedStep::Rename(file, ..) | OwnedStep::Link(file, ..) => Deed::Rename(file.0),
            OwnedStep::Discard(file, ..) => Deed::Discard(file.0),
            OwnedStep::SyncDir(dir) => Deed::SyncDir(dir.0),
            OwnedStep::Reach(point) => Deed::Reach(*point),
            OwnedStep::Append(_, bytes) => {
                reader.feed(bytes);
                match reader.next_record() {
                    Some((_, Record::Committing(piece))) => {
                        let index = |temp| {
                            let mut files = self.files.iter().enumerate();
                            files.position(|(i, file)| temp_of(i as u32, file) == temp).expect("staged")
                                as u32
                        };
                        Deed::Committing(
                            piece.files.iter().map(|file| index(file.temp)).collect(),
                            piece.last,
                        )
                    }
                    Some((_, Record::Done { batch: 3 })) => Deed::Done,
                    other => panic!("{other:?}"),
                }
            }
        }
    }

    /// What must hold of every name at any moment: old or new, whole.
    fn assert_old_or_new(&self, disk: &Disk) {
        for (index, file) in self.files.iter().enumerate() {
            let there = disk.inode(&dir_path(file.dir), &name_of(index as u32));
            let new = 100 + index as u64;
            let old = match file.before {
                Before::Nothing => None,
                Before::File => Some(500 + index as u64),
                Before::Directory => Some(BLOCKER),
            };
            assert!(there == old || there == Some(new), "file {index} became {there:?}");
            assert!(there != Some(new) || disk.synced[&new], "file {index} is visible and not durable");
        }
    }

    fn is_blocked(&self, index: usize) -> bool {
        let file = &self.files[index];
        file.before == Before::Directory || file.no_replace && file.before == Before::File
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn every_order_of_ends_keeps_the_order_of_promises(case in case()) {
        // proves: O9
        let run = case.run(0, usize::MAX);
        prop_assert_eq!(run.batch.outcome(), Some(Outcome::Held));
        if let Err(why) = check(&case.facts(), &run.trace, true) {
            panic!("{why}\n{:#?}", run.trace);
        }
        case.assert_old_or_new(&run.disk);
        for (index, file) in case.files.iter().enumerate() {
            let reference = FileRef(index as u32);
            let code = run.batch.failures().iter().find(|(file, _)| *file == reference).map(|(_, code)| *code);
            prop_assert_eq!(code, case.is_blocked(index).then_some(Code::Conflict));
            prop_assert_eq!(run.batch.is_published(reference), code.is_none());
            let temp = temp_of(index as u32, file);
            let left = run.disk.inode(&dir_path(file.dir), temp.as_bytes()).is_some();
            prop_assert_eq!(left, code.is_some() && file.part, "a temp goes, a part of a failed file stays");
        }
        let mut expected = BTreeSet::from([Point::DirectorySynced, Point::ParentsSynced]);
        let published = (0..case.files.len()).any(|index| !case.is_blocked(index));
        if !case.files.is_empty() {
            use Point as P;
            expected.extend([P::BatchFilesSynced, P::CommittingWritten, P::CommittingSynced, P::DoneWritten]);
        }
        if published {
            expected.extend([Point::RenamedFirst, Point::RenamedAll]);
        }
        if case.files.iter().any(|file| file.meta) {
            expected.extend([Point::MetadataSet, Point::MetadataSynced]);
        }
        prop_assert_eq!(run.points.iter().copied().collect::<BTreeSet<_>>(), expected);
    }

    #[test]
    fn failures_never_lead_to_a_promise(case in case(), fail_one_in in 2u64..12) {
        let run = case.run(fail_one_in, usize::MAX);
        let held = run.batch.outcome() == Some(Outcome::Held);
        if let Err(why) = check(&case.facts(), &run.trace, held) {
            panic!("{why}\n{:#?}", run.trace);
        }
        case.assert_old_or_new(&run.disk);
        let poisoned = run.trace.iter().any(|line| {
            matches!(line, Line::Failed(Deed::SyncFile(_) | Deed::Committing(..) | Deed::SyncJournal))
                || matches!(line, Line::Failed(Deed::SyncDir(_) | Deed::Done))
        });
        let outcome = if poisoned { Outcome::Poisoned(Code::NoSpace) } else { Outcome::Held };
        prop_assert_eq!(run.batch.outcome(), Some(outcome));
        let mut failed = BTreeMap::new();
        for (file, _) in run.batch.failures() {
            prop_assert_eq!(failed.insert(file.0, ()), None, "a file fails once");
            prop_assert!(!run.batch.is_published(*file));
        }
    }

    #[test]
    fn killed_anywhere_it_rolls_forward_and_twice_is_once(case in case(), most in 0usize..60) {
        // proves: O9
        let mut run = case.run(0, most);
        case.assert_old_or_new(&run.disk);
        let committed = run.points.contains(&Point::CommittingSynced);
        prop_assert!(run.disk.recover(&Limits::TINY, root_of));
        case.assert_old_or_new(&run.disk);
        for (index, file) in case.files.iter().enumerate() {
            let there = run.disk.inode(&dir_path(file.dir), &name_of(index as u32));
            if committed && !case.is_blocked(index) {
                prop_assert_eq!(there, Some(100 + index as u64), "file {} was committed", index);
                let temp = temp_of(index as u32, file);
                prop_assert_eq!(run.disk.inode(&dir_path(file.dir), temp.as_bytes()), None);
            }
        }
        let once = run.disk.clone();
        prop_assert!(run.disk.recover(&Limits::TINY, root_of));
        prop_assert_eq!(run.disk.directories, once.directories);
    }

    #[test]
    fn without_power_anywhere_a_promise_holds(case in case(), most in 0usize..80) {
        let mut run = case.run(0, most);
        let mut dice = Dice(case.seed ^ 1);
        run.disk.lose_power(&mut dice);
        case.assert_old_or_new(&run.disk);
        let acknowledged = run.batch.outcome() == Some(Outcome::Held);
        for recovered in [false, true] {
            for (index, file) in case.files.iter().enumerate() {
                if acknowledged && !case.is_blocked(index) {
                    let there = run.disk.inode(&dir_path(file.dir), &name_of(index as u32));
                    prop_assert_eq!(there, Some(100 + index as u64), "file {}, recovered {}", index, recovered);
                }
            }
            prop_assert!(run.disk.recover(&Limits::TINY, root_of));
            case.assert_old_or_new(&run.disk);
        }
    }

    #[test]
    fn without_durability_only_names_change(mut case in case()) {
        case.durability = Durability::None;
        let run = case.run(0, usize::MAX);
        prop_assert_eq!(run.batch.outcome(), Some(Outcome::Held));
        let synced = |line: &Line| matches!(line, Line::Given(
            Deed::SyncFile(_) | Deed::SyncJournal | Deed::SyncDir(_) | Deed::Committing(..) | Deed::Done));
        prop_assert!(!run.trace.iter().any(synced));
        for index in (0..case.files.len()).filter(|index| !case.is_blocked(*index)) {
            prop_assert!(run.batch.is_published(FileRef(index as u32)));
        }
    }
}

fn plain(count: usize) -> Case {
    let file = Staged {
        dir: 1,
        part: false,
        symlink: false,
        meta: true,
        no_replace: false,
        before: Before::Nothing,
    };
    Case {
        files: [file].into_iter().cycle().take(count).collect(),
        parents: BTreeSet::from([0]),
        dir_metas: BTreeSet::from([1]),
        durability: Durability::Tree,
        old_file_system: false,
        seed: 7,
    }
}

#[test]
fn the_checker_misses_no_sync_that_is_left_out() {
    let case = plain(6);
    let run = case.run(0, usize::MAX);
    assert_eq!(check(&case.facts(), &run.trace, true), Ok(()));
    let promised = |line: &Line| match line {
        Line::Given(deed) | Line::Held(deed) | Line::Failed(deed) => {
            !matches!(deed, Deed::Reach(_) | Deed::Discard(_))
        }
    };
    let mut left_out = 0;
    for (at, line) in run.trace.iter().enumerate().filter(|(_, line)| promised(line)) {
        let Line::Held(deed) = line else { continue };
        if matches!(deed, Deed::SetDirMeta(_) | Deed::Committing(..)) {
            continue;
        }
        let mut without = run.trace.clone();
        without.remove(at);
        assert!(check(&case.facts(), &without, true).is_err(), "without line {at}, {line:?}");
        left_out += 1;
    }
    assert!(left_out > 15, "{left_out}");
}

#[test]
fn the_checker_refuses_promises_made_early() {
    let case = plain(3);
    let run = case.run(0, usize::MAX);
    let first = |wanted: fn(&Deed) -> bool| {
        let given = |line: &Line| matches!(line, Line::Given(deed) if wanted(deed));
        run.trace.iter().position(given).expect("in the trace")
    };
    let moves = [
        (first(|deed| matches!(deed, Deed::Committing(..))), 0),
        (first(|deed| matches!(deed, Deed::Rename(_))), first(|deed| matches!(deed, Deed::SyncJournal))),
        (first(|deed| matches!(deed, Deed::SyncDir(_))), first(|deed| matches!(deed, Deed::Rename(_))) + 1),
        (first(|deed| matches!(deed, Deed::Done)), first(|deed| matches!(deed, Deed::SyncDir(_)))),
    ];
    for (from, to) in moves {
        let mut early = run.trace.clone();
        let line = early.remove(from);
        early.insert(to, line);
        assert!(check(&case.facts(), &early, true).is_err(), "line {from} at {to}");
    }
}

#[test]
fn a_failed_sync_of_one_file_spares_every_old_name() {
    let case = plain(4);
    let (_, mut writer) = case.disk();
    let mut batch = case.batch();
    let mut syncs = 0;
    while let Some((id, step)) = batch.next(Some(&mut writer)) {
        let result = match step {
            Step::Reach(_) => continue,
            Step::SyncFull(_) => {
                syncs += 1;
                if syncs == 2 { Err(Errno::IO) } else { Ok(()) }
            }
            Step::SetMeta { .. } | Step::Discard { .. } => Ok(()),
            other => panic!("{other:?}"),
        };
        batch.on_done(id, result);
    }
    assert_eq!(batch.outcome(), Some(Outcome::Poisoned(Code::Io)));
}

#[test]
fn a_batch_is_bounded_and_its_record_split() {
    let limits = Limits::TINY;
    let mut batch = TreePublication::new(1, &[b's'; 200], Durability::Tree, &limits);
    let long = [b'd'; 60];
    let dir = batch.directory(path(&long));
    let publish = |index: u8| Publish {
        dir,
        temp: ReservedName::new(ReservedKind::Temp, [index; 16]),
        name: Name::new(&long).expect("valid"),
        inode: 1,
        root: Value([0; 32]),
        meta: None,
        symlink: true,
        no_replace: false,
    };
    for index in 0..limits.tree_files_max as u8 {
        batch.push(&publish(index)).expect("not full");
    }
    assert_eq!(batch.push(&publish(99)), Err(Full));
    let (_, mut writer) = Disk::new(&limits);
    let mut pieces = 0;
    while let Some((id, step)) = batch.next(Some(&mut writer)) {
        if let Step::Append { bytes, .. } = &step {
            assert!(bytes.len() <= limits.record_bytes as usize);
            pieces += 1;
        }
        if !matches!(step, Step::Reach(_)) {
            batch.on_done(id, Ok(()));
        }
    }
    assert_eq!(batch.outcome(), Some(Outcome::Held));
    assert!(pieces > 2, "COMMITTING took {} records", pieces - 1);
}

fn part_writer() -> Writer {
    Writer::part(PartId([1; 16]), toy::hash, &Limits::TINY).0
}

/// Names of the steps a serial machine gives, each answered well.
fn drive(
    mut next: impl FnMut(Option<StepId>) -> Option<(StepId, std::string::String)>,
) -> Vec<std::string::String> {
    let (mut names, mut last) = (Vec::new(), None);
    while let Some((id, name)) = next(last) {
        last = (!name.starts_with("Reach")).then_some(id);
        names.push(name);
    }
    names
}

fn short(step: &Step<'_>) -> std::string::String {
    let text = format!("{step:?}");
    match step {
        Step::Append { journal, .. } => format!("Append {journal:?}"),
        Step::Reach(point) => format!("Reach {}", point.name()),
        _ => text.split([' ', '(', '{']).next().unwrap_or_default().into(),
    }
}

#[test]
fn one_large_file_passes_steps_5_to_9_in_order() {
    // proves: O9
    let case = Case { durability: Durability::File, ..plain(1) };
    let (_, mut transfer) = case.disk();
    let mut part = part_writer();
    let mut checkpoint = Checkpoint::new(FileRef(0), &part);
    let mut names = drive(|ended| {
        ended.into_iter().for_each(|id| checkpoint.on_done(id, Ok(())));
        checkpoint.next(&mut part).map(|(id, step)| (id, short(&step)))
    });
    assert_eq!(checkpoint.outcome(), Some(Outcome::Held));
    let mut batch = case.batch();
    names.extend(drive(|ended| {
        ended.into_iter().for_each(|id| batch.on_done(id, Ok(())));
        batch.next(Some(&mut transfer)).map(|(id, step)| (id, short(&step)))
    }));
    let expected = "SyncData, Reach data-synced, Append Part, Reach journal-appended, SyncJournal, \
        Reach journal-durable, SetMeta, Reach metadata-set, SyncFull, Reach metadata-synced, \
        Reach batch-files-synced, Append Transfer, Reach committing-written, SyncJournal, \
        Reach committing-synced, Rename, Reach renamed-first, Reach renamed-all, SetDirMeta, SyncDir, \
        Reach directory-synced, SyncDir, Reach parents-synced, Append Transfer, Reach done-written";
    assert_eq!(names.join(", "), expected);
    assert_eq!((batch.outcome(), batch.failures()), (Some(Outcome::Held), &[][..]));
}

#[test]
fn a_failed_checkpoint_goes_no_further() {
    for failing in 0..3 {
        let mut part = part_writer();
        let mut checkpoint = Checkpoint::new(FileRef(0), &part);
        let mut ended = 0;
        while let Some((id, step)) = checkpoint.next(&mut part) {
            assert!(ended <= failing);
            if !matches!(step, Step::Reach(_)) {
                checkpoint.on_done(id, if ended == failing { Err(Errno::IO) } else { Ok(()) });
                ended += 1;
            }
        }
        assert_eq!(checkpoint.outcome(), Some(Outcome::Poisoned(Code::Io)));
    }
}

#[test]
fn a_file_written_in_place_is_marked_before_and_cleared_after() {
    for (syncs, expected) in [
        (
            true,
            "Append Part, SyncJournal, Reach torn-marked, OPEN, SyncData, SetMeta, Reach metadata-set, SyncFull, \
            Reach metadata-synced, Append Part, SyncJournal, Reach torn-cleared",
        ),
        (
            false,
            "Append Part, Reach torn-marked, OPEN, SetMeta, Reach metadata-set, Append Part, Reach torn-cleared",
        ),
    ] {
        let mut part = part_writer();
        let mut machine = InPlace::new(FileRef(0), 9, syncs);
        let mut names = drive(|ended| {
            ended.into_iter().for_each(|id| machine.on_done(id, Ok(())));
            machine.next(&mut part).map(|(id, step)| (id, short(&step)))
        });
        assert!(machine.is_open());
        names.push("OPEN".into());
        machine.close(Value([1; 32]), Meta::default());
        assert!(!machine.is_open());
        names.extend(drive(|ended| {
            ended.into_iter().for_each(|id| machine.on_done(id, Ok(())));
            machine.next(&mut part).map(|(id, step)| (id, short(&step)))
        }));
        assert_eq!(names.join(", "), expected);
        assert_eq!(machine.outcome(), Some(Outcome::Held));
    }
}

#[test]
#[should_panic(expected = "a step ends once")]
fn a_step_that_ends_twice_is_our_own_fault() {
    let case = plain(2);
    let (_, mut writer) = case.disk();
    let mut batch = case.batch();
    let (id, _) = batch.next(Some(&mut writer)).expect("a step");
    batch.on_done(id, Ok(()));
    batch.on_done(id, Ok(()));
}
