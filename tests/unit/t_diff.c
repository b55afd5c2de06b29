/*
 * What a change says: the table is the specification.  And nothing is passed
 * over in silence, whatever byte of a document changes.
 */
#include "schemas/diff.h"

#include "tests/lib/test.h"
#include "tests/lib/world.h"

#define NOW_MS UINT64_C(1795491723000) /* 2026-11-24T03:02:03Z */
#define R2     "\nrevision: 2"

static struct ht_world *world;

struct heard {
	char text[16384];
	unsigned sentences;
};

static void
say(void *arg, const char *sentence)
{
	struct heard *h = arg;
	size_t len = strlen(h->text);

	h->sentences++;
	(void)snprintf(h->text + len, sizeof(h->text) - len, "%s\n", sentence);
}

static void
line(void *arg, char sign, struct ht_slice text)
{
	struct heard *h = arg;
	size_t len = strlen(h->text);

	(void)snprintf(h->text + len, sizeof(h->text) - len, "%c %.*s\n", sign,
	    (int)text.len, (const char *)text.at);
}

/* Titles are looked up in the world. */
static const struct ht_doc *
find(void *arg, enum ht_doc_kind kind, const char *name)
{
	static struct ht_doc *kept[HT_DOC_KINDS];
	struct ht_slice note = ht_trust_find_doc(
	    world->trust, ht_doc_kind_text(kind), ht_slice_str(name));

	(void)arg;
	ht_doc_unref(&kept[kind]);
	if (note.len > 0)
		assert_ok(ht_doc_parse(note, name, NULL, &kept[kind]));
	return kept[kind];
}

static struct ht_doc *
parse(const char *text)
{
	struct ht_report *report = ht_report_new();
	struct ht_doc *doc = NULL;

	if (ht_doc_parse(ht_slice_str(text), "t", report, &doc) != HT_OK) {
		ht_report_print(report, stderr);
		fail_msg("it does not parse");
	}
	ht_report_free(&report);
	return doc;
}

static char *
replace(const char *text, const char *from, const char *to)
{
	const char *at = strstr(text, from);
	char *ret;

	if (at == NULL)
		fail_msg("there is no %s in\n%s", from, text);
	assert_true(asprintf(&ret, "%.*s%s%s", (int)(at - text), text, to,
	                at + strlen(from)) > 0);
	return ret;
}

static void
hear(const char *old_text, const char *new_text, struct heard *h)
{
	const struct ht_diff d = {say, line, find, h};
	struct ht_doc *old = old_text != NULL ? parse(old_text) : NULL;
	struct ht_doc *new = new_text != NULL ? parse(new_text) : NULL;

	h->text[0] = '\0';
	h->sentences = 0;
	ht_diff_doc(&d, old, new);
	ht_doc_unref(&old);
	ht_doc_unref(&new);
}

static const struct row {
	const char *why;
	enum ht_doc_kind kind;
	const char *name, *from, *to, *want;
} rows[] = {
    {"fields that are added",        HT_DOC_GRANT,  "gx.demo/2",        "fields: [",
     "fields: [jyzt_dm, ",                                                                                                                   "Local tax bureau (tax.demo/local) may now read 1 more field of "
        "Market entity registration (gx.demo/SCZTDJ): jyzt_dm"                                                                                                         },
    {"fields that are taken away",   HT_DOC_GRANT,  "gx.demo/1",        "jyzt_dm, ",          "",
     "may no longer read 1 field of Market entity registration "
        "(gx.demo/SCZTDJ): jyzt_dm"                                                                                                                                                              },
    {"all of them",                  HT_DOC_GRANT,  "gx.demo/1",
     "fields: [shxydm, ztmc, jyzt_dm, xzqh]",                                                 "fields: all",
     "may now read ALL fields"                                                                                                                                                                   },
    {"its end",                      HT_DOC_GRANT,  "gx.demo/1",        "state: active",      "state: terminated",
     "loses the grant for"                                                                                                                                                                       },
    {"a purpose",                    HT_DOC_GRANT,  "gx.demo/1",        "[tax-registration]",
     "[tax-registration, tax-audit]",                                                                                                        "for these purposes too: tax-audit"                 },
    {"an operation",                 HT_DOC_GRANT,  "gx.demo/1",        "[query, verify]",    "[verify]",
     "may no longer query"                                                                                                                                                                       },
    {"what has no words",            HT_DOC_GRANT,  "gx.demo/1",        "basis: ZGF-15",
     "basis: TJF-20",                                                                                                                        "'basis' changes:\n- basis: ZGF-15\n+ basis: TJF-20"},
    {"a field's level",              HT_DOC_ITEM,   "gx.demo/SCZTDJ@1", "x-level: 0",
     "x-level: 3",                                                                                                                           "is of level 3, and was of 0"                       },
    {"a title",                      HT_DOC_MEMBER, "tax.demo/local",   "Local tax",          "Global tax",
     "'title' changes:"                                                                                                                                                                          },
    {"a node's key that is revoked", HT_DOC_MEMBER, "tax.demo/local",
     "state: active",                                                                         "state: revoked, since: 2026-11-24T00:00:00Z",
     "is REVOKED"                                                                                                                                                                                },
    {"one officer fewer is enough",  HT_DOC_ROOT,   "root",             "threshold: 2",
     "threshold: 1",                                                                                                                         "1 officers must sign from now on, and 2 did"       },
    {"another address",              HT_DOC_ROOT,   "root",             "5600",               "5700",
     "'broker' changes:"                                                                                                                                                                         },
};

