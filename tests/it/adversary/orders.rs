//! Attacks on a run order: each against a fresh runner that is shown, afterwards, to run the same
//! order unaltered.

use domain::decide::StopSubject;
use domain::{Clock as _, Digest, Outcome, Rule, RunId};
use executor::{RunOrder, Runner as _};
use tests::company::p;
use tests::rig::{Rig, STUCK_ORDERS_INPUT, Story};
use trust::{
    AccessRequest, Approval, ChainDocuments, Directory, Document, Envelope, InForce, Keyring,
    Negative, Policy, Review, RunRequest, Submission,
};

/// What the adversary has before it.
pub(super) struct Attack {
    pub(super) rig: Rig,
    pub(super) story: Story,
    pub(super) run: RunId,
    pub(super) order: RunOrder,
    /// The bytes that are sent in place of the order.
    pub(super) bytes: Option<Vec<u8>>,
    /// Whether people themselves have barred the run by now.
    pub(super) barred: bool,
}

async fn prepared(rig: Rig) -> Attack {
    let mut story = rig.story("stuck-orders", STUCK_ORDERS_INPUT);
    story.request.uses = 2;
    rig.adopt().await;
    let (run, order) = rig.order(&story, |_, _| {});
    Attack { rig, story, run, order, bytes: None, barred: false }
}

/// A runner whose target is no production.
pub(super) async fn on_test() -> Attack {
    prepared(Rig::new().await).await
}

/// A runner whose target is production, and an order with the status that it needs.
pub(super) async fn on_production() -> Attack {
    let rig = Rig::founded_with("company", |_, policy| policy.targets[0].prod = true).await;
    let mut attack = prepared(rig).await;
    attack.order.documents.status = Some(attack.rig.status());
    attack
}

/// Carries out an attack; it has to be denied by `rule`, in words with `says`, and to have reached and
/// spent nothing.
pub(super) async fn denied(
    mut a: Attack,
    attack: impl AsyncFnOnce(&mut Attack),
    rule: Rule,
    says: &str,
) {
    let (honest, before) = (a.order.clone(), a.rig.clock.now_ms());
    attack(&mut a).await;
    let bytes = a.bytes.take().unwrap_or_else(|| a.order.to_bytes());
    let (events, ended) = a.rig.run_bytes(&a.run, bytes).await;
    let denial = ended.denial.clone().unwrap_or_else(|| panic!("not denied: {ended:?}"));
    assert_eq!((ended.outcome, denial.rule), (Outcome::Denied, rule), "{denial}");
    assert!(denial.to_string().contains(says), "{denial} does not say {says}");
    assert!(events.is_empty() && ended.output.is_none() && ended.receipt.is_none());
    assert_eq!(a.rig.seen.sessions(), 0, "the target saw the attacker");
    assert!(ended.proof.is_some(), "a denial is recorded like any other outcome");
    assert!(!a.rig.runner.state().is_spent(&a.run), "the run id is spent");
    let request = honest.documents.access_request.as_ref().unwrap().payload_digest();
    assert_eq!(a.rig.runner.state().uses_spent(&request), [] as [u64; 0], "a use is spent");

    a.rig.restore(&a.story, STUCK_ORDERS_INPUT);
    let (_, ended) = if a.rig.clock.now_ms() == before {
        a.rig.run(&a.run, &honest).await
    } else {
        // Time has passed: the caller orders again.
        let (run, mut order) = a.rig.order(&a.story, |_, _| {});
        order.documents.status = honest.documents.status.is_some().then(|| a.rig.status());
        a.rig.run(&run, &order).await
    };
    let runs = ended.outcome == Outcome::Succeeded;
    assert_eq!(runs, !a.barred, "without the attack: {ended:?}");
    a.rig.close().await;
}

macro_rules! orders {
    ($world:ident; $($name:ident: |$a:ident| $change:expr => $rule:ident, $says:expr;)*) => {$(
        #[tokio::test(flavor = "multi_thread")]
        async fn $name() {
            let attack = async |$a: &mut $crate::adversary::orders::Attack| { let _ = $change; };
            let rule = domain::Rule::$rule;
            $crate::adversary::orders::denied($world().await, attack, rule, $says).await;
        }
    )*};
}
pub(super) use orders;

/// Replaces `from` by `to` in an envelope's payload and keeps the signatures.
pub(super) fn alter(envelope: &mut Envelope, from: &str, to: &str) {
    let payload = String::from_utf8(envelope.payload().to_vec()).unwrap();
    assert!(payload.contains(from), "{from} is not in {payload}");
    let altered = payload.replacen(from, to, 1).into_bytes();
    let signatures = envelope.signatures().to_vec();
    *envelope =
        Envelope::assemble(envelope.payload_type().to_owned(), altered, signatures).unwrap();
}

