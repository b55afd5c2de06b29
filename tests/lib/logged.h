/*
 * logged.h -- a world, and a log of it with an index: what every test of the
 * log begins with.
 */
#ifndef HT_TESTS_LIB_LOGGED_H
#define HT_TESTS_LIB_LOGGED_H

#include "tests/lib/test.h"

#include "broker/index/index.h"
#include "tests/lib/history.h"

#define HT_LOGGED_ORIGIN "gx.demo/log"
#define HT_LOGGED_NOW_MS UINT64_C(1795482123000)

/* One for all tests of a program: its set-up and tear-down. */
extern struct ht_world *ht_logged_world;
extern struct ht_vkey ht_logged_vkey; /* of its log key */
int ht_logged_make_world(void **state);
int ht_logged_drop_world(void **state);

struct ht_logged {
	char dir[HT_TEST_PATH_MAX]; /* all of it, and room for more */
	char log_dir[HT_TEST_PATH_MAX + 16];
	char index_dir[HT_TEST_PATH_MAX + 32];
	struct ht_report *report; /* of the last opening */
	struct ht_log *log;
	struct ht_index *index;
	struct ht_history h;
};
/* A new folder, an open log in it, and its first two entries. */
void ht_logged_start(struct ht_logged *l);
void ht_logged_finish(struct ht_logged *l);
/* To write, or (@key NULL) to read; @key is the world's log_key, mostly. */
void ht_logged_open(struct ht_logged *l, const struct ht_key *key);
void ht_logged_close(struct ht_logged *l);
/* The index takes in all there is, @step entries at a time. */
void ht_logged_index(struct ht_logged *l, size_t step);

#endif
