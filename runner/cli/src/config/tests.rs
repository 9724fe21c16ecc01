//! Contexts that are missing, ambiguous or not for others to read.

use super::*;

const TEXT: &str = r#"
current = "shop"

[contexts.shop]
url = "http://127.0.0.1:7777"
person = "alice"
key = "/home/alice/.ssh/id_ed25519"
trust_domain = "shop.example/dev"
keyring = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
"#;

#[test]
fn a_context_survives_being_written() {
    let dir = tempfile::tempdir().unwrap();
    let config: Config = toml::from_str(TEXT).unwrap();
    config.save(dir.path()).unwrap();
    assert_eq!(Config::load(dir.path()).unwrap(), config);
}

#[test]
fn the_command_line_wins_over_the_context() {
    let config: Config = toml::from_str(TEXT).unwrap();
    let who = Who {
        person: Some("bob".parse().unwrap()),
        key: Some("/tmp/bob".into()),
        ..Who::default()
    };
    let (name, context) = config.choose(&who).unwrap();
    assert_eq!((name.as_str(), context.person.as_str()), ("shop", "bob"));
    assert_eq!(context.key, Path::new("/tmp/bob"));
    assert_eq!(context.url, "http://127.0.0.1:7777");
}

#[test]
fn an_unknown_key_is_a_mistake_that_is_not_ignored() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("config.toml"), "tokn = \"x\"\n").unwrap();
    let error = Config::load(dir.path()).unwrap_err();
    assert!(error.to_string().contains("tokn"), "{error}");
}

#[test]
fn without_a_context_the_error_shows_the_login_command() {
    let error = Config::default().choose(&Who::default()).unwrap_err();
    let failure = error.downcast_ref::<Failure>().unwrap();
    assert!(failure.help.as_deref().unwrap().contains("borescope login"));
}

#[test]
fn a_context_name_cannot_leave_the_directory() {
    assert!(context_name("../../etc").is_err());
    assert!(context_name("shop-prod").is_ok());
}

#[test]
fn a_token_is_kept_where_only_its_owner_reads_it() {
    use std::os::unix::fs::PermissionsExt as _;
    let dir = tempfile::tempdir().unwrap();
    assert_eq!(token(dir.path(), "shop"), None);
    keep_token(dir.path(), "shop", "abc").unwrap();
    assert_eq!(token(dir.path(), "shop").as_deref(), Some("abc"));
    let mode = fs::metadata(dir.path().join("shop.token")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    forget_token(dir.path(), "shop").unwrap();
    assert_eq!(token(dir.path(), "shop"), None);
    forget_token(dir.path(), "shop").unwrap();
}
