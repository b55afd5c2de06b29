/*
 * A real database behind real workers: this program is its own worker.
 */
#include "adapters/sql/pool.c"

#include <poll.h>
#include <sys/stat.h>

#include "lib/base/clock.h"
#include "tests/lib/test.h"

static const char schema[] =
    "CREATE TABLE person(id INTEGER PRIMARY KEY, name TEXT, height REAL,"
    " fee DECIMAL(10,2), note TEXT);"
    "INSERT INTO person VALUES(1,'王一',1.75,'10.50',NULL);"
    "INSERT INTO person VALUES(2,'O''Hara',1.5,'0.00','x');"
    "INSERT INTO person VALUES(3,CAST(x'ff41' AS TEXT),1,'1.00',NULL);"
    /* GB 18030 for the first name above */
    "CREATE TABLE legacy(id INTEGER, name TEXT);"
    "INSERT INTO legacy VALUES(1, CAST(x'cdf5d2bb' AS TEXT));";

struct fixture {
	char dir[HT_TEST_PATH_MAX];
	char db[HT_TEST_PATH_MAX];
	char connect[HT_TEST_PATH_MAX + 64];
	struct ht_sql *sql;
};

/* What came back. */
struct got {
	unsigned n;
	unsigned status;
	json_t *result;
};

static void
keep(void *arg, unsigned status, const json_t *result, const char *detail)
{
	struct got *got = arg;

	(void)detail;
	got->n++;
	got->status = status;
	got->result = result != NULL ? json_deep_copy(result) : NULL;
}

static void
open_sql(struct fixture *f, struct ht_sql_conf conf)
{
	conf.name = "test";
	conf.connect = conf.connect != NULL ? conf.connect : f->connect;
	assert_ok(ht_sql_open(&conf, &f->sql));
}

static void
drive(struct ht_sql *sql, const struct got *got, unsigned n)
{
	while (got->n < n) {
		struct pollfd fd = {.fd = ht_sql_fd(sql), .events = POLLIN};
		int wait = ht_sql_wait_ms(sql, ht_clock_mono_ms());

		assert_int_not_equal(wait, -1);
		(void)poll(&fd, 1, wait);
		ht_sql_step(sql, ht_clock_mono_ms());
	}
}

/* Ask and wait; the caller drops got.result. */
static struct got
ask(struct fixture *f, const char *statement, json_t *params, uint32_t rows,
    uint64_t ms)
{
	struct got got = {0};

	assert_ok(ht_sql_ask(f->sql, statement, params, rows,
	    ht_clock_mono_ms() + ms, keep, &got));
	json_decref(params);
	ht_sql_step(f->sql, ht_clock_mono_ms());
	drive(f->sql, &got, 1);
	return got;
}

static int
set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	char command[2 * HT_TEST_PATH_MAX];
	FILE *shell;

	*state = f;
	assert_non_null(ht_test_dir(f->dir));
	assert_true(
	    snprintf(f->db, sizeof(f->db), "%.4000s/people.db", f->dir) > 0);
	assert_true(snprintf(f->connect, sizeof(f->connect),
	                "Driver=SQLite3;Database=%s;NoCreat=1", f->db) > 0);
	assert_true(
	    snprintf(command, sizeof(command), "sqlite3 '%s'", f->db) > 0);
	shell = popen(command, "w");
	assert_non_null(shell);
	assert_true(fputs(schema, shell) >= 0);
	assert_int_equal(pclose(shell), 0);
	return 0;
}

static int
tear_down(void **state)
{
	struct fixture *f = *state;

	ht_sql_close(&f->sql);
	ht_test_dir_remove(f->dir);
	free(f);
	return 0;
}

static void
rows_come_as_text_with_kinds(void **state)
{
	struct fixture *f = *state;
	struct got got;
	char *text;

	open_sql(f, (struct ht_sql_conf){0});
	got = ask(f,
	    "SELECT id, name, height, note FROM person WHERE id = ? OR name ="
	    " ? ORDER BY id",
	    json_pack("[i, s]", 1, "O'Hara"), 10, 10000);
	assert_int_equal(got.status, HT_ST_OK);
	text = json_dumps(got.result, JSON_SORT_KEYS | JSON_COMPACT);
	assert_string_equal(text,
	    "{\"columns\":[\"id\",\"name\",\"height\",\"note\"],"
	    "\"kinds\":[1,0,2,0],\"more\":false,"
	    "\"rows\":[[\"1\",\"王一\",\"1.75\",null],"
	    "[\"2\",\"O'Hara\",\"1.5\",\"x\"]]}");
	free(text);
	json_decref(got.result);
}

static size_t
n_rows(const struct got *got)
{
	return json_array_size(json_object_get(got->result, "rows"));
}

