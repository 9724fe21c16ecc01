//! From an order's bytes to a decision over the bytes that will be executed.
//!
//! Everything is derived here, at every run, from signed documents and the runner's own state. The
//! steps are in the order in which they can be trusted: who may say what, the run request, files and
//! input, all other documents, the decision, the component. Any failure is a [`Denial`].

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::decide::{StopSubject, Way, Window};
use domain::{
    Analysis, Capabilities, Decision, Denial, Digest, Facts, Pair, PersonId, Rule, RunId, TargetId,
    Timestamp, decide,
};
use sandbox::Linked;
use targets::Connector;
use trust::{Authority, ChainDocuments, ChainFacts, Envelope, Local, OwedAfterReview, RunRequest};

use crate::accept::{NotAccepted, RestsOn};
use crate::bundle::{Bundle, fetch};
use crate::deadlines::Deadlines;
use crate::hash_secret::Grant;
use crate::order::RunOrder;
use crate::ports::Sight;
use crate::runner::{AdoptError, AuthorityDocuments, Inner};
use crate::state::{Claim, ServedTo};

/// A run that may start.
pub(crate) struct Allowed {
    pub(crate) decision: Decision,
    pub(crate) bundle: Arc<Bundle>,
    /// Every document of this run, verified.
    pub(crate) documents: ChainDocuments,
    /// Who said who they are.
    pub(crate) authority: Arc<Authority>,
    pub(crate) linked: Linked,
    /// By pair: two logical targets of one real target can see different columns.
    pub(crate) connectors: BTreeMap<Pair, Arc<dyn Connector>>,
    /// What its reviewers saw.
    pub(crate) analyses: BTreeMap<Pair, Analysis>,
    pub(crate) input: Vec<u8>,
    pub(crate) input_digest: Digest,
    /// The digest of the run request's payload.
    pub(crate) run_request: Digest,
    /// What its start takes.
    pub(crate) claim: Claim,
    /// What it rests on.
    pub(crate) rests_on: RestsOn,
    /// When it ends at the latest.
    pub(crate) deadlines: Deadlines,
}

/// A decision, and what else comes of the same facts.
struct Decided {
    decision: Decision,
    claim: Claim,
    run_request: Digest,
    depends_on: Vec<StopSubject>,
    authors: Vec<(Digest, PersonId)>,
    /// When the run request is valid.
    window: Window,
}

impl Decided {
    /// What an emergency owes is due so long after its start.
    fn owed_from(&mut self, now: Timestamp) {
        if let (Claim::Use { owes: Some(owes), .. }, Way::BreakGlass { after_review_s }) =
            (&mut self.claim, self.decision.way)
        {
            owes.due = now.plus_s(i64::try_from(after_review_s).unwrap_or(i64::MAX));
        }
    }
}

/// A clock may be this much behind the newest entry, milliseconds: entries carry the ledger's time.
const CLOCK_SLACK_MS: u64 = 2_000;

impl Inner {
    /// Verifies an order for `run`.
    pub(crate) async fn verify(&self, run: &RunId, order: &[u8]) -> Result<Allowed, Denial> {
        self.clock_is_sane()?;
        let order = self
            .orders
            .read(order)
            .map_err(|e| document_invalid(&e, "send an order of this version"))?;
        let authority = self.authority_of(&order).await?;
        let mut documents = order.documents;
        // Whatever becomes of the order.
        self.keep_negatives(&authority, &documents).await.map_err(|e| not_kept(&e))?;
        self.keep_after_reviews(&authority, &mut documents).await.map_err(|e| not_kept(&e))?;
        let request = self.run_request(run, &authority, &documents.run_request)?;
        documents.status = self.status_for(&authority, &request.pairs, documents.status.take());
        let bundle = self.bundles.get(&*self.blobs, &request.revision).await.map_err(|e| {
            let help = "submit the revision again; what was reviewed is what runs";
            Denial::new(Rule::BundleInvalid, chain(&e), help)
        })?;
        let input = self.input(&bundle, &request.input).await?;
        let mut decided = self.decided(&authority, &documents, &request, &bundle, &input).await?;
        let analyses = self.analyses(&decided.decision, &authority).await?;
        let linked = self.link(&bundle, &decided.decision).await?;
        let grant = decided.claim.request().map_or(Grant::Run(run), Grant::Request);
        let connectors = self.ways(&decided.decision.effective, &authority, &grant)?;
        // Compiling may have taken a while; expiry is absolute.
        let (now, elapsed_ms) = (self.now(), self.clock.elapsed_ms());
        still_open(now, &decided.window, &decided.decision)?;
        decided.owed_from(now);
        Ok(Allowed {
            deadlines: Deadlines::of(&decided.decision, now, elapsed_ms),
            rests_on: RestsOn {
                subjects: decided.depends_on,
                pairs: request.pairs,
                authors: decided.authors,
            },
            run_request: decided.run_request,
            input_digest: request.input,
            claim: decided.claim,
            decision: within_grant(decided.decision, now),
            documents,
            authority,
            bundle,
            linked,
            connectors,
            analyses,
            input,
        })
    }

