#include "schemas/tag.h"

#include "tests/lib/fault.h"
#include "tests/lib/sample.h"
#include "tests/lib/test.h"

/* ---- the keys of an epoch, from fixed seeds ---- */

static struct {
	struct ht_key *annex;
	struct ht_key *tracker;
	struct ht_epoch epoch;
} fixture;

static int
setup(void **state)
{
	uint8_t seed[32];

	(void)state;
	assert_ok(ht_keys_init());
	memset(seed, 1, sizeof(seed));
	assert_ok(ht_key_from_seed(HT_KEY_ANNEX, seed, &fixture.annex));
	memset(seed, 2, sizeof(seed));
	assert_ok(ht_key_from_seed(HT_KEY_TRACKER, seed, &fixture.tracker));
	strcpy(fixture.epoch.name, "gx.demo/2025Q4");
	fixture.epoch.annex = ht_key_pub(fixture.annex);
	fixture.epoch.tracker = fixture.tracker;
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	ht_key_free(&fixture.annex);
	ht_key_free(&fixture.tracker);
	return 0;
}

static struct ht_subject
subject(const char *registry, const char *id)
{
	return (struct ht_subject){ht_slice_str(registry), ht_slice_str(id)};
}

static struct ht_annex
annex_of(const char *subjects)
{
	struct ht_annex annex = {.subject = subjects,
	    .officer = "officer-7",
	    .casefile = "2025-1",
	    .purpose = "tax-registration"};

	for (size_t i = 0; i < sizeof(annex.entry); i++)
		annex.entry[i] = (uint8_t)i;
	return annex;
}

/* ---- making and checking ---- */

static void
a_tag_that_was_made_is_true(void **state)
{
	static const struct {
		const char *ids[3];
		const char *annex;
		unsigned n;
	} cases[] = {
	    {{"9111"},                 "uscc:9111",                     1},
	    {{"9111", "9222", "9333"}, "uscc:9333,uscc:9111,uscc:9222", 3},
	    {{"9111", "9222", "9111"}, "uscc:9111,uscc:9222",           2},
	};

	(void)state;
	for (size_t i = 0; i < HT_COUNT(cases); i++) {
		HT_AUTO(ht_buf_fini) struct ht_buf bytes = HT_BUF(HT_TAG_MAX);
		struct ht_annex annex = annex_of(cases[i].annex);
		struct ht_subject subjects[3];
		const char *why = "";
		struct ht_tag tag;
		size_t n = 0;

		while (n < 3 && cases[i].ids[n] != NULL) {
			subjects[n] = subject("uscc", cases[i].ids[n]);
			n++;
		}
		assert_ok(
		    ht_tag_make(&fixture.epoch, subjects, n, &annex, &bytes));
		assert_ok(ht_tag_decode(ht_buf_slice(&bytes), &tag, &why));
		assert_int_equal(tag.n_subjects, cases[i].n);
		assert_true(tag.bulk_count == 0);
		assert_true(ht_slice_is(tag.epoch, fixture.epoch.name));
		if (ht_tag_check(&tag, &fixture.epoch, subjects, n, &annex,
		        &why) != HT_OK)
			fail_msg("case %zu: %s", i, why);
	}
}

#define MANY 5000

static void
many_subjects_are_bulk(void **state)
{
	static char ids[MANY][8];
	static struct ht_subject subjects[MANY];
	HT_AUTO(ht_buf_fini) struct ht_buf bytes = HT_BUF(HT_TAG_MAX);
	struct ht_annex annex = annex_of("asked: district 9999");
	struct ht_tag tag;
	const char *why = "";

	(void)state;
	for (size_t i = 0; i < MANY; i++) {
		(void)snprintf(ids[i], sizeof(ids[i]), "%zu", i);
		subjects[i] = subject("uscc", ids[i]);
	}
	assert_ok(ht_tag_make(&fixture.epoch, subjects, MANY, &annex, &bytes));
	assert_ok(ht_tag_decode(ht_buf_slice(&bytes), &tag, NULL));
	assert_int_equal(tag.n_subjects, 0);
	assert_true(tag.bulk_count == MANY);
	assert_ok(
	    ht_tag_check(&tag, &fixture.epoch, subjects, MANY, &annex, &why));
	/* One more or another one does not go unseen. */
	assert_err(ht_tag_check(
	               &tag, &fixture.epoch, subjects, MANY - 1, &annex, &why),
	    HT_EINVALID);
	strcpy(ids[7], "other");
	subjects[7] = subject("uscc", ids[7]);
	assert_err(
	    ht_tag_check(&tag, &fixture.epoch, subjects, MANY, &annex, &why),
	    HT_EINVALID);
	assert_string_equal(
	    why, "the tag's pseudonyms are not those of the subjects");
}

