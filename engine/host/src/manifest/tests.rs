use super::*;
use crate::value::Value;

const HEAD: &str =
    "[plugin]\nname = \"acme/office-hours\"\nversion = \"1.2.0\"\nworld = \"xferd:plugin/policy@0.1\"\n";

fn parse(more: &str) -> Result<Manifest, ManifestError> {
    Manifest::parse(&format!("{HEAD}{more}"))
}

fn error(more: &str) -> String {
    parse(more).expect_err(more).to_string()
}

#[test]
fn a_whole_manifest_is_read() {
    let manifest = parse(
        r#"
instance = "reused"
[limits]
memory = "2MiB"
deadline-ms = 2
[config.hours]
type = "text"
default = "08-18"
help = "when"
[config.days]
type = "texts"
[config.grace]
type = "uint"
default = 5
[grants]
identity = { claims = ["email"] }
quota = { uploads = { rate = "100/min", burst = 20, per = "account" } }
kv = { bytes-max = "64KiB", write = true }
messages = { topics = ["chat.*"], max-bytes = "64KiB", rate = "50/s" }
files = { roots = ["inbox"] }
shares = {}
[reasons]
identity = "match department shares"
"#,
    )
    .expect("it is right");
    assert_eq!((manifest.name.as_str(), manifest.world), ("acme/office-hours", World::Policy));
    assert_eq!((manifest.memory_bytes, manifest.deadline_ms), (2 << 20, 2));
    assert_eq!(manifest.instance, Instance::Reused);
    let keys: Vec<_> = manifest.config.iter().map(|setting| setting.key.as_str()).collect();
    assert_eq!(keys, ["hours", "days", "grace"], "in the order of the file");
    assert_eq!(manifest.config[2].default, Some(Value::Uint(5)));
    let grants = &manifest.grants;
    assert_eq!(grants.names(), ["identity", "quota", "kv", "files", "messages", "shares"]);
    let bucket = &grants.quota[0];
    assert_eq!((bucket.token_ns, bucket.burst, bucket.per), (600_000_000, 20, Per::Account));
    assert_eq!(grants.lacking("identity"), None);
    assert_eq!(grants.lacking("peers"), Some("peers = {}"));
    assert_eq!(grants.lacking("context"), None);
    assert_eq!(manifest.reasons, [("identity".to_owned(), "match department shares".to_owned())]);
}

#[test]
fn every_mistake_is_named_with_line_and_key() {
    let wrong = [
        (
            "colour = 1",
            "line 5: unknown key `plugin.colour`: there may be name, version, world, instance, description",
        ),
        (
            "[limits]\nmemory = \"65MiB\"",
            "line 6: `limits.memory` asks for 68157440, at most 67108864 is given",
        ),
        ("[limits]\nmemory = \"4MB\"", "line 6: `limits.memory` has to be written as"),
        ("[limits]\ndeadline-ms = 4", "line 6: `limits.deadline-ms` asks for 4, at most 3 is given"),
        ("[limits]\ndeadline-ms = 0", "line 6: `limits.deadline-ms` has to be a number from 1"),
        ("[config.a]\ntype = \"date\"", "line 6: `config.a.type` has to be written as"),
        ("[config.a]\ntype = \"uint\"\ndefault = -1", "line 7: `config.a.default` has to be uint"),
        ("[config.a]\ntype = \"uint\"\ndefault = 1.5", "line 7: `config.a.default` has to be text"),
        ("[config]\na = 1", "line 6: `config.a` has to be a table"),
        ("[grants]\nidentiy = {}", "line 6: unknown key `grants.identiy`: there may be identity, quota"),
        (
            "[grants]\nquota = { a = { rate = \"5/fortnight\" } }",
            "line 6: `grants.quota.a.rate` has to be written as",
        ),
        ("[grants]\nfiles = {}", "line 6: `grants.files.roots` is missing"),
        ("[grants]\nkv = 1", "line 6: `grants.kv` has to be a table"),
        ("[reasons]\nquota = \"x\"", "line 6: `reasons.quota` explains a grant"),
        ("[extra]", "line 5: unknown key `extra`"),
        ("instance = \"shared\"", "line 5: `plugin.instance` has to be written as \"fresh\" or \"reused\""),
        ("a = = 1", "line 5: "),
    ];
    for (more, expected) in wrong {
        let error = error(more);
        assert!(error.contains(expected), "{more}\n{error}\n{expected}");
    }
    let head = |from: &str, to: &str| Manifest::parse(&HEAD.replace(from, to)).expect_err(to).to_string();
    assert!(head("policy@0.1", "policy@0.2").contains("line 4: `plugin.world`: this host has no"));
    assert!(head("policy@0.1", "polic@0.1").contains("batch-policy"));
    assert!(head("acme/office-hours", "../x").contains("line 2: `plugin.name` has to be written as"));
    assert!(head("version = \"1.2.0\"\n", "").contains("`plugin.version` is missing"));
    assert!(Manifest::parse("").expect_err("empty").to_string().contains("`plugin` is missing"));
    assert!(Manifest::parse(&HEAD.replace("policy@0.1", "policy@0.1.0")).is_ok());
}

#[test]
fn settings_are_typed_and_complete() {
    let manifest =
        parse("[config.a]\ntype = \"uint\"\n[config.b]\ntype = \"flag\"\ndefault = true").expect("right");
    let given = |text: &str| manifest.settings(&text.parse().expect("TOML"));
    assert_eq!(given("a = 3"), Ok(vec![("a".into(), Value::Uint(3)), ("b".into(), Value::Flag(true))]));
    let error = |text: &str| given(text).expect_err(text).to_string();
    assert_eq!(error(""), "setting `a` (uint) has no default: set it");
    assert_eq!(error("a = \"3\""), "setting `a` has to be of type uint");
    assert_eq!(error("a = 3\nc = 1"), "unknown setting `c`: this plugin has a, b");
}
