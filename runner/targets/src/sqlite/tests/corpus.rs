//! Hostile and harmless statements with the verdict that each must get.
//!
//! `email` has a mask.

use super::{SETUP, Shop, reads, roomy};
use crate::Caps;

#[tokio::test]
async fn every_statement_gets_its_verdict() {
    let cases: Vec<(String, String, String)> =
        serde_json::from_str(include_str!("corpus.json")).unwrap();
    assert!(cases.len() >= 49);
    let mut users = reads("users", &["id", "email", "country", "created_at"]);
    users.hidden.masks.insert("email".into(), domain::Mask::Email);
    let shop = Shop::with(SETUP, vec![users, reads("orders", &["id", "user_id", "total"])]);
    let caps = Caps { time_ms_max: 1_000, ..roomy() };
    let mut wrong = Vec::new();
    for (id, verdict, sql) in &cases {
        let result = shop.query_with(sql, &[], caps).await;
        let got = if result.is_ok() { "allow" } else { "deny" };
        if got != verdict {
            wrong.push(format!("{id}: {got}, expected {verdict}: {result:?}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