static void
a_false_tag_is_found(void **state)
{
	HT_AUTO(ht_buf_fini) struct ht_buf bytes = HT_BUF(HT_TAG_MAX);
	struct ht_subject one = subject("uscc", "9111");
	struct ht_subject two = subject("uscc", "9222");
	struct ht_subject both[2] = {one, two};
	struct ht_annex annex = annex_of("uscc:9111"), other;
	struct ht_epoch epoch = fixture.epoch;
	struct ht_tag tag, bent;
	const char *why;

	(void)state;
	assert_ok(ht_tag_make(&epoch, &one, 1, &annex, &bytes));
	assert_ok(ht_tag_decode(ht_buf_slice(&bytes), &tag, NULL));
	assert_err(
	    ht_tag_check(&tag, &epoch, &two, 1, &annex, &why), HT_EINVALID);
	assert_err(
	    ht_tag_check(&tag, &epoch, both, 2, &annex, &why), HT_EINVALID);
	assert_err(
	    ht_tag_check(&tag, &epoch, both, 0, &annex, &why), HT_EINVALID);
	strcpy(epoch.name, "gx.demo/2026Q1");
	assert_err(
	    ht_tag_check(&tag, &epoch, &one, 1, &annex, &why), HT_EINVALID);
	assert_string_equal(why, "the tag is of another epoch");
	epoch = fixture.epoch;

	/* What the auditors would read is not what was looked at. */
	other = annex_of("uscc:9222");
	assert_err(
	    ht_tag_check(&tag, &epoch, &one, 1, &other, &why), HT_EINVALID);
	assert_string_equal(why, "the annex does not name the subjects");
	other = annex_of("uscc:9111,uscc:9222");
	assert_err(
	    ht_tag_check(&tag, &epoch, &one, 1, &other, &why), HT_EINVALID);
	other = annex_of("uscc:91111");
	assert_err(
	    ht_tag_check(&tag, &epoch, &one, 1, &other, &why), HT_EINVALID);
	other = annex_of(NULL);
	assert_err(
	    ht_tag_check(&tag, &epoch, &one, 1, &other, &why), HT_EINVALID);

	/* Another opening than was committed to. */
	other = annex;
	other.officer = "officer-8";
	assert_err(
	    ht_tag_check(&tag, &epoch, &one, 1, &other, &why), HT_EINVALID);
	assert_string_equal(
	    why, "the tag's commitment is not that of the annex");
	other = annex;
	other.entry[31] ^= 1;
	assert_err(
	    ht_tag_check(&tag, &epoch, &one, 1, &other, &why), HT_EINVALID);
	bent = tag;
	bent.annex.len--;
	assert_err(
	    ht_tag_check(&bent, &epoch, &one, 1, &annex, &why), HT_EINVALID);
	assert_ok(ht_tag_check(&tag, &epoch, &one, 1, &annex, &why));
}

static void
a_tag_that_would_be_false_is_not_made(void **state)
{
	HT_AUTO(ht_buf_fini) struct ht_buf out = HT_BUF(HT_TAG_MAX);
	struct ht_subject one = subject("uscc", "9111");
	struct ht_subject empty = subject("uscc", "");
	struct ht_annex annex = annex_of("uscc:9111");
	struct ht_annex other = annex_of("uscc:9222"), none = annex_of(NULL);
	char big[HT_TAG_MAX];
	const struct ht_epoch *e = &fixture.epoch;

	(void)state;
	assert_err(ht_tag_make(e, &one, 0, &annex, &out), HT_EINVALID);
	assert_err(ht_tag_make(e, &empty, 1, &annex, &out), HT_EINVALID);
	assert_err(ht_tag_make(e, &one, 1, &other, &out), HT_EINVALID);
	assert_err(ht_tag_make(e, &one, 1, &none, &out), HT_EINVALID);
	annex.officer = "\xff";
	assert_err(ht_tag_make(e, &one, 1, &annex, &out), HT_EINVALID);
	memset(big, 'x', sizeof(big));
	big[sizeof(big) - 1] = '\0';
	annex.officer = big;
	assert_err(ht_tag_make(e, &one, 1, &annex, &out), HT_ETOOBIG);
	big[HT_TAG_MAX - 200] = '\0'; /* fits the annex, but not the tag */
	assert_err(ht_tag_make(e, &one, 1, &annex, &out), HT_ETOOBIG);
}

