#include "lib/base/bytes.h"

#include "tests/lib/fault.h"
#include "tests/lib/test.h"

/* ---- slices ---- */

static void
slices_are_ordered_bytewise(void **state)
{
	static const struct {
		const char *a, *b;
		int want;
	} cases[] = {
	    {"",     "",     0 },
	    {"",     "a",    -1},
	    {"a",    "ab",   -1},
	    {"ab",   "b",    -1},
	    {"z",    "\xe6", -1}, /* unsigned, whatever char is */
	    {"same", "same", 0 },
	};

	(void)state;
	for (size_t i = 0; i < HT_COUNT(cases); i++) {
		struct ht_slice a = ht_slice_str(cases[i].a);
		struct ht_slice b = ht_slice_str(cases[i].b);
		int ab = ht_slice_cmp(a, b), ba = ht_slice_cmp(b, a);

		assert_int_equal((ab > 0) - (ab < 0), cases[i].want);
		assert_int_equal((ba > 0) - (ba < 0), -cases[i].want);
		assert_int_equal(ht_slice_eq(a, b), cases[i].want == 0);
		assert_int_equal(
		    ht_slice_is(a, cases[i].b), cases[i].want == 0);
	}
	assert_true(ht_slice_eq(HT_SLICE(NULL, 0), ht_slice_str("")));
}

static void
a_slice_is_copied_with_a_nul(void **state)
{
	HT_AUTO(ht_mem_free) char *copy = NULL;
	HT_AUTO(ht_mem_free) char *empty = NULL;

	(void)state;
	copy = ht_slice_dup(HT_SLICE("abcdef", 3));
	assert_string_equal(copy, "abc");
	empty = ht_slice_dup(HT_SLICE(NULL, 0));
	assert_string_equal(empty, "");
}

/* ---- the buffer ---- */

static void
a_buffer_grows_to_its_limit_and_no_further(void **state)
{
	HT_AUTO(ht_buf_fini) struct ht_buf buf = HT_BUF(1000);

	(void)state;
	for (unsigned i = 0; i < 1000; i++)
		ht_buf_u8(&buf, (uint8_t)i);
	assert_ok(buf.err);
	assert_int_equal(buf.len, 1000);
	for (unsigned i = 0; i < 1000; i++)
		assert_int_equal(buf.at[i], (uint8_t)i);
	assert_non_null(ht_buf_text(&buf)); /* a full one is a text, too */
	assert_int_equal(buf.at[1000], 0);

	ht_buf_u8(&buf, 0);
	assert_err(buf.err, HT_ETOOBIG);
	assert_int_equal(buf.len, 1000);
	ht_buf_add(&buf, "", 0);
	assert_err(buf.err, HT_ETOOBIG); /* it sticks */
	assert_null(ht_buf_text(&buf));
	assert_null(ht_buf_room(&buf, 0));

	ht_buf_reset(&buf);
	assert_ok(buf.err);
	ht_buf_str(&buf, "again");
	assert_string_equal(ht_buf_text(&buf), "again");
}

static void
a_buffer_on_an_array_keeps_to_it(void **state)
{
	uint8_t room[8];
	struct ht_buf buf = HT_BUF_ON(room);

	(void)state;
	ht_buf_str(&buf, "seven b");
	assert_ok(buf.err);
	assert_ptr_equal(buf.at, room);
	assert_string_equal(ht_buf_text(&buf), "seven b");
	ht_buf_u8(&buf, 0);
	assert_err(buf.err, HT_ETOOBIG);
	assert_ptr_equal(buf.at, room);
}

static void
a_length_near_the_top_does_not_wrap(void **state)
{
	HT_AUTO(ht_buf_fini) struct ht_buf buf = HT_BUF(100);

	(void)state;
	ht_buf_str(&buf, "x");
	assert_null(ht_buf_room(&buf, SIZE_MAX));
	assert_err(buf.err, HT_ETOOBIG);
	ht_buf_reset(&buf);
	assert_null(ht_buf_room(&buf, SIZE_MAX - 1));
	assert_err(buf.err, HT_ETOOBIG);
}

static void
numbers_are_written_big_endian(void **state)
{
	HT_AUTO(ht_buf_fini) struct ht_buf buf = HT_BUF(100);
	static const uint8_t want[] = {0x01, 0x12, 0x34, 0x89, 0xab, 0xcd, 0xef,
	    0xfe, 0xdc, 0xba, 0x98, 0x76, 0x54, 0x32, 0x10};

	(void)state;
	ht_buf_u8(&buf, 0x01);
	ht_buf_u16(&buf, 0x1234);
	ht_buf_u32(&buf, 0x89abcdef);
	ht_buf_u64(&buf, 0xfedcba9876543210);
	assert_ok(buf.err);
	assert_true(
	    ht_slice_eq(ht_buf_slice(&buf), HT_SLICE(want, sizeof(want))));
}

