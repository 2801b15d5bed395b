-- What there is and what is promised. The checks are the last line of defence: the code decides before it writes.
CREATE TABLE stock (
    product_id TEXT PRIMARY KEY,
    on_hand    INTEGER NOT NULL CHECK (on_hand >= 0),
    reserved   INTEGER NOT NULL CHECK (reserved >= 0 AND reserved <= on_hand)
) STRICT, WITHOUT ROWID;

-- What became of each order's goods. A row stays for good: it is why a repeated command does nothing again.
CREATE TABLE reservations (
    order_id TEXT PRIMARY KEY,
    state    TEXT NOT NULL CHECK (state IN ('reserved', 'refused', 'released', 'issued')),
    lines    TEXT NOT NULL -- [{"product_id": …, "quantity": …}], what is set aside; empty where nothing is
) STRICT, WITHOUT ROWID;

-- Goods that came in, by the command that said so, with the answer it was given.
CREATE TABLE receipts (
    command_id  TEXT PRIMARY KEY,
    fingerprint TEXT NOT NULL,
    product_id  TEXT NOT NULL,
    quantity    INTEGER NOT NULL CHECK (quantity > 0),
    available   INTEGER NOT NULL CHECK (available >= 0)
) STRICT, WITHOUT ROWID;

-- Events on their way to the log, in the order of the commits.
CREATE TABLE outbox (
    seq        INTEGER PRIMARY KEY,
    event_id   TEXT NOT NULL,
    stream     TEXT NOT NULL,
    event_type TEXT NOT NULL,
    metadata   TEXT NOT NULL,
    data       TEXT NOT NULL,
    refused    TEXT -- why the log will not have it; such a row is kept for an operator
) STRICT;
