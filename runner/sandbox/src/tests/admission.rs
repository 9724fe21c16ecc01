//! What never becomes a running component, and what is told instead.

use std::sync::Arc;

use super::guests::{guest, guest_importing, guest_without_sql};
use super::host::{everything, nothing, options, sandbox};
use crate::{Refusal, Sandbox};

#[test]
fn a_component_that_wants_http_is_told_which_import_and_what_is_allowed() {
    let bytes = guest_importing(r#"(import "wasi:http/outgoing-handler@0.2.0" (instance))"#);
    let told = Sandbox::inspect(&bytes).unwrap_err().to_string();
    assert!(
        told.contains("imports wasi:http/outgoing-handler@0.2.0")
            && told.contains("borescope:debug/sql"),
        "{told}"
    );
}

#[test]
fn another_version_of_the_contract_is_not_taken_for_ours() {
    let bytes = guest_importing(r#"(import "borescope:debug/kv@0.1.0" (instance))"#);
    assert!(matches!(Sandbox::inspect(&bytes), Err(Refusal::Import { .. })));
    let bytes = guest_importing(r#"(import "borescope:debug/sql@0.2.0" (instance))"#);
    assert!(matches!(Sandbox::inspect(&bytes), Err(Refusal::Import { .. })));
}

#[test]
fn what_is_no_component_is_named() {
    let core = wat::parse_str("(module)").unwrap();
    for (bytes, word) in [
        (b"(component)".to_vec(), "text"),
        (core, "core module"),
        (b"#!/bin/sh".to_vec(), "not WebAssembly"),
    ] {
        let told = Sandbox::inspect(&bytes).unwrap_err().to_string();
        assert!(told.contains(word), "{told}");
    }
}

#[test]
fn an_async_component_is_refused_as_such() {
    let text = r#"(component
        (core module $m (func (export "f")))
        (core instance $i (instantiate $m))
        (type $t (func async))
        (func (export "run") (type $t) (canon lift (core func $i "f") async)))"#;
    let bytes = wat::parse_str(text).unwrap();
    let refused = Sandbox::inspect(&bytes).unwrap_err();
    assert!(matches!(refused, Refusal::Async { .. }), "{refused}");
}

#[test]
fn run_must_be_there_with_its_type() {
    let absent = wat::parse_str("(component)").unwrap();
    assert!(matches!(Sandbox::inspect(&absent), Err(Refusal::Export { .. })));
    let text = r#"(component
        (core module $m (func (export "f")))
        (core instance $i (instantiate $m))
        (func (export "run") (canon lift (core func $i "f"))))"#;
    let told = Sandbox::inspect(&wat::parse_str(text).unwrap()).unwrap_err().to_string();
    assert!(told.contains("not one string"), "{told}");
}

#[test]
fn a_compile_bomb_is_counted_before_it_is_compiled() {
    let locals = format!("(component (core module (func (local {}))))", "i64 ".repeat(30_000));
    let refused = Sandbox::inspect(&wat::parse_str(locals).unwrap()).unwrap_err();
    assert!(
        matches!(refused, Refusal::TooLarge { what: "locals in one function", got: 30_000, .. }),
        "{refused}"
    );
    let body = format!("(component (core module (func {})))", "i32.const 1 drop ".repeat(400_000));
    let refused = Sandbox::inspect(&wat::parse_str(body).unwrap()).unwrap_err();
    assert!(
        matches!(refused, Refusal::TooLarge { what: "bytes in one function", .. }),
        "{refused}"
    );
    let memory = "(component (core module $m (memory 65536)) (core instance (instantiate $m)))";
    let refused = Sandbox::inspect(&wat::parse_str(memory).unwrap()).unwrap_err();
    assert!(
        matches!(refused, Refusal::TooLarge { what: "bytes of memory at the start", .. }),
        "{refused}"
    );
}

/// Should admission miss one, the engine's pool has no room for it either.
#[test]
fn the_engine_itself_holds_no_more_than_admission_lets_through() {
    for (what, fields) in [
        ("core module instances", "(core instance (instantiate $m))".repeat(201)),
        ("memories", "(core instance (instantiate $memories))".repeat(5)),
        ("tables", "(core instance (instantiate $tables))".repeat(9)),
    ] {
        let text = format!(
            "(component (core module $m)
               (core module $memories (memory 1) (memory 1))
               (core module $tables (table 1 funcref) (table 1 funcref) (table 1 funcref) (table 1 funcref))
               {fields})"
        );
        let bytes = wat::parse_str(text).unwrap();
        let refused = wasmtime::component::Component::new(&sandbox().engine, bytes);
        let Err(refused) = refused else { panic!("{what}: it compiles") };
        assert!(format!("{refused:#}").contains(what), "{refused:#}");
    }
    for feature in ["(memory 1 1 shared)", "(memory i64 1)", "(func return_call 0)", "(tag)"] {
        let bytes = wat::parse_str(format!("(component (core module {feature}))")).unwrap();
        assert!(
            wasmtime::component::Component::new(&sandbox().engine, bytes).is_err(),
            "{feature}"
        );
    }
}

