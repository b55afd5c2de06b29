/*
 * How figures are counted, and the documents that they are taken from, as a
 * file has them: one form, everything in its place, and nothing left out.
 */
#include "tests/lib/test.h"

#include "broker/cli/count_how.h"
#include "broker/cli/papers.h"
#include "tests/lib/fault.h"
#include "tests/lib/world.h"

#define NOW_MS UINT64_C(1795482123000)

/* ---- how ---- */

static void
pack_how(struct ht_buf *out, const char *const values[6])
{
	static const char *const keys[] = {
	    "by", "counts", "lang", "month", "period", "zone"};

	ht_pack_map(out, 6);
	for (size_t i = 0; i < 6; i++) {
		ht_pack_cstr(out, keys[i]);
		ht_pack_cstr(out, values[i]);
	}
}

static void
how_it_is_counted_has_one_form(void **state)
{
	static const struct {
		const char *why;
		const char *values[6];
		enum ht_err want;
	} rows[] = {
	    {"stats",                  {"member,item", "stats", "zh", "", "day", "+08:00"},
             HT_OK	                                                                               },
	    {"stats by nothing",       {"", "stats", "en", "", "", "+00:00"},               HT_OK        },
	    {"a report",               {"", "report", "en", "2026-11", "", "-03:30"},       HT_OK        },
	    {"a report of no month",   {"", "report", "en", "", "", "+00:00"},
             HT_EMALFORMED	                                                                       },
	    {"a report by something",
             {"item", "report", "en", "2026-11", "", "+00:00"},
             HT_EMALFORMED	                                                                       },
	    {"a report by days",
             {"", "report", "en", "2026-11", "day", "+00:00"},
             HT_EMALFORMED	                                                                       },
	    {"stats of a month",       {"", "stats", "en", "2026-11", "", "+00:00"},
             HT_EMALFORMED	                                                                       },
	    {"stats by hours",         {"", "stats", "en", "", "hour", "+00:00"},
             HT_EMALFORMED	                                                                       },
	    {"something else",         {"", "sums", "en", "", "", "+00:00"},
             HT_EMALFORMED	                                                                       },
	    {"no language",            {"", "stats", "", "", "", "+00:00"},                 HT_EMALFORMED},
	    {"a zone in another form", {"", "stats", "en", "", "", "Z"},
             HT_EMALFORMED	                                                                       },
	    {"minus nothing",          {"", "stats", "en", "", "", "-00:00"},
             HT_EMALFORMED	                                                                       },
	    {"a zone that is none",    {"", "stats", "en", "", "", "+15:00"},
             HT_EMALFORMED	                                                                       },
	};

	(void)state;
	for (size_t i = 0; i < HT_COUNT(rows); i++) {
		HT_AUTO(ht_buf_fini) struct ht_buf in = HT_BUF(HT_HOW_MAX);
		HT_AUTO(ht_buf_fini) struct ht_buf again = HT_BUF(HT_HOW_MAX);
		struct ht_audit_opts opts = {0};
		struct ht_count_how how;
		enum ht_err err;

		pack_how(&in, rows[i].values);
		err = ht_count_how_decode(ht_buf_slice(&in), &how);
		if (err != rows[i].want)
			fail_msg("%s: %s", rows[i].why, ht_err_text(err));
		if (err != HT_OK)
			continue;
		ht_count_how_apply(&how, &opts);
		ht_count_how_encode(&opts, &again);
		assert_true(
		    ht_slice_eq(ht_buf_slice(&in), ht_buf_slice(&again)));
		for (size_t len = 0; len < in.len; len++)
			assert_err(
			    ht_count_how_decode(HT_SLICE(in.at, len), &how),
			    HT_EMALFORMED);
	}
}

/* ---- papers ---- */

static struct ht_slice
named(const char *name)
{
	return ht_slice_str(name);
}

