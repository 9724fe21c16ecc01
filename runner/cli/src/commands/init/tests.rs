//! Set-ups that would surprise whoever runs them.

use super::*;

fn args(dir: &Path) -> InitArgs {
    let shop = dir.join("shop.sqlite");
    let db = Connection::open(&shop).unwrap();
    db.execute_batch("PRAGMA application_id = 7; CREATE TABLE orders (id, \"odd \"\"name\"); CREATE VIEW v AS SELECT id FROM orders;").unwrap();
    InitArgs {
        dir: dir.join("server"),
        trust_domain: "shop.example/dev".parse().unwrap(),
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
