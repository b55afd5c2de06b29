/*
 * Taking snapshots in: what holds is found again by every index; what does
 * not hold is refused whole, with a finding that names it.
 */
#include "tests/lib/test.h"

#include "lib/base/fs.h"
#include "tests/lib/fault.h"
#include "tests/lib/lies.h"
#include "tests/lib/world.h"

#define NOW_MS UINT64_C(1795491723000) /* 2026-11-24T03:02:03Z */
#define DAY_MS UINT64_C(86400000)

static struct ht_world *
world_of(void **state)
{
	return *state;
}

static int
make_world(void **state)
{
	*state = ht_world_new(NOW_MS);
	return 0;
}

static int
end_world(void **state)
{
	struct ht_world *world = *state;

	ht_world_free(&world);
	return 0;
}

/* ---- findings ---- */

static bool
says(const struct ht_report *report, const char *words)
{
	for (unsigned i = 0; i < ht_report_count(report); i++)
		if (strstr(ht_report_text(report, i), words) != NULL ||
		    strstr(ht_report_where(report, i), words) != NULL)
			return true;
	return false;
}

/* It does not load, for the reason given; the old trust is untouched. */
static void
refused(const struct ht_world *w, const struct ht_trust *before,
    enum ht_err want, const char *words)
{
	struct ht_report *report = ht_report_new();
	struct ht_trust *trust = NULL;
	enum ht_err err = ht_world_load(w, before, report, &trust);

	assert_null(trust);
	if (err != want || !says(report, words)) {
		ht_report_print(report, stderr);
		fail_msg("wanted %s about \"%s\", not %s", ht_err_text(want),
		    words, ht_err_text(err));
	}
	ht_report_free(&report);
}

static void
loads(const struct ht_world *w, const struct ht_trust *before)
{
	struct ht_report *report = ht_report_new();
	struct ht_trust *trust = NULL;
	enum ht_err err = ht_world_load(w, before, report, &trust);

	if (err != HT_OK)
		ht_report_print(report, stderr);
	assert_ok(err);
	assert_int_equal(ht_report_count(report), 0);
	ht_trust_unref(&trust);
	ht_report_free(&report);
}

/* ---- what holds ---- */

static void
everything_is_found_again(void **state)
{
	const struct ht_world *w = world_of(state);
	const struct ht_trust *t = w->trust;
	const struct ht_member *m;
	const struct ht_item *item;
	const struct ht_grant *g;
	size_t n = 0;

	assert_int_equal(ht_trust_version(t), 1);
	assert_string_equal(ht_trust_root(t)->catalog, "gx.demo");
	assert_int_equal(ht_trust_until_ms(t), w->issued_ms + w->life_ms);

	m = ht_trust_member(t, ht_slice_str("tax.demo/state"));
	assert_non_null(m);
	assert_string_equal(m->title_en, "State tax bureau");
	assert_int_equal(m->n_nodes, 2);
	assert_non_null(ht_member_node(m, ht_slice_str("shell")));
	assert_null(ht_member_node(m, ht_slice_str("nosuch")));
	assert_null(ht_trust_member(t, ht_slice_str("tax.demo/nobody")));
	assert_null(ht_trust_member(t, ht_slice_str("")));

	item = ht_trust_item(t, ht_slice_str("gx.demo/SCZTDJ"), 1);
	assert_non_null(item);
	assert_ptr_equal(
	    item, ht_trust_item_newest(t, ht_slice_str("gx.demo/SCZTDJ")));
	assert_null(ht_trust_item(t, ht_slice_str("gx.demo/SCZTDJ"), 2));
	assert_int_equal(
	    item->operations, HT_OPS(HT_OP_QUERY) | HT_OPS(HT_OP_VERIFY));
	assert_int_equal(item->grace_ms, DAY_MS);
	assert_int_equal(item->retention_ms, HT_RETENTION_MS);
	assert_int_equal(item->answer_ms, 5000);
	assert_string_equal(item->subject_registry, "uscc");
	assert_int_equal(ht_schema_fields(item->record), 5);
	/* As written, not as sorted. */
	assert_string_equal(ht_schema_field(item->record, 0), "shxydm");
	assert_string_equal(ht_schema_field(item->record, 2), "jyzt_dm");
	assert_int_equal(ht_schema_field_level(item->record, 3), 2);

	g = ht_trust_grant(t, ht_slice_str("gx.demo/2"));
	assert_non_null(g);
	assert_int_equal(g->fields[0], 0x13);
	assert_string_equal(g->row_field, "xzqh");
	assert_int_equal(g->quota_day, 100);
	assert_null(ht_trust_grant(t, ht_slice_str("gx.demo/99")));
	(void)ht_trust_grants_of(t, ht_slice_str("tax.demo/local"),
	    ht_slice_str("gx.demo/SCZTDJ"), &n);
	assert_int_equal(n, 2);
	(void)ht_trust_grants_of(
	    t, ht_slice_str("tax.demo/local"), ht_slice_str("gx.demo"), &n);
	assert_int_equal(n, 0);

	for (n = 0; ht_trust_member_at(t, n) != NULL; n++)
		if (n > 0)
			assert_true(strcmp(ht_trust_member_at(t, n - 1)->name,
			                ht_trust_member_at(t, n)->name) < 0);
	assert_int_equal(n, HT_W_MEMBERS);
	for (n = 0; ht_trust_item_at(t, n) != NULL; n++)
		;
	assert_int_equal(n, 2);
	for (n = 0; ht_trust_grant_at(t, n) != NULL; n++)
		;
	assert_int_equal(n, 5);
}

static void
keys_are_found_by_what_they_are(void **state)
{
	const struct ht_world *w = world_of(state);
	struct ht_pub pub =
	    ht_key_pub(w->members[HT_W_STATE].nodes[1].transport);
	const struct ht_member *m = NULL;
	const struct ht_node_entry *node = NULL;
	const struct ht_keyinfo *key = NULL;

	assert_true(ht_trust_by_transport(w->trust, &pub, &m, &node, &key));
	assert_string_equal(m->name, "tax.demo/state");
	assert_string_equal(node->name, "shell");
	assert_memory_equal(&key->pub, &pub, sizeof(pub));
	/* A key for something else is nobody's transport key. */
	pub = ht_key_pub(w->members[HT_W_STATE].sealing);
	assert_false(ht_trust_by_transport(w->trust, &pub, &m, &node, &key));

	m = ht_trust_member(w->trust, ht_slice_str("tax.demo/state"));
	key = ht_member_seal_key(m, NOW_MS);
	assert_non_null(key);
	assert_memory_equal(&key->pub, &pub, sizeof(pub));
	assert_null(ht_member_seal_key(m, NOW_MS + 60 * DAY_MS));
	assert_null(ht_member_seal_key(m, NOW_MS - 2 * DAY_MS));
}

static void
key_states_follow_the_clock(void **state)
{
	static const struct {
		bool revoked;
		uint64_t revoked_ms, now_ms;
		enum ht_key_state want;
	} cases[] = {
	    {false, 0,   99,  HT_KEY_EARLY  },
	    {false, 0,   100, HT_KEY_OK     },
	    {false, 0,   199, HT_KEY_OK     },
	    {false, 0,   200, HT_KEY_OVER   },
	    {true,  150, 149, HT_KEY_OK     },
	    {true,  150, 150, HT_KEY_REVOKED},
	    {true,  150, 500, HT_KEY_REVOKED},
	    {true,  0,   50,  HT_KEY_REVOKED},
	};

	(void)state;
	for (size_t i = 0; i < HT_COUNT(cases); i++) {
		struct ht_keyinfo key = {.from_ms = 100,
		    .until_ms = 200,
		    .revoked = cases[i].revoked,
		    .revoked_ms = cases[i].revoked_ms};

		assert_int_equal(
		    ht_keyinfo_state(&key, cases[i].now_ms), cases[i].want);
	}
}

static void
the_documents_are_given_as_they_came(void **state)
{
	const struct ht_world *w = world_of(state);
	const struct ht_trust *t = w->trust;
	struct ht_slice note;

	assert_int_equal(ht_trust_n_docs(t), w->n_docs + 2);
	assert_true(
	    ht_slice_eq(ht_trust_doc(t, 0), ht_buf_slice(&w->snapshot)));
	assert_true(ht_slice_eq(ht_trust_doc(t, 1), ht_buf_slice(&w->list)));
	assert_true(
	    ht_slice_eq(ht_trust_current(t), ht_buf_slice(&w->current)));
	for (size_t i = 0; i < w->n_docs; i++) {
		bool found = false;

		for (size_t k = 2; k < ht_trust_n_docs(t); k++)
			found = found ||
			        ht_slice_eq(ht_trust_doc(t, k), w->notes[i]);
		assert_true(found);
	}
	note = ht_trust_find_doc(t, "item", ht_slice_str("gx.demo/SCZTDJ@1"));
	assert_non_null(memmem(note.at, note.len, "SCZTDJ", 6));
	assert_int_equal(
	    ht_trust_find_doc(t, "grant", ht_slice_str("gx.demo/99")).len, 0);
	assert_int_equal(
	    ht_trust_find_doc(t, "nosuchkind-at-all-in-here", ht_slice_str("x"))
	        .len,
	    0);
}

static void
epochs_open_to_their_holders(void **state)
{
	const struct ht_world *w = world_of(state);
	const struct ht_epoch_entry *epoch = ht_trust_epoch(w->trust, NOW_MS);
	const struct ht_world_member *m = &w->members[HT_W_LOCAL];
	struct ht_key *tracker = NULL;
	struct ht_keyid got, want = ht_key_id(w->tracker);

	assert_non_null(epoch);
	assert_ptr_equal(
	    epoch, ht_trust_epoch_named(w->trust, ht_slice_str("gx.demo/e1")));
	assert_null(ht_trust_epoch(w->trust, NOW_MS + 90 * DAY_MS));
	assert_ok(ht_tracker_open(
	    epoch, ht_slice_str(m->name), m->sealing, &tracker));
	got = ht_key_id(tracker);
	assert_true(ht_keyid_eq(&got, &want));
	ht_key_free(&tracker);
	/* Another's line is not opened with one's own key. */
	assert_err(ht_tracker_open(epoch, ht_slice_str("tax.demo/state"),
	               m->sealing, &tracker),
	    HT_ENOTFOUND);
	assert_null(tracker);
}

