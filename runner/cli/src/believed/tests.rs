//! What was seen is remembered under the pin that it was verified with.

use super::*;

fn pin(keyring: &[u8]) -> Pin {
    Pin { trust_domain: "shop.example/dev".parse().unwrap(), keyring: Digest::of(keyring) }
}

fn seen() -> Seen {
    let directory = VersionRef { version: 7, digest: Digest::of(b"directory") };
    Seen { directory: Some(directory), ..Seen::default() }
}

#[test]
fn another_pin_begins_anew_and_damage_is_no_beginning() {
    let dir = tempfile::tempdir().unwrap();
    let memory = Memory::of(dir.path(), "shop");
    assert_eq!(memory.seen(&pin(b"one")).unwrap(), Seen::default());
    let known = Remembered { pin: pin(b"one"), seen: seen() };
    let path = dir.path().join("shop.seen.json");
    std::fs::write(&path, serde_json::to_vec(&known).unwrap()).unwrap();
    assert_eq!(memory.seen(&pin(b"one")).unwrap(), seen());
    assert_eq!(memory.seen(&pin(b"two")).unwrap(), Seen::default());
    assert_eq!(Memory::of(dir.path(), "other").seen(&pin(b"one")).unwrap(), Seen::default());
    std::fs::write(&path, "{}").unwrap();
    let told = memory.seen(&pin(b"one")).unwrap_err().to_string();
    assert!(told.contains("is damaged"), "{told}");
}
