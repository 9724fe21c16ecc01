//! Guests as text. Each is one core module under the same shell: the whole contract is imported, so
//! a guest's body calls what it likes, and `run` returns what the body stores.

/// The types of the contract; an instance type sees them through aliases.
const TYPES: &str = r#"
  (type $column' (record (field "name" string) (field "type-name" string)))
  (type $error' (variant (case "denied" string) (case "limit" string) (case "timeout")
    (case "invalid" string) (case "backend" string)))
  (type $value' (variant (case "null") (case "boolean" bool) (case "int64" s64) (case "float64" f64)
    (case "decimal" string) (case "text" string) (case "bytes" (list u8)) (case "uuid" string)
    (case "timestamp" string) (case "temporal" string) (case "json" string)
    (case "other" (tuple string string))))
  (import "borescope:debug/types@0.1.0" (instance $types
    (type $c (record (field "name" string) (field "type-name" string)))
    (export "column" (type (eq $c)))
    (type $e (variant (case "denied" string) (case "limit" string) (case "timeout")
      (case "invalid" string) (case "backend" string)))
    (export "error" (type (eq $e)))
    (type $v (variant (case "null") (case "boolean" bool) (case "int64" s64) (case "float64" f64)
      (case "decimal" string) (case "text" string) (case "bytes" (list u8)) (case "uuid" string)
      (case "timestamp" string) (case "temporal" string) (case "json" string)
      (case "other" (tuple string string))))
    (export "value" (type (eq $v)))))
  (alias export $types "column" (type $column))
  (alias export $types "error" (type $error))
  (alias export $types "value" (type $value))
"#;

const ALWAYS: &str = r#"
  (import "borescope:debug/log@0.1.0" (instance $log
    (type $l (enum "debug" "info" "warn" "error"))
    (export "level" (type $level (eq $l)))
    (export "emit" (func (param "level" $level) (param "message" string)))))
  (import "borescope:debug/output@0.1.0" (instance $output
    (alias outer $C $column (type $oc)) (export "column" (type $column (eq $oc)))
    (alias outer $C $value (type $ov)) (export "value" (type $value (eq $ov)))
    (export "progress" (func (param "percent" u8) (param "note" string)))
    (export "table" (func (param "name" string) (param "columns" (list $column))
      (param "rows" (list (list $value)))))
    (export "artifact" (func (param "name" string) (param "content-type" string) (param "bytes" (list u8))))))
  (import "borescope:debug/run-context@0.1.0" (instance $context
    (export "random-bytes" (func (param "len" u32) (result (list u8))))
    (export "started-at" (func (result string)))
    (export "fuel-left" (func (result u64)))))
"#;

const SQL: &str = r#"
  (import "borescope:debug/sql@0.1.0" (instance $sql
    (alias outer $C $column (type $oc)) (export "column" (type $column (eq $oc)))
    (alias outer $C $error (type $oe)) (export "error" (type $error (eq $oe)))
    (alias outer $C $value (type $ov)) (export "value" (type $value (eq $ov)))
    (type $p (record (field "rows" (list (list $value))) (field "done" bool)))
    (export "page" (type $page (eq $p)))
    (export "cursor" (type $cursor (sub resource)))
    (export "[method]cursor.next" (func (param "self" (borrow $cursor)) (param "max-rows" u32)
      (result (result $page (error $error)))))
    (export "queries" (func (result (list string))))
    (export "open" (func (param "query" string) (param "params" (list (tuple string $value)))
      (result (result (own $cursor) (error $error)))))))
  (alias export $sql "cursor" (type $cursor))
"#;

/// Memory with a bump allocator at 64 KiB; texts of the tests are below.
const LIBC: &str = r#"
  (core module $libc
    (memory (export "memory") 4)
    (global $top (mut i32) (i32.const 65536))
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      (local $at i32)
      (local.set $at (i32.and (i32.add (global.get $top) (i32.const 15)) (i32.const -16)))
      (global.set $top (i32.add (local.get $at) (local.get 3)))
      (block $fits
        (br_if $fits (i32.le_u (global.get $top) (i32.shl (memory.size) (i32.const 16))))
        (br_if $fits (i32.ge_s (memory.grow (i32.const 64)) (i32.const 0)))
        unreachable)
      (local.get $at))
    (data (i32.const 1024) "null")
    (data (i32.const 1040) "hello")
    (data (i32.const 1056) "recent")
    (data (i32.const 1072) "secret")
    (data (i32.const 1088) "batch")
    (data (i32.const 1104) "since")
    (data (i32.const 1120) "[0.30000000000000004,122.416294033786585,5e-324,-0.0,18446744073709551615]"))
  (core instance $libc (instantiate $libc))
"#;

const LOWER: &str = r#"
  (core func $emit (canon lower (func $log "emit") (memory (core memory $libc "memory"))))
  (core func $progress (canon lower (func $output "progress") (memory (core memory $libc "memory"))))
  (core func $table (canon lower (func $output "table") (memory (core memory $libc "memory"))))
  (core func $artifact (canon lower (func $output "artifact") (memory (core memory $libc "memory"))))
  (core func $random (canon lower (func $context "random-bytes") (memory (core memory $libc "memory")) (realloc (core func $libc "realloc"))))
  (core func $fuel (canon lower (func $context "fuel-left")))
"#;

const LOWER_SQL: &str = r#"
  (core func $open (canon lower (func $sql "open") (memory (core memory $libc "memory")) (realloc (core func $libc "realloc"))))
  (core func $next (canon lower (func $sql "[method]cursor.next") (memory (core memory $libc "memory")) (realloc (core func $libc "realloc"))))
  (core func $queries (canon lower (func $sql "queries") (memory (core memory $libc "memory")) (realloc (core func $libc "realloc"))))
  (core func $drop (canon resource.drop $cursor))
