//! FORMAT.md says what the code does.

const MARK: &str = "<!-- From here on printed by proto::wire::layouts::render. -->\n";

#[test]
fn the_tables_of_the_format_are_printed_from_the_code() {
    let document = include_str!("../FORMAT.md");
    let (_, tables) = document.split_once(MARK).expect("the mark stands before the tables");
    let printed = proto::wire::layouts::render();
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
