//! Everything that this program prints, and every question that it asks.
//!
//! Results go to standard output, all else to standard error. Colour and progress appear only on
//! terminals; text that is not ours is neutralised by whoever renders it ([`crate::view`]), or here
//! by [`foreign`]. What is *not* here: what to say.

use std::io::{self, BufRead as _, IsTerminal as _, Write as _};
use std::time::Duration;

use domain::display::neutralise;
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

/// Columns of text that nobody resized: what fits an 80-column terminal.
pub(crate) const WIDTH: usize = 80;

/// How to print, decided once at the start.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Out {
    /// Results as JSON, one object a line.
    pub(crate) json: bool,
    colour: bool,
    colour_err: bool,
    progress: bool,
}

/// A way to make text stand out.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Style {
    /// Headings.
    Bold,
    /// What matters less.
    Dim,
    /// It worked.
    Good,
    /// It did not.
    Bad,
    /// Look here.
    Warn,
}

impl Style {
    const fn code(self) -> &'static str {
        match self {
            Self::Bold => "1",
            Self::Dim => "2",
            Self::Good => "32",
            Self::Bad => "31",
            Self::Warn => "33",
        }
    }
}

impl Out {
    /// Decides by the terminal; `plain` is the user's wish for no colour.
    pub(crate) fn new(json: bool, plain: bool) -> Self {
        Self {
            json,
            colour: !plain && io::stdout().is_terminal(),
            colour_err: !plain && io::stderr().is_terminal(),
            progress: io::stderr().is_terminal(),
        }
    }

    /// Without colour and progress, for tests.
    #[cfg(test)]
    pub(crate) const fn plain() -> Self {
        Self { json: false, colour: false, colour_err: false, progress: false }
    }

    /// A line of the result.
    pub(crate) fn line(&self, text: impl AsRef<str>) -> io::Result<()> {
        writeln!(io::stdout().lock(), "{}", text.as_ref())
    }

    /// The result as one line of JSON.
    pub(crate) fn json<T: Serialize>(&self, value: &T) -> io::Result<()> {
        let mut stdout = io::stdout().lock();
        serde_json::to_writer(&mut stdout, value)?;
        stdout.write_all(b"\n")?;
        stdout.flush()
    }

    /// A line for people that is not the result. A closed standard error stops nothing.
    pub(crate) fn note(&self, text: impl AsRef<str>) {
        drop(writeln!(io::stderr().lock(), "{}", text.as_ref()));
    }

    /// `text` in a style, for standard output.
    pub(crate) fn style(&self, style: Style, text: &str) -> String {
        paint(self.colour, style, text)
    }

    /// `text` in a style, for standard error.
    pub(crate) fn style_err(&self, style: Style, text: &str) -> String {
        paint(self.colour_err, style, text)
    }

    /// Asks a question that only `y` or `yes` answers with yes. Without a terminal to ask at, the
    /// answer is no.
    pub(crate) fn confirm(&self, question: &str) -> io::Result<bool> {
        if !io::stdin().is_terminal() {
            self.note(format!("{question} No terminal to ask at: repeat with --yes."));
            return Ok(false);
        }
        let mut stderr = io::stderr().lock();
        write!(stderr, "{question} [y/N] ")?;
        stderr.flush()?;
        let mut answer = String::new();
        io::stdin().lock().read_line(&mut answer)?;
        Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
    }

    /// Shows that something goes on, on terminals only.
    pub(crate) fn progress(&self, what: &str) -> Progress {
        if !self.progress || self.json {
            return Progress(None);
        }
        let bar = ProgressBar::new_spinner();
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} {elapsed:.dim}") {
            bar.set_style(style);
        }
        bar.set_message(neutralise(what));
        bar.enable_steady_tick(Duration::from_millis(120));
        Progress(Some(bar))
    }
}

/// A running progress line; gone when dropped.
pub(crate) struct Progress(Option<ProgressBar>);

impl Progress {
    /// Changes its text.
    pub(crate) fn say(&self, what: &str) {
        if let Some(bar) = &self.0 {
            bar.set_message(neutralise(what));
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.0 {
            bar.finish_and_clear();
        }
    }
}

fn paint(colour: bool, style: Style, text: &str) -> String {
    if colour { format!("\u{1b}[{}m{text}\u{1b}[0m", style.code()) } else { text.to_owned() }
}

/// Text that is not ours, on one line.
pub(crate) fn foreign(text: &str) -> String {
    neutralise(text)
}

/// Breaks text between words so that no line is longer than `width`; every line but the first
/// begins with `indent` spaces.
pub(crate) fn wrap(text: &str, width: usize, indent: usize) -> String {
    let mut out = String::new();
    let mut column = 0;
    for word in text.split_whitespace() {
        let size = unicode_width::UnicodeWidthStr::width(word);
        if column > 0 && column + 1 + size > width {
            out.push('\n');
            out.push_str(&" ".repeat(indent));
            column = indent;
        } else if column > 0 {
            out.push(' ');
            column += 1;
        }
        out.push_str(word);
        column += size;
    }
    out
}

#[cfg(test)]
mod tests;