/* ---- contradictions ---- */

struct slip {
	enum ht_doc_kind kind;
	const char *name;
	const char *from, *to;
	const char *words; /* of the finding */
};

static const struct slip slips[] = {
    {HT_DOC_GRANT,  "gx.demo/1",        "item: gx.demo/SCZTDJ",             "item: gx.demo/NONE",
     "no such item"                                                                                                                                                    },
    {HT_DOC_GRANT,  "gx.demo/1",        "version: 1",                       "version: 2",                                       "no such item"                         },
    {HT_DOC_GRANT,  "gx.demo/1",        "consumer: tax.demo/state",
     "consumer: tax.demo/nobody",                                                                                               "consumer tax.demo/nobody has no entry"},
    {HT_DOC_GRANT,  "gx.demo/3",        "provider: tax.demo/state",
     "provider: tax.demo/nobody",                                                                                               "provider tax.demo/nobody has no entry"},
    {HT_DOC_GRANT,  "gx.demo/3",        "provider: tax.demo/state",
     "provider: scjg.demo/registry",                                                                                            "is provided by tax.demo/state"        },
    {HT_DOC_GRANT,  "gx.demo/1",        "[shxydm, ",                        "[nosuch, ",
     "grants the field nosuch"                                                                                                                                         },
    {HT_DOC_GRANT,  "gx.demo/1",        "purposes: [tax-registration]",
     "purposes: [curiosity]",                                                                                                   "the purpose curiosity"                },
    {HT_DOC_GRANT,  "gx.demo/1",        "basis: ZGF-15",                    "basis: ZGF-99",
     "the basis ZGF-99"                                                                                                                                                },
    {HT_DOC_GRANT,  "gx.demo/3",        "operations: [query]",              "operations: [push]",
     "grants push, which gx.demo/ZXTJ does not offer"                                                                                                                  },
    {HT_DOC_GRANT,  "gx.demo/2",        "rows: {field: xzqh",               "rows: {field: nosuch",
     "chosen by the field nosuch"                                                                                                                                      },
    {HT_DOC_GRANT,  "gx.demo/1",        "purposes: [tax-registration]",
     "purposes: [tax-registration, tax-registration]",                                                                          "stands twice"                         },
    {HT_DOC_GRANT,  "gx.demo/1",        "until: 2027",                      "until: 2025",
     "later than 'from'"                                                                                                                                               },
    {HT_DOC_GRANT,  "gx.demo/1",        "state: active",                    "state: actve",                                     "state"                                },
    {HT_DOC_GRANT,  "gx.demo/1",        "consumer:",                        "consumr:",                                         "consumr"                              },
    {HT_DOC_GRANT,  "gx.demo/2",        "per-day: 100",                     "per-day: 0",                                       "per-day"                              },
    {HT_DOC_GRANT,  "gx.demo/2",        "per-day: 100",                     "per-hour: 5",
     "per-day, per-minute or both"                                                                                                                                     },
    {HT_DOC_GRANT,  "gx.demo/2",        "prefix: ['9999']",                 "area: ['9999']",
     "six digits of a division"                                                                                                                                        },
    {HT_DOC_GRANT,  "gx.demo/2",        "prefix: ['9999']",
     "area: ['990000'], except: ['980000']",                                                                                    "in none of the rows granted"          },
    {HT_DOC_GRANT,  "gx.demo/2",        "prefix: ['9999']",
     "area: ['999900'], except: ['999900']",                                                                                    "or is all of one"                     },
    {HT_DOC_GRANT,  "gx.demo/2",        "prefix: ['9999']",
     "prefix: ['9999'], except: ['98']",                                                                                        "in none of the rows granted"          },
    {HT_DOC_GRANT,  "gx.demo/2",        "prefix: ['9999']",
     "prefix: ['9999'], area: ['999900']",                                                                                      "prefix"                               },
    {HT_DOC_GRANT,  "gx.demo/1",        "state: active",                    "state: active\nlevel: 4",
     "level"                                                                                                                                                           },
    {HT_DOC_GRANT,  "gx.demo/1",        "fields: [shxydm, ",
     "level: 1\nfields: [fddbr_xm, ",                                                                                           "fddbr_xm of level 2, and no level"    },
    {HT_DOC_ROOT,   "root",             "threshold: 2",                     "threshold: 2\nzone: '+8:00'",
     "a zone is expected"                                                                                                                                              },
    {HT_DOC_ROOT,   "root",             "threshold: 2",                     "threshold: 2\nzone: '+14:30'",
     "a zone is expected"                                                                                                                                              },
    {HT_DOC_ROOT,   "root",             "threshold: 2",                     "threshold: 2\nzone: '+08:60'",
     "a zone is expected"                                                                                                                                              },
    {HT_DOC_ROOT,   "root",             "threshold: 2",                     "threshold: 2\nzone: CST",
     "a zone is expected"                                                                                                                                              },
    {HT_DOC_ITEM,   "gx.demo/SCZTDJ@1", "provider: scjg.demo/registry",
     "provider: scjg.demo/nobody",                                                                                              "provider scjg.demo/nobody"            },
    {HT_DOC_ITEM,   "gx.demo/SCZTDJ@1", "share: conditional",               "share: none",
     "legal basis"                                                                                                                                                     },
    {HT_DOC_ITEM,   "gx.demo/SCZTDJ@1", "share: conditional",
     "share: none\nreason: x",                                                                                                  "is not shared"                        },
    {HT_DOC_ITEM,   "gx.demo/SCZTDJ@1", "code: tax-audit",
     "code: tax-registration",                                                                                                  "stands twice"                         },
    {HT_DOC_ITEM,   "gx.demo/SCZTDJ@1", "param: shxydm",                    "param: nosuch",
     "no parameter of this name"                                                                                                                                       },
    {HT_DOC_ITEM,   "gx.demo/SCZTDJ@1", "field: shxydm",                    "field: nosuch",
     "no field of this name"                                                                                                                                           },
    {HT_DOC_ITEM,   "gx.demo/SCZTDJ@1", "ztmc: {type: string, x-level: 0,",
     "ztmc: {type: string,",                                                                                                    "ztmc needs its level"                 },
    {HT_DOC_ITEM,   "gx.demo/SCZTDJ@1", "verify-size: 1024",                "verify-size: 1000",
     "power of two"                                                                                                                                                    },
    {HT_DOC_ITEM,   "gx.demo/SCZTDJ@1", "operations: [query, verify]",
     "operations: [query, query]",                                                                                              "stands twice"                         },
    {HT_DOC_ITEM,   "gx.demo/SCZTDJ@1", "grace: 24h",                       "grace: 24",                                        "grace"                                },
    {HT_DOC_ITEM,   "gx.demo/SCZTDJ@1", "format: uscc, x-level",
     "format: nosuch, x-level",                                                                                                 "nosuch"                               },
    {HT_DOC_ITEM,   "gx.demo/SCZTDJ@1", "item: gx.demo/",                   "item: gy.demo/",
     "the snapshot lists it as"                                                                                                                                        },
    {HT_DOC_ITEM,   "gx.demo/SCZTDJ@1", "grace: 24h",
     "grace: 24h\nnotify: {subject: delayed, reason: x}",                                                                       "'by' says how long"                   },
    {HT_DOC_ITEM,   "gx.demo/SCZTDJ@1", "grace: 24h",
     "grace: 24h\nnotify: {subject: never}",                                                                                    "'reason' says why"                    },
    {HT_DOC_ITEM,   "gx.demo/SCZTDJ@1", "grace: 24h",
     "grace: 24h\nnotify: {subject: now, by: 1d}",                                                                              "'by' says how long"                   },
    {HT_DOC_ITEM,   "gx.demo/SCZTDJ@1", "grace: 24h",
     "grace: 24h\nnotify: {subject: later}",                                                                                    "subject"                              },
    {HT_DOC_ITEM,   "gx.demo/SCZTDJ@1", "grace: 24h",
     "grace: 24h\nretention: 183d",                                                                                             "retention"                            },
    {HT_DOC_ITEM,   "gx.demo/ZXTJ@1",
     "operations:",                                                         "notify: {subject: never, reason: x}\noperations:",
     "no subject to be told"                                                                                                                                           },
    {HT_DOC_MEMBER, "tax.demo/state",   "tax.demo/state/officer+",
     "tax.demo/officer+",                                                                                                       "verifier key"                         },
    {HT_DOC_MEMBER, "tax.demo/state",   "node: shell",                      "node: main",
     "stands twice"                                                                                                                                                    },
    {HT_DOC_MEMBER, "tax.demo/state",   "state: active}",                   "state: revoked}",
     "'since'"                                                                                                                                                         },
    {HT_DOC_MEMBER, "tax.demo/state",   "state: active}",
     "state: active, since: 2026-01-01}",                                                                                       "only a revoked key"                   },
    {HT_DOC_MEMBER, "tax.demo/state",   "revision: 1",                      "revision: 0",                                      "revision"                             },
    {HT_DOC_MEMBER, "tax.demo/state",   "revision: 1",                      "revision: 1\nrevision: 2",
     "revision"                                                                                                                                                        },
    {HT_DOC_EPOCH,  "gx.demo/e1",       "annex: ",                          "annex: A",                                         "base64"                               },
    {HT_DOC_ROOT,   "root",             "threshold: 2",                     "threshold: 4",                                     "only 3 officers"                      },
    {HT_DOC_ROOT,   "root",             "broker:",                          "quorum: 1\nbroker:",                               "only 0 witnesses"                     },
    {HT_DOC_ROOT,   "root",             "broker:",
     "witnesses: "
        "[example.com/"
        "foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k]\nbroker:",                                                  "a witness's key"                      },
    {HT_DOC_ROOT,   "root",             "broker:",
     "witnesses: "
        "[remora.n621.de+da77ade7+BOvN63jn/"
        "bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2, "
        "remora.n621.de+da77ade7+BOvN63jn/"
        "bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2]\nbroker:",                                                                        "two offices"                          },
    {HT_DOC_ROOT,   "root",
     "broker:",                                                             "administrators: {system: []}\nbroker:",            "security"                             },
    {HT_DOC_ROOT,   "root",             "broker:",
     "administrators: {system: [], security: [], audit: []}\nbroker:",                                                          "1 to 8 keys"                          },
    {HT_DOC_ROOT,   "root",             "tcp://",                           "http://",                                          "an address is expected"               },
};

