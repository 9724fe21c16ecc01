//! A script, its author and the people around it write terminal tricks into every text that they can;
//! what the program prints is read byte by byte. The tricks are those of the guest `loud-mouth`.

use serde_json::{Value, json};

use crate::machine::{Machine, Server, copy_bundle, free_port, text};

#[path = "../../../../tests/guests/loud-mouth/src/corpus.rs"]
#[expect(unreachable_pub, reason = "the guest has the same file as a module of its own")]
mod corpus;

use corpus::CORPUS;

/// What a trick forges, should its line break be obeyed.
const FORGED: &str = "run_00000000-0000-7000-8000-000000000000 succeeded";
/// Marks in a row that are text; more are a tower.
const TOWER: usize = 5;

/// What of the output a terminal would obey or not show. A list of its own: the program's table may
/// not be its own judge.
fn offences(output: &[u8]) -> Vec<String> {
    let mut found = Vec::new();
    let Ok(text) = std::str::from_utf8(output) else {
        return vec!["it is not UTF-8".to_owned()];
    };
    for line in text.split('\n') {
        let mut marks = 0;
        for c in line.chars() {
            let n = u32::from(c);
            let invisible = matches!(n,
                0xad | 0x61c | 0x115f | 0x17b4 | 0x200a..=0x200f | 0x2028..=0x202e | 0x2060..=0x206f
                | 0x2800 | 0x3164 | 0xe000..=0xf8ff | 0xfdd0 | 0xfe00..=0xfe0f | 0xfeff | 0xffa0
                | 0xfff9..=0xfffb | 0xe0000..=0x10ffff);
            if c.is_control() || invisible {
                found.push(format!("U+{n:04X} in {line:?}"));
            }
            marks = if (0x300..=0x36f).contains(&n) { marks + 1 } else { 0 };
            if marks == TOWER {
                found.push(format!("a tower of marks in {line:?}"));
            }
        }
        if line.starts_with(FORGED) {
            found.push("a forged line".to_owned());
        }
    }
    found
}

#[test]
fn the_judge_finds_the_tricks() {
    let plain = ["│", "=cmd", "\",\"", "<script>"];
    for trick in CORPUS.iter().filter(|trick| !plain.iter().any(|p| trick.contains(p))) {
        assert!(!offences(trick.as_bytes()).is_empty(), "{trick:?}");
    }
    assert_eq!(offences("Grüße, 東京: e\u{301}\n".as_bytes()), Vec::<String>::new());
}

/// Somebody who reads everything that the program prints.
struct Reader<'m> {
    m: &'m Machine,
    who: &'static str,
}

impl Reader<'_> {
    /// As people read it; the exit code and everything printed.
    fn reads(&self, args: &[&str]) -> (i32, String) {
        let output = self.m.output(&[], &[&["--context", self.who], args].concat());
        for (name, bytes) in [("stdout", &output.stdout), ("stderr", &output.stderr)] {
            let found = offences(bytes);
            assert!(found.is_empty(), "{name} of {args:?}:\n{}", found.join("\n"));
        }
        let all = [output.stdout, output.stderr].concat();
        (output.status.code().unwrap(), String::from_utf8(all).unwrap())
    }

    /// As people read it, when it should work.
    fn good(&self, args: &[&str]) -> String {
        let (code, told) = self.reads(args);
        assert_eq!(code, 0, "{args:?}: {told}");
        told
    }

    /// As programs read it: one JSON value a line.
    fn json(&self, args: &[&str]) -> Vec<Value> {
        let all = [&["--json", "--context", self.who], args].concat();
        let output = self.m.output(&[], &all);
        let found = offences(&output.stdout);
        assert!(found.is_empty(), "--json of {args:?}:\n{}", found.join("\n"));
        assert!(offences(&output.stderr).is_empty());
        let text = String::from_utf8(output.stdout).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// Both.
    fn both(&self, args: &[&str]) {
        self.good(args);
        assert!(!self.json(args).is_empty(), "{args:?}");
    }
}

/// Tricks in one text: all that may stand in an argument of a command.
fn tricks() -> String {
    CORPUS.join(" ").replace('\0', "")
}

/// A trick that fits into a summary: short, on one line.
const SUMMARY: &str = "PWNED\u{1b}[2J\u{9b}1A\r\u{8}\u{7}\u{1b}]0;t\u{7}\u{202e}\u{200b}\u{e0041}\u{fe0f}Z\u{351}\u{36b}\u{313}\u{30a}\u{36e}\u{352}";

