//! The client's part about who may do what: documents in force, proposals, key claims.

use domain::{Digest, TargetId};
use reqwest::Method;

use super::{Answer, Client};
use crate::types::{
    AnalysisStored, DocumentView, Envelope, KeyClaimView, KeyClaimed, ProposalView, TargetView,
};

impl Client {
    gets! {
        /// The keyring in force; also without a session.
        keyring() -> DocumentView = "/v1/keyring";
        /// Every keyring, up to the one in force; also without a session.
        keyrings() -> Vec<DocumentView> = "/v1/keyrings";
        /// The directory in force.
        directory() -> DocumentView = "/v1/directory";
        /// The policy in force.
        policy() -> DocumentView = "/v1/policy";
        /// The policy's targets.
        targets() -> Vec<TargetView> = "/v1/targets";
        /// Open proposals, newest first, without their envelopes.
        proposals() -> Vec<ProposalView> = "/v1/proposals";
        /// One proposal, with its envelope.
        proposal(digest: &Digest) -> ProposalView = "/v1/proposals/{digest}";
        /// Key claims, for holders of the role `directory`.
        key_claims() -> Vec<KeyClaimView> = "/v1/key-claims";
    }

    gets_bytes! {
        /// What a target's catalog has now of what policy grants there.
        catalog(target: &TargetId) = "/v1/targets/{target}/catalog";
        /// An analysis that a review names.
        analysis(digest: &Digest) = "/v1/analyses/{digest}";
    }

    /// Keeps an analysis's exact bytes for the review that names it.
    ///
    /// # Errors
    /// [`super::ClientError`].
    pub async fn store_analysis(&self, bytes: Vec<u8>) -> Answer<AnalysisStored> {
        self.once(self.call(Method::POST, "/v1/analyses").body(bytes), &self.fresh_key()).await
    }

    /// Asks a target's planner, by a signed plan request.
    ///
    /// # Errors
    /// [`super::ClientError`].
    pub async fn plan(&self, request: &Envelope) -> Answer<Vec<u8>> {
        let call = self.call(Method::POST, "/v1/plans").body(request.get().to_owned());
        let call = call.header("content-type", "application/json");
        let plan: Box<serde_json::value::RawValue> = self.once(call, &self.fresh_key()).await?;
        Ok(plan.get().as_bytes().to_vec())
    }

    files! {
        /// Proposes a signed keyring, directory or policy, or adds signatures to a proposal.
        propose -> ProposalView = "/v1/proposals";
    }

    /// Puts a proposal in force that has all its signatures.
    ///
    /// # Errors
    /// [`super::ClientError`]; its problem says what is missing.
    pub async fn adopt(&self, digest: &Digest) -> Answer<ProposalView> {
        let call = self.call(Method::POST, &format!("/v1/proposals/{digest}/adopt"));
        self.once(call, &self.fresh_key()).await
    }

    /// Takes back a proposal that this person has signed or handed in.
    ///
    /// # Errors
    /// [`super::ClientError`].
    pub async fn drop_proposal(&self, digest: &Digest) -> Answer<ProposalView> {
        let call = self.call(Method::POST, &format!("/v1/proposals/{digest}/drop"));
        self.once(call, &self.fresh_key()).await
    }

    /// Hands in a key claim; without a session.
    ///
    /// # Errors
    /// [`super::ClientError`].
    pub async fn claim_key(&self, claim: &Envelope) -> Answer<KeyClaimed> {
        let call = self.call(Method::POST, "/v1/key-claims").body(claim.get().to_owned());
        self.json(call.header("content-type", "application/json")).await
    }

    /// Forgets a key claim, for holders of the role `directory`.
    ///
    /// # Errors
    /// [`super::ClientError`].
    pub async fn drop_key_claim(&self, digest: &Digest) -> Answer<KeyClaimView> {
        let call = self.call(Method::POST, &format!("/v1/key-claims/{digest}/drop"));
        self.once(call, &self.fresh_key()).await
    }
}
