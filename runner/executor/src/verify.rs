//! From an order's bytes to a decision over the bytes that will be executed.
//!
//! Everything is derived here, at every run, from signed documents and the runner's own state. The
//! steps are in the order in which they can be trusted: who may say what, the run request, files and
//! input, all other documents, the decision, the component. Any failure is a [`Denial`].

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::decide::{StopSubject, Window};
use domain::{Decision, Denial, Digest, Pair, Rule, RunId, TargetId, Timestamp, decide};
use sandbox::Linked;
use targets::Connector;
use trust::{Authority, ChainDocuments, ChainFacts, Envelope, Local, RunRequest};

use crate::bundle::{Bundle, fetch};
use crate::order::RunOrder;
use crate::runner::{AdoptError, AuthorityDocuments, Inner, StopRefused};

/// A run that may start.
pub(crate) struct Allowed {
    pub(crate) decision: Decision,
    pub(crate) bundle: Arc<Bundle>,
    /// Every document of this run, verified.
    pub(crate) documents: ChainDocuments,
    /// Who said who they are.
    pub(crate) authority: Arc<Authority>,
    pub(crate) linked: Linked,
    pub(crate) connectors: BTreeMap<TargetId, Arc<dyn Connector>>,
    pub(crate) input: Vec<u8>,
    pub(crate) input_digest: Digest,
    /// The digest of the run request's payload.
    pub(crate) run_request: Digest,
    /// The digest of the access request's payload.
    pub(crate) request: Digest,
    pub(crate) use_number: u64,
    /// Everything whose stop must end this run.
    pub(crate) depends_on: Vec<StopSubject>,
}

/// A clock may be this much behind the newest entry, milliseconds: entries carry the ledger's time.
const CLOCK_SLACK_MS: u64 = 2_000;

impl Inner {
    /// Verifies an order for `run`.
    pub(crate) async fn verify(&self, run: &RunId, order: &[u8]) -> Result<Allowed, Denial> {
        self.clock_is_sane()?;
        let order = RunOrder::parse(order)
            .map_err(|e| document_invalid(&e, "send an order of this version"))?;
        let authority = self.authority_of(&order).await?;
        self.take_stops(&order.documents.stops).await?;
        let request = self.run_request(run, &authority, &order.documents.run_request)?;
        let bundle = self.bundles.get(&*self.blobs, &request.revision).await.map_err(|e| {
            let help = "submit the revision again; what was reviewed is what runs";
            Denial::new(Rule::BundleInvalid, chain(&e), help)
        })?;
        let input = self.input(&bundle, &request.input).await?;
        let now = self.clock.now();
        let access_request = request.request.ok_or_else(|| {
            let fact = "the run names no access request, and this runner has no self-serve yet";
            Denial::new(Rule::RequestMissing, fact, "file an access request and have it approved")
        })?;
        let in_force = self.state.in_force();
        let local = Local {
            now,
            runner: &self.name,
            manifest: &bundle.manifest,
            bundle: &bundle.index,
            input: Digest::of(&input),
            in_force: &in_force,
            run_id_spent: self.state.is_spent(run),
            uses_spent: self.state.uses_spent(&access_request),
            self_serve_runs: Vec::new(),
            owed: &[],
        };
        let chain_facts = trust::facts(&authority, &order.documents, local).map_err(|e| {
            document_invalid(
                &e,
                "have the document signed again, by the right person and about this run",
            )
        })?;
        let ChainFacts { facts, run_request, depends_on, .. } = chain_facts;
        let mut decision = decide(&facts)?;
        decision.grant_ends = decision.grant_ends.min(authority_ends(&authority));
        let run_window = facts.run.window;
        let (linked, connectors) =
            self.reach(&bundle, &decision, &request.pairs, &authority).await?;
        // Compiling may have taken a while; expiry is absolute.
        let now = self.clock.now();
        still_open(now, &run_window, decision.grant_ends)?;
        Ok(Allowed {
            depends_on,
            run_request,
            input_digest: request.input,
            use_number: request.use_number,
            request: access_request,
            decision: within_grant(decision, now),
            documents: order.documents,
            authority,
            bundle,
            linked,
            connectors,
            input,
        })
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
            directory: order.directory.clone(),
            policy: order.policy.clone(),
        };
        self.adopt(&documents).await.map_err(|e| {
            let rule = match e {
                AdoptError::Invalid(_) | AdoptError::NotThisRunner(_) => Rule::DocumentInvalid,
                AdoptError::NotRecorded(_) => Rule::NotRecorded,
            };
            let help = "send the newest keyring, directory and policy of the trust domain";
            Denial::new(rule, chain(&e), help)
        })
    }

    /// A stop counts whichever way it arrives; those that came with the order are kept.
    async fn take_stops(&self, stops: &[Envelope]) -> Result<(), Denial> {
        for stop in stops.iter().take(trust::chain::DOCUMENTS_MAX) {
            self.accept_stop(stop).await.map_err(|e| match e {
                StopRefused::NotRecorded(_) | StopRefused::Interrupted => {
                    Denial::new(Rule::NotRecorded, chain(&e), "repair the log's storage")
                }
                StopRefused::Malformed(_) | StopRefused::Invalid(_) | StopRefused::NoAuthority => {
                    document_invalid(&e, "send stops as they were signed")
                }
            })?;
        }
        Ok(())
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

    /// Links what is effective and finds the ways to the targets, before anything is spent.
    async fn reach(
        &self,
        bundle: &Bundle,
        decision: &Decision,
        pairs: &[Pair],
        authority: &Authority,
    ) -> Result<(Linked, BTreeMap<TargetId, Arc<dyn Connector>>), Denial> {
        let refused = |e: sandbox::Refusal| {
            let help = "change the component, or have what it needs granted in manifest, review and request";
            Denial::new(Rule::ComponentRefused, chain(&e), help)
        };
        let admitted = match self.sandbox.admitted(&bundle.component_digest) {
            Some(admitted) => admitted,
            None => self.sandbox.admit(Arc::clone(&bundle.component)).await.map_err(refused)?,
        };
        let linked = self.sandbox.link(&admitted, &decision.effective).map_err(refused)?;
        let mut connectors = BTreeMap::new();
        for pair in pairs {
            let unreachable =
                |fact: String| Denial::new(Rule::TargetUnknown, fact, "ask the runner's operator");
            let target = authority
                .target(&pair.target)
                .ok_or_else(|| unreachable(format!("the policy has no target {}", pair.target)))?;
            let connector =
                self.connectors.connector(target).map_err(|e| unreachable(chain(&e)))?;
            connectors.insert(pair.target.clone(), connector);
        }
        Ok((linked, connectors))
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

fn still_open(now: Timestamp, run: &Window, grant_ends: Timestamp) -> Result<(), Denial> {
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
    if now > grant_ends {
        let fact = format!("the grant ended at {grant_ends}, and it is {now}");
        return Err(Denial::new(Rule::GrantExpired, fact, "file a new access request"));
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
