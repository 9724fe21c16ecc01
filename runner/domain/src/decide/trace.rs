//! The derivation, step by step: the one place where a rule's answer is taken down.
//!
//! [`super::decide()`] and [`super::explain()`] walk the same rules through this; the one keeps only
//! the first no, the other everything, so that they cannot tell different stories.

use serde::{Deserialize, Serialize};

use super::{Denial, Rule};

/// One rule of a derivation, and how it came out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// The rule; of a step that is not satisfied, the one that denies.
    pub rule: Rule,
    /// Whether it holds.
    pub satisfied: bool,
    /// The fact in words.
    pub fact: String,
    /// What would help; `None` for a rule that holds.
    pub help: Option<String>,
    /// Ids of the documents that were counted for it.
    pub documents: Vec<String>,
}

/// What a satisfied rule says for itself.
pub(super) struct Said {
    fact: String,
    documents: Vec<String>,
}

pub(super) fn said(fact: impl Into<String>) -> Said {
    Said { fact: fact.into(), documents: Vec::new() }
}

impl Said {
    pub(super) fn by<I: ToString>(mut self, ids: impl IntoIterator<Item = I>) -> Self {
        self.documents.extend(ids.into_iter().map(|id| id.to_string()));
        self
    }
}

/// Takes down each rule's answer.
pub(super) struct Trace {
    denial: Option<Denial>,
    /// `None` while nobody wants to read them: sentences cost more than rules.
    steps: Option<Vec<Step>>,
}

impl Trace {
    pub(super) const fn deciding() -> Self {
        Self { denial: None, steps: None }
    }

    pub(super) const fn explaining() -> Self {
        Self { denial: None, steps: Some(Vec::new()) }
    }

    /// Takes down one rule; its value when it holds.
    pub(super) fn step<T>(
        &mut self,
        rule: Rule,
        result: Result<T, Denial>,
        say: impl FnOnce(&T) -> Said,
    ) -> Option<T> {
        match result {
            Ok(value) => {
                if let Some(steps) = &mut self.steps {
                    let Said { fact, documents } = say(&value);
                    steps.push(Step { rule, satisfied: true, fact, help: None, documents });
                }
                Some(value)
            }
            Err(denial) => {
                if let Some(steps) = &mut self.steps {
                    let Denial { rule, fact, help } = denial.clone();
                    let (help, documents) = (Some(help), Vec::new());
                    steps.push(Step { rule, satisfied: false, fact, help, documents });
                }
                self.denial.get_or_insert(denial);
                None
            }
        }
    }

    pub(super) fn into_denial(self) -> Option<Denial> {
        self.denial
    }

    pub(super) fn into_steps(self) -> Vec<Step> {
        self.steps.unwrap_or_default()
    }
}
