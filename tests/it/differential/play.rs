//! From a situation to documents, and to both verdicts about them.

use std::sync::Arc;

use domain::decide::{
    InputRule, SelfServeClause, SelfServeRules, StopSubject, Verdict, Window, decide,
};
use domain::{Digest, Outcome, Pair, Rule, RunId};
use executor::{OsEntropy, RunOrder, Runner as _};
use tests::company::{Founding, RUNNER, TARGET, p, pairs, scope};
use tests::rig::{Rig, Uploaded};
use trust::{
    AccessRequest, Authority, ChainDocuments, Envelope, Header, KeyStatus, Local, OnFile, Person,
    PersonKey, PersonKind, PolicyTarget, RunRequest, Wish,
};

use super::situation::{
    Against, Company, Fresh, Place, Review, Sees, Situation, Stray, Subject, Time,
};

/// Another target of the same policy.
const ELSEWHERE: &str = "shop-other";
const HOUR_S: i64 = 3600;

/// A runner of one company, where situation after situation is played.
pub(super) struct Bench {
    pub(super) rig: Rig,
    authority: Arc<Authority>,
    version: std::cell::Cell<u32>,
}

/// What both say about a run; `None`: yes.
pub(super) struct Verdicts {
    pub(super) advice: Option<Rule>,
    pub(super) binding: Option<Rule>,
    /// Documents that advice did not look at.
    pub(super) left_out: usize,
}

/// Everything that is on file about a run that somebody wants.
pub(super) struct Story {
    uploaded: Uploaded,
    caller: &'static str,
    access_request: Option<Envelope>,
    submissions: Vec<Envelope>,
    reviews: Vec<Envelope>,
    approvals: Vec<Envelope>,
    status: Option<Envelope>,
    /// Stops to be lifted afterwards.
    stops: Vec<Envelope>,
}

fn at<I>(header: &mut Header<I>, time: Time) {
    match time {
        Time::Now => {}
        Time::Later => header.not_before = header.not_before.plus_s(2 * HOUR_S),
        Time::Over => {
            header.not_before = header.not_before.plus_s(-2 * HOUR_S);
            header.not_after = header.not_before.plus_s(HOUR_S);
        }
    }
}

fn found(company: Company, who: &mut tests::company::Company, founding: &mut Founding) {
    if matches!(company, Company::Solo | Company::SoloProd) {
        who.domain = p("solo/alice");
        founding.keyring.header.trust_domain = p("solo/alice");
        founding.directory.header.trust_domain = p("solo/alice");
        founding.policy.header.trust_domain = p("solo/alice");
    }
    let key =
        |name: &str, status| PersonKey { key: who.key(name).public().clone(), status, since: None };
    let person = |name: &str, owner: Option<&str>, groups: &[&str]| Person {
        id: p(name),
        name: name.to_owned(),
        kind: if owner.is_some() { PersonKind::Agent } else { PersonKind::Human },
        owner: owner.map(p),
        keys: vec![
            key(name, KeyStatus::Active),
            key(&format!("{name}/retired"), KeyStatus::Retired),
        ],
        groups: groups.iter().map(|g| p(g)).collect(),
    };
    founding.directory.people = vec![
        person("alice", None, &["dev"]),
        person("bob", None, &["dev", "sec"]),
        person("carol", None, &["dev", "ops"]),
        person("dave", None, &["dev", "sec", "ops"]),
        person("bot", Some("alice"), &["dev", "sec"]),
        person("mallory", None, &[]),
    ];
    let Founding { keyring, policy, .. } = founding;
    let here = &mut policy.targets[0];
    let (two, each) = (2, vec![p("sec"), p("ops")]);
    match company {
        Company::Plain | Company::Solo => {}
        Company::EachReviews => (here.reviews.required, here.reviews.from_each) = (two, each),
        Company::TwoApprovals => {
            (here.approvals.required, here.approvals.from_each) = (two, vec![p("sec")]);
        }
        Company::Prod | Company::SoloProd => here.prod = true,
        Company::SelfServe => {
            keyring.floors.self_serve = true;
            let groups = vec![p("dev")];
            here.self_serve = Some(SelfServeRules { groups, runs_per_day: 2 });
        }
        Company::Unapproved => {
            keyring.floors.break_glass_approvals_required = 0;
            here.break_glass.as_mut().unwrap().approvals.required = 0;
        }
        Company::NoEmergency => here.break_glass = None,
    }
    for quorum in [&mut here.reviews, &mut here.approvals] {
        let more = quorum.from_each.clone();
        quorum.groups.extend(more);
    }
    let there = PolicyTarget { id: p(ELSEWHERE), ..here.clone() };
    policy.targets.push(there);
}

