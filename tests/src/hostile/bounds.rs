//! Which bound stands behind the place where a guest ended, and whether it kept within all of them.
//!
//! The figures come from the refusal, from the limits in the run's own recording, and from the sandbox;
//! none is written down here.

use domain::capability::QueryScope;
use domain::{LimitName, Outcome, Scope};
use executor::Output;
use sandbox::recording::End;
use sandbox::{Recording, Refusal, bounds};

/// What admission refused: the number that is too high, or the rule that is broken.
pub fn of_refusal(refusal: &Refusal) -> String {
    match refusal {
        Refusal::TooLarge { what, max, got } => {
            assert!(got > max, "{refusal}");
            format!("{what} {max}")
        }
        rule => rule.code().to_owned(),
    }
}

/// What a run is known to have used, and what it might.
pub struct Used<'a> {
    scope: &'a Scope,
    end: &'a End,
    output: &'a Output,
}

impl<'a> Used<'a> {
    /// Of a run that is over, by its recording and its output.
    pub fn of(recording: &'a Recording, output: &'a Output) -> Self {
        let (header, end) = (recording.header().unwrap(), recording.end().unwrap());
        Self { scope: &header.effective, end, output }
    }

    /// The bounds that ended the run or cut what it has; where none did, the fuel that would have.
    pub fn bounds(&self) -> String {
        let hit = self.end.limits_hit.iter().map(|limit| (limit.code(), self.figure(*limit)));
        let mut bounds: Vec<String> =
            hit.map(|(name, figure)| format!("{name} {figure}")).collect();
        let (stdout, stderr) = (&self.output.stdout, &self.output.stderr);
        let log_dropped = self.end.log_dropped;
        for (name, dropped, max) in [
            ("stdout", stdout.dropped, bounds::STDOUT_BYTES_MAX as u64),
            ("stderr", stderr.dropped, bounds::STDERR_BYTES_MAX as u64),
            ("log", log_dropped, bounds::LOG_BYTES_MAX),
        ] {
            if dropped > 0 {
                bounds.push(format!("{name} {}", size(max)));
            }
        }
        if bounds.is_empty() {
            // Instantiation has fuel of its own.
            let running = self.end.fuel_used > 0;
            let fuel = if running { LimitName::Fuel } else { LimitName::InstantiationFuel };
            bounds.push(format!("{fuel} {}", self.figure(fuel)));
        }
        bounds.join(", ")
    }

    fn figure(&self, limit: LimitName) -> String {
        let queries = |of: fn(&QueryScope) -> u64| {
            let all = self.scope.targets.iter().flat_map(|target| &target.queries);
            all.map(|query| of(query).to_string()).collect::<Vec<_>>().join("/")
        };
        let figure = bounds::of(limit, &self.scope.limits);
        match (limit, figure) {
            (LimitName::QueryCalls, _) => queries(|query| query.calls_max),
            (LimitName::QueryRows, _) => queries(|query| query.rows_total_max),
            (LimitName::QueryBytes, _) => queries(|query| query.bytes_total_max),
            (LimitName::Handles, Some(max)) => format!("{max}, own {}", bounds::OWN_HANDLES_MAX),
            (LimitName::Wall, Some(ms)) => format!("{ms} ms"),
            (
                LimitName::Memory | LimitName::Output | LimitName::Stack | LimitName::CallBytes,
                Some(bytes),
            ) => size(bytes),
            (_, Some(number)) => number.to_string(),
            (_, None) => panic!("there is no figure for {limit}"),
        }
    }

    /// Asserts that nothing that can be counted is above its bound.
    pub fn check(&self, guest: &str) {
        let (limits, end, output) = (&self.scope.limits, self.end, self.output);
        let used = [
            ("fuel", end.fuel_used, limits.fuel_max),
            ("memory", end.memory_peak, limits.memory_bytes_max),
            ("host calls", end.host_calls, limits.host_calls_max),
            ("output", output_bytes(output), limits.output_bytes_max),
            ("stdout", output.stdout.bytes.len() as u64, bounds::STDOUT_BYTES_MAX as u64),
            ("stderr", output.stderr.bytes.len() as u64, bounds::STDERR_BYTES_MAX as u64),
            ("log", log_bytes(output), bounds::LOG_BYTES_MAX),
        ];
        for (what, used, max) in used {
            assert!(used <= max, "{guest} used {used} of {max}: {what}");
        }
        if let Outcome::LimitExceeded { limit } = end.outcome {
            assert!(
                end.limits_hit.contains(&limit),
                "{guest} ended by {limit}, which is not listed"
            );
        }
        // Where it is stopped depends on the machine; that it is stopped for this does not.
        let too_long = output.wall_ms > limits.wall_ms_max;
        let stopped = end.outcome == Outcome::LimitExceeded { limit: LimitName::Wall };
        assert!(!too_long || stopped, "{guest} took {} ms: {:?}", output.wall_ms, end.outcome);
    }
}

/// Bytes of everything that the limit `output` counts, without what it adds for each part.
fn output_bytes(output: &Output) -> u64 {
    let result = &output.result;
    let tables = result.tables.iter().map(|table| {
        let cells = table.rows.iter().flatten().map(domain::Value::size_bytes).sum::<u64>();
        table.name.len() as u64 + cells
    });
    let artifacts = result.artifacts.iter().map(|artifact| artifact.bytes.len() as u64);
    let error = output.error.as_ref().map_or(0, |error| error.message.len() as u64);
    tables.chain(artifacts).sum::<u64>() + result.value.to_string().len() as u64 + error
}

fn log_bytes(output: &Output) -> u64 {
    output.log.iter().map(|line| line.message.len() as u64).sum()
}

/// Bytes as people write them.
fn size(bytes: u64) -> String {
    match bytes {
        b if b % (1 << 20) == 0 => format!("{} MiB", b >> 20),
        b if b % (1 << 10) == 0 => format!("{} KiB", b >> 10),
        b => format!("{b} bytes"),
    }
}