static void
values_are_bound_never_pasted(void **state)
{
	struct fixture *f = *state;
	struct got got;

	open_sql(f, (struct ht_sql_conf){0});
	got = ask(f, "SELECT id FROM person WHERE name = ?",
	    json_pack("[s]", "x' OR '1'='1"), 10, 10000);
	assert_int_equal(got.status, HT_ST_OK);
	assert_int_equal(n_rows(&got), 0);
	json_decref(got.result);
	/* The same statement again: prepared once, bound anew. */
	got = ask(f, "SELECT id FROM person WHERE name = ?",
	    json_pack("[s]", "O'Hara"), 10, 10000);
	assert_int_equal(n_rows(&got), 1);
	json_decref(got.result);
	got = ask(f, "SELECT 1 WHERE ? IS NULL AND ? = 1 AND ? = 0.5",
	    json_pack("[n, b, f]", 1, 0.5), 10, 10000);
	assert_int_equal(got.status, HT_ST_OK);
	assert_int_equal(n_rows(&got), 1);
	json_decref(got.result);
}

static void
more_rows_than_wanted_are_said(void **state)
{
	struct fixture *f = *state;
	struct got got;

	open_sql(f, (struct ht_sql_conf){0});
	got =
	    ask(f, "SELECT id FROM person ORDER BY id", json_array(), 2, 10000);
	assert_int_equal(n_rows(&got), 2);
	assert_true(json_is_true(json_object_get(got.result, "more")));
	json_decref(got.result);
}

static void
a_missing_database_is_down_and_never_made(void **state)
{
	struct fixture *f = *state;
	struct stat st;
	struct got got;

	assert_int_equal(unlink(f->db), 0);
	open_sql(f, (struct ht_sql_conf){0});
	got = ask(f, "SELECT 1", json_array(), 1, 10000);
	assert_int_equal(got.status, HT_ST_SOURCE_DOWN);
	assert_int_equal(stat(f->db, &st), -1);
	ht_sql_close(&f->sql);
	/* For drivers that have no such option. */
	assert_non_null(strstr(f->connect, ";NoCreat=1"));
	*strstr(f->connect, ";NoCreat=1") = '\0';
	open_sql(f, (struct ht_sql_conf){.must_exist = f->db});
	got = ask(f, "SELECT 1", json_array(), 1, 10000);
	assert_int_equal(got.status, HT_ST_SOURCE_DOWN);
	assert_int_equal(stat(f->db, &st), -1);
}

static void
an_unknown_driver_is_down(void **state)
{
	struct fixture *f = *state;
	struct got got;

	open_sql(
	    f, (struct ht_sql_conf){.connect = "Driver=/no/such/driver.so"});
	got = ask(f, "SELECT 1", json_array(), 1, 10000);
	assert_int_equal(got.status, HT_ST_SOURCE_DOWN);
}

static const char for_ever[] =
    "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x+1 FROM c)"
    " SELECT count(*) FROM c WHERE x < 0";

static void
a_slow_statement_is_stopped_at_its_deadline(void **state)
{
	struct fixture *f = *state;
	uint64_t before;
	struct got got;

	open_sql(f, (struct ht_sql_conf){0});
	got = ask(f, "SELECT 1", json_array(), 1, 10000);
	assert_int_equal(got.status, HT_ST_OK);
	json_decref(got.result);
	before = ht_clock_mono_ms();
	got = ask(f, for_ever, json_array(), 1, 300);
	assert_int_equal(got.status, HT_ST_SOURCE_SLOW);
	/* At some time: a busy machine stops it late. */
	assert_in_range(ht_clock_mono_ms() - before, 300, 20000);
	/* Another worker serves on. */
	got = ask(f, "SELECT 2", json_array(), 1, 10000);
	assert_int_equal(got.status, HT_ST_OK);
	json_decref(got.result);
}

/* It is told to end first, so that the server stops; one that cannot hear... */
static void
a_worker_that_does_not_end_is_killed(void **state)
{
	struct fixture *f = *state;
	struct got got = {0};
	json_t *none = json_array();
	uint64_t now_ms = ht_clock_mono_ms();

	open_sql(f, (struct ht_sql_conf){0});
	assert_ok(
	    ht_sql_ask(f->sql, for_ever, none, 1, now_ms + 10000, keep, &got));
	json_decref(none);
	ht_sql_step(f->sql, now_ms);
	assert_int_equal(kill(f->sql->workers[0].pid, SIGSTOP), 0);
	/* The clock is ours: the deadline is over. */
	ht_sql_step(f->sql, now_ms + 10000);
	assert_int_equal(got.status, HT_ST_SOURCE_SLOW);
	ht_sql_step(f->sql, now_ms + 10000 + CANCEL_MS - 1);
	assert_int_equal(f->sql->n_dying, 1);
	assert_int_equal(
	    ht_sql_wait_ms(f->sql, now_ms + 10000 + CANCEL_MS - 1), 1);
	ht_sql_step(f->sql, now_ms + 10000 + CANCEL_MS);
	while (f->sql->n_dying > 0) {
		(void)poll(NULL, 0, 1);
		ht_sql_step(f->sql, now_ms + 10000 + CANCEL_MS);
	}
}

