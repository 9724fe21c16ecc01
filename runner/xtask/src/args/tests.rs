//! Command lines that people type, and those that they type wrong.

use super::*;

fn parsed(line: &str) -> Result<Task, String> {
    let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
    parse(&words)
}

#[test]
fn each_command_is_understood_and_explains_itself() {
    for (command, task) in [
        ("test", Task::Test(Tests::default())),
        ("tidy", Task::Tidy),
        ("lint", Task::Lint),
        ("ci", Task::Ci),
        ("bench", Task::Bench(None)),
        ("mutate", Task::Mutate(Mutants::default())),
        ("faults", Task::Faults(10)),
    ] {
        assert_eq!(parsed(command), Ok(task));
        let Ok(Task::Help(text)) = parsed(&format!("{command} --help")) else {
            panic!("`{command} --help` must be help");
        };
        assert!(text.starts_with(&format!("usage: cargo xtask {command}")), "{text}");
        assert!(HELP.contains(&format!("\n  {command} ")), "the overview forgets `{command}`");
    }
    assert_eq!(parsed(""), Ok(Task::Help(HELP.to_owned())));
}

#[test]
fn one_group_can_be_chosen_and_a_wrong_one_gets_the_list() {
    let pure = Tests { group: groups::find("pure"), install: false };
    assert_eq!(parsed("test --group pure"), Ok(Task::Test(pure)));
    let installed = Tests { install: true, ..pure };
    assert_eq!(parsed("test --install --group pure"), Ok(Task::Test(installed)));
    for wrong in ["test --group nosuch", "test --group"] {
        let problem = parsed(wrong).expect_err("must be refused");
        assert!(problem.contains("pure"), "the way forward is missing: {problem}");
    }
}

#[test]
fn benches_can_be_chosen_by_a_part_of_their_name() {
    assert_eq!(parsed("bench row"), Ok(Task::Bench(Some("row".to_owned()))));
    assert!(parsed("bench --fast").is_err(), "an unknown flag is no filter");
    assert!(parsed("bench rows ledger").is_err(), "one filter at a time");
}

#[test]
fn a_corpus_is_a_file() {
    let corpus = Corpus { file: Some("c.json".into()), live: true };
    assert_eq!(parsed("sql-corpus --live c.json"), Ok(Task::SqlCorpus(corpus)));
    for wrong in ["sql-corpus", "sql-corpus --live", "sql-corpus a b", "sql-corpus --dead a"] {
        assert!(parsed(wrong).is_err(), "{wrong}");
    }
    let Ok(Task::Help(text)) = parsed("sql-corpus --help") else { panic!("must be help") };
    assert!(text.starts_with("usage: cargo xtask sql-corpus"), "{text}");
    assert!(HELP.contains("\n  sql-corpus "), "the overview forgets it");
}

#[test]
fn an_oracle_takes_a_seed_and_a_count() {
    assert_eq!(parsed("sql-oracle"), Ok(Task::SqlOracle(vec![])));
    assert_eq!(parsed("sql-oracle 7 100"), Ok(Task::SqlOracle(vec![7, 100])));
    for wrong in ["sql-oracle seven", "sql-oracle 1 2 3", "sql-oracle --live"] {
        assert!(parsed(wrong).is_err(), "{wrong}");
    }
    assert!(HELP.contains("\n  sql-oracle "), "the overview forgets it");
}

#[test]
fn mutants_can_be_chosen_and_built_elsewhere() {
    let (filter, target_dir) = (Some("stop".to_owned()), Some("/t".into()));
    let wanted = Mutants { filter, target_dir, boundary: true, unseen: true };
    assert_eq!(parsed("mutate --target-dir /t --boundary --unseen stop"), Ok(Task::Mutate(wanted)));
    assert!(parsed("mutate --target-dir").is_err(), "a directory is wanted");
    assert!(parsed("mutate stop lift").is_err(), "one filter at a time");
    assert_eq!(parsed("faults 3"), Ok(Task::Faults(3)));
    assert!(parsed("faults 0").is_err() && parsed("faults often").is_err(), "a number");
}

#[test]
fn what_is_not_understood_is_refused_rather_than_ignored() {
    for wrong in
        ["tests", "tidy --group pure", "ci --release", "test pure", "bench --all", "tidy --help me"]
    {
        assert!(parsed(wrong).is_err(), "`{wrong}` must be refused");
    }
}
