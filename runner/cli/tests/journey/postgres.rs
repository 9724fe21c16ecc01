//! The replica is in trouble, and whoever is on call knows what happened, whether anything was read,
//! and whose it is to mend. Real servers, whose trouble is real.

use std::io::{Read as _, Write as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::process::Stdio;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::cluster::{Cluster, Network};
use super::machine::text as field;
use super::standby::{Fleet, programs, servers};
use super::team::{RUNS, flat};

/// Far more than anything here takes.
const PATIENCE: Duration = Duration::from_secs(60);

/// Alice's run, which fails for the target's sake; what she is told.
fn trouble(fleet: &Fleet, parts: &[&str]) {
    let told = flat(&fleet.team.refused(5, "alice", &RUNS));
    for part in [&["shop-replica, query stuck: ", "failed", "read 0 rows"], parts].concat() {
        assert!(told.contains(part), "{part}: {told}");
    }
}

/// What the operator sees of a target that no run reaches.
fn found_wrong(fleet: &Fleet, part: &str) {
    let (code, told) = fleet.checked();
    assert!(code == 5 && told.contains("✗ shop-replica") && told.contains(part), "{code} {told}");
}

/// The answer is there.
fn works(fleet: &Fleet) -> String {
    let told = fleet.team.good("alice", &RUNS);
    assert!(told.contains("never-scanned"), "{told}");
    told
}

fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let started = Instant::now();
    while !is_so() {
        assert!(started.elapsed() < PATIENCE, "{what}");
    }
}

#[test]
fn a_replica_answers_with_its_lag_and_one_in_trouble_says_which() {
    let fleet = Fleet::found("in_trouble", "", |_, policy| {
        policy.targets[0].lag_s_max = Some(2);
    });
    let (cluster, name) = (&servers().cluster, fleet.name.as_str());
    let standby = cluster.standby(&Network::None).unwrap();
    fleet.leads_to(standby.socket_directory());
    let told = works(&fleet);
    let up_to_date = told.contains("shop-replica was up to date with its primary");
    assert!(up_to_date || told.contains("behind its primary at most"), "{told}");
    let (code, told) = fleet.checked();
    assert_eq!(code, 0, "{told}");
    for part in ["✓ shop-replica: postgres", "in recovery", "policy allows 2 s", "public.orders ("]
    {
        assert!(told.contains(part), "{part}: {told}");
    }
    assert!(!told.contains("warning"), "{told}");

    // Replay stands still, and the primary goes on.
    standby.sql("postgres", "SELECT pg_wal_replay_pause()").unwrap();
    until("the replay stands still", || {
        let event = "UPDATE events SET detail = detail WHERE id = 1";
        cluster.primary().sql(name, event).unwrap();
        let paused = "SELECT pg_get_wal_replay_pause_state() = 'paused' \
                      AND pg_last_wal_receive_lsn() > pg_last_wal_replay_lsn() \
                      AND clock_timestamp() - pg_last_xact_replay_timestamp() > '3 s'";
        standby.sql("postgres", paused).unwrap().trim() == "t"
    });
    let lags = ["the replica lags ", "behind its primary, and policy allows 2 s"];
    trouble(&fleet, &[&lags[..], &["read nothing; it may pass: run it again"]].concat());
    found_wrong(&fleet, "the replica lags");
    standby.sql("postgres", "SELECT pg_wal_replay_resume()").unwrap();
    cluster.catch_up(&standby).unwrap();
    works(&fleet);

    // The address leads to the primary.
    fleet.leads_to(cluster.primary().socket_directory());
    let whose = "tell whoever operates the target";
    trouble(&fleet, &["the target is not a replica", "correct the address to a standby", whose]);
    found_wrong(&fleet, "is not a replica");
    fleet.leads_to(standby.socket_directory());
    works(&fleet);

    // It is stopped.
    drop(standby);
    trouble(&fleet, &["nothing answers there", "read nothing; it may pass"]);
    found_wrong(&fleet, "nothing answers there");
}

#[test]
fn another_cluster_behind_the_same_name_is_told_and_not_read() {
    let fleet = Fleet::found("moved", "", |_, _| {});
    works(&fleet);
    let other = Cluster::start(programs()).unwrap();
    let primary = other.primary();
    primary.sql("postgres", "CREATE DATABASE moved").unwrap();
    primary.sql("postgres", "CREATE ROLE moved LOGIN").unwrap();
    fleet.leads_to(primary.socket_directory());
    let told = ["the target is not what policy names: its system identifier is", "expected"];
    trouble(&fleet, &[&told[..], &["read nothing; tell whoever operates the target"]].concat());
    found_wrong(&fleet, "sign a policy with the new system identifier");
    fleet.leads_to(servers().standby.socket_directory());
    works(&fleet);
}

