//! The second look: the text that will be sent, read again by other code than the walk's.
//!
//! It knows no scopes and rewrites nothing. The tree becomes JSON, and one generic descent looks
//! at every object in it: its kind and each field that is set must be in [`FIELDS`], and a handful
//! of rules hold wherever they apply. It also checks that the text means the tree that the walk
//! made, no more and no less. Whatever it does not confirm is refused.

use std::collections::BTreeSet;

use pg_query::protobuf::ParseResult;
use serde::Serialize;
use serde_json::{Map, Value};

use super::walk::value_columns;
use super::{Filter, Grant, Relation, functions, operators, parser, types};

use grammar::{FIELDS, STRUCTS};

mod grammar;
mod template;

/// The alias of a granted relation inside its sub-select.
pub(super) const GRANTED: &str = "granted";

/// Fields that tell where something stood in a text.
const PLACES: &[&str] = &[
    "version",
    "stmt_location",
    "stmt_len",
    "location",
    "rexpr_list_start",
    "rexpr_list_end",
    "list_start",
    "list_end",
];

type Object = Map<String, Value>;

/// Confirms that `text` is what may be sent for the walk's tree.
///
/// # Errors
/// What is not confirmed, in words.
pub(super) fn check(
    text: &str,
    intended: &ParseResult,
    grant: &Grant,
    params: usize,
) -> Result<(), String> {
    let parsed = parser::parse(text).map_err(|error| format!("the new text fails: {error}"))?;
    let tree = shape(&parsed)?;
    if tree != shape(intended)? {
        return Err("the new text does not mean the tree that was checked".to_owned());
    }
    if parser::deparse(&parsed).as_deref() != Ok(text) {
        return Err("the new text is not stable".to_owned());
    }
    let Some([statement]) = tree["stmts"].as_array().map(Vec::as_slice) else {
        return Err("the new text is not one statement".to_owned());
    };
    let mut names = Names::default();
    names.collect(&tree)?;
    for relation in &grant.relations {
        names.columns.extend(relation.columns.iter().cloned());
    }
    let check = Check { grant, params, names };
    let Some(Value::Object(node)) = statement.pointer("/stmt/node") else {
        return Err("the new text is empty".to_owned());
    };
    match node.get("SelectStmt") {
        Some(Value::Object(select)) => check.object("SelectStmt", select),
        _ => Err("the new text is not a SELECT".to_owned()),
    }
}

/// A tree without the places of its parts.
fn shape(tree: &impl Serialize) -> Result<Value, String> {
    fn forget_places(value: &mut Value) {
        match value {
            Value::Object(map) => {
                map.retain(|key, _| !PLACES.contains(&key.as_str()));
                map.values_mut().for_each(forget_places);
            }
            Value::Array(items) => items.iter_mut().for_each(forget_places),
            _ => {}
        }
    }
    let mut json = serde_json::to_value(tree).map_err(|error| error.to_string())?;
    forget_places(&mut json);
    Ok(json)
}

/// All names that a statement makes, wherever.
#[derive(Default)]
struct Names {
    ctes: BTreeSet<String>,
    aliases: BTreeSet<String>,
    columns: BTreeSet<String>,
}

impl Names {
    fn collect(&mut self, value: &Value) -> Result<(), String> {
        match value {
            Value::Array(items) => items.iter().try_for_each(|item| self.collect(item)),
            Value::Object(map) => {
                if let Some(Value::String(name)) = map.get("ctename")
                    && !self.ctes.insert(name.clone())
                {
                    return Err(format!("two WITH queries are named {name}"));
                }
                if let Some(Value::String(name)) = map.get("aliasname") {
                    self.aliases.insert(name.clone());
                }
                if let Some(Value::Object(target)) = map.get("ResTarget")
                    && let Some(Value::String(name)) = target.get("name")
                {
                    self.columns.insert(name.clone());
                }
                if let Some(Value::String(name)) = map.get("colname") {
                    self.columns.insert(name.clone());
                }
                let row =
                    map.get("values_lists").and_then(|rows| rows.pointer("/0/node/List/items"));
                let width = row.and_then(Value::as_array).map_or(0, Vec::len);
                self.columns.extend(value_columns(width));
                for list in ["colnames", "aliascolnames"] {
                    let words = map.get(list).and_then(words).unwrap_or_default();
                    self.columns.extend(words.into_iter().map(str::to_owned));
                }
                map.values().try_for_each(|item| self.collect(item))
            }
            _ => Ok(()),
        }
    }
}

struct Check<'a> {
    grant: &'a Grant,
    params: usize,
    names: Names,
}

