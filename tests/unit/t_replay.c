#include "tests/lib/test.h"

#include "broker/replay.h"

/*
 * A log is written as a word: S is a START and the SNAPSHOT after it, r the
 * SNAPSHOT of a reload, o one as earlier logs have it, d any other entry; the
 * digit after the first three is the snapshot's version.  Notes are issued at
 * the place of their entry.
 */
struct row {
	const char *why;
	const char *log;
	enum ht_err want;
	uint64_t place, version, issued;
};

static const struct row rows[] = {
    {"nothing yet",                  "",             HT_ENOTFOUND,  0,  0, 0 },
    {"one start",                    "S2",           HT_OK,         1,  2, 1 },
    {"and a day",                    "S2ddddd",      HT_OK,         1,  2, 1 },
    {"reloaded",                     "S2dddr3",      HT_OK,         5,  3, 5 },
    {"reloaded, and a day",          "S2dddr3dd",    HT_OK,         5,  3, 5 },
    {"twice",                        "S2dr3ddr9dd",  HT_OK,         6,  9, 6 },
    {"freshened",                    "S2ddr2dd",     HT_OK,         1,  2, 4 },
    {"freshened again and again",    "S2dr2dr2r2dd", HT_OK,         1,  2, 6 },
    {"started again, the same",      "S2ddS2dd",     HT_OK,         1,  2, 5 },
    {"started again with another",   "S2ddS7",       HT_OK,         5,  7, 5 },
    {"the same after a reload",      "S2dr3ddS3ddd", HT_OK,         3,  3, 7 },
    {"many starts",                  "S1S1S1S2S2S5", HT_OK,         11, 5, 11},
    {"an earlier log",               "o2dddo3dd",    HT_OK,         4,  3, 0 },
    {"and what is added to it",      "o2dddr2dd",    HT_OK,         0,  2, 4 },
    {"no SNAPSHOT at all",           "ddd",          HT_EINTEGRITY, 0,  0, 0 },
    {"a START without its SNAPSHOT", "S2ddX3",       HT_EINTEGRITY, 0,  0, 0 },
    {"an entry of another snapshot", "S2ddD3",       HT_EINTEGRITY, 0,  0, 0 },
};

static struct ht_key *key;

static int
make_key(void **state)
{
	static const uint8_t seed[32] = "the log's key, for tests alone..";

	(void)state;
	assert_ok(ht_keys_init());
	assert_ok(ht_key_from_seed(HT_KEY_LOG, seed, &key));
	return 0;
}

static int
drop_key(void **state)
{
	(void)state;
	ht_key_free(&key);
	return 0;
}

static struct ht_hash
hash_of(uint64_t version)
{
	uint8_t bytes[8];

	ht_be64(bytes, version);
	return ht_sha256(HT_SLICE(bytes, sizeof(bytes)));
}

static void
append(struct ht_log *log, unsigned type, uint64_t version, bool early)
{
	HT_AUTO(ht_buf_fini) struct ht_buf payload = HT_BUF(100);
	struct ht_entry e = {.type = type, .snapshot = hash_of(version)};

	ht_pack_map(&payload, type != HT_ENTRY_SNAPSHOT ? 0 : early ? 2 : 4);
	if (type == HT_ENTRY_SNAPSHOT) {
		ht_pack_cstr(&payload, "hash");
		ht_pack_bin(&payload, e.snapshot.at, sizeof(e.snapshot.at));
		if (!early) {
			ht_pack_cstr(&payload, "issued");
			ht_pack_uint(&payload, ht_log_next(log));
			ht_pack_cstr(&payload, "note");
			ht_pack_bin(
			    &payload, e.snapshot.at, sizeof(e.snapshot.at));
		}
		ht_pack_cstr(&payload, "version");
		ht_pack_uint(&payload, version);
	}
	e.payload = ht_buf_slice(&payload);
	assert_ok(ht_log_append(log, &e, NULL));
}

