//! Samples and the rows of the table: medians with the 10th and 90th percentile, and the ratio of two
//! medians. No verdict fails anything; a goal that is missed is said so in the table.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use super::Scale;

/// What a sample is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    /// Seconds for one; less is better.
    Seconds,
    /// How many in a second; more is better.
    PerSecond,
    /// Bytes; less is better.
    Bytes,
}

/// Samples of one side.
#[derive(Clone, Debug, Default)]
pub(super) struct Samples(Vec<f64>);

impl Samples {
    pub(super) fn push(&mut self, sample: f64) {
        self.0.push(sample);
    }

    pub(super) fn extend(&mut self, samples: impl IntoIterator<Item = f64>) {
        self.0.extend(samples);
    }

    /// The sample below which so many percent of all are; by the nearest rank.
    fn percentile(&self, percent: usize) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        sorted[((sorted.len() - 1) * percent + 50) / 100]
    }

    fn median(&self) -> f64 {
        self.percentile(50)
    }

    fn show(&self, unit: Unit) -> String {
        let [low, middle, high] =
            [10, 50, 90].map(|percent| figure(self.percentile(percent), unit));
        format!("{middle} ({low} – {high})")
    }
}

/// What DESIGN asks for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Goal {
    /// Nothing.
    None,
    /// Ours is at most this.
    AtMost(f64),
    /// Ours is at least this.
    AtLeast(f64),
    /// Ours ÷ plain is at most this.
    RatioAtMost(f64),
    /// Ours ÷ plain is at least this.
    RatioAtLeast(f64),
}

/// One line of the table.
#[derive(Debug)]
pub(crate) struct Row {
    what: String,
    unit: Unit,
    ours: Samples,
    plain: Option<(String, Samples)>,
    goal: Goal,
    /// Why there is no figure.
    missing: Option<String>,
}

impl Row {
    /// Something of ours beside something plain.
    pub(super) fn pair(
        what: impl Into<String>,
        unit: Unit,
        ours: Samples,
        plain: (&str, Samples),
    ) -> Self {
        let plain = Some((plain.0.to_owned(), plain.1));
        Self { what: what.into(), unit, ours, plain, goal: Goal::None, missing: None }
    }

    /// Something of ours that nothing plain compares with.
    pub(super) fn alone(what: impl Into<String>, unit: Unit, ours: Samples) -> Self {
        Self { what: what.into(), unit, ours, plain: None, goal: Goal::None, missing: None }
    }

    /// Something that could not be measured here.
    pub(super) fn missing(what: impl Into<String>, why: impl Into<String>) -> Self {
        let row = Self::alone(what, Unit::Seconds, Samples::default());
        Self { missing: Some(why.into()), ..row }
    }

    pub(super) fn goal(self, goal: Goal) -> Self {
        Self { goal, ..self }
    }

    fn ratio(&self) -> Option<f64> {
        Some(self.ours.median() / self.plain.as_ref()?.1.median())
    }

    /// The goal, and whether it is met.
    fn verdict(&self) -> String {
        let ours = || self.ours.median();
        let ratio = || self.ratio().unwrap_or(f64::NAN);
        let (text, met) = match self.goal {
            Goal::None => return String::new(),
            Goal::AtMost(most) => (format!("≤ {}", figure(most, self.unit)), ours() <= most),
            Goal::AtLeast(least) => (format!("≥ {}", figure(least, self.unit)), ours() >= least),
            Goal::RatioAtMost(most) => (format!("≤ {most}×"), ratio() <= most),
            Goal::RatioAtLeast(least) => (format!("≥ {least}×"), ratio() >= least),
        };
        format!("{text}: {}", if met { "met" } else { "**missed**" })
    }

    /// Ours, plain, ratio and goal as text.
    fn cells(&self) -> [String; 4] {
        if let Some(why) = &self.missing {
            return [format!("not measured: {why}"), String::new(), String::new(), String::new()];
        }
        let plain = self.plain.as_ref();
        [
            self.ours.show(self.unit),
            plain.map_or_else(String::new, |(name, s)| format!("{} {name}", s.show(self.unit))),
            self.ratio().map_or_else(String::new, ratio),
            self.verdict(),
        ]
    }

    /// The row as one line of progress.
    pub(super) fn line(&self) -> String {
        let cells = self.cells();
        let cells: Vec<&str> = cells.iter().map(String::as_str).filter(|c| !c.is_empty()).collect();
        format!("{}: {}", self.what, cells.join(" | "))
    }
}

/// The rows in Markdown.
pub(super) fn table(rows: &[Row]) -> String {
    let mut text = String::from(
        "| what | ours: median (p10 – p90) | plain | ours ÷ plain | goal |\n|---|---|---|---|---|\n",
    );
    for row in rows {
        writeln!(text, "| {} | {} |", row.what, row.cells().join(" | ")).unwrap();
    }
    text
}

fn ratio(ratio: f64) -> String {
    if ratio < 0.1 { format!("{ratio:.3}×") } else { format!("{ratio:.2}×") }
}

/// Three digits that mean something, and the unit.
fn figure(value: f64, unit: Unit) -> String {
    match unit {
        Unit::PerSecond => format!("{}/s", thousands(value)),
        Unit::Bytes => format!("{} MiB", short(value / f64::from(1 << 20))),
        Unit::Seconds if value < 1e-6 => format!("{:.0} ns", value * 1e9),
        Unit::Seconds if value < 1e-3 => format!("{} µs", short(value * 1e6)),
        Unit::Seconds if value < 1.0 => format!("{} ms", short(value * 1e3)),
        Unit::Seconds => format!("{value:.2} s"),
    }
}

fn short(value: f64) -> String {
    if value < 9.995 {
        format!("{value:.2}")
    } else if value < 99.95 {
        format!("{value:.1}")
    } else {
        format!("{value:.0}")
    }
}

/// A whole number with commas, rounded to three digits.
fn thousands(value: f64) -> String {
    let scale = 10f64.powf((value.max(1.0).log10().floor() - 2.0).max(0.0));
    let digits = format!("{:.0}", (value / scale).round() * scale);
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Seconds that `work` takes.
pub(super) fn seconds<T>(work: impl FnOnce() -> T) -> f64 {
    let begin = Instant::now();
    // What it gives is dropped outside of the measured time.
    let _result = std::hint::black_box(work());
    begin.elapsed().as_secs_f64()
}

/// Takes samples of both sides in turn, so that whatever else the machine does hits both alike; the
/// first rounds only warm up.
pub(super) fn alternate(
    scale: Scale,
    rounds: usize,
    mut ours: impl FnMut() -> f64,
    mut plain: impl FnMut() -> f64,
) -> (Samples, Samples) {
    let (warm_up, rounds) = scale.pick((rounds.div_ceil(10), rounds), (0, 1));
    let (mut a, mut b) = (Samples::default(), Samples::default());
    for round in 0..warm_up + rounds {
        let (of_ours, of_plain) = (ours(), plain());
        if round >= warm_up {
            a.push(of_ours);
            b.push(of_plain);
        }
    }
    (a, b)
}

/// How many in a second.
pub(super) fn rate(count: u64, time: Duration) -> f64 {
    count as f64 / time.as_secs_f64()
}
