//! Attacks on what the server hands out about a run: evidence, output and recording, each found out by
//! what `borescope verify` and `borescope run` check.

use domain::{Outcome, RunId};
use executor::evidence::{RunEvidence, parse};
use ledger::{Checkpoint, LogKey, TrustFile};
use serde_json::Value;
use tests::company::{Company, p};
use tests::rig::{Rig, STUCK_ORDERS_INPUT, told};
use tokio::sync::OnceCell;
use trust::{Envelope, Receipt};

/// What the server has of one run.
#[derive(Clone)]
struct Held {
    run: RunId,
    evidence: Value,
    output: Vec<u8>,
    recording: Vec<u8>,
}

/// Two runs of one company and one of another, made once: attacks only read them.
struct Honest {
    company: Company,
    trust: TrustFile,
    mine: Held,
    other: Held,
    elsewhere: Held,
}

async fn held(rig: &Rig, runs: u64) -> Vec<Held> {
    let story = rig.story("stuck-orders", STUCK_ORDERS_INPUT);
    let mut all = Vec::new();
    for number in 1..=runs {
        let (run, order) = rig.order_use(&story, number, |_, _| {});
        let (_, ended) = rig.run(&run, &order).await;
        assert_eq!(ended.outcome, Outcome::Succeeded, "{ended:?}");
        let evidence = serde_json::to_value(rig.evidence(&order, &ended)).unwrap();
        let (output, recording) = (ended.output.unwrap().into_bytes(), rig.recording(&run).await);
        all.push(Held { run, evidence, output, recording });
    }
    all
}

async fn honest() -> &'static Honest {
    static HONEST: OnceCell<Honest> = OnceCell::const_new();
    let make = || async {
        let (rig, foreign) = (Rig::new().await, Rig::founded("another company").await);
        let [mine, other] = held(&rig, 2).await.try_into().unwrap_or_else(|_| panic!("two runs"));
        let elsewhere = held(&foreign, 1).await.remove(0);
        let trust = rig.trust_file();
        Honest { company: rig.company, trust, mine, other, elsewhere }
    };
    HONEST.get_or_init(make).await
}

/// What the adversary hands out in place of the truth.
pub(super) struct Answer {
    honest: &'static Honest,
    evidence: Value,
    pub(super) output: Vec<u8>,
    pub(super) recording: Vec<u8>,
}

/// What is wrong with an answer, by the checks that a client makes.
fn checked(a: &Answer) -> Result<(), String> {
    let evidence: RunEvidence =
        parse(&serde_json::to_vec(&a.evidence).unwrap()).map_err(|e| told(&e))?;
    let verified = evidence.verify(Some(&a.honest.trust)).map_err(|e| told(&e))?;
    if verified.receipt.run != a.honest.mine.run {
        return Err("it is the evidence of another run".to_owned());
    }
    verified.check_output(&a.output).map_err(|e| told(&e))?;
    verified.check_recording(&a.recording).map_err(|e| told(&e))
}

pub(super) async fn found_out(attack: impl FnOnce(&mut Answer), says: &str) {
    let honest = honest().await;
    let Held { evidence, output, recording, .. } = honest.mine.clone();
    let mut answer = Answer { honest, evidence, output, recording };
    checked(&answer).unwrap();
    attack(&mut answer);
    let Err(said) = checked(&answer) else { panic!("nobody notices") };
    assert!(said.contains(says), "{said} does not say {says}");
}

/// Changes one bit.
pub(super) fn flip(bytes: &mut [u8], place: usize) {
    bytes[place] ^= 1;
}

impl Answer {
    fn at(&mut self, pointer: &str) -> &mut Value {
        self.evidence.pointer_mut(pointer).unwrap()
    }

    fn envelope(&self, pointer: &str) -> Envelope {
        serde_json::from_value(self.evidence.pointer(pointer).unwrap().clone()).unwrap()
    }

    pub(super) fn set(&mut self, pointer: &str, value: impl Into<Value>) {
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        let parent = self.evidence.pointer_mut(parent).unwrap().as_object_mut().unwrap();
        parent.insert(name.to_owned(), value.into());
    }

