//! Attacks over HTTP by people with a session and keys of their own, who want to be counted twice, for
//! somebody else, or for something that nobody said. What the matrix shows cell by cell is told here
//! as stories; what a control plane could do is in [`crate::attacks`].

mod documents;
mod papers;
mod people;
mod signatures;
