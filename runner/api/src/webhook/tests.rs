//! The example of the specification's own libraries, and addresses that must not be dialled.

use super::*;

/// Secret, message and signature that the specification's libraries test themselves with.
#[test]
fn a_message_is_signed_as_the_specification_has_it() {
    let secret: WebhookSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".parse().unwrap();
    let signed =
        secret.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, br#"{"test": 2432232314}"#);
    assert_eq!(signed, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
}

#[test]
fn a_secret_is_long_enough_and_is_never_shown() {
    for wrong in ["", "whsec_", "whsec_c2hvcnQ=", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_???"] {
        assert_eq!(wrong.parse::<WebhookSecret>(), Err(WebhookError::Secret), "{wrong}");
    }
    let secret: WebhookSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".parse().unwrap();
    assert_eq!(format!("{secret:?}"), "WebhookSecret(hidden)");
}

#[test]
fn beyond_this_machine_only_https_is_dialled() {
    for good in [
        "https://hooks.shop.example/services/T0/B0/abc?x=1",
        "http://127.0.0.1:9/hook",
        "http://localhost/hook",
        "http://[::1]:80/",
    ] {
        assert!(good.parse::<WebhookUrl>().is_ok(), "{good}");
    }
    for clear in
        ["http://hooks.shop.example/", "http://10.0.0.1/", "http://127.0.0.1.shop.example/"]
    {
        assert_eq!(clear.parse::<WebhookUrl>(), Err(WebhookError::ClearText), "{clear}");
    }
    for wrong in
        ["", "hooks.shop.example", "ftp://h/", "https://a:b@h/", "https://a@h/", "https://h/#x"]
    {
        assert_eq!(wrong.parse::<WebhookUrl>(), Err(WebhookError::Address), "{wrong}");
    }
}

#[test]
fn what_a_receiver_does_not_want_is_told_apart_from_what_it_cannot_take_now() {
    let refused = |status| Undelivered::Refused { status, retry_after_s: None };
    for now in [408, 425, 429, 500, 502, 503, 504] {
        assert!(!refused(now).is_final(), "{now}");
    }
    for never in [301, 307, 400, 401, 403, 404, 410, 413] {
        assert!(refused(never).is_final(), "{never}");
    }
    assert!(!Undelivered::Unreachable.is_final());
}
