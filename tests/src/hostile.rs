//! Every guest that the scenarios set upon the sandbox, from three places: the Rust guests in
//! `tests/guests`, the components written as text in `tests/cases/hostile`, and those that are too
//! large or too broken for either, which are made here.
//!
//! What is added in one of them is in [`all`] at once, and then has to have a row in the golden table
//! of `tests/it/hostile.rs`.

pub mod bounds;

use std::fmt::Write as _;
use std::path::Path;

use crate::ambient::SeededEntropy;
use domain::Entropy as _;

/// A script for an attack.
pub struct Guest {
    /// Its name; unique.
    pub name: String,
    /// The files of its bundle, without the list.
    pub files: Vec<(String, Vec<u8>)>,
    /// What it is run with.
    pub input: &'static str,
}

/// All guests, by name.
pub fn all() -> Vec<Guest> {
    let mut all: Vec<Guest> = rust_guests().chain(text_guests()).chain(made_guests()).collect();
    all.sort_by(|a, b| a.name.cmp(&b.name));
    assert!(all.windows(2).all(|pair| pair[0].name != pair[1].name), "two guests have one name");
    all
}

/// One guest.
pub fn named(name: &str) -> Guest {
    all().into_iter().find(|g| g.name == name).unwrap_or_else(|| panic!("there is no guest {name}"))
}

/// Files directly in a folder of this package.
fn listed(folder: &str) -> impl Iterator<Item = std::path::PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path())
}

fn stem(path: &Path) -> String {
    path.file_stem().unwrap().to_str().unwrap().to_owned()
}

