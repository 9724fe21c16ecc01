//! Addresses of searches.

use super::{AuditArgs, query};

#[test]
fn what_somebody_searches_for_cannot_become_another_search() {
    let args = AuditArgs {
        what: None,
        person: Some("a+b@c".parse().unwrap()),
        subject: Some("SHA256:x/y&kind=stop-accepted#\u{1b}é".to_owned()),
        kind: None,
        since: Some("2026-11-23T20:00:00Z".parse().unwrap()),
        until: None,
        limit: 1,
    };
    assert_eq!(
        query(&args, Some(7)),
        "person=a%2Bb%40c&subject=SHA256%3Ax%2Fy%26kind%3Dstop-accepted%23%1B%C3%A9\
         &from_ms=1795464000000&before=7"
    );
}
