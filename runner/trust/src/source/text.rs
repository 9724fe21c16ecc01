//! From documents back to the text that people edit. Everything is written out, so that an editor
//! sees what is in force and no default has to be remembered; reading it gives the same document.

use std::fmt::{Display, Write as _};

use domain::decide::{BreakGlassRules, Quorum};
use domain::display::quoted_toml as quoted;
use domain::{Limits, QueryLimits};

use crate::documents::{
    Directory, KeyStatus, Keyring, Person, PersonKind, Policy, PolicyTarget, TargetIdentity,
};

/// `keyring.toml` of a keyring.
#[must_use]
pub fn of_keyring(keyring: &Keyring) -> String {
    let mut out =
        Text::new("Role holders with their keys, roles, and the floors under every policy.");
    for k in &keyring.keys {
        out.table("key");
        out.string("person", &k.person);
        out.string("key", &k.key);
    }
    for r in &keyring.roles {
        out.table("role");
        out.string("role", r.role);
        out.raw("threshold", r.threshold);
        out.list("people", &r.people);
    }
    let floors = keyring.floors;
    out.0.push_str("\n[floors]\n");
    out.raw("reviews_required", floors.reviews_required);
    out.raw("approvals_required", floors.approvals_required);
    out.raw("self_serve", floors.self_serve);
    out.raw("break_glass_approvals_required", floors.break_glass_approvals_required);
    out.0
}

/// `directory.toml` of a directory.
#[must_use]
pub fn of_directory(directory: &Directory) -> String {
    let mut out = Text::new("People, services and agents, with their keys and groups.");
    for p in &directory.people {
        out.person(p);
    }
    out.0
}

/// `policy/targets.toml` of a policy.
#[must_use]
pub fn of_policy(policy: &Policy) -> String {
    let mut out = Text::new("Targets and their rules, runners with their keys, owners of scripts.");
    for r in &policy.runners {
        out.table("runner");
        out.string("name", &r.name);
        out.string("key", &r.key);
        out.string("log_vkey", &r.log_vkey);
    }
    for s in &policy.scripts {
        out.table("script");
        out.string("name", &s.name);
        out.list("owners", &s.owners);
    }
    for t in &policy.targets {
        out.target(t);
    }
    out.0
}

pub(super) struct Text(String);

impl Text {
    fn new(what: &str) -> Self {
        Self(format!("# {what}\n# Nothing here counts before it is signed.\n"))
    }

    fn table(&mut self, name: &str) {
        self.0.push_str(&format!("\n[[{name}]]\n"));
    }

    pub(super) fn part(&mut self, name: &str) {
        self.0.push_str(&format!("[[target.{name}]]\n"));
    }

    pub(super) fn raw(&mut self, key: &str, value: impl Display) {
        // Writing to a string cannot fail.
        let _ = writeln!(self.0, "{key} = {value}");
    }

    pub(super) fn string(&mut self, key: &str, value: impl Display) {
        self.raw(key, quoted(&value.to_string()));
    }

    fn list<T: Display>(&mut self, key: &str, values: &[T]) {
        self.raw(key, list(values));
    }

    fn person(&mut self, p: &Person) {
        self.table("person");
        self.string("id", &p.id);
        self.string("name", &p.name);
        let kind = match p.kind {
            PersonKind::Human => "human",
            PersonKind::Service => "service",
            PersonKind::Agent => "agent",
        };
        self.string("kind", kind);
        if let Some(owner) = &p.owner {
            self.string("owner", owner);
        }
        self.list("groups", &p.groups);
        for k in &p.keys {
            self.0.push_str("[[person.key]]\n");
            self.string("key", &k.key);
            let status = match k.status {
                KeyStatus::Active => "active",
                KeyStatus::Retired => "retired",
                KeyStatus::Compromised => "compromised",
            };
            self.string("status", status);
            if let Some(since) = k.since {
                self.string("since", since);
            }
        }
    }

