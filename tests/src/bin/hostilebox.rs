//! Meets every hostile guest in one process, four at a time with honest runs among them, and says how
//! much memory that took at most: one number, KiB.
//!
//! A process of its own, because the peak of a process is of all that it ever did.

use std::collections::VecDeque;
use std::io::Write as _;
use std::sync::{Arc, Mutex, PoisonError};

use domain::Outcome;
use sandbox::{Sandbox, SandboxOptions};
use tests::hostile::Guest;
use tests::rig::{Rig, STUCK_ORDERS_INPUT};

/// Guests at a time.
const WIDTH: usize = 4;

type Queue = Arc<Mutex<VecDeque<Guest>>>;

#[tokio::main]
async fn main() {
    let rig = Arc::new(Rig::new().await);
    let queue: Queue = Arc::new(Mutex::new(tests::hostile::all().into()));
    let lanes = (0..WIDTH).map(|_| tokio::spawn(lane(Arc::clone(&rig), Arc::clone(&queue))));
    let mut failed = false;
    for lane in lanes.collect::<Vec<_>>() {
        failed |= lane.await.is_err();
    }
    if failed || writeln!(std::io::stdout(), "{}", peak_kib()).is_err() {
        std::process::exit(1);
    }
}

async fn lane(rig: Arc<Rig>, queue: Queue) {
    // Compiled here, not taken from the cache that the scenarios share.
    let options = SandboxOptions {
        artifact_dir: None,
        mac_key: [7; 32],
        concurrent_runs_max: 1,
        concurrent_compiles_max: 1,
        compile_ms_max: 120_000,
    };
    let compiler = match Sandbox::new(options) {
        Ok(compiler) => compiler,
        Err(e) => panic!("{e}"),
    };
    loop {
        let next = queue.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
        let Some(guest) = next else { break };
        let component = guest.files.iter().find(|(path, _)| path == "component.wasm");
        let component: Arc<[u8]> =
            component.map(|(_, bytes)| bytes.as_slice().into()).unwrap_or_default();
        if compiler.admit(component).await.is_err() {
            continue;
        }
        let story = rig.story_of(rig.upload_files(guest.files), guest.input);
        let (run, order) = rig.order(&story, |_, _| {});
        drop(rig.run(&run, &order).await);
        let (run, order) = rig.order(&rig.story("stuck-orders", STUCK_ORDERS_INPUT), |_, _| {});
        let (_, ended) = rig.run(&run, &order).await;
        assert_eq!(ended.outcome, Outcome::Succeeded, "beside {}", guest.name);
    }
}

/// The most memory that this process ever had, as Linux counts it.
fn peak_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let number = line.and_then(|line| line.trim().strip_suffix(" kB"));
    number.and_then(|n| n.trim().parse().ok()).unwrap_or(u64::MAX)
}
