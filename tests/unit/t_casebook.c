/* The folder of applications, and the mailbox that is its only writer. */
#include "tests/lib/test.h"

#include <sys/stat.h>

#include "adapters/mailbox.h"
#include "lib/base/fs.h"
#include "schemas/status.h"
#include "tests/lib/fault.h"
#include "tests/lib/world.h"

#define NOW_MS UINT64_C(1926000000123) /* 2031-01-12T16:00:00.123Z */

static struct ht_world *world;

static int
make_world(void **state)
{
	(void)state;
	assert_ok(ht_keys_init());
	world = ht_world_new(NOW_MS);
	return 0;
}

static int
drop_world(void **state)
{
	(void)state;
	ht_world_free(&world);
	return 0;
}

static const char application[] = "hutong: application/v1\n"
                                  "application: tax.demo/state.2031-7\n"
                                  "revision: 1\n"
                                  "applicant: tax.demo/state\n"
                                  "item: gx.demo/SCZTDJ\n"
                                  "version: 1\n"
                                  "provider: scjg.demo/registry\n"
                                  "basis: ZGF-15\n"
                                  "scene: 税务稽查\n"
                                  "purposes: [tax-audit]\n"
                                  "scope: 稽查局\n"
                                  "fields: all\n"
                                  "operations: [query]\n"
                                  "from: 2031-02-01T00:00:00Z\n"
                                  "until: 2032-02-01T00:00:00Z\n";

/* Signed by an officer of a member of the world. */
static char *
signed_by(const char *text, size_t member)
{
	struct ht_buf note = HT_BUF(HT_DOC_MAX);
	char name[HT_NAME_MAX + 16], *copy;

	(void)snprintf(
	    name, sizeof(name), "%s/officer", world->members[member].name);
	assert_ok(ht_note_sign(ht_slice_str(text), false, name,
	    world->members[member].officer, &note));
	copy = strdup(ht_buf_text(&note));
	assert_non_null(copy);
	ht_buf_fini(&note);
	return copy;
}

static struct ht_doc *
doc_of(const char *text)
{
	struct ht_doc *doc = NULL;

	assert_ok(ht_doc_parse(ht_slice_str(text), "doc", NULL, &doc));
	return doc;
}

static char *
answer_text(const char *more)
{
	HT_AUTO(ht_doc_unref) struct ht_doc *to = doc_of(application);
	char hex[2 * HT_HASH_SIZE + 1], *text = NULL;

	ht_hex(hex, to->hash.at, sizeof(to->hash.at));
	assert_true(asprintf(&text,
	                "hutong: answer/v1\n"
	                "application: tax.demo/state.2031-7\n"
	                "revision: 1\nhash: '%s'\n"
	                "provider: scjg.demo/registry\n%s",
	                hex, more) > 0);
	return text;
}

/* ---- a mailbox in a fresh folder ---- */

struct box {
	char dir[HT_TEST_PATH_MAX];
	struct ht_mailbox mailbox;
	json_t *records;
	bool more;
	struct ht_reasons reasons;
	uint64_t now_ms;
};

static void
open_box(struct box *b)
{
	assert_ok(ht_calendar_parse(
	    ht_slice_str(
	        "hutong: calendar/v1\nzone: \"+00:00\"\nyears:\n"
	        "  - {year: 2031, notice: an example, holidays: []}\n"),
	    "cal", NULL, &b->mailbox.calendar));
	b->mailbox.folder = strdup(b->dir);
	b->mailbox.n_readers = 1;
	(void)snprintf(b->mailbox.readers[0], sizeof(b->mailbox.readers[0]),
	    "police.demo/residents");
	assert_ok(ht_mailbox_open(&b->mailbox, NULL));
	b->now_ms = NOW_MS;
}

static void
close_box(struct box *b)
{
	json_decref(b->records);
	ht_mailbox_fini(&b->mailbox);
	ht_test_dir_remove(b->dir);
}

static void
ask(struct box *b, size_t member, const char *name, const char *value)
{
	HT_AUTO(ht_json_free) json_t *params = json_object();

	if (name != NULL)
		(void)json_object_set_new(params, name, json_string(value));
	json_decref(b->records);
	b->records = NULL;
	b->more = false;
	b->reasons = (struct ht_reasons){0};
	ht_mailbox_serve(&b->mailbox, world->trust,
	    ht_slice_str(world->members[member].name), params, b->now_ms,
	    &b->records, &b->more, &b->reasons);
	assert_true((b->records == NULL) == (b->reasons.n > 0));
}

static const char *
receipt(const struct box *b, size_t i)
{
	return json_string_value(
	    json_object_get(json_array_get(b->records, i), "receipt"));
}

