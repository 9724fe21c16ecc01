//! A script's options among ours.

use clap::CommandFactory as _;

use super::*;
use crate::args::Cli;

fn ours_of(line: &str) -> String {
    let typed: Vec<OsString> = line.split(' ').map(OsString::from).collect();
    let ours = ours(&typed, &Cli::command());
    ours.join(std::ffi::OsStr::new(" ")).into_string().unwrap()
}

#[test]
fn options_that_we_do_not_know_are_the_scripts_with_their_values() {
    let cases = [
        ("b run s --on t --since 2h --reason x", "b run s --on t --reason x"),
        ("b run s --since=2h --on t", "b run s --on t"),
        ("b --context a run s --full --on t --n -5 --json", "b --context a run s --on t --json"),
        ("b request s --since 2h --help", "b request s"),
        ("b run s -h", "b run s"),
        ("b --json request s --tag a --tag b --on t", "b --json request s --on t"),
    ];
    for (typed, ours) in cases {
        assert_eq!(ours_of(typed), ours, "{typed}");
    }
}

#[test]
fn without_a_script_everything_is_ours_to_complain_about() {
    for line in ["b run --help", "b run --since 2h", "b review s --since 2h", "b run -h", "b"] {
        assert_eq!(ours_of(line), line);
    }
}
