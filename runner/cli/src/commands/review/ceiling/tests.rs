//! A ceiling that was edited is what was proposed, or less.

use super::*;

const PROPOSED: &str = r#"
[limits]
fuel_max = 1000
memory_bytes_max = 65536
wall_ms_max = 30000
output_bytes_max = 4096
host_calls_max = 100

[[targets]]
logical = "shop"
target = "shop-replica"
unmasked = []

[[targets.queries]]
name = "stuck"
calls_max = 20
rows_total_max = 5000
bytes_total_max = 1048576
"#;

fn edited(from: &str, to: &str) -> Result<Scope, String> {
    let most: Scope = toml::from_str(PROPOSED).unwrap();
    assert!(PROPOSED.contains(from), "{from}");
    parse(&PROPOSED.replace(from, to), &most.capabilities().unwrap())
}

#[test]
fn less_is_taken() {
    assert_eq!(edited("5000", "100").unwrap().targets[0].queries[0].rows_total_max, 100);
    let without = PROPOSED.find("[[targets.queries]]").unwrap();
    let none = edited(
        &PROPOSED[without..],
        "[[targets.queries]]\nname = \"stuck\"\ncalls_max = 0\n\
        rows_total_max = 0\nbytes_total_max = 0\n",
    )
    .unwrap();
    assert_eq!(none.targets[0].queries[0].calls_max, 0);
    assert!(
        edited(&PROPOSED[without..], "").unwrap_err().contains("queries"),
        "every list is written out"
    );
}

#[test]
fn what_is_proposed_can_be_read_back() {
    let most: Scope = toml::from_str(PROPOSED).unwrap();
    let text = format!("{HEADER}\n{}", toml::to_string(&most).unwrap());
    assert_eq!(parse(&text, &most.capabilities().unwrap()).unwrap(), most);
}

#[test]
fn nothing_becomes_wider() {
    for (from, to, words) in [
        ("5000", "5001", "rows of stuck 5,001, was 5,000"),
        ("fuel_max = 1000", "fuel_max = 1001", "fuel 1,001, was 1,000"),
        ("\"stuck\"", "\"customers\"", "query customers"),
        ("\"shop-replica\"", "\"shop-primary\"", "reaches shop=shop-primary"),
        ("unmasked = []", "unmasked = [\"orders.email\"]", "reads orders.email WITHOUT ITS MASK"),
    ] {
        let told = edited(from, to).unwrap_err();
        assert!(told.contains(words), "{told}");
    }
}

#[test]
fn a_text_that_could_mean_something_else_is_refused() {
    for (from, to) in [
        ("fuel_max = 1000\n", ""),
        ("fuel_max", "fuel"),
        ("[limits]", "[limits]\nfuel = 1"),
        ("calls_max = 20", "calls_max = 20\ncalls_max = 1"),
        ("calls_max = 20", "calls_max = -1"),
        ("\"shop\"", "\"sh\u{1b}op\""),
    ] {
        let told = edited(from, to).unwrap_err();
        assert!(!told.contains('\u{1b}') && !told.is_empty(), "{told}");
    }
    assert!(edited(PROPOSED, "").is_err() && edited(PROPOSED, &" ".repeat(300_000)).is_err());
}
