//! Every frame reads back; every changed byte is noticed; erasing is not damage.

use proptest::prelude::*;

use super::{Damage, HEADER_BYTES, Header, encode};
use crate::entry::{Leaf, Opening, StoredEntry};
use crate::merkle::leaf_hash;
use crate::testing::log_opened;

fn frame(index: u64, opening: &Opening) -> (Vec<u8>, usize) {
    let leaf = Leaf::new(1, log_opened(0), None, opening);
    let bytes = leaf.to_bytes().unwrap();
    let mut out = Vec::new();
    encode(index, &bytes, &leaf_hash(&bytes), opening, &mut out);
    (out, HEADER_BYTES + bytes.len())
}

fn decode(index: u64, bytes: &[u8]) -> Result<StoredEntry, Damage> {
    let (header, body) = bytes.split_first_chunk::<HEADER_BYTES>().ok_or(Damage::Length)?;
    Header::parse(index, header)?.body(index, body)
}

proptest! {
    #[test]
    fn any_payload_reads_back(index in any::<u64>(), key in any::<[u8; 32]>(), payload: Vec<u8>) {
        prop_assume!(key != [0; 32]);
        let opening = Opening { key, payload };
        let (bytes, _) = frame(index, &opening);
        let entry = decode(index, &bytes).unwrap();
        prop_assert_eq!(entry.opening, Some(opening));
        prop_assert_eq!(entry.position.index(), index);
    }

    #[test]
    fn any_changed_byte_is_noticed(payload: Vec<u8>, at: prop::sample::Index, flip in 1u8..) {
        let (mut bytes, _) = frame(3, &Opening { key: [9; 32], payload });
        let at = at.index(bytes.len());
        bytes[at] ^= flip;
        prop_assert!(decode(3, &bytes).is_err(), "byte {}", at);
    }

    #[test]
    fn no_bytes_panic(bytes: Vec<u8>, index in any::<u64>()) {
        prop_assert!(decode(index, &bytes).is_err());
    }

    #[test]
    fn no_body_panics(body: Vec<u8>) {
        let (bytes, _) = frame(0, &Opening { key: [9; 32], payload: vec![1; 20] });
        let header = Header::parse(0, bytes.first_chunk().unwrap()).unwrap();
        prop_assert!(header.body(0, &body).is_err());
    }
}

#[test]
fn an_erased_payload_leaves_a_sound_frame() {
    let (mut bytes, key_at) =
        frame(0, &Opening { key: [9; 32], payload: b"Ada Lovelace".to_vec() });
    let before = decode(0, &bytes).unwrap();
    bytes[key_at..].fill(0);
    let after = decode(0, &bytes).unwrap();
    assert_eq!(after.payload(), None);
    assert_eq!(after.leaf_hash(), before.leaf_hash());
    // Half an erasure is damage, not an erased payload.
    bytes[key_at] = 1;
    assert!(matches!(decode(0, &bytes), Err(Damage::Payload)));
}

#[test]
fn a_frame_moved_to_another_index_is_damage() {
    let (bytes, _) = frame(4, &Opening { key: [9; 32], payload: Vec::new() });
    assert!(decode(4, &bytes).is_ok());
    assert!(matches!(decode(5, &bytes), Err(Damage::Header)));
}
