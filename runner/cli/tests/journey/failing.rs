//! Everything goes wrong at three in the morning, and the person still knows what happened, whether
//! anything ran, and what to type. And people share results by pasting a run's id.

use std::io::Write as _;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use domain::decide::SelfServeRules;
use rusqlite::Connection;
use serde_json::Value;

use super::lies::read;
use super::machine::{copy_bundle, text as field};
use super::team::{RUNS, Team};

/// Reviewers may open scripts to everybody; `readers` of results are alice and bob.
fn found() -> Team {
    Team::found(|keyring, directory, policy| {
        keyring.floors.self_serve = true;
        let groups = vec!["engineers".parse().unwrap()];
        policy.targets[0].self_serve = Some(SelfServeRules { groups, runs_per_day: 50 });
        policy.targets[0].readers = vec!["readers".parse().unwrap()];
        for person in &mut directory.people {
            if person.id.as_str() != "carol" {
                person.groups.push("readers".parse().unwrap());
            }
        }
    })
}

fn opened() -> Team {
    let team = found();
    team.reviewed(&["--self-serve", "engineers:50"]);
    team
}

/// Runs it as alice, when it should work; the run's id.
fn ran(team: &Team) -> String {
    let told = team.json("alice", &RUNS);
    field(&told.last().unwrap()["run"], "id").to_owned()
}

/// The id of alice's newest run.
fn newest(team: &Team) -> String {
    field(&team.json("alice", &["runs"])[0], "id").to_owned()
}

fn has(told: &str, parts: &[&str]) {
    for part in parts {
        assert!(told.contains(part), "{part}: {told}");
    }
}

#[test]
fn a_run_id_is_how_people_share_a_result_and_everybody_sees_who_read_it() {
    let team = opened();
    let run = ran(&team);
    let told = team.good("bob", &["show", &run]);
    has(&told, &["succeeded, by alice", "never-scanned", "read by  bob: result", "receipt  rcp_"]);
    let told = team.good("alice", &["show", &run]);
    has(&told, &["read by  bob: result", "read by  alice: result"]);
    let told = team.good("alice", &["audit", "--kind", "run-read", "--subject", &run]);
    has(&told, &["run-read", "bob", "alice"]);

    // Who may not read it learns whose it is and whom to ask, and is not in the list.
    let told = team.good("carol", &["show", &run]);
    has(&told, &["succeeded, by alice", "ended", "you may not read it"]);
    has(&told, &["alice and readers (readers of shop-replica) may"]);
    assert!(!told.contains("never-scanned"), "{told}");
    let told = team.refused(3, "carol", &["show", &run, "--table", "reasons", "--csv"]);
    has(&told, &["you may not read", "alice"]);
    assert!(!team.good("alice", &["show", &run]).contains("carol"));
    assert!(!team.good("carol", &["audit"]).contains(&run), "its events are the readers'");
}

#[test]
fn one_table_is_all_rows_and_nothing_else_for_people_spreadsheets_and_programs() {
    let team = opened();
    let run = ran(&team);
    let csv = team.good("bob", &["show", &run, "--table", "samples", "--csv"]);
    let lines: Vec<&str> = csv.split_terminator("\r\n").collect();
    let table = &team.json("bob", &["show", &run, "--table", "samples"])[0];
    let rows = table["rows"].as_array().unwrap();
    assert!(!rows.is_empty() && lines.len() == rows.len() + 1, "{csv}");
    let names: Vec<&str> =
        table["columns"].as_array().unwrap().iter().map(|c| field(c, "name")).collect();
    assert_eq!(lines[0], names.join(","));
    let drawn = team.good("bob", &["show", &run, "--table", "reasons"]);
    has(&drawn, &["never-scanned"]);
    assert!(!drawn.contains("receipt"), "{drawn}");

    let told = team.refused(2, "bob", &["show", &run, "--csv"]);
    has(&told, &["which table", "its tables: reasons, samples"]);
    let told = team.refused(2, "bob", &["show", &run, "--table", "nope"]);
    has(&told, &["no table \"nope\"", "its tables: reasons, samples"]);
    let told = team.refused(2, "bob", &["show", "stuck-orders", "--csv"]);
    has(&told, &["is no run", "borescope runs"]);
    let whole = &team.json("alice", &["show", &run])[0];
    assert_eq!(whole["output"]["result"]["tables"][0]["name"], "reasons");
    assert!(whole["receipt"].is_object() && whole["run"]["id"] == run.as_str());
    assert!(!whole["reads"].as_array().unwrap().is_empty());
}

