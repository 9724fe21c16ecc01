//! Ways to targets that must not be taken for something else.

use std::path::Path;

use super::*;

fn settled(text: &str) -> Result<TargetConfig, String> {
    let mut target: TargetConfig = toml::from_str(text).map_err(|e| e.to_string())?;
    let said = |e: Failure| format!("{}; {}", e.message, e.help.unwrap_or_default());
    target.settle(&"orders".parse().unwrap(), Path::new("/etc/borescope")).map_err(said)?;
    Ok(target)
}

fn access(target: &TargetConfig) -> anyhow::Result<TargetAccess> {
    target.access(&"orders".parse().unwrap())
}

#[test]
fn a_socket_and_a_host_with_its_authority_are_ways() {
    let socket = settled("postgres = { socket = \"/run/postgresql\" }").unwrap();
    let TargetAccess::Postgres(access, _) = access(&socket).unwrap() else {
        panic!("it is a PostgreSQL target");
    };
    assert_eq!(
        (access.host, access.tls, access.port),
        (Host::Socket("/run/postgresql".into()), Tls::Off, 5432)
    );
    let host = settled("postgres = { host = \"db1\", ca_file = \"ca.pem\", port = 6432 }").unwrap();
    assert_eq!(host.postgres.unwrap().ca_file.as_deref(), Some(Path::new("/etc/borescope/ca.pem")));
    assert!(settled("postgres = { host = \"127.0.0.1\", tls = \"off\" }").is_ok());
}

#[test]
fn a_host_is_never_reached_without_tls_by_leaving_something_out() {
    let refused = [
        "postgres = { host = \"db1\" }",
        "postgres = { host = \"db1\", tls = \"prefer\" }",
        "postgres = { host = \"db1\", ca_file = \"ca.pem\", tls = \"off\" }",
        "postgres = { socket = \"/run\", host = \"db1\", tls = \"off\" }",
        "postgres = { socket = \"/run\", ca_file = \"ca.pem\" }",
        "postgres = {}",
        "path = \"/srv/shop.sqlite\"\npostgres = { socket = \"/run\" }",
        "",
    ];
    for text in refused {
        assert!(settled(text).is_err(), "{text}");
    }
    let said = settled(refused[0]).unwrap_err();
    assert!(said.contains("a host needs TLS") && said.contains("ca_file"), "{said}");
}

#[test]
fn a_missing_password_file_stops_the_server_and_its_line_break_is_no_password() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("orders.pass");
    let text = format!("postgres = {{ socket = \"/run\", password_file = {file:?} }}");
    let target = settled(&text).unwrap();
    let said = format!("{:#}", access(&target).unwrap_err());
    assert!(said.contains("orders.pass cannot be read"), "{said}");
    std::fs::write(&file, "secret\r\n").unwrap();
    let TargetAccess::Postgres(access, _) = access(&target).unwrap() else {
        panic!("it is a PostgreSQL target");
    };
    assert_eq!(access.password, Some(Password::new("secret".to_owned())));
}
