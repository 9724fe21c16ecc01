//! Functions in FROM.
//!
//! The columns of each are named in the text that is sent, whatever PostgreSQL would call them. A
//! bare name of an item that is one column, `e` of `unnest(tags) e`, means that column and is sent
//! as `e.e`.

use pg_query::protobuf::{ColumnDef, FuncCall, List, RangeFunction};
use pg_query::{Node, NodeEnum};

use super::super::functions::{self, Kind};
use super::super::refusal::{Checked, What};
use super::super::scope::{Item, Scope, Star};
use super::from::alias_node;
use super::output::COLUMNS_MAX;
use super::{Walk, node};

impl Walk<'_> {
    /// A function in FROM; it sees what stands left of it, with or without LATERAL.
    pub(super) fn function(
        &mut self,
        function: RangeFunction,
        items: &mut Vec<Item>,
        around: &Scope<'_>,
    ) -> Checked<(Node, Vec<Star>)> {
        let RangeFunction { lateral, ordinality, is_rowsfrom: _, functions, alias, coldeflist } =
            function;
        self.look_at(&functions);
        self.spend(1)?;
        let calls = self.calls_of(functions)?;
        let names_of = |call: &FuncCall| call.funcname.last().cloned();
        let functions = calls.iter().filter_map(names_of).collect();
        let functions: Vec<String> = self.words(functions)?;
        let (alias, names) = self.alias(alias)?;
        let [function, ..] = functions.as_slice() else { return self.malformed("a function") };
        let name = alias.unwrap_or_else(|| function.clone());
        let calls = {
            let scope = Scope { items, ctes: &[], outer: Some(around) };
            let walked = calls.into_iter().map(|call| self.call_in_from(call, &scope));
            walked.collect::<Checked<Vec<Node>>>()?
        };
        let is_rowsfrom = calls.len() > 1;
        let coldeflist = coldeflist
            .into_iter()
            .map(|column| self.column_definition(column))
            .collect::<Checked<Vec<(String, Node)>>>()?;
        let is_typed = |function: &String| functions::kind(function) == Some(Kind::Record);
        let typed = functions.iter().any(is_typed);
        let plain = !is_rowsfrom && !ordinality && names.is_empty();
        if typed == coldeflist.is_empty() || (typed && !plain) {
            let what = format!("{function} with such columns");
            return self.not_supported(what, "only json_to_record and its like have AS x(a type)");
        }
        let (columns, coldeflist) = if typed {
            coldeflist.into_iter().unzip()
        } else {
            let mut columns = columns_of(&functions, &name);
            columns.extend(ordinality.then(|| "ordinality".to_owned()));
            (self.renamed(columns, &names)?, Vec::new())
        };
        if columns.len() > COLUMNS_MAX {
            return self.deny(What::TooLarge { of: "result columns", max: COLUMNS_MAX });
        }
        let named = if typed { Vec::new() } else { columns.clone() };
        let is_value = !typed && columns.len() == 1;
        let star = self.add(Item { name: name.clone(), schema: None, columns, is_value }, items)?;
        let entry = |call| node(NodeEnum::List(List { items: vec![call, Node { node: None }] }));
        let function = RangeFunction {
            lateral,
            ordinality,
            is_rowsfrom,
            functions: calls.into_iter().map(entry).collect(),
            alias: Some(alias_node(name, named)),
            coldeflist,
        };
        Ok((node(NodeEnum::RangeFunction(function)), star))
    }

    /// The calls, each of which the parser wraps in a list of (call, column definitions). Several stand
    /// side by side; `unnest` of several arrays is one of them for each.
    fn calls_of(&mut self, functions: Vec<Node>) -> Checked<Vec<FuncCall>> {
        let mut calls = Vec::new();
        for function in functions {
            let Some(NodeEnum::List(List { items })) = function.node else {
                return self.malformed("a function in FROM");
            };
            let mut items = items.into_iter();
            match (items.next().and_then(|item| item.node), items.next(), items.next()) {
                (Some(NodeEnum::FuncCall(call)), None | Some(Node { node: None }), None) => {
                    calls.push(*call);
                }
                (Some(other), _, _) => return self.unknown_node(&other, "in FROM"),
                _ => return self.malformed("a function in FROM"),
            }
        }
        let [FuncCall { funcname, args, .. }] = calls.as_slice() else { return Ok(calls) };
        let is_unnest = matches!(
            funcname.last().and_then(|name| name.node.as_ref()),
            Some(NodeEnum::String(word)) if word.sval == "unnest"
        );
        if !is_unnest || args.len() < 2 {
            return Ok(calls);
        }
        let one = |array: &Node| FuncCall { args: vec![array.clone()], ..calls[0].clone() };
        Ok(args.iter().map(one).collect())
    }

    /// `a int` of `AS x(a int)`.
    fn column_definition(&mut self, column: Node) -> Checked<(String, Node)> {
        let Some(NodeEnum::ColumnDef(column)) = column.node else {
            return self.malformed("a column definition");
        };
        let ColumnDef { colname, type_name, is_local, location, .. } = &*column;
        self.visit(*location)?;
        let known = ColumnDef {
            colname: colname.clone(),
            type_name: type_name.clone(),
            is_local: *is_local,
            location: *location,
            ..ColumnDef::default()
        };
        let (true, Some(type_name)) = (*column == known, type_name.clone()) else {
            return self.not_supported("this column definition", "write name and type only");
        };
        let type_name = Some(self.type_name(type_name)?);
        let is_local = *is_local;
        let colname = colname.clone();
        let column =
            ColumnDef { colname: colname.clone(), type_name, is_local, ..ColumnDef::default() };
        Ok((colname, node(NodeEnum::ColumnDef(Box::new(column)))))
    }
}

/// The columns of functions side by side; those of one alone can have its item's name.
fn columns_of(functions: &[String], item: &str) -> Vec<String> {
    match functions {
        [function] => functions::set_columns(function, item),
        several => several.iter().flat_map(|f| functions::set_columns(f, f)).collect(),
    }
}
