//! Founding a trust domain for development: keys, the first keyring, directory and policy, all on one
//! machine. `borescope init` and the demo use it.
//!
//! One person signs everything at first, and the keys of all people are made here: that suits a
//! machine of one's own. In production each person brings a key, and the keyring has thresholds.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use domain::{
    Digest, DirectoryId, GroupName, KeyringId, PersonId, PolicyId, RunnerName, TrustDomain,
};
use ledger::{LogKey, Origin};
use serde::{Deserialize, Serialize};
use trust::source::{self, Issue};
use trust::{
    Envelope, Floors, Keyring, KeyringKey, Pinned, Policy, PublicKey, Role, RoleRule, VersionRef,
};

use crate::exit::Failure;
use crate::keys;
use crate::session::World;
use crate::signer::Signer;

/// Trust domains for one person begin so.
const SOLO_PREFIX: &str = "solo/";

/// How long the first documents are valid, seconds: a year.
const LIFE_S: i64 = 365 * 86_400;

/// The file of the key that signs the status, in the data directory.
pub(crate) const STATUS_KEY: &str = "status-key";
/// Its holder in the first keyring: a process, who is nobody in the directory.
const STATUS_SIGNER: &str = "status-signer";

/// Where everything is in a server's data directory.
#[derive(Debug, Clone)]
pub(crate) struct DataDir(pub(crate) PathBuf);

impl DataDir {
    /// The runner's own directory.
    pub(crate) fn runner(&self) -> PathBuf {
        self.0.join("runner")
    }
    /// The runner's ledger.
    pub(crate) fn ledger(&self) -> PathBuf {
        self.runner().join("ledger")
    }
    /// Signs receipts.
    pub(crate) fn receipt_key(&self) -> PathBuf {
        self.runner().join("receipt-key")
    }
    /// Signs checkpoints.
    pub(crate) fn log_seed(&self) -> PathBuf {
        self.runner().join("log.seed")
    }
    /// Signs the status, where the server does that itself.
    pub(crate) fn status_key(&self) -> PathBuf {
        self.0.join(STATUS_KEY)
    }
    /// Authenticates compiled components.
    pub(crate) fn artifact_seed(&self) -> PathBuf {
        self.runner().join("artifacts.seed")
    }
    /// Compiled components.
    pub(crate) fn artifacts(&self) -> PathBuf {
        self.runner().join("artifacts")
    }
    /// Keyring, directory and policy in force.
    pub(crate) fn documents(&self) -> PathBuf {
        self.0.join("documents.json")
    }
    /// The control plane's database.
    pub(crate) fn store(&self) -> PathBuf {
        self.0.join("store.sqlite")
    }
    /// The control plane's files.
    pub(crate) fn blobs(&self) -> PathBuf {
        self.0.join("blobs")
    }
}

/// `documents.json`: the documents that the server starts with.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Documents {
    /// Who may sign what, at first.
    pub(crate) keyring: Envelope,
    /// The keyrings that follow it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) successors: Vec<Envelope>,
    /// The people.
    pub(crate) directory: Envelope,
    /// The targets.
    pub(crate) policy: Envelope,
}

/// A person of the first directory.
#[derive(Debug, Clone)]
pub(crate) struct NewPerson {
    /// The id.
    pub(crate) id: PersonId,
    /// The key.
    pub(crate) key: PublicKey,
    /// The groups.
    pub(crate) groups: Vec<GroupName>,
}

/// What a trust domain is founded from.
pub(crate) struct Founding<'a> {
    /// The audience of every signature.
    pub(crate) trust_domain: TrustDomain,
    /// Holds every role.
    pub(crate) root: PersonId,
    /// The root's key.
    pub(crate) root_key: &'a Signer,
    /// The runner's name.
    pub(crate) runner: RunnerName,
    /// `directory.toml`.
    pub(crate) directory: String,
    /// `policy/targets.toml`; the runner's own entry is added when it has none.
    pub(crate) policy: String,
    /// Whether a policy may let people run without an approval what reviewers opened to them: a floor
    /// of the keyring.
    pub(crate) self_serve: bool,
}

/// Public keys of a runner.
pub(crate) struct RunnerKeys {
    /// Signs receipts.
    pub(crate) receipt: PublicKey,
    /// Signs checkpoints.
    pub(crate) log_vkey: String,
}

