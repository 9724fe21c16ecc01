//! A server that others reach: HTTPS with an authority of the company's own, and what is refused around
//! it.

use domain::Clock as _;
use executor::SystemClock;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, date_time_ymd};

use crate::machine::{Machine, Server, free_port, text};

/// The company's own certificate authority.
struct Authority {
    pem: String,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let pem = params.self_signed(&key).unwrap().pem();
        Self { pem, issuer: Issuer::new(params, key) }
    }

    /// Puts a certificate for 127.0.0.1 where the server looks for it.
    fn certify(&self, m: &Machine, until: i32) {
        self.certify_as(m, until, "server/tls");
    }

    fn certify_as(&self, m: &Machine, until: i32, name: &str) {
        self.certify_until(m, (until, 1, 1), name);
    }

    fn certify_until(&self, m: &Machine, (year, month, day): (i32, u8, u8), name: &str) {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(year, month, day);
        let certificate = params.signed_by(&key, &self.issuer).unwrap().pem();
        std::fs::write(m.path(&format!("{name}.pem")), certificate).unwrap();
        std::fs::write(m.path(&format!("{name}.key")), key.serialize_pem()).unwrap();
        mode(m, &format!("{name}.key"), 0o600);
    }
}

fn mode(m: &Machine, key: &str, mode: u32) {
    use std::os::unix::fs::PermissionsExt as _;
    let key = m.path(key);
    std::fs::set_permissions(key, std::fs::Permissions::from_mode(mode)).unwrap();
}

/// A server's folder with a certificate of `authority`; gives the port.
fn found(m: &Machine, authority: &Authority) -> u16 {
    let port = free_port();
    crate::shop::create(&m.path("sample.sqlite")).unwrap();
    let listen = format!("127.0.0.1:{port}");
    let init = ["init", "server", "--trust-domain", "shop.example/dev"];
    let people = ["--person", "alice", "--person", "bob"];
    let place = ["--target", "shop-replica=sample.sqlite", "--listen", &listen];
    m.json(&[&init[..], &people, &place].concat());
    configure(m, |text| {
        format!("{text}\n[tls]\ncertificate_file = \"tls.pem\"\nkey_file = \"tls.key\"\n")
    });
    authority.certify(m, 2100);
    std::fs::write(m.path("ca.pem"), &authority.pem).unwrap();
    port
}

