//! The adversary: a control plane that has been taken over, with everything beside it. It writes every
//! byte of orders, store, blobs, compiled components, the runner's directory, and of what it answers;
//! it may keep, withhold, repeat and mix what people signed. It cannot sign.
//!
//! This file is the list: what it changes `=>` what must happen. How each kind of attack is carried
//! out is in the modules below; each of them also shows that without the attack the same thing works,
//! and that the attack reached no target and spent nothing. Histories (an older policy, two runners,
//! a kill in between) are in [`histories`] and `attacks.rs`, as stories.

mod answers;
pub(crate) mod histories;
mod homes;
mod orders;
mod stores;

use answers::{answers, flip};
use homes::{homes, json};
use orders::{
    access_request, alter, approval, on_production, on_test, orders, retype, review, run_request,
    submission, text,
};
use stores::{stores, swap};
use tests::company::p;

// A run order, document by document: the runner denies by this rule and says so.
orders! { on_test;
    // Submissions.
    no_submission: |a| a.docs().submissions.clear() => SubmissionMissing, "submitted";
    a_submission_twice: |a| a.doubles(|d| &mut d.submissions) => DocumentInvalid, "there twice";
    a_submission_of_another_revision: |a| {
        let other = a.another_revision();
        a.docs().submissions = vec![a.submission_by("alice", |s| s.revision = other)];
    } => DocumentInvalid, "another revision";
    a_submission_that_is_over: |a| {
        a.docs().submissions = vec![a.submission_by("alice", |s| s.header.not_after = s.header.not_before)];
    } => DocumentInvalid, "it is valid";
    a_submission_for_another_trust_domain: |a| {
        a.docs().submissions = vec![a.submission_by("alice", |s| s.header.trust_domain = p("staging.test"))];
    } => DocumentInvalid, "trust domain";
    an_altered_author: |a| alter(submission(a), "\"alice\"", "\"carol\"") => DocumentInvalid, "submission 1";
    a_submission_in_another_name: |a| {
        a.docs().submissions = vec![a.signed_by_mallory(|s| &s.submission)];
    } => DocumentInvalid, "names alice, and mallory signed it";
    a_submission_passed_off_as_a_review: |a| {
        let submission = a.docs().submissions[0].clone();
        a.docs().reviews = vec![submission];
    } => DocumentInvalid, "review 1";
    a_submission_in_the_envelope_of_a_review: |a| {
        let review = retype(submission(a), "review");
        a.docs().reviews = vec![review];
    } => DocumentInvalid, "review 1";

    // Reviews.
    no_review: |a| a.docs().reviews.clear() => ReviewMissing, "0 of 1 reviews";
    a_review_twice: |a| a.doubles(|d| &mut d.reviews) => DocumentInvalid, "there twice";
    more_reviews_than_anybody_reads: |a| {
        let one = review(a).clone();
        a.docs().reviews = vec![one; 65];
    } => DocumentInvalid, "65";
    a_raised_ceiling: |a| alter(review(a), "\"calls_max\":", "\"calls_max\":1") => DocumentInvalid, "review 1";
    a_turned_verdict: |a| alter(review(a), "\"approve\"", "\"reject\"") => DocumentInvalid, "review 1";
    an_opened_script: |a| alter(review(a), "\"self_serve\":[]", "\"self_serve\":[{\"groups\":[\"dev\"]}]")
        => DocumentInvalid, "review 1";
    a_review_by_somebody_in_no_group: |a| {
        a.docs().reviews = vec![a.review_by("mallory", |_| {})];
    } => ReviewMissing, "mallory is in no reviewing group";
    a_review_by_the_author: |a| {
        a.docs().reviews = vec![a.review_by("alice", |_| {})];
    } => ReviewMissing, "alice is an author";
    a_review_in_another_name: |a| {
        a.docs().reviews = vec![a.signed_by_mallory(|s| &s.review)];
    } => DocumentInvalid, "names bob, and mallory signed it";
    a_review_of_another_revision: |a| {
        let other = a.another_revision();
        a.docs().reviews = vec![a.review_by("bob", |r| r.revision = other)];
    } => DocumentInvalid, "another revision";
    a_review_for_another_pair: |a| {
        let primary = |r: &mut trust::Review| {
            r.ceiling.targets[0].target = p("shop-primary");
            r.analysis[0].target = p("shop-primary");
        };
        a.docs().reviews = vec![a.review_by("bob", primary)];
    } => ReviewMissing, "reviewed for another target";
    a_review_for_another_trust_domain: |a| {
        a.docs().reviews = vec![a.review_by("bob", |r| r.header.trust_domain = p("staging.test"))];
    } => DocumentInvalid, "trust domain";
    a_review_by_somebody_who_saw_no_analysis: |a| {
        a.docs().reviews = vec![a.review_by("bob", |r| r.analysis.clear())];
    } => ReviewMissing, "bob saw no analysis of the target";
    a_review_that_is_over: |a| {
        a.docs().reviews = vec![a.review_by("bob", |r| r.header.not_after = r.header.not_before)];
    } => ReviewMissing, "for another time";
    an_approval_passed_off_as_a_review: |a| {
        let approvals = a.docs().approvals.clone();
        a.docs().reviews = approvals;
    } => DocumentInvalid, "review 1";
    an_approval_in_the_envelope_of_a_review: |a| {
        let review = retype(approval(a), "review");
        a.docs().reviews = vec![review];
    } => DocumentInvalid, "review 1";
    another_review_than_the_approver_saw: |a| {
        a.docs().reviews = vec![a.review_by("carol", |_| {})];
    } => ApprovalMissing, "0 of 1 approvals";
    a_rejection_left_out: |a| a.rejected_by_carol().await => ReviewRejected, "carol rejected";
    a_rejection_withdrawn_by_another_reviewer: |a| {
        let rejection = a.rejected_by_carol().await;
        a.docs().withdrawals = vec![a.withdrawn_by("bob", &rejection)];
    } => ReviewRejected, "carol rejected";
    a_rejection_lifted_by_nobody_in_the_role: |a| {
        let rejection = a.rejected_by_carol().await;
        a.docs().lifts = vec![a.lifted_by("bob", &rejection)];
    } => DocumentInvalid, "does not hold the role `lift`";

    // The access request.
    no_access_request: |a| a.docs().access_request = None => RequestMissing, "has none";
    raised_limits: |a| alter(access_request(a), "\"fuel_max\":", "\"fuel_max\":9")
        => DocumentInvalid, "access request";
    a_wider_window: |a| alter(access_request(a), "\"duration_s\":3600", "\"duration_s\":86400")
        => DocumentInvalid, "access request";
    more_uses: |a| alter(access_request(a), "\"uses\":2", "\"uses\":9") => DocumentInvalid, "access request";
    another_target: |a| alter(access_request(a), "shop-replica", "shop-primary")
        => DocumentInvalid, "access request";
    a_marked_emergency: |a| alter(access_request(a), "\"break_glass\":false", "\"break_glass\":true")
        => DocumentInvalid, "access request";
    any_input: |a| alter(access_request(a), "\"kind\":\"exact\"", "\"kind\":\"schema\"")
        => DocumentInvalid, "access request";
    another_request_of_the_same_caller: |a| {
        a.docs().access_request = Some(a.request_by("alice", |r| r.uses = 9));
    } => RequestMismatch, "is not the access request that the run request names";
    another_request_with_its_approvals: |a| {
        let (request, approval) = a.another_granted_request();
        a.docs().access_request = Some(request);
        a.docs().approvals = vec![approval];
    } => DocumentInvalid, "another access request";
    a_request_of_another_caller: |a| {
        a.docs().access_request = Some(a.request_by("carol", |_| {}));
    } => DocumentInvalid, "another caller";
    a_request_for_another_runner: |a| {
        a.docs().access_request = Some(a.request_by("alice", |r| r.runner = p("runner-2")));
    } => DocumentInvalid, "another runner";
    a_request_for_another_trust_domain: |a| {
        a.docs().access_request = Some(a.request_by("alice", |r| r.header.trust_domain = p("staging.test")));
    } => DocumentInvalid, "trust domain";
    a_run_request_passed_off_as_an_access_request: |a| {
        let run_request = a.docs().run_request.clone();
        a.docs().access_request = Some(run_request);
    } => DocumentInvalid, "access request";

    // Approvals.
    no_approval: |a| a.docs().approvals.clear() => ApprovalMissing, "0 of 1 approvals";
    an_approval_twice: |a| a.doubles(|d| &mut d.approvals) => DocumentInvalid, "there twice";
    an_extended_approval: |a| alter(approval(a), "\"not_after\":\"2026", "\"not_after\":\"2027")
        => DocumentInvalid, "approval 1";
    a_widened_approval: |a| alter(approval(a), "\"calls_max\":", "\"calls_max\":1")
        => DocumentInvalid, "approval 1";
    an_approval_by_the_caller: |a| {
        a.docs().approvals = vec![a.approval_by("alice", |_| {})];
    } => ApprovalMissing, "0 of 1 approvals";
    an_approval_by_somebody_in_no_group: |a| {
        a.docs().approvals = vec![a.approval_by("mallory", |_| {})];
    } => ApprovalMissing, "0 of 1 approvals";
    an_approval_of_another_request: |a| {
        let (_, approval) = a.another_granted_request();
        a.docs().approvals = vec![approval];
    } => DocumentInvalid, "another access request";
    an_approval_for_another_pair: |a| {
        a.docs().approvals = vec![a.approval_by("bob", |d| d.scope.targets[0].target = p("shop-primary"))];
    } => RequestMismatch, "does not cover";
    an_approval_that_is_over: |a| {
        a.docs().approvals = vec![a.approval_by("bob", |d| d.header.not_after = d.header.not_before)];
    } => GrantExpired, "ended at";
    an_approval_for_another_trust_domain: |a| {
        a.docs().approvals = vec![a.approval_by("bob", |d| d.header.trust_domain = p("staging.test"))];
    } => DocumentInvalid, "trust domain";
    an_approval_that_relied_on_a_newer_policy: |a| {
        a.docs().approvals = vec![a.approval_by("bob", |d| d.policy.version = 2)];
    } => DocumentInvalid, "approval 1";
    an_approval_that_relied_on_another_directory: |a| {
        let other = a.story.input;
        a.docs().approvals = vec![a.approval_by("bob", |d| d.directory.digest = other)];
    } => DocumentInvalid, "approval 1";
    a_review_in_the_envelope_of_an_approval: |a| {
        let approval = retype(review(a), "approval");
        a.docs().approvals = vec![approval];
    } => DocumentInvalid, "approval 1";

    // The run request.
    another_caller: |a| alter(run_request(a), "\"alice\"", "\"carol\"") => DocumentInvalid, "run-request";
    another_input_in_the_run_request: |a| {
        let (mine, other) = (a.story.input.to_string(), a.rig.blobs.put(b"{}").to_string());
        alter(run_request(a), &mine, &other);
    } => DocumentInvalid, "run-request";
    another_target_in_the_run_request: |a| alter(run_request(a), "shop-replica", "shop-primary")
        => DocumentInvalid, "run-request";
    a_later_expiry: |a| alter(run_request(a), "\"not_after\":\"2026", "\"not_after\":\"2027")
        => DocumentInvalid, "run-request";
    another_use: |a| alter(run_request(a), "\"use_number\":1", "\"use_number\":2")
        => DocumentInvalid, "run-request";
    somebody_else_uses_the_grant: |a| {
        a.docs().run_request = a.run_request_by("carol", |_| {});
    } => DocumentInvalid, "another caller";
    the_run_request_of_another_run: |a| {
        a.docs().run_request = a.run_request_by("alice", |r| r.run = p("run_019ab000-0000-7000-8000-000000000001"));
    } => DocumentInvalid, "the run request is for run_019ab000";
    a_run_request_for_another_runner: |a| {
        a.docs().run_request = a.run_request_by("alice", |r| r.runner = p("runner-2"));
    } => DocumentInvalid, "another runner";
    a_run_request_for_another_pair: |a| {
        a.docs().run_request = a.run_request_by("alice", |r| r.pairs[0].target = p("shop-primary"));
    } => TargetUnknown, "shop-primary";
    a_run_request_of_another_revision: |a| {
        let other = a.another_revision();
        a.docs().run_request = a.run_request_by("alice", |r| r.revision = other);
    } => DocumentInvalid, "another revision";
    a_run_request_for_another_trust_domain: |a| {
        a.docs().run_request = a.run_request_by("alice", |r| r.header.trust_domain = p("staging.test"));
    } => DocumentInvalid, "trust domain";
    a_run_request_that_is_over: |a| a.rig.clock.advance_s(61) => RunRequestExpired, "it is";
    a_run_request_without_its_request: |a| {
        a.docs().run_request = a.run_request_by("alice", |r| { r.request = None; r.use_number = 0; });
    } => DocumentInvalid, "access request";
    a_run_without_any_approval: |a| {
        a.docs().run_request = a.run_request_by("alice", |r| { r.request = None; r.use_number = 0; });
        a.docs().access_request = None;
        a.docs().approvals.clear();
    } => SelfServeNotAllowed, "lets nobody run without";
    one_use_more_than_granted: |a| {
        a.docs().run_request = a.run_request_by("alice", |r| r.use_number = 3);
    } => UseSpent, "which allows 2";
    use_zero: |a| {
        a.docs().run_request = a.run_request_by("alice", |r| r.use_number = 0);
    } => UseSpent, "use 0";

    // What is against runs, and its ends.
    a_stop_left_out: |a| a.stopped_by_carol("bob").await => ReviewMissing, "bob is stopped";
    a_stop_by_nobody_in_the_role: |a| {
        a.docs().stops = vec![a.stop_by("mallory")];
    } => DocumentInvalid, "stop 1";
    a_lift_in_another_name: |a| {
        let stop = a.stopped_by_carol("bob").await;
        a.docs().lifts = vec![a.lifted_by("mallory", &stop)];
    } => DocumentInvalid, "lift 1";
    a_stop_passed_off_as_a_lift: |a| {
        let stop = a.stopped_by_carol("bob").await;
        a.docs().lifts = vec![stop];
    } => DocumentInvalid, "lift 1";
    a_stop_in_the_envelope_of_a_lift: |a| {
        let stop = a.stopped_by_carol("bob").await;
        a.docs().lifts = vec![retype(&stop, "lift")];
    } => DocumentInvalid, "lift 1";

    // Keyring, directory, policy.
    a_keyring_of_the_attacker: |a| {
        let mut keyring = a.rig.company.keyring_document();
        keyring.keys[0].key = a.rig.company.key("mallory").public().clone();
        a.order.keyring = a.rig.company.sign("mallory", &keyring);
    } => DocumentInvalid, "keyring";
    a_successor_that_the_old_roots_did_not_sign: |a| {
        a.order.successors = vec![a.successor_signed_by("mallory")];
    } => DocumentInvalid, "keyring";
    a_directory_with_mallory_in_the_group: |a|
        alter(&mut a.order.directory, "\"groups\":[]", "\"groups\":[\"dev\"]") => DocumentInvalid, "directory";
    a_directory_signed_by_mallory: |a| {
        a.order.directory = a.rig.company.sign("mallory", &a.rig.company.directory_document());
    } => DocumentInvalid, "directory";
    an_older_directory: |a| a.remembers_a_newer_directory().await => DocumentInvalid, "version 2";
    an_older_policy: |a| a.remembers_a_newer_policy().await => DocumentInvalid, "version 2";
    an_older_keyring: |a| a.remembers_a_newer_keyring().await => DocumentInvalid, "keyring";
    another_history_by_retired_roots: |a| a.forks_with_retired_roots().await => DocumentInvalid, "keyring";
    a_policy_without_reviews: |a| alter(&mut a.order.policy, "\"required\":1", "\"required\":0")
        => DocumentInvalid, "policy";
    a_policy_that_grants_more_columns: |a| alter(&mut a.order.policy, "\"country\"", "\"email\"")
        => DocumentInvalid, "policy";
    a_policy_with_another_database: |a| alter(&mut a.order.policy, "\"application_id\":", "\"application_id\":1")
        => DocumentInvalid, "policy";
    the_directory_in_place_of_the_policy: |a| a.order.policy = a.order.directory.clone()
        => DocumentInvalid, "policy";
    a_directory_in_the_envelope_of_a_policy: |a| a.order.policy = retype(&a.order.directory, "policy")
        => DocumentInvalid, "policy";

    // Signatures and forms: the order as text.
    a_signature_taken_away: |a| text(a, |t| cut_between(t, "\"signatures\":[", "]")) => DocumentInvalid, "signatures";
    a_signature_of_another_document: |a| {
        let other = a.docs().reviews[0].signatures().to_vec();
        let mine = a.docs().approvals[0].clone();
        a.docs().approvals[0] = trust::Envelope::assemble(
            mine.payload_type().to_owned(), mine.payload().to_vec(), other).unwrap();
    } => DocumentInvalid, "namespace";
    a_field_twice: |a| text(a, |t| t.replacen("{\"v\":1", "{\"v\":1,\"v\":1", 1)) => DocumentInvalid, "order";
    an_unknown_field: |a| text(a, |t| t.replacen("{\"v\":1", "{\"v\":1,\"skip_checks\":true", 1))
        => DocumentInvalid, "order";
    a_field_less: |a| text(a, |t| t.replacen("\"approvals\":", "\"approved\":", 1)) => DocumentInvalid, "order";
    another_version_of_the_order: |a| text(a, |t| t.replacen("{\"v\":1", "{\"v\":2", 1)) => DocumentInvalid, "version";
    a_cut_order: |a| text(a, |t| t[..t.len() - 1].to_owned()) => DocumentInvalid, "order";
    something_after_the_order: |a| text(a, |t| format!("{t}{{}}")) => DocumentInvalid, "order";
    an_empty_order: |a| text(a, |_| String::new()) => DocumentInvalid, "order";
    no_order_at_all: |a| text(a, |_| "null".to_owned()) => DocumentInvalid, "order";

    // Blobs: other bytes under the same digests.
    another_component: |a| {
        let other = tests::guests::file("fuel-burner", "component.wasm");
        a.rig.exchange(&a.story, "component.wasm", &other);
    } => BundleInvalid, "component.wasm";
    a_cut_component: |a| {
        let whole = tests::guests::file("stuck-orders", "component.wasm");
        a.rig.exchange(&a.story, "component.wasm", &whole[..whole.len() - 1]);
    } => BundleInvalid, "component.wasm";
    a_withheld_component: |a| a.withholds("component.wasm") => BundleInvalid, "component.wasm";
    another_manifest: |a| a.rig.exchange(&a.story, "script.toml", b"[script]\n") => BundleInvalid, "script.toml";
    a_wider_manifest: |a| {
        let text = String::from_utf8(tests::guests::file("stuck-orders", "script.toml")).unwrap();
        a.rig.exchange(&a.story, "script.toml", text.replace("calls_max = ", "calls_max = 1").as_bytes());
    } => BundleInvalid, "script.toml";
    another_query: |a| {
        let query = a.story.uploaded.manifest.queries[0].file.to_string();
        a.rig.exchange(&a.story, &query, b"select * from customers");
    } => BundleInvalid, ".sql";
    another_schema: |a| a.rig.exchange(&a.story, "input.schema.json", b"{\"type\":\"object\",\"additionalProperties\":false}")
        => BundleInvalid, "input.schema.json";
    another_list_of_files: |a| {
        let other = a.rig.upload("payment-mismatch", |_| {});
        a.rig.blobs.exchange(a.story.uploaded.revision, &other.index.to_bytes());
    } => BundleInvalid, "bundle.sha256";
    a_list_with_a_file_less: |a| {
        let list = a.story.uploaded.index.to_bytes();
        let end = list.iter().position(|b| *b == b'\n').unwrap() + 1;
        a.rig.blobs.exchange(a.story.uploaded.revision, &list[end..]);
    } => BundleInvalid, "bundle.sha256";
    a_withheld_list_of_files: |a| a.rig.blobs.withhold(&a.story.uploaded.revision) => BundleInvalid, "bundle.sha256";
    another_input: |a| {
        a.rig.blobs.exchange(a.story.input, br#"{"since":"2020-01-01T00:00:00Z","paid_before":"2026-11-21T00:00:00Z"}"#);
    } => InputInvalid, "the input";
    a_cut_input: |a| a.rig.blobs.exchange(a.story.input, b"{") => InputInvalid, "the input";
    a_withheld_input: |a| a.rig.blobs.withhold(&a.story.input) => InputInvalid, "the input";
}

// The same order for production, with the status that it needs.
orders! { on_production;
    no_status: |a| a.docs().status = None => StatusMissing, "has no status";
    a_frozen_status: |a| a.freezes_the_status() => StatusExpired, "and it is";
    a_status_from_before_a_stop: |a| a.stopped_by_carol("mallory").await => StatusDiffers, "stops";
    a_status_that_hides_a_stop_kept_from_the_runner: |a| a.hides_a_stop() => StatusDiffers, "stops";
    a_status_by_nobody_in_the_role: |a| a.docs().status = Some(a.status_by("bob")) => DocumentInvalid, "status";
    a_longer_status: |a| {
        let mut status = a.docs().status.clone().unwrap();
        alter(&mut status, "\"not_after\":\"2026-11-23T20:0", "\"not_after\":\"2026-11-23T20:1");
        a.docs().status = Some(status);
    } => DocumentInvalid, "status";
    a_status_for_another_trust_domain: |a| a.docs().status = Some(a.status_of_staging()) => DocumentInvalid, "trust domain";
    a_lift_in_the_envelope_of_a_status: |a| {
        let stop = a.stop_by("carol");
        a.docs().status = Some(retype(&a.lifted_by("carol", &stop), "status"));
    } => DocumentInvalid, "status";
}

// The runner's own directory, changed between two runs while it is down. It refuses to start, denies
// the next order, keeps a recording back, or goes on as if nothing had been done.
homes! {
    no_pin: |h| h.removes("pinned.json") => refuses("not enrolled");
    a_torn_pin: |h| h.cuts("pinned.json", 1) => refuses("malformed");
    a_pin_with_a_field_more: |h| h.edits("pinned.json", |t| t.replacen('{', "{\"trust_all\":true,", 1))
        => refuses("malformed");
    a_pin_of_another_keyring: |h| h.edits("pinned.json", |t| json(&t, "/keyring/digest", h.other_digest()))
        => denies(DocumentInvalid, "keyring");
    a_pin_of_a_later_keyring: |h| h.edits("pinned.json", |t| json(&t, "/keyring/version", 9))
        => denies(DocumentInvalid, "keyring");
    a_pin_of_another_trust_domain: |h| h.edits("pinned.json", |t| t.replace("company.test", "staging.test"))
        => denies(DocumentInvalid, "trust domain");
    no_journal: |h| h.removes("ledger/journal") => refuses("0 entries");
    an_older_journal: |h| h.restores("ledger/journal") => refuses("entries");
    a_cut_journal: |h| h.cuts("ledger/journal", 200) => refuses("entries");
    a_journal_with_a_byte_changed: |h| h.flips("ledger/journal", 900) => refuses("journal");
    a_journal_of_another_log: |h| h.edits_bytes("ledger/journal", b"company.test/runner-1", b"company.test/runner-9")
        => refuses("runner-9");
    a_checkpoint_of_another_root: |h| h.flips_line("ledger/checkpoint", 2) => refuses("checkpoint");
    a_checkpoint_of_a_longer_log: |h| h.sets_line("ledger/checkpoint", 1, "9999") => refuses("checkpoint");
    a_checkpoint_that_is_no_text: |h| h.writes("ledger/checkpoint", &[0xff, 0xfe]) => refuses("checkpoint");
    an_older_checkpoint: |h| h.restores("ledger/checkpoint") => goes_on();
    no_checkpoint: |h| h.removes("ledger/checkpoint") => goes_on();
    a_recording_with_a_byte_changed: |h| h.flips(&h.recording(), 100) => keeps_back();
    a_cut_recording: |h| h.cuts(&h.recording(), 1) => keeps_back();
    an_empty_recording: |h| h.writes(&h.recording(), b"") => keeps_back();
    a_forged_recording_of_a_run_that_never_was: |h| h.copies(&h.recording(), "recordings/run_019ab000-0000-7000-8000-000000000001.rec")
        => goes_on();
    a_compiled_component_with_a_byte_changed: |h| h.flips(&h.artifact(), 5000) => goes_on();
    a_cut_compiled_component: |h| h.cuts(&h.artifact(), 4096) => goes_on();
    the_compiled_code_of_another_component: |h| h.swaps_artifacts() => goes_on();
}

// Evidence, receipt, output and recording as the server hands them out: `verify` says what is wrong.
answers! {
    another_version: |e| e.set("/v", 2) => "version";
    a_field_more: |e| e.set("/note", "trust me") => "no evidence file";
    a_changed_outcome: |e| e.alter_receipt("\"succeeded\"", "\"cancelled\"") => "receipt is not valid";
    another_output_in_the_receipt: |e| e.alter_receipt("\"output\":\"sha256:", "\"output\":\"sha256:0") => "receipt is not valid";
    fewer_rows_in_the_receipt: |e| e.alter_receipt("\"rows\":", "\"rows\":1") => "receipt is not valid";
    a_receipt_signed_by_mallory: |e| e.receipt_by("mallory") => "receipt is not valid";
    the_receipt_of_another_run: |e| e.take("/receipt") => "different runs";
    the_proof_of_another_run: |e| e.take("/proof") => "different runs";
    another_place_in_the_log: |e| e.set("/proof/index", 0) => "not proved";
    another_leaf: |e| e.alter("/proof/leaf", "succeeded", "cancelled") => "not proved";
    the_leaf_of_another_run: |e| e.take("/proof/leaf") => "not proved";
    a_shorter_path: |e| e.shorten("/proof/inclusion") => "not proved";
    the_path_of_another_leaf: |e| e.take("/proof/inclusion") => "not proved";
    an_unsigned_checkpoint: |e| e.cut_from("/proof/checkpoint", "\n\n") => "checkpoint";
    a_longer_log_in_the_checkpoint: |e| e.set_line("/proof/checkpoint", 1, "9999") => "checkpoint";
    a_checkpoint_by_another_key: |e| e.checkpoint_by_another_key() => "checkpoint";
    a_keyring_signed_by_mallory: |e| e.keyring_by("mallory") => "those of the trust domain";
    a_policy_that_names_another_key: |e| e.policy_with_runner_key("mallory") => "those of the trust domain";
    everything_of_another_company: |e| e.take_company() => "no log of the trust file";
    no_receipt: |e| e.remove("/receipt") => "no evidence file";
    no_proof: |e| e.remove("/proof") => "no evidence file";
    an_output_with_a_byte_changed: |e| flip(&mut e.output, 40) => "the output is";
    the_output_of_another_run: |e| e.take_output() => "the output is";
    a_recording_with_a_byte_changed_on_its_way: |e| flip(&mut e.recording, 40) => "the recording is";
    the_recording_of_another_run: |e| e.take_recording() => "the recording is";
    a_cut_recording_on_its_way: |e| e.recording.pop() => "the recording is";
}

// Every table of the store, by SQL, while the server is down. It refuses to start, or the next run is
// denied by the runner, or what it shows is found out by `verify`, or the change changes nothing.
stores! { Down;
    no_approvals: "DELETE FROM documents WHERE kind = 'approval'" => denies(ApprovalMissing);
    no_reviews: "DELETE FROM documents WHERE kind = 'review'" => denies(ReviewMissing);
    no_submissions: "DELETE FROM documents WHERE kind = 'submission'" => denies(SubmissionMissing);
    no_access_requests: "DELETE FROM documents WHERE kind = 'access-request'" => refuses_the_order();
    the_review_in_the_row_of_the_approval: swap("review", "approval") => denies(DocumentInvalid);
    the_approval_in_the_row_of_the_access_request: swap("approval", "access-request") => refuses_the_order();
    an_approval_called_a_review: "UPDATE documents SET kind = 'review' WHERE kind = 'approval'" => denies(ApprovalMissing);
    an_approval_moved_to_another_request: "UPDATE documents SET request = 'req_019ab000-0000-7000-8000-000000000001' WHERE kind = 'approval'"
        => denies(ApprovalMissing);
    a_review_moved_to_another_revision: "UPDATE documents SET revision = (SELECT digest FROM documents LIMIT 1) WHERE kind = 'review'"
        => denies(ReviewMissing);
    an_erased_approval: "UPDATE documents SET envelope = x'' WHERE kind = 'approval'" => denies(ApprovalMissing);
    an_approval_under_another_digest: "UPDATE documents SET digest = 'sha256:0000000000000000000000000000000000000000000000000000000000000000' WHERE kind = 'approval'"
        => refuses("changed by hand");
    an_approval_of_another_entry: "UPDATE documents SET ledger_index = 0 WHERE kind = 'approval'" => refuses("changed by hand");
    an_approval_of_an_entry_that_is_not_there: "UPDATE documents SET ledger_index = 99999 WHERE kind = 'approval'" => refuses("");
    an_approval_that_nobody_filed: "INSERT INTO documents SELECT 'apr_019ab000-0000-7000-8000-000000000001', kind,
        'sha256:0000000000000000000000000000000000000000000000000000000000000000', envelope, revision, request, person, created_ms, ledger_index
        FROM documents WHERE kind = 'approval'" => refuses("changed by hand");
    a_stop_taken_out: "DELETE FROM documents WHERE kind = 'stop'" => changes_nothing();
    a_policy_taken_out: "DELETE FROM documents WHERE kind = 'policy'" => changes_nothing();
    another_list_of_files_of_the_revision: "UPDATE revisions SET bundle_index = x'00'" => changes_nothing();
    another_uploader: "UPDATE revisions SET uploader = 'mallory'" => changes_nothing();
    other_digests_of_the_files: "UPDATE files SET digest = (SELECT digest FROM documents LIMIT 1)" => changes_nothing();
    a_run_that_was_spent_queued_again: "UPDATE runs SET state = '{\"phase\":\"queued\"}', started_ms = NULL, ended_ms = NULL"
        => spends_nothing_again();
    a_run_that_was_spent_forgotten: "DELETE FROM run_events; DELETE FROM runs" => spends_nothing_again();
    the_order_of_a_run_forgotten_as_well: "DELETE FROM run_events; DELETE FROM runs; DELETE FROM documents WHERE kind IN ('run-request', 'receipt')"
        => spends_nothing_again();
    another_result_of_a_run: "UPDATE runs SET result = (SELECT digest FROM files LIMIT 1)" => is_found_out();
    another_receipt_of_a_run: "UPDATE runs SET receipt = (SELECT id FROM documents WHERE kind = 'approval')" => is_found_out();
    a_run_that_is_said_to_have_failed: "UPDATE runs SET state = '{\"phase\":\"ended\",\"outcome\":{\"state\":\"failed\"}}'" => is_found_out();
    a_receipt_with_another_envelope: swap("review", "receipt") => is_found_out();
    other_events_of_a_run: "UPDATE run_events SET body = '{}'" => changes_nothing();
    a_session_of_mallory_in_the_name_of_alice: "UPDATE sessions SET person = 'alice' WHERE person = 'mallory'" => signs_nothing();
    sessions_that_never_end: "UPDATE sessions SET expires_ms = 9000000000000, revoked_ms = NULL" => signs_nothing();
    a_challenge_that_never_ends: "INSERT INTO challenges VALUES ('00000000000000000000000000000000', 'http://127.0.0.1:1', 'alice', 9000000000000)"
        => changes_nothing();
    answers_to_calls_that_nobody_made: "INSERT INTO idempotency VALUES ('alice', 'POST /v1/runs', 'k', 'sha256:0000000000000000000000000000000000000000000000000000000000000000', 1, 201, x'7b7d')"
        => changes_nothing();
    an_audit_without_the_run: "DELETE FROM audit_subjects; DELETE FROM audit" => changes_nothing();
    an_audit_that_blames_another: "UPDATE audit SET person = 'carol'" => changes_nothing();
    an_anchor_that_is_no_checkpoint: "UPDATE meta SET anchor = 'nothing'" => refuses("");
    an_anchor_of_a_longer_ledger: "UPDATE meta SET anchor_size = 99999, settled = 99999" => refuses("");
    an_anchor_of_another_root: "UPDATE meta SET anchor = replace(anchor, char(10) || char(10), 'A' || char(10) || char(10))" => refuses("");
    no_anchor: "UPDATE meta SET anchor = '', anchor_size = 0" => changes_nothing();
    a_ledger_that_is_to_be_read_again: "UPDATE meta SET settled = 0" => changes_nothing();
}

// The same while the server serves from it.
stores! { Up;
    approvals_gone_meanwhile: "DELETE FROM documents WHERE kind = 'approval'" => denies(ApprovalMissing);
    the_approval_meanwhile_in_the_row_of_the_review: swap("approval", "review") => denies(DocumentInvalid);
    access_requests_gone_meanwhile: "DELETE FROM documents WHERE kind = 'access-request'" => refuses_the_order();
    a_stop_gone_meanwhile: "DELETE FROM documents WHERE kind = 'stop'" => changes_nothing();
    a_run_forgotten_meanwhile: "DELETE FROM run_events; DELETE FROM runs" => spends_nothing_again();
    another_result_meanwhile: "UPDATE runs SET result = (SELECT digest FROM files LIMIT 1)" => is_found_out();
    a_session_borrowed_meanwhile: "UPDATE sessions SET person = 'alice' WHERE person = 'mallory'" => signs_nothing();
    other_files_meanwhile: "UPDATE files SET digest = (SELECT digest FROM documents LIMIT 1)" => changes_nothing();
}

/// A text without what stands between two others.
fn cut_between(text: &str, from: &str, to: &str) -> String {
    let start = text.find(from).unwrap() + from.len();
    let end = start + text[start..].find(to).unwrap();
    format!("{}{}", &text[..start], &text[end..])
}
