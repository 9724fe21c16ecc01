//! A directory or policy changes by signatures: proposed, signed by those whose role it is, adopted,
//! and in force at once. The attacker proposes, or would have what was in force before.

use std::time::Duration;

use api::types::{ProposalKind, ProposalState};
use api::{Client, ClientError, Code};
use domain::decide::StopSubject;
use domain::{Outcome, RunState};
use tests::company::{TARGET, change_person, newcomer, p};
use tests::served::{Served, wire};
use trust::{Directory, Envelope, KeyStatus, KeyringKey, PersonKind, Role};

use super::streams::endless;

/// What a call is refused with.
pub(super) fn problem<T: std::fmt::Debug>(result: Result<T, ClientError>) -> (Code, String) {
    match result.unwrap_err() {
        ClientError::Problem(problem) => (problem.code, problem.detail),
        other => panic!("{other:?}"),
    }
}

/// Two people of the role sign directories.
pub(super) async fn two_sign_directories() -> Served {
    Served::founded_with(|keyring, _| {
        let rule = keyring.roles.iter_mut().find(|r| r.role == Role::Directory).unwrap();
        (rule.threshold, rule.people) = (2, vec![p("carol"), p("bob")]);
    })
    .await
}

fn retire(directory: &mut Directory, name: &str) {
    change_person(directory, name, |person| person.keys[0].status = KeyStatus::Retired);
}

