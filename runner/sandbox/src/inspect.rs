//! Static admission: what a component is and wants, without compiling or running any of it.
//!
//! Needs no engine, so the control plane uses it at upload. Every bound is here because compilation
//! has no time or memory limit of its own. What the component may import is in [`imports`].

mod imports;

use domain::{Digest, Limits};
use wasmparser::component_types::{ComponentDefinedType, ComponentEntityType, ComponentValType};
use wasmparser::types::Types;
use wasmparser::{Encoding, Parser, Payload, PrimitiveValType, Validator, WasmFeatures};

pub(crate) use self::imports::{DEBUG_VERSION, without_version};
use crate::engine::{CORE_INSTANCES_MAX, Sandbox};
use crate::error::Refusal;

/// Functions of all modules together; CPython has about 20,000.
const FUNCTIONS_MAX: u64 = 60_000;
/// Bytes of one function body; the largest honest one is CPython's interpreter loop.
const BODY_BYTES_MAX: u64 = 1 << 20;
/// Locals of one function: the compiler's cost grows faster than their number.
const LOCALS_MAX: u64 = 20_000;
/// Bytes of all data segments together.
const DATA_BYTES_MAX: u64 = 64 << 20;
/// Core modules and nested components together.
const NESTED_MAX: u64 = CORE_INSTANCES_MAX as u64;
/// Sections of all modules and components together.
const SECTIONS_MAX: u64 = 20_000;
/// Bytes of a memory page.
const PAGE_BYTES: u64 = 65_536;

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
        let mut walk = Walk::default();
        let mut validator = Validator::new_with_features(features());
        let mut types = None;
        let mut allocations = wasmparser::FuncValidatorAllocations::default();
        for payload in Parser::new(0).parse_all(component) {
            let payload = payload.map_err(|e| invalid(&e))?;
            walk.see(&payload)?;
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
        bound("bytes of memory at the start", walk.memory_bytes, Limits::CEILING.memory_bytes_max)?;
        walk.imports.sort();
        Ok(ComponentFacts {
            digest: Digest::of(component),
            bytes: component.len() as u64,
            imports: walk.imports,
            functions: walk.functions,
            memory_bytes: walk.memory_bytes,
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
    let problem = domain::display::neutralise(e.message());
    if problem.contains("async") {
        Refusal::Async { problem }
    } else {
        Refusal::Invalid { offset: e.offset(), problem }
    }
}

/// Counts while the payloads go by.
#[derive(Default)]
struct Walk {
    /// Encodings of the modules and components that are open; the outermost first.
    open: Vec<Encoding>,
    imports: Vec<String>,
    nested: u64,
    sections: u64,
    functions: u64,
    data_bytes: u64,
    memory_bytes: u64,
}

impl Walk {
    fn see(&mut self, payload: &Payload<'_>) -> Result<(), Refusal> {
        let read = |e: wasmparser::BinaryReaderError| invalid(&e);
        self.sections += 1;
        bound(
            "sections and function bodies",
            self.sections.saturating_sub(self.functions),
            SECTIONS_MAX,
        )?;
        match payload {
            Payload::Version { encoding, .. } => self.open.push(*encoding),
            Payload::End(_) => {
                self.open.pop();
            }
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => {
                self.nested += 1;
                bound("nested modules and components", self.nested, NESTED_MAX)?;
            }
            Payload::ComponentImportSection(section) if self.open.len() == 1 => {
                for import in section.clone() {
                    let import = import.map_err(read)?;
                    imports::check(import.name.name, &import.ty)?;
                    self.imports.push(import.name.name.to_owned());
                }
            }
            Payload::MemorySection(section) => {
                for memory in section.clone() {
                    let bytes = memory.map_err(read)?.initial.saturating_mul(PAGE_BYTES);
                    self.memory_bytes = self.memory_bytes.saturating_add(bytes);
                }
            }
            Payload::DataSection(section) => {
                for data in section.clone() {
                    self.data_bytes += data.map_err(read)?.data.len() as u64;
                }
                bound("bytes of data", self.data_bytes, DATA_BYTES_MAX)?;
            }
            Payload::CodeSectionEntry(body) => {
                self.functions += 1;
                bound("functions", self.functions, FUNCTIONS_MAX)?;
                bound("bytes in one function", body.range().len() as u64, BODY_BYTES_MAX)?;
                let mut locals = 0u64;
                for group in body.get_locals_reader().map_err(read)? {
                    locals += u64::from(group.map_err(read)?.0);
                }
                bound("locals in one function", locals, LOCALS_MAX)?;
            }
            _ => {}
        }
        Ok(())
    }
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
