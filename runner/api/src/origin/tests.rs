//! One form for one address, and no clear text beyond this machine.

use super::*;

fn parse(text: &str) -> Result<String, OriginError> {
    text.parse::<Origin>().map(|o| o.to_string())
}

#[test]
fn one_address_has_one_form() {
    for (text, form) in [
        ("https://borescope.shop.example", "https://borescope.shop.example"),
        ("HTTPS://Borescope.Shop.EXAMPLE:443/", "https://borescope.shop.example"),
        ("https://10.0.0.1:7777/", "https://10.0.0.1:7777"),
        ("https://b\u{fc}cher.example", "https://xn--bcher-kva.example"),
        ("http://localhost:80", "http://localhost"),
        ("http://127.0.0.1:7777", "http://127.0.0.1:7777"),
        ("http://0x7f.1:7777", "http://127.0.0.1:7777"),
        ("http://[::1]:7777/", "http://[::1]:7777"),
    ] {
        assert_eq!(parse(text).as_deref(), Ok(form), "{text}");
    }
}

#[test]
fn clear_text_stays_on_this_machine() {
    for text in [
        "http://borescope.shop.example",
        "http://10.0.0.1:7777",
        "http://0.0.0.0:7777",
        "http://localhost.shop.example",
        "http://127.0.0.1.shop.example:7777",
        "http://[fe80::1]:7777",
        "http://[::ffff:10.0.0.1]:7777",
    ] {
        assert!(matches!(parse(text), Err(OriginError::ClearText(_))), "{text}");
    }
}

#[test]
fn what_is_no_origin_is_refused() {
    for text in [
        "",
        "shop.example",
        "shop.example:443",
        "ftp://shop.example",
        "file:///etc/passwd",
        "https://",
        "https://shop.example/v1",
        "https://shop.example?x",
        "https://shop.example#x",
        "https://alice@shop.example",
        "http://127.0.0.1@shop.example",
        "http://127.0.0.1:x",
        "http://127.0.0.1/../x",
    ] {
        assert!(matches!(parse(text), Err(OriginError::Malformed(_))), "{text}");
    }
}
