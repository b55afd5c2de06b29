#include <fcntl.h>
#include <locale.h>
#include <unistd.h>

#include "lib/term/progress.h"
#include "lib/term/table.h"
#include "tests/lib/fault.h"
#include "tests/lib/test.h"

#define TEXT(literal) HT_SLICE(literal, sizeof(literal) - 1)

static const struct ht_column columns[] = {
    {"NAME",   false},
    {"件数", true },
    {"STATE",  false},
};

static const struct ht_slice rows[][3] = {
    {TEXT("市场监督"), TEXT("7"),     TEXT("served")          },
    {TEXT("tax.sh/one"),   TEXT("12345"), TEXT("a, \"b\"")        },
    {TEXT("\x1b[2J"),      TEXT(""),      TEXT("two\nlines")      },
    {TEXT(" =1+1"),        TEXT("-1"),    TEXT("bidi\xe2\x80\xae")},
    {TEXT("=1+1"),         TEXT("@x"),    TEXT("'a")              },
};

static enum ht_err
sample(struct ht_table **ret_table)
{
	HT_AUTO(ht_table_free) struct ht_table *table = NULL;
	enum ht_err err = ht_table_new(columns, HT_COUNT(columns), &table);

	if (err != HT_OK)
		return err;
	for (size_t i = 0; i < HT_COUNT(rows); i++)
		ht_table_add(table, rows[i]);
	*ret_table = HT_TAKE(table);
	return HT_OK;
}

static char *
printed(const struct ht_table *table,
    enum ht_err (*print)(const struct ht_table *, FILE *))
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	assert_non_null(out);
	assert_ok(print(table, out));
	assert_int_equal(fclose(out), 0);
	return text;
}

/* The tests run in the "C" locale, as daemons and minimal systems do. */
static void
a_table_is_aligned_and_harmless(void **state)
{
	HT_AUTO(ht_table_free) struct ht_table *table = NULL;
	HT_AUTO(ht_mem_free) char *text = NULL;

	(void)state;
	assert_string_equal(setlocale(LC_CTYPE, NULL), "C");
	assert_ok(sample(&table));
	assert_int_equal(ht_table_rows(table), 5);
	text = printed(table, ht_table_print);
	assert_string_equal(text, "NAME         件数  STATE\n"
	                          "市场监督        7  served\n"
	                          "tax.sh/one  12345  a, \"b\"\n"
	                          "\\x1b[2J            two\\x0alines\n"
	                          " =1+1          -1  bidi\\u{202e}\n"
	                          "=1+1           @x  'a\n");
}

static void
csv_is_obeyed_by_nobody(void **state)
{
	HT_AUTO(ht_table_free) struct ht_table *table = NULL;
	HT_AUTO(ht_mem_free) char *text = NULL;

	(void)state;
	assert_ok(sample(&table));
	text = printed(table, ht_table_csv);
	assert_string_equal(text, "NAME,件数,STATE\r\n"
	                          "市场监督,7,served\r\n"
	                          "tax.sh/one,12345,\"a, \"\"b\"\"\"\r\n"
	                          "\\x1b[2J,,two\\x0alines\r\n"
	                          "\" =1+1\",-1,bidi\\u{202e}\r\n"
	                          "'=1+1,'@x,''a\r\n");
}

static void
an_empty_table_prints_nothing(void **state)
{
	HT_AUTO(ht_table_free) struct ht_table *table = NULL;
	HT_AUTO(ht_mem_free) char *text = NULL;
	HT_AUTO(ht_mem_free) char *csv = NULL;

	(void)state;
	assert_ok(ht_table_new(columns, 2, &table));
	text = printed(table, ht_table_print);
	assert_string_equal(text, "");
	csv = printed(table, ht_table_csv);
	assert_string_equal(csv, "NAME,件数\r\n");
}

static void
a_full_disk_is_noticed(void **state)
{
	HT_AUTO(ht_table_free) struct ht_table *table = NULL;
	FILE *full = fopen("/dev/full", "w");

	(void)state;
	assert_non_null(full);
	assert_ok(sample(&table));
	assert_err(ht_table_print(table, full), HT_ESYSTEM);
	clearerr(full);
	assert_err(ht_table_csv(table, full), HT_ESYSTEM);
	(void)fclose(full);
}

