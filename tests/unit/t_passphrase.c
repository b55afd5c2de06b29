/*
 * t_passphrase.c -- passphrases from files, credentials and a real terminal.
 */
#include "tests/lib/test.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "keys/keyfile.h"
#include "lib/base/fs.h"

static char dir[HT_TEST_PATH_MAX];
static char *path;

static int
set_up(void **state)
{
	(void)state;
	path = ht_fs_join(ht_test_dir(dir), "hutong-passphrase");
	if (path == NULL)
		return -1;
	unsetenv("HUTONG_PASSPHRASE_FILE");
	unsetenv("CREDENTIALS_DIRECTORY");
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	free(path);
	ht_test_dir_remove(dir);
	return 0;
}

/* ---- files ---- */

static const struct {
	const char *why;
	struct ht_slice text;
	mode_t mode;
	enum ht_err err;
	const char *want;
} files[] = {
#define BYTES(s)                                                               \
	{                                                                      \
		(const uint8_t *)(s), sizeof(s) - 1                            \
	}
    {"one line",          BYTES("open sesame\n"),   0600, HT_OK,       "open sesame" },
    {"no newline",        BYTES("open sesame"),     0400, HT_OK,       "open sesame" },
    {"the first of two",  BYTES("first\nsecond\n"), 0600, HT_OK,       "first"       },
    {"CRLF",              BYTES("dos\r\n"),         0600, HT_OK,       "dos"         },
    {"spaces are kept",   BYTES("  a b \n"),        0600, HT_OK,       "  a b "      },
    {"Chinese",           BYTES("芝麻开门\n"),  0600, HT_OK,       "芝麻开门"},
    {"empty",             BYTES(""),                0600, HT_EINVALID, NULL          },
    {"an empty line",     BYTES("\nsecond\n"),      0600, HT_EINVALID, NULL          },
    {"a zero byte",       BYTES("a\0b\n"),          0600, HT_EINVALID, NULL          },
    {"open to the group", BYTES("x\n"),             0640, HT_EINVALID, NULL          },
    {"open to all",       BYTES("x\n"),             0604, HT_EINVALID, NULL          },
};

static void
files_are_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < HT_COUNT(files); i++) {
		char *got = NULL;
		enum ht_err err;

		assert_ok(ht_fs_replace(path, files[i].mode, files[i].text));
		assert_int_equal(setenv("HUTONG_PASSPHRASE_FILE", path, 1), 0);
		err = ht_passphrase_get("?", &got);
		if (err != files[i].err)
			fail_msg("%s: %s", files[i].why, ht_err_text(err));
		if (err == HT_OK)
			assert_string_equal(got, files[i].want);
		else
			assert_null(got);
		free(got);
	}
}

static void
length_has_a_limit(void **state)
{
	char *text = malloc(HT_PASSPHRASE_MAX + 2), *got = NULL;

	(void)state;
	assert_non_null(text);
	memset(text, 'x', HT_PASSPHRASE_MAX + 2);
	assert_int_equal(setenv("HUTONG_PASSPHRASE_FILE", path, 1), 0);
	assert_ok(ht_fs_replace(path, 0600, HT_SLICE(text, HT_PASSPHRASE_MAX)));
	assert_ok(ht_passphrase_get("?", &got));
	assert_int_equal(strlen(got), HT_PASSPHRASE_MAX);
	free(got);
	for (size_t more = 1; more <= 2; more++) {
		got = NULL;
		assert_ok(ht_fs_replace(
		    path, 0600, HT_SLICE(text, HT_PASSPHRASE_MAX + more)));
		assert_err(ht_passphrase_get("?", &got), HT_ETOOBIG);
		assert_null(got);
	}
	free(text);
}

