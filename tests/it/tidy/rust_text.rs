//! Rust source with comments, strings and characters blanked out, so that a search finds code. It
//! is a small lexer and not a parser: it knows where text begins and ends and nothing else.

/// `text` with every character of a comment or literal replaced by a space; lines stay lines.
pub(super) fn code_only(text: &str) -> String {
    let text: Vec<char> = text.chars().collect();
    let mut code = String::with_capacity(text.len());
    let mut at = 0;
    while at < text.len() {
        let length = comment(&text[at..])
            .or_else(|| raw_string(&text, at))
            .or_else(|| quoted(&text[at..]))
            .unwrap_or(0);
        if length == 0 {
            code.push(text[at]);
            at += 1;
        } else {
            let end = (at + length).min(text.len());
            code.extend(text[at..end].iter().map(|it| if *it == '\n' { '\n' } else { ' ' }));
            at = end;
        }
    }
    code
}

/// Whether a character can be part of a name.
pub(super) fn is_word(it: char) -> bool {
    it.is_alphanumeric() || it == '_'
}

/// Whether `word` occurs in `text` with no name character on either side.
pub(super) fn has_word(text: &str, word: &str) -> bool {
    text.match_indices(word).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let after = text[at + word.len()..].chars().next();
        !before.is_some_and(is_word) && !after.is_some_and(is_word)
    })
}

/// The length of the comment that starts here.
fn comment(text: &[char]) -> Option<usize> {
    if text.starts_with(&['/', '/']) {
        return Some(text.iter().position(|it| *it == '\n').unwrap_or(text.len()));
    }
    if !text.starts_with(&['/', '*']) {
        return None;
    }
    let (mut depth, mut at) = (0_usize, 0);
    while at < text.len() {
        if text[at..].starts_with(&['/', '*']) {
            depth += 1;
            at += 2;
        } else if text[at..].starts_with(&['*', '/']) {
            depth -= 1;
            at += 2;
            if depth == 0 {
                break;
            }
        } else {
            at += 1;
        }
    }
    Some(at)
}

/// The length of the raw string (`r"…"`, `br#"…"#`) that starts here.
fn raw_string(text: &[char], start: usize) -> Option<usize> {
    if start > 0 && is_word(text[start - 1]) && !matches!(text[start - 1], 'b' | 'c') {
        return None;
    }
    let text = &text[start..];
    if text.first() != Some(&'r') {
        return None;
    }
    let hashes = text[1..].iter().take_while(|it| **it == '#').count();
    if text.get(1 + hashes) != Some(&'"') {
        return None;
    }
    let mut end = vec!['"'];
    end.extend(std::iter::repeat_n('#', hashes));
    let body = 2 + hashes;
    let length = text[body..].windows(end.len()).position(|window| window == end);
    Some(length.map_or(text.len(), |length| body + length + end.len()))
}

/// The length of the string or character that starts here; a lifetime is neither.
fn quoted(text: &[char]) -> Option<usize> {
    let quote = *text.first()?;
    let is_character = || text.get(1) == Some(&'\\') || text.get(2) == Some(&'\'');
    if quote != '"' && !(quote == '\'' && is_character()) {
        return None;
    }
    let mut at = 1;
    while at < text.len() && text[at] != quote {
        at += if text[at] == '\\' { 2 } else { 1 };
    }
    Some(at + 1)
}

#[test]
fn text_disappears_and_code_stays() {
    for (text, expected) in [
        ("a // b\nc", "a     \nc"),
        ("a /* b /* c */ d */ e", "a                   e"),
        (r#"f("\"{", x)"#, "f(     , x)"),
        ("f(r#\"a\"b\"#, x)", "f(        , x)"),
        ("br\"a\" for", "b     for"),
        ("'{' 'a '\\'' fn<'b>()", "    'a      fn<'b>()"),
    ] {
        assert_eq!(code_only(text), expected, "for {text}");
    }
}

#[test]
fn a_word_inside_a_longer_name_does_not_count() {
    assert!(has_word("(now)", "now"));
    assert!(!has_word("known now_ms", "now"));
}