impl Check<'_> {
    /// A struct of the tree: its kind and fields are known, its rules hold, and so on inside.
    fn object(&self, kind: &str, object: &Object) -> Result<(), String> {
        if kind == "SelectStmt" && reads_relation(object) {
            return self.granted_columns(object);
        }
        let Some((_, fields)) = FIELDS.iter().find(|(known, _)| *known == kind) else {
            return Err(format!("{kind} is not in the grammar"));
        };
        self.rules(kind, object)?;
        for (field, value) in object.iter().filter(|(_, value)| is_set(value)) {
            if !fields.contains(&field.as_str()) {
                return Err(format!("{kind} has {field}"));
            }
            match value {
                Value::Array(args) if kind == "FuncCall" && field == "args" => {
                    let rows = takes_rows(object);
                    let others = args.iter().filter(|arg| !(rows && self.is_row(arg)));
                    others.into_iter().try_for_each(|arg| self.value(kind, field, arg))?;
                }
                _ => self.value(kind, field, value)?,
            }
        }
        Ok(())
    }

    /// The bare name of an item of some FROM.
    fn is_row(&self, argument: &Value) -> bool {
        let fields = argument.pointer("/node/ColumnRef/fields").and_then(words);
        matches!(fields.as_deref(), Some([name]) if self.names.aliases.contains(*name) || self.names.ctes.contains(*name))
    }

    fn value(&self, kind: &str, field: &str, value: &Value) -> Result<(), String> {
        match value {
            Value::Array(items) => items.iter().try_for_each(|i| self.value(kind, field, i)),
            Value::Object(object) => self.part(kind, field, object),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Ok(()),
        }
    }

    fn part(&self, kind: &str, field: &str, object: &Object) -> Result<(), String> {
        let holder = STRUCTS.iter().find(|(known, of, _)| (*known, *of) == (kind, field));
        if let Some((_, _, name)) = holder {
            return self.object(name, object);
        }
        if (kind, field) == ("AConst", "val") {
            let known = ["Ival", "Fval", "Boolval", "Sval", "Bsval"];
            return match object.keys().all(|key| known.contains(&key.as_str())) {
                true => Ok(()),
                false => Err("a constant of an unknown form".to_owned()),
            };
        }
        match (object.get("node"), object.len()) {
            // DISTINCT without ON; a function in FROM without column definitions.
            (Some(Value::Null), 1) if field == "distinct_clause" || kind == "List" => Ok(()),
            (Some(Value::Object(node)), 1) => node.iter().try_for_each(|(kind, body)| match body {
                Value::Object(body) => self.object(kind, body),
                _ => Err(format!("{kind} is malformed")),
            }),
            _ => Err(format!("{kind} has a malformed {field}")),
        }
    }

    /// What must hold of a kind beyond its fields.
    fn rules(&self, kind: &str, object: &Object) -> Result<(), String> {
        let number = |field: &str| object.get(field).and_then(Value::as_i64).unwrap_or(-1);
        let names = |field: &str| object.get(field).and_then(words).unwrap_or_default();
        let holds = match kind {
            "SelectStmt" => [1, 2, 3].contains(&number("limit_option")) && has_one_form(object),
            "FuncCall" => {
                let of_keywords = names("funcname") == ["pg_catalog", "overlay"];
                (number("funcformat") == 1 || (number("funcformat") == 4 && of_keywords))
                    && matches!(names("funcname").as_slice(), ["pg_catalog", f] if may_be_called(f, object))
            }
            "CollateClause" => names("collname") == ["pg_catalog", "C"],
            "RowExpr" => [1, 3].contains(&number("row_format")),
            "GroupingSet" => [1, 3, 4, 5].contains(&number("kind")),
            "RangeFunction" => {
                let functions = object.get("functions").and_then(Value::as_array);
                let several = object.get("is_rowsfrom").is_some_and(is_set);
                functions
                    .is_some_and(|list| (list.len() > 1) == several && list.iter().all(is_call))
                    && object.get("alias").is_some_and(is_set)
            }
            "TypeName" => {
                number("typemod") == -1
                    && matches!(names("names").as_slice(), ["pg_catalog", t] if types::is_allowed(t))
            }
            "AExpr" => operator(number("kind"), &names("name")),
            "SubLink" => match number("sub_link_type") {
                1 | 5 | 7 => names("oper_name").is_empty(),
                2 | 3 => {
                    matches!(names("oper_name").as_slice(), ["pg_catalog", o] if operators::is_comparison(o))
                }
                _ => false,
            },
            "SqlvalueFunction" => (1..=9).contains(&number("op")),
            "ParamRef" => {
                usize::try_from(number("number")).is_ok_and(|n| (1..=self.params).contains(&n))
            }
            "RangeVar" => self.is_cte(object),
            "WithClause" => self.grant.recursion || !object.get("recursive").is_some_and(is_set),
            "RangeSubselect" => object.get("alias").is_some_and(is_set),
            "ColumnRef" => self.is_column(&names("fields")),
            _ => true,
        };
        if holds { Ok(()) } else { Err(format!("{kind} breaks its rule")) }
    }

    fn is_cte(&self, object: &Object) -> bool {
        let Some(Value::String(name)) = object.get("relname") else { return false };
        self.names.ctes.contains(name) && !name.starts_with("pg_")
    }

    fn is_column(&self, words: &[&str]) -> bool {
        match words {
            [column] => self.names.columns.contains(*column),
            [item, column] => {
                let known = self.names.aliases.contains(*item) || self.names.ctes.contains(*item);
                known && self.names.columns.contains(*column)
            }
            _ => false,
        }
    }

    /// A SELECT from a stored relation is exactly the sub-select that the grant prescribes for it:
    /// its columns, their masks, its row filter behind its fence, and nothing else.
    fn granted_columns(&self, select: &Object) -> Result<(), String> {
        let text = |at: &str| {
            select.get("from_clause").and_then(|from| from.pointer(at)).and_then(Value::as_str)
        };
        let (schema, name) = ("/0/node/RangeVar/schemaname", "/0/node/RangeVar/relname");
        let (schema, name) = (text(schema).unwrap_or_default(), text(name).unwrap_or_default());
        let same = |r: &&Relation| r.schema == schema && r.name == name;
        let Some(relation) = self.grant.relations.iter().find(same) else {
            return Err("a relation is read that is not granted".to_owned());
        };
        let expected = template::expected(relation, self.params, &self.grant.classes())?;
        if expected.as_object() != Some(select) {
            return Err("a relation is read other than as granted".to_owned());
        }
        relation.hidden.filter.as_ref().map_or(Ok(()), |filter| self.condition(filter, select))
    }

    /// A row filter is in the grammar, and names nothing but columns.
    fn condition(&self, filter: &Filter, select: &Object) -> Result<(), String> {
        let names = Names { columns: filter.columns().clone(), ..Names::default() };
        let nothing = Grant::default();
        let check = Check { grant: &nothing, params: 0, names };
        match select.get("where_clause") {
            Some(condition) => check.value("SelectStmt", "where_clause", condition),
            None => Err("a relation is read without its row filter".to_owned()),
        }
    }
}

