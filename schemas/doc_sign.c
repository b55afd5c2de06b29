/*
 * doc_sign.c -- whose signatures a document needs (the table at the top of
 * docs/trust.md).  Officers are counted, not lines: one who signs twice is
 * one.
 */
#include <stdio.h>
#include <string.h>

#include "lib/base/panic.h"
#include "schemas/doc.h"

enum also { NOBODY, IDENTITY, PROVIDER, AUDITOR, SNAPSHOT, CURRENT };

static const struct rule {
	bool officers;  /* k of them */
	enum also also; /* and one of these */
} rules[HT_DOC_KINDS] = {
    [HT_DOC_ROOT] = {true,  NOBODY  },
    [HT_DOC_MEMBER] = {true,  IDENTITY},
    [HT_DOC_ITEM] = {true,  PROVIDER},
    [HT_DOC_GRANT] = {true,  PROVIDER},
    [HT_DOC_EPOCH] = {false, AUDITOR },
    [HT_DOC_SNAPSHOT] = {false, SNAPSHOT},
    [HT_DOC_CURRENT] = {false, CURRENT },
    [HT_DOC_ERASE] = {true,  NOBODY  },
    [HT_DOC_APPLICATION] = {false, PROVIDER}, /* its applicant, that is */
    [HT_DOC_ANSWER] = {false, PROVIDER},
    [HT_DOC_EXTENSION] = {true,  PROVIDER},
    [HT_DOC_DISCLOSE] = {true,  NOBODY  },
    [HT_DOC_REMOVE] = {true,  NOBODY  },
};

/* The keys whose signatures count: the officers first, then the others. */
struct signers {
	unsigned n_officers;
	unsigned n;
	struct ht_vkey keys[2 * HT_OFFICERS_MAX];
	char others[HT_VKEY_NAME_MAX + 32]; /* in words */
};

static void
add_keys(struct signers *s, const struct ht_vkey *keys, unsigned n)
{
	HT_ASSERT(s->n + n <= HT_COUNT(s->keys));
	memcpy(s->keys + s->n, keys, n * sizeof(*keys));
	s->n += n;
}

static void
add_others(struct signers *s, const struct ht_doc *doc, enum also also,
    const struct ht_root *root, const struct ht_member *provider)
{
	struct ht_vkey identity;
	const char *name = "";

	switch (also) {
	case NOBODY:
		break;
	case IDENTITY:
		name = doc->member->name;
		/* The key was checked when it was read. */
		if (ht_vkey_make(name, &doc->member->identity, &identity) ==
		    HT_OK)
			add_keys(s, &identity, 1);
		break;
	case PROVIDER:
		name = provider->name;
		add_keys(s, provider->officers, provider->n_officers);
		break;
	case AUDITOR:
		add_keys(s, root->auditors, root->n_auditors);
		break;
	case SNAPSHOT:
		name = root->snapshot.name;
		add_keys(s, &root->snapshot, 1);
		break;
	case CURRENT:
		name = root->current.name;
		add_keys(s, &root->current, 1);
		break;
	}
	(void)snprintf(s->others, sizeof(s->others), "%s%s",
	    also == IDENTITY   ? "the identity key of "
	    : also == PROVIDER ? "an officer of "
	    : also == AUDITOR  ? "an auditor that the root names"
	                       : "",
	    name);
}

/* One wrong signature of a known key spoils the note: name whose. */
static void
blame_signer(const struct ht_doc *doc, const struct ht_note *note,
    const struct signers *s, struct ht_report *report)
{
	uint64_t signed_by;

	for (unsigned i = 0; i < s->n; i++)
		if (ht_note_verify(note, &s->keys[i], 1, &signed_by) != HT_OK)
			ht_report_add(report, doc->where,
			    "the signature of %s does not verify: the text was "
			    "changed after it was signed; sign it again",
			    s->keys[i].name);
}

static enum ht_err
count(const struct ht_doc *doc, const struct rule *rule,
    const struct ht_root *root, const struct signers *s, uint64_t signed_by,
    struct ht_report *report)
{
	uint64_t officers = (UINT64_C(1) << s->n_officers) - 1;
	unsigned n = (unsigned)__builtin_popcountll(signed_by & officers);
	enum ht_err err = HT_OK;

	if (rule->officers && n < root->threshold) {
		ht_report_add(report, doc->where,
		    "%u of the officers of %s signed it, %u must; have "
		    "another one sign it",
		    n, root->catalog, root->threshold);
		err = HT_EBADSIG;
	}
	if (rule->also != NOBODY && (signed_by & ~officers) == 0) {
		ht_report_add(report, doc->where, "%s must sign it", s->others);
		err = HT_EBADSIG;
	}
	return err;
}

enum ht_err
ht_doc_check_signed(const struct ht_doc *doc, const struct ht_root *root,
    const struct ht_member *provider, struct ht_report *report)
{
	const struct rule *rule = &rules[doc->kind];
	struct signers s = {0};
	struct ht_note note;
	uint64_t signed_by = 0;

	HT_ASSERT(rule->also != PROVIDER || provider != NULL);
	if (rule->officers)
		add_keys(&s, root->officers, root->n_officers);
	s.n_officers = s.n;
	add_others(&s, doc, rule->also, root, provider);
	if (ht_note_parse(doc->bytes, &note) != HT_OK) {
		ht_report_add(report, doc->where, "nobody has signed it yet");
		return HT_EBADSIG;
	}
	if (ht_note_verify(&note, s.keys, s.n, &signed_by) != HT_OK) {
		blame_signer(doc, &note, &s, report);
		return HT_EBADSIG;
	}
	return count(doc, rule, root, &s, signed_by, report);
}

/* ---- whose signatures would count ---- */

