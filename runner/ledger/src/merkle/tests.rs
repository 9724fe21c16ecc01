//! Every tree size up to 130 against an independent implementation, and every wrong proof refused.

use ct_merkle::mem_backed_tree::MemoryBackedTree;
use ct_merkle::{ConsistencyProof, InclusionProof, RootHash};
use domain::Digest;
use sha2::Sha256;

use super::proof::{ProofError, verify_consistency, verify_inclusion};
use super::{Tree, leaf_hash};

const SIZE_MAX: u64 = 130;

fn leaf(i: u64) -> Vec<u8> {
    format!("leaf {i}").into_bytes()
}

fn tree(size: u64) -> Tree {
    let mut tree = Tree::new();
    for i in 0..size {
        tree.push(leaf_hash(&leaf(i)));
    }
    tree
}

fn oracle(size: u64) -> MemoryBackedTree<Sha256, Vec<u8>> {
    let mut oracle = MemoryBackedTree::new();
    for i in 0..size {
        oracle.push(leaf(i));
    }
    oracle
}

fn bytes(proof: &[Digest]) -> Vec<u8> {
    proof.iter().flat_map(|d| *d.as_bytes()).collect()
}

fn oracle_root(root: &Digest, size: u64) -> RootHash<Sha256> {
    RootHash::new((*root.as_bytes()).into(), size)
}

#[test]
fn published_vector_of_three_leaves() {
    let text = include_str!("../../testdata/leaves.txt");
    let mut tree = Tree::new();
    for line in text.lines() {
        tree.push(leaf_hash(line.as_bytes()));
    }
    let root = tree.root_at(3).map(|r| r.hex());
    assert_eq!(
        root.as_deref(),
        Some("e05ea5064dca13ea05be3f5a4038e4146cc082e81432141db2e21e86cdb0231e")
    );
}

#[test]
fn roots_equal_the_oracles_at_every_size() {
    let all = tree(SIZE_MAX);
    for size in 0..=SIZE_MAX {
        let expected: [u8; 32] = (*oracle(size).root().as_bytes()).into();
        assert_eq!(all.root_at(size), Some(Digest::from_bytes(expected)), "size {size}");
        assert_eq!(tree(size).root_at(size), all.root_at(size), "history of size {size}");
    }
    assert_eq!(all.root_at(SIZE_MAX + 1), None);
}

#[test]
fn inclusion_of_every_leaf_at_every_size() {
    let all = tree(SIZE_MAX);
    for size in 1..=SIZE_MAX {
        let oracle = oracle(size);
        let root = all.root_at(size).unwrap();
        for index in 0..size {
            let proof = all.inclusion(index, size).unwrap();
            let expected = oracle.prove_inclusion(usize::try_from(index).unwrap());
            assert_eq!(bytes(&proof), expected.as_bytes(), "leaf {index} of {size}");
            verify_inclusion(&all.leaf(index).unwrap(), index, size, &proof, &root).unwrap();
            let theirs = InclusionProof::<Sha256>::try_from_bytes(bytes(&proof)).unwrap();
            oracle_root(&root, size).verify_inclusion(&leaf(index), index, &theirs).unwrap();
        }
        assert_eq!(all.inclusion(size, size), None);
    }
}

#[test]
fn consistency_of_every_pair_of_sizes() {
    let all = tree(SIZE_MAX);
    for new in 0..=SIZE_MAX {
        let oracle = oracle(new);
        let new_root = all.root_at(new).unwrap();
        for old in 0..=new {
            let old_root = all.root_at(old).unwrap();
            let proof = all.consistency(old, new).unwrap();
            verify_consistency(old, &old_root, new, &new_root, &proof).unwrap();
            if old == 0 {
                assert!(proof.is_empty());
                continue;
            }
            let expected = oracle.prove_consistency(usize::try_from(new - old).unwrap());
            if old < new {
                assert_eq!(bytes(&proof), expected.as_bytes(), "{old} to {new}");
                let theirs = ConsistencyProof::<Sha256>::try_from_bytes(bytes(&proof)).unwrap();
                oracle_root(&new_root, new)
                    .verify_consistency(&oracle_root(&old_root, old), &theirs)
                    .unwrap();
            }
        }
    }
}

#[test]
fn a_proof_for_another_place_is_refused() {
    let size = 23;
    let all = tree(size);
    let root = all.root_at(size).unwrap();
    for index in 0..size {
        let proof = all.inclusion(index, size).unwrap();
        let hash = all.leaf(index).unwrap();
        for other in 0..size {
            if other != index {
                verify_inclusion(&hash, other, size, &proof, &root).unwrap_err();
                verify_inclusion(&all.leaf(other).unwrap(), index, size, &proof, &root)
                    .unwrap_err();
            }
        }
        for other_size in (0..40).filter(|s| *s != size) {
            let other_root = tree(other_size).root_at(other_size).unwrap();
            verify_inclusion(&hash, index, other_size, &proof, &other_root).unwrap_err();
        }
    }
}

#[test]
fn a_changed_cut_or_padded_proof_is_refused() {
    let all = tree(40);
    for size in 1..=40 {
        let root = all.root_at(size).unwrap();
        for index in 0..size {
            let hash = all.leaf(index).unwrap();
            let proof = all.inclusion(index, size).unwrap();
            for broken in broken(&proof) {
                verify_inclusion(&hash, index, size, &broken, &root).unwrap_err();
            }
        }
        for old in 0..=size {
            let old_root = all.root_at(old).unwrap();
            let proof = all.consistency(old, size).unwrap();
            for broken in broken(&proof) {
                verify_consistency(old, &old_root, size, &root, &broken).unwrap_err();
            }
        }
    }
}

fn broken(proof: &[Digest]) -> Vec<Vec<Digest>> {
    let mut all = Vec::new();
    for i in 0..proof.len() {
        let mut changed = proof.to_vec();
        changed[i] = Digest::of(b"another");
        all.push(changed);
        let mut cut = proof.to_vec();
        cut.remove(i);
        all.push(cut);
    }
    let mut padded = proof.to_vec();
    padded.push(Digest::of(b"another"));
    all.push(padded);
    all
}

#[test]
fn rewritten_history_is_not_consistent() {
    let honest = tree(50);
    for changed in 0..20 {
        let mut forged = Tree::new();
        for i in 0..50 {
            forged.push(leaf_hash(&leaf(if i == changed { 999 } else { i })));
        }
        let old_root = honest.root_at(20).unwrap();
        let new_root = forged.root_at(50).unwrap();
        let proof = forged.consistency(20, 50).unwrap();
        assert_eq!(
            verify_consistency(20, &old_root, 50, &new_root, &proof),
            Err(ProofError::OtherRoot)
        );
    }
}

#[test]
fn a_tree_does_not_shrink() {
    let all = tree(9);
    let (five, nine) = (all.root_at(5).unwrap(), all.root_at(9).unwrap());
    assert_eq!(
        verify_consistency(9, &nine, 5, &five, &[]),
        Err(ProofError::Shrunk { old: 9, new: 5 })
    );
    assert_eq!(all.consistency(9, 5), None);
    assert_eq!(all.inclusion(3, 10), None);
}
