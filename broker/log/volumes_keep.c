/*
 * volumes_keep.c -- the committer's part of closing a volume: the entry that
 * ends a range, the commit that takes a file for its entries, the rows that go.
 */
#include <string.h>

#include "broker/log/evidence.h"
#include "broker/log/period.h"

bool
ht_volumes_due(const struct ht_volumes_conf *conf,
    const struct ht_volumes_state *state, uint64_t size, uint64_t first_us,
    uint64_t now_us, int zone_minutes)
{
	/* The entry that begins it is the one that ended another. */
	uint64_t own = state->first > 0 ? 1 : 0, n = size - state->first;
	char then[HT_DAY_SIZE], now[HT_DAY_SIZE];

	if (n <= own)
		return false;
	if (n >= HT_VOLUME_ENTRIES || (conf->entries > 0 && n >= conf->entries))
		return conf->monthly || conf->entries > 0;
	if (!conf->monthly)
		return false;
	ht_day_text(first_us, zone_minutes, then);
	ht_day_text(now_us, zone_minutes, now);
	return memcmp(then, now, HT_MONTH_LEN) != 0;
}

enum ht_err
ht_log_open_range(struct ht_log *log, struct ht_volumes_state *ret_state,
    uint64_t *ret_first_us)
{
	HT_AUTO(ht_buf_fini) struct ht_buf leaf = HT_BUF(HT_LEAF_MAX);
	struct ht_entry e = {0};
	enum ht_err err;

	*ret_state = log->volumes.state;
	*ret_first_us = 0;
	if (ret_state->first >= ht_log_size(log))
		return HT_OK; /* a log without an entry */
	err = ht_log_read(log, ret_state->first, &leaf);
	if (err == HT_OK)
		err = ht_entry_decode(ht_buf_slice(&leaf), &e);
	*ret_first_us = e.time_us;
	return err;
}

enum ht_err
ht_log_volumes_now(struct ht_log *log, struct ht_volumes_now *ret)
{
	HT_AUTO(ht_txn_abort) struct ht_txn *txn = NULL;
	struct ht_volume *oldest = ht_volumes_at(&log->volumes, 0);
	enum ht_err err = ht_txn_begin(log->store, false, &txn);

	*ret =
	    (struct ht_volumes_now){.files = ht_volumes_count(&log->volumes)};
	if (oldest != NULL) {
		ret->first = ht_volume_head(oldest)->first;
		ret->end = ht_volume_head(oldest)->end;
	}
	return err == HT_OK ? ht_volumes_get(txn, &ret->state) : err;
}

/* ---- the entry ---- */

/* The one of this size was given out; what proves the volume must be kept. */
static enum ht_err
store_checkpoint(struct ht_log *log)
{
	uint64_t size = log->head.frontier.size;

	if (log->cps_size == size)
		return HT_OK;
	log->cps_size = size;
	return ht_txn_append_u64(
	    log->txn, HT_EV_CPS, size, ht_buf_slice(&log->notes[log->newest]));
}

enum ht_err
ht_log_volume(struct ht_log *log, struct ht_buf *payload)
{
	uint64_t size = log->head.frontier.size;
	struct ht_volume_said said = {.first = log->volumes.state.first};
	enum ht_err err;

	if (ht_log_next(log) != size || log->act != NULL ||
	    size <= said.first + (said.first > 0 ? 1 : 0))
		return HT_EINVALID;
	if (ht_volumes_count(&log->volumes) >= log->volumes.max)
		return HT_ETOOBIG;
	err = ht_log_group(log);
	if (err != HT_OK)
		return err;
	err = store_checkpoint(log);
	if (err == HT_OK)
		err = ht_vault_part(log->vault);
	if (err != HT_OK)
		return ht_log_poison(log, err);
	said.segment = ht_vault_next(log->vault).segment;
	ht_volume_said_pack(&said, payload);
	return payload->err;
}

/* ---- the file ---- */

