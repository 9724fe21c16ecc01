//! What there is to be read and acted on before anybody tries anything.

use domain::decide::StopSubject;
use domain::{Digest, RequestId};
use executor::OsEntropy;
use serde_json::Value;
use tests::raw_http::Answer;
use tests::town::{KeyState, NOBODY, PEOPLE, Plan, Scene, Town};
use trust::{AccessRequest, Directory, Envelope, KeyClaim, Stop};

use super::rows::COLUMNS;

/// Ids of things that are nowhere.
pub(super) const NO_RUN: &str = "run_0198f0c0-0000-7000-8000-000000000000";
pub(super) const NO_REQUEST: &str = "req_0198f0c0-0000-7000-8000-000000000000";
pub(super) const NO_SESSION: &str = "ses_0198f0c0-0000-7000-8000-000000000000";
pub(super) const NO_DIGEST: &str =
    "sha256:0000000000000000000000000000000000000000000000000000000000000000";

/// The town with one script that has run, and some that are there to be written about.
pub(super) struct Stage {
    pub(super) town: Town,
    /// It has run once.
    pub(super) ran: Scene,
    pub(super) run: Value,
    /// A run of it that was denied.
    pub(super) denied: Value,
    /// A run of the agent.
    pub(super) agents: Value,
    /// Like it, to be said something about.
    pub(super) spare: Scene,
    pub(super) reviewed: Scene,
    pub(super) rejected: Scene,
    /// An emergency under which something ran, and nobody has looked.
    pub(super) emergency: Envelope,
    /// A stop of an access request that is nowhere.
    pub(super) stop: Envelope,
    /// Bob's rejection of a script that nobody runs.
    pub(super) rejection: Envelope,
}

async fn fresh(town: &Town, plan: &Plan<'_>) -> Scene {
    let script = town.fresh_script(plan).await.unwrap();
    town.play_with(plan, script).await.unwrap()
}

async fn run(town: &Town, scene: &Scene, use_number: u64) -> Value {
    let run_request = town.run_request(scene, &scene.caller, use_number);
    let run_request = town.sign(&scene.caller, &run_request);
    town.order(&scene.caller, &run_request).await.json()
}

impl Stage {
    pub(super) async fn set() -> Self {
        let town = Town::found().await;
        let ordinary = Plan::ordinary();
        let ran = fresh(&town, &ordinary).await;
        let (first, denied) = (run(&town, &ran, 1).await, run(&town, &ran, 9).await);
        assert!(first["receipt"].is_string(), "it did not run: {first}");
        assert_eq!(denied["denial"]["rule"], "use-spent", "{denied}");
        let agents = fresh(&town, &Plan { caller: "bot", ..ordinary.clone() }).await;
        let agents = run(&town, &agents, 1).await;
        assert!(agents["receipt"].is_string(), "it did not run: {agents}");
        let spare = fresh(&town, &ordinary).await;
        let reviewed = fresh(&town, &ordinary).await;
        let rejected = fresh(&town, &ordinary).await;
        let emergency = fresh(&town, &Plan { break_glass: true, ..ordinary.clone() }).await;
        let broken = run(&town, &emergency, 1).await;
        assert!(broken["receipt"].is_string(), "it did not run: {broken}");
        let stop = town.sign("carol", &Self::stop_of_nothing(&town, "carol"));
        town.files("carol", "/v1/stops", "stop", &stop).await.unwrap();
        let barred = fresh(&town, &ordinary).await.script;
        let mut rejection = town.review(&barred, "bob");
        rejection.verdict = domain::decide::Verdict::Reject;
        let rejection = town.sign("bob", &rejection);
        town.files("bob", "/v1/reviews", "rejection", &rejection).await.unwrap();
        Self {
            ran,
            run: first,
            denied,
            agents,
            spare,
            reviewed,
            rejected,
            emergency: emergency.request.unwrap(),
            stop,
            rejection,
            town,
        }
    }

    /// Somebody's stop of an access request that there is not.
    pub(super) fn stop_of_nothing(town: &Town, by: &str) -> Stop {
        let none = RequestId::new(&*town.served.clock, &OsEntropy);
        Stop { by: tests::company::p(by), ..town.company().stop(StopSubject::Request(none)) }
    }

    pub(super) fn run_id(&self) -> &str {
        self.run["id"].as_str().unwrap()
    }

    pub(super) fn denied_id(&self) -> &str {
        self.denied["id"].as_str().unwrap()
    }

    pub(super) fn agents_id(&self) -> &str {
        self.agents["id"].as_str().unwrap()
    }