/// The guest, with tricks in everything that its author writes.
fn write_bundle(m: &Machine) {
    copy_bundle("loud-mouth", &m.path("loud"));
    let summary = toml::Value::String(SUMMARY.to_owned());
    let manifest = format!(
        "[script]\nname = \"loud-mouth\"\nversion = \"1.0.0\"\nsummary = {summary}\n\
         input = \"input.schema.json\"\n\n[targets.shop]\nengine = \"sqlite\"\n\n\
         [[query]]\nname = \"loud\"\ntarget = \"shop\"\nfile = \"queries/loud.sql\"\n"
    );
    std::fs::write(m.path("loud/script.toml"), manifest).unwrap();
    std::fs::create_dir_all(m.path("loud/queries")).unwrap();
    // A byte order mark in SQL is refused before anybody reads it.
    let comment = tricks().replace('\u{feff}', "").replace('\n', "\n-- ");
    let sql = format!("-- {comment}\nSELECT id FROM loud");
    std::fs::write(m.path("loud/queries/loud.sql"), sql).unwrap();
    std::fs::write(m.path("loud/readme.md"), CORPUS.join("\n")).unwrap();
    let schema = json!({
        "title": tricks(), "description": tricks(), "type": "object",
        "additionalProperties": false, "required": ["fail"],
        "properties": { "fail": { "type": "boolean", "description": tricks() } },
    });
    std::fs::write(m.path("loud/input.schema.json"), schema.to_string()).unwrap();
}

fn set_up(m: &Machine) -> Server {
    let database = rusqlite::Connection::open(m.path("shop.sqlite")).unwrap();
    database.execute_batch("CREATE TABLE loud (id INTEGER PRIMARY KEY, note TEXT)").unwrap();
    write_bundle(m);
    let listen = format!("127.0.0.1:{}", free_port());
    let people = ["--person", "alice", "--person", "bob"];
    let place = ["--target", "shop-replica=shop.sqlite", "--listen", &listen];
    let init = ["init", "server", "--trust-domain", "shop.example/dev"];
    m.json(&[&init[..], &people, &place].concat());
    let server = m.serve();
    let url = format!("http://{listen}");
    for person in ["alice", "bob"] {
        let key = format!("server/keys/{person}");
        let who = ["login", "--context", person, "--url", &url, "--as", person];
        m.json(&[&who[..], &["--key", &key, "--trust", "server/trust.toml"]].concat());
    }
    server
}

/// Files an access request with tricks, has it read and approved; its id.
fn granted(alice: &Reader<'_>, bob: &Reader<'_>, input: &str) -> String {
    let reason = tricks();
    let target = ["--on", "shop=shop-replica", "--uses", "5", "--input", input];
    let ask = [&["request", "loud-mouth", "--reason", &reason], &target[..]].concat();
    alice.good(&ask);
    let request = text(&alice.json(&ask)[0], "id").to_owned();
    bob.both(&["show", &request]);
    // Shows everything; there is no terminal to answer at.
    let (code, told) = bob.reads(&["approve", &request]);
    assert!(code == 3 && told.contains("PWNED"), "{code} {told}");
    bob.good(&["approve", &request, "--yes", "--comment", &reason]);
    request
}

