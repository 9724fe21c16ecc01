//! What the gate lets pass, as a real server reads it: nothing of it is outside the grant.
//! `cargo xtask sql-oracle` does the same with more statements and other seeds.

use tests::sql_corpus::{Servers, postgres_grant};
use tests::sql_oracle::Oracle;

/// Statements of a run among the tests.
const SAMPLE: u64 = 600;

#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_is_sent_resolves_outside_the_grant() {
    let servers = Servers::start(&postgres_grant()).unwrap();
    let oracle = Oracle::ask(&servers, postgres_grant()).await.unwrap();

    // The oracle sees what it is for, or the rest would prove nothing.
    for (sql, seen) in [
        ("select secret from vault.secrets", "relation "),
        ("select u.virtcol from public.users u", "function "),
        ("select ssn from public.users", "column 4 of relation "),
        (
            "select 1 from public.users u join (select '' as ssn) x using (ssn)",
            "column 4 of relation ",
        ),
        ("select x.pg_sleep from generate_series(0, 0) x", "function "),
        ("select ('x'::text).pg_read_file", "function "),
        ("select 1 operator(public.<!>) 1", "function "),
        ("select (row(1)::public.leaker)::text", "function "),
        ("select u from public.users u", "column 0 of relation "),
        ("select ctid from public.users", "column -1 of relation "),
    ] {
        let found = oracle.outside(&oracle.tree(sql).await.unwrap()).unwrap_or_default();
        assert!(found.starts_with(seen), "{sql}: {found}");
    }
    let granted = oracle.tree("select id, lower(country) from public.users").await.unwrap();
    assert_eq!(oracle.outside(&granted), None);

    let report = oracle.judge(1, SAMPLE).await.unwrap();
    assert_eq!(report.outside, [""; 0]);
    // Harmless ones must get through, or nothing was asked.
    assert!(report.sent >= 40 && report.read >= 20, "{} sent, {} read", report.sent, report.read);
}
