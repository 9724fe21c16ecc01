//! Three in the morning: one command between the pager and the answer.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use domain::decide::{Quorum, SelfServeRules};
use serde_json::Value;
use trust::{Keyring, Policy};

use super::machine::text as field;
use super::team::Team;

/// What the person types, with a window in which the shop's trouble is.
const PAGED: [&str; 8] = [
    "run",
    "stuck-orders",
    "--on",
    "shop-replica",
    "--since",
    "2026-11-01 00:00 UTC",
    "--paid-before",
    "2026-11-21T01:00:00+01:00",
];

fn engineers() -> Quorum {
    let groups = vec!["engineers".parse().unwrap()];
    Quorum { required: 1, groups, from_each: vec![] }
}

fn self_serve(keyring: &mut Keyring, policy: &mut Policy) {
    keyring.floors.self_serve = true;
    let rules = SelfServeRules { groups: engineers().groups, runs_per_day: 30 };
    policy.targets.iter_mut().for_each(|t| t.self_serve = Some(rules.clone()));
}

/// Somebody's command that goes on while others act.
struct Going {
    child: Child,
    lines: std::sync::mpsc::Receiver<Value>,
}

impl Going {
    fn start(team: &Team, who: &str, args: &[&str]) -> Self {
        let all = [&["--context", who, "--json"], args].concat();
        let mut command = team.m.command(&all);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let (to, lines) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                if to.send(serde_json::from_str(&line).unwrap()).is_err() {
                    break;
                }
            }
        });
        Self { child, lines }
    }

    /// The next line for programs; there has to be one.
    fn next(&self) -> Value {
        self.lines.recv_timeout(Duration::from_secs(60)).unwrap()
    }

    fn interrupt(&self) {
        let kill = Command::new("kill").args(["-INT", &self.child.id().to_string()]).status();
        assert!(kill.unwrap().success());
    }

    /// The exit code, and what it told people.
    fn end(self) -> (i32, String) {
        let ended = self.child.wait_with_output().unwrap();
        // Without a code a signal ended it.
        (ended.status.code().unwrap(), String::from_utf8(ended.stderr).unwrap())
    }
}

#[test]
fn what_is_open_to_them_is_answered_by_one_command_in_their_words() {
    let team = Team::found(|keyring, _, policy| self_serve(keyring, policy));
    team.reviewed(&["--self-serve", "engineers:30"]);

    let help = team.good("alice", &["run", "stuck-orders", "--help"]);
    for part in ["--since <TIME>", "Orders paid at this time", "[0 to 8] [default: 3]", "--reason"]
    {
        assert!(help.contains(part), "{part}: {help}");
    }
    let told = team.refused(2, "alice", &["run", "stuck-orders", "--since", "2h"]);
    assert!(told.contains("say where: --on shop-replica"), "{told}");
    let told = team.refused(2, "alice", &["run", "stuck-orders", "--on", "shop-replica"]);
    assert!(told.contains("--since <TIME>"), "what is missing: {told}");
    let told = team.refused(2, "alice", &[&PAGED[..], &["--samples", "9"]].concat());
    assert!(told.contains("--samples <N>") && told.contains("8"), "{told}");
    let told = team.refused(2, "alice", &[&PAGED[..], &["--sampels", "9"]].concat());
    assert!(told.contains("--samples"), "a similar one: {told}");

    let told = team.good("alice", &[&PAGED[..], &["--samples", "2"]].concat());
    for part in [
        "stuck-orders 1.0.0  sha256:",
        "--since 2026-11-01T00:00:00Z (",
        "--paid-before 2026-11-21T00:00:00Z (",
        "no approval is needed",
        "never-scanned",
        "receipt  rcp_",
    ] {
        assert!(told.contains(part), "{part}: {told}");
    }
    assert!(!told.contains("warning:"), "{told}");
    let told = team.good("alice", &[&PAGED[..], &["--samples", "2"]].concat());
    assert!(told.contains("warning: you ran exactly this"), "{told}");
    let told = team.good("alice", &PAGED);
    assert!(!told.contains("warning:"), "another input: {told}");
}

