//! Layers, origins and mistakes, on files in a temporary directory.

use super::*;
use std::ffi::OsString;
use std::path::Path;

fn with<'a>(variable: &'a dyn Fn(&str) -> Option<OsString>) -> Environment<'a> {
    Environment { variable, is_root: false, cpus: 3 }
}

fn none(_: &str) -> Option<OsString> {
    None
}

fn file(directory: &Path, name: &str, text: &str) -> PathBuf {
    let path = directory.join(name);
    std::fs::create_dir_all(path.parent().expect("has a parent")).expect("directory");
    std::fs::write(&path, text).expect("written");
    path
}

fn load_file(text: &str) -> Result<Config, Vec<String>> {
    let directory = tempfile::tempdir().expect("temporary directory");
    let path = file(directory.path(), "x.toml", text);
    let flags = Flags { config: Some(path), ..Flags::default() };
    let prefix = format!("{}/", directory.path().display());
    load(&flags, &with(&none))
        .map_err(|problems| problems.iter().map(|p| p.to_string().replace(&prefix, "")).collect())
}

#[test]
fn flags_go_over_environment_over_files() {
    let directory = tempfile::tempdir().expect("temporary directory");
    file(
        directory.path(),
        "xferd.toml",
        "cores = 2\nio = \"threads\"\ndurability = \"file\"\nlisten = \"[::1]:1\"",
    );
    file(directory.path(), "conf.d/10-more.toml", "listen = [\"127.0.0.1:2\", \"127.0.0.2\"]");
    file(directory.path(), "conf.d/README", "not TOML");
    let variable = |name: &str| match name {
        "XFERD_CORES" => Some("4".into()),
        "XFERD_IO" => Some("uring".into()),
        _ => None,
    };
    let flags = Flags { config: Some(directory.path().to_owned()), cores: Some(8), ..Flags::default() };
    let config = load(&flags, &with(&variable)).expect("valid");
    assert_eq!(config.cores, Setting { value: 8, origin: Origin::Flag("--cores") });
    assert_eq!(config.io, Setting { value: IoChoice::Uring, origin: Origin::Environment("XFERD_IO") });
    assert_eq!(config.durability.value, Durability::File);
    assert_eq!(config.durability.origin, Origin::File { path: directory.path().join("xferd.toml"), line: 3 });
    let listen: Vec<String> = config.listen.value.iter().map(ToString::to_string).collect();
    assert_eq!(listen, ["127.0.0.1:2", "127.0.0.2:7440"]);
    assert_eq!(config.log.origin, Origin::Default);
}

#[test]
fn nothing_said_has_defaults() {
    let directory = tempfile::tempdir().expect("temporary directory");
    let flags = Flags { config: Some(file(directory.path(), "x.toml", "")), ..Flags::default() };
    let home = |name: &str| (name == "HOME").then(|| "/home/u".into());
    let config = load(&flags, &with(&home)).expect("valid");
    assert_eq!(config.cores.value, 3);
    assert_eq!(config.listen.value, ["0.0.0.0:7440".parse().expect("address")]);
    assert_eq!(config.state.value, PathBuf::from("/home/u/.local/state/xferd"));
    assert_eq!(config.limits, Limits::DEFAULT);
    let root = Environment { is_root: true, ..with(&none) };
    assert_eq!(load(&flags, &root).expect("valid").state.value, PathBuf::from("/var/lib/xferd"));
}

#[test]
fn every_mistake_is_told_with_its_line() {
    let problems = load_file(
        "cors = 2\nlissten = \"x\"\ncores = 0\nio = \"urinq\"\n[limits]\nseal_file_max = 3\nseal_files_max = 0\n\
         record_bytes = 4096\n[log]\nlevl = \"x\"\n[[share]]\nname = \"a/b\"\npath = \"rel\"\nreadonly = true\n\
         [[rule]]\naccount = \"alice\"\nprotocol = \"x\"\naction = \"pull\"\nzzzzzzzz = 1\n",
    )
    .expect_err("all wrong");
    let expected = [
        "x.toml:1: unknown key \"cors\"; did you mean \"cores\"?",
        "x.toml:2: unknown key \"lissten\"; did you mean \"listen\"?",
        "x.toml:3: cores: 0 is not between 1 and 1024",
        "x.toml:4: io: \"urinq\" is none of auto, uring, threads; did you mean \"uring\"?",
        "x.toml:6: unknown key \"limits.seal_file_max\"; did you mean \"limits.seal_files_max\"?",
        "x.toml:7: limits.seal_files_max: 0 is not between 1 and 65536",
        "x.toml:8: limits.record_bytes is fixed by the protocol; leave it out",
        "x.toml:10: unknown key \"log.levl\"; did you mean \"log.level\"?",
        "x.toml:12: share.name: \"a/b\" cannot be a name: 1 to 64 bytes, no spaces, no control characters, none of / : *",
        "x.toml:13: share.path: \"rel\" is not absolute",
        "x.toml:14: unknown key \"share.readonly\"; did you mean \"share.read-only\"?",
        "x.toml:15: rule.effect: missing; write effect = \"allow\" or effect = \"deny\"",
        "x.toml:17: rule.protocol: only action = \"invoke\" has a protocol",
        "x.toml:19: unknown key \"rule.zzzzzzzz\"; known here: effect, account, group, device, action, share, protocol, \
         max-bytes, max-files, bytes-per-second, max-stored-bytes, not-after, read-only, store-as, label, notify, path",
    ];
    assert_eq!(problems, expected);
}

