package sqlite

// Every statement on a content table binds the tenant as ?1; a test reads this
// file and fails on one that does not.
const (
	sqlPing = `INSERT INTO meta (key, value) VALUES (?1, '') ON CONFLICT (key) DO UPDATE SET value = value`

	sqlTenantAdd  = `INSERT INTO tenants (tenant_id, created) VALUES (?1, ?2) ON CONFLICT DO NOTHING`
	sqlTenantList = `SELECT tenant_id FROM tenants ORDER BY tenant_id`

	sqlSeqNext = `INSERT INTO seqs (tenant_id, stream, next) VALUES (?1, ?2, 2)
		ON CONFLICT (tenant_id, stream) DO UPDATE SET next = next + 1 RETURNING next - 1`

	sqlKVGet = `SELECT version, size, updated, expires_at, value FROM kv
		WHERE tenant_id = ?1 AND scope = ?2 AND scope_id = ?3 AND key = ?4 AND (expires_at IS NULL OR expires_at > ?5)`
	sqlKVPut = `INSERT INTO kv (tenant_id, scope, scope_id, key, version, size, created, updated, expires_at, value)
		VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7, ?8, ?9)
		ON CONFLICT (tenant_id, scope, scope_id, key) DO UPDATE SET
		version = excluded.version, size = excluded.size, updated = excluded.updated,
		expires_at = excluded.expires_at, value = excluded.value`
	sqlKVDelete = `DELETE FROM kv WHERE tenant_id = ?1 AND scope = ?2 AND scope_id = ?3 AND key = ?4`
	sqlKVList   = `SELECT key, version, size, updated, expires_at FROM kv
		WHERE tenant_id = ?1 AND scope = ?2 AND scope_id = ?3 AND key >= ?4 AND key < ?5 AND key > ?6
		AND (expires_at IS NULL OR expires_at > ?7) ORDER BY key LIMIT ?8`
	sqlKVCount = `SELECT count(*) FROM kv
		WHERE tenant_id = ?1 AND scope = ?2 AND scope_id = ?3 AND key >= ?4 AND key < ?5
		AND (expires_at IS NULL OR expires_at > ?6)`
	sqlKVClear = `DELETE FROM kv
		WHERE tenant_id = ?1 AND scope = ?2 AND scope_id = ?3 AND key >= ?4 AND key < ?5`
	sqlKVTouch = `UPDATE kv SET expires_at = ?5
		WHERE tenant_id = ?1 AND scope = ?2 AND scope_id = ?3 AND key = ?4 AND (expires_at IS NULL OR expires_at > ?6)`
	sqlKVCollect = `DELETE FROM kv WHERE rowid IN
		(SELECT rowid FROM kv WHERE tenant_id = ?1 AND expires_at <= ?2 LIMIT ?3)`

	sqlTokenAdd = `INSERT INTO tokens (id, hash, name, tenant_id, scopes, created, expires_at)
		VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT DO NOTHING`
	sqlTokenGet = `SELECT id, hash, name, tenant_id, scopes, created, expires_at FROM tokens
		WHERE hash = ?1 AND (expires_at IS NULL OR expires_at > ?2)`
	sqlTokenList   = `SELECT id, hash, name, tenant_id, scopes, created, expires_at FROM tokens ORDER BY id`
	sqlTokenDelete = `DELETE FROM tokens WHERE id = ?1`
)
