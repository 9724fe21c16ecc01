//! The same story on a PostgreSQL standby. A binary of its own, because it needs a server.

#[path = "demo/played.rs"]
mod played;

#[test]
fn every_step_of_the_demo_comes_out_on_postgres_as_it_does_on_sqlite() {
    let told = played::as_expected(&["--target", "postgres"]);
    assert!(told.contains("shop-replica was "), "how far behind it was: {told}");
    assert!(told.contains(" its primary"), "{told}");
}
