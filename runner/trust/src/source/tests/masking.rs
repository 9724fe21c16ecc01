//! What people write to hide something, and what they are told when it would hide nothing.

use super::*;

const TARGET: &str = r#"
[[target]]
id = "pg"
engine = "postgres"
identity = { postgres = { system_identifier = "7", database = "shop", role = "debug" } }
lag_s_max = 30
reads = [{ table = "shop.customers", columns = ["id", "email", "ssn", "born"] }]
"#;

fn with(more: &str) -> Result<PolicyTarget, String> {
    let read = policy(&format!("{TARGET}{more}"), issue("pol"));
    read.map(|mut policy| policy.targets.remove(0)).map_err(|e| e.to_string())
}

fn mask(column: &str, rest: &str) -> String {
    format!("[[target.mask]]\ntable = \"shop.customers\"\ncolumn = \"{column}\"\n{rest}\n")
}

#[test]
fn a_denied_column_leaves_reads_and_stays_out() {
    let target = with(&mask("ssn", "kind = \"deny\"")).unwrap();
    assert_eq!(target.reads[0].columns, ["id", "email", "born"]);
    assert_eq!(target.denied[0].column, "ssn");
    assert!(target.masks.is_empty());
    // A document that says both is not signed.
    let mut both = target;
    both.reads[0].columns.push("ssn".to_owned());
    let mut whole = policy(TARGET, issue("pol")).unwrap();
    whole.targets = vec![both];
    let said = whole.check().unwrap_err().to_string();
    expect_test::expect![
        "field `targets.0.denied.0.column`: ssn is in `reads` as well; take it out of there"
    ]
    .assert_eq(&said);
}

#[test]
fn nothing_is_unmasked_unless_somebody_writes_it() {
    let target = with(&mask("email", "kind = \"email\"")).unwrap();
    assert!(!target.masks[0].unmask);
    let target = with(&mask("email", "kind = \"email\"\nunmask = true")).unwrap();
    assert!(target.masks[0].unmask);
    assert_eq!(target.mask("shop.customers", "email").unwrap().mask, domain::Mask::Email);
    assert_eq!(target.mask("shop.customers", "id"), None);
}

#[test]
fn mistakes_in_masks_are_named() {
    let filter = |filter: &str| {
        format!("[[target.row_filter]]\ntable = \"shop.customers\"\nfilter = {filter:?}\n")
    };
    let said: Vec<String> = [
        mask("emial", "kind = \"email\""),
        mask("email", "kind = \"emial\""),
        mask("email", "kind = \"email\"\nwidth = 10"),
        mask("email", "kind = \"email\"\nwdth = 10"),
        mask("email", "kind = \"keyed-hash\""),
        mask("email", "kind = \"bucket\"\nwidth = 1"),
        mask("born", "kind = \"date-truncate\"\nunit = \"second\""),
        mask("email", "kind = \"partial\""),
        mask("email", "kind = \"partial\"\nkeep_first = 9"),
        mask("ssn", "kind = \"deny\"\nunmask = true"),
        format!("{}{}", mask("email", "kind = \"email\""), mask("email", "kind = \"full\"")),
        format!("{}{}", mask("ssn", "kind = \"deny\""), mask("ssn", "kind = \"full\"")),
        mask("email", "kind = \"full\"").replace("shop.customers", "shop.orders"),
        filter("a = 1\n; DROP TABLE x"),
        filter(" "),
        format!("{}{}", filter("a = 1"), filter("b = 2")),
        filter("a = 1").replace("shop.customers", "shop.orders"),
    ]
    .iter()
    .map(|more| with(more).expect_err(more).lines().last().unwrap().to_owned() + "\n")
    .collect();
    expect_test::expect![[r#"
        policy/targets.toml: field `targets.0.masks.0.column`: emial is not in `reads`; add it there, or deny it
        unknown variant `emial`, expected one of `null`, `full`, `partial`, `email`, `keyed-hash`, `bucket`, `date-truncate`, `deny`
        policy/targets.toml: field `target.0.mask.0.width`: belongs to another kind of mask; leave it out
        unknown field `wdth`, expected one of `table`, `column`, `kind`, `keep_first`, `keep_last`, `class`, `width`, `unit`, `unmask`
        policy/targets.toml: field `target.0.mask.0.class`: is missing; write it as class = "customer"
        policy/targets.toml: field `targets.0.masks.0.mask`: has the width 1; expected 2 to 9007199254740991
        unknown variant `second`, expected one of `hour`, `day`, `week`, `month`, `quarter`, `year`
        policy/targets.toml: field `targets.0.masks.0.mask`: keeps 0 and 0 characters; expected 0 to 8 each and one at least, or the kind `full`
        policy/targets.toml: field `targets.0.masks.0.mask`: keeps 9 and 0 characters; expected 0 to 8 each and one at least, or the kind `full`
        policy/targets.toml: field `target.0.mask.0.unmask`: nobody unmasks a denied column; leave it out
        policy/targets.toml: field `targets.0.masks.1.column`: shop.customers.email is masked or denied already
        policy/targets.toml: field `targets.0.masks.0.column`: ssn is not in `reads`; add it there, or deny it
        policy/targets.toml: field `targets.0.masks.0.table`: shop.orders is not in `reads`; only what may be read can be hidden
        policy/targets.toml: field `targets.0.row_filters.0.filter`: expected a condition on one line, at most 2000 bytes
        policy/targets.toml: field `targets.0.row_filters.0.filter`: expected a condition on one line, at most 2000 bytes
        policy/targets.toml: field `targets.0.row_filters.1.table`: shop.customers has another one; write them as one, with AND
        policy/targets.toml: field `targets.0.row_filters.0.table`: shop.orders is not in `reads`; only what may be read can be hidden
    "#]].assert_eq(&said.concat());
}

#[test]
fn sqlite_has_the_same_masks() {
    let sqlite = "identity = { sqlite = { application_id = 7 } }\nreads = [{ table = \"shop.customers\", columns = [\"email\"] }]\n";
    let target = |more: &str| {
        let text = format!("[[target]]\nid = \"shop\"\nengine = \"sqlite\"\n{sqlite}{more}");
        policy(&text, issue("pol")).map(drop).map_err(|e| e.to_string())
    };
    target(&mask("email", "kind = \"email\"")).unwrap();
    target(&mask("ssn", "kind = \"deny\"")).unwrap();
    let said = target(&mask("ssn", "kind = \"email\"")).unwrap_err();
    assert!(said.contains("ssn is not in `reads`"), "{said}");
}
