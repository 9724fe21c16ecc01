//! What `openapi.json` says about the API as a whole: its parts, its security, and the problems that
//! groups of operations answer with. Operations describe themselves where they are written
//! ([`crate::handlers`]); the codes' table is `api::Code`.

use std::collections::BTreeMap;

use api::types::EventView;
use api::{Code, PROBLEM_JSON, Problem, shapes};
use utoipa::openapi::path::{Operation, Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{
    ContentBuilder, Header, HeaderBuilder, InfoBuilder, ObjectBuilder, OpenApi, OpenApiBuilder,
    Ref, RefOr, Required, Response, ResponseBuilder, SecurityRequirement, schema::Type,
};
use utoipa::{IntoResponses, PartialSchema as _};

const ABOUT: &str = "Reviewed, signed scripts against read replicas. A token alone never reviews, \
    approves or starts a run: those are signed documents, and the body is the envelope. Every \
    refusal is a problem (RFC 9457) with a stable `code`. POST takes `Idempotency-Key`; a call \
    that is repeated with it has no second effect.";

/// Groups of operations, by the problems that they answer with.
macro_rules! groups {
    ($($(#[$doc:meta])* $name:ident: $($status:literal)*;)*) => {$(
        $(#[$doc])*
        pub(crate) struct $name;

        impl IntoResponses for $name {
            fn responses() -> BTreeMap<String, RefOr<Response>> {
                problems(&[$($status),*])
            }
        }
    )*};
}

groups! {
    /// Operations that are open to everybody.
    Open: 500 503;
    /// Logging in.
    Login: 400 401 413 429 500 503;
    /// Claiming a key.
    Claims: 400 413 422 429 500 503;
    /// Reading a list that only holders of a role may read.
    Holds: 401 403 429 500 503;
    /// Reading a list, or what there is one of.
    Reads: 401 429 500 503;
    /// Finding one thing.
    Finds: 400 401 404 429 500 503;
    /// Finding one thing that is not for everybody who knows of it.
    Shows: 400 401 403 404 429 500 503;
    /// Doing something to one thing.
    Acts: 400 401 403 404 409 413 422 429 500 503;
    /// Filing a document or bytes.
    Files: 400 401 403 404 409 413 422 429 500 503;
}

fn problems(statuses: &[u16]) -> BTreeMap<String, RefOr<Response>> {
    statuses.iter().map(|status| (status.to_string(), problem(*status).into())).collect()
}

/// A problem with this status: its description lists the codes that have it.
fn problem(status: u16) -> Response {
    let codes = Code::ALL.iter().filter(|code| code.status() == status);
    let codes: Vec<String> = codes.map(|code| format!("`{code}`")).collect();
    let body = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
    let mut response = ResponseBuilder::new()
        .description(format!("A problem, with one of the codes {}.", codes.join(", ")))
        .content(PROBLEM_JSON, body);
    if matches!(status, 409 | 429 | 503) {
        response = response.header("Retry-After", seconds());
    }
    response.build()
}

fn seconds() -> Header {
    let seconds = ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(0));
    HeaderBuilder::new()
        .schema(Some(seconds))
        .description(Some("Seconds after which the same call may do better, where that is known."))
        .build()
}

/// The description without operations.
pub(crate) fn base() -> OpenApi {
    let session = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some("The token of `POST /v1/sessions`."))
        .build();
    let mut components = utoipa::openapi::ComponentsBuilder::new()
        .security_scheme("session", SecurityScheme::Http(session))
        .schema("Problem", Problem::schema())
        .schema("Code", Code::schema())
        .schema("EventView", EventView::schema())
        .schema("AuditKind", shapes::AuditKind::schema());
    for (name, schema) in shapes::texts() {
        components = components.schema(name, schema);
    }
    OpenApiBuilder::new()
        .info(InfoBuilder::new().title("Borescope").version("1").description(Some(ABOUT)))
        .components(Some(components.build()))
        .build()
}

/// The description as it is served. A wildcard of the router is an ordinary variable in OpenAPI, and
/// every POST of somebody takes an idempotency key.
pub(crate) fn finish(mut api: OpenApi) -> OpenApi {
    let paths = std::mem::take(&mut api.paths.paths);
    for (path, mut item) in paths {
        if let Some(post) = item.post.as_mut().filter(|post| is_somebodys(post)) {
            post.parameters.get_or_insert_default().push(idempotency_key().into());
        }
        api.paths.paths.insert(path.replace("{*", "{"), item);
    }
    api
}

fn is_somebodys(operation: &Operation) -> bool {
    let session = SecurityRequirement::new::<_, [String; 0], String>("session", []);
    operation.security.as_ref().is_some_and(|security| security.contains(&session))
}

/// The header that [`crate::once`] reads.
fn idempotency_key() -> Parameter {
    let about = "Yours, for one call: a repetition has no second effect and gets the first answer, \
        for a day. With another path or body it is refused. A refusal gives it back.";
    let key = ObjectBuilder::new()
        .schema_type(Type::String)
        .pattern(Some("^[!-~]{1,128}$"))
        .examples(["0198f0c0-0000-7000-8000-000000000000"]);
    ParameterBuilder::new()
        .name("Idempotency-Key")
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some(about))
        .schema(Some(key))
        .build()
}