static enum ht_err
make_and_print(FILE *out)
{
	HT_AUTO(ht_table_free) struct ht_table *table = NULL;
	enum ht_err err = sample(&table);

	if (err == HT_OK)
		err = ht_table_print(table, out);
	if (err == HT_OK)
		err = ht_table_csv(table, out);
	return err;
}

static void
a_table_survives_no_memory(void **state)
{
	FILE *out = fopen("/dev/null", "w");
	enum ht_err err = HT_OK;

	(void)state;
	assert_non_null(out);
	TORTURE(err = make_and_print(out))
	{
		assert_err(err, HT_ENOMEM);
	}
	assert_ok(err);
	assert_int_equal(fclose(out), 0);
}

/* ---- a terminal ---- */

static int
open_terminal(int *ret_other_end)
{
	int other = posix_openpt(O_RDWR | O_NOCTTY), terminal;

	assert_true(other >= 0);
	assert_int_equal(grantpt(other), 0);
	assert_int_equal(unlockpt(other), 0);
	terminal = open(ptsname(other), O_RDWR | O_NOCTTY);
	assert_true(terminal >= 0);
	assert_int_equal(fcntl(other, F_SETFL, O_NONBLOCK), 0);
	*ret_other_end = other;
	return terminal;
}

static void
assert_shows(int other, const char *want)
{
	char text[500];
	ssize_t n = read(other, text, sizeof(text) - 1);

	text[n > 0 ? n : 0] = '\0';
	assert_string_equal(text, want);
}

static void
progress_waits_a_second_and_leaves_no_trace(void **state)
{
	HT_AUTO(ht_fd_close) int other = -1;
	HT_AUTO(ht_fd_close) int terminal = open_terminal(&other);
	struct ht_progress progress;

	(void)state;
	ht_progress_init(&progress, "verifying", 1000, terminal, 5000);
	ht_progress_step(&progress, 90, 5999);
	assert_shows(other, "");
	ht_progress_step(&progress, 100, 6000);
	assert_shows(other, "\r\033[Kverifying: 100 of 1000 (10 %), 9 s left");
	ht_progress_step(&progress, 101, 6199);
	assert_shows(other, "");
	ht_progress_step(&progress, 500, 7000);
	assert_shows(other, "\r\033[Kverifying: 500 of 1000 (50 %), 2 s left");
	ht_progress_fini(&progress);
	assert_shows(other, "\r\033[K");
	ht_progress_fini(&progress);
	assert_shows(other, "");
}

static void
without_a_total_it_counts(void **state)
{
	HT_AUTO(ht_fd_close) int other = -1;
	HT_AUTO(ht_fd_close) int terminal = open_terminal(&other);
	struct ht_progress progress;

	(void)state;
	ht_progress_init(&progress, "reading", 0, terminal, 0);
	ht_progress_step(&progress, 42, 1000);
	assert_shows(other, "\r\033[Kreading: 42");
	progress.total = 10; /* more came than was expected */
	ht_progress_step(&progress, 42, 2000);
	assert_shows(other, "\r\033[Kreading: 42");
}

static void
quick_work_and_pipes_show_nothing(void **state)
{
	HT_AUTO(ht_fd_close) int other = -1;
	HT_AUTO(ht_fd_close) int terminal = open_terminal(&other);
	struct ht_progress progress;
	int ends[2];
	char c;

	(void)state;
	ht_progress_init(&progress, "x", 10, terminal, 0);
	ht_progress_step(&progress, 10, 500);
	ht_progress_fini(&progress);
	assert_shows(other, "");
	assert_int_equal(pipe(ends), 0);
	ht_progress_init(&progress, "x", 10, ends[1], 0);
	ht_progress_step(&progress, 5, 5000);
	ht_progress_fini(&progress);
	close(ends[1]);
	assert_int_equal(read(ends[0], &c, 1), 0);
	close(ends[0]);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_table_is_aligned_and_harmless),
    cmocka_unit_test(csv_is_obeyed_by_nobody),
    cmocka_unit_test(an_empty_table_prints_nothing),
    cmocka_unit_test(a_full_disk_is_noticed),
    cmocka_unit_test(a_table_survives_no_memory),
    cmocka_unit_test(progress_waits_a_second_and_leaves_no_trace),
    cmocka_unit_test(without_a_total_it_counts),
    cmocka_unit_test(quick_work_and_pipes_show_nothing),
};

HT_TEST_MAIN(tests)