/* Of the world: an item, its provider, and something that is not there. */
static void
ask(struct ht_papers *papers)
{
	const char *what;
	const struct ht_item *item =
	    ht_papers_item(papers, named("gx.demo/SCZTDJ"), 1);

	assert_non_null(item);
	assert_int_equal(item->answer_ms, 5000);
	assert_ptr_equal(
	    ht_papers_item_newest(papers, named("gx.demo/SCZTDJ")), item);
	assert_null(ht_papers_item(papers, named("gx.demo/SCZTDJ"), 2));
	assert_null(ht_papers_item_newest(papers, named("gx.demo/NONE")));
	assert_null(ht_papers_member(papers, named("nobody.demo/at-all")));
	assert_null(ht_papers_member(papers, HT_SLICE(NULL, 0)));
	assert_string_equal(
	    ht_papers_member(papers, named("scjg.demo/registry"))->title_en,
	    "Market regulation");
	assert_ok(ht_papers_err(papers, &what));
	assert_null(ht_papers_unused(papers));
}

static void
pack_world(const struct ht_world *w, struct ht_buf *out)
{
	HT_AUTO(ht_papers_free) struct ht_papers *papers = NULL;

	assert_ok(ht_papers_of_trust(w->trust, &papers));
	ask(papers);
	assert_ok(ht_papers_pack(papers, out));
}

static void
papers_bring_what_was_asked_for(void **state)
{
	HT_AUTO(ht_world_free) struct ht_world *w = ht_world_new(NOW_MS);
	HT_AUTO(ht_buf_fini) struct ht_buf bytes = HT_BUF(HT_DOC_MAX);
	HT_AUTO(ht_buf_fini) struct ht_buf again = HT_BUF(HT_DOC_MAX);
	HT_AUTO(ht_papers_free) struct ht_papers *papers = NULL;
	const char *why = NULL, *what = NULL;
	struct ht_hash hash = ht_trust_hash(w->trust);

	(void)state;
	pack_world(w, &bytes);
	assert_ok(ht_papers_open(ht_buf_slice(&bytes), &papers, &why));
	assert_true(ht_hash_eq(&ht_papers_snapshot(papers)->hash, &hash));
	assert_string_equal(ht_papers_unused(papers), "gx.demo/SCZTDJ@1");
	ask(papers);
	assert_ok(ht_papers_pack(papers, &again));
	assert_true(ht_slice_eq(ht_buf_slice(&bytes), ht_buf_slice(&again)));
	/* It is on the list, and not in the file: that is no absence. */
	assert_null(ht_papers_item_newest(papers, named("gx.demo/ZXTJ")));
	assert_err(ht_papers_err(papers, &what), HT_EINTEGRITY);
	assert_string_equal(what, "gx.demo/ZXTJ@1");
}

static void
without_papers_nobody_has_a_name(void **state)
{
	HT_AUTO(ht_papers_free) struct ht_papers *none = NULL, *empty = NULL;
	HT_AUTO(ht_buf_fini) struct ht_buf bytes = HT_BUF(64);
	const char *why = NULL;

	(void)state;
	assert_ok(ht_papers_of_trust(NULL, &none));
	assert_null(ht_papers_snapshot(none));
	assert_null(ht_papers_item_newest(none, named("gx.demo/SCZTDJ")));
	assert_ok(ht_papers_pack(none, &bytes));
	assert_int_equal(bytes.len, 0);
	assert_ok(ht_papers_open(ht_buf_slice(&bytes), &empty, &why));
	assert_null(ht_papers_snapshot(empty));
}