static void
what_people_write_reads_as_it_is(void **state)
{
	static const struct {
		const char *text;
		const char *why; /* NULL: taken */
	} cases[] = {
	    {"Officer 0712",              NULL                             },
	    {"王警官 〔2026〕17号", NULL                             },
	    {"",	                  "case is empty"                  },
	    {"x\033[31m",                 "U+001B at byte 2"               },
	    {"a\tb",	              "U+0009 at byte 2"               },
	    {"a\nb",	              "U+000A at byte 2"               },
	    {"a\x7f",                     "U+007F at byte 2"               },
	    {"\xc2\x9b"
	     "1m",           "U+009B at byte 1"               },
	    {"1\xe2\x80\xae"
	     "7",            "U+202E at byte 2"               },
	    {"1\xe2\x80\xa8"
	     "7",            "U+2028 at byte 2"               },
	    {"\xe2\x80\x8b"
	     "7",            "U+200B at byte 1"               },
	    {"\xef\xbb\xbf"
	     "7",            "U+FEFF at byte 1"               },
	    {"\xcd\xf5\xbe\xaf",          "case is no UTF-8 from byte 1 on"},
	};
	char long_text[HT_ANNEX_TEXT_MAX + 2];
	struct ht_annex annex = {.subject = "uscc:9111"};
	HT_AUTO(ht_buf_fini) struct ht_buf why = HT_BUF(1024);

	(void)state;
	assert_true(ht_annex_reads(&annex, &why));
	for (size_t i = 0; i < HT_COUNT(cases); i++) {
		ht_buf_reset(&why);
		annex.casefile = cases[i].text;
		if (ht_annex_reads(&annex, &why) != (cases[i].why == NULL) ||
		    (cases[i].why != NULL &&
		        strstr(ht_buf_text(&why), cases[i].why) == NULL))
			fail_msg("case %zu: %s", i, ht_buf_text(&why));
	}
	annex.casefile = NULL;
	memset(long_text, 'x', sizeof(long_text));
	long_text[HT_ANNEX_TEXT_MAX] = '\0';
	annex.officer = long_text;
	assert_true(ht_annex_reads(&annex, &why));
	long_text[HT_ANNEX_TEXT_MAX] = 'x';
	long_text[HT_ANNEX_TEXT_MAX + 1] = '\0';
	ht_buf_reset(&why);
	assert_false(ht_annex_reads(&annex, &why));
	assert_non_null(strstr(ht_buf_text(&why), "officer has 513 bytes"));
}

static void
the_auditors_open_an_annex(void **state)
{
	HT_AUTO(ht_buf_fini) struct ht_buf bytes = HT_BUF(HT_TAG_MAX);
	HT_AUTO(ht_buf_fini) struct ht_buf plain = HT_BUF(HT_TAG_MAX);
	HT_AUTO(ht_key_free) struct ht_key *stranger = NULL;
	HT_AUTO(ht_json_free) json_t *json = NULL;
	struct ht_subject one = subject("uscc", "9111");
	struct ht_annex annex = annex_of("uscc:9111"), back;
	struct ht_tag tag;

	(void)state;
	assert_ok(ht_tag_make(&fixture.epoch, &one, 1, &annex, &bytes));
	assert_ok(ht_tag_decode(ht_buf_slice(&bytes), &tag, NULL));
	assert_ok(ht_annex_open(&tag, fixture.annex, &plain));
	assert_ok(ht_pack_to_json(ht_buf_slice(&plain), &json));
	assert_ok(ht_annex_from_json(json, &back));
	assert_memory_equal(back.entry, annex.entry, sizeof(annex.entry));
	assert_string_equal(back.subject, "uscc:9111");
	assert_string_equal(back.officer, "officer-7");
	assert_string_equal(back.casefile, "2025-1");
	assert_string_equal(back.purpose, "tax-registration");

	assert_ok(ht_key_new(HT_KEY_ANNEX, &stranger));
	ht_buf_reset(&plain);
	assert_err(ht_annex_open(&tag, stranger, &plain), HT_EBADSIG);
	tag.epoch = ht_slice_str("gx.demo/2026Q1"); /* lifted elsewhere */
	assert_err(ht_annex_open(&tag, fixture.annex, &plain), HT_EBADSIG);
}