static void
formatted_text_is_appended(void **state)
{
	HT_AUTO(ht_buf_fini) struct ht_buf buf = HT_BUF(300);
	char wide[256];

	(void)state;
	memset(wide, 'w', sizeof(wide) - 1);
	wide[sizeof(wide) - 1] = '\0';
	ht_buf_fmt(&buf, "%d-%s", 42, "x");
	ht_buf_fmt(&buf, "%s", wide); /* longer than what was there */
	assert_ok(buf.err);
	assert_int_equal(buf.len, 4 + 255);
	assert_memory_equal(ht_buf_text(&buf), "42-xwww", 7);
	ht_buf_fmt(&buf, "%s", wide);
	assert_err(buf.err, HT_ETOOBIG);
	assert_int_equal(buf.len, 4 + 255);
}

static void
a_buffer_survives_no_memory(void **state)
{
	struct ht_buf buf = HT_BUF(10000);

	(void)state;
	TORTURE(
	    (ht_buf_fini(&buf), buf = HT_BUF(10000), ht_buf_str(&buf, "start"),
	        ht_buf_room(&buf, 500), ht_buf_fmt(&buf, "%05000d", 7)))
	{
		assert_err(buf.err, HT_ENOMEM);
	}
	assert_ok(buf.err);
	assert_int_equal(buf.len, 5 + 500 + 5000);
	ht_buf_fini(&buf);
	ht_buf_fini(&buf); /* twice is once */
}

/* ---- the cursor ---- */

static void
a_cursor_reads_what_was_written(void **state)
{
	HT_AUTO(ht_buf_fini) struct ht_buf buf = HT_BUF(100);
	struct ht_cur cur;
	char copy[3] = "";

	(void)state;
	ht_buf_u8(&buf, 7);
	ht_buf_u16(&buf, 0x1234);
	ht_buf_u32(&buf, 0x89abcdef);
	ht_buf_u64(&buf, 0xfedcba9876543210);
	ht_buf_str(&buf, "\3abc");
	ht_buf_u16(&buf, 2);
	ht_buf_str(&buf, "dexyz");
	assert_ok(buf.err);

	cur = ht_cur(ht_buf_slice(&buf));
	assert_int_equal(ht_cur_u8(&cur), 7);
	assert_int_equal(ht_cur_u16(&cur), 0x1234);
	assert_int_equal(ht_cur_u32(&cur), 0x89abcdef);
	assert_int_equal(ht_cur_u64(&cur), 0xfedcba9876543210);
	assert_true(ht_slice_is(ht_cur_str8(&cur), "abc"));
	assert_true(ht_slice_is(ht_cur_bytes16(&cur), "de"));
	ht_cur_copy(&cur, copy, 2);
	assert_string_equal(copy, "xy");
	assert_err(ht_cur_end(&cur), HT_EMALFORMED); /* one is left */
	assert_true(ht_slice_is(ht_cur_take(&cur, 1), "z"));
	assert_ok(ht_cur_end(&cur));
}

/* Every reader, one byte short. */
static void
read_u8(struct ht_cur *cur)
{
	assert_int_equal(ht_cur_u8(cur), 0);
}
static void
read_u16(struct ht_cur *cur)
{
	assert_int_equal(ht_cur_u16(cur), 0);
}
static void
read_u32(struct ht_cur *cur)
{
	assert_int_equal(ht_cur_u32(cur), 0);
}
static void
read_u64(struct ht_cur *cur)
{
	assert_int_equal(ht_cur_u64(cur), 0);
}
static void
read_copy(struct ht_cur *cur)
{
	uint8_t out[5] = {1, 2, 3, 4, 5};
	static const uint8_t zero[5];

	ht_cur_copy(cur, out, sizeof(out));
	assert_memory_equal(out, zero, sizeof(out));
}
static void
read_str8(struct ht_cur *cur)
{
	assert_int_equal(ht_cur_str8(cur).len, 0);
}
static void
read_bytes16(struct ht_cur *cur)
{
	assert_int_equal(ht_cur_bytes16(cur).len, 0);
}
static void
read_huge(struct ht_cur *cur)
{
	assert_int_equal(ht_cur_take(cur, SIZE_MAX).len, 0);
}

static void
a_cursor_never_reads_past_the_end(void **state)
{
	static const struct {
		void (*read)(struct ht_cur *);
		const char *bytes;
		size_t len;
	} cases[] = {
	    {read_u8,      "",             0},
	    {read_u16,     "\xff",         1},
	    {read_u32,     "\xff\xff\xff", 3},
	    {read_u64,     "1234567",      7},
	    {read_copy,    "1234",         4},
	    {read_str8,    "\4abc",        4},
	    {read_str8,    "",             0},
	    {read_bytes16, "\0\4abc",      5},
	    {read_bytes16,
             "\xff\xff"
	        "a",	               3},
	    {read_huge,    "a",            1},
	};

	(void)state;
	for (size_t i = 0; i < HT_COUNT(cases); i++) {
		struct ht_cur cur =
		    ht_cur(HT_SLICE(cases[i].bytes, cases[i].len));

		cases[i].read(&cur);
		assert_err(ht_cur_end(&cur), HT_EMALFORMED);
		/* And the first failure sticks, though bytes are left. */
		assert_int_equal(ht_cur_u8(&cur), 0);
		assert_err(ht_cur_end(&cur), HT_EMALFORMED);
	}
}

