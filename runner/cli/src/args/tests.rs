//! What a person mistypes on the command line.

use clap::CommandFactory as _;

use super::*;

fn parse(line: &str) -> Result<Cli, clap::Error> {
    super::parse(&line.split_whitespace().map(OsString::from).collect::<Vec<_>>())
}

#[test]
fn what_was_pasted_cannot_forge_a_line_of_the_error() {
    let pasted = "x\nok: signed\u{1b}[2J";
    let words = ["borescope", "run", "--input", "x", "--request", pasted];
    let error = super::parse(&words.map(OsString::from)).unwrap_err().to_string();
    assert!(error.contains("x\\nok: signed\\u{1b}[2J"), "{error}");
    assert!(!error.contains("\nok: signed"), "{error}");
}

#[test]
fn the_definition_is_sound() {
    Cli::command().debug_assert();
}

#[test]
fn every_command_shows_an_example() {
    for command in Cli::command().get_subcommands_mut() {
        let help = command.render_long_help().to_string();
        let example = format!("borescope {}", command.get_name());
        assert!(help.contains(&example), "{help}");
    }
}

/// Every file of the product's sources.
fn sources(dir: &std::path::Path, found: &mut Vec<String>) {
    for entry in std::fs::read_dir(dir).unwrap().map(Result::unwrap) {
        let path = entry.path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(std::fs::read_to_string(path).unwrap());
        }
    }
}

#[test]
fn a_command_that_any_text_names_exists() {
    let runner = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut texts = vec![std::fs::read_to_string(runner.join("../README.md")).unwrap()];
    let crates = [
        "api", "app", "cli", "domain", "executor", "ledger", "sandbox", "server", "store",
        "targets", "trust",
    ];
    for krate in crates {
        sources(&runner.join(krate).join("src"), &mut texts);
    }
    let known = Cli::command();
    // A path that ends so.
    let prose = ["is"];
    for text in &texts {
        for rest in text.split("borescope ").skip(1) {
            let end = rest.find(|c: char| !c.is_ascii_lowercase() && c != '-');
            let verb = &rest[..end.unwrap_or(rest.len())];
            let is_verb = verb.is_empty() || verb == "--version" || prose.contains(&verb);
            assert!(is_verb || known.find_subcommand(verb).is_some(), "borescope {verb}");
        }
    }
}

#[test]
fn json_and_identity_are_accepted_after_the_verb() {
    let cli = parse("borescope runs --json --as bob --url http://127.0.0.1:1 --key k").unwrap();
    assert!(cli.json);
    assert_eq!(cli.who.person.unwrap().as_str(), "bob");
}

#[test]
fn a_review_has_one_verdict() {
    let line = "borescope review sha256:aa --target shop=shop-replica";
    assert!(parse(&format!("{line} --approve --reject")).is_err());
    assert!(parse(&format!("{line} --approve --yes")).is_ok());
    assert!(parse(line).is_ok());
}

#[test]
fn a_request_has_bounds() {
    let line = "borescope request stuck-orders --on shop=db --input i.json --reason x --uses 3 --duration 30m";
    assert!(parse(line).is_ok());
    assert!(parse(&format!("{line} --until 5")).is_ok());
    assert!(parse(&format!("{line} --uses 0")).is_err());
}

#[test]
fn a_scripts_options_wait_until_its_schema_is_at_hand() {
    let cli = parse("borescope run stuck-orders --since 2h --on db --reason x --full").unwrap();
    let Command::Run(args) = cli.command else { panic!("it is a run") };
    assert_eq!(args.what.reference.as_deref(), Some("stuck-orders"));
    assert!(args.what.typed.iter().any(|word| word == "--full"));
    // Nobody would read them here.
    assert!(
        parse("borescope run --resume req_0198f0c0-0000-7000-8000-000000000000 --since 2h")
            .is_err()
    );
    assert!(parse("borescope run --resume nonsense").is_err());
}

#[test]
fn waiting_is_bounded() {
    let line = "borescope run --request req_0198f0c0-0000-7000-8000-000000000000 --input i.json";
    assert!(parse(&format!("{line} --wait 60s")).is_ok());
    assert!(parse(&format!("{line} --wait forever")).is_err());
}

#[test]
fn whom_one_asks_about_is_not_who_asks() {
    for line in ["keys show --person bob", "policy who-can --person bob"] {
        let cli = parse(&format!("borescope {line} --as alice")).unwrap();
        assert_eq!(cli.who.person.unwrap().as_str(), "alice", "{line}");
    }
    assert!(parse("borescope policy who-can").is_err());
    assert!(parse("borescope policy who-can --person bob --target shop").is_err());
}
