//! The server's own reading of what the gate lets pass.
//!
//! Statements that nobody wrote (hostile fragments in every place of the syntax, one inside another) go
//! through the gate; what it would send is parsed, and not run, by a scratch server as its superuser,
//! which resolves everything that there is. The server prints the tree that it made, with the number of
//! each relation, column and function; none of them may be outside the grant.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::mpsc;

use domain::ParamType;
use targets::postgres::gate::{Grant, gate, is_function};
use tokio_postgres::types::Type;
use tokio_postgres::{AsyncMessage, Client, Config, NoTls};

use crate::sql_corpus::Servers;

#[path = "../../runner/targets/src/postgres/gate/tests/generated/hostile.rs"]
mod hostile;

use hostile::{FRAGMENTS, FROM_FRAGMENTS, FROM_PLACES, PLACES, Random};

/// The parameters of every statement.
const PARAMS: [(ParamType, Type); 2] =
    [(ParamType::Text, Type::TEXT), (ParamType::Int8, Type::INT8)];
/// What the columns of a permission are counted from: system columns have numbers down to here.
const COLUMN_OFFSET: i32 = -7;
/// The first number of an object that is not PostgreSQL's own.
const FIRST_FOREIGN: u32 = 16_384;

/// What became of the statements.
#[derive(Debug, Default)]
pub struct Report {
    /// All.
    pub made: usize,
    /// Those that the gate let pass.
    pub sent: usize,
    /// Those of them that the server could read.
    pub read: usize,
    /// What of them is outside the grant: the statement, what was sent, what the server saw.
    pub outside: Vec<String>,
}

/// A server that is asked, and what it may answer.
pub struct Oracle {
    client: Client,
    trees: mpsc::Receiver<String>,
    grant: Grant,
    /// The columns of granted relations, by the relation's number.
    columns: BTreeMap<u32, BTreeSet<i32>>,
    /// The functions that are on the gate's list, or stand behind operators and casts.
    functions: BTreeSet<u32>,
}

impl Oracle {
    /// Connects to the scratch server.
    ///
    /// # Errors
    /// What the server said.
    pub async fn ask(servers: &Servers, grant: Grant) -> io::Result<Self> {
        let primary = servers.primary();
        let mut config = Config::new();
        config.host_path(primary.socket_directory()).port(primary.port());
        config.user("postgres").dbname(crate::sql_corpus::live::DATABASE);
        let (client, mut connection) = config.connect(NoTls).await.map_err(io::Error::other)?;
        let (sender, trees) = mpsc::channel();
        tokio::spawn(async move {
            loop {
                let message = std::future::poll_fn(|cx| connection.poll_message(cx)).await;
                match message {
                    Some(Ok(AsyncMessage::Notice(notice))) => {
                        let _ = sender.send(notice.detail().unwrap_or_default().to_owned());
                    }
                    Some(Ok(_)) => {}
                    Some(Err(_)) | None => break,
                }
            }
        });
        let mut oracle =
            Self { client, trees, grant, columns: BTreeMap::new(), functions: BTreeSet::new() };
        oracle.learn().await.map_err(io::Error::other)?;
        Ok(oracle)
    }

    /// What the grant is in the server's numbers.
    async fn learn(&mut self) -> Result<(), tokio_postgres::Error> {
        let columns = "SELECT a.attnum, a.attname::text, c.oid FROM pg_attribute AS a \
                       JOIN pg_class AS c ON c.oid = a.attrelid \
                       JOIN pg_namespace AS n ON n.oid = c.relnamespace \
                       WHERE n.nspname = $1 AND c.relname = $2 AND a.attnum > 0";
        for relation in &self.grant.relations {
            let rows = self.client.query(columns, &[&relation.schema, &relation.name]).await?;
            for row in rows {
                let (number, name): (i16, String) = (row.get(0), row.get(1));
                let granted = self.columns.entry(row.get(2)).or_default();
                if relation.columns.contains(&name) {
                    granted.insert(number.into());
                }
            }
        }
        let functions = "SELECT p.oid, p.proname::text, p.provolatile <> 'v' AND (\
                             EXISTS (SELECT FROM pg_operator AS o WHERE o.oprcode = p.oid) OR \
                             EXISTS (SELECT FROM pg_cast AS c WHERE c.castfunc = p.oid)) \
                         FROM pg_proc AS p WHERE p.pronamespace = 'pg_catalog'::regnamespace";
        for row in self.client.query(functions, &[]).await? {
            let (number, name, is_operator): (u32, String, bool) =
                (row.get(0), row.get(1), row.get(2));
            if number < FIRST_FOREIGN && (is_operator || is_function(&name)) {
                self.functions.insert(number);
            }
        }
        let settings = "SET search_path = pg_catalog, pg_temp; SET client_min_messages = log; \
                        SET debug_pretty_print = off; SET debug_print_parse = on";
        self.client.batch_execute(settings).await
    }

