//! The recording: everything that went into a run and came out of it, in order, in one framed file.
//!
//! Pure. The file is [`MAGIC`] and frames of `length (4 bytes, big-endian) ‖ type (1) ‖ check (16) ‖
//! body (JSON)`, where the check is the start of SHA-256 over type and body. The check finds damage
//! and names the call; that nobody *exchanged* a recording is the ledger's business. The events are
//! in [`event`]; comparing them with another run is [`crate::replay`]'s.

mod event;

pub use event::{
    Artifact, CallResult, Captured, End, Event, Frame, Header, LogLine, ScriptError, ScriptResult,
    StopPoint,
};

use sha2::{Digest as _, Sha256};

/// How a recording begins: a name and the format's version.
pub const MAGIC: [u8; 9] = *b"BORESREC\x01";
/// Bytes of one frame's body: the largest output with room for its encoding.
pub const FRAME_BYTES_MAX: usize = 512 << 20;
const HEAD_BYTES: usize = 4 + 1 + CHECK_BYTES;
const CHECK_BYTES: usize = 16;

/// What is wrong with a recording's bytes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RecordingError {
    /// Not a recording, or of a version that this build does not read.
    #[error("this is no recording, or one of another version; it begins otherwise")]
    Magic,
    /// A frame that is damaged or out of place.
    #[error("frame {frame}{}: {problem}", at_call(*call))]
    Frame {
        /// Which, counted from 0.
        frame: usize,
        /// The last call that begins in or before it.
        call: Option<u64>,
        /// What is wrong.
        problem: String,
    },
    /// The file ends inside a frame or before the run's end.
    #[error("the recording is torn after frame {frame}{}; the runner stopped there", at_call(*call))]
    Torn {
        /// The number of whole frames.
        frame: usize,
        /// The last call that begins before the tear.
        call: Option<u64>,
    },
}

fn at_call(call: Option<u64>) -> String {
    call.map_or_else(String::new, |seq| format!(" (call {seq})"))
}

/// One event as a frame. A file is [`MAGIC`] and such frames.
#[must_use]
pub fn encode_frame(event: &Event) -> Vec<u8> {
    let mut out = vec![0; HEAD_BYTES];
    // Writing JSON into memory fails only for maps with keys that are no strings; events have none.
    let written = serde_json::to_writer(&mut out, event);
    debug_assert!(written.is_ok(), "events are JSON");
    let kind = event.kind();
    let check = check(kind, &out[HEAD_BYTES..]);
    let length = u32::try_from(out.len() - HEAD_BYTES).unwrap_or(u32::MAX);
    out[..4].copy_from_slice(&length.to_be_bytes());
    out[4] = kind;
    out[5..HEAD_BYTES].copy_from_slice(&check);
    out
}

fn check(kind: u8, body: &[u8]) -> [u8; CHECK_BYTES] {
    let mut hasher = Sha256::new();
    hasher.update([kind]);
    hasher.update(body);
    let full: [u8; 32] = hasher.finalize().into();
    let mut out = [0; CHECK_BYTES];
    out.copy_from_slice(&full[..CHECK_BYTES]);
    out
}

/// A recording that has been parsed: whole frames, events in a possible order.
#[derive(Debug, Clone, PartialEq)]
pub struct Recording {
    events: Vec<Event>,
    complete: bool,
}

impl Recording {
    /// Parses a complete recording.
    ///
    /// # Errors
    /// Names the frame, and the call it belongs to.
    pub fn parse(bytes: &[u8]) -> Result<Self, RecordingError> {
        let this = Self::parse_torn(bytes)?;
        if this.complete {
            Ok(this)
        } else {
            Err(RecordingError::Torn { frame: this.events.len(), call: this.last_call() })
        }
    }

    /// Parses the recording of a run that may have died: everything up to the tear.
    ///
    /// # Errors
    /// Names a frame that is whole but damaged or out of place, and the call it belongs to.
    pub fn parse_torn(bytes: &[u8]) -> Result<Self, RecordingError> {
        let mut rest = bytes.strip_prefix(&MAGIC).ok_or(RecordingError::Magic)?;
        let mut this = Self { events: Vec::new(), complete: false };
        let mut order = Order::default();
        while let Some((event, after)) = this.next_frame(rest)? {
            if let Err(problem) = order.see(&event) {
                return Err(this.frame_error(event.seq(), problem));
            }
            this.complete = matches!(event, Event::End(_));
            this.events.push(event);
            rest = after;
        }
        Ok(this)
    }

