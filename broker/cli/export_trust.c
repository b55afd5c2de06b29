/*
 * export_trust.c -- the trust documents behind the entries of a case: as they
 * were in force then, each with its place in the snapshot that the entry names.
 */
#include <stdlib.h>
#include <string.h>

#include "broker/cli/export.h"
#include "lib/base/fs.h"
#include "lib/base/panic.h"

/* ---- folders ---- */

static enum ht_err
read_list(struct ht_case_trust *t)
{
	HT_AUTO(ht_report_free) struct ht_report *report = ht_report_new();
	enum ht_err err = ht_list_parse(
	    ht_trust_doc(t->trust, 1), "list", report, &t->lines, &t->n);

	if (err != HT_OK)
		return err;
	t->leaves = calloc(t->n + 1, sizeof(*t->leaves));
	t->added = calloc(t->n + 1, sizeof(*t->added));
	if (t->leaves == NULL || t->added == NULL)
		return HT_ENOMEM;
	for (size_t i = 0; i < t->n; i++)
		t->leaves[i] = ht_leaf_hash(t->lines[i].line);
	return HT_OK;
}

/* The root that a folder of then came with; its own officers signed it. */
static int
own_root(const char *dir, struct ht_root *ret)
{
	HT_AUTO(ht_mem_free) char *path = ht_fs_join(dir, "root.note");

	if (path != NULL)
		return ht_audit_root(path, ret);
	ht_audit_say("out of memory");
	return HT_AUDIT_GONE;
}

int
ht_case_trust_load(
    struct ht_case *c, const char *dir, const struct ht_root *root)
{
	HT_AUTO(ht_report_free) struct ht_report *report = ht_report_new();
	HT_AUTO(ht_mem_free) struct ht_root *own = malloc(sizeof(*own));
	struct ht_case_trust *t = &c->trusts[c->n_trusts];
	enum ht_err err;
	int code;

	HT_ASSERT(c->n_trusts < HT_CASE_TRUSTS);
	if (own == NULL)
		return HT_AUDIT_GONE;
	if (root == NULL) {
		code = own_root(dir, own);
		if (code != HT_AUDIT_OK)
			return code;
	}
	err = ht_trust_load_dir(
	    root != NULL ? root : own, dir, NULL, report, &t->trust);
	if (err == HT_OK) {
		c->n_trusts++;
		err = read_list(t);
	}
	if (err == HT_OK)
		return HT_AUDIT_OK;
	for (unsigned i = 0; i < ht_report_count(report) && i < HT_FINDINGS_MAX;
	     i++)
		ht_audit_say("%s: %s", ht_report_where(report, i),
		    ht_report_text(report, i));
	ht_audit_say("the trust documents in %s are not in order: %s", dir,
	    ht_err_text(err));
	return err == HT_ENOMEM || err == HT_ENOTFOUND ? HT_AUDIT_GONE
	                                               : HT_AUDIT_BAD;
}

/* ---- documents ---- */

static enum ht_err
load_leaf(void *arg, unsigned level, uint64_t index, struct ht_hash *ret)
{
	const struct ht_case_trust *t = arg;
	uint64_t n = UINT64_C(1) << level;

	*ret = ht_merkle_root(t->leaves + index * n, n);
	return HT_OK;
}

/* "<16 hex digits>": the folder of a snapshot within trust/. */
static void
short_name(const struct ht_case_trust *t, char out[static 17])
{
	struct ht_hash hash = ht_trust_hash(t->trust);

	ht_hex(out, hash.at, 8);
}

static enum ht_err
add_doc(struct ht_case *c, struct ht_case_trust *t, enum ht_doc_kind kind,
    const char *name, bool *ret_there)
{
	HT_AUTO(ht_buf_fini) struct ht_buf path = HT_BUF(8192);
	struct ht_hash hashes[HT_PROOF_MAX];
	char file[HT_DOC_PATH_MAX], dir[17];
	size_t i = 0, n;
	enum ht_err err;

	while (i < t->n && (t->lines[i].kind != kind ||
	                       strcmp(t->lines[i].name, name) != 0))
		i++;
	*ret_there = i < t->n;
	if (!*ret_there || t->added[i])
		return HT_OK;
	t->added[i] = true;
	ht_doc_path(kind, name, file);
	short_name(t, dir);
	err = ht_prove_inclusion(load_leaf, t, i, t->n, hashes, &n);
	if (err != HT_OK)
		return err;
	ht_buf_fmt(&path, "%zu\n", i);
	ht_case_path(&path, hashes, n);
	if (path.err != HT_OK)
		return path.err;
	err = ht_case_add(
	    c, ht_trust_doc(t->trust, 2 + i), "trust/%s/%s", dir, file);
	return err == HT_OK ? ht_case_add(c, ht_buf_slice(&path),
	                          "trust/%s/%s.path", dir, file)
	                    : err;
}

