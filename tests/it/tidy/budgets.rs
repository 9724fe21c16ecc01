//! How long files and functions may be. Tests are not counted: a long scenario is one story, a long
//! function of the product is several. Generated code never enters the tree, so it needs no rule.

use super::Source;
use super::rust_text::{code_only, is_word};

/// Lines that no file may exceed.
const FILE_LINES_MAX: usize = 600;
/// Lines that a file should not exceed; those that do stand in [`OVER_THE_GOAL`].
const FILE_LINES_GOAL: usize = 400;
/// Lines of a function, from its `fn` to its closing brace.
const FUNCTION_LINES_MAX: usize = 70;

/// Files above the goal. This list only shrinks: a file that fits again must leave it.
pub(super) const OVER_THE_GOAL: &[&str] = &[];

/// Files over the limit, files over the goal that are not in `excused`, and entries of `excused`
/// that need no excuse.
pub(super) fn long_files(sources: &[Source], excused: &[&str]) -> Vec<String> {
    let mut violations = Vec::new();
    let counted = || sources.iter().filter(|source| !is_test(&source.path));
    for Source { path, text } in counted() {
        let lines = text.lines().count();
        if lines > FILE_LINES_MAX {
            violations.push(format!("{path}: {lines} lines, the limit is {FILE_LINES_MAX}"));
        } else if lines > FILE_LINES_GOAL && !excused.contains(&path.as_str()) {
            violations.push(format!("{path}: {lines} lines, the goal is {FILE_LINES_GOAL}"));
        }
    }
    for excuse in excused {
        let source = counted().find(|source| source.path == *excuse);
        if source.is_none_or(|source| source.text.lines().count() <= FILE_LINES_GOAL) {
            violations.push(format!("{excuse}: needs no excuse; remove it from OVER_THE_GOAL"));
        }
    }
    violations
}

/// Functions over their limit.
pub(super) fn long_functions(sources: &[Source]) -> Vec<String> {
    let mut violations = Vec::new();
    for Source { path, text } in sources.iter().filter(|source| !is_test(&source.path)) {
        for Function { name, line, lines } in functions(text) {
            if lines > FUNCTION_LINES_MAX {
                violations.push(format!(
                    "{path}:{line}: `{name}` has {lines} lines, the limit is {FUNCTION_LINES_MAX}"
                ));
            }
        }
    }
    violations
}

/// Whether a file holds tests or their support.
pub(super) fn is_test(path: &str) -> bool {
    path.ends_with("/tests.rs") || path.split('/').any(|part| part == "tests")
}

struct Function {
    name: String,
    /// Where it starts, from 1.
    line: usize,
    lines: usize,
}

/// Every function with a body. Braces are counted, not parsed: a `{` inside a signature (a const
/// generic argument) would end the search early, and code that a macro writes is not seen.
fn functions(text: &str) -> Vec<Function> {
    let code: Vec<char> = code_only(text).chars().collect();
    let mut found = Vec::new();
    let mut line = 1;
    for at in 0..code.len() {
        if code[at] == '\n' {
            line += 1;
        }
        if !starts_function(&code, at) {
            continue;
        }
        let rest = &code[at + 2..];
        let Some(end) = body_end(rest) else { continue };
        let name = rest.iter().skip_while(|it| it.is_whitespace()).take_while(|it| is_word(**it));
        found.push(Function {
            name: name.collect(),
            line,
            lines: 1 + rest[..end].iter().filter(|it| **it == '\n').count(),
        });
    }
    found
}

/// Whether `fn` followed by a name stands at `at` (a pointer type `fn(` has no name).
fn starts_function(code: &[char], at: usize) -> bool {
    let is_keyword = code[at..].starts_with(&['f', 'n'])
        && (at == 0 || !is_word(code[at - 1]))
        && code.get(at + 2).is_some_and(|next| next.is_whitespace());
    let next = code[at..].iter().skip(2).find(|it| !it.is_whitespace());
    is_keyword && next.is_some_and(|next| is_word(*next) || *next == '$')
}

/// The offset of the brace that closes the body; nothing if the function has none.
fn body_end(code: &[char]) -> Option<usize> {
    let mut braces = 0_usize;
    let mut brackets = 0_usize;
    for (at, it) in code.iter().enumerate() {
        match it {
            '(' | '[' if braces == 0 => brackets += 1,
            ')' | ']' if braces == 0 => brackets = brackets.saturating_sub(1),
            ';' if braces == 0 && brackets == 0 => return None,
            '{' => braces += 1,
            '}' if braces <= 1 => return Some(at),
            '}' => braces -= 1,
            _ => {}
        }
    }
    None
}

fn source(path: &str, text: String) -> Source {
    Source { path: path.to_owned(), text }
}

#[test]
fn a_file_over_its_limit_is_found() {
    let long = [source("runner/x/src/a.rs", "\n".repeat(601))];
    assert_eq!(long_files(&long, &[]), ["runner/x/src/a.rs: 601 lines, the limit is 600"]);
    assert_eq!(long_files(&long, &["runner/x/src/a.rs"]).len(), 1, "the limit has no excuse");
}

#[test]
fn a_file_over_the_goal_needs_an_excuse_and_a_short_one_loses_it() {
    let long = [source("runner/x/src/a.rs", "\n".repeat(401))];
    assert_eq!(long_files(&long, &[]), ["runner/x/src/a.rs: 401 lines, the goal is 400"]);
    assert_eq!(long_files(&long, &["runner/x/src/a.rs"]), Vec::<String>::new());
    let short = [source("runner/x/src/a.rs", "\n".repeat(400))];
    assert_eq!(long_files(&short, &["runner/x/src/a.rs"]).len(), 1, "the list only shrinks");
    assert_eq!(long_files(&[], &["runner/x/src/gone.rs"]).len(), 1);
}

#[test]
fn a_long_function_is_found_in_spite_of_braces_in_text() {
    let body = "    let brace = \"}\"; // }\n".repeat(70);
    let text = format!("trait T {{ fn no_body(&self, x: [u8; 2]); }}\n\nfn long() {{\n{body}}}\n");
    let found = long_functions(&[source("runner/x/src/a.rs", text.clone())]);
    assert_eq!(found, ["runner/x/src/a.rs:3: `long` has 72 lines, the limit is 70"]);
    assert_eq!(long_functions(&[source("runner/x/src/tests.rs", text)]), Vec::<String>::new());
}

#[test]
fn a_function_at_its_limit_passes_and_its_neighbour_is_not_added_to_it() {
    let body = "    step();\n".repeat(68);
    let text = format!("fn a() {{\n{body}}}\nfn b(f: fn() -> u8) {{\n{body}}}\n");
    assert_eq!(long_functions(&[source("runner/x/src/a.rs", text)]), Vec::<String>::new());
}
