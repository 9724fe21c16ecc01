//! A keyring follows another one: its roots and those before say so, and the directory and the policy
//! that name it are adopted with it or not at all. The attacker has roots of one of them only.

use api::types::ProposalState;
use api::{Client, Code};
use executor::AuthorityDocuments;
use tests::company::{Company, p, version_of};
use tests::served::{Served, wire};
use trust::{Directory, Envelope, Keyring, KeyringKey, Policy, Role, VersionRef};

use super::adoption::problem;

const INPUT: &str = r#"{"text":"hello"}"#;

/// Bob is root in the place of Carol, and signs directories and policies.
fn to_bob(c: &Company, keyring: &mut Keyring) {
    for rule in &mut keyring.roles {
        if matches!(rule.role, Role::Root | Role::Directory | Role::Policy) {
            rule.people = vec![p("bob")];
        }
    }
    keyring.keys = ["carol", "bob"]
        .map(|name| KeyringKey { person: p(name), key: c.key(name).public().clone() })
        .into();
}

struct Three {
    keyring: Keyring,
    directory: Directory,
    policy: Policy,
}

impl Three {
    fn to_bob(served: &Served) -> Self {
        let c = &served.company;
        let mut keyring = c.next_keyring(|keyring| to_bob(c, keyring));
        let named = |keyring: &Keyring| version_of(keyring.version, keyring);
        keyring.header.not_before = domain::Clock::now(&*served.clock);
        let next: VersionRef = named(&keyring);
        let mut directory = c.next_directory(|directory| directory.keyring = next);
        let mut policy = c.next_policy(|policy| policy.keyring = next);
        directory.header.not_before = keyring.header.not_before;
        policy.header.not_before = keyring.header.not_before;
        Self { keyring, directory, policy }
    }
}

