-- Control tables: no content of a tenant.
CREATE TABLE meta (
  key   TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE tenants (
  tenant_id TEXT PRIMARY KEY CHECK (tenant_id <> ''),
  created   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE tokens (
  id         TEXT PRIMARY KEY,
  hash       BLOB NOT NULL UNIQUE,
  name       TEXT NOT NULL,
  tenant_id  TEXT NOT NULL CHECK (tenant_id <> ''),
  scopes     TEXT NOT NULL,
  created    INTEGER NOT NULL,
  expires_at INTEGER
) STRICT, WITHOUT ROWID;

-- Content tables: the tenant comes first in every key and index.
CREATE TABLE seqs (
  tenant_id TEXT NOT NULL CHECK (tenant_id <> ''),
  stream    TEXT NOT NULL,
  next      INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, stream)
) STRICT, WITHOUT ROWID;

-- The value is the last column, so that listings do not read its pages.
CREATE TABLE kv (
  tenant_id  TEXT NOT NULL CHECK (tenant_id <> ''),
  scope      TEXT NOT NULL,
  scope_id   TEXT NOT NULL,
  key        TEXT NOT NULL,
  version    INTEGER NOT NULL,
  size       INTEGER NOT NULL,
  created    INTEGER NOT NULL,
  updated    INTEGER NOT NULL,
  expires_at INTEGER,
  value      BLOB NOT NULL,
  PRIMARY KEY (tenant_id, scope, scope_id, key)
) STRICT;

CREATE INDEX kv_expires ON kv (tenant_id, expires_at) WHERE expires_at IS NOT NULL;
