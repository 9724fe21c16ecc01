//! What a name means at a place in the query, by PostgreSQL's own rules.
//!
//! The rules matter for more than errors: where `a.b` is no column, PostgreSQL calls the function
//! `b` with the row `a`. So `a.b` passes only if the *innermost* FROM item named `a` has an output
//! `b`; an outer one with the same alias does not count, because PostgreSQL would not look there.
//! A bare `b` is never a function call, but can be a whole row or a system column; so it must be a
//! known output too.

/// Something in FROM with a name: a rewritten relation, a sub-select, a reference to a CTE.
#[derive(Debug, Clone)]
pub(super) struct Item {
    /// The alias, or what it is without one.
    pub(super) name: String,
    /// The schema of a relation that has no alias: its columns may be written with it.
    pub(super) schema: Option<String>,
    /// Its outputs in order; names can repeat.
    pub(super) columns: Vec<String>,
    /// Whether it is a function whose one column its bare name means.
    pub(super) is_value: bool,
}

/// A query of a WITH clause.
#[derive(Debug, Clone)]
pub(super) struct Cte {
    /// Unique in the whole statement.
    pub(super) name: String,
    /// Its outputs in order.
    pub(super) columns: Vec<String>,
    /// Whether it can be read here. WITH RECURSIVE makes names known before their queries are.
    pub(super) is_ready: bool,
}

impl Cte {
    /// One whose name is known and nothing else.
    pub(super) fn named(name: &str) -> Self {
        Self { name: name.to_owned(), columns: Vec::new(), is_ready: false }
    }
}

/// One column of `*`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Star {
    /// The FROM item that it comes from.
    pub(super) item: String,
    /// Its name there.
    pub(super) column: String,
}

/// What is visible at one level of queries, and the levels around it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scope<'a> {
    /// The FROM items that this place sees.
    pub(super) items: &'a [Item],
    /// The WITH queries that this level adds.
    pub(super) ctes: &'a [Cte],
    /// The query around this one.
    pub(super) outer: Option<&'a Scope<'a>>,
}

impl<'a> Scope<'a> {
    /// Where nothing is visible.
    pub(super) const NOTHING: Scope<'static> = Scope { items: &[], ctes: &[], outer: None };

    fn levels(&'a self) -> impl Iterator<Item = &'a Scope<'a>> {
        std::iter::successors(Some(self), |level| level.outer)
    }

    /// The innermost FROM item of that name.
    pub(super) fn item(&self, name: &str) -> Option<&Item> {
        self.levels().find_map(|level| level.items.iter().find(|item| item.name == name))
    }

    /// Whether a bare name is an output of a FROM item here or further out.
    pub(super) fn has_column(&self, name: &str) -> bool {
        let has = |item: &Item| item.columns.iter().any(|column| column == name);
        self.levels().any(|level| level.items.iter().any(has))
    }

    /// The WITH query of that name.
    pub(super) fn cte(&self, name: &str) -> Option<&Cte> {
        self.levels().find_map(|level| level.ctes.iter().find(|cte| cte.name == name))
    }
}
