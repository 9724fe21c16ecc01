//! Messages whose form others rely on.

use std::collections::BTreeSet;

use serde_json::json;

use super::body::write;
use super::{Format, Kind, notice::Notice};

fn notice() -> Notice {
    Notice {
        id: "msg_1".to_owned(),
        kind: Kind::ApprovalWanted,
        at_ms: 1_795_464_000_123,
        text: "approval wanted: <!channel> & co".to_owned(),
        wants: BTreeSet::from(["bob".parse().unwrap()]),
        about: "req_1".to_owned(),
        command: "borescope approve req_1".to_owned(),
        path: "/v1/access-requests/req_1".to_owned(),
        facts: vec![("by", json!("alice")), ("ticket", json!(null))],
    }
}

#[test]
fn a_standard_message_has_type_time_and_data() {
    let body: serde_json::Value =
        serde_json::from_str(&write(&notice(), Format::Standard, "https://b.example")).unwrap();
    assert_eq!(
        body,
        json!({
            "type": "approval.wanted",
            "timestamp": "2026-11-23T20:00:00Z",
            "data": {
                "text": "approval wanted: <!channel> & co", "id": "req_1", "for": ["bob"],
                "command": "borescope approve req_1",
                "url": "https://b.example/v1/access-requests/req_1", "by": "alice", "ticket": null,
            },
        })
    );
}

#[test]
fn a_text_for_slack_pings_nobody() {
    let body: serde_json::Value =
        serde_json::from_str(&write(&notice(), Format::Slack, "https://b.example")).unwrap();
    assert_eq!(
        body["text"],
        "approval wanted: &lt;!channel&gt; &amp; co\n`borescope approve req_1`\n\
         https://b.example/v1/access-requests/req_1"
    );
}
