//! What people get to edit is the document in force, whole: read again it says the same.

use proptest::prelude::*;

use super::*;
use crate::testing::generated::{directories, keyrings, policies};
use crate::testing::{directory as people, keyring as roles, policy as targets};

/// What signing added to a document, again.
fn again<I: Clone>(header: &Header<I>) -> Issue<I> {
    Issue { header: header.clone(), version: 1, previous: None, keyring: keyring_ref() }
}

proptest! {
    #[test]
    fn policies_come_back(doc in policies()) {
        let text = of_policy(&doc);
        prop_assert_eq!(domain::display::neutralise_block(&text), text.clone());
        prop_assert_eq!(policy(&text, again(&doc.header)).unwrap(), doc);
    }

    #[test]
    fn directories_come_back(doc in directories()) {
        let text = of_directory(&doc);
        prop_assert_eq!(domain::display::neutralise_block(&text), text.clone());
        prop_assert_eq!(directory(&text, again(&doc.header)).unwrap(), doc);
    }

    #[test]
    fn keyrings_come_back(doc in keyrings()) {
        prop_assert_eq!(keyring(&of_keyring(&doc), header("kr", 1), 1, None).unwrap(), doc);
    }
}

#[test]
fn the_sources_are_for_people() {
    let key = |text: String| {
        let word =
            |w: &str| if w.starts_with("AAAA") { "AAAA…\"".to_owned() } else { w.to_owned() };
        text.lines()
            .map(|line| line.split(' ').map(word).collect::<Vec<_>>().join(" ") + "\n")
            .collect::<String>()
    };
    expect_test::expect![[r##"
        # Role holders with their keys, roles, and the floors under every policy.
        # Nothing here counts before it is signed.

        [[key]]
        person = "ruth"
        key = "ssh-ed25519 AAAA…"

        [[key]]
        person = "rosa"
        key = "ssh-ed25519 AAAA…"

        [[key]]
        person = "ruth"
        key = "ssh-ed25519 AAAA…"

        [[role]]
        role = "root"
        threshold = 2
        people = ["ruth", "rosa"]

        [[role]]
        role = "directory"
        threshold = 1
        people = ["ruth"]

        [[role]]
        role = "policy"
        threshold = 1
        people = ["ruth"]

        [[role]]
        role = "stop"
        threshold = 1
        people = ["ruth"]

        [[role]]
        role = "lift"
        threshold = 2
        people = ["ruth", "rosa"]

        [[role]]
        role = "status"
        threshold = 1
        people = ["rosa"]

        [floors]
        reviews_required = 1
        approvals_required = 1
        self_serve = true
        break_glass_approvals_required = 1
    "##]]
    .assert_eq(&key(of_keyring(&roles())));
    expect_test::expect![[r##"
        # Targets and their rules, runners with their keys, owners of scripts.
        # Nothing here counts before it is signed.

        [[runner]]
        name = "local"
        key = "ssh-ed25519 AAAA…"
        log_vkey = "local+00000000+AA"

        [[target]]
        id = "shop"
        engine = "sqlite"
        prod = false
        identity = { sqlite = { application_id = 7 } }
        runners = ["local"]
        callers = ["oncall"]
        reviews = { required = 1, groups = ["reviewers"] }
        reviews_unchanged = 1
        approvals = { required = 1, groups = ["approvers"] }
        self_serve = { groups = ["oncall"], runs_per_day = 20 }
        limits = { fuel_max = 2000000000, memory_bytes_max = 67108864, wall_ms_max = 30000, output_bytes_max = 4194304, host_calls_max = 10000 }
        query = { calls_max = 20, rows_total_max = 5000, bytes_total_max = 4194304 }
        reads = [
          { table = "orders", columns = ["id", "state"] },
        ]
        statement_ms_max = 5000
        recursion = false
        readers = []
        retention_days = 30
        [target.break_glass]
        approvals = { required = 1, groups = ["approvers", "reviewers"] }
        groups = ["oncall"]
        duration_s_max = 3600
        uses_max = 3
        limits = { fuel_max = 2000000000, memory_bytes_max = 67108864, wall_ms_max = 30000, output_bytes_max = 4194304, host_calls_max = 10000 }
        query = { calls_max = 1, rows_total_max = 1000, bytes_total_max = 4194304 }
        after_review_s = 259200
        after_review = { required = 1, groups = ["approvers"] }
    "##]].assert_eq(&key(of_policy(&targets())));
    let mut some = people();
    some.people.retain(|p| ["carol", "otto", "bot"].contains(&p.id.as_str()));
    expect_test::expect![[r##"
        # People, services and agents, with their keys and groups.
        # Nothing here counts before it is signed.

        [[person]]
        id = "carol"
        name = "CAROL"
        kind = "human"
        groups = ["reviewers"]
        [[person.key]]
        key = "ssh-ed25519 AAAA…"
        status = "active"
        [[person.key]]
        key = "ssh-ed25519 AAAA…"
        status = "retired"
        since = "2026-11-23T19:59:00Z"
        [[person.key]]
        key = "ssh-ed25519 AAAA…"
        status = "compromised"
        since = "2026-11-23T19:59:00Z"

        [[person]]
        id = "otto"
        name = "OTTO"
        kind = "human"
        groups = ["oncall"]
        [[person.key]]
        key = "ssh-ed25519 AAAA…"
        status = "active"

        [[person]]
        id = "bot"
        name = "BOT"
        kind = "agent"
        owner = "otto"
        groups = ["oncall"]
        [[person.key]]
        key = "ssh-ed25519 AAAA…"
        status = "active"
    "##]]
    .assert_eq(&key(of_directory(&some)));
}

#[test]
fn a_keyring_lacks_nothing_but_floors() {
    let text = of_keyring(&roles());
    let bare = text.split("[floors]").next().unwrap();
    let floors = keyring(bare, header("kr", 1), 1, None).unwrap().floors;
    assert_eq!((floors.reviews_required, floors.approvals_required), (1, 1));
    assert!(!floors.self_serve, "nobody runs without an approval unless somebody says so");
    let said = |text: &str| keyring(text, header("kr", 1), 1, None).unwrap_err().to_string();
    assert!(said(&format!("{text}\nx = 1")).contains("unknown field `x`"));
    assert!(said(&bare.replace("threshold = 2", "threshold = 9")).contains("threshold"));
    assert!(said(&bare.replace("role = \"root\"", "role = \"boss\"")).contains("boss"));
}
