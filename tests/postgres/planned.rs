//! What the planner expects: a power of ten, of values that nobody has chosen, with nothing executed.

use domain::ParamType;
use domain::plan::{Expected, Magnitude};
use targets::postgres::{PostgresConnector, Relation, Sessions};
use targets::{Connector as _, TargetError};
use tests::postgres::cluster::Network;
use tests::postgres::shop;

const SETUP: &str = "
    CREATE TABLE public.people (id bigint, email text, plan text);
    INSERT INTO public.people SELECT i, 'person-' || i || '@shop.example', 'basic'
    FROM generate_series(1, 3000) AS i;
    UPDATE public.people SET plan = 'vip' WHERE id <= 20;
    ANALYZE public.people;
    GRANT SELECT ON public.people TO reader;";

#[tokio::test]
async fn an_expectation_is_a_power_of_ten_and_says_nothing_of_a_value() {
    let shop = shop();
    let primary = shop.cluster.primary();
    primary.sql("postgres", "CREATE DATABASE planned").unwrap();
    primary.sql("planned", SETUP).unwrap();
    let standby = shop.cluster.standby(&Network::None).unwrap();
    let mut spec = shop.spec(&standby);
    spec.identity.database = "planned".into();
    // Whatever is expected, a run beyond this would be refused.
    spec.cost_max = 1;
    let columns = ["id", "email", "plan"].map(str::to_owned).to_vec();
    spec.reads = vec![Relation::plain("public", "people", columns)];
    let connector = PostgresConnector::new(spec, Sessions::at_most(1));
    let plan = async |sql: &str, params: &[ParamType]| connector.plan(sql, params).await;

    let all = plan("SELECT id FROM public.people", &[]).await.unwrap().unwrap();
    assert_eq!(all, Expected { rows: Magnitude(4), cost: Magnitude(2) });
    // One person or another: with a parameter it is the same for both, whether or not they are there.
    let by = "SELECT id FROM public.people WHERE email = $1";
    let one = plan(by, &[ParamType::Text]).await.unwrap().unwrap();
    assert_eq!(one.rows, Magnitude(0));
    let by = "SELECT id FROM public.people WHERE plan = $1 AND id > $2";
    plan(by, &[ParamType::Text, ParamType::Int8]).await.unwrap().unwrap();

    // It would take for ever, and nothing of it is executed.
    let endless =
        "SELECT count(*) FROM public.people a, public.people b, public.people c, public.people d";
    let expected = plan(endless, &[]).await.unwrap().unwrap();
    assert!(expected.cost >= Magnitude(11) && expected.rows == Magnitude(0), "{expected:?}");

    let refused = plan("SELECT pg_sleep(9)", &[]).await.unwrap_err();
    assert!(matches!(refused, TargetError::NotAllowed { .. }), "{refused}");
    let nothing =
        "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'PREPARE%' AND state = 'active'";
    assert_eq!(standby.sql("postgres", nothing).unwrap().trim(), "0");
}
