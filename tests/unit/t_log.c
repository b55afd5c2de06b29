#include "lib/base/log.h"

#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/panic.h"
#include "tests/lib/test.h"

/* What `speak` writes to standard error, in a process of its own. */
static int
overheard(void (*speak)(void), char *text, size_t size)
{
	int ends[2], status = 0;
	size_t len = 0;
	ssize_t n;
	pid_t pid;

	assert_int_equal(pipe(ends), 0);
	fflush(NULL);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		(void)dup2(ends[1], STDERR_FILENO);
		speak();
		_exit(0);
	}
	close(ends[1]);
	while ((n = read(ends[0], text + len, size - 1 - len)) > 0)
		len += (size_t)n;
	text[len] = '\0';
	close(ends[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static void
say_three(void)
{
	ht_log_init("broker", HT_INFO);
	ht_log(HT_DEBUG, "not this");
	ht_log(HT_WARN, "front restarted pid=%d", 712);
	ht_log(HT_ERROR, "two\nlines \x1b[2J 互通");
}

static void
a_fact_is_a_line(void **state)
{
	char text[4096], *second;

	(void)state;
	assert_int_equal(overheard(say_three, text, sizeof(text)), 0);
	/* "2026-11-24T01:02:03Z" and a blank */
	assert_int_equal(text[19], 'Z');
	assert_memory_equal(
	    text + 20, " warn  broker: front restarted pid=712\n", 39);
	second = text + 20 + 39;
	assert_string_equal(
	    second + 20, " error broker: two\\x0alines \\x1b[2J 互通\n");
}

static void
say_much(void)
{
	static char wide[5000];

	for (size_t i = 0; i + 3 < sizeof(wide); i += 3)
		memcpy(wide + i, "互", 3);
	ht_log_init("broker", HT_DEBUG);
	ht_log(HT_DEBUG, "xy%s", wide); /* 1024 = 2 + 340 * 3 + 2 */
}

static void
a_long_fact_is_cut_between_characters(void **state)
{
	char text[4096];

	(void)state;
	assert_int_equal(overheard(say_much, text, sizeof(text)), 0);
	assert_int_equal(strlen(text), 35 + 2 + 340 * 3 + 1);
	assert_string_equal(text + strlen(text) - 4, "互\n");
}

static void
panic_now(void)
{
	HT_ASSERT(1 + 1 == 3);
}

static void
an_assertion_stays_and_says_where(void **state)
{
	char text[4096];
	int status = overheard(panic_now, text, sizeof(text));

	(void)state;
	assert_true(WIFSIGNALED(status));
	assert_non_null(strstr(text, "tests/unit/t_log.c:"));
	assert_non_null(strstr(text, "panic_now: 1 + 1 == 3"));
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_fact_is_a_line),
    cmocka_unit_test(a_long_fact_is_cut_between_characters),
    cmocka_unit_test(an_assertion_stays_and_says_where),
};

HT_TEST_MAIN(tests)