"#;

/// A component whose `run` is `body`: core code over the imports `emit`, `progress`, `table`, `artifact`,
/// `random`, `fuel`, `open`, `next`, `queries`, `drop`. `body` leaves nothing on the stack; what it stores at 0
/// is the result: discriminant, text pointer, text length. It starts as ok(null).
pub(crate) fn guest(body: &str) -> Vec<u8> {
    shell(true, "", "", body)
}

/// As [`guest`], without the import of `sql`.
pub(crate) fn guest_without_sql(body: &str) -> Vec<u8> {
    shell(false, "", "", body)
}

/// As [`guest`] without `sql`, with a start function.
pub(crate) fn guest_with_start(start: &str) -> Vec<u8> {
    shell(false, "", &format!("(func $start {start}) (start $start)"), "")
}

/// As [`guest`] without `sql`, with other functions beside `run`.
pub(crate) fn guest_with_functions(functions: &str, body: &str) -> Vec<u8> {
    shell(false, "", functions, body)
}

/// As [`guest`] without `sql`, with another import.
pub(crate) fn guest_importing(import: &str) -> Vec<u8> {
    shell(false, import, "", "")
}

fn shell(sql: bool, import: &str, more: &str, body: &str) -> Vec<u8> {
    let (sql_import, sql_lower, sql_with, sql_core) = if sql {
        (
            SQL,
            LOWER_SQL,
            r#"(export "open" (func $open)) (export "next" (func $next)) (export "drop" (func $drop))
               (export "queries" (func $queries))"#,
            r#"(import "host" "open" (func $open (param i32 i32 i32 i32 i32)))
               (import "host" "next" (func $next (param i32 i32 i32)))
               (import "host" "drop" (func $drop (param i32)))
               (import "host" "queries" (func $queries (param i32)))"#,
        )
    } else {
        ("", "", "", "")
    };
    let text = format!(
        r#"(component $C {TYPES} {ALWAYS} {sql_import} {import} {LIBC} {LOWER} {sql_lower}
  (core module $main
    (import "libc" "memory" (memory 1))
    (import "host" "emit" (func $emit (param i32 i32 i32)))
    (import "host" "progress" (func $progress (param i32 i32 i32)))
    (import "host" "table" (func $table (param i32 i32 i32 i32 i32 i32)))
    (import "host" "artifact" (func $artifact (param i32 i32 i32 i32 i32 i32)))
    (import "host" "random" (func $random (param i32 i32)))
    (import "host" "fuel" (func $fuel (result i64)))
    {sql_core}
    {more}
    (func $outer_function (export "run") (param i32 i32) (result i32)
      (local $i i32) (local $j i32) (local $n i64)
      (i32.store (i32.const 0) (i32.const 0))
      (i32.store (i32.const 4) (i32.const 1024))
      (i32.store (i32.const 8) (i32.const 4))
      {body}
      (i32.const 0)))
  (core instance $main (instantiate $main
    (with "libc" (instance $libc))
    (with "host" (instance (export "emit" (func $emit)) (export "progress" (func $progress))
      (export "artifact" (func $artifact)) (export "table" (func $table)) (export "random" (func $random)) (export "fuel" (func $fuel)) {sql_with}))))
  (func (export "run") (param "input" string) (result (result string (error string)))
    (canon lift (core func $main "run") (memory (core memory $libc "memory")) (realloc (core func $libc "realloc")))))"#
    );
    wat::parse_str(text).unwrap()
}

/// Core code: log `hello`.
pub(crate) const HELLO: &str = "(call $emit (i32.const 1) (i32.const 1040) (i32.const 5))";
/// Core code: open `recent` without parameters; the result is at 16 (discriminant) and 20 (cursor).
pub(crate) const OPEN_RECENT: &str =
    "(call $open (i32.const 1056) (i32.const 6) (i32.const 0) (i32.const 0) (i32.const 16))";
/// Core code: read up to 10 rows of the cursor at 20; the result is at 32.
pub(crate) const NEXT: &str =
    "(call $next (i32.load (i32.const 20)) (i32.const 10) (i32.const 32))";
/// Core code: trap unless the last `open` gave a cursor.
pub(crate) const MUST_OPEN: &str = "(if (i32.load8_u (i32.const 16)) (then unreachable))";
/// Core code: log the name of every query that the host lists.
pub(crate) const LOG_QUERIES: &str = "
  (call $queries (i32.const 48))
  (local.set $i (i32.load (i32.const 48)))
  (local.set $j (i32.load (i32.const 52)))
  (block $none
    (br_if $none (i32.eqz (local.get $j)))
    (loop $more
      (call $emit (i32.const 1) (i32.load (local.get $i)) (i32.load offset=4 (local.get $i)))
      (local.set $i (i32.add (local.get $i) (i32.const 8)))
      (local.set $j (i32.sub (local.get $j) (i32.const 1)))
      (br_if $more (local.get $j))))";
/// Core code: burn fuel for ever.
pub(crate) const SPIN: &str = "(loop $spin (br $spin))";
/// Core code: return the error text of the last `open` as the script's error.
pub(crate) const RETURN_OPEN_ERROR: &str = "
  (i32.store (i32.const 0) (i32.const 1))
  (i32.store (i32.const 4) (i32.load (i32.const 24)))
  (i32.store (i32.const 8) (i32.load (i32.const 28)))";

/// Core code repeated.
pub(crate) fn times(n: u32, code: &str) -> String {
    format!(
        "(local.set $j (i32.const {n})) (loop $again {code}
         (local.set $j (i32.sub (local.get $j) (i32.const 1))) (br_if $again (local.get $j)))"
    )
}
