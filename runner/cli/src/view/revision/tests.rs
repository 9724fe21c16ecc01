//! What a reviewer has to see before signing.

use std::collections::BTreeMap;

use domain::{BundleIndex, Digest};

use super::*;

const MANIFEST: &str = r#"
[script]
name = "stuck"
version = "1.2.0"
summary = "Stuck orders\u202E"
input = "input.schema.json"

[targets.shop]
engine = "sqlite"

[[query]]
name = "stuck"
target = "shop"
file = "queries/stuck.sql"
params = [
  { name = "since", type = "timestamptz", from = "/since" },
  { name = "batch", type = "int8" },
]
calls_max = 20
rows_total_max = 5000
"#;

/// A component's facts as far as they are shown.
fn facts(imports: &[&str]) -> ComponentFacts {
    ComponentFacts {
        digest: Digest::of(b""),
        bytes: 0,
        imports: imports.iter().map(ToString::to_string).collect(),
        functions: 0,
        memory_bytes: 0,
        made_with: vec!["rustc 1.95.0".to_owned()],
    }
}

fn bundle(sql: &str) -> Bundle {
    bundle_of(b"\0asm", sql)
}

fn bundle_of(component: &[u8], sql: &str) -> Bundle {
    let files: BTreeMap<_, _> = [
        ("component.wasm", component.to_vec()),
        ("script.toml", MANIFEST.as_bytes().to_vec()),
        ("queries/stuck.sql", sql.as_bytes().to_vec()),
        ("input.schema.json", b"{}".to_vec()),
    ]
    .into_iter()
    .map(|(path, bytes)| (path.parse().unwrap(), bytes))
    .collect();
    let digests = files.iter().map(|(p, b): (&domain::BundlePath, _)| (p.clone(), Digest::of(b)));
    Bundle::check(BundleIndex::new(digests.collect()).unwrap(), files).unwrap()
}

#[test]
fn a_reviewer_is_told_which_rows_a_free_parameter_can_reach() {
    let text =
        whole(&bundle("SELECT 1"), &facts(&["borescope:debug/sql@0.1.0"]), Out::plain()).join("\n");
    assert!(text.contains("$1 since timestamptz: from the approved input at /since"), "{text}");
    let free = "$2 batch int8: chosen by the script: can read every row this query can return,\n      \
                up to 5,000";
    assert!(text.contains(free), "{text}");
    assert!(text.contains("20 calls, 5,000 rows"), "{text}");
}

#[test]
fn sql_cannot_hide_a_part_of_itself_from_the_reviewer() {
    let text = whole(&bundle("SELECT 1 -- \u{202e}\u{1b}[8m\nFROM t"), &facts(&[]), Out::plain())
        .join("\n");
    assert!(text.contains("│ SELECT 1 -- \\u{202e}\\u{1b}[8m\n"), "{text}");
    assert!(text.contains("│ FROM t\n"), "{text}");
    assert!(text.contains("Stuck orders\\u{202e}"), "{text}");
}

#[test]
fn lines_fit_eighty_columns() {
    let text = whole(&bundle("SELECT 1"), &facts(&["a"]), Out::plain()).join("\n");
    let widest = text
        .lines()
        .filter(|l| !l.contains("sha256:"))
        .map(unicode_width::UnicodeWidthStr::width)
        .max();
    assert!(widest <= Some(80), "{text}");
}

#[test]
fn a_reviewer_is_told_whether_the_component_is_the_stock_one() {
    let stock =
        whole(&bundle_of(stock::COMPONENT, "SELECT 1"), &facts(&[]), Out::plain()).join("\n");
    let version = format!("built  stock component of {}: ", env!("CARGO_PKG_VERSION"));
    assert!(stock.contains(&version), "{stock}");
    let exchanged = [stock::COMPONENT, b"\0"].concat();
    for other in [b"\0asm".as_slice(), &exchanged] {
        let text = whole(&bundle_of(other, "SELECT 1"), &facts(&[]), Out::plain()).join("\n");
        assert!(
            text.contains("built  unlisted build: ") && text.contains("rustc 1.95.0"),
            "{text}"
        );
        assert!(!text.contains("stock component of"), "{text}");
    }
}