static void
waiting_is_bounded_in_time_and_number(void **state)
{
	struct fixture *f = *state;
	struct got slow = {0}, waiting = {0};
	json_t *none = json_array();

	open_sql(f, (struct ht_sql_conf){0});
	assert_ok(ht_sql_ask(
	    f->sql, for_ever, none, 1, ht_clock_mono_ms() + 400, keep, &slow));
	ht_sql_step(f->sql, ht_clock_mono_ms());
	for (unsigned i = 0; i < HT_SQL_WAITING_MAX; i++)
		assert_ok(ht_sql_ask(f->sql, "SELECT 1", none, 1,
		    ht_clock_mono_ms() + 100, keep, &waiting));
	assert_err(ht_sql_ask(f->sql, "SELECT 1", none, 1,
	               ht_clock_mono_ms() + 100, keep, &waiting),
	    HT_EAGAIN);
	drive(f->sql, &waiting, HT_SQL_WAITING_MAX);
	assert_int_equal(waiting.status, HT_ST_SOURCE_SLOW);
	assert_int_equal(slow.n, 0);
	drive(f->sql, &slow, 1);
	assert_int_equal(waiting.n, HT_SQL_WAITING_MAX);
	json_decref(none);
}

static void
a_worker_that_dies_is_replaced(void **state)
{
	struct fixture *f = *state;
	struct got got = {0};
	json_t *none = json_array();

	open_sql(f, (struct ht_sql_conf){0});
	assert_ok(ht_sql_ask(
	    f->sql, for_ever, none, 1, ht_clock_mono_ms() + 20000, keep, &got));
	json_decref(none);
	ht_sql_step(f->sql, ht_clock_mono_ms());
	assert_true(f->sql->workers[0].pid > 0);
	assert_int_equal(kill(f->sql->workers[0].pid, SIGSEGV), 0);
	drive(f->sql, &got, 1);
	assert_int_equal(got.status, HT_ST_SOURCE_DOWN);
	got = ask(f, "SELECT 1", json_array(), 1, 10000);
	assert_int_equal(got.status, HT_ST_OK);
	json_decref(got.result);
}

static void
a_statement_that_does_not_fit_is_told_from_a_database_that_is_down(void **state)
{
	struct fixture *f = *state;
	struct got got;

	open_sql(f, (struct ht_sql_conf){0});
	got = ask(f, "SELECT nothing FROM nowhere", json_array(), 1, 10000);
	assert_int_equal(got.status, HT_ST_SOURCE_INVALID);
	got = ask(
	    f, "SELECT name FROM person WHERE id = 3", json_array(), 1, 10000);
	assert_int_equal(got.status, HT_ST_SOURCE_INVALID);
	got = ask(f, "SELECT 1", json_array(), 1, 10000);
	assert_int_equal(got.status, HT_ST_OK);
	json_decref(got.result);
}

static void
a_file_that_is_no_database_is_an_error(void **state)
{
	struct fixture *f = *state;
	FILE *file = fopen(f->db, "w");
	struct got got;

	assert_non_null(file);
	for (unsigned i = 0; i < 4096; i++)
		(void)fputc('x', file);
	(void)fclose(file);
	open_sql(f, (struct ht_sql_conf){0});
	got = ask(f, "SELECT id FROM person", json_array(), 1, 10000);
	assert_int_not_equal(got.status, HT_ST_OK);
}

static void
nothing_is_written(void **state)
{
	struct fixture *f = *state;
	struct got got;

	open_sql(f, (struct ht_sql_conf){0});
	/* It passes for a statement that reads; it is rolled back all the
	 * same. */
	got = ask(f, "WITH x AS (SELECT 1) INSERT INTO person(id) SELECT 77",
	    json_array(), 1, 10000);
	assert_int_not_equal(got.status, HT_ST_OK);
	ht_sql_close(&f->sql);
	open_sql(f, (struct ht_sql_conf){0});
	got = ask(
	    f, "SELECT id FROM person WHERE id = 77", json_array(), 1, 10000);
	assert_int_equal(got.status, HT_ST_OK);
	assert_int_equal(n_rows(&got), 0);
	json_decref(got.result);
}