    fn target(&mut self, t: &PolicyTarget) {
        self.table("target");
        self.string("id", &t.id);
        self.string("engine", t.engine);
        self.raw("prod", t.prod);
        if !t.groups.is_empty() {
            self.list("groups", &t.groups);
        }
        self.raw("identity", identity(&t.identity));
        self.list("runners", &t.runners);
        self.list("callers", &t.callers);
        self.raw("reviews", quorum(&t.reviews));
        if let Some(n) = t.reviews_unchanged {
            self.raw("reviews_unchanged", n);
        }
        self.raw("approvals", quorum(&t.approvals));
        if let Some(s) = &t.self_serve {
            let groups = list(&s.groups);
            let value = format!("{{ groups = {groups}, runs_per_day = {} }}", s.runs_per_day);
            self.raw("self_serve", value);
        }
        self.raw("limits", limits(&t.limits));
        self.raw("query", query(&t.query));
        self.0.push_str("reads = [\n");
        for read in &t.reads {
            let (table, columns) = (quoted(&read.table), list(&read.columns));
            self.0.push_str(&format!("  {{ table = {table}, columns = {columns} }},\n"));
        }
        self.0.push_str("]\n");
        self.raw("statement_ms_max", t.statement_ms_max);
        if let Some(cost) = t.cost_max {
            self.raw("cost_max", cost);
        }
        self.raw("recursion", t.recursion);
        if let Some(lag) = t.lag_s_max {
            self.raw("lag_s_max", lag);
        }
        self.list("readers", &t.readers);
        self.raw("retention_days", t.retention_days);
        if let Some(rules) = &t.break_glass {
            self.break_glass(rules);
        }
        self.hidden(t);
    }

    fn break_glass(&mut self, b: &BreakGlassRules) {
        self.0.push_str("[target.break_glass]\n");
        self.raw("approvals", quorum(&b.approvals));
        self.list("groups", &b.groups);
        self.raw("duration_s_max", b.duration_s_max);
        self.raw("uses_max", b.uses_max);
        self.raw("limits", limits(&b.limits));
        self.raw("query", query(&b.query));
        self.raw("after_review_s", b.after_review_s);
        self.raw("after_review", quorum(&b.after_review));
    }
}

fn list<T: Display>(values: &[T]) -> String {
    let values: Vec<String> = values.iter().map(|v| quoted(&v.to_string())).collect();
    format!("[{}]", values.join(", "))
}

fn quorum(q: &Quorum) -> String {
    let each = match q.from_each.as_slice() {
        [] => String::new(),
        each => format!(", from_each = {}", list(each)),
    };
    format!("{{ required = {}, groups = {}{each} }}", q.required, list(&q.groups))
}

fn identity(identity: &TargetIdentity) -> String {
    match identity {
        TargetIdentity::Sqlite(s) => {
            format!("{{ sqlite = {{ application_id = {} }} }}", s.application_id)
        }
        TargetIdentity::Postgres(p) => format!(
            "{{ postgres = {{ system_identifier = {}, database = {}, role = {} }} }}",
            quoted(&p.system_identifier),
            quoted(&p.database),
            quoted(&p.role)
        ),
    }
}

fn limits(l: &Limits) -> String {
    let Limits { fuel_max, memory_bytes_max, wall_ms_max, output_bytes_max, host_calls_max } = l;
    format!(
        "{{ fuel_max = {fuel_max}, memory_bytes_max = {memory_bytes_max}, wall_ms_max = \
         {wall_ms_max}, output_bytes_max = {output_bytes_max}, host_calls_max = {host_calls_max} }}"
    )
}

fn query(q: &QueryLimits) -> String {
    let QueryLimits { calls_max, rows_total_max, bytes_total_max } = q;
    format!(
        "{{ calls_max = {calls_max}, rows_total_max = {rows_total_max}, bytes_total_max = \
         {bytes_total_max} }}"
    )
}