#[test]
fn what_needs_an_approval_is_asked_for_waited_for_and_run_by_the_same_command() {
    let team = Team::found(|_, _, _| ());
    team.reviewed(&[]);
    let told = team.refused(3, "alice", &PAGED);
    assert!(told.contains("--since '2026-11-01 00:00 UTC'"), "as a shell takes it: {told}");
    assert!(told.contains("--reason TEXT"), "{told}");

    let why = ["--reason", "INC-1234 parcels are late"];
    let going = Going::start(&team, "alice", &[&PAGED[..], &why].concat());
    let asked = going.next();
    assert_eq!(asked["event"], "asked");
    assert_eq!(asked["approvers"], serde_json::json!(["bob", "carol"]), "not alice herself");
    let id = field(&asked, "request").to_owned();
    let shown = team.good("bob", &["approve", &id, "--yes"]);
    assert!(shown.contains("INC-1234"), "{shown}");
    assert!(shown.contains("since: 2026-11-01T00:00:00Z"), "what it looks for: {shown}");
    assert_eq!(going.next()["event"], "started");
    let mut last = going.next();
    while last["event"] == "progress" {
        assert!(last["percent"].is_u64() && last["note"].is_string(), "{last}");
        last = going.next();
    }
    assert_eq!(last["event"], "result");
    assert_eq!(last["run"]["state"]["outcome"]["state"], "succeeded");
    assert_eq!(last["run"]["request"], id);
    let (code, told) = going.end();
    assert!(code == 0 && told.contains("bob or carol approves it"), "{code} {told}");

    // Once more needs another approval: the same order, by the run's id.
    let run = field(&last["run"], "id").to_owned();
    let told = team.refused(3, "alice", &["run", "--again", &run]);
    let again = format!("run --again {run} --reason TEXT");
    assert!(told.contains("stuck-orders 1.0.0") && told.contains(&again), "{told}");
    let reason = ["--reason", "did it help?", "--wait", "1s"];
    let told = team.refused(6, "alice", &[&["run", "--again", &run], &reason[..]].concat());
    let resume = told.split_once("go on: borescope ").unwrap().1.lines().next().unwrap();
    let resume: Vec<&str> = resume.split(' ').collect();
    team.good("carol", &["approve", resume[2], "--yes"]);
    let told = team.good("alice", &resume);
    assert!(told.contains("never-scanned"), "{told}");
    // Nobody else goes on with it, or reads what it looks for.
    let told = team.refused(2, "carol", &resume);
    assert!(told.contains("of alice"), "{told}");
}

#[test]
fn an_interrupt_keeps_what_was_asked_for_and_says_how_to_go_on() {
    let team = Team::found(|_, _, _| ());
    team.reviewed(&[]);
    let why = ["--reason", "parcels are late"];
    let going = Going::start(&team, "alice", &[&PAGED[..], &why].concat());
    let id = field(&going.next(), "request").to_owned();
    going.interrupt();
    let (code, told) = going.end();
    assert!(code == 6 && told.contains("nothing ran"), "{code} {told}");
    assert!(told.contains(&format!("borescope run --resume {id}")), "{told}");

    // The same words do not ask twice.
    let going = Going::start(&team, "alice", &PAGED);
    let begun = Instant::now();
    while !team.good("alice", &["show", &id]).contains(&id) {
        assert!(begun.elapsed() < Duration::from_secs(60), "it is gone");
    }
    team.good("bob", &["approve", &id, "--yes"]);
    let mut last = going.next();
    while last["event"] != "result" {
        last = going.next();
    }
    let (code, told) = going.end();
    assert!(code == 0 && told.contains(&format!("{id} asks for exactly this")), "{code} {told}");
    let run = field(&last["run"], "id").to_owned();
    let told = team.good("alice", &["run", "--resume", &run]);
    assert!(told.contains("never-scanned") && told.contains(&run), "{told}");
}

