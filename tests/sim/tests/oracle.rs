//! The oracle goes red: each rule is broken on purpose once.

use base::io::RenameHow;
use sim::disk::SimDisk;
use sim::faults::FaultPlan;
use sim::oracle::{Compare, Holding, Oracle, differences};
use sim::world::{EndId, Held, World, WorldConfig};

const END: EndId = EndId::DAEMON;

fn put(world: &World, path: &[u8], bytes: &[u8]) {
    world.disk(END, |disk| disk.build_file(path, bytes));
}

fn judged(edit: impl FnOnce(&World, &mut Oracle)) -> Vec<u8> {
    let world = World::new(WorldConfig::two_ends(1, FaultPlan::none()));
    world.disk(END, |disk| {
        disk.build_file(b"root/old", b"old content");
        disk.build_file(b"canary", b"sings");
        disk.build_file(b"state/journal/x", b"1");
        disk.settle();
    });
    let mut oracle = Oracle::new(&world, END, b"root", &[b"state"]);
    oracle.may_hold(b"old", Holding::File(b"new content".to_vec()));
    oracle.look(&world);
    oracle.assert_holds();
    edit(&world, &mut oracle);
    oracle.look(&world);
    let mut rules: Vec<u8> = oracle.broken().map(|broken| broken.rule).collect();
    rules.dedup();
    rules
}

#[test]
fn what_is_allowed_is_allowed() {
    let rules = judged(|world, oracle| {
        world.disk(END, |disk| {
            disk.build_file(b"root/old", b"new content");
            disk.build_file(b"root/.xferd-00.part", b"staged");
            disk.build_file(b"state/journal/x", b"2");
            disk.settle();
        });
        oracle.on_published(b"old", &Holding::File(b"new content".to_vec()));
        oracle.on_durable(b"old", 4, b"content");
        oracle.on_want(b"old", 0, 4);
        oracle.on_nonce(b"key", 1);
        oracle.on_nonce(b"key", 2);
        oracle.on_rest(world, END, Held::default());
    });
    assert_eq!(rules, []);
}

#[test]
fn a_partial_file_breaks_rule_1() {
    assert_eq!(judged(|world, _| put(world, b"root/old", b"new con")), [1]);
}

#[test]
fn a_lost_name_breaks_rule_1() {
    assert_eq!(judged(|world, _| world.disk(END, |disk| disk.build_remove(b"root/old"))), [1]);
}

#[test]
fn a_name_published_before_its_bytes_are_synced_breaks_rule_1_after_a_loss_of_power() {
    let rules = judged(|world, oracle| {
        world.disk(END, |disk| {
            disk.build_file(b"root/.xferd-00.part", b"new content");
            let root = disk.build_dir(b"root");
            disk.rename((root, b".xferd-00.part"), (root, b"old"), RenameHow::Replace).unwrap();
            disk.sync(root, false);
        });
        oracle.imagine_power_loss(world, 1, 8);
    });
    assert_eq!(rules, [1]);
}

#[test]
fn an_early_durable_breaks_rule_2() {
    let rules = judged(|world, oracle| {
        put(world, b"root/.xferd-00.part", b"new");
        oracle.on_durable(b"old", 0, b"new");
    });
    assert_eq!(rules, [2]);
}

#[test]
fn an_early_publication_breaks_rule_3() {
    let rules = judged(|world, oracle| {
        put(world, b"root/old", b"new content");
        oracle.on_published(b"old", &Holding::File(b"new content".to_vec()));
    });
    assert_eq!(rules, [3]);
}

#[test]
fn asking_again_breaks_rule_4_unless_excused() {
    let staged = |world: &World| {
        world.disk(END, |disk: &mut SimDisk| {
            disk.build_file(b"root/.xferd-00.part", b"new");
            disk.settle();
        });
    };
    let rules = judged(|world, oracle| {
        staged(world);
        oracle.on_durable(b"old", 0, b"new");
        oracle.on_want(b"old", 2, 1);
    });
    assert_eq!(rules, [4]);
    let rules = judged(|world, oracle| {
        staged(world);
        oracle.on_durable(b"old", 0, b"new");
        oracle.excuse(b"old");
        oracle.on_want(b"old", 2, 1);
    });
    assert_eq!(rules, []);
}

#[test]
fn a_nonce_twice_breaks_rule_5() {
    let twice = |_: &World, oracle: &mut Oracle| {
        oracle.on_nonce(b"key", 1);
        oracle.on_nonce(b"key", 1);
    };
    assert_eq!(judged(twice), [5]);
}

#[test]
fn something_left_open_breaks_rule_6() {
    let rules = judged(|world, oracle| {
        let _ios = world.boot(END);
        world.open_dir(END, b"root");
        oracle.on_rest(world, END, Held::default());
    });
    assert_eq!(rules, [6]);
}

#[test]
fn other_names_and_other_places_break_rule_7() {
    assert_eq!(judged(|world, _| put(world, b"root/odd", b"")), [7]);
    assert_eq!(judged(|world, _| put(world, b"canary", b"silent")), [7]);
    assert_eq!(judged(|world, _| put(world, b"elsewhere/new", b"")), [7]);
    let orphan = |world: &World, oracle: &mut Oracle| {
        put(world, b"root/.xferd-00.part", b"");
        oracle.no_orphans(world, true, None);
    };
    assert_eq!(judged(orphan), [7]);
}

#[test]
fn trees_are_compared_as_far_as_promised() {
    use sim::disk::View;
    let world = World::new(WorldConfig::two_ends(1, FaultPlan::none()));
    world.disk(END, |disk| {
        for root in [b"a".as_slice(), b"b"] {
            disk.build_file(&[root, b"/same"].concat(), b"1");
            disk.build_symlink(&[root, b"/link"].concat(), b"x");
        }
        disk.build_meta(b"a/same", &base::entry::Meta { mode: Some(0o755), ..Default::default() });
        let (a, b) = (disk.tree(b"a", View::Visible), disk.tree(b"b", View::Visible));
        assert_eq!(differences(&a, &b, Compare::CONTENT), Vec::<Vec<u8>>::new());
        assert_eq!(differences(&a, &b, Compare::COPY), [b"same".to_vec()]);
        disk.build_file(b"b/more", b"");
        let b = disk.tree(b"b", View::Visible);
        assert_eq!(differences(&a, &b, Compare::CONTENT), [b"more".to_vec()]);
    });
}
