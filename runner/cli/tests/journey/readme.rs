//! What README.md shows is what happens: its `console` blocks are one story, typed here line by line in
//! an empty HOME, and what each command prints is compared with what stands there.
//!
//! Lines that begin with `$ ` are typed, also over several lines; `…` alone stands for any lines. Ids,
//! digests, times and ports differ each time: the first one that stands at a place is the name of the
//! one that came there. `UPDATE_EXPECT=1` writes what was printed into README.md.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Stdio;

use super::machine::{Machine, Server, free_port};

/// Where the server of README.md listens.
const LISTENS: &str = "127.0.0.1:7777";

/// A typed command and what should come.
struct Step {
    typed: String,
    shown: Vec<String>,
    /// Lines of README.md that `shown` is made of.
    at: std::ops::Range<usize>,
}

fn steps(readme: &[&str]) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let (mut inside, mut goes_on) = (false, false);
    for (i, line) in readme.iter().enumerate() {
        if line.starts_with("```") {
            inside = *line == "```console";
            goes_on = false;
        } else if inside && goes_on {
            let step = steps.last_mut().unwrap();
            step.typed.push_str(line.trim_start().trim_end_matches('\\'));
            step.at = i + 1..i + 1;
            goes_on = line.ends_with('\\');
        } else if inside && line.starts_with("$ ") {
            goes_on = line.ends_with('\\');
            let typed = line[2..].trim_end_matches('\\').to_owned();
            steps.push(Step { typed, shown: Vec::new(), at: i + 1..i + 1 });
        } else if inside {
            let step = steps.last_mut().unwrap();
            step.shown.push((*line).to_owned());
            step.at.end = i + 1;
        }
    }
    steps
}

/// What stands in README.md for something that differs each time.
#[derive(Default)]
struct Names(BTreeMap<String, String>);

impl Names {
    /// Replaces what README.md names by what it is here.
    fn here(&self, typed: &str) -> String {
        let mut text = typed.to_owned();
        for (there, here) in &self.0 {
            text = text.replace(there, here);
        }
        text
    }

    /// What README.md names, in what was printed.
    fn there(&self, printed: &str) -> String {
        let mut text = printed.to_owned();
        for (there, here) in &self.0 {
            text = text.replace(here, there);
        }
        text
    }

    /// Learns from text that is replaced, as far as as much is named in it.
    fn learn(&mut self, there: &[String], here: &[String]) {
        let ids = |lines: &[String]| -> Vec<String> {
            let words = lines.iter().flat_map(|l| words(l));
            words.filter(|w| kind(w) == Some(Kind::Id)).collect()
        };
        let (there, here) = (ids(there), ids(here));
        if there.len() == here.len() {
            for (a, b) in there.into_iter().zip(here) {
                self.0.entry(a).or_insert(b);
            }
        }
    }

    /// Whether a printed line is the one that stands there; learns names.
    fn fits(&mut self, there: &str, here: &str) -> bool {
        let (there, here) = (words(there), words(here));
        if there.len() != here.len() {
            return false;
        }
        let pairs = || there.iter().zip(&here);
        if !pairs().all(|(a, b)| a == b || kind(a).is_some() && kind(a) == kind(b)) {
            return false;
        }
        for (a, b) in pairs().filter(|(a, b)| a != b) {
            if kind(a) == Some(Kind::Id) {
                self.0.entry(a.clone()).or_insert_with(|| b.clone());
            }
        }
        true
    }
}

/// Words and what is between them, without the number of blanks. A time and its unit are one word.
fn words(line: &str) -> Vec<String> {
    let part = |c: char| !(c.is_alphanumeric() || "_-:./+~".contains(c));
    let line = line.replace(" ms", "ms").replace(" µs", "µs");
    let both = |w: &str| {
        let cut = w.len() - w.chars().next_back().filter(|c| part(*c)).map_or(0, char::len_utf8);
        [w[..cut].trim_end_matches([':', '.', ',']).to_owned(), w[cut..].trim().to_owned()]
    };
    line.split_inclusive(part).flat_map(both).filter(|w| !w.is_empty()).collect()
}

#[derive(Debug, PartialEq)]
enum Kind {
    /// An id, a digest or a fingerprint, perhaps its beginning.
    Id,
    /// A time, a date or a duration.
    Time,
}

