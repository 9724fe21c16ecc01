//! Counts what a component declares while its sections go by, and refuses it at the first bound.
//!
//! wasmtime bounds neither the time nor the memory of compiling, and the validator's own bounds are
//! those of a browser; so every number on which either depends has a bound here. Checking *types* is
//! the validator's.

use std::collections::BTreeSet;

use wasmparser::{
    ComponentAlias, ComponentExternalKind, ComponentOuterAliasKind, ElementItems, Encoding,
    FunctionBody, Instance, Operator, Payload,
};

use super::{bound, imports, invalid};
use crate::engine::{
    CORE_INSTANCES_MAX, MEMORIES_MAX, MEMORIES_PER_MODULE_MAX, TABLES_MAX, TABLES_PER_MODULE_MAX,
};
use crate::error::Refusal;
use crate::limiter::TABLE_ELEMENTS_MAX;

/// Functions of all modules together; CPython has about 20,000.
const FUNCTIONS_MAX: u64 = 60_000;
/// Bytes of one function body; the largest honest one is CPython's interpreter loop.
const BODY_BYTES_MAX: u64 = 1 << 20;
/// Locals of one function: the compiler's cost grows faster than their number.
const LOCALS_MAX: u64 = 20_000;
/// For each block and branch of a function, the locals that are set inside of it; those of a loop count
/// once for each loop around it. Where control flow meets, the compiler joins the values of each local,
/// and its time and memory grow faster than their number: a thousand nested loops that set two thousand
/// locals fit into 30 KB, and kept it busy for minutes.
const MERGES_MAX: u64 = 1_000_000;
/// The same for all functions together.
const MERGES_TOTAL_MAX: u64 = 10_000_000;
/// Bytes of all data segments together.
const DATA_BYTES_MAX: u64 = 64 << 20;
/// Core modules.
const MODULES_MAX: u64 = CORE_INSTANCES_MAX as u64;
/// Sections of all modules together.
const SECTIONS_MAX: u64 = 20_000;
/// Types, imports, globals, exports, segments and the like of all modules together. A declaration of
/// two bytes costs the validator and the engine a hundred times as much.
const DECLARED_MAX: u64 = 200_000;
/// Bytes of the component's own sections: its types, imports and wiring. Rust guests have 10 to 30 KB.
const WIRING_BYTES_MAX: u64 = 1 << 20;
/// Component or instance types inside of such types. The parser of types calls itself for each, before
/// the validator could count: a few kilobytes would use up a thread's stack, and end the process.
const TYPE_NESTING_MAX: u64 = 200;
/// Bytes of a memory page.
const PAGE_BYTES: u64 = 65_536;

/// What one instance of a core module takes from the engine's pool.
#[derive(Debug, Default, Clone, Copy)]
struct Needs {
    memories: u64,
    memory_bytes: u64,
    tables: u64,
    elements: u64,
}

/// The running counts.
pub(super) struct Walk<'a> {
    /// The whole component.
    bytes: &'a [u8],
    /// Encodings of the component and of the module that is open in it.
    open: Vec<Encoding>,
    /// The imports of the component.
    pub(super) imports: Vec<String>,
    /// Functions of all modules.
    pub(super) functions: u64,
    /// Bytes of all memories of all instances at the start.
    pub(super) memory_bytes: u64,
    sections: u64,
    declared: u64,
    wiring_bytes: u64,
    segment_elements: u64,
    data_bytes: u64,
    merges: u64,
    /// What each module needs, in the order of their indices, and the one that is open.
    modules: Vec<Needs>,
    module: Needs,
    instances: u64,
    memories: u64,
    tables: u64,
    elements: u64,
}

fn read<T>(result: wasmparser::Result<T>) -> Result<T, Refusal> {
    result.map_err(|e| invalid(&e))
}

