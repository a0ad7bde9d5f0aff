use super::*;
use alloc::collections::BTreeSet;
use proptest::prelude::*;
use std::vec;

/// Paths of a destination; a directory ends in `/`.
type Tree = BTreeSet<Vec<u8>>;

fn tree(paths: &[&str]) -> Tree {
    paths.iter().map(|path| path.as_bytes().to_vec()).collect()
}

/// Names directly below a directory, two at a time would be `more`: all at once here.
fn listing(tree: &Tree, dir: &[u8]) -> Vec<(u8, Vec<u8>)> {
    let mut start = dir.to_vec();
    if !dir.is_empty() {
        start.push(b'/');
    }
    let below = tree.iter().filter_map(|path| path.strip_prefix(&start[..])).filter(|rest| !rest.is_empty());
    let direct = below.filter_map(|rest| match rest.iter().position(|&b| b == b'/') {
        None => Some((1, rest.to_vec())),
        Some(at) if at + 1 == rest.len() => Some((2, rest[..at].to_vec())),
        Some(_) => None,
    });
    direct.collect()
}

enum Flying {
    List(Vec<u8>),
    Remove(Vec<u8>, bool),
}

struct Ran {
    tree: Tree,
    reports: Vec<Removed>,
    points: Vec<Point>,
    walk: DeleteWalk,
}

/// Walks in some order; `unknown`: the listing does not tell kinds.
fn run(mut tree: Tree, mut walk: DeleteWalk, protect: &[u8], unknown: bool, seed: u64) -> Ran {
    let (mut reports, mut points, mut dice) = (Vec::new(), Vec::new(), seed);
    let mut flying = Vec::new();
    loop {
        dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        match walk.next() {
            Some((_, DeleteStep::Reach(point))) => points.push(point),
            Some((id, DeleteStep::List { dir, .. })) => {
                flying.push((id, Flying::List(dir.as_bytes().to_vec())));
            }
            Some((id, DeleteStep::Remove { dir, name, directory })) => {
                flying.push((id, Flying::Remove(below(dir.as_bytes(), name.as_bytes()), directory)));
            }
            None if flying.is_empty() => break,
            None => {
                let (id, step) = flying.swap_remove((dice >> 33) as usize % flying.len());
                let dir = match step {
                    Flying::List(dir) => dir,
                    Flying::Remove(path, directory) => {
                        walk.on_removed(id, remove(&mut tree, &path, directory));
                        reports.extend(core::iter::from_fn(|| walk.report()));
                        continue;
                    }
                };
                let names = listing(&tree, &dir);
                let names = names.iter().map(|(kind, name)| (if unknown { 0 } else { *kind }, &name[..]));
                let mut keep = |path: &[u8], _: bool| path.ends_with(protect) && !protect.is_empty();
                walk.on_listed(id, Ok(names), false, &mut keep);
                reports.extend(core::iter::from_fn(|| walk.report()));
            }
        }
    }
    assert!(walk.is_over());
    Ran { tree, reports, points, walk }
}

fn remove(tree: &mut Tree, path: &[u8], directory: bool) -> Result<(), Errno> {
    let slashed = [path, b"/"].concat();
    if directory {
        assert!(tree.contains(&slashed), "a directory is removed as one");
        let full = tree.iter().any(|other| other.starts_with(&slashed) && *other != slashed);
        if full {
            return Err(Errno::NOTEMPTY);
        }
        tree.remove(&slashed);
        return Ok(());
    }
    if tree.contains(&slashed) {
        return Err(Errno::ISDIR);
    }
    if tree.remove(path) { Ok(()) } else { Err(Errno::NOENT) }
}

fn doomed(path: &str, directory: bool) -> Doomed {
    let kind = Some(if directory { Kind::Directory } else { Kind::File });
    Doomed { path: path.as_bytes().to_vec(), kind }
}

fn sample() -> Tree {
    tree(&["keep", "old", "gone/", "gone/a", "gone/b.tmp", "gone/sub/", "gone/sub/c"])
}

fn walk(delete_max: Option<u64>) -> DeleteWalk {
    DeleteWalk::new(vec![doomed("old", false), doomed("gone", true)], false, delete_max, &Limits::TINY)
}

#[test]
fn only_names_the_sender_does_not_have_go() {
    // proves: L3
    let listing: [(u8, &[u8]); 5] = [(1, b"a"), (2, b"b"), (1, b".xferd-00.tmp"), (1, b"z.tmp"), (2, b"c")];
    let mut found = Vec::new();
    let mut protect = |path: &[u8], _: bool| path.ends_with(b".tmp");
    let dir = RelPath::new(b"d").expect("valid");
    extraneous(dir, &[b"a", b"x"], listing, &mut protect, &mut found);
    assert_eq!(found, [doomed("d/b", true), doomed("d/c", true)]);
    let none: [&[u8]; 0] = [];
    found.clear();
    extraneous(RelPath::ROOT, &none, [(4, &b"socket"[..])], &mut protect, &mut found);
    assert_eq!(found, [Doomed { path: b"socket".to_vec(), kind: None }]);
}