/// What differs each time, by its form.
fn kind(word: &str) -> Option<Kind> {
    let bare = word.strip_prefix("sha256:").unwrap_or(word);
    let is_hex = bare.len() >= 8 && bare.bytes().all(|b| b.is_ascii_hexdigit());
    let is_id = word.split_once('_').is_some_and(|(_, id)| id.len() == 36);
    let number = word.trim_end_matches(|c: char| c.is_ascii_alphabetic() || c == 'µ');
    let unit = &word[number.len()..];
    let is_number =
        |text: &str| !text.is_empty() && text.bytes().all(|b| b"0123456789.".contains(&b));
    let is_duration = is_number(number) && ["ms", "µs", "s", "m", "h", "d"].contains(&unit);
    let is_time = word.starts_with(|c: char| c.is_ascii_digit())
        && (word.matches(':').count() > 0 || word.matches('-').count() == 2);
    if is_hex || is_id || word.starts_with("SHA256:") {
        Some(Kind::Id)
    } else if is_duration || is_time {
        Some(Kind::Time)
    } else {
        None
    }
}

/// Whether what was printed is what stands there, where `…` stands for any lines.
fn same(names: &mut Names, there: &[String], here: &[String]) -> bool {
    match there.split_first() {
        None => here.is_empty(),
        Some((line, rest)) if line.trim() == "…" => {
            (0..=here.len()).any(|skip| same(names, rest, &here[skip..]))
        }
        Some((line, rest)) => match here.split_first() {
            Some((printed, more)) => names.fits(line, printed) && same(names, rest, more),
            None => false,
        },
    }
}

#[test]
fn what_the_readme_shows_is_what_happens() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../README.md");
    let text = fs::read_to_string(&path).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let steps = steps(&lines);
    assert!(steps.len() > 5, "README.md has its story");
    let (m, mut names) = (Machine::new(), Names::default());
    let listen = format!("127.0.0.1:{}", free_port());
    let mut servers: Vec<Server> = Vec::new();
    let mut context = String::new();
    let mut edits = Vec::new();
    for step in &steps {
        let typed = names.here(&step.typed).replace(LISTENS, &listen);
        if let Some(name) = typed.strip_prefix("export BORESCOPE_CONTEXT=") {
            name.clone_into(&mut context);
            continue;
        }
        if let Some(serve) = typed.strip_suffix(" &") {
            let args: Vec<&str> = serve.split(' ').skip(1).collect();
            let config = m.path(args.last().unwrap()).join("borescope.toml");
            let text = fs::read_to_string(&config).unwrap();
            fs::write(&config, text.replace(LISTENS, &listen)).unwrap();
            servers.push(m.start(&args));
            continue;
        }
        let mut shell = m.program("sh");
        let program = Path::new(env!("CARGO_BIN_EXE_borescope")).parent().unwrap().to_owned();
        let folders = std::env::var_os("PATH").unwrap();
        let all = [program].into_iter().chain(std::env::split_paths(&folders));
        shell.env("PATH", std::env::join_paths(all).unwrap()).env("TZ", "UTC");
        if !context.is_empty() {
            shell.env("BORESCOPE_CONTEXT", &context);
        }
        let output = shell.args(["-c", &format!("exec 2>&1; {typed}")]);
        let output = output.stdin(Stdio::null()).output().unwrap();
        let printed = String::from_utf8(output.stdout).unwrap().replace(&listen, LISTENS);
        let home = m.path("").to_str().unwrap().trim_end_matches('/').to_owned();
        let printed = printed.replace(&home, "/home/you");
        let printed: Vec<String> = printed.lines().map(|l| l.trim_end().to_owned()).collect();
        if same(&mut names, &step.shown, &printed) {
            continue;
        }
        if std::env::var_os("UPDATE_EXPECT").is_none() {
            let (there, here) = (step.shown.join("\n"), printed.join("\n"));
            panic!("README.md shows for `{}`:\n{there}\nand this came:\n{here}", step.typed);
        }
        names.learn(&step.shown, &printed);
        let printed: Vec<String> = printed.iter().map(|line| names.there(line)).collect();
        edits.push((step.at.clone(), printed));
    }
    let mut lines: Vec<String> = lines.into_iter().map(str::to_owned).collect();
    for (at, printed) in edits.into_iter().rev() {
        lines.splice(at, printed);
    }
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        fs::write(path, lines.join("\n") + "\n").unwrap();
    }
}
