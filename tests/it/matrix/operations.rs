//! The table of operations: what is tried of each. A new operation is a few lines here.
//!
//! [`plain`] is a call without a body. [`signed`] is a document of each person's own; it is tried with
//! keys in every state, with another's key, and with another's token.

use domain::decide::Verdict;
use tests::company::{TARGET, p};
use tests::town::{KeyState, NOBODY, multipart};
use trust::{AccessRequest, Review, Withdrawal};

use super::rows::{Operation, Tried, draft, op, plain, signed, tried};
use super::runs;
use super::stage::{NO_DIGEST, NO_REQUEST, NO_RUN, NO_SESSION, Stage};

/// A value that is there already, as the future that a row wants.
macro_rules! now {
    ($value:expr) => {
        Box::pin(async move { $value })
    };
}

pub(super) fn all() -> Vec<Operation> {
    let mut all = open();
    all.extend(sessions());
    all.extend(scripts());
    all.extend(access());
    all.extend(runs());
    all.extend(against());
    all.extend(reading());
    all.extend(claims());
    // Last: what is adopted here is in force from then on.
    all.extend(proposals());
    all
}

/// What needs no session.
fn open() -> Vec<Operation> {
    vec![
        op("GET /healthz", [plain("", |_, _| "GET /healthz".into())]),
        op("GET /readyz", [plain("", |_, _| "GET /readyz".into())]),
        op("GET /metrics", [plain("", |_, _| "GET /metrics".into())]),
        op("GET /openapi.json", [plain("", |_, _| "GET /openapi.json".into())]),
    ]
}

fn challenge(about: &str, origin: Option<&'static str>) -> Tried {
    tried(about, move |stage, person| {
        Box::pin(async move {
            let own = stage.town.served.url();
            let body = serde_json::json!({ "person": person, "origin": origin.unwrap_or(&own) });
            let json = ["content-type: application/json"];
            let body = body.to_string();
            stage.town.call(None, "POST /v1/challenges", &json, body.as_bytes()).await.into()
        })
    })
}

