//! Everybody can only narrow, and a mistake is said.

use clap::Parser;
use domain::{Limits, Scope, TargetScope};

use super::{NarrowArgs, size};

#[derive(Parser)]
struct Line {
    #[command(flatten)]
    narrow: NarrowArgs,
}

fn scope() -> Scope {
    let query = domain::capability::QueryScope {
        name: "stuck".parse().unwrap(),
        calls_max: 20,
        rows_total_max: 5000,
        bytes_total_max: 1 << 20,
    };
    let target = TargetScope {
        logical: "shop".parse().unwrap(),
        target: "shop-replica".parse().unwrap(),
        queries: vec![query],
        unmasked: vec!["shop.people.email".parse().unwrap()],
    };
    Scope { targets: vec![target], limits: Limits::DEFAULT }
}

fn narrowed(args: &[&str]) -> Result<Scope, String> {
    let line = Line::try_parse_from([&["borescope"], args].concat()).map_err(|e| e.to_string())?;
    line.narrow.apply(scope()).map_err(|e| e.message)
}

#[test]
fn what_is_not_named_stays() {
    assert_eq!(narrowed(&[]).unwrap(), scope());
}

#[test]
fn each_limit_can_be_lowered_and_none_raised() {
    let less = narrowed(&["--wall", "2s", "--memory", "1MiB", "--rows", "stuck=10"]).unwrap();
    assert_eq!(less.limits.wall_ms_max, 2000);
    assert_eq!(less.limits.memory_bytes_max, 1 << 20);
    assert_eq!(less.targets[0].queries[0].rows_total_max, 10);
    for more in [&["--wall", "1d"], &["--fuel", "9000000000"], &["--calls", "stuck=21"]] {
        assert!(narrowed(more).unwrap_err().contains("at most"), "{more:?}");
    }
    assert!(narrowed(&["--rows", "other=1"]).unwrap_err().contains("no query other"));
    assert_eq!(narrowed(&["--without", "stuck"]).unwrap().targets[0].queries, []);
}

#[test]
fn what_is_raw_is_said_before_anything_else_and_can_be_masked_again() {
    let said = super::in_words(&scope());
    assert!(
        said.starts_with(
            "RAW, WITHOUT THEIR MASKS: shop.people.email on shop=shop-replica; stuck ("
        ),
        "{said}"
    );
    let masked = narrowed(&["--masked", "shop.people.email"]).unwrap();
    assert!(masked.targets[0].unmasked.is_empty());
    assert!(super::in_words(&masked).starts_with("stuck ("));
    assert!(narrowed(&["--masked", "shop.people.card"]).unwrap_err().contains("masked already"));
}

#[test]
fn sizes() {
    assert_eq!(size("4096"), Ok(4096));
    assert_eq!(size("64KiB"), Ok(65_536));
    assert!(size("1TB").is_err() && size("99999999999GiB").is_err());
}