/// Whether a SELECT is one of SELECT, VALUES and UNION or its like, with nothing of the others.
fn has_one_form(select: &Object) -> bool {
    let set = |field: &&str| select.get(*field).is_some_and(is_set);
    let own = ["target_list", "from_clause", "where_clause", "group_clause", "having_clause"];
    let is_select = own.iter().chain(&["window_clause", "distinct_clause"]).any(set);
    let is_values = set(&"values_lists");
    let (left, right) = (set(&"larg"), set(&"rarg"));
    match select.get("op").and_then(Value::as_i64) {
        Some(1) => is_select != is_values && !left && !right && !set(&"all"),
        Some(2..=4) => left && right && !is_select && !is_values,
        _ => false,
    }
}

/// Whether a function is on the list, and a window function has its window.
fn may_be_called(name: &str, call: &Object) -> bool {
    use functions::Kind;
    let over = call.get("over").is_some_and(is_set);
    match functions::kind(name) {
        Some(Kind::Window) => over,
        Some(Kind::Aggregate) => true,
        Some(Kind::Plain | Kind::OrderedSet | Kind::Set | Kind::Record) => !over,
        None => false,
    }
}

fn takes_rows(call: &Object) -> bool {
    let name = call.get("funcname").and_then(words);
    matches!(name.as_deref(), Some(["pg_catalog", name]) if functions::takes_rows(name))
}

/// Whether a function in FROM is a call of one that returns sets.
fn is_call(function: &Value) -> bool {
    use functions::Kind;
    let name = function.pointer("/node/List/items/0/node/FuncCall/funcname").and_then(words);
    let kind = name.as_deref().and_then(|name| functions::kind(name.last()?));
    matches!(kind, Some(Kind::Set | Kind::Record))
}

/// Whether a SELECT names a stored relation in its FROM.
fn reads_relation(select: &Object) -> bool {
    let stored = |item: &Value| {
        let schema = item.pointer("/node/RangeVar/schemaname");
        schema.is_some_and(is_set)
    };
    select.get("from_clause").and_then(Value::as_array).is_some_and(|from| from.iter().any(stored))
}

/// Whether an operator expression is of a known form and names an operator of that form.
fn operator(kind: i64, name: &[&str]) -> bool {
    match (kind, name) {
        (1, ["pg_catalog", operator]) => operators::is_allowed(operator),
        (2 | 3, ["pg_catalog", operator]) => operators::is_comparison(operator),
        (4..=6, ["="]) | (7, ["=" | "<>"]) => true,
        (11..=14, [keyword]) => keyword.contains("BETWEEN"),
        _ => false,
    }
}

/// The words of a list of names, if it is one.
fn words(list: &Value) -> Option<Vec<&str>> {
    list.as_array()?.iter().map(|word| word.pointer("/node/String/sval")?.as_str()).collect()
}

/// Whether a field holds anything but its empty value.
fn is_set(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => false,
        Value::Bool(true) | Value::Object(_) => true,
        Value::Number(number) => number.as_i64() != Some(0),
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
    }
}
