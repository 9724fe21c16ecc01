//! What is on its way to being authority is bounded, and forgotten.

use domain::Digest;

use super::store;
use crate::{
    KEY_CLAIMS_MAX, KEY_CLAIMS_PER_PEER_MAX, KeyClaim, PROPOSALS_MAX, Proposal, StoreError,
};

fn proposal(n: u32, created_ms: u64) -> Proposal {
    Proposal {
        digest: Digest::of(&n.to_be_bytes()),
        proposed_by: "carol".parse().unwrap(),
        envelope: b"{}".to_vec(),
        created_ms,
        expires_ms: created_ms + 100,
    }
}

#[tokio::test]
async fn proposals_have_an_end_in_number_and_in_time() {
    let (_dir, store) = store().await;
    for n in 0..PROPOSALS_MAX {
        store.put_proposal(&proposal(n, 10), 10).await.unwrap();
    }
    let one_more = store.put_proposal(&proposal(PROPOSALS_MAX, 10), 10).await;
    assert!(matches!(one_more, Err(StoreError::Full { .. })), "{one_more:?}");
    // Another signature of one that is there is no other proposal, and changes nothing else of it.
    let signed = Proposal { envelope: b"{ }".to_vec(), created_ms: 20, ..proposal(0, 10) };
    store.put_proposal(&signed, 20).await.unwrap();
    let all = store.proposals(20).await.unwrap();
    let kept = all.iter().find(|p| p.digest == signed.digest).unwrap();
    assert_eq!((&kept.envelope[..], kept.created_ms), (&b"{ }"[..], 10));
    assert!(store.drop_proposal(&signed.digest).await.unwrap());
    assert!(!store.drop_proposal(&signed.digest).await.unwrap());
    assert!(store.proposals(110).await.unwrap().is_empty(), "their time is over");
    store.put_proposal(&proposal(PROPOSALS_MAX, 110), 110).await.unwrap();
}

fn claim(n: u32, peer: &str) -> KeyClaim {
    KeyClaim {
        digest: Digest::of(&n.to_be_bytes()),
        key_fingerprint: format!("SHA256:{n}"),
        peer: peer.to_owned(),
        envelope: b"{}".to_vec(),
        created_ms: 10,
        expires_ms: 110,
    }
}

#[tokio::test]
async fn one_network_does_not_use_up_all_key_claims() {
    let (_dir, store) = store().await;
    for n in 0..KEY_CLAIMS_PER_PEER_MAX {
        store.put_key_claim(&claim(n, "192.0.2.1")).await.unwrap();
    }
    let full = store.put_key_claim(&claim(1_000, "192.0.2.1")).await;
    assert!(matches!(full, Err(StoreError::Full { .. })), "{full:?}");
    store.put_key_claim(&claim(0, "192.0.2.1")).await.unwrap();
    for n in KEY_CLAIMS_PER_PEER_MAX..KEY_CLAIMS_MAX {
        let peer = format!("192.0.2.{}", 2 + n / KEY_CLAIMS_PER_PEER_MAX);
        store.put_key_claim(&claim(n, &peer)).await.unwrap();
    }
    let full = store.put_key_claim(&claim(1_000, "198.51.100.1")).await;
    assert!(matches!(full, Err(StoreError::Full { .. })), "{full:?}");
    let taken = store.take_key_claim(&claim(3, "").digest).await.unwrap().unwrap();
    assert_eq!(taken.key_fingerprint, "SHA256:3");
    assert_eq!(store.take_key_claim(&taken.digest).await.unwrap(), None);
    assert_eq!(store.key_claims(10).await.unwrap().len(), KEY_CLAIMS_MAX as usize - 1);
    assert!(store.key_claims(110).await.unwrap().is_empty(), "their time is over");
}
