/*
 * verify_volumes.c -- what `verify` asks of closed volumes: each VOLUME entry
 * closes the range before it, no segment of the vault has pieces of two, and
 * each file has the checkpoint of its end.
 */
#include "broker/check/verify_in.h"

#include <stdio.h>

bool
ht_ranges_piece(struct ht_ranges *r, uint32_t segment)
{
	if (segment < r->segment)
		return false;
	r->used = true;
	if (segment > r->newest)
		r->newest = segment;
	return true;
}

bool
ht_ranges_volume(struct ht_ranges *r, uint64_t seq, struct ht_slice payload)
{
	struct ht_volume_said said;

	if (ht_volume_said_decode(payload, &said) != HT_OK ||
	    said.first != r->first || said.first >= seq ||
	    said.segment < r->segment || (r->used && said.segment <= r->newest))
		return false;
	r->first = seq;
	r->segment = r->newest = said.segment;
	r->used = false;
	r->n++;
	return true;
}

/* The rows of @db that are of entries from @from on. */
static enum ht_err
count_from(struct ht_txn *txn, unsigned db, uint64_t from, uint64_t *ret)
{
	HT_AUTO(ht_seek_close) struct ht_seek *seek = NULL;
	struct ht_slice key, value;
	enum ht_err err = ht_seek_open(txn, db, &seek);

	*ret = 0;
	if (err == HT_OK)
		err = ht_seek_ge(
		    seek, HT_SLICE(&from, sizeof(from)), &key, &value);
	for (; err == HT_OK; ++*ret)
		err = ht_seek_next(seek, &key, &value);
	return err == HT_ENOTFOUND ? HT_OK : err;
}

enum ht_err
ht_ranges_bundles(struct ht_log *log, struct ht_txn *txn, uint64_t *ret)
{
	uint64_t kept = atomic_load(&log->volumes.kept);

	return kept == 0 ? ht_txn_count(txn, HT_EV_BUNDLES, ret)
	                 : count_from(txn, HT_EV_BUNDLES, kept, ret);
}

struct ht_volume *
ht_ranges_ended(struct ht_log *log, uint64_t size)
{
	struct ht_volume *volume =
	    size == 0 || size > atomic_load(&log->volumes.kept)
	        ? NULL
	        : ht_volumes_find(&log->volumes, size - 1);

	return volume != NULL && ht_volume_head(volume)->end == size ? volume
	                                                             : NULL;
}
