-- What customers may owe, what orders under way count against it, and what is owed, in minor units. Below nothing is owed
-- where goods came back that were paid for.
CREATE TABLE credit_accounts (
    customer_id  TEXT PRIMARY KEY,
    currency     TEXT NOT NULL,
    credit_limit INTEGER NOT NULL CHECK (credit_limit >= 0),
    reserved     INTEGER NOT NULL CHECK (reserved >= 0),
    owed         INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- What each order holds of its customer's credit. A row stays for good: it is why a repeated command does nothing again.
CREATE TABLE credit_orders (
    order_id    TEXT PRIMARY KEY,
    customer_id TEXT NOT NULL,
    held        TEXT NOT NULL -- {"left": …, "charged": [[parcel, amount], …], "refunded": […], …}
) STRICT, WITHOUT ROWID;

-- Payments of invoices, by the command that said so.
CREATE TABLE credit_payments (
    command_id  TEXT PRIMARY KEY,
    customer_id TEXT NOT NULL,
    fingerprint TEXT NOT NULL
) STRICT, WITHOUT ROWID;