static void
contradictions_are_refused(void **state)
{
	const struct ht_world *good = world_of(state);

	for (size_t i = 0; i < HT_COUNT(slips); i++) {
		const struct slip *slip = &slips[i];
		struct ht_world *w = ht_world_new(good->now_ms);

		ht_world_edit(w, slip->kind, slip->name, slip->from, slip->to);
		ht_world_publish(w);
		refused(w, NULL, HT_EINVALID, slip->words);
		ht_world_free(&w);
	}
}

static void
all_slips_are_told_at_once(void **state)
{
	struct ht_world *w = world_of(state);
	struct ht_report *report = ht_report_new();
	struct ht_trust *trust = NULL;

	ht_world_edit(w, HT_DOC_GRANT, "gx.demo/1", "consumer: tax.demo/state",
	    "consumer: tax.demo/nobody");
	ht_world_edit(
	    w, HT_DOC_GRANT, "gx.demo/1", "basis: ZGF-15", "basis: ZGF-99");
	ht_world_edit(w, HT_DOC_GRANT, "gx.demo/2", "state: active",
	    "state: actve\nnosuch: 1");
	ht_world_unsign(w, HT_DOC_GRANT, "gx.demo/3", HT_W_OTHER);
	ht_world_publish(w);
	assert_err(ht_world_load(w, NULL, report, &trust), HT_EBADSIG);
	assert_true(says(report, "tax.demo/nobody"));
	assert_true(says(report, "ZGF-99"));
	assert_true(says(report, "nosuch"));
	assert_true(says(report, "'state'"));
	assert_true(says(report, "an officer of tax.demo/state must sign"));
	/* With the place where it stands. */
	assert_true(says(report, "grants/gx.demo/2.note:4:"));
	ht_report_free(&report);
}

/* ---- keys that stand in two places ---- */

static char *
between(const char *text, const char *before, const char *after)
{
	const char *at = strstr(text, before);
	const char *end;

	assert_non_null(at);
	at += strlen(before);
	end = strstr(at, after);
	assert_non_null(end);
	return strndup(at, (size_t)(end - at));
}

static void
a_key_has_one_owner(void **state)
{
	struct ht_world *w = world_of(state);
	char *mine = between(ht_world_text(w, HT_DOC_MEMBER, "tax.demo/state"),
	    "transport: {key: ", ",");
	char *its = between(ht_world_text(w, HT_DOC_MEMBER, "tax.demo/local"),
	    "transport: {key: ", ",");

	ht_world_edit(w, HT_DOC_MEMBER, "tax.demo/local", its, mine);
	ht_world_publish(w);
	refused(w, NULL, HT_EINVALID,
	    "its transport key stands in members/tax.demo/local.note as well");
	free(mine);
	free(its);
}

static void
a_key_has_one_purpose(void **state)
{
	struct ht_world *w = world_of(state);
	char *sealing =
	    between(ht_world_text(w, HT_DOC_MEMBER, "tax.demo/local"),
	        "sealing:\n  - {key: ", ",");
	char *transport =
	    between(ht_world_text(w, HT_DOC_MEMBER, "tax.demo/local"),
	        "transport: {key: ", ",");

	ht_world_edit(w, HT_DOC_MEMBER, "tax.demo/local", transport, sealing);
	ht_world_publish(w);
	refused(w, NULL, HT_EINVALID, "one purpose and one owner");
	free(sealing);
	free(transport);
}

static void
sealing_keys_live_90_days(void **state)
{
	struct ht_world *w = world_of(state);

	/* From a day before NOW_MS for 61 days; then for 91. */
	ht_world_edit(w, HT_DOC_MEMBER, "tax.demo/local", "until: 2027-01-23",
	    "until: 2027-02-21");
	ht_world_publish(w);
	loads(w, NULL);
	ht_world_edit(w, HT_DOC_MEMBER, "tax.demo/local", "until: 2027-02-21",
	    "until: 2027-02-22");
	ht_world_publish(w);
	refused(w, NULL, HT_EINVALID, "90 days at most");
}

static void
epochs_do_not_overlap(void **state)
{
	struct ht_world *w = world_of(state);
	char *text = strdup(ht_world_text(w, HT_DOC_EPOCH, "gx.demo/e1"));
	char *annex = between(text, "annex: ", "\n");
	char *until = between(text, "until: ", "\n");
	char *from = between(text, "from: ", "\n");

	ht_world_put(w, HT_DOC_EPOCH, "gx.demo/e2", text);
	ht_world_edit(
	    w, HT_DOC_EPOCH, "gx.demo/e2", "gx.demo/e1", "gx.demo/e2");
	ht_world_edit(w, HT_DOC_EPOCH, "gx.demo/e2", annex,
	    "YWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXowMTIzNDU=");
	ht_world_publish(w);
	refused(w, NULL, HT_EINVALID, "begins before");
	ht_world_edit(
	    w, HT_DOC_EPOCH, "gx.demo/e2", until, "2027-05-24T03:02:03Z");
	ht_world_edit(w, HT_DOC_EPOCH, "gx.demo/e2", from, until);
	ht_world_publish(w);
	loads(w, NULL);
	free(text);
	free(annex);
	free(until);
	free(from);
}

/* ---- signatures ---- */

static void
every_kind_needs_its_signers(void **state)
{
	static const struct {
		enum ht_doc_kind kind;
		const char *name;
		unsigned without;
		const char *words;
	} cases[] = {
	    {HT_DOC_MEMBER, "tax.demo/state",   HT_W_OFFICER,
             "1 of the officers of gx.demo signed it, 2 must"                       },
	    {HT_DOC_MEMBER, "tax.demo/state",   HT_W_OTHER,
             "the identity key of tax.demo/state must sign it"                      },
	    {HT_DOC_ITEM,   "gx.demo/SCZTDJ@1", HT_W_OFFICER,
             "1 of the officers"	                                            },
	    {HT_DOC_ITEM,   "gx.demo/SCZTDJ@1", HT_W_OTHER,
             "an officer of scjg.demo/registry must sign it"                        },
	    {HT_DOC_GRANT,  "gx.demo/1",        HT_W_OFFICER, "1 of the officers"   },
	    {HT_DOC_GRANT,  "gx.demo/1",        HT_W_OTHER,
             "an officer of scjg.demo/registry must sign it"                        },
	    {HT_DOC_EPOCH,  "gx.demo/e1",       HT_W_OTHER,   "nobody has signed it"},
	    {HT_DOC_ROOT,   "root",             HT_W_OFFICER, "1 of the officers"   },
	};
	const struct ht_world *good = world_of(state);

	for (size_t i = 0; i < HT_COUNT(cases); i++) {
		struct ht_world *w = ht_world_new(good->now_ms);

		ht_world_unsign(
		    w, cases[i].kind, cases[i].name, cases[i].without);
		ht_world_publish(w);
		if (cases[i].kind == HT_DOC_ROOT) {
			struct ht_report *report = ht_report_new();
			struct ht_root root;

			for (size_t k = 0; k < w->n_docs; k++)
				if (strcmp(w->names[k], "root.note") == 0)
					assert_err(
					    ht_root_parse(w->notes[k],
					        "root.note", report, &root),
					    HT_EBADSIG);
			assert_true(says(report, cases[i].words));
			ht_report_free(&report);
		} else {
			refused(w, NULL, HT_EBADSIG, cases[i].words);
		}
		ht_world_free(&w);
	}
}

/* The right names, and other keys. */
static void
a_stranger_publishes_nothing(void **state)
{
	struct ht_world *w = world_of(state);
	struct ht_key *mine = w->snapshot_key;
	struct ht_key *other = ht_world_key(HT_KEY_SNAPSHOT, "a stranger");

	w->snapshot_key = other;
	ht_world_publish(w);
	refused(w, NULL, HT_EBADSIG, "gx.demo/snapshot must sign it");
	w->snapshot_key = mine;
	mine = w->current_key;
	w->current_key = other;
	ht_world_publish(w);
	refused(w, NULL, HT_EBADSIG, "gx.demo/current must sign it");
	w->current_key = mine;
	ht_key_free(&other);
	ht_world_publish(w);
	loads(w, NULL);
}

static void
an_officer_counts_once(void **state)
{
	struct ht_world *w = world_of(state);
	struct ht_buf once = HT_BUF(HT_DOC_MAX), twice = HT_BUF(HT_DOC_MAX);
	struct ht_report *report = ht_report_new();
	struct ht_root root;
	size_t line;

	assert_ok(
	    ht_note_sign(ht_slice_str(ht_world_text(w, HT_DOC_ROOT, "root")),
	        false, "gx.demo/officer-1", w->officers[0], &once));
	/* The same line once more. */
	line = once.len;
	while (once.at[line - 2] != '\n')
		line--;
	line--;
	ht_buf_add(&twice, once.at, once.len);
	ht_buf_add(&twice, once.at + line, once.len - line);
	assert_err(
	    ht_root_parse(ht_buf_slice(&twice), "root.note", report, &root),
	    HT_EBADSIG);
	assert_true(says(report, "1 of the officers"));
	ht_buf_fini(&once);
	ht_buf_fini(&twice);
	ht_report_free(&report);
}

