//! Descriptions that cannot mean what their author thinks.

use crate::postgres::{
    Access, Host, Identity, Password, PostgresSpec, Relation, Tls, check, startup_options,
};

fn spec() -> PostgresSpec {
    PostgresSpec {
        access: Access {
            host: Host::Tcp("replica.example".into()),
            port: 5432,
            tls: Tls::Off,
            password: Some(Password::new("hunter2".into())),
            application_name: "borescope".into(),
        },
        identity: Identity { system_identifier: 7, database: "shop".into(), role: "debug".into() },
        keys: crate::HashKeys::new(),
        reads: vec![Relation::plain("shop", "orders", vec!["id".into()])],
        statement_ms_max: 1_000,
        lag_s_max: 30,
        recursion: false,
        cost_max: 10_000_000,
        prod: false,
    }
}

fn problem(change: impl FnOnce(&mut PostgresSpec)) -> String {
    let mut spec = spec();
    change(&mut spec);
    spec.check().unwrap_err().to_string()
}

#[test]
fn production_over_tcp_needs_tls() {
    spec().check().unwrap();
    assert!(problem(|s| s.prod = true).contains("has no TLS"));
}

#[test]
fn a_relation_is_granted_once_and_is_no_catalog() {
    assert!(problem(|s| s.reads.clear()).contains("no relation"));
    assert!(problem(|s| s.reads.push(s.reads[0].clone())).contains("twice"));
    assert!(problem(|s| s.reads[0].columns.clear()).contains("none"));
    assert!(problem(|s| s.reads[0].columns.push("id".into())).contains("twice"));
    assert!(problem(|s| s.reads[0].schema = "pg_catalog".into()).contains("belongs to"));
    assert!(problem(|s| s.reads[0].name = "n".repeat(64)).contains("63 bytes"));
}

#[test]
fn a_socket_has_an_absolute_path_and_no_tls() {
    assert!(problem(|s| s.access.host = Host::Socket("run".into())).contains("not absolute"));
    assert!(problem(|s| s.access.host = Host::Tcp("/run/postgresql".into())).contains("path"));
    let socket = |s: &mut PostgresSpec| {
        s.access.host = Host::Socket("/run/postgresql".into());
        s.access.tls = Tls::VerifyFull { ca_pem: String::new() };
    };
    assert!(problem(socket).contains("has no TLS"));
}

#[tokio::test]
async fn a_ca_file_without_a_certificate_is_refused_before_dialling() {
    for ca_pem in ["", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
        let mut spec = spec();
        spec.access.tls = Tls::VerifyFull { ca_pem: ca_pem.into() };
        assert_eq!(check(&spec).await.unwrap_err().code(), "config");
    }
}

#[test]
fn the_password_shows_nowhere() {
    assert!(!format!("{:?}", spec()).contains("hunter2"));
}

#[test]
fn options_need_no_escapes() {
    // libpq's form splits at spaces and knows backslashes; no value may have either.
    let options = startup_options(1_500);
    assert!(options.split(' ').all(|part| part == "-c" || part.contains('=')), "{options}");
    assert!(!options.contains('\\') && options.ends_with("statement_timeout=1500"));
}
