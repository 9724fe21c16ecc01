//! What a row is made of: a call that each column's person makes, and what comes of it.

use api::types::RunView;
use futures_util::future::BoxFuture;
use tests::raw_http::Answer;
use tests::town::{KeyState, NOBODY, Refused, Town};
use trust::{Document, Envelope, SecretKey};

use super::stage::Stage;

/// Relations to the stage's script, and who stands in them.
pub(super) const COLUMNS: [(&str, &str); 12] = [
    ("author", "alice"),
    ("coauthor", "ada"),
    ("reviewer", "bob"),
    ("approver", "vera"),
    ("caller", "cleo"),
    ("reader", "rhea"),
    ("owner", "otto"),
    ("agent", "bot"),
    ("service", "ci"),
    ("stranger", "mallory"),
    ("admin", "carol"),
    ("nobody", NOBODY),
];

/// What came of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Cell {
    pub(super) status: u16,
    /// The code of a refusal, how a run ended; empty for a plain yes.
    pub(super) what: String,
}

impl From<Answer> for Cell {
    fn from(answer: Answer) -> Self {
        let what = if answer.status < 400 { String::new() } else { answer.code() };
        Self { status: answer.status, what }
    }
}

impl From<Refused> for Cell {
    fn from(refused: Refused) -> Self {
        let Self { status, what } = refused.answer.into();
        Self { status, what: format!("{what} at the {}", refused.step) }
    }
}

impl Cell {
    /// What came of an order: its run's state, and the rule of a denial.
    pub(super) fn of_run(answer: Answer) -> Self {
        if answer.status >= 400 {
            return answer.into();
        }
        let run: RunView = serde_json::from_slice(&answer.body).unwrap();
        let what = match &run.denial {
            Some(denial) => format!("denied {}", denial.rule.code()),
            None => run.state.code().to_owned(),
        };
        Self { status: answer.status, what }
    }
}

pub(super) type Trial = Box<dyn for<'s> Fn(&'s Stage, &'static str) -> BoxFuture<'s, Cell>>;
/// A document that only has to be signed.
pub(super) type Draft = Box<dyn Fn(&SecretKey) -> Envelope + Send + Sync>;
pub(super) type Drafting = for<'s> fn(&'s Stage, &'static str) -> BoxFuture<'s, Draft>;

/// One row.
pub(super) struct Tried {
    /// What is asked for; rows about the same follow one another.
    pub(super) about: String,
    /// In which way; ways with the same cells share a line.
    pub(super) how: String,
    pub(super) trial: Trial,
}

/// An operation with its rows.
pub(super) struct Operation {
    pub(super) name: &'static str,
    pub(super) rows: Vec<Tried>,
}

pub(super) fn op(name: &'static str, rows: impl IntoIterator<Item = Tried>) -> Operation {
    Operation { name, rows: rows.into_iter().collect() }
}

pub(super) fn draft<D: Document + Send + Sync + 'static>(document: D) -> Draft {
    Box::new(move |key| trust::sign(&document, key).unwrap())
}

pub(super) fn tried(
    about: &str,
    trial: impl for<'s> Fn(&'s Stage, &'static str) -> BoxFuture<'s, Cell> + 'static,
) -> Tried {
    Tried { about: about.to_owned(), how: String::new(), trial: Box::new(trial) }
}

/// A call without a body; `line` gives method and path.
pub(super) fn plain(about: &str, line: fn(&Stage, &str) -> String) -> Tried {
    tried(about, move |stage, person| {
        Box::pin(async move {
            let line = line(stage, person);
            stage.town.call(Some(person), &line, &[], b"").await.into()
        })
    })
}

/// A document of each person's own: by their keys in every state, by another's key, and with another's
/// token.
pub(super) fn signed(about: &str, path: &'static str, drafting: Drafting) -> Vec<Tried> {
    signed_as(about, drafting, move |stage, person, envelope| {
        Box::pin(async move { stage.town.post(person, path, &envelope).await.into() })
    })
}

/// [`signed`], where `send` sends the document.
pub(super) fn signed_as(
    about: &str,
    drafting: Drafting,
    send: impl for<'s> Fn(&'s Stage, &'static str, Envelope) -> BoxFuture<'s, Cell>
    + Copy
    + Send
    + Sync
    + 'static,
) -> Vec<Tried> {
    let mut rows: Vec<Tried> = KeyState::ALL
        .into_iter()
        .map(|state| {
            let row = tried(about, move |stage, person| {
                Box::pin(async move {
                    let envelope = drafting(stage, person).await(stage.town.key(person, state));
                    send(stage, person, envelope).await
                })
            });
            Tried { how: format!("{} key", state.name()), ..row }
        })
        .collect();
    let row = tried(about, move |stage, person| {
        Box::pin(async move {
            let key = stage.town.key(Town::other(person), KeyState::Active);
            let envelope = drafting(stage, person).await(key);
            send(stage, person, envelope).await
        })
    });
    rows.push(Tried { how: "another's key".to_owned(), ..row });
    let row = tried(about, move |stage, person| {
        Box::pin(async move {
            let key = stage.town.key(person, KeyState::Active);
            let envelope = drafting(stage, person).await(key);
            send(stage, Town::other(person), envelope).await
        })
    });
    rows.push(Tried { how: "another's token".to_owned(), ..row });
    rows
}