static void
tags_of_one_subject_can_be_matched(void **state)
{
	HT_AUTO(ht_buf_fini) struct ht_buf a = HT_BUF(HT_TAG_MAX);
	HT_AUTO(ht_buf_fini) struct ht_buf b = HT_BUF(HT_TAG_MAX);
	struct ht_subject one = subject("uscc", "9111");
	struct ht_subject two[2] = {subject("uscc", "9222"), one};
	struct ht_annex an = annex_of("uscc:9111");
	struct ht_annex an2 = annex_of("uscc:9111,uscc:9222");
	struct ht_tag first, second, bulk = {.bulk_count = 100};
	struct ht_hash ha, hb;

	(void)state;
	assert_ok(ht_tag_make(&fixture.epoch, &one, 1, &an, &a));
	assert_ok(ht_tag_make(&fixture.epoch, two, 2, &an2, &b));
	assert_ok(ht_tag_decode(ht_buf_slice(&a), &first, NULL));
	assert_ok(ht_tag_decode(ht_buf_slice(&b), &second, NULL));
	assert_true(ht_tag_covers(&second, &first));
	assert_false(ht_tag_covers(&first, &second));
	assert_true(ht_tag_covers(&bulk, &first));
	assert_false(ht_tag_covers(&first, &bulk));
	assert_true(ht_tag_covers(&bulk, &bulk));
	/* The same subject twice is not the same tag. */
	assert_memory_not_equal(first.salt, second.salt, sizeof(first.salt));
	ha = ht_tag_hash(first.raw);
	hb = ht_tag_hash(second.raw);
	assert_false(ht_hash_eq(&ha, &hb));
}

/* ---- the form ---- */

static struct ht_tag
sample_tag(void)
{
	static const uint8_t annex[60];
	struct ht_tag tag = {.epoch = ht_slice_str("gx.demo/2025Q4"),
	    .n_subjects = 2,
	    .annex = HT_SLICE(annex, sizeof(annex))};

	memset(&tag.subjects[0], 1, sizeof(tag.subjects[0]));
	memset(&tag.subjects[1], 2, sizeof(tag.subjects[1]));
	return tag;
}

#define P1 "c410 01010101010101010101010101010101"
#define P2 "c410 02020202020202020202020202020202"
#define H                                                                      \
	"c420"                                                                 \
	"0000000000000000000000000000000000000000000000000000000000000000"

static void
each_field_is_checked(void **state)
{
	static const struct {
		uint32_t element;
		const char *with;
		enum ht_err want;
		const char *why;
	} cases[] = {
	    {0, "02",	                                HT_EPROTOCOL,  "a version of the tag"},
	    {0, "c0",	                                HT_EMALFORMED, "a tag is an array"   },
	    {1, "a161",	                              HT_EMALFORMED, "epoch (1)"           },
	    {1, "c0",	                                HT_EMALFORMED, "epoch (1)"           },
	    {2, "c40101",	                            HT_EMALFORMED, "salt (2)"            },
	    {3, "90",	                                HT_EMALFORMED, "bulk (4): either"    },
	    {3, "c0",	                                HT_EMALFORMED, "subjects (3)"        },
	    {3, "92" P2 P1,	                          HT_EMALFORMED, "subjects (3)"        },
	    {3, "92" P1 P1,	                          HT_EMALFORMED, "subjects (3)"        },
	    {3, "91c40101",	                          HT_EMALFORMED, "subjects (3)"        },
	    {3, "dc0011 c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0", HT_EMALFORMED,
             "subjects (3)"	                                                               },
	    {4, "92 11" H,	                           HT_EMALFORMED, "bulk (4): either"    },
	    {4, "92 10" H,	                           HT_EMALFORMED, "bulk (4): nil"       },
	    {4, "91 11",	                             HT_EMALFORMED, "bulk (4): nil"       },
	    {4, "92 11 c40101",                              HT_EMALFORMED, "bulk (4): nil"       },
	    {5, "c40101",	                            HT_EMALFORMED, "commitment (5)"      },
	    {6, "c40101",	                            HT_EMALFORMED, "annex (6)"           },
	    {6, "c0",	                                HT_EMALFORMED, "annex (6)"           },
	    {6, "",	                                  HT_EMALFORMED, "a tag is an array"   },
	    {7, "c0",	                                HT_EMALFORMED, "a tag is an array"   },
	};
	struct ht_tag tag = sample_tag();
	HT_AUTO(ht_buf_fini) struct ht_buf good = HT_BUF(HT_TAG_MAX);

	(void)state;
	assert_ok(ht_tag_encode(&tag, &good));
	for (size_t i = 0; i < HT_COUNT(cases); i++) {
		HT_AUTO(ht_buf_fini) struct ht_buf element = HT_BUF(4000);
		HT_AUTO(ht_buf_fini) struct ht_buf bad = HT_BUF(4000);
		struct ht_tag back = {.bulk_count = 99};
		const char *why = "";
		enum ht_err err;

		ht_sample_hex(&element, cases[i].with);
		ht_sample_swap(&bad, ht_buf_slice(&good), cases[i].element,
		    ht_buf_slice(&element));
		err = ht_tag_decode(ht_buf_slice(&bad), &back, &why);
		if (err != cases[i].want ||
		    strncmp(why, cases[i].why, strlen(cases[i].why)) != 0)
			fail_msg("%u %s: %s: %s", cases[i].element,
			    cases[i].with, ht_err_text(err), why);
		assert_true(back.bulk_count == 99);
	}
}

