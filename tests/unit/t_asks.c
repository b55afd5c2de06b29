/*
 * What a grant says, from a command line into a document, and from a document
 * (an application) into another: nothing of it may be lost on the way, for a
 * limit that is lost is a right that is won.
 */
#include "tests/lib/test.h"

#include "adapters/cli/asks.h"

static const char begin[] = "hutong: grant/v1\ngrant: gx.demo/9\n"
                            "revision: 1\nstate: active\n";

/* Without quotes, which are put where they need not be. */
static const char *
bare(struct ht_buf *text)
{
	size_t n = 0;

	for (size_t i = 0; i < text->len; i++)
		if (text->at[i] != '"')
			text->at[n++] = text->at[i];
	text->len = n;
	return ht_buf_text(text);
}

static void
every_limit_survives_copying(void **state)
{
	static const struct ht_asks_words plain = {
	    .item = "gx.demo/SCZTDJ",
	    .version = "3",
	    .provider = "scjg.demo/registry",
	    .consumer = "tax.demo/state",
	    .operations = "query,verify",
	    .fields = "all",
	    .purposes = "tax-registration,planning",
	    .basis = "ZGF-15",
	    .from = "2026-11-24",
	    .life = "30d",
	};
	struct ht_asks_words cases[7];

	(void)state;
	for (size_t i = 0; i < HT_COUNT(cases); i++)
		cases[i] = plain;
	cases[1].fields = "shxydm,ztmc";
	cases[2].row_field = "xzqh";
	cases[2].row_prefix = "9999,21";
	cases[3].row_field = "xzqh";
	cases[3].row_area = "210000,370200,210203";
	cases[3].row_except = "210200,210102";
	cases[4].row_field = "xzqh";
	cases[4].row_prefix = "21";
	cases[4].row_except = "2102";
	cases[5].level = "0";
	cases[5].per_minute = "7";
	cases[6].per_day = "100";
	cases[6].per_minute = "7";
	for (size_t i = 0; i < HT_COUNT(cases); i++) {
		HT_AUTO(ht_report_free)
		struct ht_report *report = ht_report_new();
		HT_AUTO(ht_buf_fini) struct ht_buf given = HT_BUF(65536);
		HT_AUTO(ht_buf_fini) struct ht_buf copied = HT_BUF(65536);
		HT_AUTO(ht_doc_unref) struct ht_doc *doc = NULL;

		ht_buf_str(&given, begin);
		ht_buf_str(&copied, begin);
		assert_int_equal(
		    ht_cli_add_asks(&given, "consumer", &cases[i]), HT_CLI_GO);
		if (ht_doc_parse(ht_buf_slice(&given), "given", report, &doc) !=
		    HT_OK) {
			ht_report_print(report, stderr);
			fail_msg("case %zu: %s", i, ht_buf_text(&given));
		}
		ht_cli_add_asked(&copied, "consumer", doc->grant);
		assert_int_equal(copied.err, HT_OK);
		assert_string_equal(bare(&given), bare(&copied));
	}
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(every_limit_survives_copying),
};

HT_TEST_MAIN(tests)
