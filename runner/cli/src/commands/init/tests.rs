//! Set-ups that would surprise whoever runs them.

use super::*;

fn args(dir: &Path) -> InitArgs {
    let shop = dir.join("shop.sqlite");
    let db = Connection::open(&shop).unwrap();
    db.execute_batch("PRAGMA application_id = 7; CREATE TABLE orders (id, \"odd \"\"name\"); CREATE VIEW v AS SELECT id FROM orders;").unwrap();
    InitArgs {
        dir: dir.join("server"),
        trust_domain: Some("shop.example/dev".parse().unwrap()),
        solo: false,
        self_serve: false,
        people: vec!["alice".parse().unwrap(), "bob".parse().unwrap()],
        targets: vec![("shop-replica".parse().unwrap(), shop)],
        listen: "127.0.0.1:7777".parse().unwrap(),
        runner: "runner-1".parse().unwrap(),
    }
}

#[test]
fn the_first_policy_lists_every_column_so_that_people_can_strike_them_out() {
    let dir = tempfile::tempdir().unwrap();
    let text = targets_source(&args(dir.path())).unwrap();
    assert!(text.contains("prod = false"));
    assert!(text.contains("application_id = 7"));
    assert!(text.contains("{ table = \"orders\", columns = [\"id\", 'odd \"name'] }"), "{text}");
    assert!(text.contains("{ table = \"v\", columns = [\"id\"] }"), "{text}");
}

#[test]
fn the_server_file_can_be_read_back() {
    let dir = tempfile::tempdir().unwrap();
    let text = server_source(&args(dir.path()));
    let config = crate::server_config::ServerConfig::parse(&text, dir.path()).unwrap();
    assert_eq!(config.targets.len(), 1);
    assert_eq!(config.data_dir, dir.path().join("data"));
}

#[test]
fn a_target_needs_id_and_path() {
    assert!(target("shop").unwrap_err().contains("ID=PATH"));
    assert!(target("Shop=/x").is_err());
}

#[test]
fn one_person_is_solo_and_solo_is_one_person() {
    let dir = tempfile::tempdir().unwrap();
    let mut args = args(dir.path());
    assert_eq!(trust_domain(&args).unwrap().as_str(), "shop.example/dev");
    args.trust_domain = Some("solo/alice".parse().unwrap());
    assert!(trust_domain(&args).is_err(), "solo is said, not slipped in");
    args.solo = true;
    assert!(trust_domain(&args).is_err(), "there are two people");
    args.people.truncate(1);
    assert_eq!(trust_domain(&args).unwrap().as_str(), "solo/alice");
    args.trust_domain = None;
    assert_eq!(trust_domain(&args).unwrap().as_str(), "solo/alice");
    args.trust_domain = Some("shop.example/dev".parse().unwrap());
    assert!(trust_domain(&args).is_err());
}