    /// Makes `count` statements from `seed`, and judges each.
    ///
    /// # Errors
    /// When the server does not answer any more.
    pub async fn judge(&self, seed: u64, count: u64) -> io::Result<Report> {
        let mut random = Random(seed);
        let mut report = Report::default();
        for _ in 0..count {
            let sql = statement(&mut random);
            report.made += 1;
            let types: Vec<ParamType> = PARAMS.iter().map(|(t, _)| *t).collect();
            let Ok(gated) = gate(&sql, &types, &self.grant) else { continue };
            report.sent += 1;
            while self.trees.try_recv().is_ok() {}
            let types: Vec<Type> = PARAMS.iter().map(|(_, t)| t.clone()).collect();
            let prepared = self.client.prepare_typed(&gated.sql, &types).await;
            if self.client.is_closed() {
                return Err(io::Error::other(format!("the server went away at: {}", gated.sql)));
            }
            if prepared.is_err() {
                continue;
            }
            // The tree was sent before the answer, so it has arrived.
            let tree: String = self.trees.try_iter().collect();
            report.read += 1;
            if let Some(seen) = self.outside(&tree) {
                report.outside.push(format!("{sql}\n  sent: {}\n  {seen}", gated.sql));
            }
        }
        Ok(report)
    }

    /// The first thing of a tree that is not in the grant.
    pub fn outside(&self, tree: &str) -> Option<String> {
        if !tree.contains("{QUERY") {
            return Some("the server printed no tree".to_owned());
        }
        // The server breaks lines between any two words.
        let tree = tree.replace('\n', " ");
        let mut nodes: Vec<Option<u32>> = Vec::new();
        let mut rest = tree.as_str();
        while let Some(at) = rest.find(['{', '}', '\\', ':']) {
            let is_field = rest[..at].ends_with(' ');
            let sign = rest[at..].chars().next();
            rest = &rest[at + 1..];
            match sign {
                Some('{') => nodes.push(None),
                Some('}') => drop(nodes.pop()),
                // What is behind it is part of a name.
                Some('\\') => rest = rest.get(1..).unwrap_or_default(),
                _ if is_field => {
                    let (name, value) = rest.split_once(' ').unwrap_or((rest, ""));
                    if let Some(seen) = self.judge_field(name, value, &mut nodes) {
                        return Some(seen);
                    }
                }
                _ => {}
            }
        }
        None
    }

    /// One field of a node; `nodes` has the relation of each node around it, if it is of one.
    fn judge_field(&self, name: &str, value: &str, nodes: &mut [Option<u32>]) -> Option<String> {
        let number = || value.split([' ', '}', ')']).next().and_then(|n| n.parse::<u32>().ok());
        let node = nodes.last_mut()?;
        match name {
            "relid" => {
                let relation = number().filter(|n| *n != 0)?;
                *node = Some(relation);
                let is_known = self.columns.contains_key(&relation);
                (!is_known).then(|| format!("relation {relation}"))
            }
            "selectedCols" => {
                // Sub-selects have such numbers too, of columns of their own.
                let relation = (*node)?;
                let granted = self.columns.get(&relation);
                let is_granted = |c: &i32| granted.is_some_and(|granted| granted.contains(c));
                let column = numbers(value).map(|n| n + COLUMN_OFFSET).find(|c| !is_granted(c))?;
                Some(format!("column {column} of relation {relation}"))
            }
            "insertedCols" | "updatedCols" if numbers(value).next().is_some() => {
                Some("a write".to_owned())
            }
            "funcid" | "opfuncid" | "aggfnoid" | "winfnoid" => {
                let function = number().filter(|n| *n != 0)?;
                let is_known = self.functions.contains(&function);
                (!is_known).then(|| format!("function {function}"))
            }
            _ => None,
        }
    }

    /// What the server makes of a statement that no gate has seen.
    ///
    /// # Errors
    /// When the server cannot read it.
    pub async fn tree(&self, sql: &str) -> io::Result<String> {
        while self.trees.try_recv().is_ok() {}
        self.client.prepare(sql).await.map_err(io::Error::other)?;
        Ok(self.trees.try_iter().collect())
    }
}

/// The members of a printed set: `(b 8 9)`.
fn numbers(set: &str) -> impl Iterator<Item = i32> {
    let members = set.strip_prefix("(b").and_then(|s| s.split_once(')')).map_or("", |(s, _)| s);
    members.split(' ').filter_map(|n| n.parse().ok())
}

/// A fragment in a place, now and then in another one.
fn statement(random: &mut Random) -> String {
    let places = [PLACES, FROM_PLACES];
    let mut sql = String::from("@");
    for depth in 0.. {
        let is_from = random.below(4) == 0;
        let place = random.of(places[usize::from(is_from)]);
        let fragment = match (is_from, depth < 3 && random.below(3) == 0) {
            (_, true) => ["(@)", "(@) s", "lower((@))", "exists (@)", "u.id in (@)"]
                [random.below(5)]
            .to_owned(),
            (true, false) => random.of(FROM_FRAGMENTS).to_owned(),
            (false, false) => random.of(FRAGMENTS).to_owned(),
        };
        sql = sql.replace('@', &place.replace('@', &fragment));
        if !sql.contains('@') || sql.len() > 20_000 {
            break;
        }
    }
    sql
}
