//! How the texts and records of crate `domain` look in JSON, for `openapi.json`.
//!
//! `domain` is pure and knows no OpenAPI, so the shapes are named here, beside the types that carry
//! them; nothing is ever built from them. That they say what is sent is checked by a client that
//! validates every answer (`tests/schemathesis`). Not here: the bodies themselves ([`crate::types`]).

use std::borrow::Cow;

use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{AdditionalProperties, ObjectBuilder, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

use crate::Code;

/// A UUIDv7 behind the prefix of its kind.
macro_rules! id_pattern {
    ($prefix:literal) => {
        concat!(
            "^",
            $prefix,
            "_[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$"
        )
    };
}

macro_rules! texts {
    ($(#[doc = $doc:literal] $name:ident = $pattern:expr, $example:literal;)*) => {
        $(
            #[doc = $doc]
            #[derive(Debug, Clone, Copy)]
            pub struct $name;

            impl PartialSchema for $name {
                fn schema() -> RefOr<Schema> {
                    ObjectBuilder::new()
                        .schema_type(Type::String)
                        .description(Some($doc.trim()))
                        .pattern(Some($pattern))
                        .examples([$example])
                        .into()
                }
            }

            impl ToSchema for $name {
                fn name() -> Cow<'static, str> {
                    stringify!($name).into()
                }
            }
        )*

        /// Every text with its name: those that only paths and headers use are listed as well.
        #[must_use]
        pub fn texts() -> Vec<(String, RefOr<Schema>)> {
            vec![$((stringify!($name).to_owned(), $name::schema())),*]
        }

        /// Every pattern with its example.
        #[cfg(test)]
        pub(crate) const EXAMPLES: &[(&str, &str, &str)] =
            &[$((stringify!($name), $pattern, $example)),*];
    };
}

texts! {
    /// A digest: `sha256:` and 64 lower-case hex digits.
    Sha256 = "^sha256:[0-9a-f]{64}$",
        "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    /// A person, service principal or agent, as the directory names it.
    Person = "^[a-z0-9][a-z0-9._@+-]{0,63}$", "alice";
    /// A script's name.
    Script = "^[a-z0-9][a-z0-9-]{0,63}$", "stuck-orders";
    /// A script's version: three numbers with dots.
    Version = "^(0|[1-9][0-9]{0,5})\\.(0|[1-9][0-9]{0,5})\\.(0|[1-9][0-9]{0,5})$", "1.2.0";
    /// A real target, as the policy names it.
    Target = "^[a-z0-9][a-z0-9.:-]{0,63}$", "shop-replica";
    /// A file's path in a bundle.
    Path = "^[a-z0-9][a-z0-9._-]*(/[a-z0-9][a-z0-9._-]*)*$", "queries/stuck.sql";
    /// A login session's id.
    Session = id_pattern!("ses"), "ses_0198f0c0-0000-7000-8000-000000000000";
    /// An access request's id.
    AccessRequest = id_pattern!("req"), "req_0198f0c0-0000-7000-8000-000000000000";
    /// A run's id; chosen by the caller, spent once.
    Run = id_pattern!("run"), "run_0198f0c0-0000-7000-8000-000000000000";
    /// A receipt's id.
    Receipt = id_pattern!("rcp"), "rcp_0198f0c0-0000-7000-8000-000000000000";
    /// A signed document's id, or the digest of its payload.
    Reference = "^([a-z]{2,4}_[0-9a-f-]{36}|sha256:[0-9a-f]{64})$",
        "rev_0198f0c0-0000-7000-8000-000000000000";
}

/// A signed document: a DSSE envelope whose signatures are SSHSIG blobs over the PAE. Its exact bytes
/// are what is kept.
#[derive(Debug, Clone, ToSchema)]
#[schema(as = Envelope)]
#[serde(deny_unknown_fields)]
pub struct EnvelopeShape {
    /// The payload's bytes, standard base64.
    pub payload: String,
    /// `application/vnd.borescope.<document>.v1+json`
    #[serde(rename = "payloadType")]
    pub payload_type: String,
    /// At least one.
    pub signatures: Vec<SignatureShape>,
}

/// One signature of an envelope.
#[derive(Debug, Clone, ToSchema)]
#[schema(as = Signature)]
#[serde(deny_unknown_fields)]
pub struct SignatureShape {
    /// The key's fingerprint, as `SHA256:…`.
    pub keyid: String,
    /// The SSHSIG blob, standard base64.
    pub sig: String,
}

/// Why a run does not start: which rule, which fact, and what would help.
#[derive(Debug, Clone, ToSchema)]
#[schema(as = Denial)]
#[serde(deny_unknown_fields)]
pub struct DenialShape {
    /// The code of the rule that failed.
    pub rule: String,
    /// The fact that it failed on.
    pub fact: String,
    /// What would help.
    pub help: String,
}

/// Where a run is: `phase` is `queued`, `running` or `ended`; an ended one has its outcome.
#[derive(Debug, Clone, ToSchema)]
#[schema(as = RunState)]
#[serde(tag = "phase", rename_all = "kebab-case")]
pub enum RunStateShape {
    /// Accepted, waiting for a slot.
    Queued,
    /// The runner has recorded its start.
    Running,
    /// Over.
    Ended {
        /// How.
        outcome: OutcomeShape,
    },
}

/// How a run ended.
#[derive(Debug, Clone, ToSchema)]
#[schema(as = Outcome)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum OutcomeShape {
    /// The script returned a value.
    Succeeded,
    /// The script returned an error or trapped.
    Failed,
    /// It never started.
    Denied,
    /// It hit a limit that ends runs.
    LimitExceeded {
        /// The limit's name.
        limit: String,
    },
    /// Somebody cancelled it, or a stop arrived.
    Cancelled,
    /// The runner died or could not record.
    Lost,
}