impl Bench {
    pub(super) async fn set(company: Company) -> Self {
        let names = ["dave", "bot"].map(str::to_owned).into_iter();
        let everybody = ["alice", "bob", "carol", "dave", "bot", "mallory"];
        let names = names.chain(everybody.map(|name| format!("{name}/retired")));
        let names: Vec<String> = names.collect();
        let rig = Rig::peopled("differential", &names, |who, f| found(company, who, f)).await;
        let authority = rig.runner.adopt(&rig.authority_documents()).await.unwrap();
        Self { rig, authority, version: std::cell::Cell::new(1) }
    }

    /// Both verdicts about a script that cannot start, and everything is as before.
    pub(super) async fn judged(&self, situation: &Situation) -> Verdicts {
        let story = self.documents_of(situation, self.script(Some(b"no component")));
        let story = self.said_against(situation, story).await;
        let verdicts = self.judge(&story, situation.use_number()).await;
        for stop in &story.stops {
            let lift = self.rig.company.lift(stop.payload_digest());
            self.rig.accept(&self.rig.company.sign("carol", &lift)).await.unwrap();
        }
        verdicts
    }

    pub(super) fn real_script(&self) -> Uploaded {
        self.script(None)
    }

    fn script(&self, component: Option<&[u8]>) -> Uploaded {
        let version = self.version.replace(self.version.get() + 1);
        self.rig.upload("echo", |files| {
            for (path, bytes) in files {
                match (path.as_str(), component) {
                    ("component.wasm", Some(other)) => *bytes = other.to_vec(),
                    ("script.toml", _) => {
                        let text = String::from_utf8(bytes.clone()).unwrap();
                        let next = format!("version = \"1.{version}.0\"");
                        *bytes = text.replace("version = \"1.0.0\"", &next).into_bytes();
                    }
                    _ => {}
                }
            }
        })
    }

    fn scope(&self, uploaded: &Uploaded, place: Place) -> domain::Scope {
        let mut scope = scope(&uploaded.manifest);
        if place == Place::Elsewhere {
            scope.targets.iter_mut().for_each(|t| t.target = p(ELSEWHERE));
        }
        scope
    }

    fn review(&self, uploaded: &Uploaded, said: &Review) -> trust::Review {
        let ceiling = self.scope(uploaded, said.place);
        let mut review = self.rig.company.review_of(ceiling, uploaded.revision);
        (review.reviewer, review.verdict) = (p(said.by), said.verdict);
        review.header.not_before = review.header.not_before.plus_s(said.newer_s);
        at(&mut review.header, said.time);
        if said.opens && said.verdict == Verdict::Approve {
            let targets = review.ceiling.targets.iter().map(|t| t.target.clone()).collect();
            let groups = vec![p("dev")];
            review.self_serve = vec![SelfServeClause { groups, targets, runs_per_day: 5 }];
        }
        review
    }

    fn request(&self, uploaded: &Uploaded, situation: &Situation) -> AccessRequest {
        let c = &self.rig.company;
        let input = self.rig.blobs.put(b"{}");
        let mut request = c.access_request(&uploaded.manifest, uploaded.revision, input);
        request.caller = p(situation.caller);
        request.break_glass = situation.emergency;
        (request.duration_s, request.uses) = (situation.duration_s, situation.uses);
        request.input = match situation.input {
            Some(true) => InputRule::Exact { digest: input },
            Some(false) => InputRule::Exact { digest: Digest::of(b"another input") },
            None => InputRule::Schema,
        };
        let Window { not_before, not_after } = request.window;
        request.window = match situation.window {
            Time::Now => request.window,
            Time::Later => Window { not_before: not_before.plus_s(600), not_after },
            Time::Over => {
                Window { not_before: not_before.plus_s(-600), not_after: not_before.plus_s(-60) }
            }
        };
        request
    }