/* No byte of what was signed can be changed. */
static void
flip_each(struct ht_world *w, struct ht_slice what, size_t step)
{
	uint8_t *at = (uint8_t *)(uintptr_t)what.at;

	for (size_t i = 0; i < what.len; i += step) {
		struct ht_trust *trust = NULL;

		at[i] ^= 1;
		if (ht_world_load(w, NULL, NULL, &trust) == HT_OK)
			fail_msg("byte %zu of %zu was flipped unnoticed", i,
			    what.len);
		at[i] ^= 1;
	}
}

static struct ht_slice
text_of(struct ht_slice note)
{
	struct ht_slice text;

	assert_ok(ht_doc_text(note, &text, NULL));
	return text;
}

static void
no_byte_can_be_changed(void **state)
{
	struct ht_world *w = world_of(state);

	flip_each(w, text_of(ht_buf_slice(&w->snapshot)), 1);
	flip_each(w, text_of(ht_buf_slice(&w->current)), 1);
	flip_each(w, ht_buf_slice(&w->list), 17);
	for (size_t i = 0; i < w->n_docs; i++)
		flip_each(w, text_of(w->notes[i]), 37);
	loads(w, NULL);
}

/* ---- rollback, freeze, mix and match ---- */

struct shot { /* a copy of what a world has published */
	struct ht_buf snapshot, list, current;
};

static void
keep(struct shot *shot, const struct ht_world *w)
{
	shot->snapshot = HT_BUF(1 << 20);
	shot->list = HT_BUF(1 << 20);
	shot->current = HT_BUF(1 << 20);
	ht_buf_add(&shot->snapshot, w->snapshot.at, w->snapshot.len);
	ht_buf_add(&shot->list, w->list.at, w->list.len);
	ht_buf_add(&shot->current, w->current.at, w->current.len);
}

static void
swap(struct ht_buf *a, struct ht_buf *b)
{
	struct ht_buf c = *a;

	*a = *b;
	*b = c;
}

static void
drop(struct shot *shot)
{
	ht_buf_fini(&shot->snapshot);
	ht_buf_fini(&shot->list);
	ht_buf_fini(&shot->current);
}

static void
there_is_no_way_back(void **state)
{
	struct ht_world *w = world_of(state);
	struct shot old;

	keep(&old, w);
	ht_world_renew(w); /* the same documents, as version 2 */
	loads(w, w->trust);
	swap(&old.snapshot, &w->snapshot);
	swap(&old.list, &w->list);
	swap(&old.current, &w->current);
	refused(w, w->trust, HT_EROLLBACK, "version 1 is older than version 2");
	drop(&old);
}

static void
parts_of_two_snapshots_do_not_mix(void **state)
{
	struct ht_world *w = world_of(state);
	struct shot old;

	keep(&old, w);
	ht_world_edit(w, HT_DOC_GRANT, "gx.demo/1",
	    "revision: 1\nstate: active", "revision: 2\nstate: terminated");
	ht_world_renew(w);
	swap(&old.current, &w->current);
	refused(w, NULL, HT_EINVALID, "it puts snapshot 1 in force");
	swap(&old.current, &w->current);
	swap(&old.list, &w->list);
	refused(w, NULL, HT_EBADSIG, "not the list");
	swap(&old.list, &w->list);
	swap(&old.snapshot, &w->snapshot);
	refused(w, NULL, HT_EBADSIG, "not the list");
	swap(&old.snapshot, &w->snapshot);
	loads(w, NULL);
	drop(&old);
}

static void
revisions_never_fall(void **state)
{
	struct ht_world *w = world_of(state);

	ht_world_edit(
	    w, HT_DOC_GRANT, "gx.demo/1", "revision: 1", "revision: 5");
	ht_world_renew(w);
	ht_world_edit(
	    w, HT_DOC_GRANT, "gx.demo/1", "revision: 5", "revision: 4");
	w->version++;
	ht_world_publish(w);
	refused(
	    w, w->trust, HT_EROLLBACK, "revision 4 is older than revision 5");
	/* Nor do they stand for two texts. */
	ht_world_edit(w, HT_DOC_GRANT, "gx.demo/1",
	    "revision: 4\nstate: active", "revision: 5\nstate: suspended");
	ht_world_publish(w);
	refused(w, w->trust, HT_EROLLBACK, "but not its revision");
	ht_world_edit(
	    w, HT_DOC_GRANT, "gx.demo/1", "revision: 5", "revision: 6");
	ht_world_publish(w);
	loads(w, w->trust);
}

static void
one_version_is_one_snapshot(void **state)
{
	struct ht_world *w = world_of(state);

	/* Another snapshot under the number in force. */
	ht_world_edit(
	    w, HT_DOC_GRANT, "gx.demo/1", "revision: 1", "revision: 2");
	ht_world_publish(w);
	refused(w, w->trust, HT_EROLLBACK, "another snapshot has the version");
}

static void
an_older_current_note_is_refused(void **state)
{
	struct ht_world *w = world_of(state);

	w->issued_ms -= 5000;
	w->version++;
	ht_world_publish(w);
	refused(w, w->trust, HT_EROLLBACK, "issued before the one in force");
}

static void
a_missing_document_is_named(void **state)
{
	struct ht_world *w = world_of(state);
	size_t i = 0;

	while (strcmp(w->names[i], "grants/gx.demo/2.note") != 0)
		i++;
	w->notes[i] = w->notes[0]; /* another one in its place */
	refused(w, NULL, HT_EINVALID, "grant gx.demo/2");
}

static void
a_changed_document_is_named(void **state)
{
	struct ht_world *w = world_of(state);
	struct shot now;

	keep(&now, w);
	ht_world_edit(
	    w, HT_DOC_GRANT, "gx.demo/2", "revision: 1", "revision: 2");
	ht_world_publish(w);
	swap(&now.snapshot, &w->snapshot);
	swap(&now.list, &w->list);
	swap(&now.current, &w->current);
	refused(w, NULL, HT_EBADSIG, "revision 1 there, 2 here");
	drop(&now);
}

/* ---- what goes on from one snapshot to the next ---- */

static void
unchanged_documents_are_shared(void **state)
{
	struct ht_world *w = world_of(state);
	struct ht_trust *old = ht_trust_ref(w->trust);
	struct ht_slice name = ht_slice_str("gx.demo/2");

	ht_world_edit(w, HT_DOC_GRANT, "gx.demo/1",
	    "revision: 1\nstate: active", "revision: 2\nstate: terminated");
	ht_world_renew(w);
	assert_ptr_equal(ht_trust_find_doc(old, "grant", name).at,
	    ht_trust_find_doc(w->trust, "grant", name).at);
	assert_ptr_not_equal(
	    ht_trust_find_doc(old, "grant", ht_slice_str("gx.demo/1")).at,
	    ht_trust_find_doc(w->trust, "grant", ht_slice_str("gx.demo/1")).at);
	assert_int_equal(ht_trust_grant(old, ht_slice_str("gx.demo/1"))->state,
	    HT_GRANT_ACTIVE);
	ht_trust_unref(&old);
	/* The documents outlive the trust they came with. */
	assert_int_equal(
	    ht_trust_grant(w->trust, ht_slice_str("gx.demo/1"))->state,
	    HT_GRANT_TERMINATED);
	assert_non_null(ht_trust_grant(w->trust, name)->row_field);
}

/* ---- news ---- */

struct news {
	struct ht_trust_news news;
	struct ht_slice lines[700], notes[700];
	struct ht_buf gone;
};

/* What @now would send to who has @have. */
static void
news_since(const struct ht_world *w, uint64_t have, struct news *n)
{
	uint64_t since = ht_trust_since(w->trust, have);
	size_t at = 0;

	memset(&n->news, 0, sizeof(n->news));
	while (n->news.n < HT_COUNT(n->lines) &&
	       ht_trust_next_since(w->trust, since, &at, &n->lines[n->news.n],
	           &n->notes[n->news.n]))
		n->news.n++;
	assert_int_equal(n->news.n, ht_trust_n_since(w->trust, since));
	ht_buf_reset(&n->gone);
	ht_trust_gone_since(w->trust, since, &n->gone);
	n->news.gone = ht_buf_slice(&n->gone);
	n->news.whole = since == 0;
	n->news.lines = n->lines;
	n->news.notes = n->notes;
	n->news.snapshot = ht_trust_snapshot(w->trust);
	n->news.current = ht_trust_current(w->trust);
}

static struct ht_trust *
patched(const struct ht_world *w, const struct ht_trust *before, struct news *n)
{
	HT_AUTO(ht_report_free) struct ht_report *report = ht_report_new();
	struct ht_trust *trust = NULL;
	enum ht_err err =
	    ht_trust_patch(&w->root, &n->news, before, report, &trust);

	if (err != HT_OK) {
		ht_report_print(report, stderr);
		fail_msg("not patched: %s", ht_err_text(err));
	}
	return trust;
}