static void
changes_are_told_in_words(void **state)
{
	static struct heard h;

	(void)state;
	for (size_t i = 0; i < HT_COUNT(rows); i++) {
		const struct row *r = &rows[i];
		const char *text = ht_world_text(world, r->kind, r->name);
		char *raised = replace(text, "\nrevision: 1", R2);
		char *now = replace(raised, r->from, r->to);

		hear(text, now, &h);
		if (strstr(h.text, r->want) == NULL)
			fail_msg("%s: \"%s\" is not in\n%s", r->why, r->want,
			    h.text);
		if (strstr(h.text, "revision is") != NULL)
			fail_msg("%s: the revision was raised", r->why);
		free(raised);
		free(now);
	}
}

static void
new_and_gone(void **state)
{
	static struct heard h;
	const char *grant = ht_world_text(world, HT_DOC_GRANT, "gx.demo/2");
	const char *member =
	    ht_world_text(world, HT_DOC_MEMBER, "tax.demo/local");

	(void)state;
	hear(NULL, grant, &h);
	assert_non_null(strstr(h.text, "may now query, verify shxydm, "));
	assert_null(strstr(h.text, "all rows"));
	hear(grant, NULL, &h);
	assert_non_null(strstr(h.text, "it is taken out"));
	hear(NULL, member, &h);
	assert_non_null(strstr(h.text, "new: read all of it"));
	hear(grant, grant, &h);
	assert_int_equal(h.sentences, 0);
}

static void
a_revision_must_rise(void **state)
{
	static struct heard h;
	const char *text = ht_world_text(world, HT_DOC_GRANT, "gx.demo/1");
	char *now = replace(text, "state: active", "state: suspended");

	(void)state;
	hear(text, now, &h);
	assert_non_null(strstr(h.text, "must be higher than 1"));
	free(now);
}

/* Every single character, of every kind: what still parses is told. */
static void
nothing_is_passed_over(void **state)
{
	static struct heard h;
	static const struct {
		enum ht_doc_kind kind;
		const char *name;
	} docs[] = {
	    {HT_DOC_GRANT,  "gx.demo/2"     },
	    {HT_DOC_MEMBER, "tax.demo/state"},
	    {HT_DOC_ROOT,   "root"          },
	    {HT_DOC_ITEM,   "gx.demo/ZXTJ@1"},
	    {HT_DOC_EPOCH,  "gx.demo/e1"    },
	};
	unsigned told = 0;

	(void)state;
	for (size_t i = 0; i < HT_COUNT(docs); i++) {
		const char *text =
		    ht_world_text(world, docs[i].kind, docs[i].name);
		struct ht_doc *old = parse(text);
		const struct ht_diff d = {say, line, find, &h};
		char *now = strdup(text);

		for (size_t at = 0; text[at] != '\0'; at++) {
			struct ht_doc *new = NULL;

			now[at] = text[at] == '1' ? '2' : '1';
			if (ht_doc_parse(ht_slice_str(now), "t", NULL, &new) ==
			        HT_OK &&
			    new->kind == old->kind &&new->revision ==
			        old->revision) {
				h.sentences = 0;
				h.text[0] = '\0';
				ht_diff_doc(&d, old, new);
				/* That the revision stays is one. */
				if (h.sentences < 2)
					fail_msg("%s, byte %zu: nothing said",
					    docs[i].name, at);
				told++;
			}
			ht_doc_unref(&new);
			now[at] = text[at];
		}
		free(now);
		ht_doc_unref(&old);
	}
	assert_true(told > 500);
}

static int
set_up(void **state)
{
	(void)state;
	world = ht_world_new(NOW_MS);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	ht_world_free(&world);
	return 0;
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(changes_are_told_in_words),
	    cmocka_unit_test(new_and_gone),
	    cmocka_unit_test(a_revision_must_rise),
	    cmocka_unit_test(nothing_is_passed_over),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
