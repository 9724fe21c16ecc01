//! What people get to edit is the document in force, whole: read again it says the same.

use proptest::prelude::*;

use super::*;
use crate::testing::generated::{directories, keyrings, policies};
use crate::testing::{directory as people, keyring as roles, policy as targets};

proptest! {
    #[test]
    fn policies_come_back(doc in policies()) {
        let text = of_policy(&doc);
        prop_assert_eq!(domain::display::neutralise_block(&text), text.clone());
        prop_assert_eq!(policy(&text, issue("pol")).unwrap(), doc);
    }

    #[test]
    fn directories_come_back(doc in directories()) {
        let text = of_directory(&doc);
        prop_assert_eq!(domain::display::neutralise_block(&text), text.clone());
        prop_assert_eq!(directory(&text, issue("dir")).unwrap(), doc);
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
    expect_test::expect![[r#""#]].assert_eq(&key(of_keyring(&roles())));
    expect_test::expect![[r#""#]].assert_eq(&key(of_policy(&targets())));
    let mut some = people();
    some.people.retain(|p| ["carol", "otto", "bot"].contains(&p.id.as_str()));
    expect_test::expect![[r#""#]].assert_eq(&key(of_directory(&some)));
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
