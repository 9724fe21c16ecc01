//! Webhooks: who hears what, from when on, and for how long it is tried.

use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use domain::decide::StopSubject;
use serde_json::Value;

use super::team::{ORIGIN, Team, signed, t, who};
use crate::notify::{Format, Hook};
use crate::{App, NOTICE_LIFE_MS};

struct Receiver {
    url: String,
    status: Arc<AtomicU16>,
    taken: Arc<Mutex<Vec<Value>>>,
}

impl Receiver {
    fn new(status: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let receiver =
            Self { url, status: Arc::new(AtomicU16::new(status)), taken: Arc::default() };
        let (status, taken) = (Arc::clone(&receiver.status), Arc::clone(&receiver.taken));
        std::thread::spawn(move || {
            for mut caller in listener.incoming().map_while(Result::ok) {
                let (mut bytes, mut piece) = (Vec::new(), [0; 4096]);
                let body = loop {
                    let text = String::from_utf8_lossy(&bytes).into_owned();
                    let body = text.split_once("\r\n\r\n").map(|(_, body)| body);
                    if let Some(whole) = body.and_then(|b| serde_json::from_str::<Value>(b).ok()) {
                        break whole;
                    }
                    match caller.read(&mut piece) {
                        Ok(n @ 1..) => bytes.extend_from_slice(&piece[..n]),
                        _ => break Value::Null,
                    }
                };
                let status = status.load(Ordering::SeqCst);
                if status == 200 {
                    taken.lock().unwrap().push(body);
                }
                let head = format!(
                    "HTTP/1.1 {status} X\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
                );
                drop(caller.write_all(head.as_bytes()));
            }
        });
        receiver
    }

    fn hook(&self, groups: &[&str]) -> Hook {
        let url = self.url.parse().unwrap();
        Hook {
            name: "h".to_owned(),
            webhook: api::Webhook::new(url, Vec::new(), &api::Authorities::default()).unwrap(),
            format: Format::Standard,
            kinds: BTreeSet::new(),
            people: BTreeSet::new(),
            groups: groups.iter().map(|g| t(g)).collect(),
        }
    }

    fn texts(&self) -> Vec<String> {
        let taken = self.taken.lock().unwrap();
        taken.iter().map(|m| m["data"]["text"].as_str().unwrap().to_owned()).collect()
    }

    /// Waits for a text with these words.
    async fn hears(&self, words: &str) -> Vec<String> {
        for _ in 0..2400 {
            let texts = self.texts();
            if texts.iter().any(|text| text.contains(words)) {
                return texts;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("`{words}` never came: {:?}", self.texts());
    }
}

/// Tells hooks in the background, from what is filed after this on.
async fn tell(app: &Arc<App>, hook: Hook) -> tokio::task::JoinHandle<()> {
    let (telling, name) = (Arc::clone(app), hook.name.clone());
    let task = tokio::spawn(async move { telling.notify(vec![hook], ORIGIN.to_owned()).await });
    while app.store.told_until(&name).await.unwrap().is_none() {
        tokio::task::yield_now().await;
    }
    task
}

async fn stops(team: &Team, app: &Arc<App>, person: &str) {
    let stop = team.stop(StopSubject::Person(t(person)));
    app.stop(&who("ruth"), &stop).await.unwrap();
}

#[tokio::test]
async fn a_group_hears_what_wants_its_members_and_nothing_from_before() {
    let team = Team::new();
    let app = team.open().await.unwrap();
    let request = team.approved(&app).await;
    let receiver = Receiver::new(200);
    let telling = tell(&app, receiver.hook(&["approvers"])).await;
    let again = team.access_request(request.revision, 1);
    app.request_access(&who("otto"), &signed(&again, "otto")).await.unwrap();
    stops(&team, &app, "anna").await;
    let heard = receiver.hears("STOP: ruth stops person anna").await;
    telling.abort();
    assert!(
        heard[0].starts_with("approval wanted: otto asks to run answer@1.0.0 on shop"),
        "{heard:?}"
    );
    // Not: the first request, which was there already; otto's key, which is nobody's of the group.
    assert!(heard[1].starts_with("STOP"), "{heard:?}");
    let heard = receiver.hears("ruth's key").await;
    telling.abort();
    assert!(!heard.iter().any(|text| text.contains("otto's key")), "{heard:?}");
}

#[tokio::test]
async fn what_nobody_took_for_a_day_is_dropped_and_what_came_since_is_told() {
    let team = Team::new();
    let app = team.open().await.unwrap();
    let receiver = Receiver::new(503);
    let telling = tell(&app, receiver.hook(&[])).await;
    stops(&team, &app, "otto").await;
    let failing = async {
        while app.hooks()[0].failing_since_ms.is_none() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), failing).await.unwrap();
    assert_eq!(app.hooks()[0].problem.as_deref(), Some("the receiver answers 503"));
    team.advance_s(NOTICE_LIFE_MS / 1000 + 1);
    receiver.status.store(200, Ordering::SeqCst);
    stops(&team, &app, "anna").await;
    let heard = receiver.hears("stops person anna").await;
    telling.abort();
    assert!(!heard.iter().any(|text| text.contains("otto")), "{heard:?}");
    let hook = &app.hooks()[0];
    assert_eq!((hook.dropped, hook.failing_since_ms), (2, None), "the stop, and ruth's key");
}