/// One frame of a run's event stream.
#[derive(Debug, Clone, ToSchema)]
pub struct EventFrame {
    /// The event's number in the run, for `Last-Event-ID`.
    pub id: String,
    /// `started`, `progress` or `ended`.
    pub event: String,
    /// The JSON text of an `EventView`.
    pub data: String,
}

/// The parts of an upload: the field's name is the file's path in the bundle, `bundle.sha256`
/// included.
#[derive(Debug, Clone, Copy)]
pub struct Bundle;

impl PartialSchema for Bundle {
    fn schema() -> RefOr<Schema> {
        let file = ObjectBuilder::new().content_media_type("application/octet-stream");
        let file: RefOr<Schema> = file.schema_type(Type::String).into();
        ObjectBuilder::new()
            .schema_type(Type::Object)
            .description(Some("A field for each file; its name is the file's path in the bundle."))
            .additional_properties(Some(AdditionalProperties::RefOr(file)))
            .into()
    }
}

impl ToSchema for Bundle {
    fn name() -> Cow<'static, str> {
        "Bundle".into()
    }
}

/// Any JSON value: an input, a script's value.
#[derive(Debug, Clone, Copy)]
pub struct AnyJson;

impl PartialSchema for AnyJson {
    fn schema() -> RefOr<Schema> {
        utoipa::openapi::schema::empty().into()
    }
}

impl ToSchema for AnyJson {
    fn name() -> Cow<'static, str> {
        "AnyJson".into()
    }
}

/// The kinds of events in the audit.
pub const AUDIT_KINDS: [&str; 20] = [
    "log-opened",
    "submission-accepted",
    "review-accepted",
    "request-accepted",
    "approval-accepted",
    "stop-accepted",
    "rejection-accepted",
    "lift-accepted",
    "withdrawal-accepted",
    "after-review-accepted",
    "keyring-adopted",
    "directory-adopted",
    "policy-adopted",
    "run-denied",
    "run-started",
    "run-finished",
    "run-lost",
    "run-read",
    "catalog-read",
    "plan-read",
];

/// A kind of event in the audit.
#[derive(Debug, Clone, Copy)]
pub struct AuditKind;

impl PartialSchema for AuditKind {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .description(Some("What happened, as the leaves of the log name it."))
            .enum_values(Some(AUDIT_KINDS))
            .into()
    }
}

impl ToSchema for AuditKind {
    fn name() -> Cow<'static, str> {
        "AuditKind".into()
    }
}

impl PartialSchema for Code {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .description(Some("The stable code of a refusal."))
            .enum_values(Some(Self::ALL.iter().map(|code| code.code())))
            .into()
    }
}

impl ToSchema for Code {
    fn name() -> Cow<'static, str> {
        "Code".into()
    }
}