static void
the_variable_comes_first(void **state)
{
	char *got = NULL;

	(void)state;
	assert_ok(ht_fs_replace(path, 0600, ht_slice_str("credential\n")));
	assert_int_equal(setenv("CREDENTIALS_DIRECTORY", dir, 1), 0);
	assert_ok(ht_passphrase_get("?", &got));
	assert_string_equal(got, "credential");
	free(got);
	/* A file that is named but absent is an error, not a next try. */
	got = NULL;
	assert_int_equal(
	    setenv("HUTONG_PASSPHRASE_FILE", "/nowhere/at/all", 1), 0);
	assert_err(ht_passphrase_get("?", &got), HT_ENOTFOUND);
	assert_null(got);
}

/* ---- the terminal ---- */

/* A child with a terminal of its own; it prints what it got into @result. */
static pid_t
ask_in_child(int slave, int result)
{
	pid_t pid = fork();
	char *got = NULL;
	enum ht_err err;

	assert_true(pid != -1);
	if (pid != 0)
		return pid;
	if (setsid() == -1 || ioctl(slave, TIOCSCTTY, 0) == -1)
		_exit(9);
	err = ht_passphrase_get("Passphrase: ", &got);
	dprintf(result, "%d %s", (int)err, got != NULL ? got : "-");
	free(got);
	_exit(0);
}

/* Read from the terminal until @want has been seen; false after 5 s. */
static bool
shows(int master, const char *want, char *seen, size_t max)
{
	size_t len = strlen(seen);

	while (strstr(seen, want) == NULL) {
		struct pollfd p = {.fd = master, .events = POLLIN};
		ssize_t n;

		if (poll(&p, 1, 5000) != 1 || len + 1 >= max)
			return false;
		n = read(master, seen + len, max - len - 1);
		if (n <= 0)
			return false;
		len += (size_t)n;
		seen[len] = '\0';
	}
	return true;
}

static void
type(const char *keys, const char *want)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY), slave, pipes[2], status;
	char seen[512] = "", result[256] = "";
	struct termios after;
	pid_t pid;

	assert_true(master != -1);
	assert_int_equal(grantpt(master) | unlockpt(master), 0);
	slave = open(ptsname(master), O_RDWR | O_NOCTTY);
	assert_true(slave != -1);
	assert_int_equal(pipe(pipes), 0);
	pid = ask_in_child(slave, pipes[1]);
	assert_true(shows(master, "Passphrase: ", seen, sizeof(seen)));
	assert_int_equal(write(master, keys, strlen(keys)), strlen(keys));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_true(read(pipes[0], result, sizeof(result) - 1) > 0);
	assert_string_equal(result, want);
	/* Never shown, and the terminal is as it was. */
	assert_true(shows(master, "\n", seen, sizeof(seen)));
	assert_null(strstr(seen, "sesame"));
	assert_int_equal(tcgetattr(slave, &after), 0);
	assert_true((after.c_lflag & ECHO) && (after.c_lflag & ISIG));
	close(pipes[0]);
	close(pipes[1]);
	close(slave);
	close(master);
}

static void
people_are_asked(void **state)
{
	char want[64];

	(void)state;
	type("open sesame\n", "0 open sesame");
	snprintf(want, sizeof(want), "%d -", (int)HT_EDENIED);
	type("\x04", want);         /* ^D */
	type("sesame\x03\n", want); /* ^C, then Enter */
	snprintf(want, sizeof(want), "%d -", (int)HT_EINVALID);
	type("\n", want);
}

static void
without_a_terminal_nobody_is_asked(void **state)
{
	int status;
	pid_t pid = fork();

	(void)state;
	assert_true(pid != -1);
	if (pid == 0) {
		char *got = NULL;

		if (setsid() == -1)
			_exit(9);
		_exit(
		    ht_passphrase_get("?", &got) == HT_ENOTFOUND && got == NULL
		        ? 0
		        : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

#define UNIT(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    UNIT(files_are_read),
	    UNIT(length_has_a_limit),
	    UNIT(the_variable_comes_first),
	    UNIT(people_are_asked),
	    UNIT(without_a_terminal_nobody_is_asked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
