//! `borescope init`: a server's folder for development, ready for `borescope serve`.

mod expected;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;
use domain::{PersonId, RunnerName, TargetId, TrustDomain};
use rusqlite::{Connection, OpenFlags};
use serde_json::json;

use super::Call;
use crate::exit::{Exit, Failure};
use crate::founding::{
    DataDir, Founding, NewPerson, STATUS_KEY, directory_source, found, is_solo, runner_entry,
    runner_keys, write_new,
};
use crate::keys;
use crate::server_config::FILE;
use crate::session::World;
use crate::signer::Signer;

/// Arguments.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  borescope init ./server --trust-domain shop.example/dev --person alice --person bob \\
      --target shop-replica=/srv/shop.sqlite
  borescope serve --config ./server
  borescope init ./mine --solo --person alice --target shop-replica=/srv/shop.sqlite

Makes keys/ (one key a person, unless keys/NAME.pub is there), policy/directory.toml,
policy/targets.toml, policy/tests.toml, borescope.toml, trust.toml and data/. A .pub file may be of any ed25519 key:
under a passphrase, in an agent, on a security key. The first person holds every role: this is for
development. Files that are there are used, not replaced; edit the policy sources first if
you like, and run init after that.

With --solo one person is all there is: author, reviewer, approver, caller, every role. The trust
domain is solo/NAME, every receipt says so, and production is refused.")]
pub(crate) struct InitArgs {
    /// Folder to make
    dir: PathBuf,
    /// Audience of every signature, as shop.example/dev
    #[arg(long, value_name = "DOMAIN", required_unless_present = "solo")]
    trust_domain: Option<TrustDomain>,
    /// For one person, who may review and approve their own: trust domain solo/NAME, no production
    #[arg(long)]
    solo: bool,
    /// Let reviewers open scripts to people who then need no approval; implied by --solo
    #[arg(long)]
    self_serve: bool,
    /// Person; repeat. The first one signs keyring, directory and policy
    #[arg(long = "person", required = true, value_name = "NAME")]
    people: Vec<PersonId>,
    /// Target with the path of its SQLite file; repeat
    #[arg(long = "target", value_name = "ID=PATH", value_parser = target)]
    targets: Vec<(TargetId, PathBuf)>,
    /// Address to listen on
    #[arg(long, default_value = "127.0.0.1:7777", value_name = "ADDRESS")]
    listen: std::net::SocketAddr,
    /// Name of the runner
    #[arg(long, default_value = "runner-1", value_name = "NAME")]
    runner: RunnerName,
}

fn target(text: &str) -> Result<(TargetId, PathBuf), String> {
    let (id, path) = text.split_once('=').ok_or_else(|| {
        format!("\"{text}\" has no =: expected ID=PATH, as shop-replica=/srv/shop.sqlite")
    })?;
    let id: TargetId = id.parse().map_err(|e: domain::ParseError| e.to_string())?;
    let path = std::path::absolute(path).map_err(|e| e.to_string())?;
    Ok((id, path))
}