#[test]
fn a_server_that_is_away_is_told_with_whether_anything_ran_and_what_to_do() {
    let mut team = opened();
    team.kill_server();
    let told = team.refused(5, "alice", &RUNS);
    has(&told, &[&format!("nothing listens at http://{}", team.listen), "trying again"]);
    has(&told, &["nothing ran", "borescope serve"]);
    assert!(!told.contains("error sending request"), "{told}");
    let told = team.refused(5, "alice", &["runs", "--url", "https://nowhere.invalid"]);
    has(&told, &["nowhere.invalid", "nothing ran"]);

    let proxy = answering("HTTP/1.1 502 Bad Gateway\r\ncontent-length: 6\r\n\r\n<html>");
    let told = team.refused(5, "alice", &["runs", "--url", &format!("http://{proxy}")]);
    has(&told, &["HTTP status 502", "trying again"]);
    let silent = answering("");
    let told = team.refused(5, "alice", &["runs", "--url", &format!("http://{silent}")]);
    has(&told, &["broke before the answer was there"]);
    team.start_server();
    assert!(team.good("alice", &RUNS).contains("never-scanned"), "and then it works");
}

#[test]
fn a_session_that_is_over_is_renewed_in_passing() {
    let team = opened();
    let token = team.m.path(".config/borescope/alice.token");
    std::fs::write(&token, "0".repeat(64)).unwrap();
    let told = team.good("alice", &RUNS);
    has(&told, &["logged in again", "never-scanned"]);
    assert!(!team.good("alice", &["runs"]).contains("logged in again"), "the new one is kept");
}

#[test]
fn a_target_in_trouble_is_told_in_our_words_with_whose_it_is_to_mend() {
    let team = opened();
    let shop = team.m.path("shop.sqlite");
    let away = team.m.path("away.sqlite");

    std::fs::rename(&shop, &away).unwrap();
    let told = team.refused(5, "alice", &RUNS);
    has(&told, &["shop-replica, query", "cannot be opened", "check that the file exists"]);
    has(&told, &["read nothing; it may pass", "read     0 rows"]);
    let run = newest(&team);
    has(&team.good("bob", &["show", &run]), &["failed, by alice", "cannot be opened"]);

    Connection::open(&shop).unwrap().execute_batch("PRAGMA application_id = 7").unwrap();
    let told = team.refused(5, "alice", &RUNS);
    has(&told, &["its application id is 7", "expected", "tell whoever operates the target"]);
    std::fs::remove_file(&shop).unwrap();

    std::fs::rename(&away, &shop).unwrap();
    let writer = Connection::open(&shop).unwrap();
    writer.execute_batch("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE").unwrap();
    let told = team.refused(5, "alice", &RUNS);
    has(&told, &["locked by a writer", "run it again in a moment"]);
    drop(writer);
    assert!(team.good("alice", &RUNS).contains("never-scanned"), "and then it works");
}

#[test]
fn a_client_that_is_killed_between_its_signature_and_the_answer_finds_its_run_again() {
    let team = opened();
    let (address, accepted) = stalling(&team.listen);
    moves(&team, address);
    let mut child = team.m.command(&[&["--context", "alice"], &RUNS[..]].concat());
    let mut child = child.stdin(Stdio::null()).stdout(Stdio::null()).spawn().unwrap();
    let deadline = Duration::from_secs(60);
    let answer = accepted.recv_timeout(deadline).expect("the order got to the server");
    kill(&mut child);
    moves(&team, team.listen.parse().unwrap());

    let run = newest(&team);
    assert_eq!(field(&answer, "id"), run);
    ended(&team, &run);
    has(&team.good("alice", &["show", &run]), &["succeeded, by alice", "never-scanned"]);
    assert_eq!(team.json("alice", &["runs"]).len(), 1, "it ran once");
}

#[test]
fn an_order_whose_answer_is_lost_is_made_again_and_runs_once() {
    let team = opened();
    let address = cutting(&team.listen);
    moves(&team, address);
    let told = team.good("alice", &RUNS);
    has(&told, &["broke before the answer was there", "trying again", "never-scanned"]);
    moves(&team, team.listen.parse().unwrap());
    assert_eq!(team.json("alice", &["runs"]).len(), 1, "it ran once");
}

