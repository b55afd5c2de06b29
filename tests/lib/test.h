/*
 * test.h -- cmocka in the order it can bear, and what every test needs.
 */
#ifndef HT_TESTS_LIB_TEST_H
#define HT_TESTS_LIB_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/base/own.h"

/* `HT_TEST_MAIN(tests)` after the table `static const struct CMUnitTest`. */
#define HT_TEST_MAIN(tests)                                                    \
	int main(void)                                                         \
	{                                                                      \
		return cmocka_run_group_tests(tests, NULL, NULL);              \
	}

/* Fails with the error's text, which says more than a number. */
#define assert_ok(expr)                                                        \
	do {                                                                   \
		enum ht_err assert_ok_ = (expr);                               \
		if (assert_ok_ != HT_OK)                                       \
			fail_msg("%s: %s", #expr, ht_err_text(assert_ok_));    \
	} while (0)

#define assert_err(expr, want)                                                 \
	do {                                                                   \
		enum ht_err assert_err_ = (expr);                              \
		if (assert_err_ != (want))                                     \
			fail_msg("%s: %s, not %s", #expr,                      \
			    ht_err_text(assert_err_), ht_err_text(want));      \
	} while (0)

#define HT_TEST_PATH_MAX 4096

/*
 * The path of a public test vector, "merkle/proofs.json" under vectors/ of the
 * shared folder ($HT_SHARED, else ../shared).  NULL, and a message, when it is
 * not there: the test then returns (to prove, cmocka 1.1.5's skip() fails).
 */
const char *ht_test_shared(char out[static HT_TEST_PATH_MAX], const char *name);

/* A fresh folder under $TMPDIR (or /tmp), and its removal with all in it. */
const char *ht_test_dir(char out[static HT_TEST_PATH_MAX]);
void ht_test_dir_remove(const char *dir);

#endif