    /// The decision over every document of the order and this runner's own state.
    async fn decided(
        &self,
        authority: &Authority,
        documents: &ChainDocuments,
        request: &RunRequest,
        bundle: &Bundle,
        input: &[u8],
    ) -> Result<Decided, Denial> {
        let caller = authority.person(&request.caller).map_or(&request.caller, |p| p.counted());
        let served = self.state.self_serve_runs(caller, &request.revision, &request.pairs);
        let counted = served.len();
        let (in_force, owed) = (self.state.in_force(), self.state.owed());
        let local = Local {
            now: self.now(),
            runner: &self.name,
            manifest: &bundle.manifest,
            bundle: &bundle.index,
            input: Digest::of(input),
            in_force: &in_force,
            run_id_spent: self.state.is_spent(&request.run),
            uses_spent: request.request.map_or_else(Vec::new, |r| self.state.uses_spent(&r)),
            self_serve_runs: served,
            owed: &owed,
        };
        let chain_facts = trust::facts(authority, documents, local).map_err(|e| {
            document_invalid(
                &e,
                "have the document signed again, by the right person and about this run",
            )
        })?;
        let ChainFacts { facts, run_request, depends_on, rejections } = chain_facts;
        for (place, rejection) in rejections {
            if let Some(envelope) = documents.reviews.get(place) {
                self.keep(rejection, envelope).await.map_err(|e| not_kept(&e))?;
            }
        }
        let mut decision = decide(&facts)?;
        decision.grant_ends = decision.grant_ends.min(authority_ends(authority));
        let claim = claim(request, &facts, &decision, counted)?;
        let (authors, window) = (authors(&facts), facts.run.window);
        Ok(Decided { decision, claim, run_request, depends_on, authors, window })
    }

    fn clock_is_sane(&self) -> Result<(), Denial> {
        let (now, newest) = (self.clock.now_ms(), self.ledger.newest_at_ms());
        if now.saturating_add(CLOCK_SLACK_MS) < newest {
            return Err(Denial::new(
                Rule::ClockWentBack,
                format!("the runner's clock is {} ms behind its own newest record", newest - now),
                "set the runner's clock",
            ));
        }
        Ok(())
    }

    async fn authority_of(&self, order: &RunOrder) -> Result<Arc<Authority>, Denial> {
        let documents = AuthorityDocuments {
            keyring: order.keyring.clone(),
            successors: order.successors.clone(),
            directory: order.directory.clone(),
            policy: order.policy.clone(),
        };
        self.adopt(&documents).await.map_err(|e| {
            let rule = match e {
                AdoptError::Invalid(_)
                | AdoptError::NotThisRunner(_)
                | AdoptError::Stopped(_)
                | AdoptError::Malformed(_) => Rule::DocumentInvalid,
                AdoptError::NotRecorded(_) | AdoptError::Pin(_) | AdoptError::Interrupted => {
                    Rule::NotRecorded
                }
            };
            let help = "send the newest keyring, directory and policy of the trust domain";
            Denial::new(rule, chain(&e), help)
        })
    }

    /// The caller's order, by the caller's key; whether the rest of the chain allows it comes later.
    fn run_request(
        &self,
        run: &RunId,
        authority: &Authority,
        envelope: &Envelope,
    ) -> Result<RunRequest, Denial> {
        let request = authority
            .verify::<RunRequest>(envelope, &std::collections::BTreeSet::new())
            .map_err(|e| document_invalid(&e, "sign the run request again"))?
            .into_doc();
        if request.run != *run {
            let fact = format!("the run request is for {}, the order for {run}", request.run);
            return Err(Denial::new(
                Rule::DocumentInvalid,
                fact,
                "sign a run request for this run",
            ));
        }
        Ok(request)
    }

    async fn input(&self, bundle: &Bundle, digest: &Digest) -> Result<Vec<u8>, Denial> {
        let refuse = |fact: String| {
            Denial::new(Rule::InputInvalid, fact, "send the approved input, byte for byte")
        };
        let input =
            fetch(&*self.blobs, "the input", digest).await.map_err(|e| refuse(chain(&e)))?;
        bundle.check_input(&input).map_err(refuse)?;
        Ok(input)
    }

    /// Links what is effective, before anything is spent.
    async fn link(&self, bundle: &Bundle, decision: &Decision) -> Result<Linked, Denial> {
        let refused = |e: sandbox::Refusal| {
            let help = match &e {
                sandbox::Refusal::NotLinked { .. } => {
                    "have what it needs granted, in manifest, review and request"
                }
                sandbox::Refusal::CompileTime { .. } => {
                    "run it again when the runner is idle; if that does not help, make it smaller"
                }
                sandbox::Refusal::CompilerBusy { .. } => "run it again in a minute",
                _ => "change the component",
            };
            Denial::new(Rule::ComponentRefused, chain(&e), help)
        };
        let admitted = match self.sandbox.admitted(&bundle.component_digest) {
            Some(admitted) => admitted,
            None => self.sandbox.admit(Arc::clone(&bundle.component)).await.map_err(refused)?,
        };
        self.sandbox.link(&admitted, &decision.effective).map_err(refused)
    }