/* Also found alike, whichever way they came. */
static void
same_grant(const struct ht_trust *a, const struct ht_trust *b, size_t i)
{
	const struct ht_grant *x = ht_trust_grant_at(a, i);
	const struct ht_grant *y = ht_trust_grant_at(b, i);
	struct ht_slice consumer = ht_slice_str(x->consumer);
	struct ht_slice item = ht_slice_str(x->item);
	const struct ht_grant *const *of_a, *const *of_b;
	size_t n_a, n_b;

	assert_string_equal(x->name, y->name);
	assert_int_equal(x->revision, y->revision);
	assert_int_equal(x->all_fields, y->all_fields);
	assert_memory_equal(x->fields, y->fields, sizeof(x->fields));
	assert_ptr_equal(ht_trust_grant(a, ht_slice_str(x->name)), x);
	of_a = ht_trust_grants_of(a, consumer, item, &n_a);
	of_b = ht_trust_grants_of(b, consumer, item, &n_b);
	assert_int_equal(n_a, n_b);
	for (size_t k = 0; k < n_a; k++)
		assert_string_equal(of_a[k]->name, of_b[k]->name);
}

static void
same_documents(const struct ht_trust *a, const struct ht_trust *b)
{
	struct ht_hash x = ht_trust_hash(a), y = ht_trust_hash(b);

	assert_true(ht_hash_eq(&x, &y));
	assert_int_equal(ht_trust_n_docs(a), ht_trust_n_docs(b));
	for (size_t i = 0; i < ht_trust_n_docs(a); i++)
		assert_true(
		    ht_slice_eq(ht_trust_doc(a, i), ht_trust_doc(b, i)));
	for (size_t i = 0; ht_trust_grant_at(b, i) != NULL; i++) {
		assert_non_null(ht_trust_grant_at(a, i));
		same_grant(a, b, i);
	}
}

/* Grants 100.. come, change and go; the world's own stay. */
#define PLAYED 7

static void
set_revision(
    struct ht_world *w, const char *name, unsigned from, unsigned revision)
{
	char was[64], is[64];

	(void)snprintf(was, sizeof(was), "revision: %u\n", from);
	(void)snprintf(is, sizeof(is), "revision: %u\n", revision);
	ht_world_edit(w, HT_DOC_GRANT, name, was, is);
}

static void
play(struct ht_world *w, unsigned revisions[PLAYED], uint32_t *seed)
{
	char name[64];
	unsigned *is;

	*seed = *seed * 1664525 + 1013904223;
	is = &revisions[(*seed >> 16) % PLAYED];
	(void)snprintf(
	    name, sizeof(name), "gx.demo/%u", 100 + (unsigned)(is - revisions));
	if (*is == 0) {
		ht_world_put(w, HT_DOC_GRANT, name,
		    ht_world_text(w, HT_DOC_GRANT, "gx.demo/1"));
		ht_world_edit(w, HT_DOC_GRANT, name, "gx.demo/1", name);
		*is = 1000 * (unsigned)w->version;
		set_revision(w, name, 1, *is);
	} else if (*seed >> 31 == 0) {
		set_revision(w, name, *is, *is + 1);
		++*is;
	} else {
		ht_world_drop(w, HT_DOC_GRANT, name);
		*is = 0;
	}
}

static void
news_lead_from_any_snapshot_to_the_newest(void **state)
{
	struct ht_world *w = world_of(state);
	struct news *n = calloc(1, sizeof(*n));
	struct ht_trust *had[12];
	unsigned revisions[PLAYED] = {0};
	uint32_t seed = 20261128;

	assert_non_null(n);
	n->gone = HT_BUF(HT_GONE_MAX);
	for (unsigned i = 0; i < HT_COUNT(had); i++) {
		had[i] = ht_trust_ref(w->trust);
		for (unsigned move = 0; move < 3; move++)
			play(w, revisions, &seed);
		ht_world_renew(w);
		for (unsigned k = 0; k <= i; k++) {
			struct ht_trust *trust;

			news_since(w, ht_trust_version(had[k]), n);
			assert_false(n->news.whole);
			assert_true(n->news.n < 8);
			trust = patched(w, had[k], n);
			same_documents(trust, w->trust);
			ht_trust_unref(&trust);
		}
	}
	/* Who has nothing, and who has what is not remembered, gets all. */
	news_since(w, 0, n);
	assert_true(n->news.whole);
	assert_int_equal(n->news.n, ht_trust_n_docs(w->trust) - 2);
	for (unsigned k = 0; k < 2; k++) {
		struct ht_trust *trust = patched(w, k == 0 ? NULL : had[3], n);

		same_documents(trust, w->trust);
		ht_trust_unref(&trust);
	}
	assert_int_equal(
	    ht_trust_since(w->trust, ht_trust_version(w->trust) + 1), 0);
	for (unsigned i = 0; i < HT_COUNT(had); i++)
		ht_trust_unref(&had[i]);
	ht_buf_fini(&n->gone);
	free(n);
}

static void
patch_refused(const struct ht_world *w, const struct ht_trust *before,
    const struct news *n, enum ht_err want)
{
	HT_AUTO(ht_report_free) struct ht_report *report = ht_report_new();
	struct ht_trust *trust = NULL;

	assert_err(
	    ht_trust_patch(&w->root, &n->news, before, report, &trust), want);
	assert_null(trust);
	assert_true(ht_report_count(report) > 0);
}

static void
cut_or_mixed_news_are_refused(void **state)
{
	struct ht_world *w = world_of(state);
	struct ht_trust *old = ht_trust_ref(w->trust);
	struct news *n = calloc(1, sizeof(*n));

	assert_non_null(n);
	n->gone = HT_BUF(HT_GONE_MAX);
	ht_world_edit(w, HT_DOC_GRANT, "gx.demo/1",
	    "revision: 1\nstate: active", "revision: 2\nstate: terminated");
	ht_world_drop(w, HT_DOC_GRANT, "gx.demo/2");
	ht_world_renew(w);
	news_since(w, ht_trust_version(old), n);
	assert_int_equal(n->news.n, 1);
	assert_string_equal(ht_buf_text(&n->gone), "grant gx.demo/2\n");

	n->news.current = HT_SLICE(NULL, 0); /* and what is suspended */
	patch_refused(w, old, n, HT_EINVALID);
	n->news.current = ht_trust_current(w->trust);
	n->news.n = 0; /* the termination kept back */
	patch_refused(w, old, n, HT_EBADSIG);
	n->news.n = 1;
	n->news.gone = HT_SLICE(NULL, 0); /* the dropped one kept */
	patch_refused(w, old, n, HT_EBADSIG);
	n->news.gone = ht_slice_str("grant gx.demo/2\ngrant gx.demo/3\n");
	patch_refused(w, old, n, HT_EBADSIG);
	n->news.gone = ht_slice_str("grant gx.demo/2");
	patch_refused(w, old, n, HT_EINVALID);
	n->news.gone = ht_buf_slice(&n->gone);
	n->lines[0] = ht_slice_str("grant");
	patch_refused(w, old, n, HT_EINVALID);
	n->lines[0] = ht_slice_str("grant ");
	patch_refused(w, old, n, HT_EINVALID);
	n->lines[0] = HT_SLICE(NULL, 0);
	patch_refused(w, old, n, HT_EINVALID);
	news_since(w, ht_trust_version(old), n);
	n->notes[0] =
	    ht_trust_find_doc(old, "grant", ht_slice_str("gx.demo/1"));
	patch_refused(w, old, n, HT_EBADSIG);
	/* All of it is not a patch, and a patch is not all of it. */
	news_since(w, ht_trust_version(old), n);
	n->news.whole = true;
	patch_refused(w, old, n, HT_EBADSIG);
	news_since(w, 0, n);
	n->news.whole = false;
	n->news.n--;
	patch_refused(w, old, n, HT_EBADSIG);
	ht_trust_unref(&old);
	ht_buf_fini(&n->gone);
	free(n);
}

/* Each is refused by its own rule, named with its place. */
static void
lies_are_found_out(void **state)
{
	struct ht_world *w = world_of(state);

	for (unsigned i = 0; i < ht_n_lies; i++) {
		struct ht_report *report = ht_report_new();
		struct ht_trust *trust = NULL;
		struct ht_trust_news news;
		enum ht_err err;

		ht_lie_tell(w, i, &news);
		err = ht_trust_patch(&w->root, &news, w->trust, report, &trust);
		if (err != ht_lies[i].err || !says(report, ht_lies[i].where) ||
		    !says(report, ht_lies[i].words)) {
			ht_report_print(report, stderr);
			fail_msg("%s: %s", ht_lies[i].what, ht_err_text(err));
		}
		assert_null(trust);
		ht_report_free(&report);
	}
}

static void
patching_survives_no_memory(void **state)
{
	struct ht_world *w = world_of(state);
	struct ht_trust *old = ht_trust_ref(w->trust), *trust = NULL;
	struct news *n = calloc(1, sizeof(*n));
	enum ht_err err = HT_OK;

	if (getenv("HT_TORTURE") == NULL)
		print_message("# only in make torture and make test\n");
	assert_non_null(n);
	n->gone = HT_BUF(HT_GONE_MAX);
	ht_world_drop(w, HT_DOC_GRANT, "gx.demo/2");
	ht_world_renew(w);
	news_since(w, ht_trust_version(old), n);
	TORTURE(err = ht_trust_patch(&w->root, &n->news, old, NULL, &trust))
	{
		if (err != HT_OK) {
			assert_int_equal(err, HT_ENOMEM);
			assert_null(trust);
		}
		ht_trust_unref(&trust);
		if (getenv("HT_TORTURE") == NULL)
			break;
	}
	ht_trust_unref(&trust);
	ht_trust_unref(&old);
	ht_buf_fini(&n->gone);
	free(n);
}

/* As many more as asked for, of the first one's words. */
static void
put_grants(struct ht_world *w, unsigned n)
{
	char name[64];

	for (unsigned i = 0; i < n; i++) {
		(void)snprintf(name, sizeof(name), "gx.demo/%u", 1000 + i);
		ht_world_put(w, HT_DOC_GRANT, name,
		    ht_world_text(w, HT_DOC_GRANT, "gx.demo/1"));
		ht_world_edit(w, HT_DOC_GRANT, name, "gx.demo/1", name);
	}
}