#[test]
fn directories_go_from_the_inside_out() {
    for (unknown, seed) in [(false, 1), (true, 2), (false, 3), (true, 4)] {
        let ran = run(sample(), walk(None), b"", unknown, seed);
        assert_eq!(ran.tree, tree(&["keep"]));
        assert_eq!((ran.walk.removed(), ran.walk.over_limit()), (6, 0));
        assert_eq!(ran.reports.len(), 6);
        assert!(ran.reports.iter().all(|removed| removed.result.is_ok()));
        assert_eq!(ran.points, [Point::DeleteFirst, Point::DeleteAll]);
    }
}

#[test]
fn what_a_filter_protects_stays_with_its_directories() {
    let ran = run(sample(), walk(None), b".tmp", false, 1);
    assert_eq!(ran.tree, tree(&["keep", "gone/", "gone/b.tmp"]));
    let mut with_part = sample();
    with_part.insert(b"gone/sub/.xferd-00.part".to_vec());
    let ran = run(with_part, walk(None), b"", false, 1);
    assert_eq!(ran.tree, tree(&["keep", "gone/", "gone/sub/", "gone/sub/.xferd-00.part"]));
    assert!(ran.reports.iter().all(|removed| removed.result.is_ok()), "what stays on purpose is no failure");
}

#[test]
fn nothing_goes_when_the_sender_could_not_read() {
    let all = vec![doomed("old", false), doomed("gone", true)];
    let ran = run(sample(), DeleteWalk::new(all, true, None, &Limits::TINY), b"", false, 1);
    assert_eq!((ran.tree, ran.points), (sample(), vec![]));
}

#[test]
fn a_list_error_keeps_the_directory_and_a_removal_error_is_reported() {
    let mut walk = walk(None);
    while let Some((id, step)) = walk.next() {
        match step {
            DeleteStep::Reach(_) => {}
            DeleteStep::List { .. } => {
                walk.on_listed(id, Err::<[(u8, &[u8]); 0], _>(Errno::ACCES), false, &mut |_, _| false);
            }
            DeleteStep::Remove { directory, .. } => {
                assert!(!directory);
                walk.on_removed(id, Err(Errno::PERM));
            }
        }
    }
    let failed = |path: &str, kind| Removed {
        path: path.as_bytes().to_vec(),
        kind: Some(kind),
        result: Err(Code::AccessDenied),
    };
    let reports: Vec<Removed> = core::iter::from_fn(|| walk.report()).collect();
    assert_eq!(reports, [failed("gone", Kind::Directory), failed("old", Kind::File)]);
    assert!(walk.removed() == 0 && walk.is_over());
}

#[test]
fn what_appears_in_a_directory_meanwhile_keeps_it_and_is_told() {
    let mut walk = DeleteWalk::new(vec![doomed("gone", true)], false, None, &Limits::TINY);
    let Some((id, DeleteStep::List { .. })) = walk.next() else { panic!("a listing") };
    walk.on_listed(id, Ok([(1, &b"a"[..])]), false, &mut |_, _| false);
    let Some((id, DeleteStep::Remove { directory: false, .. })) = walk.next() else { panic!("a file") };
    assert_eq!(walk.next(), None, "the directory waits for what is in it");
    walk.on_removed(id, Ok(()));
    let removals = core::iter::from_fn(|| {
        loop {
            match walk.next()? {
                (_, DeleteStep::Reach(_)) => {}
                (id, DeleteStep::Remove { directory: true, .. }) => {
                    walk.on_removed(id, Err(Errno::NOTEMPTY));
                    return Some(());
                }
                other => panic!("{other:?}"),
            }
        }
    });
    assert_eq!(removals.count(), 1);
    let results: Vec<bool> = core::iter::from_fn(|| walk.report()).map(|r| r.result.is_ok()).collect();
    assert_eq!((results, walk.removed()), (vec![true, false], 1));
}

#[test]
fn a_name_no_peer_would_take_is_told_and_not_walked() {
    let deep = [b"d".as_slice(); 8].join(&b'/');
    let mut walk =
        DeleteWalk::new(vec![Doomed { path: deep, kind: Some(Kind::Directory) }], false, None, &Limits::TINY);
    let Some((id, DeleteStep::List { .. })) = walk.next() else { panic!("a listing") };
    walk.on_listed(id, Ok([(1, &b"below"[..]), (0, &[b'n'; 65])]), false, &mut |_, _| false);
    assert_eq!(walk.next(), None);
    let results: Vec<_> = core::iter::from_fn(|| walk.report()).map(|removed| removed.result).collect();
    assert_eq!(results, [Err(Code::BadPath); 2]);
    assert!(walk.is_over());
}

#[test]
fn names_of_our_own_go_where_the_whole_directory_was_asked_for() {
    let mut with_part = sample();
    with_part.insert(b"gone/sub/.xferd-00.part".to_vec());
    let all = vec![doomed("old", false), doomed("gone", true)];
    let walk = DeleteWalk::new(all, false, None, &Limits::TINY).with_own_names();
    assert_eq!(run(with_part, walk, b"", false, 1).tree, tree(&["keep"]));
}

proptest! {
    #[test]
    fn a_limit_is_never_exceeded_and_always_used_up(most in 0u64..8, seed in any::<u64>(), unknown in any::<bool>()) {
        let ran = run(sample(), walk(Some(most)), b"", unknown, seed);
        prop_assert_eq!(ran.walk.removed(), most.min(6));
        prop_assert_eq!(ran.tree.len() as u64, 7 - most.min(6));
        prop_assert_eq!(ran.walk.over_limit() > 0, most < 6);
    }
}