/// The same payload and signatures as another kind of document.
pub(super) fn retype(envelope: &Envelope, doc: &str) -> Envelope {
    let kind = format!("application/vnd.borescope.{doc}.v1+json");
    let signatures = envelope.signatures().to_vec();
    Envelope::assemble(kind, envelope.payload().to_vec(), signatures).unwrap()
}

/// Sends another text in place of the order.
pub(super) fn text(a: &mut Attack, change: impl FnOnce(&str) -> String) {
    let text = String::from_utf8(a.order.to_bytes()).unwrap();
    let changed = change(&text);
    assert_ne!(changed, text, "nothing was changed");
    a.bytes = Some(changed.into_bytes());
}

pub(super) fn submission(a: &mut Attack) -> &mut Envelope {
    &mut a.docs().submissions[0]
}

pub(super) fn review(a: &mut Attack) -> &mut Envelope {
    &mut a.docs().reviews[0]
}

pub(super) fn approval(a: &mut Attack) -> &mut Envelope {
    &mut a.docs().approvals[0]
}

pub(super) fn access_request(a: &mut Attack) -> &mut Envelope {
    a.docs().access_request.as_mut().unwrap()
}

pub(super) fn run_request(a: &mut Attack) -> &mut Envelope {
    &mut a.docs().run_request
}

/// What the adversary can have signed, because somebody signed it once for another purpose.
impl Attack {
    pub(super) fn docs(&mut self) -> &mut ChainDocuments {
        &mut self.order.documents
    }

    pub(super) fn doubles(&mut self, list: fn(&mut ChainDocuments) -> &mut Vec<Envelope>) {
        let list = list(self.docs());
        list.push(list[0].clone());
    }

    pub(super) fn withholds(&self, path: &str) {
        self.rig.blobs.withhold(self.story.uploaded.index.get(path).unwrap());
    }

    pub(super) fn another_revision(&self) -> Digest {
        let other = self.rig.upload("stuck-orders", |files| {
            let component = files.iter_mut().find(|(path, _)| path == "component.wasm").unwrap();
            // An empty custom section.
            component.1.extend([0, 2, 1, b'x']);
        });
        other.revision
    }

    fn sign<D: Document>(&self, person: &str, doc: &D) -> Envelope {
        self.rig.company.sign(person, doc)
    }

    pub(super) fn signed_by_mallory<D: Document>(&self, doc: impl Fn(&Story) -> &D) -> Envelope {
        self.sign("mallory", doc(&self.story))
    }

    pub(super) fn submission_by(
        &self,
        who: &str,
        change: impl FnOnce(&mut Submission),
    ) -> Envelope {
        let mut doc = self.story.submission.clone();
        doc.author = p(who);
        change(&mut doc);
        self.sign(who, &doc)
    }

    pub(super) fn review_by(&self, who: &str, change: impl FnOnce(&mut Review)) -> Envelope {
        let mut doc = self.story.review.clone();
        doc.reviewer = p(who);
        change(&mut doc);
        self.sign(who, &doc)
    }

    pub(super) fn request_by(
        &self,
        who: &str,
        change: impl FnOnce(&mut AccessRequest),
    ) -> Envelope {
        let mut doc = self.story.request.clone();
        doc.caller = p(who);
        change(&mut doc);
        self.sign(who, &doc)
    }

    pub(super) fn approval_by(&self, who: &str, change: impl FnOnce(&mut Approval)) -> Envelope {
        let mut doc: Approval = trust::read_unverified(&self.order.documents.approvals[0]).unwrap();
        doc.approver = p(who);
        change(&mut doc);
        self.sign(who, &doc)
    }

    pub(super) fn run_request_by(
        &self,
        who: &str,
        change: impl FnOnce(&mut RunRequest),
    ) -> Envelope {
        let mut doc: RunRequest =
            trust::read_unverified(&self.order.documents.run_request).unwrap();
        doc.caller = p(who);
        change(&mut doc);
        self.sign(who, &doc)
    }

    /// Another access request of the same caller for the same thing, and its approval.
    pub(super) fn another_granted_request(&self) -> (Envelope, Envelope) {
        let request = self.request_by("alice", |r| r.uses = 9);
        let (manifest, review) = (&self.story.uploaded.manifest, &self.order.documents.reviews[0]);
        let approval = self.rig.company.approval(manifest, &request, &[review]);
        let approval = self.sign("bob", &approval);
        (request, approval)
    }