/* What it costs to take a change in: documents read, and verified. */
static void
costs(struct ht_world *w, const struct ht_trust *old, size_t n_new)
{
	struct news *n = calloc(1, sizeof(*n));
	struct ht_trust *trust;
	struct ht_trust_work work;

	assert_non_null(n);
	n->gone = HT_BUF(HT_GONE_MAX);
	ht_world_renew(w);
	news_since(w, ht_trust_version(old), n);
	trust = patched(w, old, n);
	same_documents(trust, w->trust);
	work = ht_trust_work(trust);
	assert_int_equal(work.n_read, n_new);
	assert_int_equal(work.n_verified, n_new);
	ht_trust_unref(&trust);
	ht_buf_fini(&n->gone);
	free(n);
}

/* No clock: what a grant costs must not grow with those that stay. */
static void
one_grant_among_many_costs_one(void **state)
{
	static const unsigned sizes[] = {0, 40, 600};

	(void)state;
	for (size_t i = 0; i < HT_COUNT(sizes); i++) {
		struct ht_world *w = ht_world_new(NOW_MS);
		struct ht_trust *old;

		put_grants(w, sizes[i]);
		ht_world_renew(w);
		old = ht_trust_ref(w->trust);
		ht_world_put(w, HT_DOC_GRANT, "gx.demo/77",
		    ht_world_text(w, HT_DOC_GRANT, "gx.demo/1"));
		ht_world_edit(
		    w, HT_DOC_GRANT, "gx.demo/77", "gx.demo/1", "gx.demo/77");
		costs(w, old, 1);
		ht_trust_unref(&old);

		old = ht_trust_ref(w->trust);
		ht_world_edit(w, HT_DOC_GRANT, "gx.demo/77",
		    "revision: 1\nstate: active",
		    "revision: 2\nstate: terminated");
		costs(w, old, 1);
		ht_trust_unref(&old);

		old = ht_trust_ref(w->trust);
		ht_world_drop(w, HT_DOC_GRANT, "gx.demo/77");
		costs(w, old, 0);
		ht_trust_unref(&old);
		ht_world_free(&w);
	}
}

/* Where there was none, its place is between the epochs and the items. */
static void
the_first_grant_is_one_among_many(void **state)
{
	struct ht_world *w = world_of(state);
	struct ht_buf text = HT_BUF(HT_DOC_MAX);
	struct ht_trust *old;
	size_t n;

	ht_buf_str(&text, ht_world_text(w, HT_DOC_GRANT, "gx.demo/1"));
	for (unsigned i = 1; i <= 5; i++) {
		char name[64];

		(void)snprintf(name, sizeof(name), "gx.demo/%u", i);
		ht_world_drop(w, HT_DOC_GRANT, name);
	}
	ht_world_renew(w);
	assert_null(ht_trust_grant_at(w->trust, 0));
	old = ht_trust_ref(w->trust);
	ht_world_put(w, HT_DOC_GRANT, "gx.demo/1", ht_buf_text(&text));
	costs(w, old, 1);
	assert_int_equal(
	    ht_trust_grants_of(w->trust, ht_slice_str("tax.demo/state"),
	        ht_slice_str("gx.demo/SCZTDJ"), &n)[0]
	        ->revision,
	    1);
	assert_int_equal(n, 1);
	ht_trust_unref(&old);
	ht_buf_fini(&text);
}

/* Whoever looks quietly first must not see less. */
static void
a_contradiction_is_found_in_silence_too(void **state)
{
	struct ht_world *w = world_of(state);
	struct ht_trust *old = ht_trust_ref(w->trust), *trust = NULL;
	char dir[HT_TEST_PATH_MAX], path[HT_TEST_PATH_MAX + 64];
	struct ht_report *report = ht_report_new();

	ht_world_edit(
	    w, HT_DOC_GRANT, "gx.demo/1", "revision: 1", "revision: 2");
	ht_world_edit(w, HT_DOC_GRANT, "gx.demo/1", "fields: [shxydm,",
	    "fields: [no_such_field, shxydm,");
	w->version++;
	ht_world_publish(w);
	assert_err(ht_world_load(w, old, NULL, &trust), HT_EINVALID);
	assert_null(trust);
	ht_world_write(w, ht_test_dir(dir));
	(void)snprintf(path, sizeof(path), "%s/authority", dir);
	assert_err(ht_trust_load_dir(&w->root, path, old, report, &trust),
	    HT_EINVALID);
	assert_null(trust);
	assert_true(says(report, "no_such_field"));
	ht_report_free(&report);
	ht_trust_unref(&old);
	ht_test_dir_remove(dir);
}

/* The same words of a grant are other fields by another item. */
static void
another_item_links_its_grants_anew(void **state)
{
	struct ht_world *w = world_of(state);
	struct ht_trust *old = ht_trust_ref(w->trust);
	struct ht_slice name = ht_slice_str("gx.demo/1");

	assert_int_equal(ht_trust_grant(old, name)->fields[0], 0x17);
	ht_world_edit(
	    w, HT_DOC_ITEM, "gx.demo/SCZTDJ@1", "revision: 1", "revision: 2");
	ht_world_edit(w, HT_DOC_ITEM, "gx.demo/SCZTDJ@1",
	    "    fddbr_xm: {type: string, x-level: 2, x-bytes: 150}\n", "");
	ht_world_renew(w);
	assert_int_equal(ht_trust_grant(w->trust, name)->fields[0], 0x0f);
	/* Threads may still decide by the one before. */
	assert_int_equal(ht_trust_grant(old, name)->fields[0], 0x17);
	assert_int_equal(ht_trust_doc_since(w->trust, 1),
	    ht_trust_doc_since(old, 1)); /* its text is the same */
	ht_trust_unref(&old);
}

static void
grants_may_be_drawn_narrower(void **state)
{
	struct ht_world *w = world_of(state);
	const struct ht_grant *g;

	ht_world_edit(w, HT_DOC_GRANT, "gx.demo/2", "prefix: ['9999']",
	    "area: ['999900', '210000'], except: ['210200']");
	ht_world_edit(w, HT_DOC_GRANT, "gx.demo/2", "per-day: 100",
	    "per-day: 7, per-minute: 3");
	ht_world_edit(
	    w, HT_DOC_GRANT, "gx.demo/2", "revision: 1", "revision: 2");
	ht_world_edit(w, HT_DOC_GRANT, "gx.demo/1",
	    "fields: [shxydm, ztmc, jyzt_dm, xzqh]", "level: 1\nfields: all");
	ht_world_edit(
	    w, HT_DOC_GRANT, "gx.demo/1", "revision: 1", "revision: 2");
	ht_world_renew(w);
	g = ht_trust_grant(w->trust, ht_slice_str("gx.demo/2"));
	assert_true(g->row_area);
	assert_int_equal(g->n_row_prefixes, 2);
	assert_string_equal(g->row_prefixes[0], "9999");
	assert_string_equal(g->row_prefixes[1], "21");
	assert_int_equal(g->n_row_except, 1);
	assert_string_equal(g->row_except[0], "2102");
	assert_int_equal(g->quota_day, 7);
	assert_int_equal(g->quota_minute, 3);
	/* All but the one of level 2, whatever is added later. */
	g = ht_trust_grant(w->trust, ht_slice_str("gx.demo/1"));
	assert_false(g->all_fields);
	assert_int_equal(g->fields[0], 0x17);
}

static void
the_day_begins_where_the_root_says(void **state)
{
	static const struct {
		const char *zone;
		int64_t minutes;
	} cases[] = {
	    {"'+08:00'", 480 },
	    {"'-05:30'", -330},
	    {"'+14:00'", 840 },
	    {"Z",        0   },
	};

	(void)state;
	for (size_t i = 0; i < HT_COUNT(cases); i++) {
		HT_AUTO(ht_report_free)
		struct ht_report *report = ht_report_new();
		struct ht_world *w = ht_world_new(NOW_MS);
		struct ht_trust *trust = NULL;
		char to[64];

		assert_int_equal(ht_trust_root(w->trust)->zone_ms, 0);
		(void)snprintf(
		    to, sizeof(to), "threshold: 2\nzone: %s", cases[i].zone);
		ht_world_edit(w, HT_DOC_ROOT, "root", "threshold: 2", to);
		ht_world_edit(
		    w, HT_DOC_ROOT, "root", "revision: 1", "revision: 2");
		w->version++;
		ht_world_publish(w);
		assert_ok(ht_world_load(w, w->trust, report, &trust));
		assert_int_equal(
		    ht_trust_root(trust)->zone_ms, cases[i].minutes * 60000);
		ht_trust_unref(&trust);
		ht_world_free(&w);
	}
}

static void
a_changed_officer_is_asked_again(void **state)
{
	struct ht_world *w = world_of(state);
	char *officer =
	    between(ht_world_text(w, HT_DOC_MEMBER, "scjg.demo/registry"),
	        "officers:\n  - ", "\n");
	struct ht_key *other = ht_world_key(HT_KEY_OFFICER, "somebody else");
	struct ht_pub pub = ht_key_pub(other);
	struct ht_vkey vkey;
	char text[HT_VKEY_MAX];

	/* The provider's officer was replaced: what he signed must be again. */
	assert_ok(ht_vkey_make("scjg.demo/registry/officer", &pub, &vkey));
	ht_vkey_text(&vkey, text);
	ht_world_edit(w, HT_DOC_MEMBER, "scjg.demo/registry", officer, text);
	ht_world_edit(w, HT_DOC_MEMBER, "scjg.demo/registry", "revision: 1",
	    "revision: 2");
	w->version++;
	ht_world_publish(w);
	refused(w, w->trust, HT_EBADSIG,
	    "an officer of scjg.demo/registry must sign it");
	ht_key_free(&other);
	free(officer);
}