async fn versions(client: &Client) -> (u64, u64, u64) {
    let status = client.status().await.unwrap();
    (status.keyring.version, status.directory.version, status.policy.version)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_directory_that_all_have_signed_is_adopted_and_in_force_at_once() {
    let served = two_sign_directories().await;
    let granted = endless(&served).await;
    let c = &served.company;
    let (alice, watching) = (served.login("alice").await, served.login("alice").await);
    let (bob, carol) = (served.login("bob").await, served.login("carol").await);
    let run = alice.order_run(&served.order(&granted, 1), Duration::ZERO, None).await.unwrap();
    let mut events = watching.events(&run.id, None);
    assert_eq!(events.next().await.unwrap().unwrap().seq, 0);

    let next = c.next_directory(|d| retire(d, "alice"));
    let by_carol = c.sign("carol", &next);
    let digest = by_carol.payload_digest();
    let proposed = carol.propose(&wire(&by_carol)).await.unwrap();
    assert_eq!((proposed.kind, proposed.version), (ProposalKind::Directory, 2));
    assert_eq!((proposed.state, &proposed.signed_by[..]), (ProposalState::Open, &[p("carol")][..]));
    let missing = proposed.missing.unwrap();
    assert_eq!(missing, "1 more of the role `directory` of keyring version 1 (bob)");
    assert_eq!(problem(carol.adopt(&digest).await).0, Code::SignaturesMissing);
    assert!(carol.inbox().await.unwrap().to_sign.is_empty(), "she has signed");
    let inbox = bob.inbox().await.unwrap().to_sign;
    assert!(inbox[0].digest == digest && inbox[0].envelope.is_none(), "{inbox:?}");
    assert!(alice.inbox().await.unwrap().to_sign.is_empty(), "it is not hers to sign");

    // Bob signs what he fetched; the signatures are united.
    let fetched = bob.proposal(&digest).await.unwrap().envelope.unwrap();
    let fetched = Envelope::from_json(fetched.get().as_bytes()).unwrap();
    let both = trust::sign_more::<Directory>(&fetched, c.key("bob")).unwrap();
    let proposed = bob.propose(&wire(&both)).await.unwrap();
    assert_eq!((proposed.missing, proposed.signed_by.len()), (None, 2));
    assert_eq!(versions(&bob).await, (1, 1, 1), "nothing is in force because it is signed");
    let adopted = bob.adopt(&digest).await.unwrap();
    assert_eq!(adopted.state, ProposalState::Adopted);
    assert_eq!(bob.adopt(&digest).await.unwrap().state, ProposalState::Adopted, "once more");
    assert_eq!(versions(&bob).await, (1, 2, 1));
    assert!(bob.proposals().await.unwrap().is_empty());
    let kinds = bob.audit(&format!("subject={digest}")).await.unwrap().events;
    assert_eq!(kinds[0].kind, "directory-adopted");

    // Alice's key opens nothing any more, and what it had opened is closed.
    assert_eq!(problem(alice.session().await).0, Code::Unauthorized);
    loop {
        match events.next().await {
            Ok(Some(_)) => {}
            Ok(None) => panic!("the stream ended as if the run had"),
            Err(ClientError::Problem(problem)) => {
                break assert_eq!(problem.code, Code::Unauthorized);
            }
            Err(other) => panic!("{other:?}"),
        }
    }
    let answer = served.answer("alice", |_| {}).await;
    assert_eq!(problem(served.client().open_session(&answer).await).0, Code::Unauthorized);
    // Her run goes on until somebody stops it.
    let stop = c.sign("carol", &c.stop(StopSubject::Person(p("alice"))));
    carol.stop(&wire(&stop)).await.unwrap();
    let ended = loop {
        let run = carol.run(&run.id).await.unwrap();
        if run.ended_ms.is_some() {
            break run;
        }
    };
    assert_eq!(ended.state, RunState::Ended { outcome: Outcome::Cancelled });

    let evidence = carol.evidence(&run.id).await.unwrap();
    let evidence = executor::evidence::parse(&evidence).unwrap();
    evidence.verify(Some(&c.trust_file())).unwrap();
    served.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_could_never_be_adopted_is_refused_when_it_is_proposed() {
    let served = two_sign_directories().await;
    let bob = served.login("bob").await;
    let refusal = async |envelope: &Envelope| {
        let (code, detail) = problem(bob.propose(&wire(envelope)).await);
        assert_eq!(code, Code::DocumentInvalid);
        detail
    };
    let c = &served.company;
    let next = |change: &dyn Fn(&mut Directory)| c.next_directory(change);
    // Nobody whose role it is.
    let said = refusal(&c.sign("mallory", &next(&|_| {}))).await;
    assert!(said.contains("nobody known holds the key"), "{said}");
    let said = refusal(&c.signed_by(&["carol", "mallory"], &next(&|_| {}))).await;
    assert!(said.contains("nobody known holds the key"), "one of two is enough: {said}");
    let said = refusal(&c.sign("bob", &c.next_policy(|_| {}))).await;
    assert!(said.contains("bob does not hold the role `policy`"), "{said}");
    // Not the next version.
    let said = refusal(&c.directory).await;
    assert!(said.contains("only version 2 can follow it"), "{said}");
    let said = refusal(&c.sign("carol", &next(&|d| d.version = 3))).await;
    assert!(said.contains("only version 2 can follow it"), "{said}");
    let fork = next(&|d| d.previous = Some(domain::Digest::of(b"another history")));
    assert!(refusal(&c.sign("carol", &fork)).await.contains("does not follow version 1"));
    // Another audience, another keyring, another time.
    let elsewhere = next(&|d| d.header.trust_domain = p("other.test"));
    assert!(refusal(&c.sign("carol", &elsewhere)).await.contains("trust domain"));
    let unbound = next(&|d| d.keyring.digest = domain::Digest::of(b"no keyring"));
    assert!(refusal(&c.sign("carol", &unbound)).await.contains("bound to another keyring"));
    let over = next(&|d| d.header.not_after = d.header.not_before.plus_s(60));
    assert!(refusal(&c.sign("carol", &over)).await.contains("it is valid"));
    // What the keyring's holders have is nobody else's, and floors hold.
    let theft = next(&|d| {
        let key = c.key("carol").public().clone();
        d.people.retain(|person| person.id.as_str() != "carol");
        change_person(d, "mallory", |mallory| mallory.keys[0].key = key);
    });
    assert!(refusal(&c.sign("carol", &theft)).await.contains("a key has one holder"));
    let low = c.next_policy(|policy| policy.targets[0].approvals.required = 0);
    assert!(refusal(&c.sign("carol", &low)).await.contains("the keyring's floor is 1"));
    let low = c.next_policy(|policy| {
        let rules = domain::decide::SelfServeRules { groups: vec![p("dev")], runs_per_day: 1 };
        policy.targets[0].self_serve = Some(rules);
    });
    assert!(refusal(&c.sign("carol", &low)).await.contains("the keyring's floors forbid it"));
    let elsewhere =
        c.next_policy(|policy| policy.runners[0].key = c.key("mallory").public().clone());
    let said = refusal(&c.sign("carol", &elsewhere)).await;
    assert!(said.contains("no runner runner-1 with this runner's key"), "{said}");
    // A keyring that lowers the floors is the roots' alone.
    let floorless = c.next_keyring(|keyring| keyring.floors.approvals_required = 0);
    let said = refusal(&c.sign("bob", &floorless)).await;
    assert!(said.contains("bob does not hold the role `root`"), "{said}");
    // Bytes that were changed after they were signed.
    let signed = c.sign("carol", &next(&|_| {}));
    let other = c.sign("carol", &next(&|d| retire(d, "alice")));
    let moved = Envelope::assemble(
        other.payload_type().to_owned(),
        other.payload().to_vec(),
        signed.signatures().to_vec(),
    );
    assert!(refusal(&moved.unwrap()).await.contains("signature"), "somebody else's words");
    let (code, _) =
        problem(bob.propose(&wire(&c.sign("carol", &c.stop(StopSubject::Everything)))).await);
    assert_eq!(code, Code::DocumentInvalid, "a stop is no proposal");
    assert!(bob.proposals().await.unwrap().is_empty(), "and nothing of it was kept");
    assert_eq!(versions(&bob).await, (1, 1, 1));
    served.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn people_are_counted_and_agents_and_the_stopped_are_not() {
    let second_key = trust::SecretKey::from_seed(&[77; 32]).unwrap();
    let second = second_key.public().clone();
    let served = Served::founded_with(|keyring, _| {
        let rule = keyring.roles.iter_mut().find(|r| r.role == Role::Directory).unwrap();
        (rule.threshold, rule.people) = (2, vec![p("carol"), p("bob")]);
        keyring.keys.push(KeyringKey { person: p("carol"), key: second });
    })
    .await;
    let c = &served.company;
    let (bob, carol) = (served.login("bob").await, served.login("carol").await);
    let next = c.next_directory(|_| {});
    let both = trust::sign_all(&next, &[c.key("carol"), &second_key]).unwrap();
    let digest = both.payload_digest();
    let proposed = carol.propose(&wire(&both)).await.unwrap();
    assert_eq!(proposed.signed_by, [p("carol")]);
    assert_eq!(
        problem(carol.adopt(&digest).await).0,
        Code::SignaturesMissing,
        "two keys, one person"
    );

    // Bob signs, and is stopped before it is adopted: his signature counts no more.
    bob.propose(&wire(&c.sign("bob", &next))).await.unwrap();
    let stop = c.sign("carol", &c.stop(StopSubject::Person(p("bob"))));
    carol.stop(&wire(&stop)).await.unwrap();
    let (code, detail) = problem(carol.adopt(&digest).await);
    assert_eq!(code, Code::SignaturesMissing);
    assert!(detail.contains("nobody who could"), "{detail}");
    let another = c.sign("bob", &c.next_directory(|_| {}));
    let (code, detail) = problem(carol.propose(&wire(&another)).await);
    assert!(code == Code::DocumentInvalid && detail.contains("is stopped"), "{detail}");
    let lift = c.sign("carol", &c.lift(stop.payload_digest()));
    carol.lift(&wire(&lift)).await.unwrap();
    carol.adopt(&digest).await.unwrap();
    served.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_proposes_nothing() {
    let mut served = Served::start().await;
    let carol = served.login("carol").await;
    let bot = served.company.fresh_key();
    let next = served.company.next_directory(|directory| {
        let mut agent = newcomer("bot", &bot);
        (agent.kind, agent.owner) = (PersonKind::Agent, Some(p("alice")));
        directory.people.push(agent);
    });
    adopt(&mut served, &carol, next).await;
    served.company.enrol("bot", bot);
    let agent = served.login("bot").await;
    let c = &served.company;
    let by_itself = c.sign("bot", &c.next_directory(|_| {}));
    assert_eq!(problem(agent.propose(&wire(&by_itself)).await).0, Code::Forbidden);
    let by_carol = c.sign("carol", &c.next_directory(|_| {}));
    assert_eq!(problem(agent.propose(&wire(&by_carol)).await).0, Code::Forbidden);
    carol.propose(&wire(&by_carol)).await.unwrap();
    assert_eq!(problem(agent.adopt(&by_carol.payload_digest()).await).0, Code::Forbidden);
    let (code, detail) = problem(carol.propose(&wire(&by_itself)).await);
    assert!(code == Code::DocumentInvalid && detail.contains("nobody known holds"), "{detail}");
    served.close().await;
}

/// Carol signs and adopts the next directory.
async fn adopt(served: &mut Served, carol: &Client, next: Directory) {
    let signed = served.company.sign("carol", &next);
    carol.propose(&wire(&signed)).await.unwrap();
    carol.adopt(&signed.payload_digest()).await.unwrap();
    served.company.directory = signed;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_next_versions_one_is_adopted_and_the_older_ones_never_come_back() {
    let mut served = Served::start().await;
    let carol = served.login("carol").await;
    let c = &served.company;
    let first = c.directory.clone();
    let (one, other) = (c.next_directory(|_| {}), c.next_directory(|d| retire(d, "mallory")));
    let other = c.sign("carol", &other);
    carol.propose(&wire(&other)).await.unwrap();
    adopt(&mut served, &carol, one).await;
    let outdated = carol.proposal(&other.payload_digest()).await.unwrap();
    assert_eq!((outdated.state, outdated.missing), (ProposalState::Outdated, None));
    assert_eq!(problem(carol.adopt(&other.payload_digest()).await).0, Code::Conflict);
    for rolled_back in [&other, &first] {
        let (code, detail) = problem(carol.propose(&wire(rolled_back)).await);
        assert!(code == Code::DocumentInvalid && detail.contains("only version 3"), "{detail}");
    }

    // A restart goes on with what was adopted, whatever the founding documents and the store say.
    let lose_the_store = |dir: &std::path::Path| {
        for file in ["store.sqlite", "store.sqlite-wal", "store.sqlite-shm"] {
            drop(std::fs::remove_file(dir.join(file)));
        }
    };
    let mut served = served.restart(lose_the_store).await.unwrap();
    assert_eq!(served.founding.directory, first, "the operator's file is the first one");
    let carol = served.login("carol").await;
    assert_eq!(versions(&carol).await, (1, 2, 1));
    // Another second version in that file is not believed, nor is a third that nobody may sign.
    served.founding.directory = other;
    let mut served = served.restart(|_| {}).await.unwrap();
    let carol = served.login("carol").await;
    let in_force = carol.directory().await.unwrap().digest;
    assert_eq!(in_force, served.company.directory_ref().digest);
    served.founding.directory = served.company.sign("bob", &served.company.next_directory(|_| {}));
    let refused = served.restart(|_| {}).await;
    let Err(refused) = refused else { panic!("served what bob alone says") };
    assert!(refused.contains("does not hold the role `directory`"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn proposals_are_bounded_forgotten_and_taken_back() {
    let served = Served::start().await;
    let c = &served.company;
    let (alice, carol) = (served.login("alice").await, served.login("carol").await);
    let sign = || c.sign("carol", &c.next_directory(|_| {}));
    let mut last = None;
    for _ in 0..app::PROPOSALS_PER_PERSON_MAX {
        let signed = sign();
        alice.propose(&wire(&signed)).await.unwrap();
        last = Some(signed);
    }
    assert_eq!(problem(alice.propose(&wire(&sign())).await).0, Code::QuotaExceeded);
    let last = last.unwrap();
    let digest = last.payload_digest();
    let again = alice.propose(&wire(&last)).await.unwrap();
    assert_eq!(again.digest, digest, "the same is no other");
    let bob = served.login("bob").await;
    assert_eq!(problem(bob.drop_proposal(&digest).await).0, Code::Forbidden);
    let none = domain::Digest::of(b"none");
    assert_eq!(problem(bob.drop_proposal(&none).await).0, Code::NotFound);
    // Who holds the role clears away what others pile up.
    assert_eq!(carol.drop_proposal(&digest).await.unwrap().state, ProposalState::Dropped);
    assert_eq!(problem(carol.proposal(&digest).await).0, Code::NotFound);
    alice.propose(&wire(&sign())).await.unwrap();

    let weeks = app::PROPOSAL_LIFE_MS / 1000;
    served.clock.advance_s(weeks);
    let alice = served.login("alice").await;
    assert!(alice.proposals().await.unwrap().is_empty(), "two weeks are over");
    alice.propose(&wire(&sign())).await.unwrap();
    served.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_waited_while_a_policy_was_adopted_is_judged_by_the_new_one() {
    let limits = app::AppLimits { concurrent_runs_max: 1, ..app::AppLimits::DEFAULT };
    let mut served = Served::with(limits, server::ServerLimits::DEFAULT).await;
    let granted = endless(&served).await;
    let quick = served.granted("echo", r#"{"text":"hello"}"#, |_| {}).await;
    let (alice, carol) = (served.login("alice").await, served.login("carol").await);
    let first = alice.order_run(&served.order(&granted, 1), Duration::ZERO, None).await.unwrap();
    let second = alice.order_run(&served.order(&quick, 1), Duration::ZERO, None).await.unwrap();
    let c = &served.company;
    let policy = c.sign("carol", &c.next_policy(|policy| policy.targets[0].retention_days = 7));
    carol.propose(&wire(&policy)).await.unwrap();
    carol.adopt(&policy.payload_digest()).await.unwrap();
    served.company.policy = policy;
    alice.cancel(&first.id).await.unwrap();
    let ended = async |id| loop {
        let run = alice.run(id).await.unwrap();
        if run.ended_ms.is_some() {
            break run;
        }
    };
    let first = ended(&first.id).await;
    assert_eq!(first.state.code(), "cancelled", "it was live and went on: {first:?}");
    let second = ended(&second.id).await;
    assert_eq!(second.state.code(), "succeeded", "{second:?}");
    assert_eq!(alice.targets().await.unwrap()[0].id.as_str(), TARGET);
    served.close().await;
}
