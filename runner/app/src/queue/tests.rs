//! A busy replica holds up its own runs only, nobody overtakes, and an emergency starts.

use super::*;

fn room(ordinary: usize, kept: usize) -> Room {
    let on_target = [("replica".parse().unwrap(), 2)].into();
    Room { ordinary, kept, on_target }
}

fn run(arrival: u64, line: Line, targets: &[&str], slot: Option<Slot>) -> Queued {
    let targets = targets.iter().map(|t| t.parse().unwrap()).collect();
    Queued { line, targets, arrival, slot }
}

fn ordinary(arrival: u64, targets: &[&str]) -> Queued {
    run(arrival, Line::Ordinary, targets, None)
}

/// Starts what may start; which arrivals that were.
fn start(room: &Room, runs: &mut [Queued]) -> Vec<u64> {
    let keyed: Vec<(usize, Queued)> = runs.iter().cloned().enumerate().collect();
    let starters = room.starters(keyed.iter().map(|(at, q)| (at, q)));
    for (at, slot) in &starters {
        runs[*at].slot = Some(*slot);
    }
    starters.into_iter().map(|(at, _)| runs[at].arrival).collect()
}

#[test]
fn a_busy_target_holds_up_its_own_runs_and_no_others() {
    let room = room(8, 1);
    let mut runs: Vec<_> = (0..4).map(|n| ordinary(n, &["replica"])).collect();
    runs.push(ordinary(4, &["other"]));
    assert_eq!(start(&room, &mut runs), [0, 1, 4]);
    assert_eq!(start(&room, &mut runs), [0_u64; 0]);
    let place = |at: usize| room.place(&runs[at], runs.iter()).unwrap();
    assert_eq!((place(2).place, place(2).running), (1, 2));
    assert_eq!(
        (place(3).place, place(3).target.unwrap().as_str().to_owned()),
        (2, "replica".into())
    );
    assert_eq!(room.place(&runs[4], runs.iter()), None);
    runs.remove(0);
    assert_eq!(start(&room, &mut runs), [2]);
}

#[test]
fn nobody_overtakes_a_run_that_waits_for_two_targets() {
    let room = Room {
        on_target: [("a".parse().unwrap(), 1), ("b".parse().unwrap(), 1)].into(),
        ..room(8, 1)
    };
    let mut runs = vec![ordinary(0, &["a"])];
    assert_eq!(start(&room, &mut runs), [0]);
    runs.push(ordinary(1, &["a", "b"]));
    runs.push(ordinary(2, &["b"]));
    // It could have b, and would keep the one before it waiting for ever.
    assert_eq!(start(&room, &mut runs), [0_u64; 0]);
    runs.remove(0);
    assert_eq!(start(&room, &mut runs), [1]);
    runs.remove(0);
    assert_eq!(start(&room, &mut runs), [2]);
}

#[test]
fn an_emergency_starts_though_every_slot_and_the_target_are_taken() {
    let room = room(2, 1);
    let mut runs: Vec<_> = (0..5).map(|n| ordinary(n, &["replica"])).collect();
    assert_eq!(start(&room, &mut runs), [0, 1]);
    runs.push(run(5, Line::Emergency, &["replica"], None));
    assert_eq!(start(&room, &mut runs), [5]);
    assert_eq!(runs[5].slot, Some(Slot::Kept));
    // A second one is the next of all.
    runs.push(run(6, Line::Emergency, &["replica"], None));
    assert_eq!(start(&room, &mut runs), [0_u64; 0]);
    assert_eq!(room.place(&runs[6], runs.iter()).unwrap().place, 1);
    assert_eq!(room.place(&runs[2], runs.iter()).unwrap().place, 1);
    runs.remove(5);
    assert_eq!(start(&room, &mut runs), [6]);
}

#[test]
fn an_emergency_takes_an_ordinary_slot_while_one_is_free() {
    let room = room(1, 1);
    let mut runs = vec![ordinary(0, &["other"]), run(1, Line::Emergency, &["other"], None)];
    assert_eq!(start(&room, &mut runs), [1]);
    assert_eq!(runs[1].slot, Some(Slot::Ordinary));
    runs.push(run(2, Line::Emergency, &["other"], None));
    assert_eq!(start(&room, &mut runs), [2], "the kept one is still there");
    let place = room.place(&runs[0], runs.iter()).unwrap();
    assert_eq!((place.place, place.running, place.target), (1, 2, None));
}