static void
no_bytes_are_fine(void **state)
{
	struct ht_cur cur = ht_cur(HT_SLICE(NULL, 0));

	(void)state;
	assert_ok(ht_cur_end(&cur));
	assert_int_equal(ht_cur_take(&cur, 0).len, 0);
	ht_cur_copy(&cur, NULL, 0);
	assert_ok(ht_cur_end(&cur));
}

/* ---- hex and base64 ---- */

static void
hex_goes_both_ways(void **state)
{
	uint8_t all[256], back[256];
	char text[513];

	(void)state;
	for (unsigned i = 0; i < 256; i++)
		all[i] = (uint8_t)i;
	ht_hex(text, all, sizeof(all));
	assert_int_equal(strlen(text), 512);
	assert_memory_equal(text, "000102030405060708090a0b", 24);
	assert_ok(ht_unhex(text, back, sizeof(back)));
	assert_memory_equal(all, back, sizeof(all));
	assert_ok(ht_unhex("aAfF", back, 2));
	assert_memory_equal(back, "\xaa\xff", 2);
}

static void
hex_is_strict(void **state)
{
	static const char *const bad[] = {
	    "", "0", "000", "00000", "0g00", "00 0", "0x00", "-100", "00\n0"};
	uint8_t out[2] = {5, 6};

	(void)state;
	for (size_t i = 0; i < HT_COUNT(bad); i++)
		assert_err(ht_unhex(bad[i], out, 2), HT_EMALFORMED);
	assert_memory_equal(out, "\5\6", 2); /* untouched */
}

/* RFC 4648 section 10. */
static const struct {
	const char *plain, *coded;
} b64_cases[] = {
    {"",             ""        },
    {"f",            "Zg=="    },
    {"fo",           "Zm8="    },
    {"foo",          "Zm9v"    },
    {"foob",         "Zm9vYg=="},
    {"fooba",        "Zm9vYmE="},
    {"foobar",       "Zm9vYmFy"},
    {"\xff\xef\xbe", "/+++"    },
};

static void
base64_follows_rfc_4648(void **state)
{
	(void)state;
	for (size_t i = 0; i < HT_COUNT(b64_cases); i++) {
		struct ht_slice plain = ht_slice_str(b64_cases[i].plain);
		struct ht_slice coded = ht_slice_str(b64_cases[i].coded);
		char text[HT_B64_SIZE(8)];
		uint8_t back[8];
		size_t len = 99;

		ht_b64(text, plain.at, plain.len);
		assert_string_equal(text, b64_cases[i].coded);
		assert_ok(ht_unb64(coded, back, sizeof(back), &len));
		assert_true(ht_slice_eq(HT_SLICE(back, len), plain));
		if (plain.len > 0)
			assert_err(ht_unb64(coded, back, plain.len - 1, &len),
			    HT_ETOOBIG);
	}
}

static void
base64_is_strict(void **state)
{
	static const struct {
		const char *why, *text;
	} bad[] = {
	    {"not padded",           "Zg"       },
	    {"half padded",          "Zg="      },
	    {"padded too much",      "Z==="     },
	    {"only padding",         "===="     },
	    {"padding inside",       "Zg==Zm9v" },
	    {"= before a digit",     "Zm=v"     },
	    {"white space",          "Zm9v Zm9v"},
	    {"a newline",            "Zm9v\n"   },
	    {"unused bits, one pad", "Zm9="     },
	    {"unused bits, two",     "Zh=="     },
	    {"the URL alphabet",     "_-__"     },
	    {"not ASCII",            "Zm9\xff"  },
	};

	(void)state;
	for (size_t i = 0; i < HT_COUNT(bad); i++) {
		uint8_t out[16];
		size_t len = 77;

		if (ht_unb64(ht_slice_str(bad[i].text), out, sizeof(out),
		        &len) != HT_EMALFORMED)
			fail_msg("%s: accepted", bad[i].why);
		assert_int_equal(len, 77);
	}
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(slices_are_ordered_bytewise),
    cmocka_unit_test(a_slice_is_copied_with_a_nul),
    cmocka_unit_test(a_buffer_grows_to_its_limit_and_no_further),
    cmocka_unit_test(a_buffer_on_an_array_keeps_to_it),
    cmocka_unit_test(a_length_near_the_top_does_not_wrap),
    cmocka_unit_test(numbers_are_written_big_endian),
    cmocka_unit_test(formatted_text_is_appended),
    cmocka_unit_test(a_buffer_survives_no_memory),
    cmocka_unit_test(a_cursor_reads_what_was_written),
    cmocka_unit_test(a_cursor_never_reads_past_the_end),
    cmocka_unit_test(no_bytes_are_fine),
    cmocka_unit_test(hex_goes_both_ways),
    cmocka_unit_test(hex_is_strict),
    cmocka_unit_test(base64_follows_rfc_4648),
    cmocka_unit_test(base64_is_strict),
};

HT_TEST_MAIN(tests)
