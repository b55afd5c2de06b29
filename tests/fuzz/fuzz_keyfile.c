/*
 * Whatever we take for a key file is what the writer would have written, byte
 * for byte.
 */
#include "keys/keyfile.c"

#include "tests/fuzz/fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *in, size_t in_len)
{
	HT_AUTO(ht_report_free) struct ht_report *report = ht_report_new();
	struct text text = {.len = 0}, head = {.len = 0};
	struct secret secret = {.locked = false};
	struct ht_keyfile file;

	HT_ASSERT(ht_keys_init() == HT_OK);
	if (in_len > HT_KEYFILE_MAX)
		return 0;
	memcpy(text.at, in, in_len);
	text.at[in_len] = '\0';
	text.len = in_len;
	if (parse(&text, "in", report, &file, &secret, &head) != HT_OK) {
		HT_ASSERT(ht_report_count(report) == 1);
		return 0;
	}
	HT_ASSERT(ht_report_count(report) == 0);
	HT_ASSERT(file.locked == secret.locked);
	add_secret(&head, &secret);
	HT_ASSERT(head.len == text.len);
	HT_ASSERT(memcmp(head.at, text.at, text.len) == 0);
	return 0;
}