#[test]
fn features_that_are_off_are_off_at_upload() {
    for module in
        ["(memory 1 1 shared)", "(memory i64 1)", "(func (result i32) return_call 0)", "(tag)"]
    {
        let bytes = wat::parse_str(format!("(component (core module {module}))")).unwrap();
        assert!(matches!(Sandbox::inspect(&bytes), Err(Refusal::Invalid { .. })), "{module}");
    }
}

#[tokio::test]
async fn an_interface_without_capability_fails_at_link_with_its_name() {
    let admitted = sandbox().admit(guest("").into()).await.unwrap();
    let Err(refused) = sandbox().link(&admitted, &nothing()) else { panic!("it links") };
    assert!(refused.to_string().contains("imports borescope:debug/sql"), "{refused}");
    assert!(sandbox().link(&admitted, &everything()).is_ok());
}

#[tokio::test]
async fn more_memory_than_the_sandbox_holds_is_refused_whoever_signed_it() {
    let admitted = sandbox().admit(guest_without_sql("").into()).await.unwrap();
    let mut more = nothing();
    more.limits.memory_bytes_max = domain::Limits::CEILING.memory_bytes_max + 1;
    let Err(refused) = sandbox().link(&admitted, &more) else { panic!("it links") };
    assert_eq!(refused.code(), "capacity");
}

#[tokio::test]
async fn the_linked_interfaces_are_what_is_effective() {
    let admitted = sandbox().admit(guest_without_sql("").into()).await.unwrap();
    let without = sandbox().link(&admitted, &nothing()).unwrap();
    assert!(!without.interfaces().contains(&"borescope:debug/sql"));
    let with = sandbox().link(&admitted, &everything()).unwrap();
    assert!(with.interfaces().contains(&"borescope:debug/sql"));
}

#[tokio::test]
async fn whoever_keeps_the_compiler_busy_is_not_in_the_way_of_what_was_compiled_before() {
    let dir = tempfile::tempdir().unwrap();
    let before: Arc<[u8]> = guest_without_sql("").into();
    let fresh = |compile_ms_max| {
        let artifact_dir = Some(dir.path().to_owned());
        Sandbox::new(crate::SandboxOptions { artifact_dir, compile_ms_max, ..options() }).unwrap()
    };
    fresh(60_000).admit(Arc::clone(&before)).await.unwrap();
    // A server that was started again, whose one place to compile is taken and stays so.
    let sandbox = fresh(50);
    let _taken = Arc::clone(&sandbox.compiles).acquire_owned().await.unwrap();
    assert!(sandbox.admit(before).await.is_ok());
    let other = sandbox.admit(guest_without_sql("unreachable").into()).await;
    let Err(refused) = other else { panic!("nobody was there to compile it") };
    assert_eq!(refused.code(), "compiler-busy");
    assert!(refused.to_string().contains("nothing is wrong with this one"), "{refused}");
}

#[tokio::test]
async fn a_compilation_without_end_is_given_up_by_name() {
    let o = options();
    let hurried = Sandbox::new(crate::SandboxOptions { compile_ms_max: 0, ..o }).unwrap();
    let Err(refused) = hurried.admit(guest("").into()).await else { panic!("it compiles") };
    assert_eq!(refused.code(), "compile-time");
}

#[tokio::test]
async fn an_artifact_that_was_changed_on_disk_is_compiled_again() {
    let dir = tempfile::tempdir().unwrap();
    let component: Arc<[u8]> = guest_without_sql("").into();
    let file = || std::fs::read_dir(dir.path()).unwrap().next().unwrap().unwrap().path();
    let fresh = |key: u8| {
        let o = options();
        Sandbox::new(crate::SandboxOptions {
            artifact_dir: Some(dir.path().to_owned()),
            mac_key: [key; 32],
            concurrent_runs_max: 1,
            ..o
        })
        .unwrap()
    };
    fresh(1).admit(Arc::clone(&component)).await.unwrap();
    let good = std::fs::read(file()).unwrap();

    // One byte of code in the middle; loading it would be running it.
    let mut bad = good.clone();
    let middle = bad.len() / 2;
    bad[middle] ^= 1;
    std::fs::write(file(), &bad).unwrap();
    fresh(1).admit(Arc::clone(&component)).await.unwrap();
    assert_eq!(std::fs::read(file()).unwrap(), good, "it was compiled again and replaced");

    // Another runner's key is as bad as no MAC.
    fresh(2).admit(component).await.unwrap();
    assert_ne!(std::fs::read(file()).unwrap()[..32], good[..32]);
}
