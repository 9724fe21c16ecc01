-- Entries are projected in the ledger's order, many in one transaction, so that one number says how far.

DROP TABLE applied;
