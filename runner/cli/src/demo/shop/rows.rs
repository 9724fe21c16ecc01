//! The rows that each order leaves behind.

use rusqlite::{Connection, Statement, params};

use super::fate::{self, Money, Way};
use super::random::Random;
use super::{CUSTOMERS, DAY, END, HOUR, ORDERS, PERIOD_SECONDS, placed_at};

const SEED: u64 = 0x5348_4F50;
const COUNTRIES: &[(&str, &str)] =
    &[("DE", "EUR"), ("DE", "EUR"), ("AT", "EUR"), ("FR", "EUR"), ("NL", "EUR"), ("CH", "CHF")];
const FIRST_NAMES: &[&str] = &["Ada", "Bruno", "Chiara", "Dario", "Edda", "Femke", "Gero", "Hanna"];
const LAST_NAMES: &[&str] = &["Albers", "Brandt", "Conti", "Dubois", "Egger", "Frey", "Groen"];

/// Prepared statements, one a table.
struct Tables<'c> {
    orders: Statement<'c>,
    payments: Statement<'c>,
    stock: Statement<'c>,
    shipments: Statement<'c>,
    events: Statement<'c>,
}

/// What is decided about an order before anything is written.
struct Order {
    id: i64,
    placed: i64,
    total_cents: i64,
    currency: &'static str,
    carrier: &'static str,
    warehouse: &'static str,
    way: Way,
    money: Money,
}

/// Fills the empty tables.
pub(super) fn fill(connection: &Connection) -> rusqlite::Result<()> {
    let mut random = Random(SEED);
    let currencies = customers(connection, &mut random)?;
    let mut tables = Tables {
        orders: connection.prepare("INSERT INTO orders VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")?,
        payments: connection.prepare("INSERT INTO payments VALUES (NULL, ?, ?, ?, ?, ?, ?, ?)")?,
        stock: connection
            .prepare("INSERT INTO stock_reservations VALUES (NULL, ?, ?, ?, ?, ?, ?)")?,
        shipments: connection.prepare("INSERT INTO shipments VALUES (NULL, ?, ?, ?, ?, ?, ?)")?,
        events: connection.prepare("INSERT INTO events VALUES (NULL, ?, ?, ?, ?)")?,
    };
    for id in 1..=ORDERS {
        let customer = random.below(CUSTOMERS);
        let placed = placed_at(id) - random.below(200);
        let carrier = random.pick(fate::CARRIERS);
        let warehouse = random.pick(fate::WAREHOUSES);
        let way = fate::way(&mut random, placed, carrier, warehouse);
        let order = Order {
            id,
            placed,
            total_cents: 990 + 50 * random.below(400),
            currency: currencies[usize::try_from(customer).unwrap_or(0)],
            carrier,
            warehouse,
            way,
            money: fate::money(&mut random, placed, way),
        };
        tables.write(&order, customer + 1, &mut random)?;
    }
    Ok(())
}

/// Writes the customers and returns the currency of each.
fn customers(connection: &Connection, random: &mut Random) -> rusqlite::Result<Vec<&'static str>> {
    let mut insert = connection.prepare("INSERT INTO customers VALUES (?, ?, ?, ?, ?, ?)")?;
    let mut currencies = Vec::new();
    for id in 1..=CUSTOMERS {
        let (first, last) = (random.pick(FIRST_NAMES), random.pick(LAST_NAMES));
        let email = format!("{}.{}{id}@example.com", first.to_lowercase(), last.to_lowercase());
        let phone = format!("+49 30 55{:06}", random.below(1_000_000));
        let (country, currency) = random.pick(COUNTRIES);
        let since = time(END - PERIOD_SECONDS - random.below(700 * DAY));
        insert.execute(params![id, format!("{first} {last}"), email, phone, country, since])?;
        currencies.push(currency);
    }
    Ok(currencies)
}