fn sessions() -> Vec<Operation> {
    let login = KeyState::ALL.map(|state| {
        let row = tried("one's own", move |stage, person| {
            Box::pin(async move {
                stage.town.log_in(person, stage.town.key(person, state), |_| {}).await.into()
            })
        });
        Tried { how: format!("{} key", state.name()), ..row }
    });
    let others = tried("another's, active key", |stage, person| {
        Box::pin(async move {
            let key = stage.town.key(person, KeyState::Active);
            stage.town.log_in(tests::town::Town::other(person), key, |_| {}).await.into()
        })
    });
    let end = |about, whose: fn(&'static str) -> Option<&'static str>| {
        tried(about, move |stage, person| {
            Box::pin(async move {
                let id = match whose(person) {
                    Some(whose) => stage.other_session(whose).await,
                    None => NO_SESSION.to_owned(),
                };
                let line = format!("DELETE /v1/sessions/{id}");
                stage.town.call(Some(person), &line, &[], b"").await.into()
            })
        })
    };
    vec![
        op(
            "POST /v1/challenges",
            [challenge("for oneself", None), challenge("of another origin", Some("http://x.test"))],
        ),
        op("POST /v1/sessions", login.into_iter().chain([others])),
        op("GET /v1/sessions", [plain("", |_, _| "GET /v1/sessions".into())]),
        op("GET /v1/sessions/me", [plain("", |_, _| "GET /v1/sessions/me".into())]),
        op(
            "DELETE /v1/sessions/{id}",
            [
                end("one's own", |person| (person != NOBODY).then_some(person)),
                end("another's", |person| Some(tests::town::Town::other(person))),
                end("one that there is not", |_| None),
            ],
        ),
    ]
}

fn scripts() -> Vec<Operation> {
    let upload = tried("", |stage, person| {
        Box::pin(async move {
            let mut files = tests::guests::files("echo");
            let digests =
                files.iter().map(|(path, bytes)| (p(path), domain::Digest::of(bytes))).collect();
            let index = domain::BundleIndex::new(digests).unwrap();
            files.push(("bundle.sha256".to_owned(), index.to_bytes()));
            let (kind, body) = multipart(&files);
            let line = "POST /v1/revisions";
            stage.town.call(Some(person), line, &[&kind], &body).await.into()
        })
    });
    let mut reviews = signed("approve", "/v1/reviews", |stage, person| {
        now!(draft(stage.town.review(&stage.reviewed.script, person)))
    });
    reviews.extend(signed("reject", "/v1/reviews", |stage, person| {
        let review = stage.town.review(&stage.rejected.script, person);
        now!(draft(Review { verdict: Verdict::Reject, ..review }))
    }));
    vec![
        op("POST /v1/revisions", [upload]),
        op(
            "GET /v1/revisions/{digest}",
            [
                plain("", |s, _| format!("GET /v1/revisions/{}", s.ran.script.revision)),
                plain("that there is not", |_, _| format!("GET /v1/revisions/{NO_DIGEST}")),
            ],
        ),
        op(
            "GET /v1/revisions/{digest}/files/{path}",
            [
                plain("", |s, _| {
                    format!("GET /v1/revisions/{}/files/script.toml", s.ran.script.revision)
                }),
                plain("that there is not", |s, _| {
                    format!("GET /v1/revisions/{}/files/readme.md", s.ran.script.revision)
                }),
            ],
        ),
        op("GET /v1/scripts", [plain("", |_, _| "GET /v1/scripts".into())]),
        op(
            "POST /v1/submissions",
            signed("", "/v1/submissions", |stage, person| {
                now!(draft(stage.town.submission(&stage.spare.script, person)))
            }),
        ),
        op("POST /v1/reviews", reviews),
    ]
}

fn access() -> Vec<Operation> {
    let mut requests = signed("ordinary", "/v1/access-requests", |stage, person| {
        now!(draft(stage.town.request(&stage.reviewed.script, person)))
    });
    requests.extend(signed("emergency", "/v1/access-requests", |stage, person| {
        let request = stage.town.request(&stage.reviewed.script, person);
        now!(draft(AccessRequest { break_glass: true, ..request }))
    }));
    vec![
        op("POST /v1/access-requests", requests),
        op("GET /v1/access-requests", [plain("", |_, _| "GET /v1/access-requests".into())]),
        op(
            "GET /v1/access-requests/{id}",
            [
                plain("of the caller", |s, _| {
                    format!("GET /v1/access-requests/{}", s.request_id())
                }),
                plain("that there is not", |_, _| format!("GET /v1/access-requests/{NO_REQUEST}")),
            ],
        ),
        op(
            "GET /v1/access-requests/{id}/input",
            [
                plain("of the caller", |s, _| {
                    format!("GET /v1/access-requests/{}/input", s.request_id())
                }),
                plain("that there is not", |_, _| {
                    format!("GET /v1/access-requests/{NO_REQUEST}/input")
                }),
            ],
        ),
        op(
            "POST /v1/approvals",
            signed("of the caller's request", "/v1/approvals", |stage, person| {
                let scene = &stage.reviewed;
                let request = scene.request.as_ref().unwrap();
                now!(draft(stage.town.approval(&scene.script, request, person)))
            }),
        ),
        op(
            "POST /v1/after-reviews",
            signed("of the caller's emergency", "/v1/after-reviews", |stage, person| {
                now!(draft(stage.town.company().after_review(person, &stage.emergency)))
            }),
        ),
        op("GET /v1/after-reviews", [plain("", |_, _| "GET /v1/after-reviews".into())]),
        op("GET /v1/emergencies", [plain("", |_, _| "GET /v1/emergencies".into())]),
        op("GET /v1/inbox", [plain("", |_, _| "GET /v1/inbox".into())]),
    ]
}

/// What is said against runs, its ends, and the status.
fn against() -> Vec<Operation> {
    let withdrawals = signed("of one's own rejection", "/v1/withdrawals", |stage, person| {
        Box::pin(async move {
            let review = stage.town.review(&stage.rejected.script, person);
            let review = Review { verdict: Verdict::Reject, ..review };
            let key = stage.town.key(person, KeyState::Active);
            let rejection = trust::sign(&review, key).unwrap();
            // Who may not reject has nothing to withdraw.
            drop(stage.town.files(person, "/v1/reviews", "rejection", &rejection).await);
            draft(stage.town.company().withdrawal(&rejection))
        })
    });
    let of_bob = signed("of the reviewer's rejection", "/v1/withdrawals", |stage, person| {
        let withdrawal = stage.town.company().withdrawal(&stage.rejection);
        now!(draft(Withdrawal { reviewer: p(person), ..withdrawal }))
    });
    vec![
        op(
            "POST /v1/stops",
            signed("", "/v1/stops", |stage, person| {
                now!(draft(Stage::stop_of_nothing(&stage.town, person)))
            }),
        ),
        op(
            "POST /v1/lifts",
            signed("of a stop", "/v1/lifts", |stage, _| {
                now!(draft(stage.town.company().lift(stage.stop.payload_digest())))
            })
            .into_iter()
            .chain(signed("of a rejection", "/v1/lifts", |stage, _| {
                now!(draft(stage.town.company().lift(stage.rejection.payload_digest())))
            }))
            .chain(signed("of nothing", "/v1/lifts", |stage, _| {
                now!(draft(stage.town.company().lift(p(NO_DIGEST))))
            })),
        ),
        op("GET /v1/against", [plain("", |_, _| "GET /v1/against?from=0".into())]),
        // Before the reviewer's own withdrawal, which would leave nothing to withdraw.
        op("POST /v1/withdrawals", withdrawals.into_iter().chain(of_bob)),
        op("POST /v1/status", status()),
        op("GET /v1/status/signed", [plain("", |_, _| "GET /v1/status/signed".into())]),
        op("GET /v1/status", [plain("", |_, _| "GET /v1/status".into())]),
    ]
}

fn status() -> Vec<Tried> {
    signed("", "/v1/status", |stage, _| {
        use executor::Runner as _;
        let in_force = stage.town.served.runner.state().in_force();
        now!(draft(stage.town.company().status(&in_force)))
    })
}

fn of_run(about: &str, rest: &'static str, of: fn(&Stage) -> &str) -> Tried {
    tried(about, move |stage, person| {
        Box::pin(async move {
            let line = format!("GET /v1/runs/{}{rest}", of(stage));
            stage.town.call(Some(person), &line, &[], b"").await.into()
        })
    })
}

fn of_runs(name: &'static str, rest: &'static str) -> Operation {
    op(
        name,
        [
            of_run("of the caller", rest, Stage::run_id),
            of_run("of the caller, denied", rest, Stage::denied_id),
            of_run("of the agent", rest, Stage::agents_id),
            of_run("that there is not", rest, |_| NO_RUN),
        ],
    )
}

fn runs() -> Vec<Operation> {
    let input = tried("", |stage, person| {
        Box::pin(async move {
            stage.town.call(Some(person), "POST /v1/inputs", &[], b"{}").await.into()
        })
    });
    vec![
        op("POST /v1/inputs", [input]),
        op("POST /v1/runs", runs::all()),
        op("GET /v1/runs", [plain("", |_, _| "GET /v1/runs".into())]),
        of_runs("GET /v1/runs/{id}", ""),
        of_runs("GET /v1/runs/{id}/events", "/events"),
        of_runs("GET /v1/runs/{id}/input", "/input"),
        of_runs("GET /v1/runs/{id}/result", "/result"),
        of_runs("GET /v1/runs/{id}/receipt", "/receipt"),
        of_runs("GET /v1/runs/{id}/recording", "/recording"),
        of_runs("GET /v1/runs/{id}/evidence", "/evidence"),
        op(
            "POST /v1/runs/{id}/cancel",
            [
                plain("of the caller", |s, _| format!("POST /v1/runs/{}/cancel", s.run_id())),
                plain("of the caller, denied", |s, _| {
                    format!("POST /v1/runs/{}/cancel", s.denied_id())
                }),
                plain("of the agent", |s, _| format!("POST /v1/runs/{}/cancel", s.agents_id())),
                plain("that there is not", |_, _| format!("POST /v1/runs/{NO_RUN}/cancel")),
            ],
        ),
    ]
}

/// An analysis.
const NO_QUERIES: &[u8] = br#"{"queries":[]}"#;

fn reading() -> Vec<Operation> {
    let analysis = tried("", |stage, person| {
        Box::pin(async move {
            stage.town.call(Some(person), "POST /v1/analyses", &[], NO_QUERIES).await.into()
        })
    });
    let document = |about, of: fn(&Stage) -> String| {
        tried(about, move |stage, person| {
            Box::pin(async move {
                let line = format!("GET /v1/documents/{}", of(stage));
                stage.town.call(Some(person), &line, &[], b"").await.into()
            })
        })
    };
    vec![
        op(
            "GET /v1/documents/{reference}",
            [
                document("an access request, by its id", |s| s.request_id().to_string()),
                document("an approval, by its digest", |s| {
                    s.ran.approvals[0].payload_digest().to_string()
                }),
                document("the receipt of the caller's run", |s| {
                    s.run["receipt"].as_str().unwrap().to_owned()
                }),
                document("that there is not", |_| NO_DIGEST.to_owned()),
            ],
        ),
        op("GET /v1/keyring", [plain("", |_, _| "GET /v1/keyring".into())]),
        op("GET /v1/keyrings", [plain("", |_, _| "GET /v1/keyrings".into())]),
        op("GET /v1/directory", [plain("", |_, _| "GET /v1/directory".into())]),
        op("GET /v1/policy", [plain("", |_, _| "GET /v1/policy".into())]),
        op("GET /v1/targets", [plain("", |_, _| "GET /v1/targets".into())]),
        op(
            "GET /v1/targets/{id}/catalog",
            [
                plain("", |_, _| format!("GET /v1/targets/{TARGET}/catalog")),
                plain("that there is not", |_, _| "GET /v1/targets/none/catalog".into()),
            ],
        ),
        op("POST /v1/analyses", [analysis]),
        op(
            "POST /v1/plans",
            signed("", "/v1/plans", |stage, person| {
                let script = &stage.ran.script;
                let company = stage.town.company();
                let request = company.plan_request(person, &script.manifest, script.revision);
                let pair = script.pairs().remove(0);
                now!(draft(trust::PlanRequest { pair, ..request }))
            }),
        ),
        op(
            "GET /v1/analyses/{digest}",
            [
                plain("", |_, _| format!("GET /v1/analyses/{}", domain::Digest::of(NO_QUERIES))),
                plain("that is a file", |_, _| {
                    let file = tests::guests::file("echo", "script.toml");
                    format!("GET /v1/analyses/{}", domain::Digest::of(&file))
                }),
                plain("that there is not", |_, _| format!("GET /v1/analyses/{NO_DIGEST}")),
            ],
        ),
        op("GET /v1/audit", [plain("", |_, _| "GET /v1/audit".into())]),
        op("GET /v1/log/checkpoint", [plain("", |_, _| "GET /v1/log/checkpoint".into())]),
        op("GET /v1/log/proof", [plain("", |_, _| "GET /v1/log/proof?index=0&size=1".into())]),
        op(
            "GET /v1/log/consistency",
            [plain("", |_, _| "GET /v1/log/consistency?old=1&new=2".into())],
        ),
        op("GET /v1/log/leaves", [plain("", |_, _| "GET /v1/log/leaves?from=0&count=1".into())]),
    ]
}

fn claims() -> Vec<Operation> {
    let claims = |about, signs: fn(&'static str) -> &'static str| {
        tried(about, move |stage, person| {
            Box::pin(async move {
                let claim = stage.claim(person, signs(person)).to_json().unwrap();
                stage.town.call(None, "POST /v1/key-claims", &[], &claim).await.into()
            })
        })
    };
    let forgotten = tried("of a newcomer", |stage, person| {
        Box::pin(async move {
            let claim = stage.claim(NOBODY, NOBODY);
            let bytes = claim.to_json().unwrap();
            let claimed = stage.town.call(None, "POST /v1/key-claims", &[], &bytes).await;
            assert_eq!(claimed.status, 200, "{claimed:?}");
            let line = format!("POST /v1/key-claims/{}/drop", claim.payload_digest());
            stage.town.call(Some(person), &line, &[], b"").await.into()
        })
    });
    let drop_none = |_: &Stage, _: &str| format!("POST /v1/key-claims/{NO_DIGEST}/drop");
    vec![
        op(
            "POST /v1/key-claims",
            [
                claims("of a key of one's own", |person| person),
                claims("of another's key", tests::town::Town::other),
            ],
        ),
        op("GET /v1/key-claims", [plain("", |_, _| "GET /v1/key-claims".into())]),
        op("POST /v1/key-claims/{digest}/drop", [forgotten, plain("that there is not", drop_none)]),
    ]
}

/// Something that is done to a directory that Carol has proposed, which lacks nothing.
fn of_proposal(about: &str, method: &'static str, rest: &'static str) -> Tried {
    tried(about, move |stage, person| {
        Box::pin(async move {
            let digest = stage.proposed().await;
            let line = format!("{method} /v1/proposals/{digest}{rest}");
            let cell = stage.town.call(Some(person), &line, &[], b"").await.into();
            // Nobody has room for many.
            let line = format!("POST /v1/proposals/{digest}/drop");
            drop(stage.town.call(Some("carol"), &line, &[], b"").await);
            cell
        })
    })
}

fn proposals() -> Vec<Operation> {
    let none = |_: &Stage, _: &str| format!("GET /v1/proposals/{NO_DIGEST}");
    let drop_none = |_: &Stage, _: &str| format!("POST /v1/proposals/{NO_DIGEST}/drop");
    let adopt_none = |_: &Stage, _: &str| format!("POST /v1/proposals/{NO_DIGEST}/adopt");
    vec![
        op(
            "POST /v1/proposals",
            signed("of a directory", "/v1/proposals", |stage, _| {
                Box::pin(async move { draft(stage.next_directory().await) })
            }),
        ),
        op("GET /v1/proposals", [plain("", |_, _| "GET /v1/proposals".into())]),
        op(
            "GET /v1/proposals/{digest}",
            [of_proposal("of the administrator", "GET", ""), plain("that there is not", none)],
        ),
        op(
            "POST /v1/proposals/{digest}/drop",
            [
                of_proposal("of the administrator", "POST", "/drop"),
                plain("that there is not", drop_none),
            ],
        ),
        op(
            "POST /v1/proposals/{digest}/adopt",
            [
                of_proposal("of the administrator, lacking nothing", "POST", "/adopt"),
                plain("that there is not", adopt_none),
            ],
        ),
    ]
}
