//! A runner under load, to be killed. It says on standard output what it has promised: the parent
//! compares that with what is on the disk.
//!
//! `crashbox DIR` opens (or opens again) the runner in DIR and starts runs without end. Lines:
//! `ready`, `started RUN`, `ended RUN OUTCOME OUTPUT-DIGEST`. `crashbox DIR adopt` adopts one keyring
//! after the other instead: `ready`, `adopted VERSION`.

use std::io::Write as _;
use std::path::PathBuf;
use std::sync::Arc;

use domain::Digest;
use executor::{RunEvent, Runner as _};
use futures_util::StreamExt as _;
use tests::rig::Rig;

/// Keyrings in one adoption; the pin moves along.
const WALKED_MAX: usize = 16;

/// Runs at a time; as many uses are open.
const WIDTH: u64 = 4;

#[tokio::main]
async fn main() {
    let dir = std::env::args_os().nth(1).map(PathBuf::from);
    let Some(dir) = dir else { panic!("usage: crashbox DIR") };
    let rig = Rig::at(dir).await;
    say("ready");
    if std::env::args().nth(2).as_deref() == Some("adopt") {
        adopting(rig).await;
        return;
    }
    let rig = Arc::new(rig);
    let lanes = (0..WIDTH).map(|_| tokio::spawn(lane(Arc::clone(&rig))));
    for lane in lanes.collect::<Vec<_>>() {
        drop(lane.await);
    }
}

/// Goes on with what the log says was adopted, and adopts successors of it.
async fn adopting(mut rig: Rig) {
    rig.go_on().await;
    loop {
        rig.company.succeed(|_| {});
        if rig.company.successors.len() > WALKED_MAX {
            rig.company.keyring = rig.company.successors.remove(0);
        }
        rig.adopt().await;
        say(&format!("adopted {}", rig.company.keyring_ref().version));
    }
}

/// Starts one run after the other, two for each access request.
async fn lane(rig: Arc<Rig>) {
    loop {
        let story = rig.story("row-hog", "{}");
        for use_number in [1, 2] {
            let (run, order) = rig.order_use(&story, use_number, |_, _| {});
            let mut events = rig.runner.start(run.clone(), order.to_bytes()).await;
            while let Some(event) = events.next().await {
                match event {
                    RunEvent::Started { .. } => say(&format!("started {run}")),
                    RunEvent::Progress { .. } => {}
                    RunEvent::Ended(ended) => {
                        let output = ended.output.map(|o| Digest::of(o.as_bytes()).to_string());
                        let output = output.unwrap_or_else(|| "none".to_owned());
                        say(&format!("ended {run} {} {output}", ended.outcome.code()));
                    }
                }
            }
        }
    }
}

/// One write a line, so that a kill cannot mix two lines.
fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    if out.write_all(format!("{line}\n").as_bytes()).and_then(|()| out.flush()).is_err() {
        std::process::exit(0);
    }
}
