//! The role that the printed SQL makes, on a real primary: it reads the policy's columns, `check` has
//! nothing to warn of, and whatever is granted beyond is found, or refused, until the SQL runs again.

use expect_test::expect;
use targets::postgres::{Finding, Identity, PostgresSpec, Relation, check};
use tests::postgres::{open, role_sql as sql, roomy, shop, text};

/// A database of its own, with names that only a hostile or a careless person gives.
const SCHEMA: &str = r#"
    CREATE SCHEMA "Odd; DROP SCHEMA public --";
    CREATE TABLE "Odd; DROP SCHEMA public --"."t""'$do$" ("a""b" int, "it's" text, secret text);
    INSERT INTO "Odd; DROP SCHEMA public --"."t""'$do$" VALUES (1, 'read', 'canary');
    CREATE TABLE plain (id int, secret text);
    CREATE FUNCTION powerful() RETURNS text LANGUAGE sql SECURITY DEFINER AS 'SELECT ''canary''';
    REVOKE EXECUTE ON FUNCTION powerful() FROM PUBLIC;
"#;

fn spec(database: &str, role: &str) -> PostgresSpec {
    let shop = shop();
    let primary = shop.cluster.primary();
    primary.sql("postgres", &format!("CREATE DATABASE \"{database}\"")).unwrap();
    primary.sql(database, SCHEMA).unwrap();
    let relation = |schema: &str, name: &str, columns: &[&str]| {
        Relation::plain(schema, name, columns.iter().map(|c| (*c).to_owned()).collect())
    };
    let mut spec = shop.spec(&shop.standby);
    spec.identity = Identity { database: database.into(), role: role.into(), ..spec.identity };
    spec.reads = vec![
        relation("Odd; DROP SCHEMA public --", "t\"'$do$", &["a\"b", "it's"]),
        relation("public", "plain", &["id"]),
    ];
    spec.statement_ms_max = 5_000;
    spec
}

/// Runs it as the superuser on the primary, and waits until the standby has it.
fn run(database: &str, sql: &str) -> Result<(), String> {
    let shop = shop();
    shop.cluster.primary().sql(database, sql).map_err(|e| e.to_string())?;
    shop.cluster.catch_up(&shop.standby).map_err(|e| e.to_string())
}

async fn warnings(spec: &PostgresSpec) -> String {
    match check(spec).await {
        Ok(reach) => {
            let warns = reach.findings.into_iter().filter(|f| f.warns);
            warns.map(|Finding { what, help, .. }| format!("{what}\n    {help}\n")).collect()
        }
        Err(e) => format!("{}: {e} ({})\n", e.code(), e.detail().unwrap_or_default()),
    }
}

