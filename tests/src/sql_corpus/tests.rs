//! The judge finds what is wrong; a corpus that is judged right proves something only then.

use super::*;

fn statement(engine: &str, category: &str, sql: &str, verdict: Verdict) -> Statement {
    Statement {
        id: format!("{engine}-{category}"),
        engine: engine.into(),
        category: category.into(),
        sql: sql.into(),
        verdict,
        acceptable_alternative: None,
        params: vec![],
    }
}

async fn judged(statements: Vec<Statement>) -> (Vec<String>, String) {
    let report = judge(&Corpus { statements }, None).await;
    (report.wrong.clone(), report.summary())
}

#[tokio::test]
async fn wrong_verdicts_are_found() {
    use Verdict::{Allow, Deny};
    let (wrong, summary) = judged(vec![
        statement("postgres", "table", "select id from users", Deny),
        statement("postgres", "benign", "select secret from vault.secrets", Allow),
        statement("sqlite", "table", "select id from users limit 1", Deny),
        statement("sqlite", "benign", "select v from secrets", Allow),
        statement("postgres", "right", "select id from users", Allow),
        statement("sqlite", "right", "select v from secrets", Deny),
        statement("postgres", "resource", "select 1", Deny),
        statement("mysql/mariadb", "benign", "select 1", Allow),
    ])
    .await;
    assert_eq!(summary, "8 statements, 4 wrong, 2 leaks, 2 skipped");
    let first: Vec<_> = wrong.iter().map(|w| w.split(':').next().unwrap()).collect();
    assert_eq!(
        first,
        [
            "postgres-table table",
            "postgres-benign benign",
            "sqlite-table table",
            "sqlite-benign benign"
        ]
    );
}

#[tokio::test]
async fn either_of_two_right_verdicts_is_right() {
    let mut both = statement("sqlite", "mask", "select email from users limit 1", Verdict::Deny);
    both.acceptable_alternative = Some("allow if masked".into());
    let (wrong, _) = judged(vec![both]).await;
    assert_eq!(wrong, [""; 0]);
}

#[test]
fn a_canary_is_a_leak_whatever_the_verdict() {
    let asked = statement("sqlite", "mask", "select email from users", Verdict::Allow);
    let mut report = Report::default();
    report.add(&asked, asked.ran(Ok("u***@example.com".into())));
    assert_eq!(report.leaks, 0);
    for shown in ["user7@example.com", "Text(\"user1234@example.com\")", "ssn9", "999990007"] {
        report.add(&asked, asked.ran(Err(format!("invalid: {shown}"))));
        report.add(&asked, asked.ran(Ok(shown.into())));
    }
    assert_eq!((report.wrong.len(), report.leaks), (8, 8));
    let own = statement("sqlite", "mask", "select 'user7@example.com'", Verdict::Allow);
    report.add(&own, own.ran(Ok("user7@example.com".into())));
    assert_eq!(report.leaks, 8);
}