    fn next_frame<'a>(&self, rest: &'a [u8]) -> Result<Option<(Event, &'a [u8])>, RecordingError> {
        let Some((head, body)) = rest.split_at_checked(HEAD_BYTES) else {
            return Ok(None);
        };
        let length = u32::from_be_bytes([head[0], head[1], head[2], head[3]]) as usize;
        if length > FRAME_BYTES_MAX {
            return Err(self.frame_error(None, "is longer than any frame".to_owned()));
        }
        let Some((body, after)) = body.split_at_checked(length) else {
            return Ok(None);
        };
        if check(head[4], body) != head[5..HEAD_BYTES] {
            let problem = "does not match its check; it was changed or damaged".to_owned();
            let frame = self.events.len();
            // An intact type says whether the frame belongs to a call at all.
            let call = self.next_call().filter(|_| !Event::is_tail(head[4]));
            return Err(RecordingError::Frame { frame, call, problem });
        }
        let event: Event = serde_json::from_slice(body)
            .map_err(|e| self.frame_error(None, domain::display::neutralise(&e.to_string())))?;
        if event.kind() != head[4] {
            return Err(self.frame_error(event.seq(), "has another type than its body".to_owned()));
        }
        Ok(Some((event, after)))
    }

    fn frame_error(&self, seq: Option<u64>, problem: String) -> RecordingError {
        RecordingError::Frame {
            frame: self.events.len(),
            call: seq.or_else(|| self.next_call()),
            problem,
        }
    }

    fn last_call(&self) -> Option<u64> {
        self.events.iter().rev().find_map(Event::seq)
    }

    /// The call that an unreadable frame belongs to: the open one, or else the one that comes next.
    fn next_call(&self) -> Option<u64> {
        match self.events.last()? {
            Event::Header(_) => Some(1),
            Event::Call { seq, .. } => Some(*seq),
            Event::Return { seq, .. } | Event::Local { seq, .. } => Some(seq + 1),
            Event::Stdout(_) | Event::Stderr(_) | Event::Result(_) | Event::End(_) => None,
        }
    }

    /// The events in order.
    #[must_use]
    pub fn events(&self) -> &[Event] {
        &self.events
    }

    /// Whether the run's end is there.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.complete
    }

    /// The header, unless the recording is torn before it.
    #[must_use]
    pub fn header(&self) -> Option<&Header> {
        match self.events.first() {
            Some(Event::Header(h)) => Some(h),
            _ => None,
        }
    }

    /// How the run ended, unless the recording is torn.
    #[must_use]
    pub fn end(&self) -> Option<&End> {
        match self.events.last() {
            Some(Event::End(e)) => Some(e),
            _ => None,
        }
    }
}

/// The only order that events come in: header, calls numbered from 1 without a gap, each return
/// directly after its call, then the run's outcome.
#[derive(Default)]
struct Order {
    stage: u8,
    last: u64,
    open: Option<u64>,
}

impl Order {
    fn see(&mut self, event: &Event) -> Result<(), String> {
        let stage = event.stage();
        let in_stage = if stage == Event::CALLS {
            self.stage == 1 || self.stage == stage
        } else {
            self.stage < stage
        };
        if !in_stage || (self.stage == 0 && stage != 1) {
            return Err(format!("{} is out of place", event.name()));
        }
        match event {
            Event::Call { seq, .. } | Event::Local { seq, .. } => {
                if *seq != self.last + 1 || self.open.is_some() {
                    return Err(format!("call {seq} does not follow call {}", self.last));
                }
                self.last = *seq;
                self.open = matches!(event, Event::Call { .. }).then_some(*seq);
            }
            Event::Return { seq, .. } => {
                if self.open.take() != Some(*seq) {
                    return Err(format!("return {seq} does not follow its call"));
                }
            }
            Event::Header(_)
            | Event::Stdout(_)
            | Event::Stderr(_)
            | Event::Result(_)
            | Event::End(_) => {}
        }
        self.stage = stage;
        Ok(())
    }
}
