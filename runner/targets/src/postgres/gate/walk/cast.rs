//! Casts, to listed types only.

use pg_query::protobuf::{AConst, Boolean, Integer, String as Text, TypeCast, TypeName, a_const};
use pg_query::{Node, NodeEnum};

use super::super::refusal::Checked;
use super::super::scope::Scope;
use super::super::types;
use super::{Walk, in_catalog, node};

impl Walk<'_> {
    pub(super) fn cast(&mut self, cast: TypeCast, scope: &Scope<'_>) -> Checked<Node> {
        let TypeCast { arg, type_name, location } = cast;
        self.visit(location)?;
        let (Some(arg), Some(type_name)) = (arg, type_name) else {
            return self.malformed("a cast");
        };
        let type_name = self.type_name(type_name)?;
        let arg = self.expression(*arg, scope)?;
        // Which the deparser writes as the constants that they are.
        if let ("bool", Some(boolval)) = (plain_name(&type_name), truth(&arg)) {
            let val = Some(a_const::Val::Boolval(Boolean { boolval }));
            return Ok(node(NodeEnum::AConst(AConst { isnull: false, location: 0, val })));
        }
        let cast = TypeCast { arg: Some(Box::new(arg)), type_name: Some(type_name), location: 0 };
        Ok(node(NodeEnum::TypeCast(Box::new(cast))))
    }

    pub(super) fn type_name(&mut self, type_name: TypeName) -> Checked<TypeName> {
        let TypeName { names, type_oid, setof, pct_type, typmods, typemod, array_bounds, location } =
            type_name;
        self.visit(location)?;
        let words = self.words(names)?;
        let name = match words.as_slice() {
            [name] => name,
            [schema, name] if schema == "pg_catalog" => name,
            _ => "",
        };
        if !types::is_allowed(name) {
            let what = format!("the type {}", words.join("."));
            return self.not_supported(what, "cast to text or another built-in type");
        }
        if type_oid != 0 || setof || pct_type || typemod != -1 {
            return self.malformed("a type");
        }
        let typmods = typmods.iter().map(|n| self.modifier(n)).collect::<Checked<_>>()?;
        let array_bounds = match array_bounds.as_slice() {
            [] => Vec::new(),
            [Node { node: Some(NodeEnum::Integer(Integer { ival: -1 })) }] => array_bounds,
            _ => return self.not_supported("this array type", "write type[]"),
        };
        Ok(TypeName {
            names: in_catalog(name),
            type_oid: 0,
            setof: false,
            pct_type: false,
            typmods,
            typemod: -1,
            array_bounds,
            location: 0,
        })
    }

    /// A number as in `numeric(10, 2)`.
    fn modifier(&mut self, modifier: &Node) -> Checked<Node> {
        self.spend(1)?;
        let Some(NodeEnum::AConst(AConst {
            isnull: false,
            location: _,
            val: Some(a_const::Val::Ival(Integer { ival })),
        })) = modifier.node
        else {
            return self.not_supported("this type modifier", "use whole numbers");
        };
        let val = Some(a_const::Val::Ival(Integer { ival }));
        Ok(node(NodeEnum::AConst(AConst { isnull: false, location: 0, val })))
    }
}

/// The name of a type that is no array.
fn plain_name(of: &TypeName) -> &str {
    match of.names.last().and_then(|name| name.node.as_ref()) {
        Some(NodeEnum::String(Text { sval })) if of.array_bounds.is_empty() => sval,
        _ => "",
    }
}

/// What `'t'` and `'f'` are as booleans.
fn truth(value: &Node) -> Option<bool> {
    let Some(NodeEnum::AConst(AConst { val: Some(a_const::Val::Sval(text)), .. })) = &value.node
    else {
        return None;
    };
    match text.sval.as_str() {
        "t" => Some(true),
        "f" => Some(false),
        _ => None,
    }
}