/* It ends where it must, and its root is the one that this log has there. */
static enum ht_err
check_coming(struct ht_log *log, const struct ht_volume *volume, uint64_t end)
{
	const struct ht_volume_head *head = ht_volume_head(volume);
	struct ht_checkpoint cp;
	struct ht_note note;
	struct ht_hash root;
	enum ht_err err = ht_note_parse(ht_volume_note(volume), &note);

	if (err == HT_OK)
		err = ht_checkpoint_parse(note.text, &cp);
	if (err == HT_OK)
		err = ht_log_root(log, end, &root);
	if (err != HT_OK)
		return err;
	return memcmp(head->env, log->env, sizeof(head->env)) == 0 &&
	               head->first == log->volumes.state.kept &&
	               head->end == end && ht_hash_eq(&root, &cp.root)
	           ? HT_OK
	           : HT_EINTEGRITY;
}

enum ht_err
ht_log_keep(struct ht_log *log, uint64_t end)
{
	struct ht_volumes *v = &log->volumes;
	HT_AUTO(ht_volume_close) struct ht_volume *volume = NULL;
	HT_AUTO(ht_mem_free)
	char *path = ht_volumes_path(v->dir, v->state.kept, "");
	enum ht_err err;

	if (path == NULL)
		return HT_ENOMEM;
	if (v->coming != NULL || end <= v->state.kept || end > v->state.first)
		return HT_EINVALID;
	/* Ranges may be closed faster than their files are written. */
	if (v->n >= v->max)
		return HT_ETOOBIG;
	err = ht_volume_open_file(path, 0, 0, &volume);
	if (err == HT_OK)
		err = check_coming(log, volume, end);
	if (err == HT_OK)
		err = ht_log_group(log);
	if (err != HT_OK)
		return err;
	v->next.kept = end;
	v->coming = HT_TAKE(volume);
	return ht_log_poison(log, ht_volumes_put(log->txn, &v->next));
}

/* ---- rows ---- */

/* The lowest one; UINT64_MAX: there is none. */
static enum ht_err
find_lowest(struct ht_txn *txn, uint64_t *ret)
{
	HT_AUTO(ht_seek_close) struct ht_seek *seek = NULL;
	struct ht_slice key, value;
	uint64_t zero = 0;
	enum ht_err err = ht_seek_open(txn, HT_EV_ENTRIES, &seek);

	*ret = UINT64_MAX;
	if (err == HT_OK)
		err = ht_seek_ge(
		    seek, HT_SLICE(&zero, sizeof(zero)), &key, &value);
	if (err == HT_OK)
		memcpy(ret, key.at, sizeof(*ret));
	return err == HT_ENOTFOUND ? HT_OK : err;
}

static enum ht_err
delete_row(struct ht_txn *txn, unsigned db, uint64_t seq)
{
	enum ht_err err = ht_txn_del(txn, db, HT_SLICE(&seq, sizeof(seq)));

	return err == HT_ENOTFOUND ? HT_OK : err;
}

static enum ht_err
delete_some(struct ht_txn *txn, uint64_t kept, uint64_t *at)
{
	enum ht_err err = HT_OK;

	if (*at == 0)
		err = find_lowest(txn, at);
	for (unsigned i = 0;
	     err == HT_OK && i < HT_VOLUMES_FORGET && *at < kept; i++) {
		err = delete_row(txn, HT_EV_ENTRIES, *at);
		if (err == HT_OK)
			err = delete_row(txn, HT_EV_BUNDLES, *at);
		++*at;
	}
	return err;
}

enum ht_err
ht_log_forget(struct ht_log *log, bool *ret_more)
{
	struct ht_volumes *v = &log->volumes;
	struct ht_txn *txn = NULL;
	uint64_t kept = v->state.kept, at = v->forget;
	enum ht_err err;

	*ret_more = false;
	if (log->poisoned)
		return HT_ESTORE;
	if (at >= kept || log->txn != NULL)
		return HT_OK;
	err = ht_txn_begin(log->store, true, &txn);
	if (err == HT_OK)
		err = delete_some(txn, kept, &at);
	if (err == HT_OK)
		err = ht_txn_commit(&txn);
	ht_txn_abort(&txn);
	if (err != HT_OK)
		return ht_log_poison(log, err);
	v->forget = at; /* UINT64_MAX: a copy whose files have all it has */
	*ret_more = at < kept;
	return HT_OK;
}
