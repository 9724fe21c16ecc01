//! Returns its input, and uses every function that is always linked. No query: it must not import
//! `borescope:debug/sql`.

use borescope::{Result, Value, artifact, log, progress, run_context, table};
use serde_json::{Value as Json, json};

#[borescope::script]
fn run(input: Json) -> Result<Json> {
    progress(0, "started");
    println!("stdout: a line of the script");
    eprintln!("stderr: another line");
    log::debug("debug line");
    log::info("info line");
    log::warn("warn line");
    log::error("error line");
    every_value()?;
    artifact("hello.txt", "text/plain", b"hello\n");
    progress(100, "done");
    Ok(json!({
        "input": input,
        "run_id": run_context::run_id(),
        "started_at": run_context::started_at(),
        "random": run_context::random_bytes(16),
        "more_random": run_context::random_bytes(70_000).len(),
        "fuel_left_is_positive": run_context::fuel_left() > 0,
    }))
}

/// A table with a cell of every kind, and the same again as NULL.
fn every_value() -> Result<()> {
    let cells = [
        Value::Null,
        Value::Boolean(true),
        Value::Int64(i64::MIN),
        Value::Float64(f64::NAN),
        Value::Decimal("19.990".into()),
        Value::Text("a\u{202e}b\u{1b}[31m".into()),
        Value::Bytes(vec![0, 255]),
        Value::Uuid("00000000-0000-7000-8000-000000000000".into()),
        Value::Timestamp("infinity".into()),
        Value::Temporal("P1D".into()),
        Value::Json(r#"{"a":[1]}"#.into()),
        Value::Other("inet".into(), "10.0.0.1".into()),
    ];
    let nulls = cells.iter().map(|_| Value::Null);
    table("every-value")
        .columns(cells.iter().map(Value::kind))
        .row(cells.clone())
        .row(nulls)
        .emit()
}