fn configure(m: &Machine, change: impl FnOnce(String) -> String) {
    let path = m.path("server/borescope.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, change(text)).unwrap();
}

fn login(m: &Machine, url: &str, further: &[&str]) -> (i32, String) {
    let who = ["login", "--url", url, "--as", "alice", "--key", "server/keys/alice"];
    m.told(&[&who[..], &["--trust", "server/trust.toml"], further].concat())
}

fn refused(told: (i32, String), exit: i32, words: &[&str]) {
    let (code, told) = told;
    assert_eq!(code, exit, "{told}");
    for word in words {
        assert!(told.contains(word), "{word} in {told}");
    }
}

#[test]
fn an_operator_hears_in_time_that_the_certificate_ends() {
    let (m, authority) = (Machine::new(), Authority::new());
    found(&m, &authority);
    let doctor = || m.told(&["doctor", "--config", "server"]).1;
    assert!(doctor().contains("certificate and key fit, and are valid"), "{}", doctor());
    let soon = SystemClock.now().plus_s(5 * 86_400).to_string();
    let mut parts = soon[..10].split('-').map(|part| part.parse::<i32>().unwrap());
    let mut part = || parts.next().unwrap();
    let (year, month, day) = (part(), part(), part());
    let day = (year, u8::try_from(month).unwrap(), u8::try_from(day).unwrap());
    authority.certify_until(&m, day, "server/tls");
    let told = doctor();
    assert!(told.contains("in 14 days the certificate is of no use"), "{told}");
    assert!(told.contains("SIGHUP"), "{told}");
}

/// Waits until the server has logged it.
fn logged(server: &Server, words: &str) {
    while !String::from_utf8_lossy(&server.log()).contains(words) {
        std::thread::yield_now();
    }
}

#[test]
fn people_log_in_over_tls_look_after_their_sessions_and_log_out() {
    let (m, authority) = (Machine::new(), Authority::new());
    let port = found(&m, &authority);
    let url = format!("https://127.0.0.1:{port}");
    let server = m.serve();
    let (code, told) = login(&m, &format!("{url}/"), &["--ca", "ca.pem"]);
    assert!(code == 0 && told.contains(&url), "{told}");
    // The context has a copy.
    std::fs::remove_file(m.path("ca.pem")).unwrap();
    assert_eq!(m.json(&["runs"]), [] as [serde_json::Value; 0]);

    let sessions = m.json(&["sessions"]);
    assert_eq!((sessions.len(), &sessions[0]["current"]), (1, &true.into()));
    let (code, told) = m.told(&["sessions"]);
    let id = text(&sessions[0], "id").to_owned();
    assert!(code == 0 && told.contains(&id) && told.contains("  this"), "{told}");
    // A further one, from elsewhere.
    let token_file = m.path(".config/borescope/default.token");
    let first = std::fs::read_to_string(&token_file).unwrap();
    assert_eq!(m.told(&["login"]).0, 0);
    assert_eq!(m.json(&["sessions"]).len(), 2);
    assert_eq!(m.json(&["sessions", "--revoke", &id])[0]["id"], id.as_str());
    let nobodys = "ses_0198f0c0-0000-7000-8000-000000000000";
    refused(m.told(&["sessions", "--revoke", nobodys]), 2, &["there is no session"]);
    std::fs::write(&token_file, first).unwrap();
    assert_eq!(m.json(&["logout"])[0]["ended"], serde_json::Value::Null, "it was revoked");

    assert_eq!(m.told(&["login"]).0, 0);
    let token = std::fs::read_to_string(&token_file).unwrap();
    refused(m.told(&["logout"]), 0, &["logged out of", "ses_"]);
    assert!(!token_file.exists());
    std::fs::write(&token_file, token).unwrap();
    refused(m.told(&["logout"]), 0, &["no session was open"]);

    // Nobody is told anything who does not prove the name.
    drop(server);
    Authority::new().certify(&m, 2100);
    let _server = m.serve();
    refused(
        m.told(&["runs"]),
        5,
        &["certificate is refused", "signed by nobody who is believed", "--ca FILE"],
    );
}

#[test]
fn a_server_that_is_not_who_it_should_be_is_refused_with_the_reason() {
    let (m, authority) = (Machine::new(), Authority::new());
    let port = found(&m, &authority);
    let url = format!("https://127.0.0.1:{port}");
    let server = m.serve();
    let ca = ["--ca", "ca.pem"];
    refused(login(&m, &url, &[]), 5, &["signed by nobody who is believed here", "--ca FILE"]);
    let localhost = format!("https://localhost:{port}");
    refused(login(&m, &localhost, &ca), 5, &["another name", "127.0.0.1"]);
    refused(
        login(&m, &format!("http://127.0.0.1:{port}"), &ca),
        5,
        &["does not speak HTTP", "dial https://"],
    );
    refused(login(&m, "http://192.0.2.1:7777", &ca), 2, &["clear text", "dial https://"]);
    refused(login(&m, "http://shop.example", &ca), 2, &["clear text", "dial https://"]);
    refused(login(&m, &url, &["--ca", "server/tls.key"]), 2, &["private key in it"]);
    refused(login(&m, &url, &["--ca", "server/trust.toml"]), 2, &["BEGIN CERTIFICATE"]);

    // A renewed certificate is served with after SIGHUP; one that does not hold is not.
    let other = Authority::new();
    other.certify(&m, 2021);
    server.hang_up();
    logged(&server, "certificate and key stay as they were");
    assert_eq!(login(&m, &url, &ca).0, 0);
    other.certify(&m, 2100);
    server.hang_up();
    logged(&server, "certificate and key are read again");
    refused(login(&m, &url, &ca), 5, &["signed by nobody who is believed"]);
    std::fs::write(m.path("other.pem"), &other.pem).unwrap();
    assert_eq!(login(&m, &url, &["--ca", "other.pem"]).0, 0);
}

#[test]
fn a_server_that_could_not_be_reached_safely_does_not_start() {
    let (m, authority) = (Machine::new(), Authority::new());
    let port = found(&m, &authority);
    let serve = || m.told(&["serve", "--config", "server"]);
    authority.certify(&m, 2021);
    refused(serve(), 2, &["tls.pem: certificate 1 is valid from", "2021-01-01", "renew it"]);
    authority.certify(&m, 2100);
    mode(&m, "server/tls.key", 0o640);
    refused(serve(), 2, &["tls.key: others than its owner", "0640", "chmod 600"]);
    mode(&m, "server/tls.key", 0o600);
    let loopback = format!("127.0.0.1:{port}");
    configure(&m, |text| text.replace(&loopback, "0.0.0.0:0"));
    refused(serve(), 2, &["does not say what people dial", "origin ="]);
    configure(&m, |text| text.replace("[tls]", "[nothing]"));
    assert_eq!(serve().0, 2, "a section that is not known");
    configure(&m, |text| text.split("[nothing]").next().unwrap().to_owned());
    refused(serve(), 2, &["beyond this machine, and there is no [tls]", "certificate_file"]);
}

#[test]
fn a_stop_reaches_a_keeper_over_tls_and_no_other() {
    let (m, authority) = (Machine::new(), Authority::new());
    let url = format!("https://127.0.0.1:{}", found(&m, &authority));
    configure(&m, |text| text.replace("[status]\nkey_file = \"data/status-key\"\n", ""));
    std::fs::rename(m.path("server/data/status-key"), m.path("status-key")).unwrap();
    let _server = m.serve();
    let (code, told) = login(&m, &url, &["--ca", "ca.pem", "--context", "keeper"]);
    assert_eq!(code, 0, "{told}");
    authority.certify_as(&m, 2100, "keeper");
    let (port, other) = (free_port(), Authority::new());
    let keep =
        ["--context", "keeper", "status", "keep", "--status-key", "status-key", "--dir", "kept"];
    let (listen, door) = (format!("127.0.0.1:{port}"), format!("https://127.0.0.1:{port}"));
    let proof = ["--certificate", "keeper.pem", "--certificate-key", "keeper.key"];
    let all = [&keep[..], &["--listen", &listen], &proof].concat();
    let keeper = m.start(&all);
    let further = ["--ca", "ca.pem", "--context", "alice", "--keeper", &door];
    let (code, told) = login(&m, &url, &further);
    assert_eq!(code, 0, "{told}");
    let stop = ["--context", "alice", "stop", "person", "bob", "--reason", "lost a laptop"];
    refused(m.told(&stop), 0, &["bob is stopped"]);
    drop(keeper);

    // Somebody else at its address is told nothing, and alice hears that.
    other.certify_as(&m, 2100, "keeper");
    let _impostor = m.start(&all);
    let stop = ["--context", "alice", "stop", "person", "bob", "--reason", "still"];
    refused(m.told(&stop), 5, &["in force on the server, but", "has not heard", "certificate"]);
}
