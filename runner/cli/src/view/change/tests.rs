//! The one line that a reviewer reads first names what became wider, and what does not fit together.

use domain::{BundleIndex, BundlePath, Pair};

use super::*;

const MANIFEST: &str = r#"
[script]
name = "stuck"
version = "1.0.0"
summary = "s"
[targets.shop]
engine = "sqlite"
[[query]]
name = "stuck"
target = "shop"
file = "queries/stuck.sql"
rows_total_max = 5000
"#;

const MORE: &str = "[[query]]\nname = \"late\"\ntarget = \"shop\"\nfile = \"queries/late.sql\"\n";

fn bundle(manifest: &str, sql: &str, component: &[u8]) -> Bundle {
    let files: BTreeMap<BundlePath, Vec<u8>> = [
        ("component.wasm", component),
        ("script.toml", manifest.as_bytes()),
        ("queries/stuck.sql", sql.as_bytes()),
    ]
    .into_iter()
    .map(|(path, bytes)| (path.parse().unwrap(), bytes.to_vec()))
    .collect();
    let digests = files.iter().map(|(p, b)| (p.clone(), Digest::of(b))).collect();
    Bundle::check(BundleIndex::new(digests).unwrap(), files).unwrap()
}

fn side<'b>(bundle: &'b Bundle, source: Option<&str>, tool: &str) -> Side<'b> {
    let component = ComponentFacts {
        digest: Digest::of(b""),
        bytes: 0,
        imports: vec!["borescope:debug/sql@0.1.0".to_owned()],
        functions: 0,
        memory_bytes: 0,
        made_with: vec![tool.to_owned()],
    };
    let source = source.map(|text| Ok(Source::from([("lib.rs".to_owned(), text.into())])));
    Side { bundle, component, source, rebuilt: Vec::new() }
}

fn told(old: &Side<'_>, new: &Side<'_>) -> String {
    let pairs = [Pair { logical: "shop".parse().unwrap(), target: "shop-1".parse().unwrap() }];
    let asks = |side: &Side<'_>| side.bundle.manifest.asks(&pairs);
    let moves = Moves::between(&asks(old), &asks(new));
    in_one_line(old, new, &moves, &files(old, new, Out::plain()), Out::plain())
}

#[test]
fn nothing_of_weight_changed() {
    let (old, new) = (bundle(MANIFEST, "SELECT 1", b"a"), bundle(MANIFEST, "SELECT 1", b"a"));
    let told = told(&side(&old, Some("x\n"), "rustc 1"), &side(&new, Some("x\n"), "rustc 1"));
    assert_eq!(told, "same queries; may do as much; same component");
}

#[test]
fn what_became_wider_stands_out() {
    let old = bundle(MANIFEST, "SELECT 1", b"a");
    let wider = format!("{}{MORE}[limits]\nwall = \"10s\"\n", MANIFEST.replace("5000", "9000"));
    let new = bundle(&wider, "SELECT 2", b"b");
    let told = told(&side(&old, Some("x\ny\n"), "rustc 1"), &side(&new, Some("x\nz\n"), "rustc 2"));
    assert_eq!(
        told,
        "queries: late added, stuck changed; WIDER: query late, rows of stuck 9,000, was 5,000; \
         narrower: wall 10.0 s, was 30.0 s; source +1 −1 lines, component built anew by rustc 2 \
         (was rustc 1); nobody rebuilt it"
    );
}

#[test]
fn who_built_it_again_is_named_and_who_got_another_component_before_all() {
    let (old, new) = (bundle(MANIFEST, "SELECT 1", b"a"), bundle(MANIFEST, "SELECT 1", b"b"));
    let mut new = side(&new, Some("y\n"), "rustc 1");
    let was = side(&old, Some("x\n"), "rustc 1");
    let person = |name: &str, what| (name.parse().unwrap(), what);
    new.rebuilt = vec![person("bob", Rebuilt::Matched), person("dan", Rebuilt::Matched)];
    assert!(told(&was, &new).ends_with("by the same tools; rebuilt by bob and dan"));
    new.rebuilt.push(person("eve", Rebuilt::Differs));
    assert!(told(&was, &new).ends_with("eve rebuilt it and got ANOTHER component"));
}

#[test]
fn a_component_that_does_not_follow_from_its_source_is_named() {
    let (old, new) = (bundle(MANIFEST, "SELECT 1", b"a"), bundle(MANIFEST, "SELECT 1", b"b"));
    let both = |was: Option<&str>, is: Option<&str>| {
        told(&side(&old, was, "rustc 1"), &side(&new, is, "rustc 1"))
    };
    assert!(both(Some("x"), Some("x")).contains("another component from the same source"));
    assert!(both(Some("x"), None).contains("another component, and no source to read"));
    assert!(both(None, Some("x")).contains("source for the first time"));
    let again = bundle(MANIFEST, "SELECT 1", b"a");
    let same = told(&side(&old, Some("x\n"), "rustc 1"), &side(&again, Some("y\n"), "rustc 1"));
    assert!(same.ends_with("source +1 −1 lines, and the component is the same"), "{same}");
    let stock = bundle(MANIFEST, "SELECT 1", stock::COMPONENT);
    let told = told(&side(&old, None, "rustc 1"), &side(&stock, None, "rustc 1"));
    assert!(
        told.contains("stock component of ") && told.contains("before an unlisted build"),
        "{told}"
    );
}

#[test]
fn a_query_that_reviewers_had_left_out_is_wider() {
    let whole = bundle(MANIFEST, "SELECT 1", b"a");
    let pairs = [Pair { logical: "shop".parse().unwrap(), target: "shop-1".parse().unwrap() }];
    let asked = whole.manifest.asks(&pairs);
    let mut less = asked.clone();
    less.pairs.values_mut().for_each(|on| on.queries.clear());
    assert_eq!(Moves::between(&less, &asked).wider, ["query stuck"]);
    assert_eq!(Moves::between(&asked, &less).narrower, ["query stuck"]);
    less.pairs.clear();
    assert_eq!(Moves::between(&less, &asked).wider, ["reaches shop=shop-1"]);
    assert_eq!(Moves::between(&asked, &asked), Moves::default());
}
