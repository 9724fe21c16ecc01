//! An earlier revision that lowers the number of reviews: it is what its own list says.

use super::*;

/// Two reviews are needed, one of an unchanged script; 1.1.0 had carol's and ruth's.
fn runner() -> Runner {
    let mut two = policy();
    two.targets[0].reviews.required = 2;
    two.targets[0].reviews.groups = vec![t("reviewers"), t("approvers")];
    Runner::under(authority_with(&directory(), &two))
}

fn base_of(bundle: &BundleIndex, manifest: &str) -> BaseDocuments {
    let revision = bundle.revision();
    let one = |reviewer: &str, n, doc| {
        let review =
            Review { header: header("rev", doc), reviewer: t(reviewer), revision, ..review() };
        sign(&review, &key(n)).unwrap()
    };
    let submission = Submission { header: header("sub", 30), revision, ..submission() };
    BaseDocuments {
        bundle: String::from_utf8(bundle.to_bytes()).unwrap(),
        manifest: manifest.to_owned(),
        submissions: vec![sign(&submission, &key(ANNA)).unwrap()],
        reviews: vec![one("carol", CAROL, 31), one("ruth", RUTH, 32)],
    }
}

fn order(base: BaseDocuments) -> ChainDocuments {
    let mut two = policy();
    two.targets[0].reviews.required = 2;
    two.targets[0].reviews.groups = vec![t("reviewers"), t("approvers")];
    let mut approved = approval();
    approved.policy.digest = digest_of(&two);
    let approvals = vec![sign(&approved, &key(RUTH)).unwrap()];
    ChainDocuments { base: Some(base), approvals, ..documents() }
}

#[test]
fn a_new_component_of_a_reviewed_script_needs_one_review() {
    let earlier = bundle("1.1.0", b"older component");
    let runner = runner();
    let good = order(base_of(&earlier, &manifest_toml("1.1.0")));
    let chain = runner.chain(&good).unwrap();
    assert_eq!(decide(&chain.facts).unwrap().base_reviews.len(), 2);
    assert!(chain.depends_on.contains(&StopSubject::Revision(earlier.revision())));
    assert_eq!(
        runner.denies(&ChainDocuments { base: None, ..good.clone() }),
        Some(Rule::ReviewMissing)
    );
    let mut less = good;
    less.base.as_mut().unwrap().reviews.pop();
    assert_eq!(runner.denies(&less), Some(Rule::ReviewMissing));
}

#[test]
fn an_earlier_revision_is_what_its_list_says() {
    let runner = runner();
    let earlier = bundle("1.1.0", b"older component");
    let wider = manifest_toml("1.1.0").replace("stuck\"\ntarget", "other\"\ntarget");
    assert_ne!(wider, manifest_toml("1.1.0"));
    let said = runner.refusal(&order(base_of(&earlier, &wider)));
    assert!(said.contains("not the one that its bundle.sha256 lists"), "{said}");
    let mut torn = base_of(&earlier, &manifest_toml("1.1.0"));
    torn.bundle.pop();
    assert!(
        runner.refusal(&order(torn)).starts_with("the earlier revision of the order is refused")
    );
    // Reviews of the new revision do not vouch for the old one.
    let mut mixed = base_of(&earlier, &manifest_toml("1.1.0"));
    mixed.reviews = vec![sign(&review(), &key(CAROL)).unwrap()];
    assert!(
        runner.refusal(&order(mixed)).contains("review 1 of the order is about another revision")
    );
}

#[test]
fn a_list_of_other_queries_is_another_script() {
    let files = [
        ("component.wasm", Digest::of(b"older component")),
        ("script.toml", Digest::of(manifest_toml("1.1.0").as_bytes())),
        ("queries/stuck.sql", Digest::of(b"SELECT 2")),
    ];
    let files = files.map(|(path, digest)| (t(path), digest)).into();
    let earlier = BundleIndex::new(files).unwrap();
    let runner = runner();
    let order = order(base_of(&earlier, &manifest_toml("1.1.0")));
    let told = decide(&runner.facts(&order).unwrap()).unwrap_err();
    assert_eq!(told.rule, Rule::ReviewMissing);
    assert!(told.fact.contains("queries/stuck.sql differs"), "{told}");
}
