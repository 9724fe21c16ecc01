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
        let RangeFunction { lateral, ordinality, is_rowsfrom, functions, alias, coldeflist } =
            function;
        self.look_at(&functions);
        self.spend(1)?;
        self.absent(&is_rowsfrom, "ROWS FROM", "call one function")?;
        let call = self.only_call(functions)?;
        let function = call.funcname.last().cloned();
        let Some(function) = function else { return self.malformed("a function") };
        let function = self.word(function)?;
        let (alias, names) = self.alias(alias)?;
        let name = alias.unwrap_or_else(|| function.clone());
        let call = {
            let scope = Scope { items, ctes: &[], outer: Some(around) };
            self.call_in_from(call, &scope)?
        };
        let coldeflist = coldeflist
            .into_iter()
            .map(|column| self.column_definition(column))
            .collect::<Checked<Vec<(String, Node)>>>()?;
        let typed = functions::kind(&function) == Some(Kind::Record);
        if typed == coldeflist.is_empty() || (typed && (ordinality || !names.is_empty())) {
            let what = format!("{function} with such columns");
            return self.not_supported(what, "only json_to_record and its like have AS x(a type)");
        }
        let (columns, coldeflist) = if typed {
            coldeflist.into_iter().unzip()
        } else {
            let mut columns = functions::set_columns(&function, &name);
            columns.extend(ordinality.then(|| "ordinality".to_owned()));
            (self.renamed(columns, &names)?, Vec::new())
        };
        if columns.len() > COLUMNS_MAX {
            return self.deny(What::TooLarge { of: "result columns", max: COLUMNS_MAX });
        }
        let named = if typed { Vec::new() } else { columns.clone() };
        let is_value = !typed && columns.len() == 1;
        let star = self.add(Item { name: name.clone(), schema: None, columns, is_value }, items)?;
        let function = RangeFunction {
            lateral,
            ordinality,
            is_rowsfrom: false,
            functions: vec![node(NodeEnum::List(List { items: vec![call, Node { node: None }] }))],
            alias: Some(alias_node(name, named)),
            coldeflist,
        };
        Ok((node(NodeEnum::RangeFunction(function)), star))
    }

    /// The one call, which the parser wraps in a list of (call, column definitions).
    fn only_call(&mut self, functions: Vec<Node>) -> Checked<FuncCall> {
        let mut functions = functions.into_iter();
        let (Some(Node { node: Some(NodeEnum::List(List { items })) }), None) =
            (functions.next(), functions.next())
        else {
            return self.malformed("a function in FROM");
        };
        let mut items = items.into_iter();
        match (items.next().and_then(|item| item.node), items.next(), items.next()) {
            (Some(NodeEnum::FuncCall(call)), None | Some(Node { node: None }), None) => Ok(*call),
            (Some(other), _, _) => self.unknown_node(&other, "in FROM"),
            _ => self.malformed("a function in FROM"),
        }
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
