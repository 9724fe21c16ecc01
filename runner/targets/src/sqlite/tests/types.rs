//! Declared types and storage classes, as scripts see them.

use super::{Shop, reads};

#[tokio::test]
async fn cells_have_the_type_that_their_column_declares() {
    let setup = "create table t(
            i integer, b boolean, r real, n decimal(10,2), s text, x blob, d date, c time, ts datetime,
            u uuid, j json, a);
        insert into t values (9223372036854775807, 1, 1, 12.50, 'é', x'00ff', '2026-01-02', '03:04:05',
            '2026-01-02 03:04:05.25', 'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11', '{\"a\":[1]}', 1.5);
        insert into t values ('text', 7, null, 'n/a', 5, 'text', 'soon', 3, '2026-01-02T03:04:05+02:00',
            x'a0eebc999c0b4ef8bb6d6bb9bd380a11', '{', null);
        insert into t values (1.5, 'yes', 2.5, 3, cast(x'ff' as text), null, null, null, 1700000000, 'no',
            null, 'a' || char(0) || 'b');";
    let all = ["i", "b", "r", "n", "s", "x", "d", "c", "ts", "u", "j", "a"];
    let shop = Shop::with(setup, vec![reads("t", &all)]);
    let mut spool = shop.query("select *, i + 1.5 as e from t").await.unwrap();
    let mut shown = String::new();
    let columns: Vec<_> = spool.columns().to_vec();
    let rows = spool.next(9).0;
    for (at, column) in columns.iter().enumerate() {
        let cells: Vec<_> = rows.iter().map(|r| format!("{:?}", r[at])).collect();
        shown += &format!(
            "{} [{}]: {}\n",
            column.name,
            column.db_type,
            cells.join(" | ")
        );
    }
    expect_test::expect![[""]].assert_eq(&shown);
}

#[tokio::test]
async fn a_shadowed_table_keeps_its_types() {
    let setup =
        "create table t(id integer, paid boolean, secret text); insert into t values (1, 1, 's')";
    let shop = Shop::with(setup, vec![reads("t", &["id", "paid"])]);
    assert_eq!(
        shop.outcome("select * from t").await,
        "[[Int64(1), Boolean(true)]]"
    );
}