#[test]
fn no_trick_of_others_reaches_a_terminal() {
    let m = Machine::new();
    let server = set_up(&m);
    let (alice, bob) = (Reader { m: &m, who: "alice" }, Reader { m: &m, who: "bob" });

    alice.both(&["submit", "loud"]);
    assert!(bob.good(&["scripts"]).contains("PWNED"));
    let review = ["review", "loud-mouth", "--target", "shop=shop-replica"];
    assert!(bob.good(&review).matches("PWNED").count() > CORPUS.len(), "SQL and summary are shown");
    let comment = tricks();
    let signed = [&review[..], &["--approve", "--yes", "--comment", &comment]].concat();
    let reviewed = text(&bob.json(&signed)[0], "id").to_owned();
    assert_eq!(bob.json(&["scripts"])[0]["summary"], SUMMARY);

    std::fs::write(m.path("good.json"), r#"{"fail":false}"#).unwrap();
    std::fs::write(m.path("bad.json"), r#"{"fail":true}"#).unwrap();
    let request = granted(&alice, &bob, "good.json");
    let run = ["run", "--request", &request, "--input", "good.json"];
    let told = alice.good(&[&run[..], &["--out", "result"]].concat());
    assert!(told.matches("PWNED").count() > 3 * CORPUS.len(), "tables, columns, cells: {told}");
    let ran = alice.json(&run).pop().unwrap();
    // Programs get what was written, whole.
    let output = &ran["output"]["result"];
    assert_eq!(output["value"], json!(CORPUS), "{output}");
    for (table, trick) in output["tables"].as_array().unwrap().iter().zip(CORPUS) {
        assert_eq!(table["name"], *trick);
        assert_eq!(table["columns"][0]["name"], *trick);
    }
    let failing = granted(&alice, &bob, "bad.json");
    let fails = ["run", "--request", &failing, "--input", "bad.json"];
    let (code, told) = alice.reads(&fails);
    assert!(code == 1 && told.contains("the script failed: PWNED"), "{code} {told}");
    let failed = alice.json(&fails).pop().unwrap();
    assert_eq!(failed["run"]["state"]["outcome"]["state"], "failed");

    let id = text(&ran["run"], "id");
    let evidence = ["--trust", "server/trust.toml", "--recording", "result/recording.rec"];
    for args in [
        &["scripts"][..],
        &["runs"],
        &["audit"],
        &["inbox"],
        &["show", "loud-mouth"],
        &["show", id],
        &["show", &request],
        &["show", &reviewed],
        &["show", &request, "--why"],
        &["show", id, "--why"],
        &["show", "loud-mouth", "--why", "--on", "shop=shop-replica"],
        &["show", &reviewed, "--pae"],
        &["show", id, "--pae", "--out", "proof"],
        &["replay", id],
        &["keys", "allowed-signers"],
        &[&["verify", "result/evidence.json"], &evidence[..]].concat(),
        &["verify", "server/data/runner/ledger", "--trust", "server/trust.toml"],
    ] {
        bob.both(args);
    }
    errors(&m, &alice);
    drop(m.told(&["--context", "alice", "stop", "revision", "loud-mouth", "--reason", &comment]));
    let (_, told) = alice.reads(&run);
    assert!(told.contains("stopped"), "{told}");
    alice.both(&["stops"]);
    assert_eq!(offences(&server.log()), Vec::<String>::new(), "the server's own log");
}

/// What people mistype, and what files say that others sent them.
fn errors(m: &Machine, alice: &Reader<'_>) {
    for trick in CORPUS.iter().filter(|trick| !trick.contains('\0')) {
        for args in [&["show", "--", trick][..], &["run", "--input", "x", "--request", trick]] {
            let (code, told) = alice.reads(args);
            assert!(code != 0 && told.contains("error:"), "{args:?}: {told}");
        }
    }
    let all = tricks();
    for args in [
        &["verify", &all][..],
        &["replay", &all],
        &["submit", &all],
        &["stop", "person", &all, "--reason", "x"],
        &["review", &all, "--target", "shop=shop-replica"],
        &["review", "loud-mouth", "--target", &all],
        &["request", "loud-mouth", "--on", "shop=shop-replica", "--input", &all, "--reason", "x"],
        &["show", "loud-mouth", "--key", &all],
        &[&all],
    ] {
        let (code, told) = alice.reads(args);
        assert!(code != 0, "{args:?}: {told}");
        drop(alice.json(args));
    }
    // Files: a manifest with a key that nobody knows, a trust file, a key, evidence.
    copy_bundle("loud-mouth", &m.path("odd"));
    let key = toml::Value::String(SUMMARY.to_owned());
    std::fs::write(m.path("odd/script.toml"), format!("[script]\n{key} = 1\n")).unwrap();
    std::fs::write(m.path("odd.toml"), format!("{key} = 1\n")).unwrap();
    std::fs::write(m.path("odd.pub"), CORPUS.join("\n")).unwrap();
    std::fs::write(m.path("odd.json"), json!({ SUMMARY: all }).to_string()).unwrap();
    std::fs::write(m.path("raw"), b"\xff\xfe\x1b[2J\xc0\xaf\xed\xa0\x80\xf4\x90\x80\x80").unwrap();
    for args in [
        &["submit", "odd"][..],
        &["verify", "odd.json", "--trust", "odd.toml"],
        &["verify", "odd.json", "--trust", "server/trust.toml"],
        &["verify", "raw", "--trust", "server/trust.toml"],
        &["verify", "odd.json", "--trust", "raw"],
        &["show", "loud-mouth", "--key", "odd.pub"],
        &["show", "loud-mouth", "--key", "raw"],
        &["replay", "raw", "--bundle", "loud"],
    ] {
        let (code, told) = alice.reads(args);
        assert!(code != 0, "{args:?}: {told}");
    }
}
