//! What the company's reviewers see of a bundle: the analysis of its queries, by the catalogs of the real
//! targets and the policy of the moment.

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::analysis::{AnalysisRef, Catalog};
use domain::{Digest, Manifest, Pair, QueryName, Scope};
use executor::Connectors;
use executor::ports::Sight;
use trust::{Policy, PolicyTarget};

use super::Company;

type Files = [(String, Vec<u8>)];
/// Keeps bytes where the runner finds them by their digest.
type Keep = Box<dyn Fn(&[u8]) + Send + Sync>;

/// Where reviewers sit.
pub(super) struct Desk {
    connectors: Arc<dyn Connectors>,
    keep: Keep,
    bundles: BTreeMap<Digest, (Manifest, BTreeMap<QueryName, String>)>,
}

impl Company {
    /// From now on its reviewers see targets through these, and what they saw is kept by `keep`.
    pub fn sit(&self, connectors: Arc<dyn Connectors>, keep: Keep) {
        let mut desk = self.desk.lock().unwrap();
        let bundles = desk.take().map(|d| d.bundles).unwrap_or_default();
        *desk = Some(Desk { connectors, keep, bundles });
    }

    /// Lets its reviewers read a bundle.
    pub fn read(&self, revision: Digest, manifest: &Manifest, files: &Files) {
        let text = |q: &domain::manifest::Query| {
            let (_, bytes) = files.iter().find(|(path, _)| *path == q.file.as_str())?;
            Some((q.name.clone(), String::from_utf8_lossy(bytes).into_owned()))
        };
        let texts = manifest.queries.iter().filter_map(text).collect();
        if let Some(desk) = &mut *self.desk.lock().unwrap() {
            desk.bundles.insert(revision, (manifest.clone(), texts));
        }
    }

    /// What they see of a bundle that they read, for these pairs; nothing of others.
    pub fn saw(&self, revision: Digest, scope: &Scope) -> Vec<AnalysisRef> {
        let desk = self.desk.lock().unwrap();
        let Some(desk) = &*desk else { return Vec::new() };
        let Some((manifest, texts)) = desk.bundles.get(&revision) else { return Vec::new() };
        let policy: Policy = trust::read_unverified(&self.policy).unwrap();
        let see = |pair: Pair| {
            let target = policy.targets.iter().find(|t| t.id == pair.target)?;
            let asks = manifest.queries.iter().any(|q| q.target == pair.logical);
            let catalog = if asks { desk.catalog(target)? } else { Catalog::default() };
            let seen =
                executor::analysis::analyse(target, &pair.logical, manifest, texts, &catalog);
            let (analysis, _) = seen.ok()?;
            (desk.keep)(&analysis.to_bytes());
            let Pair { logical, target } = pair;
            Some(AnalysisRef { logical, target, digest: analysis.digest() })
        };
        scope.pairs().filter_map(see).collect()
    }
}

impl Desk {
    fn catalog(&self, target: &PolicyTarget) -> Option<Catalog> {
        let connector = self.connectors.connector(target, Sight::default()).ok()?;
        // The scenario itself may be anywhere in a runtime.
        blocking(async move { connector.catalog().await.ok() })
    }
}

/// Waits for a future on a runtime of its own.
pub fn blocking<T: Send + 'static>(future: impl Future<Output = T> + Send + 'static) -> T {
    let wait = || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.unwrap().block_on(future)
    };
    std::thread::spawn(wait).join().unwrap()
}
