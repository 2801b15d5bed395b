-- What customers may owe, what orders under way count against it, and what is owed, in minor units. Below nothing is owed
-- where goods came back that were paid for.
CREATE TABLE credit_accounts (
    customer_id  TEXT COLLATE "C" PRIMARY KEY,
    currency     TEXT NOT NULL,
    credit_limit BIGINT NOT NULL CHECK (credit_limit >= 0),
    reserved     BIGINT NOT NULL CHECK (reserved >= 0),
    owed         BIGINT NOT NULL
);

-- What each order holds of its customer's credit. A row stays for good: it is why a repeated command does nothing again.
CREATE TABLE credit_orders (
    order_id    TEXT COLLATE "C" PRIMARY KEY,
    customer_id TEXT COLLATE "C" NOT NULL,
    held        TEXT NOT NULL -- {"left": …, "charged": [[parcel, amount], …], "refunded": […], …}
);

-- Payments of invoices, by the command that said so.
CREATE TABLE credit_payments (
    command_id  TEXT COLLATE "C" PRIMARY KEY,
    customer_id TEXT COLLATE "C" NOT NULL,
    fingerprint TEXT NOT NULL
);
