#include "lib/base/fs.h"

#include <errno.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/lib/fault.h"
#include "tests/lib/test.h"

struct room {
	char dir[HT_TEST_PATH_MAX];
	char *file; /* in it, not there yet */
};

static int
set_up(void **state)
{
	struct room *room = calloc(1, sizeof(*room));

	assert_non_null(room);
	ht_test_dir(room->dir);
	room->file = ht_fs_join(room->dir, "file");
	assert_non_null(room->file);
	*state = room;
	return 0;
}

static int
tear_down(void **state)
{
	struct room *room = *state;

	ht_test_dir_remove(room->dir);
	free(room->file);
	free(room);
	return 0;
}

static void
assert_holds(const char *path, const char *want)
{
	HT_AUTO(ht_buf_fini) struct ht_buf buf = HT_BUF(1000);

	assert_ok(ht_fs_read(path, &buf));
	assert_string_equal(ht_buf_text(&buf), want);
}

static unsigned
mode_of(const char *path)
{
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	return st.st_mode & 07777;
}

static void
a_file_is_made_once_and_never_again(void **state)
{
	struct room *room = *state;

	assert_ok(ht_fs_create(room->file, 0600, ht_slice_str("first")));
	assert_int_equal(mode_of(room->file), 0600);
	assert_err(
	    ht_fs_create(room->file, 0600, ht_slice_str("second")), HT_EEXISTS);
	assert_holds(room->file, "first");
	/* And no temporary file stays behind. */
	assert_int_equal(unlink(room->file), 0);
	assert_int_equal(rmdir(room->dir), 0);
	assert_int_equal(mkdir(room->dir, 0700), 0);
}

static void
not_even_a_dangling_link_is_overwritten(void **state)
{
	struct room *room = *state;

	assert_int_equal(symlink("/nonexistent/elsewhere", room->file), 0);
	assert_err(
	    ht_fs_create(room->file, 0600, ht_slice_str("x")), HT_EEXISTS);
}

static void
a_file_is_replaced(void **state)
{
	struct room *room = *state;

	assert_ok(ht_fs_replace(room->file, 0640, ht_slice_str("first")));
	assert_ok(ht_fs_replace(room->file, 0644, ht_slice_str("second")));
	assert_holds(room->file, "second");
	assert_int_equal(mode_of(room->file), 0644);
	assert_int_equal(unlink(room->file), 0);
	assert_int_equal(rmdir(room->dir), 0);
	assert_int_equal(mkdir(room->dir, 0700), 0);
}

static void
reading_is_bounded(void **state)
{
	struct room *room = *state;
	HT_AUTO(ht_buf_fini) struct ht_buf large = HT_BUF(100000);
	HT_AUTO(ht_buf_fini) struct ht_buf exact = HT_BUF(50000);
	HT_AUTO(ht_buf_fini) struct ht_buf small = HT_BUF(49999);
	HT_AUTO(ht_mem_free) char *bytes = malloc(50000);

	assert_non_null(bytes);
	memset(bytes, 'x', 50000);
	assert_ok(ht_fs_create(room->file, 0600, HT_SLICE(bytes, 50000)));
	assert_ok(ht_fs_read(room->file, &large));
	assert_true(ht_slice_eq(ht_buf_slice(&large), HT_SLICE(bytes, 50000)));
	assert_ok(ht_fs_read(room->file, &exact));
	assert_err(ht_fs_read(room->file, &small), HT_ETOOBIG);
}

static void
only_regular_files_are_read(void **state)
{
	struct room *room = *state;
	HT_AUTO(ht_buf_fini) struct ht_buf buf = HT_BUF(100);

	assert_err(ht_fs_read(room->file, &buf), HT_ENOTFOUND);
	assert_err(ht_fs_read(room->dir, &buf), HT_ESYSTEM);
	assert_int_equal(errno, EISDIR);
	assert_int_equal(mkfifo(room->file, 0600), 0);
	assert_err(ht_fs_read(room->file, &buf), HT_ESYSTEM); /* no hang */
	assert_int_equal(errno, EINVAL);
}

static void
an_empty_file_is_a_file(void **state)
{
	struct room *room = *state;

	assert_ok(ht_fs_create(room->file, 0600, HT_SLICE(NULL, 0)));
	assert_holds(room->file, "");
}

static void
folders_are_made_all_the_way(void **state)
{
	struct room *room = *state;
	HT_AUTO(ht_mem_free) char *deep = ht_fs_join(room->dir, "a/b//c/");
	HT_AUTO(ht_mem_free) char *in = ht_fs_join(deep, "f");
	HT_AUTO(ht_mem_free) char *under = ht_fs_join(in, "g");

	assert_ok(ht_fs_mkdirs(deep, 0700));
	assert_ok(ht_fs_mkdirs(deep, 0700));
	assert_int_equal(mode_of(deep), 0700);
	assert_ok(ht_fs_create(in, 0600, ht_slice_str("x")));
	assert_err(ht_fs_mkdirs(in, 0700), HT_ESYSTEM);
	assert_int_equal(errno, ENOTDIR);
	assert_err(ht_fs_mkdirs(under, 0700), HT_ESYSTEM);
	assert_err(ht_fs_mkdirs("", 0700), HT_ENOTFOUND);
	assert_ok(ht_fs_mkdirs("/", 0700));
	assert_ok(ht_fs_sync_dir(deep));
	assert_err(ht_fs_sync_dir(room->file), HT_ENOTFOUND);
}

