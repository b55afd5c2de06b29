/*
 * t_proven.c -- which keys of an entry must have proven themselves, and to
 * whom a line counts: the table is the specification.
 */
#include "tests/lib/test.h"

#include "keys/possession.h"
#include "schemas/proven.h"
#include "tests/lib/world.h"

#define PERIOD "from: 2026-11-24T00:00:00Z, until: 2027-01-24T00:00:00Z"

/* An entry's keys, by the names their seeds have; NULL: none. */
struct entry {
	const char *member;
	unsigned revision;
	const char *signing, *transport, *sealing, *sealing_2, *officer;
};

static void
pub_of(enum ht_key_for what, const char *name, char out[static 64])
{
	HT_AUTO(ht_key_free) struct ht_key *key = ht_world_key(what, name);
	struct ht_pub pub = ht_key_pub(key);

	ht_b64(out, pub.at, sizeof(pub.at));
}

static void
add_key(struct ht_buf *out, const char *before, enum ht_key_for what,
    const char *name)
{
	char pub[64];

	pub_of(what, name, pub);
	ht_buf_fmt(
	    out, "%s{key: %s, " PERIOD ", state: active}\n", before, pub);
}

static void
text_of(const struct entry *e, struct ht_buf *out)
{
	char pub[64];

	pub_of(HT_KEY_IDENTITY, e->member, pub);
	ht_buf_fmt(out,
	    "hutong: member/v1\nmember: %s\nrevision: %u\nidentity: %s\n",
	    e->member, e->revision, pub);
	if (e->officer != NULL) {
		HT_AUTO(ht_key_free)
		struct ht_key *key = ht_world_key(HT_KEY_OFFICER, e->officer);
		struct ht_pub of = ht_key_pub(key);
		char name[80], text[HT_VKEY_MAX];
		struct ht_vkey vkey;

		(void)snprintf(name, sizeof(name), "%s/wang", e->member);
		assert_ok(ht_vkey_make(name, &of, &vkey));
		ht_vkey_text(&vkey, text);
		ht_buf_fmt(out, "officers:\n  - %s\n", text);
	}
	if (e->signing != NULL) {
		ht_buf_str(out, "nodes:\n  - node: main\n");
		add_key(out, "    signing: ", HT_KEY_SIGNING, e->signing);
		add_key(out, "    transport: ", HT_KEY_TRANSPORT, e->transport);
	}
	if (e->sealing != NULL)
		ht_buf_str(out, "sealing:\n");
	if (e->sealing != NULL)
		add_key(out, "  - ", HT_KEY_SEALING, e->sealing);
	if (e->sealing_2 != NULL)
		add_key(out, "  - ", HT_KEY_SEALING, e->sealing_2);
}

/* Who proves: a bit a key, each by its own secret under its own name. */
enum { I = 1, G = 2, T = 4, S = 8, S2 = 16, O = 32, ALL = 63 };

static void
add_proof(struct ht_buf *note, enum ht_key_for what, const char *seed,
    const char *member, const char *below)
{
	HT_AUTO(ht_key_free) struct ht_key *key = ht_world_key(what, seed);
	struct ht_buf more = HT_BUF(HT_DOC_MAX);
	struct ht_note parsed;
	char name[100];

	(void)snprintf(name, sizeof(name), "%s%s", member, below);
	assert_ok(ht_possession_add(ht_buf_slice(note),
	    ht_note_parse(ht_buf_slice(note), &parsed) == HT_OK, name, key,
	    &more));
	ht_buf_fini(note);
	*note = more;
}

