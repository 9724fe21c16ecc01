//! Every small crowd against every small quorum, compared with trying all ways to seat people.

use super::*;

fn group(n: usize) -> GroupName {
    format!("g{n}").parse().unwrap()
}

fn of_bits(bits: usize) -> Vec<GroupName> {
    (0..3).filter(|i| bits >> i & 1 == 1).map(group).collect()
}

/// Whether some assignment of different people represents every group; by trying them all.
fn possible(groups: &[GroupName], people: &[Vec<GroupName>]) -> bool {
    let Some((first, rest)) = groups.split_first() else { return true };
    (0..people.len()).any(|i| {
        let mut others = people.to_vec();
        let person = others.remove(i);
        person.contains(first) && possible(rest, &others)
    })
}

#[test]
fn every_crowd_of_three_in_every_three_groups() {
    let names: Vec<PersonId> = (0..3).map(|i| format!("p{i}").parse().unwrap()).collect();
    for size in 0..=3 {
        for bits in 0..8usize.pow(size) {
            let crowd: Vec<Vec<GroupName>> =
                (0..size).map(|i| of_bits(bits / 8usize.pow(i) % 8)).collect();
            let people: People<'_> =
                names.iter().zip(&crowd).map(|(n, g)| (n, g.as_slice())).collect();
            for (groups, from_each, required) in
                (0..8).flat_map(|g| (0..8).flat_map(move |f| (0..4).map(move |r| (g, f, r))))
            {
                let quorum =
                    Quorum { required, groups: of_bits(groups), from_each: of_bits(from_each) };
                let admitted: Vec<Vec<GroupName>> =
                    crowd.iter().filter(|g| quorum.admits(g)).cloned().collect();
                let enough =
                    admitted.len() >= required as usize && possible(&quorum.from_each, &admitted);
                assert_eq!(quorum.shortfall(&people).is_none(), enough, "{crowd:?} for {quorum:?}");
            }
        }
    }
}

#[test]
fn one_person_in_two_groups_stands_for_one() {
    let (dba, sre) = (group(0), group(1));
    let quorum = Quorum {
        required: 1,
        groups: vec![dba.clone(), sre.clone()],
        from_each: vec![dba.clone(), sre.clone()],
    };
    let (ann, bob): (PersonId, PersonId) = ("ann".parse().unwrap(), "bob".parse().unwrap());
    let both = [dba.clone(), sre.clone()];
    let alone = BTreeMap::from([(&ann, &both[..])]);
    let said = quorum.shortfall(&alone).unwrap();
    assert_eq!(
        said.of("approvals"),
        "1 of 1 approvals, and nobody is left to stand for the group g1"
    );
    // Ann can stand for the other group once somebody takes hers.
    let with_bob = BTreeMap::from([(&ann, &both[..]), (&bob, &both[..1])]);
    assert_eq!(quorum.shortfall(&with_bob), None);
}