static void
write_log(struct ht_log *log, const char *word)
{
	uint64_t version = 0;
	struct ht_slice note;

	for (const char *at = word; *at != '\0'; at++) {
		if (*at != 'd')
			version = (uint64_t)(at[1] - '0');
		if (*at == 'S' || *at == 'X')
			append(log, HT_ENTRY_START, version, false);
		if (*at == 'S' || *at == 'r' || *at == 'o')
			append(log, HT_ENTRY_SNAPSHOT, version, *at == 'o');
		if (*at == 'd' || *at == 'D')
			append(log, HT_ENTRY_STOP, version, false);
		if (*at != 'd')
			at++;
	}
	if (word[0] != '\0')
		assert_ok(ht_log_commit(log, &note));
}

static void
the_snapshot_in_force_is_found(void **state)
{
	(void)state;
	for (size_t i = 0; i < HT_COUNT(rows); i++) {
		HT_AUTO(ht_report_free)
		struct ht_report *report = ht_report_new();
		char dir[HT_TEST_PATH_MAX];
		struct ht_replay_snapshot found = {0};
		struct ht_hash want = hash_of(rows[i].version);
		struct ht_log *log;
		enum ht_err err;

		assert_ok(ht_log_open(
		    ht_test_dir(dir), "gx.demo/log", key, report, &log));
		write_log(log, rows[i].log);
		err = ht_replay_snapshot(log, &found);
		if (err != rows[i].want)
			fail_msg("%s: %s", rows[i].why, ht_err_text(err));
		if (err == HT_OK && (found.place != rows[i].place ||
		                        found.version != rows[i].version ||
		                        found.issued_ms != rows[i].issued ||
		                        !ht_hash_eq(&found.hash, &want)))
			fail_msg("%s: version %llu at %llu, issued %llu",
			    rows[i].why, (unsigned long long)found.version,
			    (unsigned long long)found.place,
			    (unsigned long long)found.issued_ms);
		ht_log_close(&log);
		ht_test_dir_remove(dir);
	}
}

static void
append_admin(struct ht_log *log, const char *act, const char *detail)
{
	HT_AUTO(ht_buf_fini) struct ht_buf payload = HT_BUF(1000);
	struct ht_entry e = {.type = HT_ENTRY_ADMIN, .snapshot = hash_of(1)};

	ht_pack_map(&payload, 3);
	ht_pack_cstr(&payload, "act");
	ht_pack_cstr(&payload, act);
	ht_pack_cstr(&payload, "by");
	ht_pack_cstr(&payload, "uid 0");
	ht_pack_cstr(&payload, "detail");
	ht_pack_cstr(&payload, detail);
	e.payload = ht_buf_slice(&payload);
	assert_ok(ht_log_append(log, &e, NULL));
}

/* Entries in their order, and from which of them on it is known. */
static void
an_operator_who_did_not_wait_is_remembered(void **state)
{
	static const struct {
		const char *act, *detail;
	} acts[] = {
	    {"resume",  "the operator has looked at the clock"}, /* 0 */
	    {"forgive", HT_REPLAY_RESUMED                     },
	    {"resume",  HT_REPLAY_RESUMED                     },
	    {"stop",    ""	                            },
	};
	HT_AUTO(ht_report_free) struct ht_report *report = ht_report_new();
	char dir[HT_TEST_PATH_MAX];
	struct ht_slice note;
	struct ht_log *log;
	bool resumed = true;

	(void)state;
	assert_ok(
	    ht_log_open(ht_test_dir(dir), "gx.demo/log", key, report, &log));
	assert_ok(ht_replay_resumed(log, 0, &resumed));
	assert_false(resumed);
	for (size_t i = 0; i < HT_COUNT(acts); i++) {
		append_admin(log, acts[i].act, acts[i].detail);
		assert_ok(ht_log_commit(log, &note));
		assert_ok(ht_replay_resumed(log, 0, &resumed));
		assert_int_equal(resumed, i >= 2);
	}
	/* Of a log put back later it says nothing. */
	assert_ok(ht_replay_resumed(log, 3, &resumed));
	assert_false(resumed);
	ht_log_close(&log);
	ht_test_dir_remove(dir);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_snapshot_in_force_is_found),
	    cmocka_unit_test(an_operator_who_did_not_wait_is_remembered),
	};

	return cmocka_run_group_tests(tests, make_key, drop_key);
}
