//! What is asked at a terminal, and what comes of each answer.

use std::process::Command;

use super::team::Team;
use super::terminal::Terminal;

fn at_terminal(team: &Team, who: &str, args: &[&str]) -> Terminal {
    Terminal::open(&team.m, &[], &[&["--context", who], args].concat())
}

#[test]
fn nothing_is_approved_by_anything_but_a_yes() {
    let team = Team::found(|_, _, _| {});
    team.reviewed(&[]);
    let id = team.asks("alice", &[]);
    let question = format!("Approve {id} as bob?");
    for answer in ["", "n", "yess"] {
        let mut bob = at_terminal(&team, "bob", &["approve", &id]);
        bob.sees("parcels are late");
        bob.sees(&question);
        bob.types(answer);
        bob.sees("nothing was signed");
        assert_eq!(bob.ends().0, 3, "{answer}");
    }
    let mut bob = at_terminal(&team, "bob", &["approve", &id]);
    bob.sees(&question);
    bob.interrupts();
    let (code, shown) = bob.ends();
    assert_ne!(code, 0, "{shown}");
    assert!(!team.good("alice", &["show", &id]).contains("approval apr_"), "nobody said yes");

    let mut bob = at_terminal(&team, "bob", &["approve", &id]);
    bob.sees(&question);
    bob.types("y");
    bob.sees(&format!("approved {id}"));
    assert_eq!(bob.ends().0, 0);
    assert!(team.good("alice", &["show", &id]).contains("approval apr_"));
}

#[test]
fn a_keyring_that_nobody_compared_is_not_believed() {
    let team = Team::found(|_, _, _| {});
    let key = ["-q", "-t", "ed25519", "-N", "", "-C", "nina", "-f"];
    let made = Command::new("ssh-keygen").args(key).arg(team.m.path("nina")).status();
    assert!(made.unwrap().success());
    let url = format!("http://{}", team.listen);
    let join = ["join", &url, "--as", "nina", "--key", "nina"];
    let trust = std::fs::read_to_string(team.m.path("server/trust.toml")).unwrap();
    let digest = trust.split('"').find(|word| word.starts_with("sha256:")).unwrap();

    let mut nina = at_terminal(&team, "nina", &join);
    nina.sees("trust domain shop.example/dev");
    nina.sees(digest);
    nina.sees("Has somebody whom you trust told you this digest");
    nina.types("n");
    nina.sees("nothing of this server can be believed");
    assert_eq!(nina.ends().0, 3);
    assert!(team.refused(2, "nina", &["inbox"]).contains("nina"), "no context was made");

    let mut nina = at_terminal(&team, "nina", &join);
    nina.sees("Has somebody whom you trust told you this digest");
    nina.types("y");
    nina.sees("asked for nina with the key SHA256:");
    assert_eq!(nina.ends().0, 0);
    assert!(team.good("alice", &["inbox"]).contains("borescope keys accept"));
}
