//! Who plays: four people with fresh keys, and the policy that they live under.

use std::path::{Path, PathBuf};

use domain::{Pair, PersonId, RunnerName, TargetId, TrustDomain};

use super::production::Production;
use crate::believed::Memory;
use crate::founding::{DataDir, Founding, NewPerson, TrustSource, directory_source, found};
use crate::keys;
use crate::session::{Session, World, client};
use crate::signer::Signer;

/// Submits scripts and runs them; may review and approve, too, but never her own.
pub(super) const ALICE: &str = "alice";
/// Reviews and approves.
pub(super) const BOB: &str = "bob";
/// Administers: holds every role of the keyring, and no exception for that.
pub(super) const CAROL: &str = "carol";
/// On call like alice, and up to no good.
pub(super) const MALLORY: &str = "mallory";

/// People with their groups.
const PEOPLE: [(&str, &[&str]); 4] = [
    (ALICE, &["on-call", "reviewers"]),
    (BOB, &["reviewers"]),
    (CAROL, &["administrators"]),
    (MALLORY, &["on-call"]),
];

/// The target as the policy names it.
pub(super) const TARGET: &str = "shop-replica";
/// The runner.
pub(super) const RUNNER: &str = "runner-1";

/// The policy's source. `shop` says which database it is.
fn policy(shop: &Production) -> String {
    let mut text = format!(
        r#"# Targets and their rules; a missing list is empty, a missing `prod` is true.
[[target]]
id = "shop-replica"
prod = false
{}
runners = ["runner-1"]
callers = ["on-call"]
reviews = {{ required = 1, groups = ["reviewers"] }}
approvals = {{ required = 1, groups = ["reviewers"] }}
readers = ["reviewers"]
query = {{ calls_max = 50, rows_total_max = 5000, bytes_total_max = 4194304 }}
reads = [
"#,
        shop.policy()
    );
    for (table, columns) in super::shop::READS {
        let schema = shop.schema();
        text.push_str(&format!("  {{ table = \"{schema}{table}\", columns = {columns:?} }},\n"));
    }
    text + "]\n"
}

/// The one binding of all demo scripts.
pub(super) fn pairs() -> anyhow::Result<Vec<Pair>> {
    let target: TargetId = TARGET.parse()?;
    Ok(vec![Pair { logical: "shop".parse()?, target }])
}

/// The demo's own audience; no signature of it means anything elsewhere.
pub(super) fn trust_domain(world: &World) -> anyhow::Result<TrustDomain> {
    let mut random = [0; 4];
    world.entropy.fill(&mut random);
    Ok(format!("demo-{}.invalid", hex::encode(random)).parse()?)
}

/// Where a person's key is.
pub(super) fn key_path(dir: &Path, person: &str) -> PathBuf {
    dir.join("keys").join(person)
}

/// Makes everybody's key and founds the trust domain; carol signs keyring, directory and policy.
pub(super) fn found_all(
    dir: &Path,
    data: &DataDir,
    domain: &TrustDomain,
    shop: &Production,
    world: &World,
) -> anyhow::Result<TrustSource> {
    std::fs::create_dir_all(dir.join("keys"))?;
    let mut people = Vec::new();
    for (id, groups) in PEOPLE {
        let key = keys::make_or_read(&key_path(dir, id), id, &*world.entropy)?;
        let groups: Result<_, _> = groups.iter().map(|g| g.parse()).collect();
        people.push(NewPerson { id: id.parse()?, key: key.public().clone(), groups: groups? });
    }
    let root_key = Signer::open(&key_path(dir, CAROL))?;
    let runner: RunnerName = RUNNER.parse()?;
    let founding = Founding {
        trust_domain: domain.clone(),
        root: CAROL.parse()?,
        root_key: &root_key,
        runner,
        directory: directory_source(&people),
        policy: policy(shop),
        self_serve: false,
    };
    let trust = found(&founding, data, world)?;
    std::fs::write(dir.join("trust.toml"), trust.toml())?;
    Ok(trust)
}

/// A person at the server, not yet logged in.
pub(super) fn session(
    dir: &Path,
    person: &str,
    url: &str,
    trust: &TrustSource,
    world: &World,
) -> anyhow::Result<Session> {
    let id: PersonId = person.parse()?;
    Ok(Session {
        client: client(url, None)?,
        person: id,
        key: Signer::open(&key_path(dir, person))?,
        trust_domain: trust.trust_domain.clone(),
        keyring: trust.keyring,
        keepers: Vec::new(),
        memory: Memory::default(),
        world: world.clone(),
    })
}
