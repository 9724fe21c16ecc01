//! The order of arrival never matters, and saying a thing twice changes nothing.

use proptest::prelude::*;

use super::*;
use crate::testing::*;

fn digest(n: u8) -> Digest {
    Digest::of(&[n])
}

/// Few digests and people, so that most of them meet.
fn some_negative() -> impl Strategy<Value = Negative> {
    let person = |n: u8| t::<PersonId>(["carol", "ruth"][usize::from(n % 2)]);
    (0u8..4, 0u8..4, 0u8..2).prop_map(move |(kind, n, who)| match kind {
        0 => Negative::Stop(digest(n), StopSubject::Target(t(&format!("t{n}")))),
        1 => Negative::Rejection(
            digest(n + 10),
            Rejection {
                id: id("rev", n),
                reviewer: person(n),
                revision: digest(99),
                pairs: vec![pair()],
            },
        ),
        2 => Negative::Lift(digest(if who == 0 { n } else { n + 10 })),
        _ => Negative::Withdrawal(digest(n + 10), person(who)),
    })
}

fn all(said: &[Negative]) -> InForce {
    let mut in_force = InForce::default();
    for negative in said {
        in_force.apply(negative.clone());
    }
    in_force
}

proptest! {
    #[test]
    fn any_order_gives_the_same(
        (said, shuffled) in prop::collection::vec(some_negative(), 0..12)
            .prop_flat_map(|said| (Just(said.clone()), Just(said).prop_shuffle()))
    ) {
        let (one, other) = (all(&said), all(&shuffled));
        prop_assert_eq!(&one, &other);
        prop_assert_eq!(one.digest(), other.digest());
        let mut twice = one.clone();
        for negative in said {
            prop_assert!(twice.knows(&negative) && !twice.apply(negative));
        }
        prop_assert_eq!(one, twice);
    }

    #[test]
    fn what_is_in_force_is_what_nobody_ended(
        said in prop::collection::vec(some_negative(), 0..12)
    ) {
        let in_force = all(&said);
        let lifted = |d: &Digest| said.contains(&Negative::Lift(*d));
        for negative in &said {
            match negative {
                Negative::Stop(d, _) => {
                    prop_assert_eq!(in_force.stops().any(|(s, _)| s == d), !lifted(d));
                }
                Negative::Rejection(d, r) => {
                    let withdrawn = said.contains(&Negative::Withdrawal(*d, r.reviewer.clone()));
                    let listed = in_force.rejections().any(|(s, _)| s == d);
                    prop_assert_eq!(listed, !lifted(d) && !withdrawn);
                }
                Negative::Lift(_) | Negative::Withdrawal(..) => {}
            }
        }
    }
}

#[test]
fn the_digest_is_what_sha256sum_gives_for_the_lines() {
    let empty = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    assert_eq!(InForce::default().digest().to_string(), empty);
    let said: Vec<Negative> = (0..3)
        .map(|n| Negative::Stop(digest(n), StopSubject::Everything))
        .chain([Negative::Lift(digest(1))])
        .collect();
    let mut lines = [format!("{}\n", digest(0)), format!("{}\n", digest(2))];
    lines.sort();
    assert_eq!(all(&said).digest(), Digest::of(lines.concat().as_bytes()));
}

#[test]
fn what_was_said_survives_json() {
    let rejected = Rejection::of(&rejection()).unwrap();
    for negative in [
        Negative::Stop(digest(1), StopSubject::Everything),
        Negative::Rejection(digest(2), rejected),
        Negative::Lift(digest(3)),
        Negative::Withdrawal(digest(4), t("carol")),
    ] {
        let json = serde_json::to_string(&negative).unwrap();
        assert_eq!(serde_json::from_str::<Negative>(&json).unwrap(), negative);
    }
    assert_eq!(Rejection::of(&review()), None);
    let changes = Review { verdict: Verdict::RequestChanges, ..review() };
    assert_eq!(Rejection::of(&changes), None, "a wish is no ban");
}

#[test]
fn the_digest_of_what_is_in_force_is_of_rejections_too() {
    let rejected = Rejection::of(&rejection()).unwrap();
    let with = all(&[Negative::Rejection(digest(1), rejected)]);
    assert_ne!(with.digest(), InForce::default().digest());
    assert_eq!(with.digest(), all(&[Negative::Stop(digest(1), StopSubject::Everything)]).digest());
}