static void
prove(const struct entry *e, unsigned who, struct ht_buf *note)
{
	if (who & I)
		add_proof(note, HT_KEY_IDENTITY, e->member, e->member, "");
	if ((who & G) && e->signing != NULL)
		add_proof(note, HT_KEY_SIGNING, e->signing, e->member, "/main");
	if ((who & T) && e->transport != NULL)
		add_proof(
		    note, HT_KEY_TRANSPORT, e->transport, e->member, "/main");
	if ((who & S) && e->sealing != NULL)
		add_proof(note, HT_KEY_SEALING, e->sealing, e->member, "");
	if ((who & S2) && e->sealing_2 != NULL)
		add_proof(note, HT_KEY_SEALING, e->sealing_2, e->member, "");
	if ((who & O) && e->officer != NULL)
		add_proof(note, HT_KEY_OFFICER, e->officer, e->member, "/wang");
}

static struct ht_doc *
doc_of(struct ht_slice bytes)
{
	HT_AUTO(ht_report_free) struct ht_report *report = ht_report_new();
	struct ht_doc *doc = NULL;

	if (ht_doc_parse(bytes, "entry.note", report, &doc) != HT_OK) {
		ht_report_print(report, stderr);
		fail_msg("an entry of this test cannot be read");
	}
	return doc;
}

#define WHO "tax.demo/state"
#define FIRST                                                                  \
	{                                                                      \
		WHO, 1, "g", "t", "s", NULL, "o"                               \
	}
#define ROTATED                                                                \
	{                                                                      \
		WHO, 2, "g2", "t2", "s", "s2", "o"                             \
	}
#define NOTHING                                                                \
	{                                                                      \
		NULL, 0, NULL, NULL, NULL, NULL, NULL                          \
	}

static const struct proven_case {
	const char *why;
	struct entry entry;
	unsigned who;          /* proves */
	struct entry before;   /* in force; no name: none */
	unsigned n_new;        /* keys; when it is well */
	const char *complaint; /* NULL: it is well */
} cases[] = {
    {"all of a new member's keys",       FIRST,                                ALL,        NOTHING, 5, NULL                                      },
    {"nobody proved anything",           FIRST,                                0,          NOTHING, 0,
     "nobody has proven to hold the identity key"                                                                                                },
    {"not the identity",                 FIRST,                                ALL & ~I,   NOTHING, 0, "identity key"                            },
    {"not the signing key",              FIRST,                                ALL & ~G,   NOTHING, 0, "signing key"                             },
    {"not the transport key",            FIRST,                                ALL & ~T,   NOTHING, 0, "transport key"                           },
    {"not the sealing key",              FIRST,                                ALL & ~S,   NOTHING, 0, "sealing key"                             },
    {"not the officer's",                FIRST,                                ALL & ~O,   NOTHING, 0, "officer key"                             },
    {"a rotation: the new ones alone",   ROTATED,                              G | T | S2, FIRST,   3, NULL                                      },
    {"... each of them",                 ROTATED,                              G | T,      FIRST,   0, "sealing key"                             },
    {"... with nothing in force: all",   ROTATED,                              G | T | S2, NOTHING, 0,
     "identity key"                                                                                                                              },
    {"the entry in force, signed again", FIRST,                                0,          FIRST,   0, NULL                                      },
    {"nothing new",                      {WHO, 2, "g", "t", "s", NULL, "o"},   0,          FIRST,   0, NULL                                      },
    {"a key taken out is no matter",     {WHO, 2, "g", "t", NULL, NULL, NULL}, 0,
     FIRST,                                                                                         0, NULL                                      },
    {"a seal for CURVE is a new key",    {WHO, 2, "g", "s", NULL, NULL, "o"},  0,
     FIRST,                                                                                         0, "transport key"                           },
    {"behind the one in force",          FIRST,                                ALL,        ROTATED, 0,
     "revision 1, and revision 2 is in force"                                                                                                    },
    {"another text of its revision",     {WHO, 1, "g2", "t", "s", NULL, "o"},  ALL,
     FIRST,                                                                                         0, "revision 1 is in force with another text"},
};

static bool
says(const struct ht_report *report, const char *words)
{
	for (unsigned i = 0; i < ht_report_count(report); i++)
		if (strstr(ht_report_text(report, i), words) != NULL)
			return true;
	return false;
}