    pub(super) fn request_id(&self) -> RequestId {
        let read: AccessRequest =
            trust::read_unverified(self.ran.request.as_ref().unwrap()).unwrap();
        read.header.id
    }

    /// A claim that somebody has a key which no document knows, signed by it or by another.
    pub(super) fn claim(&self, person: &str, signs: &str) -> Envelope {
        let key = self.town.key(person, KeyState::Unknown);
        let claim = self.town.company().key_claim(person, key);
        let claim: KeyClaim = trust::read_unverified(&claim).unwrap();
        trust::sign(&claim, self.town.key(signs, KeyState::Unknown)).unwrap()
    }

    /// The directory after the one in force, in which nothing has changed.
    pub(super) async fn next_directory(&self) -> Directory {
        let mut next = self.town.company().next_directory(|_| {});
        let newest = self.town.call(Some("carol"), "GET /v1/directory", &[], b"").await;
        // When she is stopped, nobody says which one is in force.
        if newest.status >= 400 {
            return next;
        }
        let newest = newest.json()["envelope"].to_string();
        let newest = Envelope::from_json(newest.as_bytes()).unwrap();
        let header = next.header;
        next = trust::read_unverified(&newest).unwrap();
        next.header = header;
        (next.version, next.previous) = (next.version + 1, Some(newest.payload_digest()));
        next
    }

    /// Carol proposes it, unless she is stopped, and it lacks nothing.
    pub(super) async fn proposed(&self) -> Digest {
        let next = self.town.sign("carol", &self.next_directory().await);
        let proposed = self.town.post("carol", "/v1/proposals", &next).await;
        assert!(matches!(proposed.status, 200 | 401), "{proposed:?}");
        next.payload_digest()
    }

    /// Carol stops somebody.
    pub(super) async fn stops(&self, person: &str) {
        if person == NOBODY {
            return;
        }
        let stop = self.town.company().stop(StopSubject::Person(tests::company::p(person)));
        let stop = self.town.sign("carol", &stop);
        self.town.files("carol", "/v1/stops", "stop", &stop).await.unwrap();
    }

    /// Logs a person in anew, and says which session it is, without keeping its token.
    pub(super) async fn other_session(&self, person: &str) -> String {
        let opened =
            self.town.log_in(person, self.town.key(person, KeyState::Active), |_| {}).await;
        if opened.status >= 400 {
            return NO_SESSION.to_owned();
        }
        let token = opened.json()["token"].as_str().unwrap().to_owned();
        let token = format!("authorization: Bearer {token}");
        let me = self.town.served.raw("GET /v1/sessions/me", &[&token], b"").await;
        me.json()["id"].as_str().unwrap().to_owned()
    }

    /// Who may not see something is told exactly what those are told who ask for what is not there.
    pub(super) async fn tells_no_difference(&self) {
        let ids = [self.run_id(), self.denied_id(), self.agents_id()];
        let receipt = self.run["receipt"].as_str().unwrap();
        let no_receipt = "rcp_0198f0c0-0000-7000-8000-000000000000";
        let told = async |person: &str, line: &str, id: &str| {
            let answer: Answer = self.town.call(Some(person), line, &[], b"").await;
            let mut body = answer.json();
            body.as_object_mut().unwrap().remove("instance");
            (answer.status, body.to_string().replace(id, "ID"))
        };
        for (_, person) in COLUMNS {
            for id in ids {
                for (method, rest) in [
                    ("GET", ""),
                    ("GET", "/result"),
                    ("GET", "/receipt"),
                    ("GET", "/recording"),
                    ("GET", "/evidence"),
                    ("GET", "/events"),
                    ("POST", "/cancel"),
                ] {
                    let of = |id: &str| format!("{method} /v1/runs/{id}{rest}");
                    let status = async |line: &str| {
                        self.town.call(Some(person), line, &[], b"").await.status
                    };
                    // Of a run that somebody may see it may be told what is missing.
                    let reads = status(&format!("GET /v1/runs/{id}")).await == 200;
                    if reads || status(&of(id)).await != 404 {
                        continue;
                    }
                    let hidden = told(person, &of(id), id).await;
                    assert_eq!(hidden, told(person, &of(NO_RUN), NO_RUN).await, "{person} {rest}");
                }
            }
            let of = |id: &str| format!("GET /v1/documents/{id}");
            if self.town.call(Some(person), &of(receipt), &[], b"").await.status == 404 {
                let hidden = told(person, &of(receipt), receipt).await;
                assert_eq!(hidden, told(person, &of(no_receipt), no_receipt).await, "{person}");
            }
        }
        assert_eq!(PEOPLE.len() + 1, COLUMNS.len(), "everybody has a column");
    }
}
