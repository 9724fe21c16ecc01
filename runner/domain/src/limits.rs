//! Every limit has a name, a unit and a finite default; hitting one is an ordinary outcome.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Limits of one run. In signed documents every field is written out; in `script.toml` a missing
/// one takes the value of [`Limits::DEFAULT`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Instructions, as wasmtime counts fuel, after instantiation.
    pub fuel_max: u64,
    /// Bytes of all linear memories together.
    pub memory_bytes_max: u64,
    /// Milliseconds from start to end, measured by the runner.
    pub wall_ms_max: u64,
    /// Bytes of result, tables, artifacts and progress together.
    pub output_bytes_max: u64,
    /// Calls of host functions of any interface.
    pub host_calls_max: u64,
}

impl Limits {
    /// What a manifest gets where it says nothing. About 0.2 s of CPU.
    pub const DEFAULT: Self = Self {
        fuel_max: 2_000_000_000,
        memory_bytes_max: 64 << 20,
        wall_ms_max: 30_000,
        output_bytes_max: 4 << 20,
        host_calls_max: 10_000,
    };

    /// No document can raise a limit above this: the sandbox's own capacity.
    pub const CEILING: Self = Self {
        fuel_max: 200_000_000_000,
        memory_bytes_max: 256 << 20,
        wall_ms_max: 600_000,
        output_bytes_max: 64 << 20,
        host_calls_max: 100_000,
    };

    /// The smaller of each limit.
    #[must_use]
    pub fn meet(&self, other: &Self) -> Self {
        Self {
            fuel_max: self.fuel_max.min(other.fuel_max),
            memory_bytes_max: self.memory_bytes_max.min(other.memory_bytes_max),
            wall_ms_max: self.wall_ms_max.min(other.wall_ms_max),
            output_bytes_max: self.output_bytes_max.min(other.output_bytes_max),
            host_calls_max: self.host_calls_max.min(other.host_calls_max),
        }
    }

    /// Whether every limit is at most the other's.
    #[must_use]
    pub fn within(&self, other: &Self) -> bool {
        self.meet(other) == *self
    }
}

/// Limits of one query over a whole run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QueryLimits {
    /// Times that it may be opened.
    pub calls_max: u64,
    /// Rows returned by all its calls together.
    pub rows_total_max: u64,
    /// Bytes of cells returned by all its calls together.
    pub bytes_total_max: u64,
}

impl QueryLimits {
    /// What a manifest's query gets where it says nothing.
    pub const DEFAULT: Self =
        Self { calls_max: 1, rows_total_max: 1_000, bytes_total_max: 4 << 20 };

    /// No document can raise a query above this: a run holds its rows in memory.
    pub const CEILING: Self =
        Self { calls_max: 10_000, rows_total_max: 1_000_000, bytes_total_max: 256 << 20 };

    /// The smaller of each limit.
    #[must_use]
    pub fn meet(&self, other: &Self) -> Self {
        Self {
            calls_max: self.calls_max.min(other.calls_max),
            rows_total_max: self.rows_total_max.min(other.rows_total_max),
            bytes_total_max: self.bytes_total_max.min(other.bytes_total_max),
        }
    }
}

/// The name of a limit, as outcomes, receipts and errors carry it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LimitName {
    /// [`Limits::fuel_max`]
    Fuel,
    /// [`Limits::memory_bytes_max`]
    Memory,
    /// [`Limits::wall_ms_max`]
    Wall,
    /// [`Limits::output_bytes_max`]
    Output,
    /// [`Limits::host_calls_max`]
    HostCalls,
    /// Fuel of instantiation; a constant of the sandbox.
    InstantiationFuel,
    /// [`QueryLimits::calls_max`]
    QueryCalls,
    /// [`QueryLimits::rows_total_max`]
    QueryRows,
    /// [`QueryLimits::bytes_total_max`]
    QueryBytes,
    /// Resources at a time: cursors, streams, pollables, the component's own; a constant of the sandbox.
    Handles,
    /// Time of one statement at the target.
    StatementTime,
    /// Depth of calls; a constant of the sandbox.
    Stack,
    /// Elements of all tables; a constant of the sandbox.
    TableElements,
    /// Bytes that one call hands over, and that the result of `run` has; a constant of the sandbox.
    CallBytes,
    /// Bytes of the recording before the run's end; a constant of the runner.
    Recording,
}

impl LimitName {
    /// The stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Fuel => "fuel",
            Self::Memory => "memory",
            Self::Wall => "wall",
            Self::Output => "output",
            Self::HostCalls => "host-calls",
            Self::InstantiationFuel => "instantiation-fuel",
            Self::QueryCalls => "query-calls",
            Self::QueryRows => "query-rows",
            Self::QueryBytes => "query-bytes",
            Self::Handles => "handles",
            Self::StatementTime => "statement-time",
            Self::Stack => "stack",
            Self::TableElements => "table-elements",
            Self::CallBytes => "call-bytes",
            Self::Recording => "recording",
        }
    }
}

impl fmt::Display for LimitName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}
