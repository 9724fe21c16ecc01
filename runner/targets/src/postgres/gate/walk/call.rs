//! Function calls and aggregates, by the list.

use pg_query::protobuf::{CoercionForm, ColumnRef, FuncCall, NamedArgExpr};
use pg_query::{Node, NodeEnum};

use super::super::functions::{self, Kind};
use super::super::refusal::Checked;
use super::super::scope::Scope;
use super::expression::column;
use super::{Walk, in_catalog, node};

impl Walk<'_> {
    /// A call, in whichever spelling: `EXTRACT(… FROM …)`, `AT TIME ZONE` and the like are sent as
    /// plain calls of the functions that they mean.
    pub(super) fn call(&mut self, call: FuncCall, scope: &Scope<'_>) -> Checked<Node> {
        self.any_call(call, false, scope)
    }

    /// The same in FROM, for functions that return sets.
    pub(super) fn call_in_from(&mut self, call: FuncCall, scope: &Scope<'_>) -> Checked<Node> {
        self.any_call(call, true, scope)
    }

    fn any_call(&mut self, call: FuncCall, in_from: bool, scope: &Scope<'_>) -> Checked<Node> {
        let FuncCall {
            funcname,
            args,
            agg_order,
            agg_filter,
            over,
            agg_within_group,
            agg_star,
            agg_distinct,
            func_variadic,
            funcformat,
            location,
        } = call;
        self.visit(location)?;
        let words = self.words(funcname)?;
        let name = match words.as_slice() {
            [name] => name.as_str(),
            [schema, name] if schema == "pg_catalog" => name.as_str(),
            _ => "",
        };
        let Some(kind) = functions::kind(name) else {
            let what = format!("the function {}", words.join("."));
            return self.not_supported(what, "compute in the script, or use a listed function");
        };
        self.calls.insert(name.to_owned());
        let spelling =
            [CoercionForm::CoerceExplicitCall as i32, CoercionForm::CoerceSqlSyntax as i32];
        if !spelling.contains(&funcformat) || (agg_star && !args.is_empty()) {
            return self.malformed("a function call");
        }
        self.absent(&func_variadic, "VARIADIC", "write the arguments one by one")?;
        let is_aggregate = matches!(kind, Kind::Aggregate | Kind::OrderedSet);
        if !is_aggregate && (agg_distinct || agg_star || agg_filter.is_some()) {
            return self.not_supported(format!("{name} as an aggregate"), "it is a plain function");
        }
        if kind != Kind::OrderedSet {
            self.absent(&agg_within_group, "WITHIN GROUP", "only percentiles have it")?;
        }
        if !is_aggregate {
            self.absent(&agg_order, "ORDER BY in a plain call", "only aggregates have it")?;
        }
        self.takes(name, args.len())?;
        self.placed(name, kind, in_from, over.is_some())?;
        self.growth(name, &args)?;
        let args = self.arguments(name, args, scope)?;
        let funcformat = format_of(name, args.len());
        let agg_order = agg_order
            .into_iter()
            .map(|item| self.sort_by(item, &[], scope))
            .collect::<Checked<_>>()?;
        let agg_filter = self.optional(agg_filter, scope)?;
        let over = over.map(|over| self.window(*over, scope).map(Box::new)).transpose()?;
        Ok(node(NodeEnum::FuncCall(Box::new(FuncCall {
            funcname: in_catalog(name),
            args,
            agg_order,
            agg_filter,
            over,
            agg_within_group,
            agg_star,
            agg_distinct,
            func_variadic: false,
            funcformat,
            location: 0,
        }))))
    }

    /// Whether a function takes so many arguments here, where the grammar has forms that we do not.
    fn takes(&self, name: &str, count: usize) -> Checked<()> {
        match (name, count) {
            ("unnest", 0 | 2..) => {
                self.not_supported("unnest of several arrays here", "put it into FROM")
            }
            ("timezone", 0 | 1 | 3..) => {
                self.not_supported("AT LOCAL", "name the zone: AT TIME ZONE 'UTC'")
            }
            _ => Ok(()),
        }
    }

    /// Whether a function of this kind may stand here, with or without OVER.
    fn placed(&self, name: &str, kind: Kind, in_from: bool, over: bool) -> Checked<()> {
        let windowed = match kind {
            Kind::Window => over,
            Kind::Aggregate => true,
            Kind::OrderedSet | Kind::Plain | Kind::Set | Kind::Record => !over,
        };
        if !windowed {
            let what = format!("{name} with or without OVER");
            return self.not_supported(what, "aggregates and window functions take OVER");
        }
        let placed = match kind {
            Kind::Set => in_from || functions::set_columns(name, name).len() == 1,
            Kind::Record => in_from,
            _ => !in_from,
        };
        if !placed {
            let what = format!("the function {name} in this place");
            return self.not_supported(what, "functions of sets belong in FROM, others do not");
        }
        Ok(())
    }

    fn arguments(&mut self, name: &str, args: Vec<Node>, scope: &Scope<'_>) -> Checked<Vec<Node>> {
        let rows = functions::takes_rows(name);
        args.into_iter()
            .map(|arg| match rows.then(|| self.whole_row(&arg, scope)).flatten() {
                Some(row) => Ok(row),
                None => self.argument(arg, scope),
            })
            .collect()
    }

    /// `s` of `to_jsonb(s)`: all columns of a FROM item, which are granted ones or made here. It is
    /// a whole row only if nothing has a column of that name.
    fn whole_row(&mut self, argument: &Node, scope: &Scope<'_>) -> Option<Node> {
        let Some(NodeEnum::ColumnRef(ColumnRef { fields, location: _ })) = &argument.node else {
            return None;
        };
        let [Node { node: Some(NodeEnum::String(name)) }] = fields.as_slice() else { return None };
        let name = name.sval.as_str();
        let item = scope.item(name).filter(|item| !item.is_value && !scope.has_column(name))?;
        self.mentioned.extend(item.columns.iter().cloned());
        Some(column([name]))
    }

    /// An argument; `name => value` is one.
    fn argument(&mut self, argument: Node, scope: &Scope<'_>) -> Checked<Node> {
        let Some(NodeEnum::NamedArgExpr(named)) = argument.node else {
            return self.expression(argument, scope);
        };
        let NamedArgExpr { xpr, arg, name, argnumber, location } = *named;
        self.visit(location)?;
        let (None, Some(arg), -1) = (xpr, arg, argnumber) else {
            return self.malformed("a named argument");
        };
        let arg = Some(Box::new(self.expression(*arg, scope)?));
        let named = NamedArgExpr { xpr: None, arg, name, argnumber, location: 0 };
        Ok(node(NodeEnum::NamedArgExpr(Box::new(named))))
    }
}

/// As a plain call, but for `OVERLAY(a PLACING b FROM c FOR d)`, which is always deparsed so.
fn format_of(name: &str, args: usize) -> i32 {
    match (name, args) {
        ("overlay", 4) => CoercionForm::CoerceSqlSyntax as i32,
        _ => CoercionForm::CoerceExplicitCall as i32,
    }
}
