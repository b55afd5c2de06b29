#include "tests/lib/logged.h"

struct ht_world *ht_logged_world;
struct ht_vkey ht_logged_vkey;

int
ht_logged_make_world(void **state)
{
	struct ht_pub pub;

	(void)state;
	assert_ok(ht_keys_init());
	ht_logged_world = ht_world_new(HT_LOGGED_NOW_MS);
	pub = ht_key_pub(ht_logged_world->log_key);
	assert_ok(ht_vkey_make(HT_LOGGED_ORIGIN, &pub, &ht_logged_vkey));
	return 0;
}

int
ht_logged_drop_world(void **state)
{
	(void)state;
	ht_world_free(&ht_logged_world);
	return 0;
}

void
ht_logged_open(struct ht_logged *l, const struct ht_key *key)
{
	ht_report_free(&l->report);
	l->report = ht_report_new();
	assert_ok(
	    ht_log_open(l->log_dir, HT_LOGGED_ORIGIN, key, l->report, &l->log));
	assert_ok(ht_index_open(l->index_dir, l->log, &l->index));
	l->h.log = l->log;
}

void
ht_logged_close(struct ht_logged *l)
{
	ht_index_close(&l->index);
	ht_log_close(&l->log);
	ht_report_free(&l->report);
}

void
ht_logged_start(struct ht_logged *l)
{
	memset(l, 0, sizeof(*l));
	ht_test_dir(l->dir);
	(void)snprintf(l->log_dir, sizeof(l->log_dir), "%s/log", l->dir);
	(void)snprintf(
	    l->index_dir, sizeof(l->index_dir), "%s/index", l->log_dir);
	ht_logged_open(l, ht_logged_world->log_key);
	ht_history_init(&l->h, ht_logged_world, l->log);
	ht_history_start(&l->h);
}

void
ht_logged_finish(struct ht_logged *l)
{
	ht_logged_close(l);
	ht_test_dir_remove(l->dir);
}

void
ht_logged_index(struct ht_logged *l, size_t step)
{
	bool more = true;

	while (more)
		assert_ok(ht_index_catch_up(l->index, step, &more));
	assert_int_equal(ht_index_upto(l->index), ht_log_size(l->log));
}
