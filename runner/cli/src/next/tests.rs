//! Every rule has a command that exists, or is known to have none.

use clap::CommandFactory;
use domain::Rule;

use super::command;
use crate::args::Cli;

/// The first words after each `borescope` in a text.
fn verbs(text: &str) -> Vec<&str> {
    text.split("borescope ").skip(1).filter_map(|rest| rest.split([' ', ',', '`']).next()).collect()
}

#[test]
fn what_a_denial_points_to_exists() {
    let cli = Cli::command();
    for rule in Rule::ALL {
        for verb in command(*rule).map(verbs).unwrap_or_default() {
            assert!(cli.find_subcommand(verb).is_some(), "{}: borescope {verb}", rule.code());
        }
    }
}

#[test]
fn most_rules_point_somewhere() {
    let nowhere: Vec<&str> =
        Rule::ALL.iter().filter(|r| command(**r).is_none()).map(|r| r.code()).collect();
    assert_eq!(nowhere, ["prod-not-supported", "not-recorded", "clock-went-back"]);
}