#[test]
fn a_server_that_dies_during_a_run_and_comes_back_says_what_became_of_it() {
    let mut team = found();
    copy_bundle("fuel-burner", &team.m.path("fuel-burner"));
    let manifest = team.m.path("fuel-burner/script.toml");
    let text = std::fs::read_to_string(&manifest).unwrap();
    let text = text.replace("fuel = 200_000_000", "fuel = 200_000_000_000\nwall = \"10min\"");
    std::fs::write(&manifest, text).unwrap();
    team.json("alice", &["submit", "fuel-burner"]);
    let place = ["--target", "shop=shop-replica", "--approve", "--yes"];
    let review = ["review", "fuel-burner", "--self-serve", "engineers:5"];
    team.json("bob", &[&review[..], &place].concat());
    std::fs::write(team.m.path("none.json"), "{}").unwrap();
    let order = ["run", "fuel-burner", "--on", "shop=shop-replica", "--input", "none.json"];
    let mut waiting = team.m.command(&[&["--context", "alice"], &order[..]].concat());
    let waiting = waiting.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let waiting = waiting.spawn().unwrap();
    let deadline = Instant::now() + Duration::from_secs(60);
    let run = loop {
        let runs = team.json("bob", &["runs"]);
        if let Some(run) = runs.iter().find(|r| r["state"]["phase"] == "running") {
            break field(run, "id").to_owned();
        }
        assert!(Instant::now() < deadline, "{runs:?}");
    };
    team.kill_server();
    team.start_server();
    let output = waiting.wait_with_output().unwrap();
    let told = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    assert_eq!(output.status.code(), Some(5), "{told}");
    has(&told, &["trying again", &run, "lost", "stopped in the middle", "run it again"]);
    let told = team.good("alice", &["show", &run]);
    let told = told.split_whitespace().collect::<Vec<_>>().join(" ");
    has(&told, &["lost, by alice", "stopped in the middle", "its use is spent"]);
}

/// Waits until a run is over.
fn ended(team: &Team, run: &str) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while team.json("alice", &["show", run])[0]["run"]["ended_ms"].is_null() {
        assert!(Instant::now() < deadline, "{run} does not end");
    }
}

fn kill(child: &mut Child) {
    child.kill().unwrap();
    child.wait().unwrap();
}

/// Alice's program dials this address from now on. Her session goes on: it was opened at the server's.
fn moves(team: &Team, to: SocketAddr) {
    let config = team.m.path(".config/borescope/config.toml");
    let contexts = std::fs::read_to_string(&config).unwrap();
    let (before, theirs) = contexts.split_once("[contexts.alice]").unwrap();
    let at = theirs.find("http://").unwrap();
    let end = at + theirs[at..].find('"').unwrap();
    let moved = format!("{before}[contexts.alice]{}http://{to}{}", &theirs[..at], &theirs[end..]);
    std::fs::write(&config, moved).unwrap();
}

/// Somebody who answers everything with the same bytes, and hangs up.
fn answering(answer: &'static str) -> SocketAddr {
    between(move |client, _| {
        // A client that is gone needs none.
        drop(client.write_all(answer.as_bytes()));
    })
}

/// Somebody between who hands everything on, but for the answers to orders: those are told to the test,
/// and nobody else.
fn stalling(server: &str) -> (SocketAddr, Receiver<Value>) {
    let (tell, told) = channel();
    let server = server.to_owned();
    let mut held = Vec::new();
    let address = between(move |client, message| {
        let is_order = message.0.starts_with("POST /v1/runs ");
        let (head, body) = handed_on(&server, message);
        if is_order {
            drop(tell.send(serde_json::from_slice(&body).unwrap()));
            held.push(client.try_clone().unwrap());
        } else {
            give_back(client, &head, &body);
        }
    });
    (address, told)
}

/// Somebody between who loses the answer to the first order.
fn cutting(server: &str) -> SocketAddr {
    let server = server.to_owned();
    let mut cut = false;
    between(move |client, message| {
        let is_order = message.0.starts_with("POST /v1/runs ");
        let (head, body) = handed_on(&server, message);
        if is_order && !cut {
            cut = true;
        } else {
            give_back(client, &head, &body);
        }
    })
}

type Message = (String, Vec<u8>);

fn between(mut serve: impl FnMut(&mut TcpStream, Message) + Send + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for mut client in listener.incoming().map_while(Result::ok) {
            let message = read(&mut client);
            serve(&mut client, message);
        }
    });
    address
}

fn handed_on(server: &str, (head, body): Message) -> Message {
    let head = head.replacen("\r\n", "\r\nconnection: close\r\n", 1);
    let mut honest = TcpStream::connect(server).unwrap();
    honest.write_all(&[head.as_bytes(), b"\r\n\r\n", &body].concat()).unwrap();
    read(&mut honest)
}

fn give_back(client: &mut TcpStream, head: &str, body: &[u8]) {
    // A client that has heard enough is gone.
    drop(client.write_all(&[head.as_bytes(), b"\r\n\r\n", body].concat()));
}
