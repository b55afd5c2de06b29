#include "tests/lib/test.h"

#include <sys/stat.h>
#include <unistd.h>

#include "broker/log/vault.h"
#include "lib/base/limits.h"
#include "tests/lib/fault.h"

static const uint8_t env[HT_ENV_ID_SIZE] = "sixteen bytes id";
static const uint8_t other_env[HT_ENV_ID_SIZE] = "another bytes id";
static const struct ht_vault_place nowhere = {0, 0};

static struct ht_vault *
open_vault(const char *dir, struct ht_vault_place place, bool write)
{
	HT_AUTO(ht_report_free) struct ht_report *report = ht_report_new();
	struct ht_vault *vault = NULL;

	assert_ok(ht_vault_open(dir, env, place, write, report, &vault));
	assert_int_equal(ht_report_count(report), 0);
	return vault;
}

static void
cannot_open(const char *dir, const uint8_t id[static HT_ENV_ID_SIZE],
    struct ht_vault_place place, bool write, const char *text)
{
	HT_AUTO(ht_report_free) struct ht_report *report = ht_report_new();
	struct ht_vault *vault = NULL;

	assert_err(ht_vault_open(dir, id, place, write, report, &vault),
	    HT_EINTEGRITY);
	assert_null(vault);
	assert_int_equal(ht_report_count(report), 1);
	assert_non_null(strstr(ht_report_text(report, 0), text));
}

static off_t
file_size(const char *dir, const char *name)
{
	char path[HT_TEST_PATH_MAX + 64];
	struct stat st;

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	return stat(path, &st) == 0 ? st.st_size : -1;
}

#define FIRST "0000000000000000.seg"

static void
pieces_come_back(void **state)
{
	char dir[HT_TEST_PATH_MAX];
	struct ht_vault *vault = open_vault(ht_test_dir(dir), nowhere, true);
	struct ht_slice tag = ht_slice_str("a tag"),
	                body = ht_slice_str("a sealed body"),
	                none = HT_SLICE(NULL, 0);
	struct ht_vault_place a, b, end;
	struct ht_buf got_tag = HT_BUF(100), got_body = HT_BUF(100);

	(void)state;
	assert_ok(ht_vault_append(vault, tag, body, &a));
	assert_ok(ht_vault_append(vault, none, body, &b));
	assert_int_equal(a.offset, HT_SEGMENT_HEAD);
	assert_int_equal(b.offset, a.offset + HT_VAULT_PIECE_MIN + 5 + 13);
	assert_ok(ht_vault_sync(vault));
	end = ht_vault_next(vault);
	ht_vault_close(&vault);
	assert_int_equal(file_size(dir, FIRST), end.offset);

	vault = open_vault(dir, end, false);
	assert_ok(ht_vault_read(vault, a, 5, 13, &got_tag, &got_body));
	assert_true(ht_slice_eq(ht_buf_slice(&got_tag), tag));
	assert_true(ht_slice_eq(ht_buf_slice(&got_body), body));
	ht_buf_reset(&got_body);
	assert_ok(ht_vault_read(vault, b, 0, 13, NULL, &got_body));
	assert_true(ht_slice_eq(ht_buf_slice(&got_body), body));
	/* Another place, other lengths: not what the entry promised. */
	assert_err(
	    ht_vault_read(vault, b, 5, 13, &got_tag, NULL), HT_EINTEGRITY);
	a.offset++;
	assert_err(
	    ht_vault_read(vault, a, 5, 13, &got_tag, NULL), HT_EINTEGRITY);
	assert_err(
	    ht_vault_read(vault, end, 5, 13, &got_tag, NULL), HT_EINTEGRITY);
	a.segment = 7;
	assert_err(
	    ht_vault_read(vault, a, 5, 13, &got_tag, NULL), HT_EINTEGRITY);
	ht_vault_close(&vault);
	ht_buf_fini(&got_tag);
	ht_buf_fini(&got_body);
	ht_test_dir_remove(dir);
}

static void
orphans_are_cut_off(void **state)
{
	char dir[HT_TEST_PATH_MAX];
	struct ht_vault *vault = open_vault(ht_test_dir(dir), nowhere, true);
	struct ht_vault_place end, place;

	(void)state;
	assert_ok(ht_vault_append(
	    vault, ht_slice_str("kept"), ht_slice_str("kept"), &place));
	assert_ok(ht_vault_sync(vault));
	end = ht_vault_next(vault);
	assert_ok(ht_vault_append(
	    vault, ht_slice_str("orphan"), ht_slice_str("orphan"), &place));
	assert_ok(ht_vault_sync(vault));
	ht_vault_close(&vault);
	assert_true(file_size(dir, FIRST) > (off_t)end.offset);

	vault = open_vault(dir, end, false);
	ht_vault_close(&vault);
	assert_true(file_size(dir, FIRST) > (off_t)end.offset);
	vault = open_vault(dir, end, true);
	assert_int_equal(file_size(dir, FIRST), end.offset);
	ht_vault_close(&vault);
	ht_test_dir_remove(dir);
}

