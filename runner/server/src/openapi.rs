//! What `openapi.json` says about the API as a whole: its parts, its security, and the problems that
//! groups of operations answer with. Operations describe themselves where they are written
//! ([`crate::handlers`]); the codes' table is `api::Code`.

use std::collections::BTreeMap;

use api::{Code, PROBLEM_JSON, Problem, shapes};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{
    ContentBuilder, Header, HeaderBuilder, InfoBuilder, ObjectBuilder, OpenApi, OpenApiBuilder,
    Ref, RefOr, Response, ResponseBuilder, schema::Type,
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
    /// Reading a list, or what there is one of.
    Reads: 401 429 500 503;
    /// Finding one thing.
    Finds: 400 401 404 429 500 503;
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
        .schema("Code", Code::schema());
    for (name, schema) in shapes::texts() {
        components = components.schema(name, schema);
    }
    OpenApiBuilder::new()
        .info(InfoBuilder::new().title("Borescope").version("1").description(Some(ABOUT)))
        .components(Some(components.build()))
        .build()
}

/// The description as it is served. A wildcard of the router is an ordinary variable in OpenAPI.
pub(crate) fn finish(mut api: OpenApi) -> OpenApi {
    let paths = std::mem::take(&mut api.paths.paths);
    api.paths.paths =
        paths.into_iter().map(|(path, item)| (path.replace("{*", "{"), item)).collect();
    api
}