impl<'a> Walk<'a> {
    /// Begins to count what is in `bytes`.
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self {
            bytes,
            open: Vec::new(),
            imports: Vec::new(),
            functions: 0,
            memory_bytes: 0,
            sections: 0,
            declared: 0,
            wiring_bytes: 0,
            segment_elements: 0,
            data_bytes: 0,
            merges: 0,
            modules: Vec::new(),
            module: Needs::default(),
            instances: 0,
            memories: 0,
            tables: 0,
            elements: 0,
        }
    }

    /// Counts one payload.
    pub(super) fn see(&mut self, payload: &Payload<'_>) -> Result<(), Refusal> {
        match payload {
            Payload::CodeSectionEntry(body) => return self.function(body),
            Payload::Version { encoding, .. } => self.open.push(*encoding),
            Payload::End(_) => {
                let was_module = self.open.pop() == Some(Encoding::Module);
                self.modules.extend(was_module.then(|| std::mem::take(&mut self.module)));
            }
            // wasmtime inlines each instantiation of a nested component, so a few bytes of them can
            // mean any number of instances; and what connects them is code that nobody wrote.
            Payload::ComponentSection { .. } => return Err(Refusal::Nested),
            Payload::ModuleSection { .. } => {
                bound("modules", self.modules.len() as u64 + 1, MODULES_MAX)?;
            }
            _ => {}
        }
        self.sections += 1;
        bound("sections", self.sections, SECTIONS_MAX)?;
        if self.open.last() == Some(&Encoding::Component) {
            self.component(payload)
        } else {
            self.core(payload)
        }
    }

    fn declare(&mut self, count: u32) -> Result<(), Refusal> {
        self.declared += u64::from(count);
        bound("declarations", self.declared, DECLARED_MAX)
    }

    fn function(&mut self, body: &FunctionBody<'_>) -> Result<(), Refusal> {
        self.functions += 1;
        bound("functions", self.functions, FUNCTIONS_MAX)?;
        bound("bytes in one function", body.range().len() as u64, BODY_BYTES_MAX)?;
        let mut locals = 0u64;
        for group in read(body.get_locals_reader())? {
            locals += u64::from(read(group)?.0);
        }
        bound("locals in one function", locals, LOCALS_MAX)?;
        self.merges += merges(body)?;
        bound("locals set inside of blocks", self.merges, MERGES_TOTAL_MAX)
    }

    /// A section of a core module.
    fn core(&mut self, payload: &Payload<'_>) -> Result<(), Refusal> {
        match payload {
            Payload::TypeSection(s) => self.declare(s.count()),
            Payload::ImportSection(s) => self.declare(s.count()),
            Payload::FunctionSection(s) => self.declare(s.count()),
            Payload::GlobalSection(s) => self.declare(s.count()),
            Payload::ExportSection(s) => self.declare(s.count()),
            Payload::TagSection(s) => self.declare(s.count()),
            Payload::MemorySection(section) => {
                bound(
                    "memories in one module",
                    section.count().into(),
                    MEMORIES_PER_MODULE_MAX.into(),
                )?;
                for memory in section.clone() {
                    let bytes = read(memory)?.initial.saturating_mul(PAGE_BYTES);
                    self.module.memories += 1;
                    self.module.memory_bytes = self.module.memory_bytes.saturating_add(bytes);
                }
                Ok(())
            }
            Payload::TableSection(section) => {
                bound(
                    "tables in one module",
                    section.count().into(),
                    TABLES_PER_MODULE_MAX.into(),
                )?;
                for table in section.clone() {
                    let elements = read(table)?.ty.initial;
                    self.module.tables += 1;
                    self.module.elements = self.module.elements.saturating_add(elements);
                }
                Ok(())
            }
            Payload::ElementSection(section) => {
                self.declare(section.count())?;
                for segment in section.clone() {
                    self.segment_elements += u64::from(match read(segment)?.items {
                        ElementItems::Functions(items) => items.count(),
                        ElementItems::Expressions(_, items) => items.count(),
                    });
                }
                bound("table elements", self.segment_elements, TABLE_ELEMENTS_MAX as u64)
            }
            Payload::DataSection(section) => {
                self.declare(section.count())?;
                for data in section.clone() {
                    self.data_bytes += read(data)?.data.len() as u64;
                }
                bound("bytes of data", self.data_bytes, DATA_BYTES_MAX)
            }
            _ => Ok(()),
        }
    }

    /// A section of the component itself. Its size bounds what is in it.
    fn component(&mut self, payload: &Payload<'_>) -> Result<(), Refusal> {
        if let Some((_, range)) = payload.as_section().filter(|_| is_wiring(payload)) {
            self.wiring_bytes += range.len() as u64;
            bound("bytes of component types and wiring", self.wiring_bytes, WIRING_BYTES_MAX)?;
        }
        match payload {
            Payload::ComponentTypeSection(section) => {
                let bytes = self.bytes.get(section.range()).unwrap_or_default();
                bound(
                    "component types inside component types",
                    nested_types(bytes),
                    TYPE_NESTING_MAX,
                )
            }
            Payload::ComponentImportSection(section) => {
                for import in section.clone() {
                    let import = read(import)?;
                    imports::check(import.name.name, &import.ty)?;
                    self.imports.push(import.name.name.to_owned());
                }
                Ok(())
            }
            // A module or component under a second index could not be counted any more.
            Payload::ComponentAliasSection(section) => {
                for alias in section.clone() {
                    let again = match read(alias)? {
                        ComponentAlias::InstanceExport { kind, .. } => is_code(kind),
                        ComponentAlias::Outer { kind, .. } => matches!(
                            kind,
                            ComponentOuterAliasKind::CoreModule
                                | ComponentOuterAliasKind::Component
                        ),
                        ComponentAlias::CoreInstanceExport { .. } => false,
                    };
                    if again {
                        return Err(Refusal::Nested);
                    }
                }
                Ok(())
            }
            Payload::ComponentExportSection(section) => {
                for export in section.clone() {
                    if is_code(read(export)?.kind) {
                        return Err(Refusal::Nested);
                    }
                }
                Ok(())
            }
            Payload::InstanceSection(section) => {
                for instance in section.clone() {
                    if let Instance::Instantiate { module_index, .. } = read(instance)? {
                        self.instantiate(module_index)?;
                    }
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// One module may be instantiated many times, each with its own memories and tables.
    fn instantiate(&mut self, module: u32) -> Result<(), Refusal> {
        // An index that is not there is for the validator to refuse.
        let needs = self.modules.get(module as usize).copied().unwrap_or_default();
        self.instances += 1;
        self.memories += needs.memories;
        self.memory_bytes = self.memory_bytes.saturating_add(needs.memory_bytes);
        self.tables += needs.tables;
        self.elements = self.elements.saturating_add(needs.elements);
        bound("module instances", self.instances, CORE_INSTANCES_MAX.into())?;
        bound("memories", self.memories, MEMORIES_MAX.into())?;
        bound("tables", self.tables, TABLES_MAX.into())?;
        bound("table elements at the start", self.elements, TABLE_ELEMENTS_MAX as u64)?;
        let max = domain::Limits::CEILING.memory_bytes_max;
        bound("bytes of memory at the start", self.memory_bytes, max)
    }
}

fn is_code(kind: ComponentExternalKind) -> bool {
    matches!(kind, ComponentExternalKind::Module | ComponentExternalKind::Component)
}

/// Whether a section of the component is neither code nor for tools.
fn is_wiring(payload: &Payload<'_>) -> bool {
    !matches!(payload, Payload::CustomSection(_) | Payload::ModuleSection { .. })
}

/// A block that is open.
#[derive(Default)]
struct Block {
    is_loop: bool,
    /// The locals set in it so far.
    set: BTreeSet<u32>,
}

/// How many values the compiler may have to join in a function.
fn merges(body: &FunctionBody<'_>) -> Result<u64, Refusal> {
    let (mut count, mut loops) = (0u64, 0u64);
    let mut open: Vec<Block> = Vec::new();
    let mut operators = read(body.get_operators_reader())?;
    while !operators.eof() {
        match read(operators.read())? {
            Operator::Block { .. } | Operator::If { .. } => open.push(Block::default()),
            Operator::Loop { .. } => {
                loops += 1;
                open.push(Block { is_loop: true, ..Block::default() });
            }
            Operator::LocalSet { local_index } | Operator::LocalTee { local_index } => {
                if let Some(block) = open.last_mut() {
                    block.set.insert(local_index);
                }
            }
            Operator::End => {
                let inner = open.pop().unwrap_or_default();
                count += inner.set.len() as u64 * if inner.is_loop { loops } else { 1 };
                bound("locals set inside of blocks of one function", count, MERGES_MAX)?;
                loops -= u64::from(inner.is_loop);
                if let Some(outer) = open.last_mut() {
                    outer.set.extend(inner.set);
                }
            }
            _ => {}
        }
    }
    Ok(count)
}

/// At least as many as the levels to which types are nested: the tag of a declaration that is a type,
/// then that of a component or instance type. Other bytes may look the same; few do.
fn nested_types(section: &[u8]) -> u64 {
    section.windows(2).filter(|pair| matches!(pair, [0x01, 0x41 | 0x42])).count() as u64
}
