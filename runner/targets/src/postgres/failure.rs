//! PostgreSQL's errors in our terms. Codes decide; words are evidence only, because they quote data
//! and their language is the server's.

use std::error::Error as _;

use tokio_postgres::Error;
use tokio_postgres::error::SqlState;

use crate::{Fault, TargetError};

/// One sentence for hidden and for missing things, so that it tells nothing about hidden ones.
pub(super) const NOT_GRANTED: &str = "it names a table, column or function that does not exist or that the target's policy does not \
     grant; name granted columns instead";

/// What PostgreSQL asks of WITH RECURSIVE beyond the gate's own rules.
const NOT_RECURSIVE: &str = "PostgreSQL does not recurse this way: outer joins, aggregates, sub-selects and EXCEPT cannot read \
     the query itself; join it plainly with what it goes on to";

/// An error of a statement. A cancelled one becomes [`TargetError::Cancelled`]; the caller knows
/// whether it was the time.
#[expect(clippy::needless_pass_by_value, reason = "it is the argument of map_err")]
pub(super) fn failure(e: Error) -> TargetError {
    let detail = words(&e);
    // Without a code it is ours or the wire's: closed, broken, or not understood.
    let Some(code) = e.code() else { return TargetError::Disconnected { detail } };
    let too_big = |capacity: &'static str, detail| TargetError::TooBig { capacity, detail };
    match code.code() {
        "57014" => TargetError::Cancelled,
        "55P03" => TargetError::Locked {
            by: "a change to a table that the query reads, which the replica is replaying",
            detail,
        },
        "40001" | "40P01" => TargetError::Conflict { detail },
        "42P19" => TargetError::NotAllowed { reason: NOT_RECURSIVE.into(), detail },
        "53400" => too_big("temporary files on the replica", detail),
        "53100" => too_big("disk on the replica", detail),
        "53200" => too_big("memory on the replica", detail),
        "42501" | "42P01" | "42703" | "42883" | "3F000" | "25006" => {
            TargetError::NotAllowed { reason: NOT_GRANTED.into(), detail }
        }
        code if code.starts_with("54") => too_big("the size and depth of a statement", detail),
        // 57P01 to 57P05: shut down, crashed, starting, idle for too long. 25P03: idle in transaction.
        code if code.starts_with("57P") || code.starts_with("08") || code == "25P03" => {
            TargetError::Disconnected { detail }
        }
        _ => TargetError::Database { detail },
    }
}

/// An error while connecting.
#[expect(clippy::needless_pass_by_value, reason = "it is the argument of map_err")]
pub(super) fn unreachable(e: Error) -> TargetError {
    let (hint, fault) = match e.code().map(SqlState::code) {
        Some("28P01" | "28000") => (
            "the server refuses the role: check that it exists, its password file, and pg_hba.conf",
            Fault::Operator,
        ),
        Some("53300") => ("the server has too many connections; try again", Fault::Target),
        Some("57P03") => ("the server is starting up or shutting down; try again", Fault::Target),
        Some("42704" | "22023") => (
            "the server does not know a setting that sessions are pinned to; it must be PostgreSQL \
             14 or newer, reached without a pooler",
            Fault::Operator,
        ),
        Some(_) => ("the server refuses the connection; its words are in the log", Fault::Operator),
        None if e.to_string().contains("TLS") => (
            "TLS failed: the server must offer TLS with a certificate of the configured CA for \
             exactly the configured host; there is no fallback",
            Fault::Operator,
        ),
        None => (
            "nothing answers there: check the host, the port, and that the server accepts \
             connections",
            Fault::Target,
        ),
    };
    TargetError::Unreachable { hint, fault, detail: words(&e) }
}

/// All words of an error and its causes.
fn words(e: &Error) -> String {
    if let Some(db) = e.as_db_error() {
        let more = [db.detail(), db.hint()].into_iter().flatten();
        let more: String = more.map(|text| format!("; {text}")).collect();
        return format!("{}: {}{more}", db.code().code(), db.message());
    }
    let mut text = e.to_string();
    let mut source = e.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}