#[tokio::test]
async fn the_printed_role_reads_the_policy_s_columns_and_nothing_is_to_be_warned_of() {
    let spec = spec("printed", "we\"ird'; --");
    run("printed", &sql(&spec)).unwrap();
    assert_eq!(warnings(&spec).await, "");
    let query = "select \"a\"\"b\", \"it's\" from \"Odd; DROP SCHEMA public --\".\"t\"\"'$do$\"";
    let mut session = open(&spec).await.unwrap();
    let read = session.query(query, &[], roomy()).await.unwrap();
    assert_eq!(text(read), "Int64(1) | Text(\"read\")\n");

    // What somebody adds by hand is found ...
    let role = "\"we\"\"ird'; --\"";
    run(
        "printed",
        &format!(
            "GRANT SELECT ON plain TO {role};
             CREATE TABLE other (id int);
             GRANT SELECT ON other TO {role};
             GRANT CREATE ON SCHEMA public TO {role};
             GRANT EXECUTE ON FUNCTION powerful() TO {role};
             ALTER ROLE {role} RESET temp_file_limit;
             ALTER ROLE {role} RESET log_parameter_max_length;
             ALTER ROLE {role} CONNECTION LIMIT -1;"
        ),
    )
    .unwrap();
    expect![[r#"
        the role may read relations beyond the policy, which only the gate keeps from scripts: public.other
            REVOKE SELECT on them from the role, and from PUBLIC
        the role may read columns beyond the policy, which only the gate keeps from scripts: public.plain.secret
            REVOKE SELECT on the tables from the role, and GRANT it the policy's columns only
        the role may create in schemas, should the server ever be a primary: public
            REVOKE CREATE ON SCHEMA from the role, and from PUBLIC
        the role may call functions that act with their owners' rights (SECURITY DEFINER): public.powerful
            REVOKE EXECUTE on them from PUBLIC, and GRANT it to whoever needs them
        one query can fill the replica's disk with temporary files
            ALTER ROLE … SET temp_file_limit = '64MB'; borescope target grant-sql prints it
        the server may write parameters of queries into its log
            ALTER ROLE … SET log_parameter_max_length = 0; borescope target grant-sql prints it
        the role may take all of the server's connections
            ALTER ROLE … CONNECTION LIMIT 8; borescope target grant-sql prints it
    "#]]
    .assert_eq(&warnings(&spec).await);
    // ... and taken by running it again, whoever granted what.
    run("printed", &sql(&spec)).unwrap();
    assert_eq!(warnings(&spec).await, "");
}

#[tokio::test]
async fn what_is_dangerous_is_refused_and_taken_by_the_printed_sql() {
    let spec = spec("dangerous", "dangerous");
    run("dangerous", &sql(&spec)).unwrap();
    let mut seen = String::new();
    for power in [
        "GRANT EXECUTE ON FUNCTION pg_read_file(text) TO dangerous",
        "GRANT UPDATE (secret) ON plain TO dangerous",
        "CREATE TABLE dropbox (id int); GRANT INSERT ON dropbox TO PUBLIC",
    ] {
        run("dangerous", power).unwrap();
        seen.push_str(&warnings(&spec).await);
        assert_eq!(open(&spec).await.err().map(|e| e.code()), Some("role"), "{power}");
        run("dangerous", &sql(&spec)).unwrap();
    }
    expect![[r#"
        role: the role dangerous may call functions that PostgreSQL keeps from ordinary roles; give the target a role that can only read what is granted (pg_read_file)
        role: the role dangerous may write; give the target a role that can only read what is granted (public.plain)
        role: the role dangerous may write; give the target a role that can only read what is granted (public.dropbox)
    "#]]
    .assert_eq(&seen);
    // What everybody has, the role has; only an administrator can take that.
    assert_eq!(open(&spec).await.err().map(|e| e.code()), Some("role"));
    run("dangerous", "REVOKE INSERT ON dropbox FROM PUBLIC").unwrap();
    assert_eq!(warnings(&spec).await, "");
}

#[tokio::test]
async fn the_printed_sql_changes_nothing_in_the_wrong_place_or_of_somebody_else_s_role() {
    let spec = spec("elsewhere", "elsewhere");
    let refused = |database: &str, sql: &str| run(database, sql).unwrap_err();
    let told = refused("postgres", &sql(&spec));
    assert!(told.contains("this is not the primary of cluster"), "{told}");
    let mut other = spec.clone();
    other.identity.system_identifier += 1;
    assert!(refused("elsewhere", &sql(&other)).contains("nothing was changed"));
    let roles = "SELECT count(*) FROM pg_roles WHERE rolname = 'elsewhere'";
    let primary = shop().cluster.primary();
    assert_eq!(primary.sql("postgres", roles).unwrap().trim(), "0");

    primary.sql("postgres", "CREATE ROLE elsewhere LOGIN CREATEROLE").unwrap();
    let told = refused("elsewhere", &sql(&spec));
    assert!(told.contains("has powers, memberships or property of its own"), "{told}");
    let limit = "SELECT rolconnlimit FROM pg_roles WHERE rolname = 'elsewhere'";
    assert_eq!(primary.sql("postgres", limit).unwrap().trim(), "-1");
}
