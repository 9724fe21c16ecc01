//! Attacks on a runner's own directory, between two of its runs.

use std::path::{Path, PathBuf};

use domain::{Outcome, Rule, RunId};
use executor::{Ended, Runner as _};
use serde_json::Value;
use tests::rig::{Rig, STUCK_ORDERS_INPUT, Story};

/// A directory that its owner may write, with an older copy of it.
pub(super) struct Home {
    dir: PathBuf,
    older: PathBuf,
    run: RunId,
}

/// What has to come of it.
pub(super) enum Then {
    /// It does not start, and says this.
    Refuses(&'static str),
    /// It starts, and denies the next order so.
    Denies(Rule, &'static str),
    /// It starts, runs, and keeps the recording back.
    KeepsBack,
    /// It starts, runs, and has forgotten nothing.
    GoesOn,
}

fn rule(ended: &Ended) -> Option<Rule> {
    ended.denial.as_ref().map(|d| d.rule)
}

/// One use before the copy is kept, one after it, the attack, and what comes of it.
pub(super) async fn attacked(attack: impl FnOnce(&Home), then: Then) {
    let rig = Rig::new().await.with_own_artifacts().await;
    let mut story = rig.story("stuck-orders", STUCK_ORDERS_INPUT);
    story.request.uses = 3;
    let other = rig.story("payment-mismatch", r#"{"since":"2026-11-01T00:00:00Z"}"#);
    let (run, order) = rig.order(&other, |_, _| {});
    drop(rig.run(&run, &order).await);
    ran(&rig, &story, 1).await;
    rig.runner.ledger().checkpoint().unwrap();
    let older = tempfile::tempdir().unwrap();
    copy(rig.dir(), older.path());
    let run = ran(&rig, &story, 2).await;
    rig.runner.ledger().checkpoint().unwrap();
    let (sessions, dir) = (rig.seen.sessions(), rig.dir().to_owned());

    let home = Home { dir, older: older.path().to_owned(), run: run.clone() };
    let rig = match (rig.restart_after(|_| attack(&home)).await, &then) {
        (Err(said), Then::Refuses(says)) => {
            assert!(said.contains(says), "{said} does not say {says}");
            return;
        }
        (Err(said), _) => panic!("it does not start: {said}"),
        (Ok(_), Then::Refuses(_)) => panic!("it started"),
        (Ok(rig), _) => rig,
    };
    let (next, order) = rig.order_use(&story, 3, |_, _| {});
    if let Then::Denies(denied, says) = then {
        let (_, ended) = rig.run(&next, &order).await;
        assert_eq!(rule(&ended), Some(denied), "{ended:?}");
        assert!(ended.denial.unwrap().fact.contains(says));
        assert_eq!(rig.seen.sessions(), sessions, "the target saw the attacker");
        return;
    }
    let recording = rig.runner.recording(&run).await;
    let there = recording.is_ok_and(|r| r.is_some());
    assert_eq!(there, matches!(then, Then::GoesOn), "the recording of the second run");
    let (again, spent) = rig.order_use(&story, 2, |_, _| {});
    assert_eq!(
        rule(&rig.run(&again, &spent).await.1),
        Some(Rule::UseSpent),
        "a use is there again"
    );
    let (_, ended) = rig.run(&next, &order).await;
    assert_eq!(ended.outcome, Outcome::Succeeded, "{ended:?}");
    let tables = rig.output(&ended).result.tables;
    let six = tables.iter().any(|t| t.name == "reasons" && t.rows.len() == 6);
    assert!(six, "another script ran");
    rig.runner.ledger().checkpoint().unwrap();
    let report = ledger::verify_journal(&rig.ledger_dir(), Some(&rig.trust_file())).unwrap();
    assert_eq!(report.runs_open, 0);
}

async fn ran(rig: &Rig, story: &Story, number: u64) -> RunId {
    let (run, order) = rig.order_use(story, number, |_, _| {});
    let (_, ended) = rig.run(&run, &order).await;
    assert_eq!(ended.outcome, Outcome::Succeeded, "{ended:?}");
    run
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let (path, name) = (entry.as_ref().unwrap().path(), entry.unwrap().file_name());
        if path.is_dir() {
            copy(&path, &to.join(name));
        } else if let Err(e) = std::fs::copy(&path, to.join(name)) {
            // The runner is at work: what it renames meanwhile is there under its name.
            assert_eq!(e.kind(), std::io::ErrorKind::NotFound, "{}: {e}", path.display());
        }
    }
}

impl Home {
    fn read(&self, path: &str) -> Vec<u8> {
        std::fs::read(self.dir.join(path)).unwrap()
    }

    pub(super) fn writes(&self, path: &str, bytes: &[u8]) {
        std::fs::write(self.dir.join(path), bytes).unwrap();
    }

    pub(super) fn removes(&self, path: &str) {
        std::fs::remove_file(self.dir.join(path)).unwrap();
    }

    /// Takes bytes off its end.
    pub(super) fn cuts(&self, path: &str, bytes: usize) {
        let whole = self.read(path);
        self.writes(path, &whole[..whole.len() - bytes]);
    }

    /// Changes one bit of the byte at `place`.
    pub(super) fn flips(&self, path: &str, place: usize) {
        let mut bytes = self.read(path);
        bytes[place] ^= 1;
        self.writes(path, &bytes);
    }

    pub(super) fn edits(&self, path: &str, change: impl FnOnce(String) -> String) {
        let text = String::from_utf8(self.read(path)).unwrap();
        let changed = change(text.clone());
        assert_ne!(changed, text, "nothing was changed");
        self.writes(path, changed.as_bytes());
    }

    pub(super) fn edits_bytes(&self, path: &str, from: &[u8], to: &[u8]) {
        let mut bytes = self.read(path);
        let place = bytes.windows(from.len()).position(|w| w == from).unwrap();
        bytes[place..place + to.len()].copy_from_slice(to);
        self.writes(path, &bytes);
    }

    pub(super) fn sets_line(&self, path: &str, line: usize, to: &str) {
        self.edits(path, |text| {
            let mut lines: Vec<&str> = text.split('\n').collect();
            lines[line] = to;
            lines.join("\n")
        });
    }

    /// Exchanges the first character of a line.
    pub(super) fn flips_line(&self, path: &str, line: usize) {
        let text = String::from_utf8(self.read(path)).unwrap();
        let was = text.split('\n').nth(line).unwrap();
        let first = if was.starts_with('A') { "B" } else { "A" };
        self.sets_line(path, line, &format!("{first}{}", &was[1..]));
    }

    /// Puts the older copy back.
    pub(super) fn restores(&self, path: &str) {
        std::fs::copy(self.older.join(path), self.dir.join(path)).unwrap();
    }

    pub(super) fn copies(&self, from: &str, to: &str) {
        std::fs::copy(self.dir.join(from), self.dir.join(to)).unwrap();
    }

    /// The recording of the second run.
    pub(super) fn recording(&self) -> String {
        format!("recordings/{}.rec", self.run)
    }

    fn artifacts(&self) -> [String; 2] {
        let component = tests::guests::file("stuck-orders", "component.wasm");
        let mine = domain::Digest::of(&component).hex();
        let names = std::fs::read_dir(self.dir.join("artifacts")).unwrap();
        let names =
            names.map(|e| format!("artifacts/{}", e.unwrap().file_name().to_str().unwrap()));
        let (mine, others): (Vec<_>, Vec<_>) = names.partition(|n| n.contains(&mine));
        [mine[0].clone(), others[0].clone()]
    }

    /// The compiled component of the script.
    pub(super) fn artifact(&self) -> String {
        let [mine, _] = self.artifacts();
        mine
    }

    pub(super) fn swaps_artifacts(&self) {
        let [mine, other] = self.artifacts();
        let (a, b) = (self.read(&mine), self.read(&other));
        assert_ne!(a, b);
        self.writes(&mine, &b);
        self.writes(&other, &a);
    }

    pub(super) fn other_digest(&self) -> String {
        domain::Digest::of(b"another keyring").to_string()
    }
}

/// A JSON text with another value at `pointer`.
pub(super) fn json(text: &str, pointer: &str, value: impl Into<Value>) -> String {
    let mut json: Value = serde_json::from_str(text).unwrap();
    *json.pointer_mut(pointer).unwrap() = value.into();
    json.to_string()
}

macro_rules! homes {
    (@then refuses($says:literal)) => { $crate::adversary::homes::Then::Refuses($says) };
    (@then denies($rule:ident, $says:literal)) => {
        $crate::adversary::homes::Then::Denies(domain::Rule::$rule, $says)
    };
    (@then keeps_back()) => { $crate::adversary::homes::Then::KeepsBack };
    (@then goes_on()) => { $crate::adversary::homes::Then::GoesOn };
    ($($name:ident: |$h:ident| $change:expr => $then:ident($($arg:tt)*);)*) => {$(
        #[tokio::test(flavor = "multi_thread")]
        async fn $name() {
            let then = homes!(@then $then($($arg)*));
            $crate::adversary::homes::attacked(|$h| $change, then).await;
        }
    )*};
}
pub(super) use homes;
