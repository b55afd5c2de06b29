/*
 * check.c -- check: does what a crash left hold?  One state a line on standard
 * input, one verdict a line on standard output.
 *
 *   DIR MIN SIZE ROOT   DIR/log is the state; MIN entries and the tree of SIZE
 *                       with ROOT (hex; "-" none) had been given out
 *   -> ok SIZE | bad INVARIANT WHAT
 *
 * The state is opened for writing, as the broker does after a crash, used,
 * closed, and verified whole.  What is found is told by the first invariant
 * that it breaks (README.md).  The state is changed by it.
 *
 * check spoil DIR: delete one row of the index in DIR/log/index and end.
 */
#include <inttypes.h>
#include <lmdb.h>
#include <malloc.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "broker/check/verify.h"
#include "broker/index/index.h"
#include "broker/log/volumes.h"
#include "lib/base/fs.h"
#include "tests/lib/world.h"

#define NOW_MS  UINT64_C(1795482123000)
#define ORIGIN  "gx.demo/log"
#define DBS_MAX 16

struct state {
	const struct ht_world *world;
	char *log_dir, *index_dir, *fresh_dir;
	uint64_t min, size;
	bool has_root;
	struct ht_hash root;
	uint64_t found; /* entries it came back with */
	char why[500];
};

static bool bad(struct state *s, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

static bool
bad(struct state *s, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(s->why, sizeof(s->why), fmt, ap);
	va_end(ap);
	for (char *at = s->why; *at != '\0'; at++)
		if (*at == '\n')
			*at = ' ';
	return false;
}

/* ---- I1, I3, I4, I6: it opens, and has what was given out ---- */

static bool
opens(struct state *s, struct ht_log **ret)
{
	HT_AUTO(ht_report_free) struct ht_report *report = ht_report_new();
	enum ht_err err =
	    ht_log_open(s->log_dir, ORIGIN, s->world->log_key, report, ret);

	if (err == HT_OK)
		return true;
	return bad(s, "I1 it does not open: %s: %s", ht_err_text(err),
	    ht_report_count(report) > 0 ? ht_report_text(report, 0) : "");
}

static bool
has_what_was_given_out(struct state *s, struct ht_log *log)
{
	struct ht_hash root;

	s->found = ht_log_size(log);
	if (s->found < s->size || s->found < s->min)
		return bad(s,
		    "I3 %" PRIu64 " entries, but %" PRIu64 " were acknowledged",
		    s->found, s->size > s->min ? s->size : s->min);
	if (!s->has_root)
		return true;
	if (ht_log_root(log, s->size, &root) != HT_OK ||
	    !ht_hash_eq(&root, &s->root))
		return bad(s,
		    "I4 another tree than that of the checkpoint of %" PRIu64,
		    s->size);
	return true;
}

/* ---- I5: the index found, and one made anew, are the same ---- */

static bool
fill_index(struct state *s, struct ht_log *log, const char *dir)
{
	HT_AUTO(ht_index_close) struct ht_index *index = NULL;
	enum ht_err err = ht_index_open(dir, log, &index);
	bool more = true;

	while (err == HT_OK && more)
		err = ht_index_catch_up(index, 4000, &more);
	return err == HT_OK ? true
	                    : bad(s, "I5 %s: index: %s", dir, ht_err_text(err));
}

static MDB_env *
open_rows(const char *dir, MDB_txn **ret)
{
	MDB_env *env = NULL;

	if (mdb_env_create(&env) != 0 ||
	    mdb_env_set_maxdbs(env, DBS_MAX) != 0 ||
	    mdb_env_open(env, dir, MDB_RDONLY | MDB_NOLOCK, 0) != 0 ||
	    mdb_txn_begin(env, NULL, MDB_RDONLY, ret) != 0) {
		mdb_env_close(env);
		return NULL;
	}
	return env;
}

static bool
same(MDB_val a, MDB_val b)
{
	return a.mv_size == b.mv_size &&
	       memcmp(a.mv_data, b.mv_data, a.mv_size) == 0;
}

/* Row by row; the rows of the databases, not the databases' own records. */
static bool
same_rows(MDB_txn *a, MDB_txn *b, const char *name)
{
	MDB_dbi dbi_a, dbi_b;
	MDB_cursor *at_a, *at_b;
	MDB_val key_a, key_b, val_a, val_b;
	int rc_a = 0, rc_b = 0;

	if (mdb_dbi_open(a, name, 0, &dbi_a) != 0 ||
	    mdb_dbi_open(b, name, 0, &dbi_b) != 0 ||
	    mdb_cursor_open(a, dbi_a, &at_a) != 0 ||
	    mdb_cursor_open(b, dbi_b, &at_b) != 0)
		return false;
	while (rc_a == 0 && rc_b == 0) {
		rc_a = mdb_cursor_get(at_a, &key_a, &val_a, MDB_NEXT);
		rc_b = mdb_cursor_get(at_b, &key_b, &val_b, MDB_NEXT);
		if (rc_a == 0 && rc_b == 0 &&
		    (!same(key_a, key_b) || !same(val_a, val_b)))
			rc_a = -1;
	}
	mdb_cursor_close(at_a);
	mdb_cursor_close(at_b);
	return rc_a == MDB_NOTFOUND && rc_b == MDB_NOTFOUND;
}

static bool
same_index(struct state *s, MDB_txn *a, MDB_txn *b)
{
	MDB_dbi names;
	MDB_cursor *at;
	MDB_val key, val;
	bool good = true;

	if (mdb_dbi_open(a, NULL, 0, &names) != 0 ||
	    mdb_cursor_open(a, names, &at) != 0)
		return bad(s, "I5 the index cannot be walked");
	while (good && mdb_cursor_get(at, &key, &val, MDB_NEXT) == 0) {
		char name[64] = "";

		memcpy(name, key.mv_data,
		    key.mv_size < sizeof(name) ? key.mv_size : 0);
		if (!same_rows(a, b, name))
			good = bad(s,
			    "I5 the index found and the index rebuilt differ "
			    "in %s",
			    name);
	}
	mdb_cursor_close(at);
	return good;
}

static bool
index_holds(struct state *s, struct ht_log *log)
{
	MDB_txn *found = NULL, *fresh = NULL;
	MDB_env *a, *b;
	bool good;

	if (!fill_index(s, log, s->index_dir) ||
	    !fill_index(s, log, s->fresh_dir))
		return false;
	a = open_rows(s->index_dir, &found);
	b = open_rows(s->fresh_dir, &fresh);
	good = a != NULL && b != NULL ? same_index(s, fresh, found)
	                              : bad(s, "I5 the index does not open");
	mdb_txn_abort(found);
	mdb_txn_abort(fresh);
	mdb_env_close(a);
	mdb_env_close(b);
	return good;
}

/* ---- it goes on working; I2: and all of it verifies ---- */

static bool
goes_on(struct state *s, struct ht_log *log)
{
	struct ht_entry e = {.type = HT_ENTRY_STOP,
	    .payload = HT_SLICE("\x81\xa6reason\xa4more", 13)};
	struct ht_slice note;
	enum ht_err err = ht_log_append(log, &e, NULL);

	if (err == HT_OK)
		err = ht_log_commit(log, &note);
	return err == HT_OK ? true
	                    : bad(s, "I1 it opens, but takes nothing: %s",
	                          ht_err_text(err));
}

/* Whatever was being closed is closed now, and its rows go. */
static bool
closes(struct state *s, struct ht_log *log)
{
	struct ht_slice note;
	bool more = true;
	uint64_t end;
	enum ht_err err;

	while ((err = ht_volumes_write(log, NULL, &end)) == HT_OK) {
		err = ht_log_keep(log, end);
		if (err == HT_OK)
			err = ht_log_commit(log, &note);
		if (err != HT_OK)
			break;
	}
	if (err == HT_ENOTFOUND)
		err = HT_OK;
	while (err == HT_OK && more)
		err = ht_log_forget(log, &more);
	return err == HT_OK
	           ? true
	           : bad(s, "I1 a volume is not closed: %s", ht_err_text(err));
}

static bool
verifies(struct state *s)
{
	struct ht_pub pub = ht_key_pub(s->world->log_key);
	struct ht_vkey vkey;
	struct ht_verify v = {.vkey = &vkey, .trust = s->world->trust};
	enum ht_err err = ht_vkey_make(ORIGIN, &pub, &vkey);

	if (err == HT_OK)
		err = ht_verify_log(s->log_dir, &v);
	if (err != HT_OK)
		return bad(s, "I2 it does not verify: %s: %s", ht_err_text(err),
		    v.bad);
	if (v.no_key > 0)
		return bad(
		    s, "I2 %" PRIu64 " bundles by unknown keys", v.no_key);
	return v.size == s->found + 1
	           ? true
	           : bad(s, "I2 %" PRIu64 " entries instead of %" PRIu64,
	                 v.size, s->found + 1);
}

static bool
holds(struct state *s)
{
	HT_AUTO(ht_log_close) struct ht_log *log = NULL;

	if (!opens(s, &log) || !has_what_was_given_out(s, log) ||
	    !index_holds(s, log) || !goes_on(s, log) || !closes(s, log))
		return false;
	ht_log_close(&log);
	return verifies(s);
}

static void
check_line(const struct ht_world *world, char *line)
{
	struct state s = {.world = world};
	char dir[4096], root[80];

	if (sscanf(line, "%4095s %" SCNu64 " %" SCNu64 " %79s", dir, &s.min,
	        &s.size, root) != 4) {
		printf("bad line\n");
		return;
	}
	s.has_root = ht_unhex(root, s.root.at, HT_HASH_SIZE) == HT_OK;
	s.log_dir = ht_fs_join(dir, "log");
	s.index_dir = ht_fs_join(s.log_dir, "index");
	s.fresh_dir = ht_fs_join(dir, "fresh");
	if (holds(&s))
		printf("ok %" PRIu64 "\n", s.found);
	else
		printf("bad %s\n", s.why);
	fflush(stdout);
	free(s.log_dir);
	free(s.index_dir);
	free(s.fresh_dir);
}

/* ---- a control: a row that is gone ---- */

static int
spoil(const char *dir)
{
	MDB_env *env;
	MDB_txn *txn;
	MDB_dbi dbi;
	MDB_cursor *at;
	MDB_val key, val;
	int rc = mdb_env_create(&env);

	if (rc == 0)
		rc = mdb_env_set_maxdbs(env, DBS_MAX);
	if (rc == 0)
		rc = mdb_env_open(env, dir, 0, 0600);
	if (rc == 0)
		rc = mdb_txn_begin(env, NULL, 0, &txn);
	if (rc == 0)
		rc = mdb_dbi_open(txn, "by_exchange", 0, &dbi);
	if (rc == 0)
		rc = mdb_cursor_open(txn, dbi, &at);
	if (rc == 0)
		rc = mdb_cursor_get(at, &key, &val, MDB_FIRST);
	if (rc == 0)
		rc = mdb_cursor_del(at, 0);
	if (rc == 0)
		rc = mdb_txn_commit(txn);
	if (rc != 0)
		fprintf(stderr, "check: %s: %s\n", dir, mdb_strerror(rc));
	return rc == 0 ? 0 : 1;
}

int
main(int argc, char **argv)
{
	struct ht_world *world;
	char line[8192];

	if (argc == 3 && strcmp(argv[1], "spoil") == 0)
		return spoil(argv[2]);
	if (argc != 1 || ht_keys_init() != HT_OK) {
		fprintf(stderr, "usage: check | check spoil INDEX-DIR\n");
		return 2;
	}
	/* LMDB wants megabytes for each opening: let them stay with us. */
	(void)mallopt(M_MMAP_THRESHOLD, 64 << 20);
	(void)mallopt(M_TRIM_THRESHOLD, 512 << 20);
	world = ht_world_new(NOW_MS);
	while (fgets(line, sizeof(line), stdin) != NULL)
		check_line(world, line);
	ht_world_free(&world);
	return 0;
}
