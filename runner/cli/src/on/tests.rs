//! Targets as they are typed.

use super::*;

fn manifest(targets: &[&str]) -> Manifest {
    let script = "[script]\nname = \"s\"\nversion = \"1.0.0\"\nsummary = \"s\"\n";
    let target = |t: &&str| format!("[targets.{t}]\nengine = \"sqlite\"\n");
    let targets: String = targets.iter().map(target).collect();
    Manifest::parse(format!("{script}{targets}").as_bytes()).unwrap()
}

fn bound(targets: &[&str], on: &[&str]) -> Result<Vec<String>, String> {
    let on: Vec<On> = on.iter().map(|text| parse(text).unwrap()).collect();
    let pairs = bind(&manifest(targets), &on).map_err(|e| e.to_string())?;
    Ok(pairs.iter().map(ToString::to_string).collect())
}

#[test]
fn the_only_target_of_a_script_needs_no_name() {
    assert_eq!(bound(&["shop"], &["shop-replica"]).unwrap(), ["shop=shop-replica"]);
    assert_eq!(bound(&["shop"], &["shop=shop-replica"]).unwrap(), ["shop=shop-replica"]);
}

#[test]
fn several_targets_are_named_each_once() {
    assert!(bound(&["a", "b"], &["x"]).unwrap_err().contains("which is x?"));
    assert_eq!(bound(&["a", "b"], &["b=x", "a=y"]).unwrap(), ["b=x", "a=y"]);
    for wrong in [&["a=x"][..], &["a=x", "a=y"], &["a=x", "c=y"], &[]] {
        assert!(bound(&["a", "b"], wrong).unwrap_err().contains("bound are"), "{wrong:?}");
    }
}

#[test]
fn what_is_no_target_is_refused_with_the_form() {
    assert!(parse("Shop=x").unwrap_err().contains("logical target name"));
    assert!(parse("shop=").unwrap_err().contains("target id"));
    assert!(parse("shop replica").unwrap_err().contains("target id"));
    assert!(parse("group:").unwrap_err().contains("target group"));
    assert!(bound(&["shop"], &["group:shops"]).unwrap_err().contains("is a group"));
}