/* What an entry stands on must be there. */
static int
need_doc(struct ht_case *c, struct ht_case_trust *t, uint64_t seq,
    enum ht_doc_kind kind, const char *name)
{
	bool there = false;
	enum ht_err err = add_doc(c, t, kind, name, &there);

	if (err == HT_OK && there)
		return HT_AUDIT_OK;
	if (err != HT_OK)
		ht_audit_say("entry %llu: %s", (unsigned long long)seq,
		    ht_err_text(err));
	else
		ht_audit_say("entry %llu: the %s %s is not in the snapshot "
		             "that it names",
		    (unsigned long long)seq, ht_doc_kind_text(kind), name);
	return err == HT_OK ? HT_AUDIT_BAD : HT_AUDIT_GONE;
}

static int
need_named(struct ht_case *c, struct ht_case_trust *t, uint64_t seq,
    enum ht_doc_kind kind, struct ht_slice name)
{
	char text[HT_DOC_NAME_MAX + 1];

	(void)snprintf(
	    text, sizeof(text), "%.*s", (int)name.len, (const char *)name.at);
	return need_doc(c, t, seq, kind, text);
}

static int
use_snapshot(struct ht_case *c, struct ht_case_trust *t, uint64_t seq)
{
	struct ht_hash hash = ht_trust_hash(t->trust);
	char hex[2 * HT_HASH_SIZE + 1], dir[17];

	if (t->used)
		return HT_AUDIT_OK;
	t->used = true;
	ht_hex(hex, hash.at, HT_HASH_SIZE);
	short_name(t, dir);
	ht_buf_fmt(&c->snapshots, "  - %s\n", hex);
	if (ht_case_add(c, ht_trust_doc(t->trust, 0), "trust/%s/snapshot.note",
	        dir) != HT_OK) {
		ht_audit_say("the case grows too large");
		return HT_AUDIT_GONE;
	}
	return need_doc(c, t, seq, HT_DOC_ROOT, "root");
}

static struct ht_case_trust *
in_force(struct ht_case *c, const struct ht_entry *e)
{
	char hex[2 * HT_HASH_SIZE + 1];

	for (size_t i = 0; i < c->n_trusts; i++) {
		struct ht_hash hash = ht_trust_hash(c->trusts[i].trust);

		if (ht_hash_eq(&hash, &e->snapshot))
			return &c->trusts[i];
	}
	ht_hex(hex, e->snapshot.at, HT_HASH_SIZE);
	ht_audit_say(
	    "entry %llu was decided by the trust snapshot %s, which is none "
	    "of the folders given: take the authority's folder of that time, "
	    "or a copy or older commit of it, with --then DIR",
	    (unsigned long long)e->seq, hex);
	return NULL;
}

int
ht_case_trust_add(struct ht_case *c, const struct ht_entry *e,
    const struct ht_header *h, const struct ht_bundle *bundle)
{
	struct ht_case_trust *t = in_force(c, e);
	bool response = h->kind == HT_KIND_RESPONSE;
	char item[HT_DOC_NAME_MAX + 1];
	int code;

	if (t == NULL)
		return HT_AUDIT_UNMET;
	code = use_snapshot(c, t, e->seq);
	if (code == HT_AUDIT_OK)
		code = need_named(c, t, e->seq, HT_DOC_MEMBER, bundle->sender);
	if (code != HT_AUDIT_OK || e->status != 0)
		return code;
	(void)snprintf(item, sizeof(item), "%.*s@%u", (int)h->item.len,
	    (const char *)h->item.at, h->item_version);
	code = need_doc(c, t, e->seq, HT_DOC_ITEM, item);
	if (code == HT_AUDIT_OK)
		code = need_named(c, t, e->seq, HT_DOC_GRANT, e->grant);
	if (code == HT_AUDIT_OK)
		code = need_named(c, t, e->seq, HT_DOC_MEMBER,
		    response ? h->sender : h->recipient);
	return code;
}
