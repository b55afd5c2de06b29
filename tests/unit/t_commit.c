#include "broker/commit.h"

#include "tests/lib/test.h"

#define S      UINT64_C(1000000)
#define WALL_0 (1795485600 * S)
#define BOOT_0 (5000 * S)

struct reading {
	int64_t wall_s, boot_s; /* since the start */
	bool resume;
	int64_t now_s; /* the log's */
	bool parted;
};

static void
read_all(const struct reading *at, size_t n)
{
	struct ht_log_clock clock = {
	    .now_us = WALL_0, .gap_us = (int64_t)(WALL_0 - BOOT_0)};

	for (size_t i = 0; i < n; i++) {
		(void)ht_log_clock_read(&clock,
		    WALL_0 + (uint64_t)at[i].wall_s * S,
		    BOOT_0 + (uint64_t)at[i].boot_s * S, at[i].resume);
		assert_int_equal(
		    clock.now_us, WALL_0 + (uint64_t)at[i].now_s * S);
		assert_int_equal(clock.parted, at[i].parted);
	}
}

/* A day too far, and back: nothing of it is in the log's time. */
static void
a_leap_forward_is_not_followed(void **state)
{
	static const struct reading at[] = {
	    {10,    10, false, 10, false},
	    {86420, 20, false, 20, true },
	    {86430, 30, false, 30, true },
	    {40,    40, false, 40, true }, /* mended, but nobody agreed */
	    {41,    41, true,  41, false},
	};

	(void)state;
	read_all(at, HT_COUNT(at));
}

static void
an_agreed_leap_is_followed(void **state)
{
	static const struct reading at[] = {
	    {1010, 10, false, 10,   true },
	    {1011, 11, true,  1011, false},
	    {1012, 12, false, 1012, false},
	};

	(void)state;
	read_all(at, HT_COUNT(at));
}

/* Back: time goes on, and never back; agreed, it stands until it is due. */
static void
a_leap_back_never_turns_time(void **state)
{
	static const struct reading at[] = {
	    {100, 100, false, 100, false},
	    {50,  101, false, 101, true },
	    {52,  103, true,  101, false},
	    {60,  111, false, 101, false},
	    {104, 155, false, 104, false},
	};

	(void)state;
	read_all(at, HT_COUNT(at));
}

static void
a_little_apart_is_nothing(void **state)
{
	static const struct reading at[] = {
	    {12, 10, false, 12, false},
	    {18, 20, false, 18, false},
	};

	(void)state;
	read_all(at, HT_COUNT(at));
}

static void
a_full_disk_ends_what_began_and_begins_nothing(void **state)
{
	static const struct {
		const char *why;
		bool parted, held;
		uint64_t room;
		bool begins, answers;
		const char *says;
	} rows[] = {
	    {"room",           false, false, 1000, true,  true,  ""        },
	    {"the last byte",  false, false, 800,  true,  true,  ""        },
	    {"below reserve",  false, false, 799,  false, true,  "full"    },
	    {"an eighth",      false, false, 100,  false, true,  "full"    },
	    {"nearly nothing", false, false, 99,   false, false, "full"    },
	    {"nothing",        false, false, 0,    false, false, "full"    },
	    {"the clock",      true,  false, 1000, false, false, "clock"   },
	    {"put back",       false, true,  1000, false, false, "put back"},
	};

	(void)state;
	for (size_t i = 0; i < HT_COUNT(rows); i++) {
		struct ht_admission a = ht_admission(
		    rows[i].parted, rows[i].held, rows[i].room, 800);
		bool begins = a.status == HT_ST_OK;

		if (begins != rows[i].begins ||
		    (begins || a.answers) != rows[i].answers ||
		    strstr(a.why, rows[i].says) == NULL)
			fail_msg("%s: %u, %d, %s", rows[i].why, a.status,
			    a.answers, a.why);
	}
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_full_disk_ends_what_began_and_begins_nothing),
    cmocka_unit_test(a_leap_forward_is_not_followed),
    cmocka_unit_test(an_agreed_leap_is_followed),
    cmocka_unit_test(a_leap_back_never_turns_time),
    cmocka_unit_test(a_little_apart_is_nothing),
};

HT_TEST_MAIN(tests)
