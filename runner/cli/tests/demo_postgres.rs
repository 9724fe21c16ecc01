//! The same story on a PostgreSQL standby. A binary of its own, because it needs a server.

#[path = "demo/played.rs"]
mod played;

#[test]
fn every_step_of_the_demo_comes_out_on_postgres_as_it_does_on_sqlite() {
    played::as_expected(&["--target", "postgres"]);
}