/* A body larger than the stage, and the end of a (sparse) segment. */
static void
segments_follow_one_another(void **state)
{
	static uint8_t big[HT_BODY_MAX];
	char dir[HT_TEST_PATH_MAX], path[HT_TEST_PATH_MAX + 64];
	struct ht_vault *vault = open_vault(ht_test_dir(dir), nowhere, true);
	struct ht_slice none = HT_SLICE(NULL, 0),
	                body = HT_SLICE(big, sizeof(big));
	struct ht_vault_place end = {0, HT_SEGMENT_MAX - 1}, last, place;
	struct ht_buf got = HT_BUF(HT_BODY_MAX);

	(void)state;
	memset(big, 0x5a, sizeof(big));
	ht_vault_close(&vault);
	(void)snprintf(path, sizeof(path), "%s/%s", dir, FIRST);
	assert_int_equal(truncate(path, (off_t)end.offset), 0);
	vault = open_vault(dir, end, true);
	assert_ok(ht_vault_append(vault, none, body, &last));
	assert_int_equal(last.segment, 0);
	assert_int_equal(last.offset, end.offset);
	assert_ok(ht_vault_append(vault, none, body, &place));
	assert_int_equal(place.segment, 1);
	assert_int_equal(place.offset, HT_SEGMENT_HEAD);
	assert_ok(ht_vault_sync(vault));
	assert_ok(
	    ht_vault_read(vault, last, 0, (uint32_t)sizeof(big), NULL, &got));
	assert_memory_equal(got.at, big, sizeof(big));
	ht_buf_reset(&got);
	assert_ok(
	    ht_vault_read(vault, place, 0, (uint32_t)sizeof(big), NULL, &got));
	assert_memory_equal(got.at, big, sizeof(big));
	assert_ok(ht_vault_cut(vault, end));
	assert_int_equal(file_size(dir, "0000000000000001.seg"), -1);
	assert_int_equal(file_size(dir, FIRST), end.offset);
	assert_int_equal(ht_vault_next(vault).segment, 0);
	ht_vault_close(&vault);
	ht_buf_fini(&got);
	ht_test_dir_remove(dir);
}

static void
what_is_missing_is_said(void **state)
{
	char dir[HT_TEST_PATH_MAX], path[HT_TEST_PATH_MAX + 64];
	struct ht_vault *vault = open_vault(ht_test_dir(dir), nowhere, true);
	struct ht_vault_place end, place;

	(void)state;
	assert_ok(ht_vault_append(
	    vault, ht_slice_str("tag"), ht_slice_str("body"), &place));
	assert_ok(ht_vault_sync(vault));
	end = ht_vault_next(vault);
	ht_vault_close(&vault);
	(void)snprintf(path, sizeof(path), "%s/%s", dir, FIRST);
	cannot_open(dir, other_env, end, true, "no segment of this log");
	assert_int_equal(truncate(path, (off_t)end.offset - 1), 0);
	cannot_open(dir, env, end, true, "the file ends at byte");
	cannot_open(dir, env, end, false, "the file ends at byte");
	assert_int_equal(unlink(path), 0);
	cannot_open(dir, env, end, true, "missing");
	ht_test_dir_remove(dir);
}

static void
every_bit_of_a_tag_is_checked(void **state)
{
	char dir[HT_TEST_PATH_MAX], path[HT_TEST_PATH_MAX + 64];
	struct ht_vault *vault = open_vault(ht_test_dir(dir), nowhere, true);
	struct ht_vault_place place, end;
	struct ht_buf got = HT_BUF(100);
	FILE *f;

	(void)state;
	assert_ok(ht_vault_append(
	    vault, ht_slice_str("a tag"), ht_slice_str("a body"), &place));
	assert_ok(ht_vault_sync(vault));
	end = ht_vault_next(vault);
	(void)snprintf(path, sizeof(path), "%s/%s", dir, FIRST);
	f = fopen(path, "r+");
	assert_non_null(f);
	setbuf(f, NULL);
	for (long at = (long)place.offset; at < (long)end.offset - 6; at++) {
		int c;

		assert_int_equal(fseek(f, at, SEEK_SET), 0);
		c = fgetc(f);
		assert_int_equal(fseek(f, at, SEEK_SET), 0);
		assert_int_not_equal(fputc(c ^ 1 << (at % 8), f), EOF);
		assert_err(ht_vault_read(vault, place, 5, 6, &got, NULL),
		    HT_EINTEGRITY);
		assert_int_equal(fseek(f, at, SEEK_SET), 0);
		assert_int_not_equal(fputc(c, f), EOF);
	}
	assert_ok(ht_vault_read(vault, place, 5, 6, &got, NULL));
	assert_int_equal(fclose(f), 0);
	ht_vault_close(&vault);
	ht_buf_fini(&got);
	ht_test_dir_remove(dir);
}

static enum ht_err
attempt(const char *dir, struct ht_vault **ret)
{
	HT_AUTO(ht_report_free) struct ht_report *report = ht_report_new();

	return ht_vault_open(dir, env, nowhere, true, report, ret);
}

static void
every_allocation_may_fail(void **state)
{
	char dir[HT_TEST_PATH_MAX];
	struct ht_vault *vault = NULL;
	enum ht_err err = HT_OK;

	(void)state;
	ht_test_dir(dir);
	TORTURE(err = attempt(dir, &vault))
	{
		if (err == HT_OK) /* the report alone was lost */
			ht_vault_close(&vault);
		else
			assert_int_equal(err, HT_ENOMEM);
		assert_null(vault);
	}
	assert_ok(err);
	ht_vault_close(&vault);
	ht_test_dir_remove(dir);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(pieces_come_back),
    cmocka_unit_test(orphans_are_cut_off),
    cmocka_unit_test(segments_follow_one_another),
    cmocka_unit_test(what_is_missing_is_said),
    cmocka_unit_test(every_bit_of_a_tag_is_checked),
    cmocka_unit_test(every_allocation_may_fail),
};

HT_TEST_MAIN(tests)