static void
refused(const struct box *b, const char *says)
{
	assert_int_equal(b->reasons.at[0].code, HT_ST_REQUEST_INVALID);
	if (strstr(b->reasons.at[0].detail, says) == NULL)
		fail_msg("no word of '%s': %s", says, b->reasons.at[0].detail);
}

static void
notes_are_taken_and_given(void **state)
{
	HT_AUTO(ht_mem_free) char *note = signed_by(application, HT_W_STATE);
	HT_AUTO(ht_mem_free) char *text = answer_text("answer: accept\n");
	HT_AUTO(ht_mem_free) char *accept = signed_by(text, HT_W_REGISTRY);
	HT_AUTO(ht_mem_free) char *first = NULL;
	struct box b = {0};

	(void)state;
	ht_test_dir(b.dir);
	open_box(&b);
	ask(&b, HT_W_STATE, "note", note);
	assert_int_equal(json_array_size(b.records), 1);
	first = strdup(receipt(&b, 0));
	assert_memory_equal(first, "20310112T160000.123Z-", 21);
	b.now_ms += 5000;
	ask(&b, HT_W_STATE, "note", note);
	assert_string_equal(receipt(&b, 0), first); /* once more: the same */
	/* The clock was set back: what comes after still comes after. */
	b.now_ms = NOW_MS - 3600000;
	ask(&b, HT_W_REGISTRY, "note", accept);
	assert_true(strcmp(receipt(&b, 0), first) > 0);
	ask(&b, HT_W_STATE, NULL, NULL);
	assert_int_equal(json_array_size(b.records), 2);
	ask(&b, HT_W_STATE, "after", first);
	assert_int_equal(json_array_size(b.records), 1);
	assert_string_equal(accept, json_string_value(json_object_get(
	                                json_array_get(b.records, 0), "note")));
	ask(&b, HT_W_REGISTRY, NULL, NULL); /* the provider's, too */
	assert_int_equal(json_array_size(b.records), 2);
	ask(&b, HT_W_POLICE, NULL, NULL); /* a reader */
	assert_int_equal(json_array_size(b.records), 2);
	ask(&b, HT_W_LOCAL, NULL, NULL); /* nobody's business */
	assert_int_equal(json_array_size(b.records), 0);
	/* Opened again it is the same. */
	ht_mailbox_fini(&b.mailbox);
	open_box(&b);
	ask(&b, HT_W_STATE, NULL, NULL);
	assert_int_equal(json_array_size(b.records), 2);
	assert_string_equal(receipt(&b, 0), first);
	close_box(&b);
}

static void
others_notes_are_refused(void **state)
{
	HT_AUTO(ht_mem_free) char *good = signed_by(application, HT_W_STATE);
	HT_AUTO(ht_mem_free) char *other = signed_by(application, HT_W_LOCAL);
	HT_AUTO(ht_mem_free) char *text = answer_text("answer: accept\n");
	HT_AUTO(ht_mem_free) char *early = signed_by(text, HT_W_REGISTRY);
	HT_AUTO(ht_mem_free) char *wrong = signed_by(text, HT_W_STATE);
	HT_AUTO(ht_mem_free)
	char *more = answer_text("answer: approve\ngrant: gx.demo/9\n");
	HT_AUTO(ht_mem_free) char *approve = signed_by(more, HT_W_REGISTRY);
	struct box b = {0};

	(void)state;
	ht_test_dir(b.dir);
	open_box(&b);
	ask(&b, HT_W_STATE, "note", "what is this?\n");
	refused(&b, "first line");
	ask(&b, HT_W_STATE, "note",
	    ht_world_text(world, HT_DOC_GRANT, "gx.demo/1"));
	refused(&b, "an application");
	ask(&b, HT_W_STATE, "note", application);
	refused(&b, "nobody has signed it");
	ask(&b, HT_W_STATE, "note", other);
	refused(&b, "an officer of tax.demo/state");
	ask(&b, HT_W_LOCAL, "note", good);
	refused(&b, "must hand it in itself");
	ask(&b, HT_W_REGISTRY, "note", early);
	refused(&b, "not known here");
	ask(&b, HT_W_STATE, "note", good);
	assert_non_null(b.records);
	ask(&b, HT_W_REGISTRY, "note", wrong);
	refused(&b, "an officer of scjg.demo/registry");
	ask(&b, HT_W_REGISTRY, "note", approve);
	assert_non_null(b.records);
	ask(&b, HT_W_REGISTRY, "note", early);
	refused(&b, "approved");
	close_box(&b);
}