static void
new_keys_prove_themselves(void **state)
{
	(void)state;
	for (size_t i = 0; i < HT_COUNT(cases); i++) {
		const struct proven_case *c = &cases[i];
		HT_AUTO(ht_report_free)
		struct ht_report *report = ht_report_new();
		HT_AUTO(ht_buf_fini) struct ht_buf note = HT_BUF(HT_DOC_MAX);
		HT_AUTO(ht_buf_fini) struct ht_buf old = HT_BUF(HT_DOC_MAX);
		HT_AUTO(ht_doc_unref) struct ht_doc *doc = NULL;
		HT_AUTO(ht_doc_unref) struct ht_doc *before = NULL;
		unsigned n = 0;
		enum ht_err err;

		text_of(&c->entry, &note);
		prove(&c->entry, c->who, &note);
		doc = doc_of(ht_buf_slice(&note));
		if (c->before.member != NULL) {
			text_of(&c->before, &old);
			before = doc_of(ht_buf_slice(&old));
		}
		err = ht_member_proven(doc, before, report, &n);
		if ((err == HT_OK) != (c->complaint == NULL))
			fail_msg("%s: %s", c->why, ht_err_text(err));
		if (err == HT_OK && n != c->n_new)
			fail_msg("%s: %u new keys", c->why, n);
		if (err != HT_OK && !says(report, c->complaint))
			fail_msg("%s: %s", c->why, ht_report_text(report, 0));
	}
}

/* ---- lines from elsewhere ---- */

static const struct lifted_case {
	const char *why;
	struct entry from; /* proven well; its lines are put under FIRST */
	const char *complaint;
} lifted_cases[] = {
    {"of this very text",                            FIRST,                               NULL},
    {"of an earlier revision",                       {WHO, 9, "g", "t", "s", NULL, "o"},
     "is not for this text"                                                                   },
    {"of another member's entry with the same keys",
     {"tax.demo/local", 1, "g", "t", "s", NULL, "o"},
     "nobody has proven to hold"                                                              },
    {"of before a key was changed",                  {WHO, 1, "g", "t", "s2", NULL, "o"},
     "is not for this text"                                                                   },
};

static void
a_proof_is_for_one_text(void **state)
{
	static const struct entry first = FIRST;

	(void)state;
	for (size_t i = 0; i < HT_COUNT(lifted_cases); i++) {
		const struct lifted_case *c = &lifted_cases[i];
		HT_AUTO(ht_report_free)
		struct ht_report *report = ht_report_new();
		HT_AUTO(ht_buf_fini) struct ht_buf from = HT_BUF(HT_DOC_MAX);
		HT_AUTO(ht_buf_fini) struct ht_buf note = HT_BUF(HT_DOC_MAX);
		HT_AUTO(ht_doc_unref) struct ht_doc *doc = NULL;
		struct ht_note parsed;
		enum ht_err err;

		text_of(&c->from, &from);
		prove(&c->from, ALL, &from);
		assert_ok(ht_note_parse(ht_buf_slice(&from), &parsed));
		text_of(&first, &note);
		ht_buf_u8(&note, '\n');
		for (size_t k = 0; k < parsed.n_sigs; k++)
			ht_note_line(&parsed.sigs[k], &note);
		doc = doc_of(ht_buf_slice(&note));
		err = ht_member_proven(doc, NULL, report, NULL);
		if ((err == HT_OK) != (c->complaint == NULL))
			fail_msg("%s: %s", c->why, ht_err_text(err));
		if (err != HT_OK && !says(report, c->complaint))
			fail_msg("%s: %s", c->why, ht_report_text(report, 0));
	}
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(new_keys_prove_themselves),
	    cmocka_unit_test(a_proof_is_for_one_text),
	};

	if (ht_keys_init() != HT_OK)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