/// Makes the folder.
pub(crate) fn command(call: &Call<'_>, args: &InitArgs) -> anyhow::Result<Exit> {
    let world = World::real();
    let domain = trust_domain(args)?;
    let dir = args.dir.as_path();
    let data = DataDir(dir.join("data"));
    if data.documents().exists() {
        return Err(Failure::usage(
            format!("{} is set up already", dir.display()),
            "choose another folder; a second keyring here would orphan the receipts of the first",
        )
        .into());
    }
    let key_dir = dir.join("keys");
    fs::create_dir_all(&key_dir).with_context(|| format!("cannot create {}", key_dir.display()))?;
    let root = args.people.first().context("no person was given")?.clone();
    let root_key = root_signer(&key_dir.join(root.as_str()), &root, &world)?;
    let people = people(args, &key_dir, &world)?;
    let sources = dir.join("policy");
    write_new(&sources.join("directory.toml"), &directory_source(&people))?;
    let runner = runner_keys(&data, &domain, &args.runner, &world)?;
    let targets = format!("{}\n{}", targets_source(args)?, runner_entry(&args.runner, &runner));
    write_new(&sources.join("targets.toml"), &targets)?;
    write_new(&sources.join("tests.toml"), &expected::source(&args.people, &args.targets))?;
    let read = |name: &str| {
        let path = sources.join(name);
        fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))
    };
    let founding = Founding {
        trust_domain: domain.clone(),
        root,
        root_key: &root_key,
        runner: args.runner.clone(),
        directory: read("directory.toml")?,
        policy: read("targets.toml")?,
        self_serve: args.opens(),
    };
    let trust = found(&founding, &data, &world)?;
    write_new(&dir.join("trust.toml"), &trust.toml())?;
    write_new(&dir.join(FILE), &server_source(args))?;
    show(call, args, &domain, &trust.keyring.to_string())
}

impl InitArgs {
    /// Whether anybody may run without an approval.
    const fn opens(&self) -> bool {
        self.self_serve || self.solo
    }
}

/// The trust domain: of one person exactly when that is wanted.
fn trust_domain(args: &InitArgs) -> Result<TrustDomain, Failure> {
    let domain = match &args.trust_domain {
        Some(domain) => domain.clone(),
        None => {
            let name = args.people.first().map_or("", |p| p.as_str());
            format!("solo/{name}").parse().map_err(|e: domain::ParseError| {
                Failure::usage(e.to_string(), "give one: --solo --trust-domain solo/NAME")
            })?
        }
    };
    let help = "with --solo the trust domain is solo/NAME, and without it is not";
    if args.solo != is_solo(&domain) {
        return Err(Failure::usage(format!("{domain} does not fit"), help));
    }
    if args.solo && args.people.len() != 1 {
        let message = format!("--solo is for one person, and there are {}", args.people.len());
        return Err(Failure::usage(message, "name one with --person, or leave --solo out"));
    }
    Ok(domain)
}

fn show(
    call: &Call<'_>,
    args: &InitArgs,
    domain: &TrustDomain,
    keyring: &str,
) -> anyhow::Result<Exit> {
    let (dir, place) = (&args.dir, args.dir.display());
    if call.out.json {
        call.out.json(&json!({ "dir": dir, "trust_domain": domain, "keyring": keyring }))?;
        return Ok(Exit::Ok);
    }
    call.out.line(format!("{place} is ready for {domain}"))?;
    if args.solo {
        call.out.line(format!(
            "{} alone may submit, review, approve and run: receipts prove no second person, and \
             production is refused",
            args.people[0]
        ))?;
    }
    call.out.line(format!("keyring {keyring}"))?;
    let url = format!("http://{}", args.listen);
    let person = &args.people[0];
    call.out.notes([
        "next:",
        &format!("  borescope serve --config {place}"),
        &format!(
            "  borescope login --url {url} --as {person} --key {place}/keys/{person} --trust \
             {place}/trust.toml"
        ),
    ]);
    Ok(Exit::Ok)
}

/// The root's key: the one that is there, in whatever form, or a new one.
fn root_signer(secret: &Path, root: &PersonId, world: &World) -> anyhow::Result<Signer> {
    let public = keys::public_path(secret);
    if secret.exists() {
        Signer::open(secret)
    } else if public.exists() {
        Signer::open(&public)
    } else {
        Ok(Signer::Here(keys::make_or_read(secret, root.as_str(), &*world.entropy)?))
    }
}

/// Everybody is in one group; that nobody counts twice for one run is the rules' business.
fn people(args: &InitArgs, key_dir: &Path, world: &World) -> anyhow::Result<Vec<NewPerson>> {
    let mut people = Vec::new();
    for id in &args.people {
        let secret = key_dir.join(id.as_str());
        let public = keys::public_path(&secret);
        let key = if public.exists() {
            keys::read_public(&public)?
        } else {
            keys::make_or_read(&secret, id.as_str(), &*world.entropy)?.public().clone()
        };
        people.push(NewPerson { id: id.clone(), key, groups: vec!["engineers".parse()?] });
    }
    Ok(people)
}

