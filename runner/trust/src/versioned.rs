//! What keyring, directory and policy have in common: they come in versions, people edit them as
//! text, and the next version is read as its difference to the one in force.

use domain::Digest;

use crate::change::{self, Change};
use crate::document::Document;
use crate::documents::{Directory, Keyring, Policy, Role};
use crate::source::{of_directory, of_keyring, of_policy};

/// One of the three documents that say who may do what.
pub trait Versioned: Document {
    /// Whose holders sign it.
    const ROLE: Role;

    /// From 1.
    fn version(&self) -> u64;

    /// The digest of the version before; `None` for version 1.
    fn previous(&self) -> Option<Digest>;

    /// The text that people edit.
    fn source(&self) -> String;

    /// What `next` changes, the gravest first. Empty only when it says the same.
    fn changes(&self, next: &Self) -> Vec<Change>;
}

impl Versioned for Keyring {
    const ROLE: Role = Role::Root;

    fn version(&self) -> u64 {
        self.version
    }

    fn previous(&self) -> Option<Digest> {
        self.previous
    }

    fn source(&self) -> String {
        of_keyring(self)
    }

    fn changes(&self, next: &Self) -> Vec<Change> {
        change::of_keyring(self, next)
    }
}

impl Versioned for Directory {
    const ROLE: Role = Role::Directory;

    fn version(&self) -> u64 {
        self.version
    }

    fn previous(&self) -> Option<Digest> {
        self.previous
    }

    fn source(&self) -> String {
        of_directory(self)
    }

    fn changes(&self, next: &Self) -> Vec<Change> {
        change::of_directory(self, next)
    }
}

impl Versioned for Policy {
    const ROLE: Role = Role::Policy;

    fn version(&self) -> u64 {
        self.version
    }

    fn previous(&self) -> Option<Digest> {
        self.previous
    }

    fn source(&self) -> String {
        of_policy(self)
    }

    fn changes(&self, next: &Self) -> Vec<Change> {
        change::of_policy(self, next)
    }
}
