//! Searching what happened.

use super::{anna, store};
use crate::{AuditFilter, AuditRow, Store, StoreError};

fn event(index: u64, kind: &str, subjects: &[&str]) -> AuditRow {
    AuditRow {
        index,
        at_ms: 1_000 * index,
        kind: kind.to_owned(),
        person: index.is_multiple_of(2).then(anna),
        run: None,
        subjects: subjects.iter().map(|s| (*s).to_owned()).collect(),
    }
}

async fn found(store: &Store, filter: AuditFilter) -> Vec<u64> {
    store.audit(&filter, 100).await.unwrap().into_iter().map(|e| e.index).collect()
}

#[tokio::test]
async fn events_are_found_by_person_kind_subject_time_and_page() {
    let (_dir, store) = store().await;
    let mut tx = store.begin().await.unwrap();
    for n in 0..6 {
        let kind = if n < 3 { "review-accepted" } else { "stop-accepted" };
        tx.insert_audit(&event(n, kind, &["a", &format!("b{n}")])).await.unwrap();
    }
    tx.insert_audit(&event(3, "other", &[])).await.unwrap();
    tx.commit().await.unwrap();
    let all = AuditFilter::default;
    assert_eq!(found(&store, all()).await, [5, 4, 3, 2, 1, 0]);
    let by_person = AuditFilter { person: Some(anna()), ..all() };
    assert_eq!(found(&store, by_person).await, [4, 2, 0]);
    let by_kind = AuditFilter { kind: Some("stop-accepted".to_owned()), ..all() };
    assert_eq!(found(&store, by_kind).await, [5, 4, 3], "the first row of an entry stays");
    let by_subject = AuditFilter { subject: Some("b4".to_owned()), ..all() };
    assert_eq!(found(&store, by_subject).await, [4]);
    let by_time = AuditFilter { from_ms: Some(2_000), until_ms: Some(4_000), ..all() };
    assert_eq!(found(&store, by_time).await, [3, 2]);
    assert_eq!(found(&store, AuditFilter { before: Some(2), ..all() }).await, [1, 0]);
    let beyond = AuditFilter { from_ms: Some(u64::MAX), ..all() };
    assert!(matches!(store.audit(&beyond, 1).await, Err(StoreError::TooLarge { .. })));
}
