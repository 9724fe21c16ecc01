//! What guests can do to us, guest by guest: where each ends, as what, by which bound, and what its
//! author is told.
//!
//! The table is a golden file; a guest without a row, and a row without a guest, fail. After each guest
//! an honest run has the result and the fuel that it always has. The guests come through the same
//! doors as everybody's: HTTP first, and what is taken there is reviewed, approved and run.

use api::ClientError;
use domain::{Manifest, Outcome, RunId};
use executor::Ended;
use sandbox::{Recording, Refusal, Sandbox};
use tests::hostile::bounds::{Used, of_refusal};
use tests::hostile::{Guest, all, named};
use tests::rig::{Rig, STUCK_ORDERS_INPUT};
use tests::served::Served;

/// Characters of what its author is told that a row shows.
const TOLD_CHARS: usize = 110;

/// Memory that the whole suite may take in one process, four guests at a time, MiB: each run may have
/// 64 MiB by its manifest, and the compiler needs some; everything else is ours.
const RESIDENT_MIB_MAX: u64 = 640;

async fn run(rig: &Rig, guest: &Guest) -> (RunId, Ended) {
    let story = rig.story_of(rig.upload_files(guest.files.clone()), guest.input);
    let (run, order) = rig.order(&story, |_, _| {});
    let ended = rig.run(&run, &order).await.1;
    (run, ended)
}

/// Runs an honest script, and says how much fuel it used.
async fn honest(rig: &Rig) -> u64 {
    let (run, order) = rig.order(&rig.story("stuck-orders", STUCK_ORDERS_INPUT), |_, _| {});
    let (_, ended) = rig.run(&run, &order).await;
    assert_eq!(ended.outcome, Outcome::Succeeded, "{ended:?}");
    rig.output(&ended).fuel_used
}

fn row(name: &str, stage: &str, outcome: &str, bound: &str, told: &str) -> String {
    let told: String = told.chars().take(TOLD_CHARS).collect();
    // Where the damage is in a guest that was built just now depends on who built it.
    let told = match told.split_once("at byte ") {
        Some((before, after)) => {
            format!("{before}at byte N{}", after.trim_start_matches(|c: char| c.is_ascii_digit()))
        }
        None => told,
    };
    let row = format!("{name:<31} {stage:<13} {outcome:<37} {bound:<52} {told}");
    row.trim_end().to_owned() + "\n"
}

/// Why a component is refused before it runs, as the sandbox itself says it; `told` is what others say.
async fn refusal(sandbox: &Sandbox, guest: &Guest, told: &str) -> Refusal {
    let file = |name: &str| guest.files.iter().find(|(path, _)| path == name).unwrap().1.as_slice();
    let admitted = match sandbox.admit(file("component.wasm").into()).await {
        Ok(admitted) => admitted,
        Err(refusal) => return refusal,
    };
    let asks = Manifest::parse(file("script.toml")).unwrap().asks(&[]);
    match sandbox.link(&admitted, &asks) {
        Ok(_) => panic!("{} is refused, but not by the sandbox: {told}", guest.name),
        Err(refusal) => refusal,
    }
}

/// Where a run ended, and as what. What it used is within all its bounds.
async fn row_of_run(rig: &Rig, guest: &Guest, run: &RunId, ended: &Ended) -> String {
    if let Some(denial) = &ended.denial {
        let bound = of_refusal(&refusal(rig.runner.sandbox(), guest, &denial.fact).await);
        return row(&guest.name, "linking", denial.rule.code(), &bound, &denial.fact);
    }
    let output = rig.output(ended);
    let recording = Recording::parse(&rig.recording(run).await).unwrap();
    let used = Used::of(&recording, &output);
    used.check(&guest.name);
    let bound = used.bounds();
    let stage = if output.fuel_used == 0 { "instantiation" } else { "run" };
    let mut outcome = ended.outcome.code().to_owned();
    for limit in &output.limits_hit {
        outcome = format!("{outcome} {limit}");
    }
    for (stream, kept) in [("stdout", &output.stdout), ("stderr", &output.stderr)] {
        if kept.dropped > 0 {
            outcome = format!("{outcome} ({stream} cut)");
        }
    }
    let told = output.error.map(|e| domain::display::neutralise(&e.message)).unwrap_or_default();
    row(&guest.name, stage, &outcome, &bound, &told)
}

#[tokio::test(flavor = "multi_thread")]
async fn each_guest_ends_in_its_named_outcome_and_the_next_run_is_honest() {
    let (rig, served) = (Rig::new().await, Served::start().await);
    let alice = served.login("alice").await;
    let (usual, sandbox) = (honest(&rig).await, rig.runner.sandbox());
    let mut table = String::new();
    for guest in all() {
        // As fast as one person may upload for hours.
        served.clock.advance_s(60);
        match served.try_upload(&alice, guest.files.clone()).await {
            Err(ClientError::Problem(problem)) => {
                let (code, told) = (problem.code.code(), &problem.detail);
                let bound = of_refusal(&refusal(sandbox, &guest, told).await);
                table += &row(&guest.name, "upload", code, &bound, told);
            }
            Err(other) => panic!("{}: the server did not answer: {other:?}", guest.name),
            Ok(_) => {
                let (run, ended) = run(&rig, &guest).await;
                table += &row_of_run(&rig, &guest, &run, &ended).await;
                assert_eq!(honest(&rig).await, usual, "after {}", guest.name);
            }
        }
    }
    expect_test::expect_file!["snapshots/hostile.txt"].assert_eq(&table);
    served.close().await;
    rig.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn work_of_the_host_makes_a_guest_yield_that_uses_hardly_any_fuel() {
    let rig = Rig::new().await;
    let (_, ended) = run(&rig, &named("poll-flood")).await;
    let output = rig.output(&ended);
    // Only where a guest yields is the wall time looked at; by fuel alone, this one would have yielded
    // for the first time after half an hour.
    assert_eq!(ended.outcome, Outcome::LimitExceeded { limit: domain::LimitName::Wall });
    assert!(output.fuel_used < 10_000_000, "{}", output.fuel_used);
    rig.close().await;
}

#[test]
fn the_memory_of_a_process_that_meets_them_all_stays_bounded() {
    let peak = std::process::Command::new(env!("CARGO_BIN_EXE_hostilebox")).output().unwrap();
    let text = String::from_utf8(peak.stdout).unwrap();
    assert!(peak.status.success(), "{text}{}", String::from_utf8_lossy(&peak.stderr));
    let peak_kib: u64 = text.trim().parse().unwrap();
    let peak_mib = peak_kib / 1024;
    assert!(peak_mib < RESIDENT_MIB_MAX, "{peak_mib} MiB");
}