/// Proposes and adopts all three; the company goes on with them.
async fn adopt(served: &mut Served, bob: &Client, three: &Three) {
    let c = &served.company;
    let keyring = c.signed_by(&["carol", "bob"], &three.keyring);
    let (directory, policy) = (c.sign("bob", &three.directory), c.sign("bob", &three.policy));
    for envelope in [&keyring, &directory, &policy] {
        bob.propose(&wire(envelope)).await.unwrap();
    }
    let adopted = bob.adopt(&keyring.payload_digest()).await.unwrap();
    assert_eq!(adopted.state, ProposalState::Adopted);
    let c = &mut served.company;
    c.successors.push(keyring);
    (c.directory, c.policy) = (directory, policy);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_keyring_is_adopted_with_what_names_it_when_the_roots_of_both_have_signed() {
    let mut served = Served::start().await;
    let granted = served.granted("echo", INPUT, |_| {}).await;
    let (alice, bob) = (served.login("alice").await, served.login("bob").await);
    let carol = served.login("carol").await;
    let before = served.ran(&alice, &granted, 1).await;
    served.clock.advance_s(10);
    let three = Three::to_bob(&served);
    let c = &served.company;
    let unproposed = c.sign("bob", &three.directory);
    let (code, detail) = problem(bob.propose(&wire(&unproposed)).await);
    assert!(code == Code::DocumentInvalid && detail.contains("another keyring"), "{detail}");

    // The new roots alone, and the old ones alone.
    let by_bob = c.sign("bob", &three.keyring);
    let digest = by_bob.payload_digest();
    let missing = bob.propose(&wire(&by_bob)).await.unwrap().missing.unwrap();
    assert!(
        missing.starts_with("1 more of the role `root` of keyring version 1 (carol)"),
        "{missing}"
    );
    assert_eq!(problem(bob.adopt(&digest).await).0, Code::SignaturesMissing);
    assert_eq!(carol.inbox().await.unwrap().to_sign[0].digest, digest);
    bob.drop_proposal(&digest).await.unwrap();
    let by_carol = c.sign("carol", &three.keyring);
    let missing = carol.propose(&wire(&by_carol)).await.unwrap().missing.unwrap();
    assert!(
        missing.starts_with("1 more of the role `root` of keyring version 2 (bob)"),
        "{missing}"
    );
    bob.propose(&wire(&by_bob)).await.unwrap();

    // It is complete by itself, and what must go with it is not there.
    let (code, detail) = problem(bob.adopt(&digest).await);
    assert_eq!(code, Code::SignaturesMissing);
    assert!(detail.contains("no directory is proposed with it: version 2"), "{detail}");
    assert!(detail.contains("no policy is proposed with it: version 2"), "{detail}");
    // Who signed directories before does not sign those of the new keyring.
    let (code, detail) = problem(carol.propose(&wire(&c.sign("carol", &three.directory))).await);
    assert!(code == Code::DocumentInvalid && detail.contains("does not hold the role"), "{detail}");
    bob.propose(&wire(&c.sign("bob", &three.directory))).await.unwrap();
    let policy = c.sign("bob", &three.policy);
    let waiting = bob.propose(&wire(&policy)).await.unwrap().missing.unwrap();
    assert!(waiting.contains("which is only proposed; adopt that keyring"), "{waiting}");
    assert_eq!(problem(bob.adopt(&policy.payload_digest()).await).0, Code::SignaturesMissing);
    adopt(&mut served, &bob, &three).await;

    let status = alice.status().await.unwrap();
    let versions = (status.keyring.version, status.directory.version, status.policy.version);
    assert_eq!(versions, (2, 2, 2));
    let keyrings = served.client().keyrings().await.unwrap();
    assert_eq!(keyrings.len(), 2, "whoever pinned the first follows to the second");
    let c = &served.company;
    // A run before and a run after have evidence by the first keyring.
    let after = served.ran(&alice, &granted, 2).await;
    assert_eq!(after.state.code(), "succeeded", "{after:?}");
    for run in [&before, &after] {
        let evidence = alice.evidence(&run.id).await.unwrap();
        let evidence = executor::evidence::parse(&evidence).unwrap();
        evidence.verify(Some(&c.trust_file())).unwrap_or_else(|e| panic!("{}", app::chain(&e)));
    }
    // Carol signs nothing of it any more.
    let (code, detail) =
        problem(carol.propose(&wire(&c.sign("carol", &c.next_directory(|_| {})))).await);
    assert!(code == Code::DocumentInvalid && detail.contains("does not hold the role"), "{detail}");

    let served = served.restart(|_| {}).await.unwrap();
    let status = served.login("alice").await.status().await.unwrap();
    let versions = (status.keyring.version, status.directory.version, status.policy.version);
    assert_eq!(versions, (2, 2, 2), "the founding documents are the first");
    served.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn roots_that_were_retired_make_no_other_history() {
    let mut served = Served::start().await;
    let bob = served.login("bob").await;
    // Carol keeps her key, and signs another second keyring, which she alone rules.
    let c = &served.company;
    let fork = c.next_keyring(|_| {});
    let named = version_of(fork.version, &fork);
    let directory = c.sign("carol", &c.next_directory(|d| d.keyring = named));
    let policy = c.sign("carol", &c.next_policy(|policy| policy.keyring = named));
    let fork = c.sign("carol", &fork);
    let three = Three::to_bob(&served);
    adopt(&mut served, &bob, &three).await;
    for envelope in [&fork, &directory, &policy] {
        let (code, detail) = problem(bob.propose(&wire(envelope)).await);
        assert!(code == Code::DocumentInvalid && detail.contains("only version 3"), "{detail}");
    }
    // A third one on top of the fork does not follow either.
    let c = &served.company;
    let mut third: Keyring = trust::read_unverified(&fork).unwrap();
    (third.version, third.previous) = (3, Some(fork.payload_digest()));
    let third: Envelope = c.sign("carol", &third);
    let (code, detail) = problem(bob.propose(&wire(&third)).await);
    assert_eq!(code, Code::DocumentInvalid);
    assert!(
        detail.contains("does not hold the role `root`") || detail.contains("follow"),
        "{detail}"
    );

    // Whoever can write the operator's file does not bring it in with a restart.
    let founding = served.founding.clone();
    served.founding =
        AuthorityDocuments { successors: vec![fork.clone()], directory, policy, ..founding };
    let in_force = served.company.keyring_ref().digest;
    let mut served = served.restart(|_| {}).await.unwrap();
    let bob = served.login("bob").await;
    assert_eq!(bob.keyring().await.unwrap().digest, in_force, "what was adopted counts");
    served.founding.successors.push(third);
    let refused = served.restart(|_| {}).await;
    assert!(refused.is_err(), "a longer fork is believed no more than a short one");
}
