//! Statements, migrations, corrupt rows.

use sqlx::{Executor as _, SqlSafeStr as _};

use super::{document, entry, store};
use crate::{Store, StoreError, sql};

#[tokio::test]
async fn every_statement_prepares_on_the_schema() {
    let (_dir, store) = store().await;
    let mut conn = store.writes.acquire().await.unwrap();
    for (name, text) in sql::ALL {
        let prepared = conn.prepare(text.into_sql_str()).await;
        assert!(prepared.is_ok(), "{name}: {:?}", prepared.err());
    }
    assert!(sql::ALL.len() > 30);
}

/// The incident: every launch read every document that there ever was.
#[tokio::test]
async fn what_belongs_to_a_run_is_found_by_an_index() {
    let (_dir, store) = store().await;
    let kind = Some(crate::DocumentKind::Review);
    let revision = Some(domain::Digest::of(b"revision"));
    let request = "req_019ab000-0000-7000-8000-000000000001".parse().ok();
    let index_of = async |filter: crate::Filter| {
        let text = format!("EXPLAIN QUERY PLAN {}", filter.statement());
        let plan = sqlx::query(sqlx::AssertSqlSafe(text)).fetch_one(&store.writes).await.unwrap();
        sqlx::Row::get::<String, _>(&plan, "detail")
    };
    let none = crate::Filter::default;
    for (filter, by) in [
        (crate::Filter { kind, ..none() }, "documents_by_kind (kind=?)"),
        (crate::Filter { revision, ..none() }, "documents_by_revision (revision=?)"),
        (
            crate::Filter { kind, revision, ..none() },
            "documents_by_revision (revision=? AND kind=?)",
        ),
        (crate::Filter { kind, request, ..none() }, "documents_by_request (request=? AND kind=?)"),
    ] {
        let plan = index_of(filter).await;
        assert!(plan.ends_with(by), "{plan}, not by {by}");
    }
}

#[tokio::test]
async fn an_edited_migration_refuses_to_start() {
    let (dir, store) = store().await;
    sqlx::query("UPDATE _sqlx_migrations SET checksum = x'00'")
        .execute(&store.writes)
        .await
        .unwrap();
    store.close().await;
    let again = Store::open(&dir.path().join("store.db")).await;
    assert!(matches!(again, Err(StoreError::Migration(_))), "{again:?}");
}

#[tokio::test]
async fn a_database_of_a_newer_program_refuses_to_start() {
    let (dir, store) = store().await;
    sqlx::query(
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
         VALUES (9999, 'later', 1, x'00', 0)",
    )
    .execute(&store.writes)
    .await
    .unwrap();
    store.close().await;
    let again = Store::open(&dir.path().join("store.db")).await;
    assert!(matches!(again, Err(StoreError::Migration(_))), "{again:?}");
}

#[tokio::test]
async fn a_corrupt_row_names_itself() {
    let (_dir, store) = store().await;
    let mut tx = entry(&store, 0).await;
    tx.insert_document(&document("sub_1", b"{}")).await.unwrap();
    tx.commit().await.unwrap();
    sqlx::query("UPDATE documents SET person = 'Not A Person'")
        .execute(&store.writes)
        .await
        .unwrap();
    let error = store.document("sub_1").await.unwrap_err();
    assert!(error.to_string().starts_with("the row sub_1 of documents is corrupt: person "));
}
