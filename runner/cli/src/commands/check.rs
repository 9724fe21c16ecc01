//! `borescope check`: what each target of a server can be reached as, with the server's own
//! configuration, by the checks that its runner makes at every run. Nothing of any script is run.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use clap::Args;
use domain::display::neutralise;
use domain::manifest::Engine;
use domain::{Column, TargetId};
use executor::ports::{Sight, TargetAccess, postgres_spec, sqlite_spec};
use executor::state;
use serde_json::{Value, json};
use targets::{TargetError, postgres, sqlite};
use trust::{Authority, PolicyTarget, Seen};

use super::Call;
use super::policy::masking::hidden;
use crate::exit::{Exit, Failure, chain};
use crate::founding::DataDir;
use crate::node;
use crate::out::{Out, Style, foreign, hang, width};
use crate::server_config::{FILE, ServerConfig};
use crate::session::World;
use crate::view::count;

/// How long one target may take to answer all questions.
const PATIENCE: Duration = Duration::from_secs(20);

/// Arguments.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  borescope check --config /srv/borescope             every target
  borescope check shop-replica --config /srv/borescope

Run it where the server runs, as the server's user; the server may be running. It reads the policy in
force from the server's folder, connects to each target as the runner does, and compares: identity,
role, replica and lag, TLS, the tables and columns that the policy grants. Of PostgreSQL it also says
what the role could do beyond these, were it not for the gate, and which settings let a query hurt the
replica. Ends with code 5 when a target fails.")]
pub(crate) struct CheckArgs {
    /// Only this target; repeat
    #[arg(value_name = "TARGET")]
    targets: Vec<TargetId>,
    /// The server's configuration, or the folder with borescope.toml
    #[arg(long, value_name = "FILE", default_value = FILE)]
    config: PathBuf,
}

/// What was found of one target.
struct Checked<'p> {
    target: &'p PolicyTarget,
    way: String,
    found: Result<Reach, Fault>,
}

/// What a target can be reached as.
enum Reach {
    Sqlite(sqlite::Reach),
    Postgres(postgres::Reach),
}

/// Why it cannot.
struct Fault {
    problem: String,
    /// The database's own words; for the operator only.
    detail: Option<String>,
}

/// Checks.
pub(crate) async fn command(call: &Call<'_>, args: CheckArgs) -> anyhow::Result<Exit> {
    let config = ServerConfig::load(&args.config)?;
    let authority = in_force(&config)?;
    let policy = authority.policy();
    if let Some(other) = args.targets.iter().find(|id| policy.target(id).is_none()) {
        let known: Vec<&str> = policy.targets.iter().map(|t| t.id.as_str()).collect();
        return Err(Failure::usage(
            format!("the policy has no target {other}"),
            format!("it has {}", known.join(", ")),
        )
        .into());
    }
    let wanted = |t: &&PolicyTarget| args.targets.is_empty() || args.targets.contains(&t.id);
    let (mut exit, out) = (Exit::Ok, call.out);
    for target in policy.targets.iter().filter(wanted) {
        if !target.runners.contains(&config.runner) {
            let told = format!("{} is not for this runner ({})", target.id, config.runner);
            out.note(told);
            continue;
        }
        let checked = check(&config, target).await;
        if checked.found.is_err() {
            exit = Exit::Target;
        }
        if out.json { out.json(&as_json(&checked))? } else { out.lines(in_words(out, &checked))? }
    }
    for stray in config.targets.keys().filter(|id| policy.target(id).is_none()) {
        out.note(format!(
            "{} the policy has no target {stray}: nobody reaches it; take [targets.{stray}] out, or \
             propose a policy that has it",
            out.style_err(Style::Warn, "!")
        ));
    }
    Ok(exit)
}

