//! The API as a stranger's client uses it: schemathesis reads `openapi.json` and tries everything
//! that it allows, and much that it does not, against a real `borescope serve`.
//!
//! It must find no failure of the server, no status, content type, header or body that is not
//! documented, no bad call that is accepted, and no route that forgets to ask who calls. Seed and
//! number of examples are fixed. Not checked: that every well-formed body is accepted
//! (`positive_data_acceptance`: an envelope of random base64 is well-formed and signed by nobody).
//! A binary of its own: it needs a Python package, and says so when that is missing.

#![expect(clippy::unwrap_used, reason = "a scenario that cannot be set up has failed")]

mod machine;

use std::path::Path;
use std::process::Command;

use machine::{Machine, client, free_port};

/// The same calls every time.
const SEED: &str = "20261124";

/// What must hold of every answer.
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,\
    response_headers_conformance,response_schema_conformance,negative_data_rejection,\
    unsupported_method,allow_header_conformance,ignored_auth,use_after_free,\
    ensure_resource_availability";

/// One pass of the client; `settings` is its configuration file.
fn pass(dir: &Path, url: &str, examples: &str, settings: &str, headers: &[String]) {
    std::fs::create_dir_all(dir).unwrap();
    std::fs::write(dir.join("schemathesis.toml"), settings).unwrap();
    let mut command = Command::new(client());
    command.current_dir(dir).args(["run", &format!("{url}/openapi.json")]);
    command.args(["--checks", CHECKS, "--seed", SEED, "--max-examples", examples]);
    command.args(["--phases", "coverage,fuzzing", "--continue-on-failure"]);
    command.args(["--request-timeout", "20", "--workers", "1", "--no-color", "--warnings", "off"]);
    command.args(["--generation-database", "none", "--suppress-health-check", "all"]);
    for header in headers {
        command.args(["--header", header]);
    }
    let output = command.output().unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{told}\n{stderr}");
    // A client that tried nothing has found nothing.
    assert!(told.contains("Test cases:") || told.contains("test cases"), "{told}");
}

/// Real ids where they fit, so that answers of success are checked as well.
fn known(revision: &str, request: &str, run: &str, session: &str) -> String {
    let mut settings = String::new();
    let mut know = |path: &str, name: &str, value: &str| {
        settings.push_str(&format!(
            "[[operations]]\ninclude-path = \"{path}\"\nparameters = {{ \"path.{name}\" = \"{value}\" }}\n\n"
        ));
    };
    for end in
        ["", "/input", "/result", "/receipt", "/recording", "/evidence", "/events", "/cancel"]
    {
        know(&format!("/v1/runs/{{id}}{end}"), "id", run);
    }
    know("/v1/sessions/{id}", "id", session);
    know("/v1/access-requests/{id}", "id", request);
    know("/v1/access-requests/{id}/input", "id", request);
    know("/v1/revisions/{digest}", "digest", revision);
    know("/v1/documents/{reference}", "reference", request);
    settings
}

#[test]
fn a_strangers_client_finds_nothing() {
    let machine = Machine::new();
    let listen = format!("127.0.0.1:{}", free_port());
    let url = format!("http://{listen}");
    machine.found(&listen);
    let _server = machine.serve();
    let token = machine.token("alice", &url);
    machine.token("bob", &url);
    let [revision, request, run] = machine.run_once();
    let session = format!("Authorization: Bearer {token}");

    pass(&machine.path("anybody"), &url, "5", "", &[]);
    // The client learns ids from answers. It must not end the session that it works with.
    let spare = "[[operations]]\ninclude-path = \"/v1/sessions/{id}\"\nparameters = \
        { \"path.id\" = \"ses_0198f0c0-0000-7000-8000-000000000000\" }\n";
    pass(&machine.path("alice"), &url, "15", spare, std::slice::from_ref(&session));
    let known = known(&revision, &request, &run, &machine.other_session("alice", &url));
    pass(&machine.path("known"), &url, "5", &known, &[session]);

    // It still works after all that.
    let log = machine.json(&["--context", "alice", "show", &run]);
    assert!(log[0].to_string().contains("succeeded"), "{log:?}");
}
