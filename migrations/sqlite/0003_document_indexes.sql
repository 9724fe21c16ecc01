-- Every run adds two documents of its revision and one of its access request, so what belongs to one
-- of them is found by kind as well.

DROP INDEX documents_by_revision;
DROP INDEX documents_by_request;
CREATE INDEX documents_by_revision ON documents (revision, kind, ledger_index) WHERE revision IS NOT NULL;
CREATE INDEX documents_by_request ON documents (request, kind, ledger_index) WHERE request IS NOT NULL;
