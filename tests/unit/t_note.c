/*
 * t_note.c -- signed notes: the vectors of C2SP's signed-note page and of a
 * public test log (transparency-dev/tessera, testdata/log), and the rules.
 */
#include "tests/lib/test.h"

#include <string.h>

#include "keys/note.h"

static const char foo_vkey[] =
    "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
static const char foo_note[] =
    "This is an example message.\n\n"
    "\xe2\x80\x94 example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2O"
    "NncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n";
static const char log_vkey[] = "example.com/log/testdata+33d7b496+"
                               "AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx";
static const char log_note[] =
    "example.com/log/testdata\n15\n"
    "rKbDipCvhuX1GZ7g5BBe8sA6BbJ7ja/1nk427v383cs=\n\n"
    "\xe2\x80\x94 example.com/log/testdata M9e0luh4jTG+UMBqOUo9/q+yAEvx1ilBEn"
    "iMvjf1zfcBOhg+CKubMt53MvIt/uEWP6zdkdIQzd/fmwlM/dlPWF74ewI=\n";

static void
public_notes_verify(void **state)
{
	struct ht_vkey vkey;
	struct ht_note note;
	struct ht_checkpoint cp;
	uint64_t has = 0;

	(void)state;
	assert_int_equal(ht_vkey_parse(ht_slice_str(foo_vkey), &vkey), HT_OK);
	assert_int_equal(ht_note_parse(ht_slice_str(foo_note), &note), HT_OK);
	assert_int_equal(ht_note_verify(&note, &vkey, 1, &has), HT_OK);
	assert_int_equal(has, 1);
	assert_int_equal(ht_vkey_parse(ht_slice_str(log_vkey), &vkey), HT_OK);
	assert_int_equal(
	    ht_checkpoint_open(ht_slice_str(log_note), &vkey, &cp), HT_OK);
	assert_int_equal(cp.size, 15);
}

static void
any_changed_letter_is_noticed(void **state)
{
	char bytes[sizeof(log_note)];
	struct ht_checkpoint cp;
	struct ht_vkey vkey;

	(void)state;
	assert_int_equal(ht_vkey_parse(ht_slice_str(log_vkey), &vkey), HT_OK);
	for (size_t i = 0; i < sizeof(log_note) - 1; i++) {
		memcpy(bytes, log_note, sizeof(log_note));
		bytes[i] = (char)(bytes[i] ^ 1);
		if (ht_checkpoint_open(HT_SLICE(bytes, sizeof(bytes) - 1),
		        &vkey, &cp) == HT_OK)
			fail_msg("a change at byte %zu went unnoticed", i);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(public_notes_verify),
	    cmocka_unit_test(any_changed_letter_is_noticed),
	};

	if (ht_keys_init() != HT_OK)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
