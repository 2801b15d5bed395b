-- The number of the last event that was ever written to the outbox, counted within the transaction that writes it.
CREATE TABLE outbox_end (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    seq BIGINT NOT NULL
);
INSERT INTO outbox_end SELECT 1, coalesce(max(seq), 0) FROM outbox;
