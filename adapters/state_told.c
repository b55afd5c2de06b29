/*
 * state_told.c -- what became of exchanges, and the documents they went by.
 */
#include <string.h>

#include "adapters/state_in.h"
#include "keys/hash.h"

/* ---- what became of exchanges ---- */

#define TOLD_KEY (HT_ID_SIZE + HT_ID_SIZE + 1)
#define AGE_KEY  (8 + TOLD_KEY)

/* Key in told-age; the rest after 8 bytes is that in told. */
static void
told_key(const struct ht_told *told, uint8_t out[static AGE_KEY])
{
	ht_be64(out, told->ended_ms);
	memcpy(out + 8, told->exchange.at, HT_ID_SIZE);
	memcpy(out + 8 + HT_ID_SIZE, told->record.at, HT_ID_SIZE);
	out[AGE_KEY - 1] = told->served;
}

enum ht_err
ht_state_tell(struct ht_state *state, const struct ht_told *told)
{
	HT_AUTO(ht_buf_fini) struct ht_buf value = HT_BUF(HT_TOLD_MAX);
	uint8_t key[AGE_KEY];
	enum ht_err err = ht_told_encode(told, &value);

	told_key(told, key);
	if (err == HT_OK)
		err = state_group(state);
	if (err == HT_OK)
		err = ht_txn_put(state->txn, TOLD, HT_SLICE(key + 8, TOLD_KEY),
		    ht_buf_slice(&value));
	if (err == HT_OK)
		err = ht_txn_put(state->txn, TOLD_AGE, HT_SLICE(key, AGE_KEY),
		    HT_SLICE("", 0));
	return err;
}

/* The oldest goes; one told again stands in told-age twice, once in told. */
static enum ht_err
untell_one(struct ht_state *state)
{
	static const uint8_t least[8] = {0};
	struct ht_slice key, value;
	uint8_t copy[AGE_KEY];
	enum ht_err err;
	{
		HT_AUTO(ht_seek_close) struct ht_seek *seek = NULL;

		err = ht_seek_open(state->txn, TOLD_AGE, &seek);
		if (err == HT_OK)
			err =
			    ht_seek_ge(seek, HT_SLICE(least, 8), &key, &value);
		if (err == HT_OK && key.len != AGE_KEY)
			err = HT_ESTORE;
		if (err != HT_OK)
			return err;
		memcpy(copy, key.at, AGE_KEY);
	}
	err = ht_txn_del(state->txn, TOLD, HT_SLICE(copy + 8, TOLD_KEY));
	if (err == HT_OK || err == HT_ENOTFOUND)
		err = ht_txn_del(state->txn, TOLD_AGE, HT_SLICE(copy, AGE_KEY));
	return err;
}

enum ht_err
ht_state_untell(struct ht_state *state, uint64_t keep, unsigned max)
{
	uint64_t n = 0;
	enum ht_err err = state_group(state);

	if (err == HT_OK)
		err = ht_txn_count(state->txn, TOLD_AGE, &n);
	for (; err == HT_OK && n > keep && max > 0; n--, max--)
		err = untell_one(state);
	return err == HT_ENOTFOUND ? HT_OK : err;
}

/* Every record whose key begins with the exchange. */
static enum ht_err
walk_exchange(struct ht_seek *seek, const struct ht_id *exchange,
    ht_told_fn *fn, void *arg)
{
	struct ht_slice key, value;
	struct ht_told told;
	unsigned n = 0;
	enum ht_err err =
	    ht_seek_ge(seek, HT_SLICE(exchange->at, HT_ID_SIZE), &key, &value);

	while (err == HT_OK && key.len == TOLD_KEY &&
	       memcmp(key.at, exchange->at, HT_ID_SIZE) == 0) {
		err = ht_told_decode(value, &told);
		if (err != HT_OK)
			return HT_ESTORE;
		n++;
		if (!fn(arg, &told))
			return HT_OK;
		err = ht_seek_next(seek, &key, &value);
	}
	if (n > 0 && (err == HT_OK || err == HT_ENOTFOUND))
		return HT_OK;
	return err == HT_OK ? HT_ENOTFOUND : err;
}

enum ht_err
ht_state_told(struct ht_state *state, const struct ht_id *exchange,
    ht_told_fn *fn, void *arg)
{
	HT_AUTO(ht_txn_abort) struct ht_txn *own = NULL;
	HT_AUTO(ht_seek_close) struct ht_seek *seek = NULL;
	struct ht_txn *txn;
	enum ht_err err = state_reading(state, &own, &txn);

	if (err == HT_OK)
		err = ht_seek_open(txn, TOLD, &seek);
	return err == HT_OK ? walk_exchange(seek, exchange, fn, arg) : err;
}

/* False: that is the end. */
static bool
tell_one(struct ht_txn *txn, struct ht_slice age_key, ht_told_fn *fn, void *arg,
    enum ht_err *err)
{
	struct ht_slice value;
	struct ht_told told;

	if (age_key.len != AGE_KEY) {
		*err = HT_ESTORE;
		return false;
	}
	*err =
	    ht_txn_get(txn, TOLD, HT_SLICE(age_key.at + 8, TOLD_KEY), &value);
	if (*err == HT_ENOTFOUND) {
		*err = HT_OK; /* told again since, and forgotten */
		return true;
	}
	if (*err == HT_OK && ht_told_decode(value, &told) != HT_OK)
		*err = HT_ESTORE;
	return *err == HT_OK && fn(arg, &told);
}

enum ht_err
ht_state_told_last(struct ht_state *state, ht_told_fn *fn, void *arg)
{
	HT_AUTO(ht_txn_abort) struct ht_txn *own = NULL;
	HT_AUTO(ht_seek_close) struct ht_seek *seek = NULL;
	struct ht_txn *txn;
	struct ht_slice key, value;
	enum ht_err err = state_reading(state, &own, &txn);
	enum ht_err told = HT_OK;

	if (err == HT_OK)
		err = ht_seek_open(txn, TOLD_AGE, &seek);
	if (err == HT_OK)
		err = ht_seek_last(seek, &key, &value);
	while (err == HT_OK && tell_one(txn, key, fn, arg, &told))
		err = ht_seek_prev(seek, &key, &value);
	if (told != HT_OK)
		return told;
	return err == HT_ENOTFOUND ? HT_OK : err;
}

/* ---- documents ---- */

enum ht_err
ht_state_note(
    struct ht_state *state, struct ht_slice note, struct ht_hash *ret_hash)
{
	struct ht_hash hash = ht_sha256(note);
	struct ht_slice key = HT_SLICE(hash.at, HT_HASH_SIZE), old;
	enum ht_err err = state_group(state);

	if (err == HT_OK)
		err = ht_txn_get(state->txn, NOTES, key, &old);
	if (err == HT_ENOTFOUND)
		err = ht_txn_put(state->txn, NOTES, key, note);
	if (err == HT_OK)
		*ret_hash = hash;
	return err;
}

enum ht_err
ht_state_noted(
    struct ht_state *state, const struct ht_hash *hash, struct ht_buf *ret)
{
	return state_read(state, NOTES, HT_SLICE(hash->at, HT_HASH_SIZE), ret);
}
