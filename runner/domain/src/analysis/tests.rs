//! What counts as a change, and what does not.

use super::*;

fn column(name: &str, db_type: &str) -> ColumnShape {
    ColumnShape { name: name.into(), db_type: db_type.into(), definition: None }
}

fn relation(name: &str, columns: Vec<ColumnShape>) -> RelationShape {
    let kind = RelationKind::Table;
    RelationShape { name: name.into(), kind, definition: None, row_security: None, columns }
}

fn catalog() -> Catalog {
    let orders = relation("shop.orders", vec![column("id", "bigint"), column("total", "numeric")]);
    let mut stuck = relation("shop.stuck", vec![column("id", "bigint")]);
    stuck.kind = RelationKind::View;
    stuck.definition = Some(Digest::of(b"SELECT id"));
    let function =
        |name: &str| Definition { name: name.into(), digest: Digest::of(name.as_bytes()) };
    Catalog {
        relations: vec![stuck, orders],
        functions: vec![function("upper"), function("lower")],
    }
}

fn query(reads: &[(&str, &[&str])], calls: &[&str]) -> QueryAnalysis {
    let set = |names: &[&str]| names.iter().map(|n| (*n).to_owned()).collect::<BTreeSet<_>>();
    let reads = reads.iter().map(|(table, columns)| ((*table).to_owned(), set(columns))).collect();
    QueryAnalysis::of("stuck".parse().unwrap(), &catalog(), &reads, &set(calls))
}

#[test]
fn it_has_what_the_query_reads_and_nothing_else() {
    let found = query(&[("shop.orders", &["total"])], &["lower"]);
    assert_eq!(
        found.catalog.relations,
        [relation("shop.orders", vec![column("total", "numeric")])]
    );
    assert_eq!(found.catalog.functions.len(), 1);
    assert!(found.catalog.differences(&catalog()).is_empty(), "more in the catalog is no change");
}

#[test]
fn the_order_in_which_a_catalog_is_read_does_not_matter() {
    let mut other = catalog();
    other.relations.reverse();
    other.functions.reverse();
    let all = |catalog: &Catalog| {
        let columns = |r: &RelationShape| r.columns.iter().map(|c| c.name.clone()).collect();
        let reads = catalog.relations.iter().map(|r| (r.name.clone(), columns(r))).collect();
        let calls = catalog.functions.iter().map(|f| f.name.clone()).collect();
        let query = QueryAnalysis::of("q".parse().unwrap(), catalog, &reads, &calls);
        Analysis { queries: vec![query] }
    };
    assert_eq!(all(&catalog()).digest(), all(&other).digest());
    assert_eq!(Analysis::parse(&all(&other).to_bytes()).unwrap(), all(&catalog()));
}

#[test]
fn each_change_of_meaning_is_told() {
    type Change<'c> = &'c dyn Fn(&mut Catalog);
    let reviewed = query(&[("shop.orders", &["id", "total"]), ("shop.stuck", &["id"])], &["lower"]);
    let told = |change: Change<'_>| {
        let mut now = catalog();
        change(&mut now);
        reviewed.catalog.differences(&now).join("; ")
    };
    let cases: [(Change<'_>, &str); 8] = [
        (&|_| {}, ""),
        (
            &|c| c.relations[1].columns[1].db_type = "text".into(),
            "shop.orders.total was numeric and is text",
        ),
        (&|c| drop(c.relations[1].columns.remove(0)), "shop.orders.id is gone"),
        (&|c| drop(c.relations.remove(1)), "shop.orders is gone"),
        (
            &|c| c.relations[0].definition = Some(Digest::of(b"SELECT id, secret")),
            "the view shop.stuck, or what it rests on, has another definition",
        ),
        (
            &|c| c.relations[1].columns[0].definition = Some(Digest::of(b"labels")),
            "the type bigint of shop.orders.id has another definition",
        ),
        (
            &|c| c.relations[1].row_security = Some(Digest::of(b"USING (true)")),
            "shop.orders has other policies of row security",
        ),
        (&|c| c.functions[1].digest = Digest::of(b"another"), "the function lower is another"),
    ];
    for (change, expected) in cases {
        assert_eq!(told(change), expected);
    }
}
