//! A first `policy/tests.toml`: what must stay true of the first policy, whatever people make of it.

use std::path::PathBuf;

use domain::display::quoted_toml as quoted;
use domain::{PersonId, TargetId};

/// The expectations of a folder with these people and targets.
pub(super) fn source(people: &[PersonId], targets: &[(TargetId, PathBuf)]) -> String {
    let mut text = String::from(
        "# Expected decisions. `borescope policy propose` checks them first and refuses a policy that\n\
         # decides otherwise. `expect` is \"allowed\" or the code of the rule that has to say no.\n",
    );
    let Some((target, _)) = targets.first() else { return text };
    let [first, second, ..] = people else { return text };
    let mut test = |name: &str, reviewer: &PersonId, approver: &PersonId, expect: &str| {
        let [target, first, reviewer, approver] =
            [target.as_str(), first.as_str(), reviewer.as_str(), approver.as_str()].map(quoted);
        text.push_str(&format!(
            "\n[[test]]\nname = {}\ntarget = {target}\nauthors = [{first}]\nreviewers = \
             [{reviewer}]\ncaller = {first}\napprovers = [{approver}]\nexpect = \"{expect}\"\n",
            quoted(name)
        ));
    };
    test("two people are enough", second, second, "allowed");
    test("nobody reviews what they wrote", first, second, "review-missing");
    test("nobody approves what they ask for", second, first, "approval-missing");
    text
}