static void
freshening_suspends_and_resumes(void **state)
{
	struct ht_world *w = world_of(state);
	struct ht_trust *fresh = NULL, *again = NULL;
	struct ht_slice grant = ht_slice_str("gx.demo/1");
	struct ht_slice member = ht_slice_str("tax.demo/local");
	struct ht_report *report = ht_report_new();

	w->suspended = "gx.demo/1, tax.demo/local";
	w->issued_ms += 1000;
	ht_world_publish(w);
	assert_ok(ht_trust_freshen(
	    w->trust, ht_buf_slice(&w->current), report, &fresh));
	assert_true(ht_trust_grant(fresh, grant)->suspended);
	assert_true(ht_trust_member(fresh, member)->suspended);
	assert_false(
	    ht_trust_grant(fresh, ht_slice_str("gx.demo/2"))->suspended);
	/* The one before is not touched. */
	assert_false(ht_trust_grant(w->trust, grant)->suspended);
	assert_false(ht_trust_member(w->trust, member)->suspended);
	/* Walks and lists see the suspended copies, too. */
	for (size_t i = 0; ht_trust_grant_at(fresh, i) != NULL; i++)
		assert_int_equal(ht_trust_grant_at(fresh, i)->suspended,
		    strcmp(ht_trust_grant_at(fresh, i)->name, "gx.demo/1") ==
		        0);

	assert_err(
	    ht_trust_freshen(fresh, ht_trust_current(w->trust), report, &again),
	    HT_EROLLBACK);
	assert_null(again);
	w->suspended = NULL;
	w->issued_ms += 1000;
	ht_world_publish(w);
	assert_ok(
	    ht_trust_freshen(fresh, ht_buf_slice(&w->current), report, &again));
	assert_false(ht_trust_grant(again, grant)->suspended);
	ht_trust_unref(&fresh);
	ht_trust_unref(&again);

	w->suspended = "gx.demo/99";
	w->issued_ms += 1000;
	ht_world_publish(w);
	assert_err(ht_trust_freshen(
	               w->trust, ht_buf_slice(&w->current), report, &again),
	    HT_EINVALID);
	assert_true(says(report, "no such grant or member"));
	w->suspended = NULL;
	ht_report_free(&report);
}

static void
a_current_note_lasts_a_week_at_most(void **state)
{
	struct ht_world *w = world_of(state);
	struct ht_trust *fresh = NULL;
	struct ht_report *report = ht_report_new();
	uint64_t life_ms = w->life_ms;

	w->issued_ms += 1000;
	w->life_ms = HT_CURRENT_MAX_MS;
	ht_world_publish(w);
	assert_ok(ht_trust_freshen(
	    w->trust, ht_buf_slice(&w->current), report, &fresh));
	ht_trust_unref(&fresh);
	w->life_ms = HT_CURRENT_MAX_MS + 1000;
	ht_world_publish(w);
	assert_err(ht_trust_freshen(
	               w->trust, ht_buf_slice(&w->current), report, &fresh),
	    HT_EINVALID);
	assert_true(says(report, "7d is the most"));
	refused(w, w->trust, HT_EINVALID, "7d is the most");
	w->life_ms = life_ms;
	ht_report_free(&report);
}

static void
without_a_current_note_nothing_is_fresh(void **state)
{
	struct ht_world *w = world_of(state);
	struct ht_trust *trust = NULL;

	ht_buf_reset(&w->current);
	assert_ok(ht_world_load(w, NULL, NULL, &trust));
	assert_int_equal(ht_trust_until_ms(trust), 0);
	assert_int_equal(ht_trust_current(trust).len, 0);
	ht_trust_unref(&trust);
}

/* ---- the root's and a member's own succession ---- */

static void
a_new_root_follows_the_old(void **state)
{
	struct ht_world *w = world_of(state);
	struct ht_root strangers = w->root;
	struct ht_report *report = ht_report_new();
	struct ht_key *other = ht_world_key(HT_KEY_OFFICER, "a stranger");
	struct ht_pub pub = ht_key_pub(other);
	struct ht_trust *trust = NULL;

	ht_world_edit(w, HT_DOC_ROOT, "root", "revision: 1", "revision: 2");
	ht_world_edit(w, HT_DOC_ROOT, "root", "5600", "5700");
	ht_world_renew(w);
	assert_int_equal(ht_trust_root(w->trust)->revision, 2);
	assert_string_equal(
	    ht_trust_root(w->trust)->broker_address, "tcp://127.0.0.1:5700");

	/* Who trusts others does not follow it. */
	for (unsigned i = 0; i < strangers.n_officers; i++)
		strangers.officers[i].pub = pub;
	w->root = strangers;
	assert_err(ht_world_load(w, NULL, report, &trust), HT_EBADSIG);
	/* Nor does one go back to it from a newer one. */
	w->root = *ht_trust_root(w->trust);
	w->root.revision = 3;
	assert_err(ht_world_load(w, NULL, report, &trust), HT_EROLLBACK);
	assert_null(trust);
	ht_key_free(&other);
	ht_report_free(&report);
}

static void
another_root_of_the_same_revision_is_refused(void **state)
{
	struct ht_world *w = world_of(state);

	ht_world_edit(w, HT_DOC_ROOT, "root", "5600", "5700");
	ht_world_publish(w);
	refused(w, NULL, HT_EBADSIG, "not the root that is trusted here");
}

static void
every_snapshot_has_its_root(void **state)
{
	struct ht_world *w = world_of(state);

	ht_world_drop(w, HT_DOC_ROOT, "root");
	ht_world_publish(w);
	refused(w, NULL, HT_EINVALID, "the root belongs to every snapshot");
}

static void
identities_are_handed_on(void **state)
{
	struct ht_world *w = world_of(state);
	struct ht_world_member *m = &w->members[HT_W_LOCAL];
	struct ht_key *old = m->identity;
	struct ht_key *new = ht_world_key(HT_KEY_IDENTITY, "a new one");
	struct ht_pub pub = ht_key_pub(new);
	char text[HT_B64_SIZE(HT_PUB_SIZE)];
	char *before = between(
	    ht_world_text(w, HT_DOC_MEMBER, m->name), "identity: ", "\n");

	ht_b64(text, pub.at, sizeof(pub.at));
	m->identity = new;
	ht_world_edit(w, HT_DOC_MEMBER, m->name, before, text);
	ht_world_edit(w, HT_DOC_MEMBER, m->name, "revision: 1", "revision: 2");
	w->version++;
	ht_world_publish(w);
	refused(w, w->trust, HT_EBADSIG, "the old one did not sign");
	ht_world_edit(w, HT_DOC_MEMBER, m->name, "revision: 2",
	    "revision: 2\nrecovered: 2026-11-24");
	ht_world_publish(w);
	loads(w, w->trust);
	ht_key_free(&old);
	free(before);
}

/* ---- many ---- */

/* Enough documents that all cores share the work: all is found all the same. */
static void
many_documents_are_all_checked(void **state)
{
	struct ht_world *w = world_of(state);
	const char *text = ht_world_text(w, HT_DOC_GRANT, "gx.demo/1");
	struct ht_report *report = ht_report_new();
	struct ht_trust *trust = NULL;
	char name[64];

	for (int i = 1000; i < 1600; i++) {
		(void)snprintf(name, sizeof(name), "gx.demo/%d", i);
		ht_world_put(w, HT_DOC_GRANT, name, text);
		ht_world_edit(w, HT_DOC_GRANT, name, "gx.demo/1", name);
		text = ht_world_text(w, HT_DOC_GRANT, "gx.demo/1");
	}
	ht_world_renew(w);
	assert_non_null(ht_trust_grant(w->trust, ht_slice_str("gx.demo/1599")));

	ht_world_unsign(w, HT_DOC_GRANT, "gx.demo/1300", HT_W_OFFICER);
	ht_world_edit(
	    w, HT_DOC_GRANT, "gx.demo/1400", "basis:", "bases: 1\nbasis:");
	ht_world_publish(w);
	assert_err(ht_world_load(w, NULL, report, &trust), HT_EBADSIG);
	assert_true(says(report, "grants/gx.demo/1300.note"));
	assert_true(says(report, "grants/gx.demo/1400.note:12:"));
	assert_int_equal(ht_report_count(report), 2);
	ht_report_free(&report);
}

/* ---- on disk ---- */

/* The provider's officer has another key, and signed the same grants again. */
static void
a_text_signed_anew_is_read_anew(void **state)
{
	struct ht_world *w = world_of(state);
	struct ht_trust *trust = NULL;
	char dir[HT_TEST_PATH_MAX], path[HT_TEST_PATH_MAX + 64];
	static const char *const grants[] = {
	    "gx.demo/1", "gx.demo/2", "gx.demo/4", "gx.demo/5"};
	struct ht_vkey old_vkey, new_vkey;
	char old_text[HT_VKEY_MAX], new_text[HT_VKEY_MAX];
	struct ht_key **officer = &w->members[HT_W_REGISTRY].officer;
	struct ht_key *next = ht_world_key(HT_KEY_OFFICER, "another officer");
	struct ht_pub pub = ht_key_pub(*officer);

	assert_ok(ht_vkey_make("scjg.demo/registry/officer", &pub, &old_vkey));
	pub = ht_key_pub(next);
	assert_ok(ht_vkey_make("scjg.demo/registry/officer", &pub, &new_vkey));
	ht_vkey_text(&old_vkey, old_text);
	ht_vkey_text(&new_vkey, new_text);
	ht_world_edit(w, HT_DOC_MEMBER, "scjg.demo/registry", "revision: 1\n",
	    "revision: 2\n");
	ht_world_edit(
	    w, HT_DOC_MEMBER, "scjg.demo/registry", old_text, new_text);
	ht_key_free(officer);
	*officer = next;
	for (unsigned i = 0; i < HT_COUNT(grants); i++)
		ht_world_unsign(w, HT_DOC_GRANT, grants[i], 0);
	ht_world_unsign(w, HT_DOC_ITEM, "gx.demo/SCZTDJ@1", 0);
	w->version++;
	ht_world_publish(w);
	ht_world_write(w, ht_test_dir(dir));
	(void)snprintf(path, sizeof(path), "%s/authority", dir);
	assert_ok(ht_trust_load_dir(&w->root, path, w->trust, NULL, &trust));
	assert_true(ht_trust_version(trust) > ht_trust_version(w->trust));
	ht_trust_unref(&trust);
	ht_test_dir_remove(dir);
}

