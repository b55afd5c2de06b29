#include "tests/lib/test.h"

static void
every_code_has_a_text(void **state)
{
	static const enum ht_err codes[] = {
#define CODE(name, value, text) name,
	    HT_ERR_MAP(CODE)
#undef CODE
	};

	(void)state;
	assert_string_equal(ht_err_text(HT_OK), "success");
	for (size_t i = 0; i < HT_COUNT(codes); i++) {
		assert_int_equal(codes[i], -(int)(i + 1));
		assert_string_not_equal(ht_err_text(codes[i]), "unknown error");
		for (size_t j = 0; j < i; j++)
			assert_string_not_equal(
			    ht_err_text(codes[i]), ht_err_text(codes[j]));
	}
	assert_string_equal(ht_err_text((enum ht_err)(-999)), "unknown error");
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(every_code_has_a_text),
};

HT_TEST_MAIN(tests)