/// Makes a runner's keys, or reads those that are there.
pub(crate) fn runner_keys(
    data: &DataDir,
    domain: &TrustDomain,
    runner: &RunnerName,
    world: &World,
) -> anyhow::Result<RunnerKeys> {
    let dir = data.runner();
    fs::create_dir_all(&dir).with_context(|| format!("cannot create {}", dir.display()))?;
    let receipt = keys::make_or_read(&data.receipt_key(), runner.as_str(), &*world.entropy)?;
    keys::seed(&data.artifact_seed(), &*world.entropy)?;
    let log = log_key(data, domain, runner, world)?;
    Ok(RunnerKeys { receipt: receipt.public().clone(), log_vkey: log.verifier().to_string() })
}

/// The key that signs the log of a runner.
pub(crate) fn log_key(
    data: &DataDir,
    domain: &TrustDomain,
    runner: &RunnerName,
    world: &World,
) -> anyhow::Result<LogKey> {
    let seed = keys::seed(&data.log_seed(), &*world.entropy)?;
    let origin: Origin = format!("{domain}/log/{runner}").parse()?;
    Ok(LogKey::from_seed(origin, &seed))
}

/// Signs the first documents, enrols the runner, and returns the trust file for auditors.
pub(crate) fn found(
    founding: &Founding<'_>,
    data: &DataDir,
    world: &World,
) -> anyhow::Result<TrustSource> {
    let keys = runner_keys(data, &founding.trust_domain, &founding.runner, world)?;
    let status = keys::make_or_read(&data.status_key(), STATUS_SIGNER, &*world.entropy)?;
    let keyring = founding.root_key.sign(&first_keyring(founding, status.public(), world)?)?;
    let pin = VersionRef { version: 1, digest: keyring.payload_digest() };
    let directory = source::directory(
        &founding.directory,
        Issue {
            header: world.header(&founding.trust_domain, id(DirectoryId::new, world), LIFE_S),
            version: 1,
            previous: None,
            keyring: pin,
        },
    )?;
    let policy = source::policy(
        &with_runner(&founding.policy, &founding.runner, &keys),
        Issue {
            header: world.header(&founding.trust_domain, id(PolicyId::new, world), LIFE_S),
            version: 1,
            previous: None,
            keyring: pin,
        },
    )?;
    is_possible(founding, &policy, &keys)?;
    let documents = Documents {
        keyring,
        successors: Vec::new(),
        directory: founding.root_key.sign(&directory)?,
        policy: founding.root_key.sign(&policy)?,
    };
    let path = data.documents();
    fs::write(&path, serde_json::to_vec_pretty(&documents)?)
        .with_context(|| format!("cannot write {}", path.display()))?;
    let pinned = Pinned { trust_domain: founding.trust_domain.clone(), keyring: pin };
    executor::state::enrol(&data.runner(), &pinned)?;
    Ok(TrustSource {
        trust_domain: founding.trust_domain.clone(),
        keyring: pin.digest,
        log_vkeys: vec![keys.log_vkey],
    })
}

/// What would be refused when the server starts is refused before anything is written.
fn is_possible(founding: &Founding<'_>, policy: &Policy, keys: &RunnerKeys) -> Result<(), Failure> {
    let name = &founding.runner;
    if policy.runner(name).is_none_or(|r| r.key != keys.receipt || r.log_vkey != keys.log_vkey) {
        return Err(Failure::usage(
            format!("the policy's runner {name} has other keys than the one of this folder"),
            "remove its [[runner]] entry from policy/targets.toml: init adds the right one",
        ));
    }
    let solo = is_solo(&founding.trust_domain);
    if let Some(target) = policy.targets.iter().find(|t| solo && t.prod) {
        return Err(Failure::usage(
            format!("{} is marked prod, and one person would hold every role", target.id),
            "write `prod = false` if it is none; production needs a trust domain of two people",
        ));
    }
    let open = policy.targets.iter().find(|t| t.self_serve.is_some() && !founding.self_serve);
    if let Some(target) = open {
        return Err(Failure::usage(
            format!("{} has self-serve, and the keyring would let nobody have it", target.id),
            "found it with --self-serve, or take self_serve out of policy/targets.toml",
        ));
    }
    Ok(())
}