/* 25 applications: 20, and then the rest. */
static void
an_answer_has_a_limit(void **state)
{
	struct box b = {0};

	(void)state;
	ht_test_dir(b.dir);
	open_box(&b);
	for (int i = 0; i < 25; i++) {
		HT_AUTO(ht_mem_free) char *text = NULL;
		HT_AUTO(ht_mem_free) char *note = NULL;

		assert_true(asprintf(&text, "%.*stax.demo/state.%d%s", 36,
		                application, i, application + 57) > 0);
		note = signed_by(text, HT_W_STATE);
		ask(&b, HT_W_STATE, "note", note);
		assert_non_null(b.records);
	}
	ask(&b, HT_W_STATE, NULL, NULL);
	assert_int_equal(json_array_size(b.records), 20);
	assert_true(b.more);
	{
		HT_AUTO(ht_mem_free) char *last = strdup(receipt(&b, 19));

		ask(&b, HT_W_STATE, "after", last);
	}
	assert_int_equal(json_array_size(b.records), 5);
	assert_false(b.more);
	close_box(&b);
}

static void
receipts_have_one_form(void **state)
{
	static const struct {
		const char *text;
		bool good;
	} rows[] = {
	    {"20310112T160000.123Z-0123456789abcdef",  true },
	    {"20310112T160000.123Z-0123456789ABCDEF",  false},
	    {"20310112T160000.123Z-0123456789abcde",   false},
	    {"20310112T160000.123Z-0123456789abcdef0", false},
	    {"20310112T160000.123Z0123456789abcdef0",  false},
	    {"20310230T160000.123Z-0123456789abcdef",  false},
	    {"20310112T252000.123Z-0123456789abcdef",  false},
	    {"20310112 160000.123Z-0123456789abcdef",  false},
	    {"",	                               false},
	};
	uint64_t ms = 0;

	(void)state;
	for (size_t i = 0; i < HT_COUNT(rows); i++)
		if ((ht_receipt_parse(rows[i].text, &ms) == HT_OK) !=
		    rows[i].good)
			fail_msg("'%s'", rows[i].text);
	assert_ok(ht_receipt_parse(rows[0].text, &ms));
	assert_true(ms == NOW_MS);
}

/* Whoever changes the folder is found out when it is opened. */
static void
a_folder_is_played_again(void **state)
{
	HT_AUTO(ht_mem_free) char *text = answer_text("answer: accept\n");
	char dir[HT_TEST_PATH_MAX], path[HT_TEST_PATH_MAX + 128];
	struct ht_casebook *book = NULL;

	(void)state;
	ht_test_dir(dir);
	(void)snprintf(path, sizeof(path), "%s/tax.demo/state.2031-7", dir);
	assert_ok(ht_fs_mkdirs(path, 0700));
	(void)snprintf(path, sizeof(path),
	    "%s/tax.demo/state.2031-7/20310112T160000.123Z-0123456789abcdef"
	    ".note",
	    dir);
	assert_ok(ht_fs_create(path, 0600, ht_slice_str(text)));
	{
		HT_AUTO(ht_report_free)
		struct ht_report *report = ht_report_new();

		/* An answer, and its application is gone. */
		assert_err(ht_casebook_open(dir, report, &book), HT_EINVALID);
		assert_null(book);
		assert_non_null(
		    strstr(ht_report_text(report, 0), "not known here"));
	}
	assert_ok(ht_fs_replace(path, 0600, ht_slice_str(application)));
	assert_ok(ht_casebook_open(dir, NULL, &book));
	assert_int_equal(book->n_files, 1);
	assert_int_equal(book->files[0].now.state, HT_CASE_SUBMITTED);
	ht_casebook_free(&book);
	ht_test_dir_remove(dir);
}

static void
opening_survives_no_memory(void **state)
{
	char dir[HT_TEST_PATH_MAX];
	HT_AUTO(ht_doc_unref) struct ht_doc *doc = doc_of(application);
	struct ht_casebook *book = NULL;
	enum ht_err err = HT_OK;

	(void)state;
	ht_test_dir(dir);
	assert_ok(ht_casebook_open(dir, NULL, &book));
	assert_ok(
	    ht_casebook_take(book, doc, "20310112T160000.123Z-0123456789abcdef",
	        HT_SHARE_CONDITIONAL, NULL, NULL));
	ht_casebook_free(&book);
	TORTURE(err = ht_casebook_open(dir, NULL, &book))
	{
		assert_true(
		    err == HT_ENOMEM || err == HT_OK || err == HT_ESYSTEM);
		/* What it does say is whole. */
		assert_true(book == NULL || book->n_notes == 1);
		ht_casebook_free(&book);
	}
	assert_ok(err);
	assert_int_equal(book->n_notes, 1);
	ht_casebook_free(&book);
	ht_test_dir_remove(dir);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(notes_are_taken_and_given),
    cmocka_unit_test(others_notes_are_refused),
    cmocka_unit_test(an_answer_has_a_limit),
    cmocka_unit_test(receipts_have_one_form),
    cmocka_unit_test(a_folder_is_played_again),
    cmocka_unit_test(opening_survives_no_memory),
};

int
main(void)
{
	return cmocka_run_group_tests(tests, make_world, drop_world);
}