/// Keyring, directory and policy that the runner has adopted, read without disturbing it.
pub(crate) fn in_force(config: &ServerConfig) -> anyhow::Result<Authority> {
    let data = DataDir(config.data_dir.clone());
    let founding = node::documents(&data)?;
    let (pinned, documents) = state::adopted_on_disk(&data.runner(), &data.ledger(), &founding)?;
    let (now, seen) = (World::real().now(), Seen::default());
    let executor::AuthorityDocuments { keyring, successors, directory, policy } = &documents;
    Authority::establish(keyring, successors, directory, policy, &pinned, &seen, now)
        .context("the policy in the server's folder is not to be believed")
}

async fn check<'p>(config: &ServerConfig, target: &'p PolicyTarget) -> Checked<'p> {
    let id = &target.id;
    let failed = |problem: String| Checked {
        target,
        way: String::new(),
        found: Err(Fault { problem, detail: None }),
    };
    let Some(way) = config.targets.get(id) else {
        return failed(format!("there is no way to it; add [targets.{id}] to {FILE}"));
    };
    let access = match way.access(id) {
        Ok(access) => access,
        Err(error) => return failed(chain(&error)),
    };
    let (way, wrong) = (words(&access), || {
        failed(format!(
            "[targets.{id}] is of another engine than the policy's; correct one of them"
        ))
    });
    let found = match access {
        TargetAccess::Sqlite(path) => {
            if target.engine != Engine::Sqlite {
                return wrong();
            }
            let spec = match sqlite_spec(target, path, Sight::default()) {
                Ok(spec) => spec,
                Err(error) => return failed(error.to_string()),
            };
            let look = tokio::task::spawn_blocking(move || sqlite::check(&spec));
            in_time(async { look.await.unwrap_or(Err(TargetError::SessionLost)) })
                .await
                .map(Reach::Sqlite)
        }
        TargetAccess::Postgres(access, _) => {
            if target.engine != Engine::Postgres {
                return wrong();
            }
            // Nothing is read through it, so it needs no keys; and as a run without an approval sees it.
            let spec = match postgres_spec(target, access, Sight::default()) {
                Ok(spec) => spec,
                Err(error) => return failed(error.to_string()),
            };
            in_time(postgres::check(&spec)).await.map(Reach::Postgres)
        }
    };
    Checked { target, way, found }
}

async fn in_time<T>(look: impl Future<Output = Result<T, TargetError>>) -> Result<T, Fault> {
    match tokio::time::timeout(PATIENCE, look).await {
        Ok(found) => found.map_err(|error| Fault {
            problem: error.to_string(),
            detail: error.detail().map(str::to_owned),
        }),
        Err(_) => Err(Fault {
            problem: format!(
                "it does not answer within {} s; check address, port and firewall",
                PATIENCE.as_secs()
            ),
            detail: None,
        }),
    }
}

/// The way to a target, without any secret.
fn words(access: &TargetAccess) -> String {
    match access {
        TargetAccess::Sqlite(path) => format!("the file {}", path.display()),
        TargetAccess::Postgres(access, _) => {
            let port = access.port;
            match (&access.host, &access.tls) {
                (postgres::Host::Socket(path), _) => {
                    format!("the Unix socket in {}, port {port}", path.display())
                }
                (postgres::Host::Tcp(host), postgres::Tls::VerifyFull { .. }) => {
                    format!("{host}:{port} by TLS, its name verified")
                }
                (postgres::Host::Tcp(host), postgres::Tls::Off) => {
                    format!("{host}:{port} WITHOUT TLS")
                }
            }
        }
    }
}

fn in_words(out: Out, checked: &Checked<'_>) -> Vec<String> {
    let Checked { target, way, found } = checked;
    let prod = if target.prod { "production" } else { "not production" };
    let mark = match found {
        Ok(_) => out.style(Style::Good, "✓"),
        Err(_) => out.style(Style::Bad, "✗"),
    };
    let id = out.style(Style::Bold, target.id.as_str());
    let mut lines = vec![format!("{mark} {id}: {}, {prod}", target.engine)];
    let mut field = |name: &str, text: &str| lines.extend(hang(name, &foreign(text), width()));
    if !way.is_empty() {
        field("  way       ", way);
    }
    match found {
        Err(Fault { problem, detail }) => {
            field("  problem   ", problem);
            if let Some(detail) = detail {
                field("  it says   ", detail);
            }
        }
        Ok(Reach::Sqlite(reach)) => sqlite(&mut field, reach),
        Ok(Reach::Postgres(reach)) => postgres(&mut field, reach, target.lag_s_max),
    }
    if found.is_ok() {
        for (label, what) in hidden(target) {
            field(&format!("  {label:<10}"), &what);
        }
    }
    lines
}