const char *
ht_doc_signer(const struct ht_doc *doc)
{
	switch (doc->kind) {
	case HT_DOC_ITEM:
		return doc->item->provider;
	case HT_DOC_GRANT:
		return doc->grant->grant.provider;
	case HT_DOC_APPLICATION:
		return doc->application->asks.grant.consumer;
	case HT_DOC_ANSWER:
	case HT_DOC_EXTENSION:
		return doc->answer->provider;
	case HT_DOC_ROOT:
	case HT_DOC_MEMBER:
	case HT_DOC_EPOCH:
	case HT_DOC_SNAPSHOT:
	case HT_DOC_CURRENT:
	case HT_DOC_ERASE:
	case HT_DOC_DISCLOSE:
	case HT_DOC_REMOVE:
	case HT_DOC_KINDS:
		break;
	}
	return NULL;
}

static void
collect(struct signers *s, const struct ht_doc *doc, const struct ht_root *root,
    const struct ht_member *signer)
{
	const struct rule *rule = &rules[doc->kind];
	struct ht_vkey before;

	if (rule->officers)
		add_keys(s, root->officers, root->n_officers);
	if (doc->kind == HT_DOC_ROOT)
		add_keys(s, doc->root->officers, doc->root->n_officers);
	if (rule->also != PROVIDER || signer != NULL)
		add_others(s, doc, rule->also, root, signer);
	if (rule->also == IDENTITY && signer != NULL &&
	    ht_vkey_make(signer->name, &signer->identity, &before) == HT_OK)
		add_keys(s, &before, 1);
}

static bool
has_name(const struct signers *s, unsigned before, const char *name)
{
	for (unsigned i = 0; i < before; i++)
		if (strcmp(s->keys[i].name, name) == 0)
			return true;
	return false;
}

enum ht_err
ht_doc_counts(const struct ht_doc *doc, const struct ht_root *root,
    const struct ht_member *signer, const struct ht_vkey *vkey,
    struct ht_report *report)
{
	HT_AUTO(ht_buf_fini) struct ht_buf names = HT_BUF(HT_DOC_MAX);
	const char *missing = ht_doc_signer(doc);
	struct signers s = {0};

	collect(&s, doc, root, signer);
	for (unsigned i = 0; i < s.n; i++) {
		if (strcmp(s.keys[i].name, vkey->name) == 0 &&
		    memcmp(&s.keys[i].pub, &vkey->pub, sizeof(vkey->pub)) == 0)
			return HT_OK;
		if (!has_name(&s, i, s.keys[i].name))
			ht_buf_fmt(&names, "%s%s", names.len > 0 ? ", " : "",
			    s.keys[i].name);
	}
	if (names.err != HT_OK || ht_buf_text(&names) == NULL)
		return HT_ENOMEM;
	ht_report_add(report, doc->where,
	    "a signature of %s%s counts for nothing on this %s; those that "
	    "count: %s%s%s%s",
	    vkey->name,
	    has_name(&s, s.n, vkey->name) ? " with this key (another is known)"
	                                  : "",
	    ht_doc_kind_text(doc->kind),
	    names.len > 0 ? ht_buf_text(&names) : "none",
	    missing != NULL && signer == NULL ? "; and officers of " : "",
	    missing != NULL && signer == NULL ? missing : "",
	    missing != NULL && signer == NULL ? ", which has no entry there"
	                                      : "");
	return HT_EDENIED;
}

bool
ht_doc_signed_by(const struct ht_doc *doc, const struct ht_vkey *vkey)
{
	struct ht_note note;
	uint64_t signed_by = 0;

	return ht_note_parse(doc->bytes, &note) == HT_OK &&
	       ht_note_verify(&note, vkey, 1, &signed_by) == HT_OK &&
	       signed_by != 0;
}

/* ---- the root ---- */

static enum ht_err
root_doc(struct ht_slice note, const char *where, struct ht_report *report,
    struct ht_doc **ret)
{
	HT_AUTO(ht_doc_unref) struct ht_doc *doc = NULL;
	enum ht_err err = ht_doc_parse(note, where, report, &doc);

	if (err != HT_OK)
		return err;
	if (doc->kind != HT_DOC_ROOT) {
		ht_report_add(report, where,
		    "a root is expected (\"hutong: root/v1\"), and this is a "
		    "%s; name the anchor file, root.note",
		    ht_doc_kind_text(doc->kind));
		return HT_EINVALID;
	}
	err = ht_doc_check_signed(doc, doc->root, NULL, report);
	if (err == HT_OK)
		*ret = HT_TAKE(doc);
	return err;
}

enum ht_err
ht_root_parse(struct ht_slice note, const char *where, struct ht_report *report,
    struct ht_root *ret)
{
	HT_AUTO(ht_doc_unref) struct ht_doc *doc = NULL;
	enum ht_err err = root_doc(note, where, report, &doc);

	if (err == HT_OK)
		*ret = *doc->root;
	return err;
}

enum ht_err
ht_root_follows(
    const struct ht_root *old, struct ht_slice note, struct ht_report *report)
{
	HT_AUTO(ht_doc_unref) struct ht_doc *doc = NULL;
	enum ht_err err = root_doc(note, "root", report, &doc);

	if (err != HT_OK)
		return err;
	if (strcmp(doc->root->catalog, old->catalog) != 0) {
		ht_report_add(report, doc->where,
		    "it is the root of %s, not of %s", doc->root->catalog,
		    old->catalog);
		return HT_EINVALID;
	}
	if (doc->root->revision <= old->revision) {
		ht_report_add(report, doc->where,
		    "revision %llu does not follow revision %llu",
		    (unsigned long long)doc->root->revision,
		    (unsigned long long)old->revision);
		return HT_EROLLBACK;
	}
	return ht_doc_check_signed(doc, old, NULL, report);
}
