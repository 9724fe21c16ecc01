//! What authors get wrong, and what must not slip through.

use super::Manifest;
use crate::limits::{Limits, QueryLimits};

const HEAD: &str = "[script]\nname = \"s\"\nversion = \"1.0.0\"\nsummary = \"one line\"\n[targets.db]\nengine = \"sqlite\"\n";

fn error(more: &str) -> String {
    Manifest::parse(format!("{HEAD}{more}").as_bytes()).unwrap_err().to_string()
}

#[test]
fn what_is_not_said_gets_a_finite_default() {
    let m = Manifest::parse(
        format!("{HEAD}[[query]]\nname = \"q\"\ntarget = \"db\"\nfile = \"queries/q.sql\"\n")
            .as_bytes(),
    )
    .unwrap();
    assert_eq!(m.limits, Limits::DEFAULT);
    assert_eq!(m.queries[0].limits, QueryLimits::DEFAULT);
}

#[test]
fn units_are_read() {
    let m = Manifest::parse(
        format!("{HEAD}[limits]\nmemory = \"32MiB\"\nwall = \"2min\"\noutput = \"512KiB\"\n")
            .as_bytes(),
    )
    .unwrap();
    assert_eq!(
        (m.limits.memory_bytes_max, m.limits.wall_ms_max, m.limits.output_bytes_max),
        (32 << 20, 120_000, 512 << 10)
    );
}

#[test]
fn masked_columns_are_asked_for_by_name() {
    let with = |unmask: &str| {
        let text = HEAD.replace("engine = \"sqlite\"", &format!("engine = \"postgres\"\n{unmask}"));
        Manifest::parse(text.as_bytes()).map_err(|e| e.to_string())
    };
    let m = with("unmask = [\"shop.customers.email\"]").unwrap();
    let pair = crate::Pair { logical: "db".parse().unwrap(), target: "x".parse().unwrap() };
    let asked = m.asks(std::slice::from_ref(&pair));
    assert_eq!(asked.pairs[&pair].unmasked, ["shop.customers.email".parse().unwrap()].into());
    assert!(with("").unwrap().unmask.is_empty());
    let twice = with("unmask = [\"t.a\", \"t.a\"]").unwrap_err();
    assert_eq!(twice, "script.toml, targets.db.unmask: names a column twice");
    assert!(with("unmask = [\"email\"]").unwrap_err().contains("is no column"));
    assert!(with("unmask = true").is_err());
}

#[test]
fn each_mistake_is_named_with_its_place() {
    let cases = [
        "[limits]\nfule = 1\n",
        "[limits]\nwall = \"30\"\n",
        "[limits]\nfuel = 999_000_000_000_000\n",
        "[[query]]\nname = \"q\"\ntarget = \"other\"\nfile = \"queries/q.sql\"\n",
        "[[query]]\nname = \"q\"\ntarget = \"db\"\nfile = \"readme.md\"\n",
        "[[query]]\nname = \"q\"\ntarget = \"db\"\nfile = \"queries/q.sql\"\nparams = [{ name = \"a\", type = \"text\", from = \"/a\" }]\n",
        "[[query]]\nname = \"q\"\ntarget = \"db\"\nfile = \"queries/q.sql\"\nparams = [{ name = \"a\", type = \"text\", optional = true }]\n",
        "[targets.my]\nengine = \"mysql\"\n",
    ];
    let told: Vec<String> =
        cases.iter().map(|c| error(c).lines().last().unwrap_or_default().to_owned()).collect();
    expect_test::expect![[r#"
        unknown field `fule`, expected one of `fuel`, `memory`, `wall`, `output`, `host_calls`
        script.toml, limits.wall: expected a whole number and one of ms, s, min
        script.toml, limits: above what any run may have: Limits { fuel_max: 200000000000, memory_bytes_max: 268435456, wall_ms_max: 600000, output_bytes_max: 67108864, host_calls_max: 100000 }
        script.toml, query q: target other has no [targets.other]
        script.toml, query q: file readme.md is not queries/NAME.sql
        script.toml, query q, parameter a: `from` needs an input; set script.input = "input.schema.json"
        script.toml, query q, parameter a: `optional` goes with `from`; a script always passes its own parameters
        script.toml, targets.my.engine: "mysql" is not supported yet; use "sqlite" or "postgres"
    "#]]
    .assert_eq(&(told.join("\n") + "\n"));
}

#[test]
fn a_script_without_target_is_refused() {
    let text = "[script]\nname = \"s\"\nversion = \"1.0.0\"\nsummary = \"x\"\n";
    assert!(Manifest::parse(text.as_bytes()).is_err());
}
