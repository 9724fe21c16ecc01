//! Texts that two readers of SQL read differently.

use super::{Reading, gate, read};

fn using(sql: &str) -> Vec<String> {
    let Reading { using, .. } = read(sql, 3).expect(sql);
    using.into_iter().collect()
}

#[test]
fn using_is_found_where_sqlite_finds_it_and_nowhere_else() {
    assert_eq!(using("select 1 from a join b UsInG (\"X\", `y`, [z])"), ["x", "y", "z"]);
    assert_eq!(using("select 1 from a join b using/* -- */(x -- )\n, y)"), ["x", "y"]);
    assert_eq!(
        using("select 'it''s using (x)', \"using\" -- using (y)\n from a /* using (z) */"),
        [""; 0]
    );
    assert_eq!(using("select x'00', a.using_x from a"), [""; 0]);
}

#[test]
fn texts_that_could_be_read_in_two_ways_are_refused() {
    for sql in [
        "select $1(') using (x) --')",
        "select $a",
        "select $1::x",
        "select $01",
        "select ?",
        "select $2, ?1",
        "select :a",
        "select @a",
        "select #1",
        "select 'open",
        "select \"open",
        "select /* open",
        "select [open",
        "select 1\u{0}",
        "select 1 from a join b \u{feff}using (x)",
        "select 1 from a join b using x",
        "select 1 from a join b using (x.y)",
        "select 1 from a natural left join b",
        "select \u{b}1",
        "select {1}",
    ] {
        assert_eq!(read(sql, 3).expect_err(sql).code(), "not-allowed", "{sql:?}");
    }
}

#[test]
fn no_text_makes_the_reader_panic() {
    let pieces = [
        "select", " ", "'", "\"", "`", "[", "]", "é", "$1", "$", "--", "\n", "/*", "*/", "(", ";",
        "using",
    ];
    for a in pieces {
        for b in pieces {
            for c in pieces {
                let _ = read(&format!("select {a}{b}{c}"), 1);
            }
        }
    }
}

#[test]
fn nesting_and_length_are_bounded() {
    let nested = format!("select {}1{}", "(".repeat(65), ")".repeat(65));
    assert_eq!(read(&nested, 0).unwrap_err().code(), "too-big");
    let long = format!("select '{}'", "x".repeat(64 << 10));
    assert_eq!(read(&long, 0).unwrap_err().code(), "too-big");
}

#[test]
fn an_author_is_told_the_line_of_what_is_refused() {
    for (sql, line) in [
        ("-- why\ndelete from a", 2),
        ("select 1\nfrom a;\nselect 2", 2),
        ("select 1\nfrom a\nnatural join b", 3),
        ("select 1\n\n\n, ?1", 4),
        ("select 1\nfrom a where x = 'open\n\n", 2),
        ("select 1\nwhere $2 is null", 2),
        ("", 1),
    ] {
        let refused = gate(sql, 1).expect_err(sql).to_string();
        assert!(refused.contains(&format!(": line {line}: ")), "{sql:?}: {refused}");
    }
}

#[test]
fn a_form_says_how_long_its_values_get() {
    for fine in [
        "select printf('%.2f %05d %-10s %%', 1, 2, 'x')",
        "select format('%,d', total), format from t",
        "select printf ( 'plain' )",
    ] {
        assert!(gate(fine, 0).is_ok(), "{fine}: {:?}", gate(fine, 0));
    }
    for wide in [
        "select printf('%2000000000d', 1)",
        "select printf('%.1000000c', 'x')",
        "select printf('%*d', 2000000000, 1)",
        "select \"printf\"('%.*c', 1000000, 'x')",
        "select format('%d' || country, 1) from users",
        "select format(country, 1) from users",
        "select printf(\"%d\", 1) from users",
        "select printf/* */(/* */$1)",
        "select printf('%')",
    ] {
        let told = gate(wide, 1).unwrap_err().to_string();
        assert!(told.contains("printf takes a literal"), "{wide}: {told}");
    }
}
