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
        shown += &format!("{} [{}]: {}\n", column.name, column.db_type, cells.join(" | "));
    }
    expect_test::expect![[r#"
        i [INTEGER]: Int64(9223372036854775807) | Text("text") | Float64(1.5)
        b [boolean]: Boolean(true) | Int64(7) | Text("yes")
        r [REAL]: Float64(1.0) | Null | Float64(2.5)
        n [decimal(10,2)]: Decimal("12.5") | Other("decimal(10,2)", "n/a") | Decimal("3")
        s [TEXT]: Text("é") | Text("5") | Bytes([255])
        x [BLOB]: Bytes([0, 255]) | Text("text") | Null
        d [date]: Temporal("2026-01-02") | Other("date", "soon") | Null
        c [time]: Temporal("03:04:05") | Int64(3) | Null
        ts [datetime]: Timestamp("2026-01-02T03:04:05.25Z") | Other("datetime", "2026-01-02T03:04:05+02:00") | Int64(1700000000)
        u [uuid]: Uuid("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11") | Uuid("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11") | Text("no")
        j [json]: Json("{\"a\":[1]}") | Other("json", "{") | Null
        a []: Float64(1.5) | Null | Bytes([97, 0, 98])
        e []: Float64(9.223372036854776e18) | Float64(1.5) | Float64(3.0)
    "#]].assert_eq(&shown);
}

#[tokio::test]
async fn a_shadowed_table_keeps_its_types() {
    let setup =
        "create table t(id integer, paid boolean, secret text); insert into t values (1, 1, 's')";
    let shop = Shop::with(setup, vec![reads("t", &["id", "paid"])]);
    assert_eq!(shop.outcome("select * from t").await, "[[Int64(1), Boolean(true)]]");
}