#[test]
fn the_newest_revision_that_is_approved_there_runs_and_a_newer_one_is_named() {
    let team = Team::found(|keyring, _, policy| self_serve(keyring, policy));
    team.reviewed(&["--self-serve", "engineers:30"]);
    let path = team.m.path("stuck-orders/script.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replace("version = \"1.0.0\"", "version = \"1.1.0\"")).unwrap();
    team.json("alice", &["submit", "stuck-orders"]);
    let told = team.good("carol", &PAGED);
    assert!(told.contains("stuck-orders 1.0.0  sha256:"), "{told}");
    assert!(told.contains("newer: 1.1.0") && told.contains("0 of 1 reviews"), "{told}");
    assert!(told.contains("borescope review stuck-orders@1.1.0 --target shop=shop-replica"));

    // By its version it does not run, and whoever can change that is named: not its author.
    let newer = [&["run", "stuck-orders@1.1.0"], &PAGED[2..]].concat();
    let told = team.refused(3, "carol", &newer);
    assert!(told.contains("review-missing") && told.contains("bob or carol reviews it"), "{told}");
    let review = ["review", "stuck-orders@1.1.0", "--target", "shop-replica", "--approve", "--yes"];
    team.json("bob", &review);
    let told = team.refused(3, "carol", &PAGED);
    assert!(told.contains("stuck-orders 1.1.0  sha256:"), "newest approved: {told}");
    assert!(told.contains("self-serve-not-reviewed"), "bob opened it to nobody: {told}");
}

#[test]
fn the_shards_of_a_group_are_approved_by_one_command() {
    let team = Team::found_with(&["shop-2"], |_, _, policy| {
        let shops: Vec<domain::TargetGroup> = vec!["shops".parse().unwrap()];
        policy.targets.iter_mut().for_each(|t| t.groups = shops.clone());
    });
    team.json("alice", &["submit", "stuck-orders"]);
    team.json("bob", &["review", "stuck-orders", "--target", "group:shops", "--approve", "--yes"]);
    let all = [&["run", "stuck-orders", "--on", "group:shops"], &PAGED[4..]].concat();
    let alice = Going::start(&team, "alice", &[&all[..], &["--reason", "parcels"]].concat());
    let asked = || loop {
        let line = alice.next();
        if line["event"] == "asked" {
            return field(&line, "request").to_owned();
        }
    };
    let asked = [asked(), asked()];
    // One that is not there stops none of the others.
    let gone = "req_019ab000-0000-7000-8000-000000000000";
    let (code, told) = team.told("bob", &["approve", &asked[0], gone, &asked[1], "--yes"]);
    assert!(code != 0 && told.contains(&format!("{gone}:")), "{told}");
    assert!(asked.iter().all(|id| told.contains(&format!("approved {id}"))), "{told}");
    let (code, told) = alice.end();
    assert!(
        code == 0 && told.contains(&format!("borescope approve {}", asked.join(" "))),
        "{told}"
    );
}

#[test]
fn a_group_of_targets_is_asked_by_one_command_and_answers_in_one_table() {
    let team = Team::found_with(&["shop-2", "shop-3"], |keyring, _, policy| {
        self_serve(keyring, policy);
        let shops: Vec<domain::TargetGroup> = vec!["shops".parse().unwrap()];
        policy.targets.iter_mut().for_each(|t| t.groups = shops.clone());
    });
    team.json("alice", &["submit", "stuck-orders"]);
    let review = ["review", "stuck-orders", "--target", "group:shops", "--approve", "--yes"];
    team.json("bob", &[&review[..], &["--self-serve", "engineers:30"]].concat());
    let all = [&["run", "stuck-orders", "--on", "group:shops"], &PAGED[4..]].concat();
    let told = team.good("alice", &[&all[..], &["--samples", "1", "--out", "result"]].concat());
    let columns = told.lines().find(|line| line.trim_start().starts_with("target")).unwrap();
    assert!(columns.contains("reason"), "{told}");
    for target in ["shop-replica", "shop-2", "shop-3"] {
        let row = |line: &&str| line.starts_with(target) && line.contains("never-scanned");
        assert!(told.lines().any(|line| row(&line)), "{target}: {told}");
        assert!(told.contains(&format!("{target}: run_")), "its receipt: {told}");
        assert!(team.m.path(&format!("result/{target}/evidence.json")).exists(), "{target}");
    }

    // One shard is gone: the others answer, and what is missing is said.
    std::fs::remove_file(team.m.path("shop-2.sqlite")).unwrap();
    let (code, told) = team.told("alice", &all);
    assert!(code != 0, "{told}");
    assert!(told.lines().any(|l| l.starts_with("shop-3") && l.contains("never-scanned")), "{told}");
    assert!(!told.lines().any(|l| l.starts_with("shop-2 ") && l.contains("never")), "{told}");
    assert!(told.contains("shop-2: "), "{told}");

    let told = team.refused(2, "alice", &["run", "stuck-orders", "--on", "group:shop"]);
    assert!(told.contains("groups are: shops"), "{told}");
}
