/* What is written is ustar: the header's fields, and the names it can hold. */
#include "tests/lib/test.h"

#include "broker/log/tar.h"
#include "tests/lib/fault.h"

#define PART "0123456789012345678901234567890123456789" /* 40 bytes */

static void
a_name_stays_inside_and_fits(void **state)
{
	static const struct {
		const char *why;
		const char *name;
		enum ht_err want;
		const char *prefix;
		const char *rest;
	} rows[] = {
	    {"a short one",	                                  "case/a",       HT_OK,       "",   "case/a"          },
	    {"a long one is parted at its first slash that will do",
             PART "/" PART "/" PART "/b",                                            HT_OK,       PART, PART "/" PART "/b"},
	    {"255 bytes have no slash at the right place",
             PART PART PART "/" PART PART PART,                                      HT_EINVALID, "",   ""                },
	    {"absolute",	                                     "/etc/passwd",  HT_EINVALID, "",   ""                },
	    {"upwards",	                                      "case/../../a", HT_EINVALID, "",   ""                },
	    {"to where it is",	                               "case/./a",     HT_EINVALID, "",   ""                },
	    {"an empty part",	                                "case//a",      HT_EINVALID, "",   ""                },
	    {"a folder",	                                     "case/",        HT_EINVALID, "",   ""                },
	    {"nothing",	                                      "",             HT_EINVALID, "",   ""                },
	};

	(void)state;
	for (size_t i = 0; i < HT_COUNT(rows); i++) {
		HT_AUTO(ht_buf_fini) struct ht_buf out = HT_BUF(4096);
		char rest[101] = "", prefix[156] = "";
		enum ht_err err =
		    ht_tar_add(&out, rows[i].name, 0644, 1, HT_SLICE("x", 1));

		if (err != rows[i].want)
			fail_msg("%s: %s", rows[i].why, ht_err_text(err));
		if (err != HT_OK)
			continue;
		memcpy(rest, out.at, 100);
		memcpy(prefix, out.at + 345, 155);
		if (strcmp(rest, rows[i].rest) != 0 ||
		    strcmp(prefix, rows[i].prefix) != 0)
			fail_msg(
			    "%s: '%s' and '%s'", rows[i].why, prefix, rest);
	}
}

static void
a_file_has_a_header_and_whole_blocks(void **state)
{
	HT_AUTO(ht_buf_fini) struct ht_buf out = HT_BUF(8192);
	unsigned sum = 0;

	(void)state;
	assert_err(
	    ht_tar_add(&out, "case/a", 0755, 1795482123, ht_slice_str("hello")),
	    HT_OK);
	assert_err(
	    ht_tar_add(&out, "case/b", 0644, 0, HT_SLICE(NULL, 0)), HT_OK);
	assert_err(ht_tar_end(&out), HT_OK);
	assert_int_equal(out.len, HT_TAR_BLOCK * 5);
	assert_string_equal((char *)out.at + 100, "0000755");
	assert_string_equal((char *)out.at + 124, "00000000005");
	assert_string_equal((char *)out.at + 136, "15301161013");
	assert_string_equal((char *)out.at + 257, "ustar");
	assert_memory_equal(out.at + HT_TAR_BLOCK, "hello\0", 6);
	for (size_t i = 0; i < HT_TAR_BLOCK; i++)
		sum += i >= 148 && i < 156 ? ' ' : out.at[i];
	assert_int_equal(sum, strtoul((char *)out.at + 148, NULL, 8));
	assert_int_equal(out.at[155], ' ');
}

/* What we wrote is read; whatever else stands there is none of ours. */
static void
a_head_is_taken_apart(void **state)
{
	static const size_t spoiled[] = {0, 130, 148, 156, 257, 400};
	char name[HT_TAR_NAME], longer[200] = "";
	struct ht_buf out = HT_BUF(8192);
	uint64_t len = 0;

	(void)state;
	memset(longer, 'a', 160);
	longer[100] = '/';
	assert_ok(ht_tar_head(&out, longer, 0600, 1, 077777777777));
	assert_ok(ht_tar_parse(out.at, name, &len));
	assert_string_equal(name, longer);
	assert_int_equal(len, UINT64_C(077777777777));
	for (size_t i = 0; i < HT_COUNT(spoiled); i++) {
		out.at[spoiled[i]] ^= 1;
		assert_err(ht_tar_parse(out.at, name, &len), HT_EMALFORMED);
		out.at[spoiled[i]] ^= 1;
	}
	assert_ok(ht_tar_parse(out.at, name, &len));
	memset(out.at, 0, HT_TAR_BLOCK);
	assert_err(ht_tar_parse(out.at, name, &len), HT_ENOTFOUND);
	ht_buf_fini(&out);
	assert_int_equal(HT_TAR_PAD(0), 0);
	assert_int_equal(HT_TAR_PAD(1), 511);
	assert_int_equal(HT_TAR_PAD(512), 0);
}

static void
no_memory_is_said(void **state)
{
	enum ht_err err = HT_OK;

	(void)state;
	TORTURE({
		struct ht_buf out = HT_BUF(8192);

		err = ht_tar_add(&out, "case/a", 0644, 1, HT_SLICE("x", 1));
		if (err == HT_OK)
			err = ht_tar_end(&out);
		ht_buf_fini(&out);
	})
	{
		assert_err(err, HT_ENOMEM);
	}
	assert_err(err, HT_OK);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_name_stays_inside_and_fits),
	    cmocka_unit_test(a_file_has_a_header_and_whole_blocks),
	    cmocka_unit_test(a_head_is_taken_apart),
	    cmocka_unit_test(no_memory_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
