-- What there is and what is promised. The checks are the last line of defence: the code decides before it writes.
CREATE TABLE stock (
    product_id TEXT COLLATE "C" PRIMARY KEY,
    on_hand    BIGINT NOT NULL CHECK (on_hand >= 0),
    reserved   BIGINT NOT NULL CHECK (reserved >= 0 AND reserved <= on_hand)
);

-- What became of each order's goods. A row stays for good: it is why a repeated command does nothing again.
CREATE TABLE reservations (
    order_id TEXT COLLATE "C" PRIMARY KEY,
    state    TEXT COLLATE "C" NOT NULL CHECK (state IN ('reserved', 'refused', 'released', 'issued')),
    lines    TEXT NOT NULL -- [{"product_id": …, "quantity": …}], what is set aside; empty where nothing is
);

-- Goods that came in, by the command that said so, with the answer it was given.
CREATE TABLE receipts (
    command_id  TEXT COLLATE "C" PRIMARY KEY,
    fingerprint TEXT COLLATE "C" NOT NULL,
    product_id  TEXT COLLATE "C" NOT NULL,
    quantity    BIGINT NOT NULL CHECK (quantity > 0),
    available   BIGINT NOT NULL CHECK (available >= 0)
);

-- Events on their way to the log, in the order of the commits.
CREATE TABLE outbox (
    seq        BIGINT PRIMARY KEY,
    event_id   TEXT COLLATE "C" NOT NULL,
    stream     TEXT COLLATE "C" NOT NULL,
    event_type TEXT COLLATE "C" NOT NULL,
    metadata   TEXT NOT NULL,
    data       TEXT NOT NULL,
    refused    TEXT -- why the log will not have it; such a row is kept for an operator
);
