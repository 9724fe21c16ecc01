//! One encoding a leaf, and a commitment that only its own payload opens.

use domain::{Digest, Outcome, RunId};
use expect_test::expect;

use super::{CallStatus, Event, Leaf, LeafError, Opening, RunPart};
use crate::chain::Link;
use crate::testing::log_opened;

fn run() -> RunId {
    "run_019ab000-0000-7000-8000-000000000002".parse().unwrap()
}

fn opening() -> Opening {
    Opening { key: [7; 32], payload: b"SELECT 1".to_vec() }
}

fn leaf(event: Event, link: Option<Link>) -> Leaf {
    Leaf::new(1_795_464_000_123, event, link, &opening())
}

fn link(n: u64, count: Option<u64>) -> Option<Link> {
    Some(Link { n, prev: Digest::from_bytes([0; 32]), count })
}

fn text(leaf: &Leaf) -> String {
    String::from_utf8(leaf.to_bytes().unwrap()).unwrap()
}

#[test]
fn leaves_have_this_form() {
    let opened = leaf(log_opened(5), None);
    expect![[r#"{"v":1,"at":1795464000123,"event":{"t":"log-opened","log":"example.com/prod/runner-1","torn_bytes":5},"c":"345c64bb2133ef6a652ca479c214e4182f32e0ad34fc4c469963210de2bafccd","len":8}"#]]
        .assert_eq(&text(&opened));
    let recording = Digest::of(b"recording");
    let event =
        Event::RunFinished { run: run(), outcome: Outcome::Succeeded, recording, receipt: None };
    let finished = leaf(event, link(9, Some(10)));
    expect![[r#"{"v":1,"at":1795464000123,"event":{"t":"run-finished","run":"run_019ab000-0000-7000-8000-000000000002","outcome":{"state":"succeeded"},"recording":"sha256:3ebb153fb24e4411400e94a9a92b0ec458c3a8473e51e03cd37d4a34c99dfda6"},"link":{"n":9,"prev":"sha256:0000000000000000000000000000000000000000000000000000000000000000","count":10},"c":"345c64bb2133ef6a652ca479c214e4182f32e0ad34fc4c469963210de2bafccd","len":8}"#]].assert_eq(&text(&finished));
}

#[test]
fn every_event_reads_back_as_written() {
    let document = Digest::of(b"document");
    let id = "019ab000-0000-7000-8000-000000000001";
    let typed = |prefix: &str| format!("{prefix}_{id}");
    let started = |request, use_number, break_glass| Event::RunStarted {
        run: run(),
        order: document,
        request,
        use_number,
        break_glass,
    };
    let run_events = [
        Event::CallIntent { run: run(), call: 0 },
        Event::CallOutcome { run: run(), call: 0, status: CallStatus::Backend },
        Event::OutputReleased { run: run(), bytes: 17 },
        started(Some(document), 1, false),
        started(Some(document), 2, true),
        started(None, 0, false),
    ];
    let ends = [
        Event::RunFinished {
            run: run(),
            outcome: Outcome::LimitExceeded { limit: domain::LimitName::Fuel },
            recording: document,
            receipt: Some(document),
        },
        Event::RunLost { run: run() },
    ];
    let others = [
        log_opened(0),
        Event::SubmissionAccepted { id: typed("sub").parse().unwrap(), document },
        Event::ReviewAccepted { id: typed("rev").parse().unwrap(), document },
        Event::RequestAccepted { id: typed("req").parse().unwrap(), document },
        Event::ApprovalAccepted { id: typed("apr").parse().unwrap(), document },
        Event::StopAccepted { id: typed("stop").parse().unwrap(), document },
        Event::RejectionAccepted { id: typed("rev").parse().unwrap(), document },
        Event::LiftAccepted { id: typed("lift").parse().unwrap(), document },
        Event::WithdrawalAccepted { id: typed("wdr").parse().unwrap(), document },
        Event::AfterReviewAccepted { id: typed("arv").parse().unwrap(), document, settles: true },
        Event::KeyringAdopted { id: typed("kr").parse().unwrap(), version: 1, document },
        Event::DirectoryAdopted { id: typed("dir").parse().unwrap(), version: 2, document },
        Event::PolicyAdopted { id: typed("pol").parse().unwrap(), version: 3, document },
        Event::RunDenied { run: run() },
        Event::RunRead { run: run(), what: RunPart::Result },
        Event::RunRead { run: run(), what: RunPart::Recording },
        Event::RunRead { run: run(), what: RunPart::Progress },
        Event::CatalogRead { bytes: 17 },
        Event::PlanRead { request: Digest::of(b"request"), bytes: 17 },
    ];
    let run_leaves = run_events.map(|e| leaf(e, link(3, None)));
    let end_leaves = ends.map(|e| leaf(e, link(3, Some(4))));
    let other_leaves = others.map(|e| leaf(e, None));
    for leaf in run_leaves.iter().chain(&end_leaves).chain(&other_leaves) {
        let bytes = leaf.to_bytes().unwrap();
        assert_eq!(&Leaf::parse(&bytes).unwrap(), leaf);
    }
}

#[test]
fn the_same_content_in_other_bytes_is_refused() {
    let good = text(&leaf(log_opened(5), None));
    let lost = text(&leaf(Event::RunLost { run: run() }, link(1, Some(2))));
    for (bad, why) in [
        (good.replace("{\"v\":1,", "{\"v\":1, "), "written as"),
        (good.replace("\"v\":1,", "\"v\":2,"), "version 2"),
        (good.replace("\"v\":1,", ""), "not one that"),
        (good.replace("\"len\":8", "\"len\":8,\"len\":8"), "not one that"),
        (good.replace("\"len\":8", "\"len\":8,\"name\":\"Ada\""), "not one that"),
        (good.replace("\"torn_bytes\":5", "\"torn_bytes\":5,\"name\":\"Ada\""), "not one that"),
        (good.replace("log-opened", "log-closed"), "not one that"),
        (good.replace("\"c\":\"345c", "\"c\":\"345C"), "written as"),
        (good.replace("\"at\":1795464000123", "\"at\":1.795464000123e12"), "not one that"),
        (format!("{good}\n"), "written as"),
        (lost.replace("\"t\":\"run-lost\"", "\"t\":\"run-lost\",\"name\":\"Ada\""), "not one that"),
        (lost.replace(",\"count\":2", ""), "chain link"),
        (lost.replace("\"link\"", "\"lonk\""), "not one that"),
        (
            good.replace(
                ",\"c\":",
                &format!(",\"link\":{{\"n\":0,\"prev\":\"{}\"}},\"c\":", Digest::of(b"")),
            ),
            "chain link",
        ),
        ("x".repeat(5000), "5000 bytes"),
    ] {
        assert_ne!(bad, good);
        assert_ne!(bad, lost);
        let error = Leaf::parse(bad.as_bytes()).unwrap_err();
        assert!(error.to_string().contains(why), "{bad} gave {error}, expected {why}");
    }
    assert!(matches!(Leaf::parse(b"\xff"), Err(LeafError::Json(_))));
}

#[test]
fn only_the_committed_payload_opens_a_leaf() {
    let leaf = leaf(log_opened(0), None);
    assert!(leaf.is_opened_by(&opening()));
    for i in 0..8 {
        let mut changed = opening();
        changed.payload[i] ^= 1;
        assert!(!leaf.is_opened_by(&changed));
        let mut changed = opening();
        changed.key[i] ^= 1;
        assert!(!leaf.is_opened_by(&changed));
    }
    let longer = Opening { payload: b"SELECT 1\0".to_vec(), ..opening() };
    assert!(!leaf.is_opened_by(&longer));
}

#[test]
fn the_same_payload_twice_has_unlinkable_commitments() {
    let one = Opening { key: [1; 32], ..opening() };
    let two = Opening { key: [2; 32], ..opening() };
    assert_ne!(one.commitment(), two.commitment());
    assert!(!format!("{one:?}").contains("SELECT"), "payloads do not reach logs by accident");
}
