//! One noun a file, one function a route. A handler parses, calls one use-case, and renders.

pub(crate) mod documents;
pub(crate) mod health;
pub(crate) mod log;
pub(crate) mod login;
pub(crate) mod policy;
pub(crate) mod runs;
pub(crate) mod scripts;

use crate::problem::Refusal;

/// What a handler gives back.
pub(crate) type Answer<T> = Result<T, Refusal>;
