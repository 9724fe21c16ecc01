//! Queries nobody wrote: every hostile fragment in every place of the syntax, and texts of the
//! corpus with random changes. What is refused must be refused by the walk; of what is sent, every
//! word must be known.

mod hostile;

use std::collections::BTreeSet;

use domain::ParamType;
use pg_query::protobuf::Token;

use super::super::{Gated, Grant, Refusal, What, functions, gate, parser, types};
use super::{corpus, facts, reference};
use hostile::{FRAGMENTS, FROM_FRAGMENTS, FROM_PLACES, PLACES, Random};

/// The grant of all tests, and recursion.
fn granted() -> Grant {
    Grant { recursion: true, ..reference() }
}

/// The words that a sent text may have outside of quotes: what is granted, what is listed, and the
/// aliases of these tests. No name of anything hidden is among them.
fn vocabulary() -> BTreeSet<String> {
    let grant = reference();
    let granted =
        grant.relations.iter().flat_map(|r| [&r.name, &r.schema].into_iter().chain(&r.columns));
    let aliases =
        ["u", "o", "s", "c", "x", "y", "a", "b", "t", "granted", "pg_catalog", "days", "column1"];
    let unnamed = [
        "?column?",
        "case",
        "exists",
        "coalesce",
        "nullif",
        "greatest",
        "array",
        "row",
        "grouping",
        "w",
        "C",
        "key",
        "value",
        "ordinality",
    ];
    let others = [aliases.as_slice(), &unnamed].concat();
    granted.cloned().chain(others.into_iter().map(str::to_owned)).collect()
}

/// Every name in a sent text is known: a third look, at the tokens.
fn unknown_words(gated: &Gated) -> Vec<String> {
    let known = vocabulary();
    let tokens = parser::scan(&gated.sql).unwrap();
    let names = tokens.iter().filter(|t| matches!(t.token(), Token::Ident | Token::Uident));
    let name = |t: &pg_query::protobuf::ScanToken| {
        let text = &gated.sql[usize::try_from(t.start).unwrap()..usize::try_from(t.end).unwrap()];
        text.trim_matches('"').replace("\"\"", "\"")
    };
    names
        .map(name)
        .filter(|n| !known.contains(n) && functions::kind(n).is_none() && !types::is_allowed(n))
        .collect()
}

/// Neither panics nor passes anything unknown; says whether it is sent.
#[track_caller]
fn attack(sql: &str) -> bool {
    survive(sql);
    match gate(sql, &[ParamType::Text; 4], &granted()) {
        Ok(gated) => {
            let unknown = unknown_words(&gated);
            assert!(unknown.is_empty(), "{sql}\n{}\n{unknown:?}", gated.sql);
            facts::covers(sql, &gated);
            true
        }
        Err(Refusal { what: What::Disagreement { problem }, .. }) => {
            panic!("only the second look stopped this: {problem}\n{sql}")
        }
        Err(_) => false,
    }
}

#[test]
fn every_fragment_in_every_place() {
    let mut sent = 0;
    let mut all = 0;
    let lists = [(PLACES, FRAGMENTS), (FROM_PLACES, FROM_FRAGMENTS)];
    for (places, fragments) in lists {
        for (place, fragment) in places.iter().flat_map(|p| fragments.iter().map(move |f| (p, f))) {
            all += 1;
            sent += usize::from(attack(&place.replace('@', fragment)));
        }
    }
    assert!(all >= 2_000, "{all}");
    // The harmless fragments must get through, or the test proves nothing.
    assert!(sent >= 100, "{sent} of {all}");
}

#[test]
fn fragments_inside_fragments() {
    let mut random = Random(20);
    for _ in 0..1_000 {
        let inner = random.of(PLACES).replace('@', random.of(FRAGMENTS));
        let middle = ["(@)", "(@) s", "lower((@))", "exists (@)", "u.id in (@)"];
        let fragment = random.of(&middle).replace('@', &inner);
        let places = [PLACES, FROM_PLACES].concat();
        let place = random.of(&places);
        attack(&place.replace('@', &fragment));
    }
}

#[test]
fn changed_texts_of_the_corpus() {
    let texts = corpus::texts();
    let words: Vec<Vec<String>> = texts.iter().map(|text| split(text)).collect();
    let pool: Vec<&str> = words.iter().flatten().map(String::as_str).collect();
    let mut random = Random(42);
    for _ in 0..3_000 {
        let mut text = words[random.below(words.len())].clone();
        for _ in 0..=random.below(3) {
            change(&mut text, &pool, &mut random);
        }
        survive(&text.join(" "));
    }
}

/// Random changes make names of their own (`select id pg_sleep`), so these texts are only checked
/// for panics, and for what only the second look would stop.
#[track_caller]
fn survive(sql: &str) {
    // Where a column is masked and rows are filtered, what is sent is longer and deeper.
    for result in [
        gate(sql, &[ParamType::Text; 4], &granted()),
        gate(sql, &[ParamType::Text; 4], &corpus::masked()),
    ] {
        if let Err(Refusal { what: What::Disagreement { problem }, .. }) = result {
            panic!("only the second look stopped this: {problem}\n{sql}");
        }
    }
}

/// Words and single signs.
fn split(text: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut in_word = false;
    for c in text.chars() {
        let is_word = c.is_alphanumeric() || c == '_';
        match words.last_mut() {
            Some(word) if is_word && in_word => word.push(c),
            _ if !c.is_whitespace() => words.push(c.to_string()),
            _ => {}
        }
        in_word = is_word;
    }
    words
}

fn change(text: &mut Vec<String>, pool: &[&str], random: &mut Random) {
    let at = random.below(text.len());
    let word = random.of(pool).to_owned();
    match random.below(6) {
        _ if text.is_empty() => text.push(word),
        0 => drop(text.remove(at)),
        1 => text.insert(at, word),
        2 => text[at] = word,
        3 => text.truncate(at),
        4 => {
            let end = (at + random.below(8) + 1).min(text.len());
            let copy = text[at..end].to_vec();
            let to = random.below(text.len() + 1);
            text.splice(to..to, copy);
        }
        _ => {
            text.insert(at, "(".to_owned());
            let end = at + 1 + random.below(text.len() - at);
            text.insert(end.min(text.len()), ")".to_owned());
        }
    }
}