    /// What is on file by the model's people.
    pub(super) fn documents_of(&self, situation: &Situation, uploaded: Uploaded) -> Story {
        let c = &self.rig.company;
        let submissions = situation.authors.iter().map(|by| {
            let mut submission = c.submission(&uploaded.manifest, uploaded.revision);
            submission.author = p(by);
            c.sign(by, &submission)
        });
        let submissions = submissions.collect();
        let reviews: Vec<Envelope> = situation
            .reviews
            .iter()
            .map(|said| c.sign(said.by, &self.review(&uploaded, said)))
            .collect();
        let access_request = (!situation.self_serve)
            .then(|| c.sign(situation.caller, &self.request(&uploaded, situation)));
        let mut approvals = Vec::new();
        for said in situation.approvals.iter().filter(|_| !situation.self_serve) {
            let request = access_request.as_ref().unwrap();
            let mut approval = c.approval(&uploaded.manifest, request, &[]);
            approval.approver = p(said.by);
            approval.scope = self.scope(&uploaded, said.place);
            if said.narrow {
                approval.scope.limits.fuel_max /= 2;
            }
            approval.reviews = match said.sees {
                Sees::All => reviews.iter().map(Envelope::payload_digest).collect(),
                Sees::First => reviews.iter().take(1).map(Envelope::payload_digest).collect(),
                Sees::Another => vec![],
            };
            if approval.reviews.is_empty() {
                approval.reviews = vec![Digest::of(b"a review that is not on file")];
            }
            at(&mut approval.header, said.time);
            approvals.push(c.sign(said.by, &approval));
        }
        let status = self.status(situation.fresh);
        let (caller, stops) = (situation.caller, vec![]);
        let mut story = Story {
            uploaded,
            caller,
            access_request,
            submissions,
            reviews,
            approvals,
            status,
            stops,
        };
        if let Some(stray) = situation.stray.filter(|_| !situation.self_serve) {
            self.add(stray, situation, &mut story);
        }
        story
    }

    /// A document that an order must not carry.
    fn add(&self, stray: Stray, situation: &Situation, story: &mut Story) {
        let c = &self.rig.company;
        let Story { uploaded, access_request, .. } = &*story;
        let bob = Review { by: "bob", ..situation.reviews.first().unwrap_or(&DAVES).clone() };
        let mut review = self.review(uploaded, &bob);
        let mut approval = c.approval(
            &uploaded.manifest,
            access_request.as_ref().unwrap(),
            &story.reviews.iter().collect::<Vec<_>>(),
        );
        if approval.reviews.is_empty() {
            approval.reviews = vec![Digest::of(b"a review that is not on file")];
        }
        approval.approver = p("bob");
        match stray {
            Stray::ReviewByRetiredKey => {
                story.reviews.push(trust::sign(&review, c.key("bob/retired")).unwrap());
            }
            Stray::ReviewOfAnotherRevision => {
                review.revision = Digest::of(b"another revision");
                story.reviews.push(c.sign("bob", &review));
            }
            Stray::ReviewForAnotherDomain => {
                review.header.trust_domain = p("another.test");
                story.reviews.push(c.sign("bob", &review));
            }
            Stray::SubmissionOver => {
                let mut submission = c.submission(&uploaded.manifest, uploaded.revision);
                at(&mut submission.header, Time::Over);
                story.submissions.push(c.sign("alice", &submission));
            }
            Stray::ApprovalOfAnotherRequest => {
                approval.request = Digest::of(b"another request");
                story.approvals.push(c.sign("bob", &approval));
            }
            Stray::ApprovalOfNewerPolicy => {
                approval.policy.version += 1;
                story.approvals.push(c.sign("bob", &approval));
            }
            Stray::ApprovalByAnother => story.approvals.push(c.sign("mallory", &approval)),
        }
    }