#[test]
fn a_role_that_can_do_too_much_is_not_used_until_it_cannot() {
    let fleet = Fleet::found("mighty", "", |_, _| {});
    works(&fleet);
    for (power, end, told) in [
        ("ALTER ROLE mighty CREATEDB", "ALTER ROLE mighty NOCREATEDB", "may create databases"),
        (
            "GRANT pg_read_all_data TO mighty",
            "REVOKE pg_read_all_data FROM mighty",
            "is a member of a role with powers",
        ),
        (
            "GRANT UPDATE (detail) ON events TO mighty",
            "REVOKE UPDATE (detail) ON events FROM mighty",
            "the role mighty may write; give the target a role that can only read",
        ),
    ] {
        fleet.on_primary(power);
        trouble(&fleet, &[told, "read nothing; tell whoever operates the target"]);
        found_wrong(&fleet, told);
        fleet.on_primary(end);
    }
    works(&fleet);
}

#[test]
fn a_table_that_replay_holds_ends_the_query_at_once_and_says_so() {
    let fleet = Fleet::found("held", "", |_, _| {});
    let (cluster, standby) = (&servers().cluster, &servers().standby);
    std::thread::scope(|scope| {
        let migration = "BEGIN; LOCK TABLE orders IN ACCESS EXCLUSIVE MODE; SELECT pg_sleep(3600)";
        scope.spawn(|| cluster.primary().sql("held", migration));
        until("the standby replays the lock", || {
            // Only what somebody commits takes the lock along.
            cluster
                .primary()
                .sql("held", "UPDATE events SET detail = detail WHERE id = 1")
                .unwrap();
            let locks = "SELECT count(*) FROM pg_locks l JOIN pg_database d ON d.oid = l.database \
                         WHERE d.datname = 'held' AND mode = 'AccessExclusiveLock' AND granted";
            standby.sql("postgres", locks).unwrap().trim() == "1"
        });
        trouble(
            &fleet,
            &["the target is locked by a change to a table", "it may pass: run it again"],
        );
        let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                   WHERE datname = 'held' AND query LIKE '%pg_sleep%' AND pid <> pg_backend_pid()";
        cluster.primary().sql("postgres", end).unwrap();
    });
    cluster.catch_up(standby).unwrap();
    works(&fleet);
}

#[test]
fn whoever_waits_for_a_busy_target_sees_the_place_in_the_queue() {
    let fleet = Fleet::found("busy", "", |_, policy| {
        policy.targets[0].statement_ms_max = 120_000;
    });
    let team = &fleet.team;
    let slow = SlowServer::before(&fleet);
    let order = |who: &str| {
        let mut order = team.m.command(&[&["--context", who], &RUNS[..]].concat());
        order.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        order.spawn().unwrap()
    };
    // A standby has two runs at a time, however many the server has.
    let (first, second) = (order("alice"), order("alice"));
    slow.is_asked.recv_timeout(PATIENCE).unwrap();
    slow.is_asked.recv_timeout(PATIENCE).unwrap();
    let third = order("carol");
    let mut waiting = String::new();
    until("the third waits", || {
        let runs = team.json("carol", &["runs"]);
        let queued = runs.iter().find(|r| r["state"]["phase"] == "queued");
        queued.map(|run| field(run, "id").clone_into(&mut waiting)).is_some()
    });
    let told = flat(&team.good("carol", &["show", &waiting]));
    assert!(told.contains("waits next in the queue for shop-replica; 2 run there now"), "{told}");
    drop(slow.answer);
    for waiting in [first, second, third] {
        let output = waiting.wait_with_output().unwrap();
        let told = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        assert_eq!(output.status.code(), Some(0), "{told}");
        assert!(told.contains("never-scanned"), "{told}");
    }
}

#[test]
fn a_query_that_would_cost_the_replica_too_much_is_not_run() {
    let fleet = Fleet::found("costly", "", |_, policy| policy.targets[0].cost_max = Some(50));
    let told = flat(&fleet.team.refused(1, "alice", &RUNS));
    for part in [
        "shop-replica, query stuck: the statement is too costly for the target, so it was not run",
        "the planner expects more than 50 of cost",
        "read nothing; tell the script's author",
        "failed",
        "read 0 rows",
    ] {
        assert!(told.contains(part), "{part}: {told}");
    }
}

/// Stands before the target, and lets no statement through for now.
struct SlowServer {
    /// A statement has come.
    is_asked: Receiver<()>,
    /// While this is there, no statement gets an answer.
    answer: Sender<()>,
}