    /// The ways to the targets, with what is effective of their masks and the keys of this grant.
    fn ways(
        &self,
        effective: &Capabilities,
        authority: &Authority,
        grant: &Grant<'_>,
    ) -> Result<BTreeMap<Pair, Arc<dyn Connector>>, Denial> {
        let mut connectors = BTreeMap::new();
        for (pair, on) in &effective.pairs {
            let unreachable =
                |fact: String| Denial::new(Rule::TargetUnknown, fact, "ask the runner's operator");
            let target = authority
                .target(&pair.target)
                .ok_or_else(|| unreachable(format!("the policy has no target {}", pair.target)))?;
            let keys = self.hash_secret.keys(grant, target);
            let sight = Sight { unmasked: on.unmasked.clone(), keys };
            let connector =
                self.connectors.connector(target, sight).map_err(|e| unreachable(chain(&e)))?;
            connectors.insert(pair.clone(), connector);
        }
        Ok(connectors)
    }
}

/// Whose rejection of which revision does not count; where one person is all there is, everybody's does.
fn authors(facts: &Facts<'_>) -> Vec<(Digest, PersonId)> {
    if facts.solo {
        return Vec::new();
    }
    let own = facts.submissions.iter().map(|s| (facts.run.revision, s.author.clone()));
    let base = facts
        .base
        .iter()
        .flat_map(|base| base.submissions.iter().map(|s| (base.revision, s.author.clone())));
    own.chain(base).collect()
}

/// What the start of the run takes from what is left.
fn claim(
    request: &RunRequest,
    facts: &Facts<'_>,
    decision: &Decision,
    counted: usize,
) -> Result<Claim, Denial> {
    let caller = facts.run.caller.clone();
    let targets: Vec<TargetId> = facts.run.pairs.iter().map(|p| p.target.clone()).collect();
    match (request.request, &facts.request, decision.way) {
        (None, None, Way::SelfServe) => {
            let to = ServedTo { caller, revision: facts.run.revision, targets };
            Ok(Claim::SelfServe { to, counted })
        }
        (Some(digest), Some(access), Way::Request | Way::BreakGlass { .. }) => {
            let owes = matches!(decision.way, Way::BreakGlass { .. }).then(|| OwedAfterReview {
                request: digest,
                request_id: access.id.clone(),
                caller,
                targets,
                due: facts.now,
                reviewers: Vec::new(),
            });
            Ok(Claim::Use { request: digest, number: request.use_number, owes })
        }
        // No decision is of this kind; should one ever be, nobody could say what it takes.
        _ => Err(Denial::new(
            Rule::RequestMissing,
            "the decision is about another way than the run request",
            "report this: it is a defect",
        )),
    }
}

/// Something that came with the order, besides what it is about, was not taken.
fn not_kept(error: &NotAccepted) -> Denial {
    match error {
        NotAccepted::NotRecorded(_) | NotAccepted::Interrupted => {
            Denial::new(Rule::NotRecorded, chain(error), "repair the log's storage")
        }
        _ => document_invalid(error, "send documents as they were signed"),
    }
}

fn document_invalid(error: &dyn std::error::Error, help: &str) -> Denial {
    Denial::new(Rule::DocumentInvalid, chain(error), help)
}

/// The last second of the documents that everything rests on.
fn authority_ends(authority: &Authority) -> Timestamp {
    let keyring = authority.keyring().header.not_after;
    keyring.min(authority.directory().header.not_after).min(authority.policy().header.not_after)
}

fn still_open(now: Timestamp, run: &Window, decision: &Decision) -> Result<(), Denial> {
    if !run.contains(now) {
        let fact = format!(
            "the run request is valid {run}, and it is {now} now that the component is ready"
        );
        return Err(Denial::new(
            Rule::RunRequestExpired,
            fact,
            "run again; the component is compiled now",
        ));
    }
    let grant_ends = decision.grant_ends;
    if now > grant_ends {
        let fact = format!("the grant ended at {grant_ends}, and it is {now}");
        return Err(Denial::new(Rule::GrantExpired, fact, "file a new access request"));
    }
    if let Some(ends) = decision.status_ends.filter(|ends| now > *ends) {
        let fact = format!("the status ended at {ends}, and it is {now}");
        return Err(Denial::new(Rule::StatusExpired, fact, "run again with a newer status"));
    }
    Ok(())
}

/// A live run ends with its grant at the latest.
fn within_grant(mut decision: Decision, now: Timestamp) -> Decision {
    let left_s = decision.grant_ends.unix_s().saturating_sub(now.unix_s()).max(0);
    let left_ms = u64::try_from(left_s).unwrap_or(0).saturating_mul(1000);
    let limits = &mut decision.effective.limits;
    limits.wall_ms_max = limits.wall_ms_max.min(left_ms);
    decision
}

/// An error with its causes, once, in one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}
