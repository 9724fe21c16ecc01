//! Errors of the sandbox: why it cannot work at all, and why it will not take a component.
//!
//! What happens *inside* a run is not an error of this kind; it is an outcome ([`crate::Finished`]).

use domain::Digest;

/// Why the sandbox cannot be set up. The operator's to mend.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// wasmtime refuses our settings on this machine.
    #[error(
        "the WebAssembly engine cannot start on this machine; it needs an x86-64-v3 CPU and address space for {runs} runs"
    )]
    Engine {
        /// Concurrent runs that were asked for.
        runs: u32,
        /// wasmtime's reason.
        #[source]
        source: wasmtime::Error,
    },
    /// A host interface cannot be defined; a fault of this build.
    #[error("the host interfaces cannot be defined; this build is broken")]
    Interfaces(#[source] wasmtime::Error),
}

/// Why a component is refused before any of it runs. The author's to mend, unless it says otherwise.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// Not a component at all.
    #[error("component.wasm is {what}; build a component, with --target wasm32-wasip2")]
    NotAComponent {
        /// What it seems to be.
        what: &'static str,
    },
    /// Above a static bound.
    #[error("the component has {got} {what}; at most {max} are allowed")]
    TooLarge {
        /// What is counted.
        what: &'static str,
        /// How many it has.
        got: u64,
        /// How many it may have.
        max: u64,
    },
    /// It contains components, or hands modules around as values.
    #[error(
        "the component contains or passes on other components or modules, which scripts cannot; build it as one component, without composing"
    )]
    Nested,
    /// Invalid, or it uses a WebAssembly feature that is off.
    #[error("the component is not valid here, at byte {offset}: {problem}")]
    Invalid {
        /// Where.
        offset: usize,
        /// The validator's words.
        problem: String,
    },
    /// It uses the async component model.
    #[error(
        "the component is async, and only synchronous components are supported ({problem}); build it for WASI 0.2 without async exports"
    )]
    Async {
        /// The validator's words.
        problem: String,
    },
    /// It wants something that scripts never get.
    #[error("the component imports {name}, which scripts cannot have; allowed are {allowed}")]
    Import {
        /// The import.
        name: String,
        /// The allowed ones.
        allowed: String,
    },
    /// `run` is absent or has another type.
    #[error(
        "the component does not export `run: func(input: string) -> result<string, string>`: {problem}"
    )]
    Export {
        /// What it has instead.
        problem: &'static str,
    },
    /// It imports interfaces that the effective capabilities do not name.
    #[error(
        "the component imports {missing}, but the run's effective capabilities name nothing of it; the run would need a grant for it"
    )]
    NotLinked {
        /// The interfaces.
        missing: String,
    },
    /// wasmtime would not link or compile it although admission passed.
    #[error("the component cannot be prepared: {problem}")]
    Prepare {
        /// wasmtime's words.
        problem: String,
    },
    /// Compilation took too long.
    #[error("compiling the component takes more than {max_ms} ms")]
    CompileTime {
        /// The bound.
        max_ms: u64,
    },
    /// Others were compiled all the while. Nobody's fault who asked.
    #[error(
        "the compiler was busy with other components for {max_ms} ms; nothing is wrong with this one, run it again later"
    )]
    CompilerBusy {
        /// How long it waited.
        max_ms: u64,
    },
    /// The compiler crashed on this component.
    #[error("the compiler failed on component {component}; this is our fault, please report it")]
    CompilerCrash {
        /// Which.
        component: Digest,
    },
    /// Capabilities that no engine of ours can hold.
    #[error("the limit `memory` is {got} bytes; this sandbox holds at most {max}")]
    Capacity {
        /// What was granted.
        got: u64,
        /// What fits.
        max: u64,
    },
}

impl Refusal {
    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotAComponent { .. } => "not-a-component",
            Self::TooLarge { .. } => "component-too-large",
            Self::Nested => "component-nested",
            Self::Invalid { .. } => "component-invalid",
            Self::Async { .. } => "component-async",
            Self::Import { .. } => "import-not-allowed",
            Self::Export { .. } => "export-missing",
            Self::NotLinked { .. } => "interface-not-granted",
            Self::Prepare { .. } => "component-not-prepared",
            Self::CompileTime { .. } => "compile-time",
            Self::CompilerBusy { .. } => "compiler-busy",
            Self::CompilerCrash { .. } => "compiler-crash",
            Self::Capacity { .. } => "capacity",
        }
    }
}