    fn status(&self, fresh: Fresh) -> Option<Envelope> {
        let c = &self.rig.company;
        let mut status = c.status(&self.rig.runner.state().in_force());
        match fresh {
            Fresh::Missing => return None,
            Fresh::Good => {}
            Fresh::Over => {
                status.header.not_after = status.header.not_before.plus_s(5);
            }
            Fresh::Frozen => status.stops = Digest::of(b"what was in force before"),
        }
        Some(c.sign("carol", &status))
    }

    /// Says what is said against the run to the runner, as the control plane does when it is filed.
    async fn said_against(&self, situation: &Situation, mut story: Story) -> Story {
        let c = &self.rig.company;
        for against in &situation.against {
            match *against {
                Against::Stop(subject) | Against::LiftedStop(subject) => {
                    let Some(subject) = self.subject(subject, &story) else { continue };
                    let stop = c.sign("carol", &c.stop(subject));
                    self.rig.accept(&stop).await.unwrap();
                    story.stops.push(stop);
                }
                Against::Rejection(by) | Against::LiftedRejection(by) | Against::Withdrawn(by) => {
                    self.reject(by, &mut story).await;
                }
                Against::WithdrawnByAnother => {
                    let rejection = self.reject("bob", &mut story).await;
                    let mut withdrawal = c.withdrawal(&rejection);
                    withdrawal.reviewer = p("dave");
                    self.rig.accept(&c.sign("dave", &withdrawal)).await.unwrap();
                }
            }
            let rejection = story.reviews.last();
            let lifts = match *against {
                Against::LiftedStop(_) => story.stops.pop().map(|stop| stop.payload_digest()),
                Against::LiftedRejection(_) => rejection.map(Envelope::payload_digest),
                Against::Withdrawn(by) => {
                    let withdrawal = c.withdrawal(rejection.unwrap());
                    // Somebody who is stopped withdraws nothing; then it stays.
                    drop(self.rig.accept(&c.sign(by, &withdrawal)).await);
                    None
                }
                _ => None,
            };
            if let Some(lifts) = lifts {
                drop(self.rig.accept(&c.sign("carol", &c.lift(lifts))).await);
            }
        }
        // A good status knows all of it.
        story.status = self.status(situation.fresh);
        story
    }

    async fn reject(&self, by: &'static str, story: &mut Story) -> Envelope {
        let c = &self.rig.company;
        let rejection = c.rejection(by, &story.uploaded.manifest, story.uploaded.revision);
        let rejection = c.sign(by, &rejection);
        // By a stopped key nobody says anything.
        if self.rig.accept(&rejection).await.is_ok() {
            story.reviews.push(rejection.clone());
        }
        rejection
    }

    fn subject(&self, subject: Subject, story: &Story) -> Option<StopSubject> {
        let key = |name: &str| self.rig.company.key(name).fingerprint().as_str().to_owned();
        Some(match subject {
            Subject::Revision => StopSubject::Revision(story.uploaded.revision),
            Subject::AnotherRevision => StopSubject::Revision(Digest::of(b"another revision")),
            Subject::Request => {
                let read: AccessRequest =
                    trust::read_unverified(story.access_request.as_ref()?).unwrap();
                StopSubject::Request(read.header.id)
            }
            Subject::Target => StopSubject::Target(p(TARGET)),
            // Carol is the one who lifts, which nobody does who is stopped.
            Subject::Person("carol") | Subject::Key("carol") => return None,
            Subject::Person(person) => StopSubject::Person(p(person)),
            Subject::Key(person) => StopSubject::Key(key(person)),
            Subject::Everything => StopSubject::Everything,
        })
    }

    /// Both verdicts; a yes of the runner runs the script, if it can.
    pub(super) async fn judge(&self, story: &Story, use_number: u64) -> Verdicts {
        let (advice, left_out) = self.advice(story, use_number);
        let (run, order) = self.order(story, use_number);
        let (_, ended) = self.rig.run(&run, &order).await;
        let binding = match ended.denial.map(|denial| denial.rule) {
            Some(Rule::ComponentRefused) => None,
            None => {
                assert_eq!(ended.outcome, Outcome::Succeeded);
                None
            }
            denied => denied,
        };
        Verdicts { advice, binding, left_out }
    }

