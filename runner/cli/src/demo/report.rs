//! How each step came out, for people and as JSON.

use serde::Serialize;

use crate::exit::{Exit, verdict};
use crate::out::{Out, Style, foreign, hang, width};

/// What a step should come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Expect {
    /// It works.
    Ok,
    /// It is refused.
    Refused,
}

/// A refusal with its stable code, in the words of whoever refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    /// The stable code.
    pub(super) code: String,
    /// The words.
    pub(super) reason: String,
    /// What would help.
    pub(super) help: Option<String>,
}

impl Refusal {
    /// The refusal in an error of the client.
    pub(super) fn of(error: &anyhow::Error) -> Self {
        let verdict = verdict(error);
        Self { code: verdict.code, reason: verdict.error, help: verdict.help }
    }
}

/// What a step that should be refused came to.
pub(super) enum Got {
    /// It was refused.
    Refused(Refusal),
    /// It went through; the words say what happened.
    Through(String),
}

/// One line of `--json`.
#[derive(Debug, Serialize)]
struct Line<'a> {
    step: &'a str,
    expect: Expect,
    got: Expect,
    code: Option<&'a str>,
    reason: Option<&'a str>,
}

/// Counts and shows steps.
pub(super) struct Report {
    out: Out,
    number: usize,
    unexpected: usize,
    refused: usize,
}

impl Report {
    pub(super) const fn new(out: Out) -> Self {
        Self { out, number: 0, unexpected: 0, refused: 0 }
    }

    /// Begins a part.
    pub(super) fn heading(&self, text: &str) -> anyhow::Result<()> {
        if !self.out.json {
            self.out.lines(["", &self.out.style(Style::Bold, text), ""])?;
        }
        Ok(())
    }

    /// A step that should work; its words say what happened. An error ends the demo: what follows
    /// builds on it.
    pub(super) fn ok<T>(
        &mut self,
        step: &str,
        done: anyhow::Result<T>,
        words: impl FnOnce(&T) -> String,
    ) -> anyhow::Result<T> {
        self.number += 1;
        match done {
            Ok(value) => {
                let words = words(&value);
                self.line(step, Expect::Ok, Expect::Ok, None, Some(&words))?;
                if !self.out.json {
                    let mark = self.out.style(Style::Good, "✓");
                    self.show(&mark, step, &words)?;
                }
                Ok(value)
            }
            Err(error) => {
                self.unexpected += 1;
                let refusal = Refusal::of(&error);
                let (code, reason) = (refusal.code.as_str(), refusal.reason.as_str());
                self.line(step, Expect::Ok, Expect::Refused, Some(code), Some(reason))?;
                if !self.out.json {
                    let mark = self.out.style(Style::Bad, "✗");
                    self.show(&mark, step, &format!("unexpected: {reason}"))?;
                }
                Err(error.context(format!("the demo's step \"{step}\" failed")))
            }
        }
    }

    /// A step that should be refused with this code.
    pub(super) fn refused(
        &mut self,
        step: &str,
        code: &str,
        got: anyhow::Result<Got>,
    ) -> anyhow::Result<()> {
        self.number += 1;
        match got? {
            Got::Refused(refusal) => {
                let right = refusal.code == code;
                self.refused += usize::from(right);
                // Refused for another reason than meant proves nothing about this one.
                let as_meant = if right { Expect::Refused } else { Expect::Ok };
                self.unexpected += usize::from(!right);
                let reason = refusal.reason.as_str();
                self.line(step, Expect::Refused, as_meant, Some(&refusal.code), Some(reason))?;
                if !self.out.json {
                    self.refusal(step, &refusal, right)?;
                }
            }
            Got::Through(words) => {
                self.unexpected += 1;
                self.line(step, Expect::Refused, Expect::Ok, None, Some(&words))?;
                if !self.out.json {
                    let mark = self.out.style(Style::Bad, "✗ NOT REFUSED");
                    self.show(&mark, step, &words)?;
                }
            }
        }
        Ok(())
    }

    /// Something to look at between steps, as a table.
    pub(super) fn block(&self, lines: &[String]) -> anyhow::Result<()> {
        if !self.out.json {
            for line in lines {
                self.out.line(format!("    {}", line.trim_end()))?;
            }
        }
        Ok(())
    }

    /// An empty line after a block.
    pub(super) fn gap(&self) -> anyhow::Result<()> {
        if !self.out.json {
            self.out.line("")?;
        }
        Ok(())
    }

    /// The end: did everything come out as expected?
    pub(super) fn close(&self) -> anyhow::Result<Exit> {
        if !self.out.json {
            let right = self.number - self.unexpected;
            let style = if self.unexpected == 0 { Style::Good } else { Style::Bad };
            let text = format!(
                "{right} of {} steps as expected, {} of them refusals",
                self.number, self.refused
            );
            self.out.lines(["", &self.out.style(style, &text)])?;
        }
        Ok(if self.unexpected == 0 { Exit::Ok } else { Exit::Script })
    }

    fn refusal(&self, step: &str, refusal: &Refusal, right: bool) -> anyhow::Result<()> {
        let word = if right { "✗ refused" } else { "✗ refused, but not as expected" };
        let text = format!("{word} ({}): {}", refusal.code, shown(&refusal.reason));
        let text = text.replacen(word, &self.out.style(Style::Bad, word), 1);
        self.out.line(format!("{:>2}  {step}", self.number))?;
        self.out.lines(hang("    ", &text, width()))?;
        if let Some(help) = &refusal.help {
            let help = self.out.style(Style::Dim, &format!("help: {}", shown(help)));
            self.out.lines(hang("    ", &help, width()))?;
        }
        Ok(())
    }

    fn show(&self, mark: &str, step: &str, words: &str) -> anyhow::Result<()> {
        self.out.line(format!("{:>2}  {mark} {step}", self.number))?;
        if !words.is_empty() {
            let text = self.out.style(Style::Dim, &shown(words));
            self.out.lines(hang("    ", &text, width()))?;
        }
        Ok(())
    }

    fn line(
        &self,
        step: &str,
        expect: Expect,
        got: Expect,
        code: Option<&str>,
        reason: Option<&str>,
    ) -> anyhow::Result<()> {
        if self.out.json {
            self.out.json(&Line { step, expect, got, code, reason })?;
        }
        Ok(())
    }
}

/// Foreign text with digests cut to their first digits: here nobody compares them.
fn shown(text: &str) -> String {
    const PREFIX: &str = "sha256:";
    let is_hex = |s: &str| s.bytes().all(|b| b.is_ascii_hexdigit());
    let text = foreign(text);
    let mut out = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some(at) = rest.find(PREFIX) {
        let end = at + PREFIX.len();
        out.push_str(&rest[..end]);
        match rest.get(end..end + 64).filter(|hex| is_hex(hex)) {
            Some(hex) => {
                out.push_str(&hex[..12]);
                out.push('…');
                rest = &rest[end + 64..];
            }
            None => rest = &rest[end..],
        }
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests;