static void
a_missing_folder_is_an_error(void **state)
{
	struct room *room = *state;
	HT_AUTO(ht_mem_free) char *path = ht_fs_join(room->dir, "no/file");

	assert_err(ht_fs_create(path, 0600, ht_slice_str("x")), HT_ENOTFOUND);
	assert_err(ht_fs_replace(path, 0600, ht_slice_str("x")), HT_ENOTFOUND);
	/* A folder stands where the file should go. */
	assert_err(
	    ht_fs_replace(room->dir, 0600, ht_slice_str("x")), HT_ESYSTEM);
}

/* A write that fails half-way leaves what was there, and nothing else. */
static void
a_full_disk_changes_nothing(void **state)
{
	struct room *room = *state;
	struct rlimit before, tight;
	static const uint8_t bytes[5000];
	struct ht_slice large = HT_SLICE(bytes, sizeof(bytes));
	enum ht_err created, replaced;
	int why;

	assert_ok(ht_fs_create(room->file, 0600, ht_slice_str("before")));
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	tight = (struct rlimit){4000, before.rlim_max};
	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &tight), 0);
	replaced = ht_fs_replace(room->file, 0600, large);
	why = errno;
	created = ht_fs_create(room->file, 0600, large);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	(void)signal(SIGXFSZ, SIG_DFL);
	assert_err(replaced, HT_ESYSTEM);
	assert_int_equal(why, EFBIG);
	assert_err(created, HT_ESYSTEM);
	assert_holds(room->file, "before");
	assert_int_equal(unlink(room->file), 0);
	assert_int_equal(rmdir(room->dir), 0); /* nothing else was in it */
	assert_int_equal(mkdir(room->dir, 0700), 0);
}

static enum ht_err
write_and_read(const struct room *room)
{
	HT_AUTO(ht_buf_fini) struct ht_buf buf = HT_BUF(1000);
	enum ht_err err = ht_fs_mkdirs(room->dir, 0700);

	if (err == HT_OK)
		err = ht_fs_replace("t_fs.tmp", 0600, ht_slice_str("text"));
	if (err == HT_OK)
		err = ht_fs_read("t_fs.tmp", &buf);
	if (err == HT_OK)
		assert_true(ht_slice_is(ht_buf_slice(&buf), "text"));
	return err;
}

static void
files_survive_no_memory(void **state)
{
	struct room *room = *state;
	enum ht_err err = HT_OK;
	char here[HT_TEST_PATH_MAX];

	assert_non_null(getcwd(here, sizeof(here)));
	assert_int_equal(chdir(room->dir), 0); /* paths without a folder */
	TORTURE(err = write_and_read(room))
	{
		assert_err(err, HT_ENOMEM);
	}
	assert_ok(err);
	assert_int_equal(chdir(here), 0);
}

static void
paths_are_joined_with_one_slash(void **state)
{
	HT_AUTO(ht_mem_free) char *plain = ht_fs_join("a", "b");
	HT_AUTO(ht_mem_free) char *slash = ht_fs_join("a/", "b");
	HT_AUTO(ht_mem_free) char *root = ht_fs_join("/", "b");

	(void)state;
	assert_string_equal(plain, "a/b");
	assert_string_equal(slash, "a/b");
	assert_string_equal(root, "/b");
}

static void
random_bytes_differ(void **state)
{
	uint8_t a[1000] = {0}, b[1000] = {0};
	static const uint8_t zero[500];

	(void)state;
	ht_random(a, sizeof(a));
	ht_random(b, sizeof(b));
	assert_memory_not_equal(a, b, sizeof(a));
	assert_memory_not_equal(a + 500, zero, 500); /* to the end */
}

static void
destructors_leave_nothing_behind(void **state)
{
	int fd = dup(0), none = -1, again;
	char *text = malloc(1), *null = NULL;

	(void)state;
	assert_true(fd >= 0);
	again = fd;
	ht_fd_close(&fd);
	assert_int_equal(fd, -1);
	assert_int_equal(close(again), -1); /* it was closed */
	ht_fd_close(&none);
	ht_mem_free(&text);
	assert_null(text);
	ht_mem_free(&null);
}

#define IN_ROOM(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

static const struct CMUnitTest tests[] = {
    IN_ROOM(a_file_is_made_once_and_never_again),
    IN_ROOM(not_even_a_dangling_link_is_overwritten),
    IN_ROOM(a_file_is_replaced),
    IN_ROOM(reading_is_bounded),
    IN_ROOM(only_regular_files_are_read),
    IN_ROOM(an_empty_file_is_a_file),
    IN_ROOM(folders_are_made_all_the_way),
    IN_ROOM(a_missing_folder_is_an_error),
    IN_ROOM(a_full_disk_changes_nothing),
    IN_ROOM(files_survive_no_memory),
    cmocka_unit_test(paths_are_joined_with_one_slash),
    cmocka_unit_test(random_bytes_differ),
    cmocka_unit_test(destructors_leave_nothing_behind),
};

HT_TEST_MAIN(tests)