    /// As the control plane advises on what is on file.
    fn advice(&self, story: &Story, use_number: u64) -> (Option<Rule>, usize) {
        let Story { uploaded, .. } = story;
        let (state, runner) = (self.rig.runner.state(), p(RUNNER));
        let (in_force, owed) = (state.in_force(), state.owed());
        let pairs: Vec<Pair> = pairs(&uploaded.manifest);
        let request = story.access_request.as_ref();
        let caller = p(story.caller);
        let counted = self.authority.person(&caller).unwrap().counted();
        let wish = Wish {
            run: RunId::new(&*self.rig.clock, &OsEntropy),
            caller: caller.clone(),
            pairs: pairs.clone(),
            use_number,
            access_request: request,
        };
        let file = OnFile {
            approvals: &story.approvals,
            submissions: &story.submissions,
            reviews: &story.reviews,
            after_reviews: &[],
            status: story.status.as_ref(),
            base: None,
        };
        let local = Local {
            now: domain::Clock::now(&*self.rig.clock),
            runner: &runner,
            manifest: &uploaded.manifest,
            bundle: &uploaded.index,
            input: Digest::of(b"{}"),
            in_force: &in_force,
            run_id_spent: false,
            uses_spent: request.map_or_else(Vec::new, |r| state.uses_spent(&r.payload_digest())),
            self_serve_runs: state.self_serve_runs(counted, &uploaded.revision, &pairs),
            owed: &owed,
        };
        match trust::advise(&self.authority, &wish, file, local) {
            Ok(advice) => (decide(&advice.facts).err().map(|d| d.rule), advice.left_out.len()),
            Err(_) => (Some(Rule::DocumentInvalid), 0),
        }
    }

    /// As the control plane orders: without documents of stopped keys, services and agents.
    fn order(&self, story: &Story, use_number: u64) -> (RunId, RunOrder) {
        let c = &self.rig.company;
        let (manifest, input) = (&story.uploaded.manifest, self.rig.blobs.put(b"{}"));
        let mut run: RunRequest = match &story.access_request {
            Some(request) => c.run_request(manifest, request, input, use_number),
            None => c.self_serve_request(manifest, story.uploaded.revision, input),
        };
        (run.caller, run.use_number) = (p(story.caller), use_number);
        let in_force = self.rig.runner.state().in_force();
        let stopped = in_force.stopped_keys();
        let bot = c.key("bot").fingerprint();
        let bot_is_stopped = in_force.is_stopped(&p("bot"));
        let key = |envelope: &Envelope| envelope.signatures()[0].key().fingerprint();
        let signs = |envelope: &&Envelope| !stopped.contains(key(envelope).as_str());
        let speaks =
            |envelope: &&Envelope| signs(envelope) && !(bot_is_stopped && key(envelope) == bot);
        let sent = |list: &[Envelope]| list.iter().filter(speaks).cloned().collect();
        let documents = ChainDocuments {
            run_request: c.sign(story.caller, &run),
            access_request: story.access_request.clone(),
            approvals: sent(&story.approvals),
            submissions: story.submissions.iter().filter(signs).cloned().collect(),
            reviews: sent(&story.reviews),
            stops: vec![],
            lifts: vec![],
            withdrawals: vec![],
            after_reviews: vec![],
            status: story.status.clone(),
            base: None,
        };
        let authority = self.rig.authority_documents();
        let order = RunOrder {
            v: 1,
            keyring: authority.keyring,
            successors: authority.successors,
            directory: authority.directory,
            policy: authority.policy,
            documents,
        };
        (run.run, order)
    }
}

const DAVES: Review = Review {
    by: "dave",
    verdict: Verdict::Approve,
    place: Place::Here,
    time: Time::Now,
    newer_s: 0,
    opens: false,
};
