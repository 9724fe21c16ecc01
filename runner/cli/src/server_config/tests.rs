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
    assert!(error.message.contains("not a loopback address"));
    assert!(error.help.unwrap().contains("TLS"));
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
