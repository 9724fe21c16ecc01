//! Every rule has a command that exists, or is known to have none.

use clap::CommandFactory;
use domain::{Pair, Rule};

use super::{Story, command};
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
fn what_is_known_is_filled_in_and_what_is_not_stays_to_be() {
    let pair = |text: &str| {
        let (logical, target) = text.split_once('=').unwrap();
        Pair { logical: logical.parse().unwrap(), target: target.parse().unwrap() }
    };
    let pairs = [pair("orders=shop-replica"), pair("users=crm-replica")];
    let story = Story::of_revision("late-orders@1.0.0".into(), &pairs);
    assert_eq!(
        story.command(Rule::ReviewMissing).unwrap(),
        "borescope review late-orders@1.0.0 --target orders=shop-replica --target \
         users=crm-replica --approve"
    );
    assert_eq!(
        story.command(Rule::GrantExpired).unwrap(),
        "borescope request late-orders@1.0.0 --on orders=shop-replica --on users=crm-replica \
         --reason TEXT"
    );
    assert_eq!(story.command(Rule::ApprovalMissing).unwrap(), "borescope approve REQUEST");
    let story = Story::of_request(&"req_1");
    assert_eq!(story.command(Rule::ApprovalMissing).unwrap(), "borescope approve req_1");
    assert_eq!(story.why(), "borescope show req_1 --why");
}

#[test]
fn most_rules_point_somewhere() {
    let nowhere: Vec<&str> =
        Rule::ALL.iter().filter(|r| command(**r).is_none()).map(|r| r.code()).collect();
    assert_eq!(nowhere, ["not-recorded", "clock-went-back"]);
}
