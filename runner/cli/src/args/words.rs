//! Which words of a command line are ours, and which are for a script's own options.

use std::collections::BTreeMap;
use std::ffi::OsString;

use clap::Command;

/// Verbs that take a script's options.
pub(super) const VERBS: [&str; 2] = ["run", "request"];

/// The options of a verb, and whether each takes a value.
pub(super) fn longs(whole: &Command, verb: &str) -> BTreeMap<String, bool> {
    let own = whole.find_subcommand(verb).into_iter().flat_map(Command::get_arguments);
    let all = own.chain(whole.get_arguments()).flat_map(|arg| {
        let names = arg.get_long_and_visible_aliases().unwrap_or_default();
        names.into_iter().map(|name| (name.to_owned(), arg.get_action().takes_values()))
    });
    let mut all: BTreeMap<String, bool> = all.collect();
    all.extend(["help", "version"].map(|name| (name.to_owned(), false)));
    all
}

/// The words without a script's options and their values, where a script is named; a wish for help
/// is then about that script. All of them otherwise.
pub(super) fn ours(typed: &[OsString], whole: &Command) -> Vec<OsString> {
    let Some(at) = verb(typed, whole) else { return typed.to_vec() };
    let known = longs(whole, &typed[at].to_string_lossy());
    let mut ours = typed[..=at].to_vec();
    let (mut script, mut theirs) = (false, false);
    let mut words = typed[at + 1..].iter().peekable();
    while let Some(word) = words.next() {
        let text = word.to_string_lossy();
        let Some(name) = text.strip_prefix("--").filter(|name| !name.is_empty()) else {
            if text == "-h" {
                theirs = true;
                continue;
            }
            script |= !text.starts_with('-');
            ours.push(word.clone());
            continue;
        };
        let (name, has_value) = match name.split_once('=') {
            Some((name, _)) => (name, true),
            None => (name, false),
        };
        let is_value = |next: &&OsString| !next.to_string_lossy().starts_with("--");
        match known.get(name) {
            Some(_) if name == "help" => theirs = true,
            Some(takes_value) => {
                ours.push(word.clone());
                if *takes_value && !has_value {
                    ours.extend(words.next().cloned());
                }
            }
            None => {
                theirs = true;
                if !has_value {
                    words.next_if(is_value);
                }
            }
        }
    }
    if theirs && !script { typed.to_vec() } else { ours }
}

/// Where the verb is, if it is one that takes a script's options.
fn verb(typed: &[OsString], whole: &Command) -> Option<usize> {
    let known = longs(whole, "");
    let mut words = typed.iter().enumerate().skip(1);
    while let Some((at, word)) = words.next() {
        let text = word.to_string_lossy();
        match text.strip_prefix("--") {
            None => return VERBS.contains(&&*text).then_some(at),
            Some(name) if known.get(name) == Some(&true) => {
                words.next();
            }
            Some(_) => {}
        }
    }
    None
}

#[cfg(test)]
mod tests;
