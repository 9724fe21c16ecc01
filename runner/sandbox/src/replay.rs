//! Replaying: the same component, served from a recording instead of the world.
//!
//! Compared are every call with its arguments and the fuel that is left, and at the end output,
//! result, outcome and fuel. No permission is evaluated; recorded denials are results like others.

use domain::Digest;

use crate::bridge::{Ask, Reply};
use crate::drive::{Driver, Ending, Stops};
use crate::engine::Sandbox;
use crate::finish::Finished;
use crate::link::Linked;
use crate::recording::{Event, Header, Recording, StopPoint};
use crate::run::Plan;

/// Characters of an event that a divergence shows.
const SHOWN_CHARS: usize = 2000;

/// What a replay found.
#[derive(Debug, Clone, PartialEq)]
pub enum Replay {
    /// Every call, all output, the result and the fuel are the same.
    Matches(Box<Finished>),
    /// The component did something else than the recording says.
    Diverged {
        /// The first call that differs; none if all calls are the same and the end differs.
        call: Option<u64>,
        /// What differs: a function, or a part of the end.
        name: String,
        /// What the recording has.
        expected: String,
        /// What the component did.
        got: String,
    },
    /// Another engine build made the recording; fuel means nothing here.
    OtherEngine {
        /// The build that made it.
        recorded: Digest,
        /// This one.
        here: Digest,
    },
    /// The recording is not of this run, or not whole. What it has of calls matches.
    Damaged {
        /// What is wrong, and where.
        problem: String,
    },
}

/// Why a player cannot go on.
enum Mismatch {
    /// What the recording has, and what the component did.
    Differs(Box<(Event, Event)>),
    Torn {
        after: Option<u64>,
    },
}

struct Player<'r> {
    rest: std::slice::Iter<'r, Event>,
    last: Option<u64>,
}

impl<'r> Player<'r> {
    fn peek(&self) -> Option<&'r Event> {
        self.rest.as_slice().first()
    }

    /// The next recorded event must be `got`.
    fn expect(&mut self, got: &Event) -> Result<(), Mismatch> {
        match self.rest.next() {
            None => Err(Mismatch::Torn { after: self.last }),
            Some(expected) if expected.is_same(got) => {
                self.last = got.seq().or(self.last);
                Ok(())
            }
            Some(expected) => Err(Mismatch::Differs(Box::new((expected.clone(), got.clone())))),
        }
    }
}

impl Driver for Player<'_> {
    type Broken = Mismatch;

    async fn serve(&mut self, ask: Ask) -> Result<Reply, Mismatch> {
        self.expect(ask.event())?;
        if matches!(ask, Ask::Local { .. } | Ask::Progress { .. }) {
            return Ok(Reply::Done);
        }
        match self.rest.next() {
            Some(Event::Return { result, .. }) => Ok(Reply::Call(result.clone())),
            _ => Err(Mismatch::Torn { after: self.last }),
        }
    }

    fn close(&mut self, _: u64) {}
}

impl Sandbox {
    /// Runs the component again from its recording, without a host, and compares. `plan` is the
    /// recorded run's; its manifest is not used. Always ends: at the recorded end or before.
    pub async fn replay(&self, linked: &Linked, recording: &Recording, plan: Plan) -> Replay {
        let here = plan.header(linked.admitted.facts.digest, self.build);
        if let Some(problem) =
            recording.header().map_or(Some(Found::NoHeader), |h| compare(h, &here))
        {
            return problem.into_replay();
        }
        let _permit = self.runs.acquire().await;
        let end = recording.end();
        let stop = end.map_or(StopPoint::Guest, |e| e.stop);
        let mut player = Player { rest: recording.events().iter(), last: None };
        player.rest.next();
        let mut executed = self.execute(linked, &plan, &mut player, &mut Stops::At(stop)).await;
        let mut found = Ok(());
        match &mut executed.ending {
            Ending::Broken { .. } => {}
            Ending::Stopped { ask: Some(ask), .. } => {
                // The call in which the run was stopped is recorded if its intent was.
                if player.peek().is_some_and(|e| e.seq() == Some(ask.seq())) {
                    found = player.expect(ask.event());
                }
            }
            Ending::Stopped { .. } | Ending::Guest(_) => {}
        }
        if let Ending::Broken { broken, .. } = executed.ending {
            return broken.into_replay();
        }
        let finished = Finished::conclude(executed, end.map(|e| e.outcome), |_| String::new());
        let found =
            found.and_then(|()| finished.tail().iter().try_for_each(|event| player.expect(event)));
        match found {
            Ok(()) => Replay::Matches(Box::new(finished)),
            Err(mismatch) => mismatch.into_replay(),
        }
    }
}

impl Mismatch {
    fn into_replay(self) -> Replay {
        match self {
            Self::Torn { after } => {
                let place = after.map_or_else(
                    || "before the first call".to_owned(),
                    |seq| format!("after call {seq}"),
                );
                let problem = format!(
                    "the recording ends {place}, where the component goes on; everything up to there matches"
                );
                Replay::Damaged { problem }
            }
            Self::Differs(events) => {
                let (expected, got) = *events;
                let call = expected.seq().or_else(|| got.seq());
                let name = if expected.seq().is_some() { expected.name() } else { got.name() };
                Replay::Diverged { call, name, expected: show(&expected), got: show(&got) }
            }
        }
    }
}

fn show(event: &Event) -> String {
    let json = serde_json::to_string(event).unwrap_or_default();
    domain::display::neutralise(&json.chars().take(SHOWN_CHARS).collect::<String>())
}

enum Found {
    NoHeader,
    OtherEngine { recorded: Digest, here: Digest },
    OtherRun(&'static str),
}

impl Found {
    fn into_replay(self) -> Replay {
        match self {
            Self::NoHeader => Replay::Damaged { problem: "the recording has no header".to_owned() },
            Self::OtherEngine { recorded, here } => Replay::OtherEngine { recorded, here },
            Self::OtherRun(what) => Replay::Damaged {
                problem: format!(
                    "the recording is of another run: its {what} is not the one given"
                ),
            },
        }
    }
}

fn compare(recorded: &Header, here: &Header) -> Option<Found> {
    let differs = [
        ("run id", recorded.run == here.run),
        ("revision", recorded.revision == here.revision),
        ("component", recorded.component == here.component),
        ("start time", recorded.started_at_ms == here.started_at_ms),
        ("seed", recorded.seed == here.seed),
        ("effective capability", recorded.effective == here.effective),
        ("input", recorded.input == here.input),
    ];
    if let Some((what, _)) = differs.into_iter().find(|(_, same)| !same) {
        return Some(Found::OtherRun(what));
    }
    if recorded.engine_build == here.engine_build {
        return None;
    }
    Some(Found::OtherEngine { recorded: recorded.engine_build, here: here.engine_build })
}
