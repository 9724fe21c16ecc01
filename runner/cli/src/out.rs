//! Everything that this program prints, and every question that it asks.
//!
//! Results go to standard output, all else to standard error. Colour and progress appear only on
//! terminals. Whatever is printed is neutralised here ([`safe`]), line by line: text that is not ours
//! can neither draw nor begin a line of its own. Whoever measures or wraps text neutralises it before
//! that, by [`foreign`]. What is *not* here: what to say.

mod pager;
mod safe;

use std::io::{self, BufRead as _, IsTerminal as _, Write as _};
use std::sync::OnceLock;
use std::time::Duration;

use domain::display::{neutralise, neutralise_block};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;
use unicode_width::UnicodeWidthChar;

pub(crate) use safe::Log;

/// Columns of text: as many as the terminal has, in lines that can be read; 80 where nobody watches.
pub(crate) fn width() -> usize {
    static COLUMNS: OnceLock<usize> = OnceLock::new();
    *COLUMNS.get_or_init(|| {
        let terminal = terminal_size::terminal_size_of(io::stdout());
        terminal
            .map_or(80, |(terminal_size::Width(columns), _)| usize::from(columns).clamp(40, 100))
    })
}

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

    /// A line of the result. A line break in it is shown, not made.
    pub(crate) fn line(&self, text: impl AsRef<str>) -> io::Result<()> {
        writeln!(io::stdout().lock(), "{}", safe::line(text.as_ref(), self.colour))
    }

    /// A line of the result that ends as those of CSV do.
    pub(crate) fn csv_line(&self, text: &str) -> io::Result<()> {
        write!(io::stdout().lock(), "{}\r\n", safe::line(text, false))
    }

    /// Whether somebody looks at the result, and not a program or a file.
    pub(crate) fn is_watched(&self) -> bool {
        !self.json && io::stdout().is_terminal()
    }

    /// Lines of the result.
    pub(crate) fn lines<T: AsRef<str>>(
        &self,
        lines: impl IntoIterator<Item = T>,
    ) -> io::Result<()> {
        lines.into_iter().try_for_each(|line| self.line(line))
    }

    /// A label and text that others wrote, in as many lines as it needs.
    pub(crate) fn field(&self, label: &str, text: &str) -> io::Result<()> {
        self.lines(hang(label, &foreign(text), width()))
    }

    /// The result as one line of JSON.
    pub(crate) fn json<T: Serialize>(&self, value: &T) -> io::Result<()> {
        let mut stdout = io::stdout().lock();
        value
            .serialize(&mut serde_json::Serializer::with_formatter(&mut stdout, safe::Escaping))?;
        stdout.write_all(b"\n")?;
        stdout.flush()
    }

    /// The result for another program, byte for byte; nothing in it is another's.
    pub(crate) fn verbatim(&self, bytes: &[u8]) -> io::Result<()> {
        io::stdout().lock().write_all(bytes)
    }

    /// A line for people that is not the result. A closed standard error stops nothing.
    pub(crate) fn note(&self, text: impl AsRef<str>) {
        drop(writeln!(io::stderr().lock(), "{}", safe::line(text.as_ref(), self.colour_err)));
    }

    /// Lines for people that are not the result.
    pub(crate) fn notes<T: AsRef<str>>(&self, lines: impl IntoIterator<Item = T>) {
        lines.into_iter().for_each(|line| self.note(line));
    }

    /// `text` in a style, for standard output.
    pub(crate) fn style(&self, style: Style, text: &str) -> String {
        paint(self.colour, style, text)
    }

    /// `text` in a style, for standard error.
    pub(crate) fn style_err(&self, style: Style, text: &str) -> String {
        paint(self.colour_err, style, text)
    }

    /// The same without colours, for programs.
    pub(crate) const fn without_colour(self) -> Self {
        Self { colour: false, ..self }
    }

    /// Whether a person can be asked: there is a terminal to read from and to show at.
    pub(crate) fn can_ask(&self) -> bool {
        !self.json && io::stdin().is_terminal() && io::stdout().is_terminal()
    }

    /// Asks for a line, without blanks around it; `None`: the input has ended.
    pub(crate) fn ask(&self, question: &str) -> io::Result<Option<String>> {
        let mut stderr = io::stderr().lock();
        write!(stderr, "{} ", safe::line(question, self.colour_err))?;
        stderr.flush()?;
        let mut answer = String::new();
        let read = io::stdin().lock().read_line(&mut answer)?;
        Ok((read > 0).then(|| answer.trim().to_owned()))
    }

    /// Lines to be read at leisure: on a terminal through the person's pager.
    pub(crate) fn read(&self, lines: &[String], pager: &str) -> io::Result<()> {
        if io::stdout().is_terminal() && pager::show(lines, pager, self.colour)? {
            return Ok(());
        }
        self.lines(lines)
    }

    /// Whether results are shown at a terminal.
    pub(crate) fn is_terminal(&self) -> bool {
        io::stdout().is_terminal()
    }

    /// Clears the terminal and draws these lines at its top.
    pub(crate) fn redraw<T: AsRef<str>>(
        &self,
        lines: impl IntoIterator<Item = T>,
    ) -> io::Result<()> {
        // ECMA-48: cursor to the first place, erase the display.
        io::stdout().lock().write_all(b"\x1b[H\x1b[2J")?;
        self.lines(lines)?;
        io::stdout().lock().flush()
    }

    /// Asks a question that only `y` or `yes` answers with yes. Without a terminal to ask at, the
    /// answer is no.
    pub(crate) fn confirm(&self, question: &str) -> io::Result<bool> {
        if !io::stdin().is_terminal() {
            self.note(format!("{question} No terminal to ask at: repeat with --yes."));
            return Ok(false);
        }
        let mut stderr = io::stderr().lock();
        write!(stderr, "{} [y/N] ", safe::line(question, self.colour_err))?;
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
    if colour { safe::marked(style as usize, text) } else { text.to_owned() }
}