/* Each byte counts, but those of signatures and of lengths that still fit. */
static void
changed_papers_are_refused(void **state)
{
	HT_AUTO(ht_world_free) struct ht_world *w = ht_world_new(NOW_MS);
	HT_AUTO(ht_buf_fini) struct ht_buf bytes = HT_BUF(HT_DOC_MAX);
	struct ht_slice parts[4], extra;
	const char *why = NULL;
	struct ht_cur cur;

	(void)state;
	pack_world(w, &bytes);
	for (size_t len = 1; len < bytes.len; len += 7) {
		HT_AUTO(ht_papers_free) struct ht_papers *cut = NULL;
		enum ht_err err =
		    ht_papers_open(HT_SLICE(bytes.at, len), &cut, &why);

		/* Cut between two documents it is one short of them. */
		assert_true(err == HT_EINTEGRITY ||
		            (err == HT_OK && len < bytes.len - 100));
	}
	cur = ht_cur(ht_buf_slice(&bytes));
	for (size_t i = 0; i < HT_COUNT(parts); i++)
		parts[i] = ht_cur_take(&cur, ht_cur_u32(&cur));
	assert_ok(ht_cur_end(&cur));
	extra = ht_trust_find_doc(w->trust, "member", named("tax.demo/state"));
	static const struct {
		const char *why;
		size_t n;
		unsigned order[5]; /* 4: another member's */
		enum ht_err want;
	} rows[] = {
	    {"as they are",           4, {0, 1, 2, 3},    HT_OK        },
	    {"one more of the list",  5, {0, 1, 2, 3, 4}, HT_OK        },
	    {"one less",              3, {0, 1, 2},       HT_OK        },
	    {"out of order",          4, {0, 1, 3, 2},    HT_EINTEGRITY},
	    {"one twice",             5, {0, 1, 2, 2, 3}, HT_EINTEGRITY},
	    {"no list",               1, {0},             HT_EINTEGRITY},
	    {"another for a list",    4, {0, 2, 2, 3},    HT_EINTEGRITY},
	    {"no snapshot",           3, {1, 2, 3},       HT_EINTEGRITY},
	    {"an item for snapshot",  3, {2, 1, 3},       HT_EINTEGRITY},
	    {"a snapshot as a paper", 3, {0, 1, 0},       HT_EINTEGRITY},
	};
	for (size_t i = 0; i < HT_COUNT(rows); i++) {
		HT_AUTO(ht_buf_fini) struct ht_buf in = HT_BUF(HT_DOC_MAX);
		HT_AUTO(ht_papers_free) struct ht_papers *bent = NULL;
		enum ht_err err;

		for (size_t j = 0; j < rows[i].n; j++) {
			unsigned which = rows[i].order[j];
			struct ht_slice part =
			    which == 4 ? extra : parts[which];

			ht_buf_u32(&in, (uint32_t)part.len);
			ht_buf_add(&in, part.at, part.len);
		}
		err = ht_papers_open(ht_buf_slice(&in), &bent, &why);
		if (err != rows[i].want)
			fail_msg("%s: %s", rows[i].why, ht_err_text(err));
	}
}

/* A document reads without memory for hints ("did you mean"). */
static void
refused_or_whole(enum ht_err err, struct ht_papers **papers)
{
	if (err != HT_OK) {
		assert_int_equal(err, HT_ENOMEM);
		assert_null(*papers);
	}
	ht_papers_free(papers);
}

static void
papers_without_memory_are_said(void **state)
{
	HT_AUTO(ht_world_free) struct ht_world *w = ht_world_new(NOW_MS);
	HT_AUTO(ht_buf_fini) struct ht_buf bytes = HT_BUF(HT_DOC_MAX);
	struct ht_papers *papers = NULL;
	const char *why = NULL;
	enum ht_err err = HT_OK;

	(void)state;
	pack_world(w, &bytes);
	TORTURE(err = ht_papers_open(ht_buf_slice(&bytes), &papers, &why))
	refused_or_whole(err, &papers);
	assert_ok(err);
	ht_papers_free(&papers);
	TORTURE(err = ht_papers_of_trust(w->trust, &papers))
	refused_or_whole(err, &papers);
	assert_ok(err);
	ht_papers_free(&papers);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(how_it_is_counted_has_one_form),
    cmocka_unit_test(papers_bring_what_was_asked_for),
    cmocka_unit_test(without_papers_nobody_has_a_name),
    cmocka_unit_test(changed_papers_are_refused),
    cmocka_unit_test(papers_without_memory_are_said),
};

HT_TEST_MAIN(tests)