/// A first policy: every column of the targets' tables may be read; people should shorten that.
fn targets_source(args: &InitArgs) -> anyhow::Result<String> {
    let mut text = String::from(
        "# Targets and their rules. A missing limit is the finite default, a missing list is empty,\n\
         # a missing `prod` is true. Columns that are not listed under `reads` cannot be read.\n",
    );
    let open = match args.opens() {
        true => "self_serve = { groups = [\"engineers\"], runs_per_day = 100 }\n",
        false => "",
    };
    for (id, path) in &args.targets {
        let catalog =
            catalog(path).with_context(|| format!("cannot look into {}", path.display()))?;
        text.push_str(&format!(
            "\n[[target]]\nid = \"{id}\"\nengine = \"sqlite\"\nprod = false\n\
             identity = {{ sqlite = {{ application_id = {} }} }}\nrunners = [\"{}\"]\n\
             callers = [\"engineers\"]\nreviews = {{ required = 1, groups = [\"engineers\"] }}\n\
             approvals = {{ required = 1, groups = [\"engineers\"] }}\nreaders = [\"engineers\"]\n\
             query = {{ calls_max = 100, rows_total_max = 10000, bytes_total_max = 16777216 }}\n{open}reads = [\n",
            catalog.application_id, args.runner
        ));
        for (table, columns) in catalog.tables {
            let columns: Vec<String> = columns.iter().map(|c| quoted(c)).collect();
            text.push_str(&format!(
                "  {{ table = {}, columns = [{}] }},\n",
                quoted(&table),
                columns.join(", ")
            ));
        }
        text.push_str("]\n");
    }
    Ok(text)
}

fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

struct Catalog {
    application_id: u32,
    tables: Vec<(String, Vec<String>)>,
}

/// What is in a SQLite file, for the first policy.
fn catalog(path: &Path) -> anyhow::Result<Catalog> {
    let db = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let id: i64 = db.query_row("PRAGMA application_id", [], |r| r.get(0))?;
    let mut tables: Vec<(String, Vec<String>)> = Vec::new();
    let mut statement = db.prepare(
        "SELECT m.name, c.name FROM sqlite_schema AS m JOIN pragma_table_info(m.name) AS c \
         WHERE m.type IN ('table', 'view') AND m.name NOT LIKE 'sqlite_%' ORDER BY m.name, c.cid",
    )?;
    let rows = statement.query_map([], |r| Ok((r.get::<_, String>(0)?, r.get::<_, String>(1)?)))?;
    for row in rows {
        let (table, column) = row?;
        match tables.last_mut() {
            Some((last, columns)) if *last == table => columns.push(column),
            _ => tables.push((table, vec![column])),
        }
    }
    // SQLite shows the 32 bits as a signed number.
    let application_id = u32::try_from(id & 0xffff_ffff)?;
    Ok(Catalog { application_id, tables })
}

fn server_source(args: &InitArgs) -> String {
    let mut text = format!(
        "# What the operator says; who may do what is in signed documents only.\n\
         listen = \"{}\"\ndata_dir = \"data\"\nrunner = \"{}\"\n\n\
         # Targets marked `prod` need somebody who says every few minutes what is in force. Here the\n\
         # server itself does; `borescope status keep --help` says why another host is better.\n\
         [status]\nkey_file = \"data/{STATUS_KEY}\"\n",
        args.listen, args.runner
    );
    for (id, path) in &args.targets {
        text.push_str(&format!(
            "\n[targets.{}]\npath = {}\n",
            quoted(id.as_str()),
            quoted(&path.to_string_lossy())
        ));
    }
    text
}

#[cfg(test)]
mod tests;