#[test]
fn broken_toml_is_told_with_its_line() {
    let problems = load_file("cores = 2\nlisten = [\n").expect_err("broken");
    assert!(problems[0].starts_with("x.toml:"), "{problems:?}");
    let filter = load_file("\n[log]\nlevel = \"xferd=louder\"\n").expect_err("no filter");
    assert!(filter[0].starts_with("x.toml:3: \"xferd=louder\" is no log filter"), "{filter:?}");
    assert!(load_file("cores = 2\ncores = 3\n").expect_err("twice")[0].starts_with("x.toml:2: "));
}

#[test]
fn shares_and_rules_are_read() {
    let config = load_file(
        "durability = \"tree\"\n[[share]]\nname = \"data\"\npath = \"/srv\"\nread-only = true\nowners = true\n\
         allow = [\"alice:rw\", \"*:r\"]\ndeny = \"eve\"\ndurability-min = \"file\"\n[[share]]\nname=\"b\"\npath=\"/b\"\n\
         [[rule]]\neffect = \"deny\"\naccount = \"*\"\naction = [\"push\", \"remove\"]\nshare = \"data\"\n",
    )
    .expect("valid");
    let share = &config.shares[0];
    assert!(share.read_only && share.owners);
    assert_eq!(share.allow[0], Grant { who: Who::Account("alice".into()), read: true, write: true });
    assert_eq!(share.allow[1], Grant { who: Who::Everyone, read: true, write: false });
    assert_eq!(share.deny[0], Grant { who: Who::Account("eve".into()), read: true, write: true });
    assert_eq!((share.durability_min, config.shares[1].durability_min), (Durability::File, Durability::Tree));
    assert_eq!(config.rules[0].actions, [ActionKind::Push, ActionKind::Remove]);
    assert_eq!(config.rules[0].account, None);
}

#[test]
fn groups_are_named_in_rules_and_grants() {
    let text = "state = \"/s\"\n[[share]]\nname = \"data\"\npath = \"/srv\"\nallow = [\"@ops:rw\", \"@dev\"]\n\
                [[rule]]\neffect = \"deny\"\naccount = \"bob\"\ngroup = \"dev\"\n";
    let config = load_file(text).expect("valid");
    let allow = &config.shares[0].allow;
    assert_eq!(allow[0], Grant { who: Who::Group("ops".into()), read: true, write: true });
    assert_eq!(allow[1], Grant { who: Who::Group("dev".into()), read: true, write: true });
    let rule = &config.rules[0];
    assert_eq!((rule.account.as_deref(), rule.group.as_deref()), (Some("bob"), Some("dev")));
    let again = load_file(&effective(&config)).expect("valid again");
    assert_eq!((&again.shares[0].allow, &again.rules[0].group), (allow, &rule.group));
    let problems = load_file(
        "[[share]]\nname = \"data\"\npath = \"/srv\"\nallow = [\"@:rw\"]\n[[share]]\nname = \"b\"\npath = \"/b\"\n\
         deny = \"@*\"\n[[rule]]\neffect = \"deny\"\ngroup = \"*\"\n",
    )
    .expect_err("all wrong");
    let expected = [
        "x.toml:4: share.allow: \"@:rw\" names neither account nor group; write \"alice:rw\", \"@ops:rw\" or \"*:r\"",
        "x.toml:8: share.deny: \"@*\" names neither account nor group; write \"alice:rw\", \"@ops:rw\" or \"*:r\"",
        "x.toml:11: rule.group: \"*\" cannot be a name: 1 to 64 bytes, no spaces, no control characters, none of / : *",
    ];
    assert_eq!(problems, expected);
}