static void
statements_of_prepare_run_first(void **state)
{
	struct fixture *f = *state;
	json_t *prepare = json_pack("[s, s]", "PRAGMA query_only = 1",
	    "CREATE TEMP TABLE IF NOT EXISTS seen(x)");
	struct got got;

	/* The second one breaks the first: which shows that both ran. */
	open_sql(f, (struct ht_sql_conf){.prepare = prepare});
	json_decref(prepare);
	got = ask(f, "SELECT 1", json_array(), 1, 10000);
	assert_int_equal(got.status, HT_ST_SOURCE_INVALID);
	ht_sql_close(&f->sql);
	prepare = json_pack("[s]", "CREATE TEMP TABLE seen AS SELECT 5 AS x");
	open_sql(f, (struct ht_sql_conf){.prepare = prepare});
	json_decref(prepare);
	got = ask(f, "SELECT x FROM seen", json_array(), 1, 10000);
	assert_int_equal(n_rows(&got), 1);
	json_decref(got.result);
}

static void
gb18030_is_spoken_where_the_database_speaks_it(void **state)
{
	struct fixture *f = *state;
	struct got got;
	json_t *row;

	open_sql(f, (struct ht_sql_conf){.charset = "gb18030"});
	got = ask(f,
	    "SELECT name FROM legacy WHERE CAST(name AS BLOB) ="
	    " CAST(? AS BLOB)",
	    json_pack("[s]", "王一"), 1, 10000);
	assert_int_equal(got.status, HT_ST_OK);
	assert_int_equal(n_rows(&got), 1);
	row = json_array_get(json_object_get(got.result, "rows"), 0);
	assert_string_equal(json_string_value(json_array_get(row, 0)), "王一");
	json_decref(got.result);
}

static void
several_workers_answer_at_once(void **state)
{
	struct fixture *f = *state;
	struct got slow = {0};
	struct got got;
	json_t *none = json_array();

	open_sql(f, (struct ht_sql_conf){.workers = 2});
	assert_ok(ht_sql_ask(f->sql, for_ever, none, 1,
	    ht_clock_mono_ms() + 60000, keep, &slow));
	json_decref(none);
	got = ask(f, "SELECT 1", json_array(), 1, 20000);
	assert_int_equal(got.status, HT_ST_OK);
	assert_int_equal(slow.n, 0);
	json_decref(got.result);
	/* What is still open at the end is told so. */
	ht_sql_close(&f->sql);
	assert_int_equal(slow.n, 1);
	assert_int_equal(slow.status, HT_ST_SOURCE_DOWN);
}

static void
a_mad_worker_is_not_believed(void **state)
{
	static const uint8_t huge[] = {0xff, 0xff, 0xff, 0xff, 0x80};
	static const uint8_t loose[] = {0, 0, 0, 2, 0xcc, 0x01};
	struct ht_buf in = HT_BUF(1024);
	json_t *message = NULL;

	(void)state;
	ht_buf_add(&in, huge, sizeof(huge));
	assert_err(ht_worker_unframe(&in, &message), HT_ETOOBIG);
	ht_buf_reset(&in);
	ht_buf_add(&in, loose, 5);
	assert_err(ht_worker_unframe(&in, &message), HT_EAGAIN);
	ht_buf_add(&in, loose + 5, 1);
	assert_err(ht_worker_unframe(&in, &message), HT_EMALFORMED);
	assert_null(message);
	ht_buf_fini(&in);
}

#define SQL_TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

static const struct CMUnitTest tests[] = {
    SQL_TEST(rows_come_as_text_with_kinds),
    SQL_TEST(values_are_bound_never_pasted),
    SQL_TEST(more_rows_than_wanted_are_said),
    SQL_TEST(a_missing_database_is_down_and_never_made),
    SQL_TEST(an_unknown_driver_is_down),
    SQL_TEST(a_slow_statement_is_stopped_at_its_deadline),
    SQL_TEST(a_worker_that_does_not_end_is_killed),
    SQL_TEST(waiting_is_bounded_in_time_and_number),
    SQL_TEST(a_worker_that_dies_is_replaced),
    SQL_TEST(
        a_statement_that_does_not_fit_is_told_from_a_database_that_is_down),
    SQL_TEST(a_file_that_is_no_database_is_an_error),
    SQL_TEST(nothing_is_written),
    SQL_TEST(statements_of_prepare_run_first),
    SQL_TEST(gb18030_is_spoken_where_the_database_speaks_it),
    SQL_TEST(several_workers_answer_at_once),
    cmocka_unit_test(a_mad_worker_is_not_believed),
};

int
main(int argc, char **argv)
{
	if (argc == 3 && strcmp(argv[1], HT_WORKER_OPTION) == 0)
		return ht_worker_main(atoi(argv[2]));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
