//! Function calls and aggregates, by the list.

use pg_query::protobuf::{CoercionForm, FuncCall, NamedArgExpr};
use pg_query::{Node, NodeEnum};

use super::super::functions::{self, Kind};
use super::super::refusal::Checked;
use super::super::scope::Scope;
use super::{Walk, in_catalog, node};

impl Walk<'_> {
    /// A call, in whichever spelling: `EXTRACT(… FROM …)`, `AT TIME ZONE` and the like are sent as
    /// plain calls of the functions that they mean.
    pub(super) fn call(&mut self, call: FuncCall, scope: &Scope<'_>) -> Checked<Node> {
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
        let spelling =
            [CoercionForm::CoerceExplicitCall as i32, CoercionForm::CoerceSqlSyntax as i32];
        if !spelling.contains(&funcformat) || (agg_star && !args.is_empty()) {
            return self.malformed("a function call");
        }
        self.absent(&over, "a window function", "aggregate in a sub-select instead")?;
        self.absent(&func_variadic, "VARIADIC", "write the arguments one by one")?;
        if kind == Kind::Plain && (agg_distinct || agg_star || agg_filter.is_some()) {
            return self.not_supported(format!("{name} as an aggregate"), "it is a plain function");
        }
        if kind != Kind::OrderedSet {
            self.absent(&agg_within_group, "WITHIN GROUP", "only percentiles have it")?;
        }
        if kind == Kind::Plain {
            self.absent(&agg_order, "ORDER BY in a plain call", "only aggregates have it")?;
        }
        if name == "timezone" && args.len() != 2 {
            return self.not_supported("AT LOCAL", "name the zone: AT TIME ZONE 'UTC'");
        }
        let args = args.into_iter().map(|arg| self.argument(arg, scope)).collect::<Checked<_>>()?;
        let agg_order = agg_order
            .into_iter()
            .map(|item| self.sort_by(item, &[], scope))
            .collect::<Checked<_>>()?;
        let agg_filter = self.optional(agg_filter, scope)?;
        Ok(node(NodeEnum::FuncCall(Box::new(FuncCall {
            funcname: in_catalog(name),
            args,
            agg_order,
            agg_filter,
            over: None,
            agg_within_group,
            agg_star,
            agg_distinct,
            func_variadic: false,
            funcformat: CoercionForm::CoerceExplicitCall as i32,
            location: 0,
        }))))
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