fn sqlite(field: &mut impl FnMut(&str, &str), reach: &sqlite::Reach) {
    let id = reach.application_id.cast_unsigned();
    field("  identity  ", &format!("application id {id}, as policy pins it"));
    field("  opened    ", "read-only; what is not granted is denied when a query is compiled");
    reads(field, &reach.tables);
    let hidden = count(reach.hidden_tables as u64, "table");
    field("  hidden    ", &format!("{hidden} that no query can see"));
}

fn postgres(field: &mut impl FnMut(&str, &str), reach: &postgres::Reach, lag_s_max: Option<u64>) {
    let postgres::Identity { system_identifier, database, role } = &reach.identity;
    field(
        "  identity  ",
        &format!("cluster {system_identifier}, database {database}, as policy pins them"),
    );
    field("  role      ", &format!("{role}; no power beyond reading, owns nothing"));
    let most = lag_s_max.map(|s| format!("; policy allows {s} s")).unwrap_or_default();
    let (version, lag_s) = (&reach.version, reach.lag_s);
    field("  replica   ", &format!("PostgreSQL {version} in recovery, {lag_s} s behind{most}"));
    reads(field, &reach.tables);
    let hidden = count(reach.hidden_relations, "relation");
    field("  hidden    ", &format!("{hidden} that no query can see"));
    for postgres::Finding { warns, what, help } in &reach.findings {
        let label = if *warns { "  warning   " } else { "  note      " };
        field(label, what);
        field("            → ", help);
    }
}

fn reads(field: &mut impl FnMut(&str, &str), tables: &[(String, Vec<Column>)]) {
    let mut label = "  reads     ";
    for (table, columns) in tables {
        let columns: Vec<&str> = columns.iter().map(|c| c.name.as_str()).collect();
        field(label, &format!("{table} ({})", columns.join(", ")));
        label = "            ";
    }
}

fn finding(of: &postgres::Finding) -> Value {
    let postgres::Finding { warns, what, help } = of;
    let severity = if *warns { "warning" } else { "note" };
    json!({ "severity": severity, "what": neutralise(what), "help": help })
}

fn as_json(checked: &Checked<'_>) -> Value {
    let Checked { target, way, found } = checked;
    let mut json = json!({
        "target": target.id, "engine": target.engine.to_string(), "prod": target.prod, "way": way,
        "ok": found.is_ok(), "masks": target.masks, "denied": target.denied,
        "row_filters": target.row_filters,
    });
    let tables = |tables: &[(String, Vec<Column>)]| -> Value {
        let one = |(table, columns): &(String, Vec<Column>)| {
            let columns: Vec<&str> = columns.iter().map(|c| c.name.as_str()).collect();
            json!({ "table": table, "columns": columns })
        };
        tables.iter().map(one).collect()
    };
    let more = match found {
        Err(Fault { problem, detail }) => {
            json!({ "problem": problem, "detail": detail.as_deref().map(neutralise) })
        }
        Ok(Reach::Sqlite(r)) => json!({
            "application_id": r.application_id.cast_unsigned(), "reads": tables(&r.tables),
            "hidden": r.hidden_tables,
        }),
        Ok(Reach::Postgres(r)) => json!({
            "system_identifier": r.identity.system_identifier.to_string(),
            "database": r.identity.database, "role": r.identity.role, "version": r.version,
            "lag_s": r.lag_s, "reads": tables(&r.tables), "hidden": r.hidden_relations,
            "findings": r.findings.iter().map(finding).collect::<Vec<_>>(),
        }),
    };
    if let (Value::Object(all), Value::Object(more)) = (&mut json, more) {
        all.extend(more);
    }
    json
}