/// Text that is not ours, on one line.
pub(crate) fn foreign(text: &str) -> String {
    neutralise(text)
}

/// Shows what the command line's parser says. Its words are coloured by itself, unless they repeat
/// something that a terminal would obey.
pub(crate) fn usage(error: &clap::Error) -> io::Result<()> {
    let text = error.render().to_string();
    if neutralise_block(&text) == text {
        return error.print();
    }
    text.lines().try_for_each(|line| writeln!(io::stderr().lock(), "{}", neutralise(line)))
}

/// Breaks `label` and `text` between words into lines of at most `width` columns; every line but the
/// first begins with as many blanks as the label is wide. The text is neutralised already.
pub(crate) fn hang(label: &str, text: &str, width: usize) -> Vec<String> {
    hang_at(columns(label), label, text, width)
}

/// As [`hang`], with `indent` blanks in front of every line but the first.
pub(crate) fn hang_at(indent: usize, label: &str, text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![label.to_owned()];
    let mut column = columns(label);
    let mut first = true;
    for word in text.split_whitespace() {
        let size = columns(word);
        let open = lines.last().and_then(|line| safe::left_open(line));
        match lines.last_mut() {
            Some(line) if first || column + 1 + size <= width => {
                if !first {
                    line.push(' ');
                    column += 1;
                }
                line.push_str(word);
            }
            _ => {
                // A style goes on in the next line.
                let style = open.map(String::from).unwrap_or_default();
                lines.push(format!("{}{style}{word}", " ".repeat(indent)));
                column = indent;
            }
        }
        column += size;
        first = false;
    }
    lines
}

/// Columns that a text takes; styles take none.
fn columns(text: &str) -> usize {
    text.chars().filter(|c| !safe::is_marker(*c)).filter_map(UnicodeWidthChar::width).sum()
}

#[cfg(test)]
mod tests;
