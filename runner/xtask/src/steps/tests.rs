//! A failure must neither hide the later steps nor be hidden by them.

use super::*;

fn steps(names: &[&str]) -> Vec<Step> {
    names.iter().map(|name| Step::cargo(name, &[])).collect()
}

#[test]
fn a_failure_keeps_nothing_from_running_and_the_first_one_decides() {
    let mut ran = Vec::new();
    let mut out = Vec::new();
    let code = run_all(&steps(&["a", "b", "c", "d"]), &mut out, |step| {
        ran.push(step.name.clone());
        Ok(match step.name.as_str() {
            "b" => 101,
            "c" => 3,
            _ => 0,
        })
    });
    assert_eq!(code.expect("all could start"), 101);
    assert_eq!(ran, ["a", "b", "c", "d"]);
    let out = String::from_utf8(out).expect("text");
    let summary = out.lines().rev().take(5).map(|line| line.split(' ').next().unwrap_or(line));
    assert_eq!(summary.collect::<Vec<_>>(), ["FAILED", "ok", "FAILED", "FAILED", "ok"]);
}

#[test]
fn tests_that_do_not_compile_are_not_run_group_by_group() {
    let mut steps = steps(&["build", "a"]);
    steps[0].needed = true;
    let mut ran = Vec::new();
    let code = run_all(&steps, &mut Vec::new(), |step| {
        ran.push(step.name.clone());
        Ok(101)
    });
    assert_eq!(code.expect("all could start"), 101);
    assert_eq!(ran, ["build"]);
}

#[test]
fn success_is_zero_and_a_step_that_cannot_start_is_an_error() {
    let mut out = Vec::new();
    assert_eq!(run_all(&steps(&["a", "b"]), &mut out, |_| Ok(0)).expect("all could start"), 0);
    assert!(run_all(&steps(&["a"]), &mut out, |_| anyhow::bail!("no cargo")).is_err());
}

#[test]
fn times_read_like_times() {
    assert_eq!(in_words(Duration::from_millis(1_240)), "1.2 s");
    assert_eq!(in_words(Duration::from_secs(127)), "2 min 7 s");
}
