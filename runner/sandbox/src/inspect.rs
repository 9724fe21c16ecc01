//! Static admission: what a component is and wants, without compiling or running any of it.
//!
//! Needs no engine, so the control plane uses it at upload. Every bound is here because compilation
//! has no time or memory limit of its own: they are in [`walk`], and what a component may import is in
//! [`imports`].

mod imports;
mod producers;
mod walk;

use std::collections::BTreeSet;

use domain::Digest;
use wasmparser::component_types::{ComponentDefinedType, ComponentEntityType, ComponentValType};
use wasmparser::types::Types;
use wasmparser::{Parser, PrimitiveValType, Validator, WasmFeatures};

pub(crate) use self::imports::{DEBUG_VERSION, without_version};
use self::walk::Walk;
use crate::engine::Sandbox;
use crate::error::Refusal;

/// Bytes of foreign text that an error repeats.
const SHOWN_BYTES_MAX: usize = 200;

/// What admission found out about a component.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ComponentFacts {
    /// The component's digest.
    pub digest: Digest,
    /// Its size.
    pub bytes: u64,
    /// What it imports, sorted.
    pub imports: Vec<String>,
    /// Functions of all its modules.
    pub functions: u64,
    /// Bytes of all memories at the start.
    pub memory_bytes: u64,
    /// Languages and tools that it says it was made with, as `rustc 1.95.0`: whoever built it wrote that.
    pub made_with: Vec<String>,
}

impl ComponentFacts {
    /// The capability interfaces among the imports, without version: `borescope:debug/sql`.
    pub fn interfaces(&self) -> impl Iterator<Item = &str> {
        self.imports
            .iter()
            .filter(|i| i.starts_with("borescope:debug/"))
            .map(|i| without_version(i))
    }
}

/// Features that scripts may use; the engine has the same ones.
fn features() -> WasmFeatures {
    WasmFeatures::MUTABLE_GLOBAL
        | WasmFeatures::SATURATING_FLOAT_TO_INT
        | WasmFeatures::SIGN_EXTENSION
        | WasmFeatures::REFERENCE_TYPES
        | WasmFeatures::MULTI_VALUE
        | WasmFeatures::BULK_MEMORY
        | WasmFeatures::SIMD
        | WasmFeatures::FLOATS
        | WasmFeatures::MULTI_MEMORY
        | WasmFeatures::EXTENDED_CONST
        | WasmFeatures::GC_TYPES
        | WasmFeatures::COMPONENT_MODEL
}

impl Sandbox {
    /// Checks a component's bytes: size, sections, bodies, data, memories, imports, the export `run`.
    /// Compiles nothing and needs no engine.
    ///
    /// # Errors
    /// Says what is wrong with the component and what would be accepted.
    pub fn inspect(component: &[u8]) -> Result<ComponentFacts, Refusal> {
        let max = domain::bundle::COMPONENT_BYTES_MAX;
        bound("bytes", component.len() as u64, max)?;
        check_head(component)?;
        let mut walk = Walk::new(component);
        let mut validator = Validator::new_with_features(features());
        let (mut types, mut made_with) = (None, BTreeSet::new());
        let mut allocations = wasmparser::FuncValidatorAllocations::default();
        for payload in Parser::new(0).parse_all(component) {
            let payload = payload.map_err(|e| invalid(&e))?;
            walk.see(&payload)?;
            producers::note(&payload, &mut made_with);
            match validator.payload(&payload).map_err(|e| invalid(&e))? {
                wasmparser::ValidPayload::Func(f, body) => {
                    let mut f = f.into_validator(allocations);
                    f.validate(&body).map_err(|e| invalid(&e))?;
                    allocations = f.into_allocations();
                }
                wasmparser::ValidPayload::End(t) => types = Some(t),
                wasmparser::ValidPayload::Ok | wasmparser::ValidPayload::Parser(_) => {}
            }
        }
        check_run(types.as_ref().ok_or(Refusal::Export { problem: "it is empty" })?)?;
        walk.imports.sort();
        Ok(ComponentFacts {
            digest: Digest::of(component),
            bytes: component.len() as u64,
            imports: walk.imports,
            functions: walk.functions,
            memory_bytes: walk.memory_bytes,
            made_with: made_with.into_iter().collect(),
        })
    }
}

fn check_head(bytes: &[u8]) -> Result<(), Refusal> {
    let what = if bytes.starts_with(b"\0asm") {
        if Parser::is_component(bytes) {
            return Ok(());
        }
        "a core module, not a component"
    } else if bytes.trim_ascii_start().starts_with(b"(") {
        "WebAssembly text"
    } else {
        "not WebAssembly"
    };
    Err(Refusal::NotAComponent { what })
}

fn bound(what: &'static str, got: u64, max: u64) -> Result<(), Refusal> {
    if got > max { Err(Refusal::TooLarge { what, got, max }) } else { Ok(()) }
}

fn invalid(e: &wasmparser::BinaryReaderError) -> Refusal {
    let problem = shown(e.message());
    if problem.contains("async") {
        Refusal::Async { problem }
    } else {
        Refusal::Invalid { offset: e.offset(), problem }
    }
}

/// Foreign text as errors repeat it: safe for people's eyes, and not longer than they read.
fn shown(text: &str) -> String {
    domain::display::neutralise(&text[..text.floor_char_boundary(SHOWN_BYTES_MAX)])
}

fn check_run(types: &Types) -> Result<(), Refusal> {
    let types = types.as_ref();
    let wrong = |problem| Err(Refusal::Export { problem });
    let Some(item) = types.component_item_for_export("run") else {
        return wrong("there is no export `run`");
    };
    let ComponentEntityType::Func(id) = item.ty else {
        return wrong("`run` is not a function");
    };
    let Some(ty) = types.get(id) else {
        return wrong("`run` has no type");
    };
    if ty.async_ {
        return Err(Refusal::Async { problem: "`run` is an async function".to_owned() });
    }
    let is_string = |ty: &ComponentValType| match ty {
        ComponentValType::Primitive(primitive) => *primitive == PrimitiveValType::String,
        ComponentValType::Type(id) => {
            matches!(
                types.get(*id),
                Some(ComponentDefinedType::Primitive(PrimitiveValType::String))
            )
        }
    };
    if ty.params.len() != 1 || !is_string(&ty.params[0].1) {
        return wrong("its parameter is not one string");
    }
    let Some(ComponentValType::Type(result)) = ty.result else {
        return wrong("it does not return a result");
    };
    match types.get(result) {
        Some(ComponentDefinedType::Result { ok: Some(ok), err: Some(err), .. })
            if is_string(ok) && is_string(err) =>
        {
            Ok(())
        }
        _ => wrong("it does not return result<string, string>"),
    }
}