#[test]
fn what_a_rule_demands_is_read_and_checked() {
    let config = load_file(
        "state = \"/s\"\nroot = \"/srv\"\ncount-stored = true\n[[rule]]\neffect = \"allow\"\nmax-bytes = 5\nmax-files = 6\nbytes-per-second = 7\nmax-stored-bytes = 8\n\
         not-after = 2026-11-20T09:38:00+01:00\nread-only = true\nstore-as = \"in/box\"\nlabel = \"l\"\nnotify = \"n\"\n\
         [[rule.path]]\nglob = \"*.exe\"\neffect = \"deny\"\ncode = \"no-programs\"\n\
         [[rule.path]]\nglob = \"**\"\nmax-bytes = 9\nstore-as = \"other/\"\n",
    )
    .expect("valid");
    let demands = &config.rules[0].demands;
    assert_eq!((demands.bytes_max, demands.files_max, demands.bytes_per_second), (Some(5), Some(6), Some(7)));
    assert_eq!((demands.stored_bytes_max, config.shares[0].count_stored), (Some(8), true));
    assert_eq!(demands.not_after_ms, Some(1_795_163_880_000));
    assert!(demands.read_only);
    assert_eq!(config.rules[0].paths[0].code.as_deref(), Some("no-programs"));
    assert_eq!(config.rules[0].paths[1].store_as.as_deref(), Some("other/"));
    assert_eq!(load_file(&effective(&config)).expect("valid again").rules[0].demands, *demands);
    let problems = load_file(
        "root = \"/srv\"\n[[rule]]\neffect = \"deny\"\nmax-bytes = 5\n[[rule]]\neffect = \"allow\"\n\
         not-after = \"soon\"\nstore-as = \"../out\"\n[[rule.path]]\nglob = \"[\"\n[[rule.path]]\neffect = \"deny\"\n",
    )
    .expect_err("all wrong");
    let lines: Vec<&str> = problems.iter().filter_map(|problem| problem.split(": ").next()).collect();
    assert_eq!(lines, ["x.toml:2", "x.toml:7", "x.toml:8", "x.toml:10", "x.toml:11"], "{problems:?}");
}

#[test]
fn a_root_beside_shares_and_a_share_twice_are_refused() {
    let problems = load_file("root = \"/srv\"\n[[share]]\nname = \"a\"\npath = \"/a\"\n").expect_err("both");
    assert!(
        problems[0].starts_with("x.toml:2: a root (x.toml:1) and shares exclude each other"),
        "{problems:?}"
    );
    let twice = "[[share]]\nname = \"a\"\npath = \"/a\"\n[[share]]\nname = \"a\"\npath = \"/b\"\n";
    assert_eq!(load_file(twice).expect_err("twice"), ["x.toml:4: share \"a\" exists already (x.toml:1)"]);
    let problems =
        load_file("[[share]]\nname=\"data\"\npath=\"/a\"\n[[rule]]\neffect=\"deny\"\nshare=\"dta\"\n");
    assert_eq!(
        problems.expect_err("no such share"),
        ["x.toml:4: rule.share: no share \"dta\"; did you mean \"data\"?"]
    );
}

#[test]
fn what_is_printed_reads_back_the_same() {
    let text = "cores = 2\nlisten = [\"127.0.0.1:9\"]\nstate = \"/s\"\n[limits]\nseal_files_max = 7\n[[share]]\n\
                name = \"data\"\npath = \"/srv/a \\\"b\\u001b\"\nallow = [\"alice:rw\", \"*:r\"]\n[[rule]]\neffect = \"allow\"\n\
                action = \"invoke\"\nprotocol = \"xferd.status\"\n";
    let first = load_file(text).expect("valid");
    let printed = effective(&first);
    assert!(printed.contains("x.toml:1\n"), "{printed}");
    let second = load_file(&printed).expect("its own output");
    let (a, b) = (&first.shares[0], &second.shares[0]);
    assert_eq!((&a.name, &a.path, &a.allow, &a.deny), (&b.name, &b.path, &b.allow, &b.deny));
    assert_eq!(first.limits, second.limits);
    assert_eq!(first.listen.value, second.listen.value);
    assert_eq!(first.rules[0].protocol, second.rules[0].protocol);
}