    pub(super) async fn rejected_by_carol(&mut self) -> Envelope {
        let (manifest, revision) = (&self.story.uploaded.manifest, self.story.uploaded.revision);
        let no = self.sign("carol", &self.rig.company.rejection("carol", manifest, revision));
        self.rig.accept(&no).await.unwrap();
        self.barred = true;
        no
    }

    pub(super) fn withdrawn_by(&self, who: &str, rejection: &Envelope) -> Envelope {
        let mut withdrawal = self.rig.company.withdrawal(rejection);
        withdrawal.reviewer = p(who);
        self.sign(who, &withdrawal)
    }

    pub(super) fn stop_by(&self, who: &str) -> Envelope {
        let mut stop = self.rig.company.stop(StopSubject::Person(p("mallory")));
        stop.by = p(who);
        self.sign(who, &stop)
    }

    pub(super) async fn stopped_by_carol(&mut self, person: &str) -> Envelope {
        let stop = self.sign("carol", &self.rig.company.stop(StopSubject::Person(p(person))));
        self.rig.accept(&stop).await.unwrap();
        self.barred = true;
        stop
    }

    pub(super) fn lifted_by(&self, who: &str, what: &Envelope) -> Envelope {
        self.sign(who, &self.rig.company.lift(what.payload_digest()))
    }

    pub(super) fn status_by(&self, who: &str) -> Envelope {
        self.sign(who, &self.rig.company.status(&self.rig.runner.state().in_force()))
    }

    pub(super) fn status_of_staging(&self) -> Envelope {
        let mut status = self.rig.company.status(&self.rig.runner.state().in_force());
        status.header.trust_domain = p("staging.test");
        self.sign("carol", &status)
    }

    /// The newest status never reaches the runner; the one that it has runs out, the run request not.
    pub(super) fn freezes_the_status(&mut self) {
        let mut status = self.rig.company.status(&self.rig.runner.state().in_force());
        status.header.not_after = self.rig.clock.now().plus_s(20);
        self.order.documents.status = Some(self.sign("carol", &status));
        self.rig.clock.advance_s(30);
    }

    /// Whoever signs the status has heard of a stop that the runner has not.
    pub(super) fn hides_a_stop(&mut self) {
        let stop = self.stop_by("carol");
        let mut known = InForce::default();
        let subject = StopSubject::Person(p("mallory"));
        known.apply(Negative::Stop(stop.payload_digest(), subject));
        self.order.documents.status = Some(self.sign("carol", &self.rig.company.status(&known)));
    }

    pub(super) fn successor_signed_by(&self, who: &str) -> Envelope {
        self.sign(who, &self.next_keyring())
    }

    fn next_keyring(&self) -> Keyring {
        let company = &self.rig.company;
        let mut next = company.keyring_document();
        next.version = 2;
        next.previous = Some(company.keyring.payload_digest());
        next
    }

    pub(super) async fn remembers_a_newer_directory(&mut self) {
        let mut next: Directory = self.rig.company.directory_document();
        next.version = 2;
        next.previous = Some(self.rig.company.directory.payload_digest());
        self.rig.company.directory = self.sign("carol", &next);
        self.rig.adopt().await;
        self.barred = true;
    }

    pub(super) async fn remembers_a_newer_policy(&mut self) {
        let mut next: Policy = self.rig.company.policy_document();
        next.version = 2;
        next.previous = Some(self.rig.company.policy.payload_digest());
        self.rig.company.policy = self.sign("carol", &next);
        self.rig.adopt().await;
        self.barred = true;
    }

    pub(super) async fn remembers_a_newer_keyring(&mut self) {
        self.rig.company.succeed(|_| {});
        self.rig.adopt().await;
        self.barred = true;
    }

    /// Bob has become the root in version 2; who has Carol's old key makes another version 2 with
    /// lower floors, and a directory and a policy that belong to it.
    pub(super) async fn forks_with_retired_roots(&mut self) {
        let mut retired = self.next_keyring();
        retired.roles[0].people = vec![p("bob")];
        let company = &mut self.rig.company;
        let keys = [company.key("carol"), company.key("bob")];
        company.successors = vec![trust::sign_all(&retired, &keys).unwrap()];
        let (directory, policy) = company.under_the_newest_keyring();
        (company.directory, company.policy) = (directory, policy);
        self.rig.adopt().await;

        let mut forged = self.next_keyring();
        forged.floors.approvals_required = 0;
        let forged = self.sign("carol", &forged);
        let company = &mut self.rig.company;
        let truth = std::mem::replace(&mut company.successors, vec![forged]);
        let (directory, policy) = company.under_the_newest_keyring();
        self.order.successors = std::mem::replace(&mut company.successors, truth);
        (self.order.directory, self.order.policy) = (directory, policy);
        self.barred = true;
    }
}