impl SlowServer {
    fn before(fleet: &Fleet) -> Self {
        let directory = fleet.team.m.path("slow");
        std::fs::create_dir(&directory).unwrap();
        let listener = UnixListener::bind(directory.join(".s.PGSQL.5432")).unwrap();
        fleet.leads_to(&directory);
        let server = servers().standby.socket_directory().join(".s.PGSQL.5432");
        let ((asked, is_asked), (answer, held)) = (channel(), channel::<()>());
        std::thread::spawn(move || {
            let held = Arc::new(Mutex::new(held));
            for client in listener.incoming().map_while(Result::ok) {
                let server = UnixStream::connect(&server).unwrap();
                let (asked, held) = (asked.clone(), Arc::clone(&held));
                let hold = move |bytes: &[u8]| {
                    if bytes.windows(17).any(|w| w == b"START TRANSACTION") {
                        let _ = asked.send(());
                        // Ends when the test drops the other half.
                        let _ = held.lock().unwrap().recv();
                    }
                };
                pass(client.try_clone().unwrap(), server.try_clone().unwrap(), hold);
                pass(server, client, |_| {});
            }
        });
        Self { is_asked, answer }
    }
}

/// Hands on what comes, after `look` has seen it, until the end.
fn pass(mut from: UnixStream, mut to: UnixStream, look: impl Fn(&[u8]) + Send + 'static) {
    std::thread::spawn(move || {
        let mut buffer = [0; 16 << 10];
        while let Ok(n @ 1..) = from.read(&mut buffer) {
            look(&buffer[..n]);
            if to.write_all(&buffer[..n]).is_err() {
                break;
            }
        }
        drop(to.shutdown(std::net::Shutdown::Write));
    });
}

#[test]
fn a_database_administrator_reads_what_makes_the_role_runs_it_and_check_is_content() {
    let fleet = Fleet::found("granted", "", |_, _| {});
    let printed = fleet.team.good("alice", &["target", "grant-sql", "shop-replica"]);
    for part in [
        "-- The login role \"granted\" of Borescope's target shop-replica",
        "-- Made of policy version 1 (sha256:",
        "on the PRIMARY of cluster",
        "GRANT SELECT (\"id\", \"country\", \"created_at\") ON TABLE \"public\".\"customers\" TO \"granted\";",
        "ALTER ROLE \"granted\" SET temp_file_limit = '64MB';",
        "pg_hba.conf of the standby",
    ] {
        assert!(printed.contains(part), "{part}: {printed}");
    }
    let (code, told) = fleet.checked();
    assert!(code == 0 && !told.contains("warning"), "{code} {told}");

    // What somebody grants by hand is named, with what to do; the runs go on.
    fleet.on_primary("GRANT SELECT (email) ON customers TO granted");
    let (code, told) = fleet.checked();
    assert!(code == 0 && told.contains("columns beyond the policy"), "{code} {told}");
    assert!(told.contains("public.customers.email → REVOKE SELECT"), "{told}");
    let found = fleet.team.m.json(&["check", "--config", "server"]);
    assert_eq!(found[0]["findings"][0]["severity"], "warning", "{found:?}");
    fleet.on_primary(&printed);
    works(&fleet);
    let (_, told) = fleet.checked();
    assert!(!told.contains("warning"), "{told}");

    // Elsewhere it does nothing.
    let elsewhere = servers().cluster.primary().sql("postgres", &printed).unwrap_err().to_string();
    assert!(elsewhere.contains("nothing was changed"), "{elsewhere}");
    let told = fleet.team.refused(2, "alice", &["target", "grant-sql", "nowhere"]);
    assert!(told.contains("it has shop-replica"), "{told}");
}

#[test]
fn a_reviewer_learns_what_the_planner_expects_and_an_author_does_not() {
    let fleet = Fleet::found("planned", "", |_, _| {});
    let asks = ["plan", "stuck-orders@1.0.0", "--on", "shop-replica", "--ask", "--yes"];
    let told = flat(&fleet.team.good("bob", &asks));
    for part in [
        "the text of its queries, as the gate writes it, reaches the planner of shop-replica",
        "on shop=shop-replica the planner expects, in powers of ten",
        "stuck: at most ",
        "(policy refuses more than 10000000)",
    ] {
        assert!(told.contains(part), "{part}: {told}");
    }
    let told = fleet.team.refused(3, "alice", &asks);
    assert!(flat(&told).contains("or wrote the revision"), "{told}");
    let told = fleet.team.json("carol", &["audit", "--kind", "plan-read"]);
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(field(&told[0], "person"), "bob");
    // It says no more than that.
    let told = fleet.team.json("carol", &asks);
    let expected = told.iter().find_map(|line| line["expected"].as_array()).unwrap();
    for query in expected {
        let digits = query["expected"]["rows"].as_u64().unwrap();
        assert!(digits <= 6, "a power of ten, and not a number of rows: {query}");
    }
}
