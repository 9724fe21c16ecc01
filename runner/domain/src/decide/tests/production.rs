//! Production is reached only by what knows what is in force.

use super::*;

fn status(f: &mut Facts<'_>) {
    f.targets[0].prod = true;
    f.status = Some(StatusFact {
        id: id("sts", 1).parse().unwrap(),
        window: window(-5, 5),
        differs: vec![],
    });
}

fn with(change: impl FnOnce(&mut Facts<'_>)) -> Option<Rule> {
    after(|f| {
        status(f);
        change(f);
    })
}

#[test]
fn production_needs_a_live_status_that_agrees() {
    assert_eq!(with(|_| ()), None);
    assert_eq!(with(|f| f.status = None), Some(Rule::StatusMissing));
    let window = |f: &mut Facts<'_>, w| f.status.as_mut().unwrap().window = w;
    assert_eq!(with(|f| window(f, super::window(-10, 0))), Some(Rule::StatusExpired));
    assert_eq!(with(|f| window(f, super::window(2, 12))), Some(Rule::StatusExpired));
    assert_eq!(with(|f| window(f, super::window(-5, 6))), Some(Rule::StatusExpired), "too long");
    for part in [StatusPart::Keyring, StatusPart::Directory, StatusPart::Policy, StatusPart::Stops]
    {
        let manifest = manifest();
        let mut f = facts(&manifest);
        status(&mut f);
        f.status.as_mut().unwrap().differs = vec![part];
        let denied = denial(&f).unwrap();
        assert_eq!(denied.rule, Rule::StatusDiffers);
        assert!(denied.fact.contains(&format!("names another {part}")), "{denied}");
    }
}

#[test]
fn a_yes_for_production_says_until_when_it_is_fresh() {
    let manifest = manifest();
    let mut f = facts(&manifest);
    assert_eq!(decide(&f).unwrap().status_ends, None);
    status(&mut f);
    assert_eq!(decide(&f).unwrap().status_ends, Some(at(5)));
    f.targets[0].prod = false;
    f.status = None;
    assert_eq!(denial(&f), None, "elsewhere nobody needs one");
}
