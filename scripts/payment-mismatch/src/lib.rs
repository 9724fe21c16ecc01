//! Orders whose captured, refunded and ordered amounts do not agree.
//!
//! One query finds every order with a difference; `finding` names what is wrong and who is owed
//! how much; the worst cases are shown with each single payment, which is what the provider asks for.

mod finding;

use std::cmp::Reverse;
use std::collections::BTreeMap;

use borescope::{Result, log, progress, query, table};
use serde::{Deserialize, Serialize};

use finding::{Finding, Kind, Suspect};

#[derive(Deserialize)]
struct Input {
    tolerance_cents: Option<i64>,
    details: Option<usize>,
}

#[derive(Serialize)]
struct Output {
    findings: usize,
    kinds: BTreeMap<Kind, usize>,
    /// What customers paid too much, in cents, for each currency.
    owed_to_customers_cents: BTreeMap<String, i64>,
    /// What is missing, in cents, for each currency.
    owed_by_customers_cents: BTreeMap<String, i64>,
    /// False when a limit of the query ended the search: there are more.
    complete: bool,
}

#[derive(Serialize)]
struct CaseRow<'a> {
    order: &'a str,
    kind: Kind,
    currency: &'a str,
    total_cents: i64,
    captured_cents: i64,
    refunded_cents: i64,
    customer_is_owed_cents: i64,
}

#[derive(Serialize, Deserialize)]
struct Payment {
    order: String,
    created_at: String,
    kind: String,
    state: String,
    amount_cents: i64,
    currency: String,
    provider_ref: String,
}

#[borescope::script]
fn run(input: Input) -> Result<Output> {
    progress(0, "adding up payments");
    let (mut findings, complete) = find(input.tolerance_cents.unwrap_or(0))?;
    findings.sort_by_key(|f| Reverse(f.owed_cents.abs()));
    emit_cases(&findings)?;
    progress(70, format!("{} differences; reading the payments of the worst", findings.len()));
    emit_payments(findings.iter().take(input.details.unwrap_or(5)))?;
    Ok(summary(&findings, complete))
}

/// Every finding in the approved window, and whether these really are all.
fn find(tolerance_cents: i64) -> Result<(Vec<Finding>, bool)> {
    let mut findings = Vec::new();
    for suspect in query("suspects").open()?.rows::<Suspect>() {
        match suspect {
            Ok(suspect) => findings.extend(suspect.judge(tolerance_cents)),
            Err(e) if e.limit().is_some() => {
                log::warn(format!("not every difference is shown: {e}"));
                return Ok((findings, false));
            }
            Err(e) => return Err(e),
        }
    }
    Ok((findings, true))
}

fn emit_cases(findings: &[Finding]) -> Result<()> {
    let rows = findings.iter().map(|f| CaseRow {
        order: &f.suspect.number,
        kind: f.kind,
        currency: &f.suspect.currency,
        total_cents: f.suspect.total_cents,
        captured_cents: f.suspect.captured_cents,
        refunded_cents: f.suspect.refunded_cents,
        customer_is_owed_cents: f.owed_cents,
    });
    table("cases")
        .columns(["order", "kind", "currency", "total_cents", "captured_cents", "refunded_cents"])
        .column("customer_is_owed_cents")
        .rows(rows)
        .emit()
}

fn emit_payments<'a>(worst: impl Iterator<Item = &'a Finding>) -> Result<()> {
    let mut payments = Vec::new();
    for finding in worst {
        let of_order = query("payments").param("order_id", finding.suspect.id);
        payments.extend(of_order.all::<Payment>()?);
    }
    table("payments")
        .columns(["order", "created_at", "kind", "state", "amount_cents", "currency"])
        .column("provider_ref")
        .rows(payments)
        .emit()
}

fn summary(findings: &[Finding], complete: bool) -> Output {
    let mut output = Output {
        findings: findings.len(),
        kinds: BTreeMap::new(),
        owed_to_customers_cents: BTreeMap::new(),
        owed_by_customers_cents: BTreeMap::new(),
        complete,
    };
    for finding in findings {
        *output.kinds.entry(finding.kind).or_default() += 1;
        let (side, cents) = if finding.owed_cents >= 0 {
            (&mut output.owed_to_customers_cents, finding.owed_cents)
        } else {
            (&mut output.owed_by_customers_cents, -finding.owed_cents)
        };
        *side.entry(finding.suspect.currency.clone()).or_default() += cents;
    }
    output
}