static void
a_folder_is_loaded_and_what_is_missing_named(void **state)
{
	struct ht_world *w = world_of(state);
	char dir[HT_TEST_PATH_MAX], path[HT_TEST_PATH_MAX + 64];
	struct ht_report *report = ht_report_new();
	struct ht_trust *trust = NULL;
	struct ht_hash got, want = ht_trust_hash(w->trust);

	ht_world_write(w, ht_test_dir(dir));
	(void)snprintf(path, sizeof(path), "%s/authority", dir);
	assert_ok(ht_trust_load_dir(&w->root, path, NULL, report, &trust));
	got = ht_trust_hash(trust);
	assert_true(ht_hash_eq(&got, &want));
	ht_trust_unref(&trust);

	(void)snprintf(
	    path, sizeof(path), "%s/authority/grants/gx.demo/2.note", dir);
	assert_int_equal(remove(path), 0);
	(void)snprintf(path, sizeof(path),
	    "%s/authority/members/tax.demo/local.note", dir);
	assert_int_equal(remove(path), 0);
	(void)snprintf(path, sizeof(path), "%s/authority", dir);
	assert_err(ht_trust_load_dir(&w->root, path, NULL, report, &trust),
	    HT_ENOTFOUND);
	assert_null(trust);
	assert_true(says(report, "grants/gx.demo/2.note"));
	assert_true(says(report, "members/tax.demo/local.note"));
	/* Who has them already need not read them again. */
	assert_ok(ht_trust_load_dir(&w->root, path, w->trust, report, &trust));
	same_documents(trust, w->trust);
	ht_trust_unref(&trust);
	ht_test_dir_remove(dir);
	ht_report_free(&report);
}

/* ---- lists ---- */

static void
lists_are_strict(void **state)
{
#define H "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
	static const struct {
		const char *list;
		enum ht_err want;
	} cases[] = {
	    {"",	                                             HT_OK        },
	    {"grant gx.demo/1 1 " H "\n",                            HT_OK        },
	    {"grant gx.demo/1 1 " H "\nmember a/b 7 " H "\n",        HT_OK        },
	    {"item gx.demo/A@1 1 " H "\nitem gx.demo/A@2 1 " H "\n", HT_OK        },
	    {"grant gx.demo/1 1 " H,                                 HT_EMALFORMED},
	    {"member a/b 7 " H "\ngrant gx.demo/1 1 " H "\n",        HT_EMALFORMED},
	    {"grant gx.demo/1 1 " H "\ngrant gx.demo/1 1 " H "\n",
             HT_EMALFORMED	                                                },
	    {"grant gx.demo/1 1 " H "\ngrant gx.demo/1 2 " H "\n",
             HT_EMALFORMED	                                                },
	    {"grant  gx.demo/1 1 " H "\n",                           HT_EMALFORMED},
	    {"grant gx.demo/1 01 " H "\n",                           HT_EMALFORMED},
	    {"grant gx.demo/1 0 " H "\n",                            HT_EMALFORMED},
	    {"grant gx.demo/1 -1 " H "\n",                           HT_EMALFORMED},
	    {"grant gx.demo/1 1 " H " \n",                           HT_EMALFORMED},
	    {"grant gx.demo/1 1 0" H "\n",                           HT_EMALFORMED},
	    {"grant gx.demo/1 1 0123456789ABCDEF0123456789abcdef0123456789abcde"
	     "f0123456789abcdef\n",	             HT_EMALFORMED},
	    {"grant ../1 1 " H "\n",                                 HT_EMALFORMED},
	    {"grant gx.demo 1 " H "\n",                              HT_EMALFORMED},
	    {"grant gx.demo/../1 1 " H "\n",                         HT_EMALFORMED},
	    {"item gx.demo/A 1 " H "\n",                             HT_EMALFORMED},
	    {"item gx.demo/A@01 1 " H "\n",                          HT_EMALFORMED},
	    {"item gx.demo/A@4294967296 1 " H "\n",                  HT_EMALFORMED},
	    {"snapshot snapshot 1 " H "\n",                          HT_EMALFORMED},
	    {"current current 1 " H "\n",                            HT_EMALFORMED},
	    {"nosuch gx.demo/1 1 " H "\n",                           HT_EMALFORMED},
	    {"root gx.demo/1 1 " H "\n",                             HT_EMALFORMED},
	    {"root root 2 " H "\nroot root@1 1 " H "\n",             HT_OK        },
	    {"root root@ 1 " H "\n",                                 HT_EMALFORMED},
	    {"root root@01 1 " H "\n",                               HT_EMALFORMED},
	    {"root root@0 1 " H "\n",                                HT_EMALFORMED},
	    {"root root@1@1 1 " H "\n",                              HT_EMALFORMED},
	    {"member root@1 1 " H "\n",                              HT_EMALFORMED},
	    {"\n",	                                           HT_EMALFORMED},
	};
#undef H

	(void)state;
	for (size_t i = 0; i < HT_COUNT(cases); i++) {
		struct ht_list_line *lines = NULL;
		size_t n = 0;
		enum ht_err err = ht_list_parse(
		    ht_slice_str(cases[i].list), "list", NULL, &lines, &n);

		if (err != cases[i].want)
			fail_msg("\"%s\": %s", cases[i].list, ht_err_text(err));
		free(lines);
	}
}

/* ---- no memory ---- */

static void
loading_survives_no_memory(void **state)
{
	const struct ht_world *w = world_of(state);
	struct ht_trust *trust = NULL;
	enum ht_err err = HT_OK;
	unsigned failures = 0;

	if (getenv("HT_TORTURE") == NULL) {
		print_message("# only in make torture and make test\n");
		return;
	}
	TORTURE(err = ht_world_load(w, NULL, NULL, &trust))
	{
		/* Without memory for hints ("did you mean") it still loads. */
		if (err != HT_OK) {
			assert_int_equal(err, HT_ENOMEM);
			assert_null(trust);
			failures++;
		}
		ht_trust_unref(&trust);
	}
	assert_ok(err);
	assert_true(failures > 1000);
	ht_trust_unref(&trust);
}

#define WITH_WORLD(test)                                                       \
	cmocka_unit_test_setup_teardown(test, make_world, end_world)

static const struct CMUnitTest tests[] = {
    WITH_WORLD(everything_is_found_again),
    WITH_WORLD(keys_are_found_by_what_they_are),
    cmocka_unit_test(key_states_follow_the_clock),
    WITH_WORLD(the_documents_are_given_as_they_came),
    WITH_WORLD(epochs_open_to_their_holders),
    WITH_WORLD(contradictions_are_refused),
    WITH_WORLD(all_slips_are_told_at_once),
    WITH_WORLD(a_key_has_one_owner),
    WITH_WORLD(a_key_has_one_purpose),
    WITH_WORLD(sealing_keys_live_90_days),
    WITH_WORLD(epochs_do_not_overlap),
    WITH_WORLD(every_kind_needs_its_signers),
    WITH_WORLD(a_stranger_publishes_nothing),
    WITH_WORLD(an_officer_counts_once),
    WITH_WORLD(no_byte_can_be_changed),
    WITH_WORLD(there_is_no_way_back),
    WITH_WORLD(parts_of_two_snapshots_do_not_mix),
    WITH_WORLD(revisions_never_fall),
    WITH_WORLD(one_version_is_one_snapshot),
    WITH_WORLD(an_older_current_note_is_refused),
    WITH_WORLD(a_missing_document_is_named),
    WITH_WORLD(a_changed_document_is_named),
    WITH_WORLD(unchanged_documents_are_shared),
    WITH_WORLD(news_lead_from_any_snapshot_to_the_newest),
    WITH_WORLD(cut_or_mixed_news_are_refused),
    WITH_WORLD(patching_survives_no_memory),
    WITH_WORLD(a_changed_officer_is_asked_again),
    WITH_WORLD(lies_are_found_out),
    cmocka_unit_test(one_grant_among_many_costs_one),
    WITH_WORLD(the_first_grant_is_one_among_many),
    WITH_WORLD(a_contradiction_is_found_in_silence_too),
    WITH_WORLD(another_item_links_its_grants_anew),
    WITH_WORLD(grants_may_be_drawn_narrower),
    WITH_WORLD(the_day_begins_where_the_root_says),
    WITH_WORLD(freshening_suspends_and_resumes),
    WITH_WORLD(a_current_note_lasts_a_week_at_most),
    WITH_WORLD(without_a_current_note_nothing_is_fresh),
    WITH_WORLD(a_new_root_follows_the_old),
    WITH_WORLD(another_root_of_the_same_revision_is_refused),
    WITH_WORLD(every_snapshot_has_its_root),
    WITH_WORLD(identities_are_handed_on),
    WITH_WORLD(many_documents_are_all_checked),
    WITH_WORLD(a_text_signed_anew_is_read_anew),
    WITH_WORLD(a_folder_is_loaded_and_what_is_missing_named),
    cmocka_unit_test(lists_are_strict),
    WITH_WORLD(loading_survives_no_memory),
};

HT_TEST_MAIN(tests)
