//! Power cuts under load: the runner's process is killed at random points and opened again.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use domain::{Entropy as _, RunId};
use executor::{OsEntropy, Runner as _, SystemClock};
use ledger::{Event, Ledger, Options};
use tests::rig::Rig;

/// Kills of the process.
const KILLS: usize = 50;

/// What a process had promised before it died.
#[derive(Default)]
struct Promised {
    started: BTreeSet<RunId>,
    ended: BTreeMap<RunId, (String, String)>,
}

fn spawn(dir: &Path, mode: &[&str]) -> Child {
    let mut crashbox = Command::new(env!("CARGO_BIN_EXE_crashbox"));
    crashbox.arg(dir).args(mode).stdout(Stdio::piped()).spawn().unwrap()
}

/// Runs the process until it has promised the end of `ends` runs and then for a random while, kills
/// it, and collects its promises.
fn run_and_kill(dir: &Path, promised: &mut Promised, ends: usize, delay: Duration) {
    let mut child = spawn(dir, &[]);
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert_eq!(lines.next().unwrap().unwrap(), "ready");
    let (enough, is_enough) = std::sync::mpsc::channel();
    let killer = std::thread::spawn(move || {
        // A process that dies by itself closes the channel, and is found out below.
        let _ = is_enough.recv();
        std::thread::park_timeout(delay);
        child.kill().unwrap();
        child.wait().unwrap()
    });
    let mut ended = 0;
    for line in lines.map_while(Result::ok) {
        let words: Vec<&str> = line.split(' ').collect();
        match words[..] {
            ["started", run] => drop(promised.started.insert(run.parse().unwrap())),
            ["ended", run, outcome, output] => {
                let end = (outcome.to_owned(), output.to_owned());
                promised.ended.insert(run.parse().unwrap(), end);
                ended += 1;
                if ended == ends {
                    enough.send(()).unwrap();
                }
            }
            // The kill may have cut the last line.
            _ => break,
        }
    }
    drop(enough);
    assert!(!killer.join().unwrap().success(), "it was killed");
}

/// What the log says about each run.
#[derive(Default)]
struct Logged {
    starts: u32,
    released: bool,
    ends: Vec<String>,
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_acknowledged_is_lost_when_the_process_is_killed() {
    let dir = tempfile::tempdir().unwrap();
    let mut promised = Promised::default();
    for _ in 0..KILLS {
        let mut random = [0; 2];
        OsEntropy.fill(&mut random);
        let ends = 1 + usize::from(random[0]) % 4;
        let delay = Duration::from_millis(u64::from(random[1]));
        run_and_kill(dir.path(), &mut promised, ends, delay);
    }
    assert!(promised.ended.len() > KILLS, "too few runs to say anything: {}", promised.ended.len());

    // The last opening closes what the last kill interrupted.
    let rig = Rig::at(dir.path().to_owned()).await;
    rig.runner.ledger().checkpoint().unwrap();
    let (trust, ledger_dir, log_key) = (rig.trust_file(), rig.ledger_dir(), rig.company.log_key());
    drop(rig);
    let report = ledger::verify_journal(&ledger_dir, Some(&trust)).unwrap();
    assert_eq!(report.runs_open, 0, "every interrupted run is closed");

    let options = Options {
        dir: ledger_dir,
        key: log_key,
        clock: std::sync::Arc::new(SystemClock),
        entropy: std::sync::Arc::new(OsEntropy),
    };
    let (ledger, recovered) = Ledger::open(options).unwrap();
    let mut runs: BTreeMap<RunId, Logged> = BTreeMap::new();
    let mut uses = BTreeSet::new();
    for entry in recovered {
        let entry = entry.unwrap();
        match entry.leaf.event {
            Event::RunStarted { run, request, use_number, .. } => {
                assert!(uses.insert((request, use_number)), "use {use_number} is spent twice");
                runs.entry(run).or_default().starts += 1;
            }
            Event::OutputReleased { run, .. } => runs.entry(run).or_default().released = true,
            Event::RunFinished { run, outcome, .. } => {
                runs.entry(run).or_default().ends.push(outcome.code().to_owned());
            }
            Event::RunLost { run } => runs.entry(run).or_default().ends.push("lost".to_owned()),
            _ => {}
        }
    }
    drop(ledger);
    let mut lost = 0;
    for (run, logged) in &runs {
        assert_eq!(logged.starts, 1, "{run} started once");
        assert_eq!(logged.ends.len(), 1, "{run} ended once: {:?}", logged.ends);
        lost += u32::from(logged.ends[0] == "lost");
    }
    for run in &promised.started {
        assert!(runs.contains_key(run), "{run} was acknowledged as started, and is not in the log");
    }
    for (run, (outcome, output)) in &promised.ended {
        let logged = &runs[run];
        assert_eq!(logged.ends, [outcome.as_str()], "{run} was acknowledged otherwise");
        assert!(output == "none" || logged.released, "{run} left without a record");
    }
    println!("{} runs, {lost} lost to {KILLS} kills", runs.len());
    assert!(lost > 0, "no kill ever interrupted a run");
}

/// Kills of a process that adopts.
const ADOPTION_KILLS: usize = 12;

#[tokio::test(flavor = "multi_thread")]
async fn whenever_the_process_is_killed_keyring_directory_and_policy_belong_together() {
    let dir = tempfile::tempdir().unwrap();
    let mut promised = 0;
    for _ in 0..ADOPTION_KILLS {
        let mut child = spawn(dir.path(), &["adopt"]);
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        assert_eq!(lines.next().unwrap().unwrap(), "ready", "it goes on with what it has");
        // One is told, so that this process got somewhere; then the kill comes at any moment.
        let told = lines.next().unwrap().unwrap();
        promised = told.strip_prefix("adopted ").unwrap().parse::<u64>().unwrap();
        let mut random = [0];
        OsEntropy.fill(&mut random);
        std::thread::park_timeout(Duration::from_micros(u64::from(random[0]) * 100));
        child.kill().unwrap();
        child.wait().unwrap();
        let words = lines.map_while(Result::ok).last();
        let last = words.and_then(|line| line.strip_prefix("adopted ")?.parse().ok());
        promised = promised.max(last.unwrap_or(promised));
    }
    let mut rig = Rig::at(dir.path().to_owned()).await;
    rig.go_on().await;
    let c = &rig.company;
    let versions = [c.keyring_ref(), c.directory_ref(), c.policy_ref()].map(|v| v.version);
    assert_eq!(versions, [versions[0]; 3], "each of them had a successor every time");
    assert!(versions[0] >= promised, "version {promised} was acknowledged, {versions:?} is there");
    assert_eq!(rig.runner.state().pinned().keyring, c.keyring_ref());
    rig.close().await;
}
