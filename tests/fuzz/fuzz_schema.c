/*
 * A schema, a NUL, a value: whatever they are, compiling and checking end, and
 * a value is refused exactly when a finding says why.
 */
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "lib/base/panic.h"
#include "schemas/schema.h"
#include "tests/fuzz/fuzz.h"

static json_t *
parse(const uint8_t *at, size_t len)
{
	return json_loadb((const char *)at, len,
	    JSON_DECODE_ANY | JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);
}

static void
check(const struct ht_schema *schema, const json_t *value)
{
	HT_AUTO(ht_report_free) struct ht_report *report = ht_report_new();
	static const uint8_t all[64] = {[0 ... 63] = 0xff};
	bool good = ht_schema_check(schema, value, report, NULL);

	HT_ASSERT(good == (ht_report_count(report) == 0));
	(void)ht_schema_check_part(
	    schema, value, HT_SLICE(all, sizeof(all)), report, report);
	for (size_t i = 0; i < ht_schema_fields(schema); i++)
		(void)ht_schema_check_field(schema, i, value, report);
}

int
LLVMFuzzerTestOneInput(const uint8_t *in, size_t in_len)
{
	HT_AUTO(ht_report_free) struct ht_report *report = ht_report_new();
	HT_AUTO(ht_schema_free) struct ht_schema *schema = NULL;
	const uint8_t *nul = in_len > 0 ? memchr(in, 0, in_len) : NULL;
	json_t *json, *value;

	if (nul == NULL)
		return 0;
	json = parse(in, (size_t)(nul - in));
	value = parse(nul + 1, in_len - (size_t)(nul - in) - 1);
	if (json != NULL) {
		enum ht_err err = ht_schema_compile(json, "", report, &schema);

		HT_ASSERT((err == HT_OK) == (schema != NULL));
		HT_ASSERT(
		    (err == HT_EINVALID) == (ht_report_count(report) > 0));
	}
	if (schema != NULL && value != NULL)
		check(schema, value);
	json_decref(json);
	json_decref(value);
	return 0;
}