fn rust_guests() -> impl Iterator<Item = Guest> {
    let packages = listed("guests").filter(|path| path.join("script.toml").is_file());
    packages.map(|path| {
        let name = stem(&path);
        let input = if name == "loud-mouth" { r#"{"fail":true}"# } else { "{}" };
        Guest { files: crate::guests::files(&name), name, input }
    })
}

/// A component as text; lines `;; limit KEY = VALUE` go into its manifest.
fn text_guests() -> impl Iterator<Item = Guest> {
    let files = listed("cases/hostile").filter(|path| path.extension().is_some_and(|e| e == "wat"));
    files.map(|path| {
        let text = std::fs::read_to_string(&path).unwrap();
        let limits: Vec<&str> = text.lines().filter_map(|l| l.strip_prefix(";; limit ")).collect();
        let component = wat::parse_str(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        guest(&stem(&path), component, &limits.join("\n"))
    })
}

fn guest(name: &str, component: Vec<u8>, limits: &str) -> Guest {
    let manifest = format!(
        "[script]\nname = \"{name}\"\nversion = \"1.0.0\"\nsummary = \"Hostile\"\n\n\
         [targets.shop]\nengine = \"sqlite\"\n\n[limits]\n{limits}\n"
    );
    let files = vec![
        ("script.toml".to_owned(), manifest.into_bytes()),
        ("component.wasm".to_owned(), component),
    ];
    Guest { name: name.to_owned(), files, input: "{}" }
}

fn made_guests() -> impl Iterator<Item = Guest> {
    let honest = crate::guests::file("echo", "component.wasm");
    let mut flipped = honest.clone();
    let middle = flipped.len() / 2;
    flipped[middle..middle + 16].fill(0xff);
    let made = [
        ("bytes-empty", Vec::new()),
        ("bytes-random", random(10_000)),
        ("bytes-random-after-magic", [b"\0asm\x0d\0\x01\0".as_slice(), &random(10_000)].concat()),
        ("bytes-truncated", honest[..honest.len() / 2].to_vec()),
        ("bytes-mutated", flipped),
        ("bytes-text", b"(component)".to_vec()),
        ("bytes-script", b"#!/bin/sh\nrm -rf /\n".to_vec()),
        // One byte too many; a server that refuses half-way would not be heard by all clients.
        ("bytes-too-many", [honest.as_slice(), &vec![0; (32 << 20) + 1 - honest.len()]].concat()),
        ("custom-section-of-megabytes", [honest.as_slice(), &custom_section(12 << 20)].concat()),
        ("custom-sections-without-end", [honest, custom_section(0).repeat(30_000)].concat()),
        ("compile-functions", module(&"(func)".repeat(60_001))),
        ("compile-functions-to-the-bound", module(&"(func)".repeat(20_000))),
        ("compile-size", module(&format!("(func {})", "i32.const 1 drop ".repeat(300_000)))),
        ("compile-locals", module(&format!("(func (local {}))", "i64 ".repeat(20_001)))),
        ("compile-globals", module(&"(global i32 (i32.const 1))".repeat(200_001))),
        ("compile-types", module(&(0..200_001).map(|_| "(type (func))").collect::<String>())),
        ("compile-elements", module(&elements(400_001))),
        ("compile-br-table", module(&br_table(60_000))),
        ("compile-loops-and-locals", module(&loops_and_locals(1_000, 2_000))),
        ("type-nesting", nested_types(100_000)),
        ("many-types", many_types(600_000)),
    ];
    made.into_iter().map(|(name, component)| guest(name, component, ""))
}

fn random(bytes: usize) -> Vec<u8> {
    let mut out = vec![0; bytes];
    SeededEntropy::new("hostile").fill(&mut out);
    out
}

/// An unsigned number as WebAssembly writes it.
fn leb(mut n: usize) -> Vec<u8> {
    let mut out = Vec::new();
    loop {
        let low = u8::try_from(n & 0x7f).unwrap();
        n >>= 7;
        if n == 0 {
            out.push(low);
            return out;
        }
        out.push(low | 0x80);
    }
}

fn section(id: u8, body: &[u8]) -> Vec<u8> {
    [&[id], leb(body.len()).as_slice(), body].concat()
}

fn custom_section(bytes: usize) -> Vec<u8> {
    section(0, &[b"\x01x".as_slice(), &vec![0; bytes]].concat())
}

/// An honest component with `fields` in its module.
fn module(fields: &str) -> Vec<u8> {
    let text = include_str!("../cases/hostile/infinite-loop.wat");
    let with = text.replace("(loop $for_ever (br $for_ever))", "");
    let with =
        with.replacen("(func (export \"run\")", &format!("{fields}\n(func (export \"run\")"), 1);
    assert_ne!(with, text, "infinite-loop.wat has another shape");
    wat::parse_str(with).unwrap()
}

fn elements(n: usize) -> String {
    format!("(table 1 funcref) (func $f) (elem func {})", "$f ".repeat(n))
}

fn br_table(targets: usize) -> String {
    format!("(func (param i32) (br_table {} (local.get 0)))", "0 ".repeat(targets))
}

/// Each loop's start is a place where any local may have either of two values.
fn loops_and_locals(loops: usize, locals: usize) -> String {
    let mut text = format!("(func (param i32) (local {})", "i64 ".repeat(locals));
    text.push_str(&"(loop ".repeat(loops));
    for n in 1..=locals {
        write!(text, "(local.set {n} (i64.add (local.get {n}) (i64.const 1)))").unwrap();
    }
    text.push_str(&"(br_if 0 (local.get 0)))".repeat(loops));
    text.push(')');
    text
}

/// A component with `types` before everything else.
fn before(types: &[u8]) -> Vec<u8> {
    let honest = crate::guests::file("echo", "component.wasm");
    let (head, rest) = honest.split_at(8);
    [head, &section(7, types), rest].concat()
}

/// An instance type in an instance type in an instance type.
fn nested_types(levels: usize) -> Vec<u8> {
    let open = [0x42, 0x01, 0x01].repeat(levels);
    before(&[b"\x01".as_slice(), &open, b"\x42\x00"].concat())
}

/// Two bytes for each type.
fn many_types(n: usize) -> Vec<u8> {
    before(&[leb(n), vec![0x7d; n]].concat())
}