/// Whether one person may hold every role of a trust domain.
pub(crate) fn is_solo(domain: &TrustDomain) -> bool {
    domain.as_str().starts_with(SOLO_PREFIX)
}

fn id<I>(new: fn(&dyn domain::Clock, &dyn domain::Entropy) -> I, world: &World) -> I {
    new(&*world.clock, &*world.entropy)
}

fn first_keyring(
    founding: &Founding<'_>,
    status: &PublicKey,
    world: &World,
) -> anyhow::Result<Keyring> {
    let roles = [Role::Root, Role::Directory, Role::Policy, Role::Stop, Role::Lift];
    let signer: PersonId = STATUS_SIGNER.parse()?;
    let rule =
        |role, person: &PersonId| RoleRule { role, threshold: 1, people: vec![person.clone()] };
    let by_root = roles.into_iter().map(|role| rule(role, &founding.root));
    Ok(Keyring {
        header: world.header(&founding.trust_domain, id(KeyringId::new, world), LIFE_S),
        version: 1,
        previous: None,
        keys: vec![
            KeyringKey { person: founding.root.clone(), key: founding.root_key.public().clone() },
            KeyringKey { person: signer.clone(), key: status.clone() },
        ],
        roles: by_root.chain([rule(Role::Status, &signer)]).collect(),
        floors: Floors {
            reviews_required: 1,
            approvals_required: 1,
            self_serve: founding.self_serve,
            break_glass_approvals_required: 1,
        },
    })
}

/// A policy's source in which this runner has an entry.
fn with_runner(policy: &str, runner: &RunnerName, keys: &RunnerKeys) -> String {
    let table: toml::Table = toml::from_str(policy).unwrap_or_default();
    let runners = table.get("runner").and_then(toml::Value::as_array);
    let named =
        |r: &toml::Value| r.get("name").and_then(toml::Value::as_str) == Some(runner.as_str());
    if runners.is_some_and(|all| all.iter().any(named)) {
        return policy.to_owned();
    }
    format!("{policy}\n{}", runner_entry(runner, keys))
}

/// The entry of a runner in a policy's source.
pub(crate) fn runner_entry(runner: &RunnerName, keys: &RunnerKeys) -> String {
    format!(
        "[[runner]]\nname = \"{runner}\"\nkey = \"{}\"\nlog_vkey = \"{}\"\n",
        keys.receipt, keys.log_vkey
    )
}

/// `directory.toml` of these people.
pub(crate) fn directory_source(people: &[NewPerson]) -> String {
    let mut text =
        String::from("# People, their keys and groups. Signing turns this into the directory.\n");
    for person in people {
        let groups: Vec<String> = person.groups.iter().map(|g| format!("\"{g}\"")).collect();
        text.push_str(&format!(
            "\n[[person]]\nid = \"{id}\"\nname = \"{id}\"\nkind = \"human\"\ngroups = [{groups}]\n\n\
             [[person.key]]\nkey = \"{key}\"\nstatus = \"active\"\n",
            id = person.id,
            groups = groups.join(", "),
            key = person.key
        ));
    }
    text
}

/// What an auditor believes: `trust.toml`.
#[derive(Debug, Clone)]
pub(crate) struct TrustSource {
    /// The audience.
    pub(crate) trust_domain: TrustDomain,
    /// The pinned keyring.
    pub(crate) keyring: Digest,
    /// The logs' public keys.
    pub(crate) log_vkeys: Vec<String>,
}

impl TrustSource {
    /// The text of `trust.toml`.
    pub(crate) fn toml(&self) -> String {
        let logs = self.log_vkeys.iter().map(|vkey| format!("\n[[log]]\nvkey = \"{vkey}\"\n"));
        format!(
            "# What you decide to believe. Compare it with your administrators by another channel.\n\
             trust_domain = \"{}\"\nkeyring = \"{}\"\n{}",
            self.trust_domain,
            self.keyring,
            logs.collect::<String>()
        )
    }
}

/// Writes a file that is not there yet; what people have edited is kept.
pub(crate) fn write_new(path: &Path, text: &str) -> anyhow::Result<bool> {
    if path.exists() {
        return Ok(false);
    }
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)
            .with_context(|| format!("cannot create {}", folder.display()))?;
    }
    fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))?;
    Ok(true)
}

#[cfg(test)]
mod tests;
