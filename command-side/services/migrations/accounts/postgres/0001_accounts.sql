-- Those who sign in. The e-mail address is kept as it was typed and found by its lower-case form.
CREATE TABLE accounts (
    id            TEXT COLLATE "C" PRIMARY KEY,
    email         TEXT NOT NULL,
    email_key     TEXT COLLATE "C" NOT NULL UNIQUE,
    name          TEXT NOT NULL,
    password_hash TEXT NOT NULL,
    roles         TEXT NOT NULL, -- ["customer", …]
    created_at    BIGINT NOT NULL, -- milliseconds since 1970
    command_id    TEXT COLLATE "C" NOT NULL UNIQUE,
    fingerprint   TEXT COLLATE "C" NOT NULL
);

-- One row for each signing in. A refresh replaces the token by the next one; a token that was replaced before shows that
-- someone else has it, and ends the session.
CREATE TABLE sessions (
    id          TEXT COLLATE "C" PRIMARY KEY,
    account_id  TEXT COLLATE "C" NOT NULL REFERENCES accounts (id),
    command_id  TEXT COLLATE "C" NOT NULL UNIQUE,
    fingerprint TEXT COLLATE "C" NOT NULL,
    started_at  BIGINT NOT NULL,
    expires_at  BIGINT NOT NULL,
    revoked_at  BIGINT
);
CREATE INDEX sessions_by_account ON sessions (account_id);

-- Every refresh token of a session, by its digest; never the token itself.
CREATE TABLE refresh_tokens (
    digest      TEXT COLLATE "C" PRIMARY KEY,
    session_id  TEXT COLLATE "C" NOT NULL REFERENCES sessions (id),
    issued_at   BIGINT NOT NULL,
    replaced_by TEXT COLLATE "C" UNIQUE -- the command that replaced it
);
CREATE INDEX refresh_tokens_by_session ON refresh_tokens (session_id);

-- The digest of the one-time token with which the first admin is made; no row once it is used.
CREATE TABLE setup_token (
    "only" INTEGER PRIMARY KEY CHECK ("only" = 1),
    digest TEXT COLLATE "C" NOT NULL
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
