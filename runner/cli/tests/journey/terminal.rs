//! The program at a real terminal (a pty of `script`, which every Linux has): what a person sees there,
//! types and interrupts.

use std::io::{Read as _, Write as _};
use std::process::{Child, ChildStdin, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use super::machine::Machine;

/// Until then a text must have been shown; only there so that a bug does not hang the tests.
const PATIENCE: Duration = Duration::from_secs(60);

/// A command that runs at a terminal of 100 columns and 40 rows.
pub(crate) struct Terminal {
    child: Child,
    keyboard: Option<ChildStdin>,
    screen: Receiver<Vec<u8>>,
    raw: Vec<u8>,
    /// Characters of the text that were waited for already.
    looked: usize,
}

impl Terminal {
    /// Starts a command.
    pub(crate) fn open(m: &Machine, env: &[(&str, &str)], args: &[&str]) -> Self {
        Self::of_columns(100, m, env, args)
    }

    /// The same at a terminal of so many columns.
    pub(crate) fn of_columns(
        columns: usize,
        m: &Machine,
        env: &[(&str, &str)],
        args: &[&str],
    ) -> Self {
        let program = m.command(args);
        let words = [program.get_program()].into_iter().chain(program.get_args());
        let words: Vec<String> = words.map(|w| quoted(w.to_str().unwrap())).collect();
        // Whoever runs the tests in the background has Ctrl-C ignored, and children inherit that.
        let program = format!("env --default-signal=INT,QUIT {}", words.join(" "));
        let typed = format!("stty cols {columns} rows 40 -echo; exec {program}");
        let mut script = m.program("script");
        script.env("TERM", "xterm-256color").env("SHELL", "/bin/sh").envs(env.iter().copied());
        script.args(["--quiet", "--return", "--flush", "--command", &typed, "/dev/null"]);
        script.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::inherit());
        let mut child = script.spawn().unwrap();
        let mut stdout = child.stdout.take().unwrap();
        let (to, screen) = channel();
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(n @ 1..) = stdout.read(&mut bytes) {
                if to.send(bytes[..n].to_vec()).is_err() {
                    break;
                }
            }
        });
        let keyboard = child.stdin.take();
        Self { child, keyboard, screen, raw: Vec::new(), looked: 0 }
    }

    /// Waits until the terminal shows `text`, after what was waited for before.
    pub(crate) fn sees(&mut self, text: &str) {
        let begun = Instant::now();
        loop {
            let shown = plain(&self.raw);
            if let Some(at) = shown[self.looked..].find(text) {
                self.looked += at + text.len();
                return;
            }
            let left = PATIENCE.saturating_sub(begun.elapsed());
            match self.screen.recv_timeout(left) {
                Ok(bytes) => self.raw.extend(bytes),
                Err(RecvTimeoutError::Timeout) => panic!("no \"{text}\" in time: {shown}"),
                Err(RecvTimeoutError::Disconnected) => {
                    panic!("it ended without \"{text}\": {shown}")
                }
            }
        }
    }

    /// Types a line.
    pub(crate) fn types(&mut self, line: &str) {
        self.keys(format!("{line}\n").as_bytes());
    }

    /// Presses Ctrl-C.
    pub(crate) fn interrupts(&mut self) {
        self.keys(b"\x03");
    }

    fn keys(&mut self, bytes: &[u8]) {
        let keyboard = self.keyboard.as_mut().unwrap();
        keyboard.write_all(bytes).unwrap();
        keyboard.flush().unwrap();
    }

    /// Waits for the end: the exit code, and everything that was shown.
    pub(crate) fn ends(self) -> (i32, String) {
        let (code, bytes) = self.ends_raw();
        (code, plain(&bytes))
    }

    /// The same with every escape sequence.
    pub(crate) fn ends_raw(mut self) -> (i32, Vec<u8>) {
        let begun = Instant::now();
        loop {
            match self.screen.recv_timeout(PATIENCE.saturating_sub(begun.elapsed())) {
                Ok(bytes) => self.raw.extend(bytes),
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => panic!("it does not end: {}", plain(&self.raw)),
            }
        }
        let code = self.child.wait().unwrap().code().unwrap();
        (code, std::mem::take(&mut self.raw))
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', "'\\''"))
}

/// The text without escape sequences and carriage returns. Lines that were drawn over stay in it.
fn plain(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let mut out = String::new();
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\r' => {}
            '\x1b' if chars.next_if_eq(&'[').is_some() => {
                // Parameters, then one final letter (ECMA-48).
                while chars.next().is_some_and(|c| !('@'..='~').contains(&c)) {}
            }
            '\x1b' => drop(chars.next()),
            _ => out.push(c),
        }
    }
    out
}
