/*
 * spoil -- what somebody with the log's files does to them.
 *
 *   spoil raw DIR HOW N            in place, as with an editor
 *   spoil again DIR NEW KEY HOW N  the whole log anew, with the log's key:
 * every hash, signature and the anchor fit
 *
 * HOW: keep; alter, drop, swap (with the next), insert (before), back-date
 * entry N; cut the last N.  raw knows alter, drop and cut.  A log to be made
 * anew has no bundles: entries of the broker's own alone.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/log/evidence.h"
#include "keys/keyfile.h"

#define ENTRIES_MAX 1000

static void
must(enum ht_err err, const char *what)
{
	if (err == HT_OK)
		return;
	fprintf(stderr, "spoil: %s: %s\n", what, ht_err_text(err));
	exit(1);
}

/* ---- in place ---- */

static void
raw(const char *dir, const char *how, uint64_t n)
{
	HT_AUTO(ht_mem_free) char *path = NULL;
	struct ht_store *store = NULL;
	struct ht_txn *txn = NULL;
	struct ht_slice value;
	uint8_t leaf[4096];
	uint64_t size;

	if (asprintf(&path, "%s/evidence", dir) == -1)
		exit(1);
	must(ht_store_open(path, HT_STORE_DURABLE, HT_EV_MAP, ht_ev_dbs,
	         HT_EV_COUNT, &store),
	    path);
	must(ht_txn_begin(store, true, &txn), "begin");
	must(ht_txn_count(txn, HT_EV_ENTRIES, &size), "count");
	if (strcmp(how, "alter") == 0) {
		must(ht_txn_get_u64(txn, HT_EV_ENTRIES, n, &value), "get");
		memcpy(leaf, value.at, value.len);
		leaf[value.len - HT_HASH_SIZE - 1] ^= 1;
		must(ht_txn_put_u64(
		         txn, HT_EV_ENTRIES, n, HT_SLICE(leaf, value.len)),
		    "put");
	} else {
		uint64_t first = strcmp(how, "cut") == 0 ? size - n : n;
		uint64_t end = strcmp(how, "cut") == 0 ? size : n + 1;

		for (uint64_t i = first; i < end; i++)
			must(ht_txn_del(
			         txn, HT_EV_ENTRIES, HT_SLICE(&i, sizeof(i))),
			    "delete");
	}
	must(ht_txn_commit(&txn), "commit");
	ht_store_close(&store);
}

/* ---- anew ---- */

struct leaves {
	size_t n;
	struct ht_buf at[ENTRIES_MAX];
	struct ht_entry entries[ENTRIES_MAX];
};

static enum ht_err
take(void *arg, uint64_t seq, struct ht_slice leaf)
{
	struct leaves *all = arg;
	struct ht_buf *at = &all->at[all->n];

	(void)seq;
	if (all->n == ENTRIES_MAX)
		return HT_ETOOBIG;
	*at = HT_BUF(HT_LEAF_MAX);
	ht_buf_add(at, leaf.at, leaf.len);
	must(at->err, "copy");
	return ht_entry_decode(ht_buf_slice(at), &all->entries[all->n++]);
}

static void
change(struct leaves *all, const char *how, size_t n)
{
	struct ht_entry *e = &all->entries[n], other;

	if (strcmp(how, "alter") == 0) {
		/* {"act": "forgive", ...}: another word, as good a map. */
		((uint8_t *)(uintptr_t)e->payload.at)[7] ^= 1;
	} else if (strcmp(how, "drop") == 0) {
		memmove(e, e + 1, (--all->n - n) * sizeof(*e));
	} else if (strcmp(how, "insert") == 0) {
		memmove(e + 1, e, (all->n++ - n) * sizeof(*e));
	} else if (strcmp(how, "swap") == 0) {
		other = e[0];
		e[0] = e[1];
		e[1] = other;
	} else if (strcmp(how, "back-date") == 0) {
		e->time_us = n > 0 ? e[-1].time_us : e->time_us - 1000000;
	} else if (strcmp(how, "cut") == 0) {
		all->n -= n;
	}
}

static void
again(const char *dir, const char *to, const char *key_path, const char *how,
    size_t n)
{
	static struct leaves all;
	HT_AUTO(ht_report_free) struct ht_report *report = ht_report_new();
	HT_AUTO(ht_log_close) struct ht_log *old = NULL, *new = NULL;
	HT_AUTO(ht_key_free) struct ht_key *key = NULL;
	struct ht_keyfile file;
	struct ht_slice note;

	must(ht_keyfile_read(key_path, HT_KEY_LOG, NULL, &key, &file, report),
	    key_path);
	must(ht_log_open(dir, NULL, NULL, report, &old), dir);
	must(ht_log_walk(old, 0, ht_log_size(old), take, &all), "walk");
	change(&all, how, n);
	must(ht_log_open(to, file.name, key, report, &new), to);
	for (size_t i = 0; i < all.n; i++)
		must(ht_log_append(new, &all.entries[i], NULL), "append");
	must(ht_log_commit(new, &note), "commit");
}

int
main(int argc, char **argv)
{
	must(ht_keys_init(), "keys");
	if (argc == 5 && strcmp(argv[1], "raw") == 0)
		raw(argv[2], argv[3], strtoull(argv[4], NULL, 10));
	else if (argc == 7 && strcmp(argv[1], "again") == 0)
		again(argv[2], argv[3], argv[4], argv[5],
		    strtoull(argv[6], NULL, 10));
	else {
		fputs("usage: spoil raw DIR HOW N | again DIR NEW KEY HOW N\n",
		    stderr);
		return 2;
	}
	return 0;
}
