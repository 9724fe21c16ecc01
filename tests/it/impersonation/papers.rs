//! One honest document of each kind that people sign, ready to be forged.

use domain::decide::Verdict;
use executor::Runner as _;
use tests::raw_http::Answer;
use tests::town::{KeyState, Plan, Scene, Town};
use trust::{Document, Envelope, Review, Sshsig, pae};

/// A document that would be taken, with everything that could be exchanged in it.
#[derive(Clone)]
pub(super) struct Paper {
    /// Its kind.
    pub(super) doc: &'static str,
    /// Where it belongs.
    pub(super) route: &'static str,
    /// Who signs it.
    pub(super) by: &'static str,
    pub(super) payload: Vec<u8>,
}

pub(super) fn payload_type(doc: &str) -> String {
    format!("application/vnd.borescope.{doc}.v1+json")
}

impl Paper {
    fn of<D: Document>(route: &'static str, by: &'static str, document: &D) -> Self {
        Self { doc: D::DOC, route, by, payload: trust::payload(document).unwrap() }
    }

    pub(super) fn namespace(&self, town: &Town) -> String {
        format!("borescope-{}-v1@{}", self.doc, town.company().domain)
    }

    /// The payload as text.
    pub(super) fn text(&self) -> String {
        String::from_utf8(self.payload.clone()).unwrap()
    }

    /// The envelope by its signer's key, of this payload as `doc`, signed for `namespace`.
    pub(super) fn signed_as(
        &self,
        town: &Town,
        payload: &[u8],
        doc: &str,
        namespace: &str,
    ) -> Envelope {
        let (kind, key) = (payload_type(doc), town.key(self.by, KeyState::Active));
        let signature = Sshsig::sign(key, namespace, &pae(&kind, payload));
        Envelope::assemble(kind, payload.to_vec(), vec![signature]).unwrap()
    }

    /// As it should be, of another payload.
    pub(super) fn saying(&self, town: &Town, payload: &[u8]) -> Envelope {
        self.signed_as(town, payload, self.doc, &self.namespace(town))
    }

    pub(super) fn honest(&self, town: &Town) -> Envelope {
        self.saying(town, &self.payload)
    }

    /// Sends bytes to where the document belongs, as its signer.
    pub(super) async fn send(&self, town: &Town, envelope: &[u8]) -> Answer {
        self.send_to(town, self.route, envelope).await
    }

    pub(super) async fn send_to(&self, town: &Town, route: &str, envelope: &[u8]) -> Answer {
        let (line, json) = (format!("POST {route}"), "content-type: application/json");
        let body = match route {
            "/v1/runs" => [br#"{"run_request":"#, envelope, b"}"].concat(),
            _ => envelope.to_vec(),
        };
        town.call(Some(self.by), &line, &[json, "prefer: wait=60"], &body).await
    }

    /// Sends a forgery, and says by which code, or which rule of the runner, it is refused.
    ///
    /// # Panics
    /// When it is taken.
    pub(super) async fn refused(&self, town: &Town, envelope: &[u8], story: &str) -> String {
        refusal(&self.send(town, envelope).await)
            .unwrap_or_else(|| panic!("{}, {story}: it is taken", self.doc))
    }
}

/// The code of a refusal, or the rule of a denial; `None` when it was taken.
pub(super) fn refusal(answer: &Answer) -> Option<String> {
    if answer.status >= 400 {
        return Some(answer.code());
    }
    answer.json()["denial"]["rule"].as_str().map(str::to_owned)
}

/// What every kind is about, new each time.
pub(super) struct Desk {
    pub(super) scene: Scene,
    emergency: Scene,
    rejection: Envelope,
    stop: Envelope,
}

impl Desk {
    pub(super) async fn set(town: &Town) -> Self {
        let script = town.fresh_script(&Plan::ordinary()).await.unwrap();
        let scene = town.play_with(&Plan::ordinary(), script).await.unwrap();
        let emergency = Plan { break_glass: true, ..Plan::ordinary() };
        let emergency = town.play(&emergency).await.unwrap();
        let run = town.sign("cleo", &town.run_request(&emergency, "cleo", 1));
        assert_eq!(refusal(&town.order("cleo", &run).await), None);
        let barred = town.fresh_script(&Plan::ordinary()).await.unwrap();
        let rejection = Review { verdict: Verdict::Reject, ..town.review(&barred, "bob") };
        let rejection = town.sign("bob", &rejection);
        town.files("bob", "/v1/reviews", "rejection", &rejection).await.unwrap();
        let subject = domain::decide::StopSubject::Revision(barred.revision);
        let stop = town.sign("carol", &town.company().stop(subject));
        town.files("carol", "/v1/stops", "stop", &stop).await.unwrap();
        Self { scene, emergency, rejection, stop }
    }

    /// One document of each kind, none of which has been seen.
    pub(super) fn papers(&self, town: &Town) -> Vec<Paper> {
        let (c, scene) = (town.company(), &self.scene);
        let (script, request) = (&scene.script, scene.request.as_ref().unwrap());
        let broken = self.emergency.request.as_ref().unwrap();
        let nothing = domain::decide::StopSubject::Revision(domain::Digest::of(b"nothing"));
        let status = c.status(&town.served.runner.state().in_force());
        vec![
            Paper::of("/v1/submissions", "alice", &town.submission(script, "alice")),
            Paper::of("/v1/reviews", "bob", &town.review(script, "bob")),
            Paper::of("/v1/access-requests", "cleo", &town.request(script, "cleo")),
            Paper::of("/v1/approvals", "vera", &town.approval(script, request, "vera")),
            Paper::of("/v1/runs", "cleo", &town.run_request(scene, "cleo", 1)),
            Paper::of("/v1/stops", "carol", &c.stop(nothing)),
            Paper::of("/v1/lifts", "carol", &c.lift(self.stop.payload_digest())),
            Paper::of("/v1/withdrawals", "bob", &c.withdrawal(&self.rejection)),
            Paper::of("/v1/after-reviews", "vera", &c.after_review("vera", broken)),
            Paper::of("/v1/status", "carol", &status),
        ]
    }

    /// Without the attack every one of them is taken, so that the refusals meant the attack.
    pub(super) async fn honest_ones_are_taken(&self, town: &Town) {
        // The run first: a newer review takes the place of the one that the approver saw.
        let (runs, others): (Vec<_>, Vec<_>) =
            self.papers(town).into_iter().partition(|paper| paper.doc == "run-request");
        for paper in runs.into_iter().chain(others) {
            let answer = paper.send(town, &paper.honest(town).to_json().unwrap()).await;
            assert_eq!(refusal(&answer), None, "{}: {answer:?}", paper.doc);
        }
    }
}
