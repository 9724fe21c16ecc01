//! An answer in one command: from typing `borescope run …`, which reviewers opened to its caller, to the
//! end of the program, with its receipt verified; beside the same query by SQLite alone.

use std::path::Path;
use std::time::Instant;

use rusqlite::{Connection, OpenFlags};
use tokio::runtime::Runtime;

use super::Scale;
use super::bed::workshop;
use super::program::{command, free_address, good, program, start};
use super::stats::{Goal, Row, Samples, Unit};

/// What `borescope new` writes, without its second parameter.
const QUERY: &str = "SELECT o.id, o.number, o.status, o.total_cents, o.paid_at FROM orders AS o \
                     WHERE o.paid_at >= $1 AND o.shipped_at IS NULL ORDER BY o.paid_at, o.id";
const SINCE: &str = "2026-11-20T00:00:00Z";

pub(super) fn run(rt: &Runtime, scale: Scale) -> Vec<Row> {
    let what = "an answer in one command (self-serve, SQLite, 212 rows)";
    let program = match program(what) {
        Ok(program) => program,
        Err(missing) => return missing,
    };
    let home = tempfile::tempdir_in(workshop()).unwrap();
    let (home, address) = (home.path(), free_address());
    let (url, ours) = (format!("http://{address}"), |typed: &str| {
        let mut command = command(&program, home);
        good(command.args(typed.replace("ADDRESS", &address).split(' ')))
    });
    ours("demo --shop shop.sqlite");
    ours(
        "init server --trust-domain bench.example/answer --self-serve --person alice --person bob \
         --target shop-replica=shop.sqlite --listen ADDRESS",
    );
    let (_server, _) = rt.block_on(start(&program, home, &address));
    for person in ["alice", "bob"] {
        ours(&format!(
            "login --context {person} --as {person} --key server/keys/{person} --url {url} \
             --trust server/trust.toml"
        ));
    }
    ours("--context alice new late-orders --sql");
    ours("--context alice submit late-orders");
    ours(
        "--context bob review late-orders --target shop=shop-replica --approve --yes \
         --self-serve engineers:100",
    );
    std::fs::write(home.join("since.json"), format!(r#"{{"since":"{SINCE}"}}"#)).unwrap();
    let (mut answers, mut queries) = (Samples::default(), Samples::default());
    for round in 0..scale.pick(30, 1) {
        let begin = Instant::now();
        ours("--context alice run late-orders --on shop=shop-replica --input since.json --json");
        let answered = begin.elapsed().as_secs_f64();
        let queried = query(&home.join("shop.sqlite"));
        // The first tenth warms up.
        if round >= scale.pick(3, 0) {
            answers.push(answered);
            queries.push(queried);
        }
    }
    let row = Row::pair(what, Unit::Seconds, answers, ("the query alone", queries));
    vec![row.goal(Goal::AtMost(2.0))]
}

/// Seconds to open the file and to read every row.
fn query(path: &Path) -> f64 {
    let begin = Instant::now();
    let database = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    let mut statement = database.prepare(QUERY).unwrap();
    let mut rows = statement.query([SINCE]).unwrap();
    let mut read = 0_u32;
    while rows.next().unwrap().is_some() {
        read += 1;
    }
    assert_eq!(read, 212, "the shop is always the same");
    begin.elapsed().as_secs_f64()
}