static void
a_tag_bent_anywhere_is_refused_or_another(void **state)
{
	struct ht_tag tag = sample_tag(), back;
	HT_AUTO(ht_buf_fini) struct ht_buf good = HT_BUF(HT_TAG_MAX);
	static uint8_t big[HT_TAG_MAX + 1];

	(void)state;
	assert_ok(ht_tag_encode(&tag, &good));
	for (size_t len = 0; len < good.len; len++) {
		HT_AUTO(ht_mem_free) uint8_t *cut = malloc(len + 1);

		memcpy(cut, good.at, len);
		assert_err(ht_tag_decode(HT_SLICE(cut, len), &back, NULL),
		    HT_EMALFORMED);
	}
	for (size_t bit = 0; bit < 8 * good.len; bit++) {
		HT_AUTO(ht_buf_fini) struct ht_buf again = HT_BUF(HT_TAG_MAX);

		good.at[bit / 8] ^= (uint8_t)(1u << bit % 8);
		if (ht_tag_decode(ht_buf_slice(&good), &back, NULL) == HT_OK) {
			assert_ok(ht_tag_encode(&back, &again));
			assert_true(ht_slice_eq(
			    ht_buf_slice(&good), ht_buf_slice(&again)));
		}
		good.at[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	assert_err(
	    ht_tag_decode(HT_SLICE(big, sizeof(big)), &back, NULL), HT_ETOOBIG);
}

static void
a_tag_out_of_form_is_not_written(void **state)
{
	struct ht_tag bad[6];

	(void)state;
	for (size_t i = 0; i < HT_COUNT(bad); i++)
		bad[i] = sample_tag();
	bad[0].epoch = ht_slice_str("x");
	bad[1].n_subjects = 0;
	bad[2].bulk_count = 17;
	bad[3].n_subjects = 0;
	bad[3].bulk_count = 16;
	bad[4].annex.len = 48;
	bad[5].n_subjects = 17;
	for (size_t i = 0; i < HT_COUNT(bad); i++) {
		HT_AUTO(ht_buf_fini) struct ht_buf out = HT_BUF(HT_TAG_MAX);

		assert_err(ht_tag_encode(&bad[i], &out), HT_EINVALID);
	}
}

static void
a_tag_survives_no_memory(void **state)
{
	HT_AUTO(ht_buf_fini) struct ht_buf out = {0};
	struct ht_subject one = subject("uscc", "9111");
	struct ht_annex annex = annex_of("uscc:9111");
	struct ht_tag tag;
	enum ht_err err = HT_OK;

	(void)state;
	TORTURE((ht_buf_fini(&out), out = HT_BUF(HT_TAG_MAX),
	    err = ht_tag_make(&fixture.epoch, &one, 1, &annex, &out)))
	{
		assert_err(err, HT_ENOMEM);
	}
	assert_ok(err);
	assert_ok(ht_tag_decode(ht_buf_slice(&out), &tag, NULL));
	TORTURE(err = ht_tag_check(&tag, &fixture.epoch, &one, 1, &annex, NULL))
	{
		assert_err(err, HT_ENOMEM);
	}
	assert_ok(err);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_tag_that_was_made_is_true),
    cmocka_unit_test(many_subjects_are_bulk),
    cmocka_unit_test(a_false_tag_is_found),
    cmocka_unit_test(a_tag_that_would_be_false_is_not_made),
    cmocka_unit_test(what_people_write_reads_as_it_is),
    cmocka_unit_test(the_auditors_open_an_annex),
    cmocka_unit_test(tags_of_one_subject_can_be_matched),
    cmocka_unit_test(each_field_is_checked),
    cmocka_unit_test(a_tag_bent_anywhere_is_refused_or_another),
    cmocka_unit_test(a_tag_out_of_form_is_not_written),
    cmocka_unit_test(a_tag_survives_no_memory),
};

int
main(void)
{
	return cmocka_run_group_tests(tests, setup, teardown);
}
