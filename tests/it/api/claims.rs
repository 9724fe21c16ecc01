//! Key claims: strangers hand them in, and learn nothing; holders of the role `directory` look at them.
//! The attacker floods, lies, and listens to the answers.

use api::types::Envelope as Wire;
use api::{ClientError, Code};
use app::AppLimits;
use server::ServerLimits;
use tests::company::{newcomer, p};
use tests::served::{Served, wire};
use trust::KeyClaim;

use super::adoption::problem;

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_claims_a_key_and_is_enrolled_by_who_may() {
    let mut served = Served::start().await;
    let nobody = served.client();
    let (alice, carol) = (served.login("alice").await, served.login("carol").await);
    let c = &served.company;
    // What a stranger compares before anything else.
    let keyring = nobody.keyring().await.unwrap();
    assert_eq!(keyring.digest, c.keyring.payload_digest());
    assert_eq!(nobody.keyrings().await.unwrap()[0].digest, keyring.digest);
    assert_eq!(problem(nobody.directory().await).0, Code::Unauthorized);
    assert_eq!(problem(nobody.policy().await).0, Code::Unauthorized);

    let key = c.fresh_key();
    let claim = c.key_claim("nina", &key);
    let claimed = nobody.claim_key(&wire(&claim)).await.unwrap();
    assert_eq!(claimed.digest, claim.payload_digest());
    assert_eq!(nobody.claim_key(&wire(&claim)).await.unwrap().digest, claimed.digest, "once more");
    // Only carol sees it; for alice it does not matter whether there is one.
    let none = domain::Digest::of(b"none");
    for digest in [&claimed.digest, &none] {
        assert_eq!(problem(alice.drop_key_claim(digest).await).0, Code::Forbidden);
    }
    assert_eq!(problem(alice.key_claims().await).0, Code::Forbidden);
    assert!(alice.inbox().await.unwrap().key_claims.is_empty());
    assert_eq!(problem(alice.document(&claimed.digest.to_string()).await).0, Code::NotFound);
    assert_eq!(problem(nobody.key_claims().await).0, Code::Unauthorized);
    let inbox = carol.inbox().await.unwrap().key_claims;
    assert_eq!(inbox.len(), 1, "one claim a key: {inbox:?}");
    assert_eq!((inbox[0].person.as_str(), &*inbox[0].name), ("nina", "New Here"));
    assert_eq!(inbox[0].key_fingerprint, key.public().fingerprint().to_string());
    assert_eq!(carol.key_claims().await.unwrap().len(), 1);

    // It enrols nobody; carol's directory does.
    served.company.enrol("nina", key);
    let answer = served.answer("nina", |_| {}).await;
    assert_eq!(problem(nobody.open_session(&answer).await).0, Code::Unauthorized);
    let c = &served.company;
    let next = c.next_directory(|d| d.people.push(newcomer("nina", c.key("nina"))));
    let signed = c.sign("carol", &next);
    carol.propose(&wire(&signed)).await.unwrap();
    carol.adopt(&signed.payload_digest()).await.unwrap();
    carol.drop_key_claim(&claimed.digest).await.unwrap();
    assert_eq!(problem(carol.drop_key_claim(&claimed.digest).await).0, Code::NotFound);
    served.login("nina").await.session().await.unwrap();
    served.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_answer_to_a_claim_says_nothing_about_who_exists() {
    let served = Served::start().await;
    let c = &served.company;
    let known = c.key("bob");
    let claims = [
        ("somebody who exists", c.key_claim("alice", &c.fresh_key())),
        ("nobody", c.key_claim("zoe", &c.fresh_key())),
        ("a key that is enrolled", c.key_claim("zoe", known)),
        ("a key of the keyring", c.key_claim("zoe", c.key("carol"))),
    ];
    for (what, claim) in claims {
        let answer = served.raw("POST /v1/key-claims", &[], &claim.to_json().unwrap()).await;
        let mut body = answer.json();
        body["digest"] = "".into();
        let expires = app::KEY_CLAIM_LIFE_MS.min(86_400_000) + served.now_ms();
        let same = serde_json::json!({ "digest": "", "expires_ms": expires });
        assert_eq!((answer.status, body), (200, same), "{what}");
    }
    // What is wrong with a claim is said of the claim alone.
    let refusal = async |claim: &trust::Envelope| {
        let (code, detail) = problem(served.client().claim_key(&wire(claim)).await);
        assert_eq!(code, Code::DocumentInvalid, "{detail}");
        detail
    };
    let mut stolen: KeyClaim = trust::read_unverified(&c.key_claim("zoe", known)).unwrap();
    stolen.key = c.key("alice").public().clone();
    let said = refusal(&c.sign("bob", &stolen)).await;
    assert!(said.contains("signed it"), "bob does not have alice's key: {said}");
    let mut elsewhere: KeyClaim = trust::read_unverified(&c.key_claim("zoe", known)).unwrap();
    elsewhere.header.trust_domain = p("other.test");
    assert!(refusal(&c.sign("bob", &elsewhere)).await.contains("trust domain"));
    let old = c.key_claim("zoe", known);
    served.clock.advance_s(86_400 + 1);
    assert!(refusal(&old).await.contains("it is valid"));
    let large = vec![b' '; app::KEY_CLAIM_BYTES_MAX + 1];
    let refused = served.raw("POST /v1/key-claims", &[], &large).await;
    assert_eq!((refused.status, refused.code().as_str()), (413, "too-large"));
    served.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_claims_fills_neither_the_store_nor_keeps_people_out() {
    let limits = ServerLimits { failures_per_peer_per_minute_max: 60, ..ServerLimits::DEFAULT };
    let served = Served::with(AppLimits::DEFAULT, limits).await;
    let c = &served.company;
    let carol = served.login("carol").await;
    let nobody = served.client();
    let (mut taken, mut full, mut limited) = (0, 0, 0);
    for _ in 0..80 {
        let claim: Wire = wire(&c.key_claim("zoe", &c.fresh_key()));
        match nobody.claim_key(&claim).await {
            Ok(_) => taken += 1,
            Err(ClientError::Problem(problem)) => {
                assert_eq!(problem.code, Code::RateLimited, "{problem:?}");
                match problem.detail.contains("key claims") {
                    true => full += 1,
                    false => limited += 1,
                }
            }
            Err(other) => panic!("{other:?}"),
        }
    }
    assert_eq!(taken, store::KEY_CLAIMS_PER_PEER_MAX, "of one network");
    assert!(full > 0 && limited > 0, "{full} found it full, {limited} were not looked at");
    assert_eq!(carol.key_claims().await.unwrap().len(), taken as usize);
    carol.session().await.unwrap();
    // They are forgotten, and the next one is heard.
    served.clock.advance_s(app::KEY_CLAIM_LIFE_MS / 1000);
    served.client().claim_key(&wire(&c.key_claim("nina", &c.fresh_key()))).await.unwrap();
    assert_eq!(served.login("carol").await.key_claims().await.unwrap().len(), 1);
    served.close().await;
}
