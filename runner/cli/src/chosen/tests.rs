//! What is read out of a command line.

use super::*;

#[test]
fn a_reason_that_begins_with_a_trackers_key_names_the_ticket() {
    let ticket = |reason: &str| ticket_of(reason).map(|t| t.to_string());
    assert_eq!(ticket("INC-1234 parcels are late").as_deref(), Some("INC-1234"));
    assert_eq!(ticket("OPS-7: disk").as_deref(), Some("OPS-7"));
    for none in ["parcels INC-1234", "late-2 parcels", "A-1", "INC-", "INC-12a", "UTF-8x", ""] {
        assert_eq!(ticket(none), None, "{none}");
    }
}

#[test]
fn what_is_to_be_typed_again_survives_a_shell() {
    let typed = ["x/borescope", "run", "s", "--since", "yesterday 22:00", "--who", "o'neill $(id)"];
    let typed = typed.map(OsString::from);
    assert_eq!(
        again(&typed, "--reason TEXT"),
        "borescope run s --since 'yesterday 22:00' --who 'o'\\''neill $(id)' --reason TEXT"
    );
}