    pub(super) fn remove(&mut self, pointer: &str) {
        let name = pointer.trim_start_matches('/');
        self.evidence.as_object_mut().unwrap().remove(name).unwrap();
    }

    pub(super) fn alter(&mut self, pointer: &str, from: &str, to: &str) {
        let text = self.at(pointer).as_str().unwrap().to_owned();
        assert!(text.contains(from), "{from} is not in {text}");
        *self.at(pointer) = text.replacen(from, to, 1).into();
    }

    pub(super) fn set_line(&mut self, pointer: &str, line: usize, to: &str) {
        let text = self.at(pointer).as_str().unwrap().to_owned();
        let mut lines: Vec<&str> = text.split('\n').collect();
        lines[line] = to;
        *self.at(pointer) = lines.join("\n").into();
    }

    /// What follows `mark` is gone.
    pub(super) fn cut_from(&mut self, pointer: &str, mark: &str) {
        let text = self.at(pointer).as_str().unwrap().to_owned();
        let end = text.find(mark).unwrap() + mark.len();
        *self.at(pointer) = text[..end].into();
    }

    pub(super) fn shorten(&mut self, pointer: &str) {
        self.at(pointer).as_array_mut().unwrap().pop().unwrap();
    }

    /// The same part of the other run's evidence.
    pub(super) fn take(&mut self, pointer: &str) {
        *self.at(pointer) = self.honest.other.evidence.pointer(pointer).unwrap().clone();
    }

    pub(super) fn take_output(&mut self) {
        self.output.clone_from(&self.honest.other.output);
        assert_ne!(self.output, self.honest.mine.output, "both runs say the same");
    }

    pub(super) fn take_recording(&mut self) {
        self.recording.clone_from(&self.honest.other.recording);
    }

    /// Everything, of a run that is all right elsewhere.
    pub(super) fn take_company(&mut self) {
        let Held { evidence, output, recording, .. } = self.honest.elsewhere.clone();
        (self.evidence, self.output, self.recording) = (evidence, output, recording);
    }

    pub(super) fn alter_receipt(&mut self, from: &str, to: &str) {
        let mut receipt = self.envelope("/receipt");
        super::alter(&mut receipt, from, to);
        self.set("/receipt", serde_json::to_value(receipt).unwrap());
    }

    fn put(&mut self, pointer: &str, envelope: &Envelope) {
        self.set(pointer, serde_json::to_value(envelope).unwrap());
    }

    pub(super) fn receipt_by(&mut self, who: &str) {
        let receipt: Receipt = trust::read_unverified(&self.envelope("/receipt")).unwrap();
        self.put("/receipt", &self.honest.company.sign(who, &receipt));
    }

    pub(super) fn keyring_by(&mut self, who: &str) {
        let mut keyring = self.honest.company.keyring_document();
        keyring.keys[0].key = self.honest.company.key(who).public().clone();
        self.put("/keyring", &self.honest.company.sign(who, &keyring));
    }

    pub(super) fn policy_with_runner_key(&mut self, who: &str) {
        let mut policy = self.honest.company.policy_document();
        policy.runners[0].key = self.honest.company.key(who).public().clone();
        self.put("/policy", &self.honest.company.sign(who, &policy));
        self.receipt_by(who);
    }

    /// The same checkpoint, signed by a key under the log's name.
    pub(super) fn checkpoint_by_another_key(&mut self) {
        let text = self.at("/proof/checkpoint").as_str().unwrap().to_owned();
        let (checkpoint, _) = Checkpoint::parse(&text).unwrap();
        let key = LogKey::from_seed(p("company.test/runner-1"), &[9; 32]);
        let forged = checkpoint.sign(&key).unwrap().to_string();
        self.set("/proof/checkpoint", forged);
    }
}

macro_rules! answers {
    ($($name:ident: |$e:ident| $change:expr => $says:literal;)*) => {$(
        #[tokio::test(flavor = "multi_thread")]
        async fn $name() {
            $crate::adversary::answers::found_out(|$e| { let _ = $change; }, $says).await;
        }
    )*};
}
pub(super) use answers;
