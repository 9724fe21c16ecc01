//! Who gets a session, and how it is lost.

use domain::decide::StopSubject;
use trust::{Login, Salt};

use super::team::{ORIGIN, Team, key, person, signed, t, who};
use crate::{App, AppError};

/// The answer to a challenge, as `signer`'s client makes it.
pub(super) async fn answer(app: &App, name: &str, signer: &str, origin: &str) -> Vec<u8> {
    let challenge = app.challenge(person(name), ORIGIN).await.unwrap();
    let mut nonce = [0; 16];
    hex::decode_to_slice(&challenge.nonce, &mut nonce).unwrap();
    let login = Login {
        trust_domain: t("shop.example/test"),
        person: person(name),
        origin: origin.to_owned(),
        nonce: Salt(nonce),
        not_after: app.clock.now().plus_s(60),
    };
    signed(&login, signer)
}

pub(super) fn is_refused<T: std::fmt::Debug>(result: &Result<T, AppError>) {
    assert!(matches!(result, Err(AppError::Unauthorized(_))), "{result:?}");
}

#[tokio::test]
async fn an_answer_opens_one_session_and_is_worth_nothing_afterwards() {
    let team = Team::new();
    let app = team.open().await.unwrap();
    let signed = answer(&app, "otto", "otto", ORIGIN).await;
    let (a, b) = tokio::join!(app.login(&signed), app.login(&signed));
    assert!(a.is_ok() != b.is_ok(), "exactly one of two answers counts");
    let opened = a.or(b).unwrap();
    let session = app.session(&opened.token).await.unwrap();
    assert_eq!(session.person, person("otto"));
    assert_eq!(session.key_fingerprint, key("otto").fingerprint().as_str());
    is_refused(&app.session(&format!("{}0", opened.token)).await);
    team.advance_s(12 * 3600);
    is_refused(&app.session(&opened.token).await);
}

#[tokio::test]
async fn a_login_is_refused_when_it_is_late_or_anothers_or_for_another_address() {
    let team = Team::new();
    let app = team.open().await.unwrap();
    let late = answer(&app, "otto", "otto", ORIGIN).await;
    team.advance_s(61);
    is_refused(&app.login(&late).await);
    is_refused(&app.login(&answer(&app, "otto", "carol", ORIGIN).await).await);
    is_refused(&app.login(&answer(&app, "nobody", "nobody", ORIGIN).await).await);
    is_refused(&app.login(&answer(&app, "otto", "otto", "http://evil.example").await).await);
    // Whoever relays a login has to ask with the address that the victim dialled.
    let relayed = app.challenge(person("otto"), "http://evil.example").await;
    assert!(matches!(relayed, Err(AppError::BadRequest(_))), "{relayed:?}");
}

#[tokio::test]
async fn a_stopped_person_loses_the_session_and_gets_no_other() {
    let team = Team::new();
    let app = team.open().await.unwrap();
    let opened = app.login(&answer(&app, "otto", "otto", ORIGIN).await).await.unwrap();
    app.session(&opened.token).await.unwrap();
    let stop = team.stop(StopSubject::Person(person("otto")));
    app.stop(&who("ruth"), &stop).await.unwrap();
    is_refused(&app.session(&opened.token).await);
    is_refused(&app.login(&answer(&app, "otto", "otto", ORIGIN).await).await);
}