impl Tables<'_> {
    fn write(&mut self, o: &Order, customer: i64, random: &mut Random) -> rusqlite::Result<()> {
        let paid = o.placed + 60 + random.below(600);
        // Fresh orders stop at whatever is not yet due at the end of the sample.
        let due = |at: i64| (at < END).then_some(at);
        let shipment = paid + HOUR + random.below(5 * HOUR);
        let label = shipment + 120 + random.below(1_800);
        let scan = label + 3 * HOUR + random.below(20 * HOUR);
        let delivered = scan + DAY + random.below(2 * DAY);
        let cancelled = (o.way == Way::Cancelled).then_some(paid + HOUR + random.below(HOUR));
        let has = |reached: bool, at: i64| due(at).filter(|_| reached);
        use Way::{Delivered, Fresh, NeverScanned, NoLabel, StatusNotUpdated};
        let moving = matches!(o.way, Delivered | Fresh);
        let scanned = has(moving || o.way == StatusNotUpdated, scan);
        let labelled = has(moving || matches!(o.way, StatusNotUpdated | NeverScanned), label);
        let made = has(labelled.is_some() || o.way == NoLabel, shipment);
        let shipped = has(moving, scan);
        let arrived = has(moving, delivered);
        let status = match (cancelled, arrived, shipped) {
            (Some(_), _, _) => "cancelled",
            (_, Some(_), _) => "delivered",
            (_, _, Some(_)) => "shipped",
            _ => "paid",
        };
        let number = format!("SO-{}", 100_000 + o.id);
        let times = [due(paid), shipped, cancelled].map(|at| at.map(time));
        let [paid_at, shipped_at, cancelled_at] = times;
        let (currency, placed_at) = (o.currency, time(o.placed));
        self.orders.execute(params![
            o.id,
            number,
            customer,
            status,
            currency,
            o.total_cents,
            placed_at,
            paid_at,
            shipped_at,
            cancelled_at,
        ])?;
        if let Some(paid) = due(paid) {
            self.money(o, paid, cancelled)?;
            self.stock(o, paid, made.or(cancelled), random)?;
        }
        if let Some(made) = made {
            let [made, labelled, scanned, arrived] =
                [Some(made), labelled, scanned, arrived].map(|at| at.map(time));
            self.shipments.execute(params![o.id, o.carrier, made, labelled, scanned, arrived])?;
        }
        self.story(o, paid, shipment, scan, cancelled)
    }

    fn money(&mut self, o: &Order, paid: i64, cancelled: Option<i64>) -> rusqlite::Result<()> {
        let mut count = 0;
        let mut pay = |kind: &str, state: &str, cents: i64, at: i64| {
            count += 1;
            let reference = format!("pay_{:06}_{count}", o.id);
            self.payments.execute(params![
                o.id,
                kind,
                state,
                cents,
                o.currency,
                reference,
                time(at)
            ])
        };
        if o.way == Way::NotCaptured {
            pay("capture", "failed", o.total_cents, paid)?;
            return Ok(());
        }
        let captured = match o.money {
            Money::TooLittle => o.total_cents - 300,
            Money::TooMuch => o.total_cents + 200,
            _ => o.total_cents,
        };
        pay("capture", "succeeded", captured, paid)?;
        match o.money {
            Money::Twice => {
                pay("capture", "succeeded", captured, paid + 31)?;
            }
            Money::TwiceAndRefunded => {
                pay("capture", "succeeded", captured, paid + 31)?;
                pay("refund", "succeeded", captured, paid + DAY)?;
            }
            Money::RefundedTooMuch => {
                pay("refund", "succeeded", captured + 500, paid + 3 * DAY)?;
            }
            Money::Right | Money::TooLittle | Money::TooMuch | Money::NotRefunded => {}
        }
        if let Some(cancelled) = cancelled.filter(|_| o.money != Money::NotRefunded) {
            pay("refund", "succeeded", captured, cancelled + HOUR)?;
        }
        Ok(())
    }

    /// Stock is held from the payment until the shipment takes it off the shelf.
    fn stock(
        &mut self,
        o: &Order,
        paid: i64,
        taken: Option<i64>,
        random: &mut Random,
    ) -> rusqlite::Result<()> {
        let lost = (o.way == Way::ReservationMissing).then_some(paid + 2 * HOUR);
        let sku = format!("SKU-{:04}", random.below(900));
        let released = lost.or(taken).map(time);
        let quantity = 1 + random.below(3);
        self.stock.execute(params![o.id, sku, quantity, o.warehouse, time(paid), released])?;
        Ok(())
    }

    fn story(
        &mut self,
        o: &Order,
        paid: i64,
        shipment: i64,
        scan: i64,
        cancelled: Option<i64>,
    ) -> rusqlite::Result<()> {
        let (at, kind, detail) = match o.way {
            Way::Delivered | Way::Fresh => (shipment, "pick.done", "all items found"),
            Way::Cancelled => (cancelled.unwrap_or(paid), "order.cancelled", "by the customer"),
            Way::NotCaptured => {
                (paid + 5, "payment.error", "capture declined; order marked as paid")
            }
            Way::ReservationMissing => {
                (paid + 2 * HOUR, "stock.released", "by clean-up job: reservation older than 2 h")
            }
            Way::NoShipment => (shipment, "fulfilment.skipped", "worker restarted, message lost"),
            Way::NoLabel => (
                shipment + 90,
                "label.failed",
                "carrier did not answer in 30 s, gave up after 3 tries",
            ),
            Way::NeverScanned => {
                (scan, "pickup.closed", "parcel was not on the carrier's manifest")
            }
            Way::StatusNotUpdated => (scan, "carrier.scan", "webhook rejected: signature expired"),
        };
        if paid < END {
            self.events.execute(params![o.id, time(paid), "order.paid", o.currency])?;
        }
        if at < END {
            self.events.execute(params![o.id, time(at), kind, detail])?;
        }
        Ok(())
    }
}

/// RFC 3339 in UTC of seconds since 1970.
pub(super) fn time(seconds: i64) -> String {
    let (days, second) = (seconds.div_euclid(DAY), seconds.rem_euclid(DAY));
    // Years are counted from March, so that the leap day is the last one of a year; an era is the
    // 146,097 days of 400 years.
    let since_march = days + 719_468;
    let era = since_march.div_euclid(146_097);
    let day_of_era = since_march.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = era * 400 + year_of_era + i64::from(month <= 2);
    let (hour, minute) = (second / HOUR, second % HOUR / 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{:02}Z", second % 60)
}
