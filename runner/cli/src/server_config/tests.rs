//! Configurations that must not start a server.

use super::*;

const TEXT: &str = r#"
listen = "127.0.0.1:7777"
data_dir = "data"
runner = "runner-1"

[targets.shop-replica]
path = "/srv/shop.sqlite"

[limits]
concurrent_runs_max = 2
"#;

fn parse(text: &str) -> Result<ServerConfig, Failure> {
    ServerConfig::parse(text, Path::new("/etc/borescope"))
}

#[test]
fn paths_are_relative_to_the_file() {
    let config = parse(TEXT).unwrap();
    assert_eq!(config.data_dir, Path::new("/etc/borescope/data"));
    let target = &config.targets[&"shop-replica".parse().unwrap()];
    assert_eq!(target.path.as_deref(), Some(Path::new("/srv/shop.sqlite")));
    assert_eq!(config.limits.concurrent_runs_max, 2);
    assert_eq!(config.limits.compile_ms_max, 30_000);
}

#[test]
fn an_address_that_others_reach_is_refused_until_there_is_tls() {
    let error = parse(&TEXT.replace("127.0.0.1", "0.0.0.0")).unwrap_err();
    assert!(error.message.contains("beyond this machine, and there is no [tls]"));
    assert!(error.help.unwrap().contains("certificate_file"));
    // There is no other way to say it.
    for switch in ["tls = \"off\"", "[tls]\nenabled = false", "tls = false", "[tls]"] {
        let text = TEXT.replace("[limits]", &format!("{switch}\n[limits]"));
        let text = text.replace("127.0.0.1", "0.0.0.0");
        assert!(parse(&text).is_err(), "{switch}");
    }
}

fn with_tls(listen: &str, origin: &str) -> Result<ServerConfig, Failure> {
    let text = TEXT.replace("127.0.0.1:7777\"", &format!("{listen}\"\n{origin}"));
    parse(&format!("{text}\n[tls]\ncertificate_file = \"c.pem\"\nkey_file = \"/k.pem\"\n"))
}

#[test]
fn with_a_certificate_it_may_be_reached_under_a_name_that_it_knows() {
    let config = with_tls("0.0.0.0:443", "origin = \"https://Shop.example:443/\"").unwrap();
    let files = config.tls_files().unwrap();
    assert_eq!(files.certificate, Path::new("/etc/borescope/c.pem"));
    assert_eq!(files.key, Path::new("/k.pem"));
    assert_eq!(config.origins(config.listen), ["https://shop.example"]);
    let config = with_tls("10.0.0.1:443", "").unwrap();
    assert_eq!(config.origins(config.listen), ["https://10.0.0.1"]);
    let config = with_tls("127.0.0.1:7777", "").unwrap();
    let here = ["https://127.0.0.1:7777", "https://localhost:7777"];
    assert_eq!(config.origins(config.listen), here);
    let nameless = with_tls("0.0.0.0:443", "").unwrap_err();
    assert!(nameless.help.unwrap().contains("origin ="));
    for origin in
        ["http://127.0.0.1:1", "http://shop.example", "shop.example", "https://shop.example/x"]
    {
        let wrong = with_tls("10.0.0.1:443", &format!("origin = \"{origin}\"")).unwrap_err();
        assert!(wrong.message.starts_with("origin: "), "{}", wrong.message);
    }
}

#[test]
fn behind_a_proxy_on_this_machine_people_dial_the_proxy() {
    let text = TEXT.replace("data_dir", "origin = \"https://shop.example\"\ndata_dir");
    let config = parse(&text).unwrap();
    let dialled = ["http://127.0.0.1:7777", "http://localhost:7777", "https://shop.example"];
    assert_eq!(config.origins(config.listen), dialled);
}

#[test]
fn unknown_keys_are_refused_at_every_level() {
    for (from, to) in [
        ("data_dir", "prod = false\ndata_dir"),
        ("path =", "mode = \"rw\"\npath ="),
        ("concurrent_runs_max", "runs_max = 1\nconcurrent_runs_max"),
    ] {
        let error = parse(&TEXT.replace(from, to)).unwrap_err();
        assert!(error.message.contains("unknown field"), "{}", error.message);
    }
}

#[test]
fn a_capacity_of_zero_would_serve_nobody() {
    assert!(parse(&TEXT.replace("max = 2", "max = 0")).is_err());
}
