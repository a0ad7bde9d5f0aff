//! FORMAT.md says what the code does. `XFERD_BLESS=1 cargo test -p xferd-proto --test format` writes its tables.

const MARK: &str = "<!-- From here on printed by proto::wire::layouts::render. -->\n";

#[test]
fn the_tables_of_the_format_are_printed_from_the_code() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/FORMAT.md");
    let document = std::fs::read_to_string(path).expect("FORMAT.md lies beside Cargo.toml");
    let (text, tables) = document.split_once(MARK).expect("the mark stands before the tables");
    let printed = proto::wire::layouts::render();
    if std::env::var_os("XFERD_BLESS").is_some() {
        let whole = format!("{text}{MARK}\n{}\n", printed.trim());
        return std::fs::write(path, whole).expect("FORMAT.md is written");
    }
    assert!(tables.trim() == printed.trim(), "FORMAT.md after its mark would be:\n{printed}");
}

#[test]
fn every_layout_is_named_once() {
    let printed = proto::wire::layouts::render();
    let mut names: Vec<&str> = printed.lines().filter(|line| line.starts_with("### ")).collect();
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count);
}
