/*
 * verify_file.c -- hutong-audit verify FILE: a file that somebody gave us,
 * checked with no broker and no log (docs/proofs.md).
 */
#include <stdlib.h>
#include <string.h>

#include "broker/cli/count_file.h"
#include "broker/log/lone.h"
#include "keys/proof.h"

static int
bad_file(const char *path, const char *what)
{
	ht_audit_say("BAD: %s: %s", path, what);
	return HT_AUDIT_BAD;
}

/* ---- one entry ---- */

void
ht_audit_proven_free(struct ht_audit_proven **proven_p)
{
	struct ht_audit_proven *c = HT_TAKE(*proven_p);

	if (c == NULL)
		return;
	ht_buf_fini(&c->extra);
	free(c);
}

static int
open_proof(struct ht_audit_proven *c, const struct ht_audit_faith *faith,
    const char *path, struct ht_slice bytes)
{
	unsigned line = 0;

	if (ht_proof_parse(bytes, &c->proof, &line) != HT_OK) {
		ht_audit_say("BAD: %s:%u: this line is not that of a "
		             "tlog-proof",
		    path, line);
		return HT_AUDIT_BAD;
	}
	return ht_audit_judge(faith, path, c->proof.checkpoint, &c->judged);
}

/* The entry, hashed, stands at its place in the tree that was signed. */
static int
prove_entry(struct ht_audit_proven *c, const char *path)
{
	if (!c->proof.has_extra)
		return bad_file(path, "the entry is not in it; its `extra` "
		                      "line is missing");
	if (ht_proof_extra(&c->proof, &c->extra) != HT_OK)
		return HT_AUDIT_GONE;
	if (ht_row_decode(ht_buf_slice(&c->extra), c->judged.cp.size,
	        &c->judged.cp.root, &c->row) != HT_OK)
		return bad_file(path, "what its `extra` line holds is not "
		                      "an entry of this log");
	if (c->row.seq != c->proof.index ||
	    !ht_proof_holds(&c->proof, &c->row.hash, &c->judged.cp))
		return bad_file(path, "the entry does not stand in the tree "
		                      "of the checkpoint at this index");
	return HT_AUDIT_OK;
}

int
ht_audit_check_proof(const struct ht_audit_faith *faith, const char *path,
    struct ht_slice bytes, struct ht_audit_proven **ret)
{
	struct ht_audit_proven *c = *ret = calloc(1, sizeof(*c));
	int code;

	if (c == NULL)
		return HT_AUDIT_GONE;
	c->extra = HT_BUF(HT_PROOF_EXTRA_MAX);
	code = open_proof(c, faith, path, bytes);
	return code == HT_AUDIT_OK ? prove_entry(c, path) : code;
}

static int
show_proof(const struct ht_audit_proven *c, const char *path,
    const struct ht_audit_faith *faith)
{
	struct ht_audit_tally tally = {0};
	char root[2 * HT_HASH_SIZE + 1];
	enum ht_err err = ht_audit_show_row(faith, &c->row, &tally);

	if (err == HT_EINTEGRITY)
		return bad_file(path, "the entry contradicts itself");
	if (err != HT_OK)
		return HT_AUDIT_GONE;
	ht_hex(root, c->judged.cp.root.at, HT_HASH_SIZE);
	printf("log        %s\n", c->judged.cp.origin);
	printf("as of      %llu entries, root %s\n",
	    (unsigned long long)c->judged.cp.size, root);
	printf("checkpoint %s\n", c->judged.text);
	return ht_audit_tally_end(&tally);
}

/* Only a complete answer and counts have rows. */
static int
no_rows(const char *path, const struct ht_audit_opts *opts)
{
	if (opts->format == HT_AUDIT_TABLE)
		return HT_AUDIT_OK;
	ht_audit_say("%s: --format is for the rows of a complete answer or of "
	             "counts, and this file is neither",
	    path);
	return HT_AUDIT_USAGE;
}

static int
verify_proof(const char *path, struct ht_slice bytes,
    const struct ht_audit_opts *opts, const struct ht_audit_faith *faith)
{
	HT_AUTO(ht_audit_proven_free) struct ht_audit_proven *c = NULL;
	int code = no_rows(path, opts);

	if (code == HT_AUDIT_OK)
		code = ht_audit_check_proof(faith, path, bytes, &c);
	return code == HT_AUDIT_OK ? show_proof(c, path, faith) : code;
}

/* ---- the verb ---- */

/* The first line says what a file is. */
static const struct {
	const char *label;
	int (*verify)(const char *path, struct ht_slice bytes,
	    const struct ht_audit_opts *opts,
	    const struct ht_audit_faith *faith);
} kinds[] = {
    {HT_PROOF_LABEL "\n",  verify_proof          },
    {HT_ANSWER_LABEL "\n", ht_audit_verify_answer},
    {HT_COUNTS_LABEL "\n", ht_audit_verify_counts},
};

static int
verify_bytes(const char *path, struct ht_slice bytes,
    const struct ht_audit_opts *opts, const struct ht_audit_faith *faith)
{
	for (size_t i = 0; i < HT_COUNT(kinds); i++) {
		size_t len = strlen(kinds[i].label);

		if (bytes.len >= len &&
		    memcmp(bytes.at, kinds[i].label, len) == 0)
			return kinds[i].verify(path, bytes, opts, faith);
	}
	return bad_file(path, "by its first line this is none of the files "
	                      "that hutong-audit makes");
}

/* A volume is too large to be read whole, and is known by how it begins. */
static int
verify_whole(const struct ht_audit_opts *opts, const char *path,
    const struct ht_audit_faith *faith)
{
	HT_AUTO(ht_buf_fini) struct ht_buf bytes = HT_BUF(HT_ANSWER_MAX);
	enum ht_lone_kind kind = ht_lone_kind(path);
	int code;

	code = kind == HT_LONE_VOLUME || kind == HT_LONE_ARCHIVE
	           ? no_rows(path, opts)
	           : HT_AUDIT_OK;
	if (code != HT_AUDIT_OK)
		return code;
	if (kind == HT_LONE_VOLUME)
		return ht_audit_verify_volume(path, faith);
	if (kind == HT_LONE_ARCHIVE)
		return ht_audit_verify_archive(path, faith);
	code = ht_audit_input(path, &bytes);
	return code == HT_AUDIT_OK
	           ? verify_bytes(path, ht_buf_slice(&bytes), opts, faith)
	           : code;
}

int
ht_audit_verify_file(const struct ht_audit_opts *opts, const char *path)
{
	struct ht_audit_faith faith;
	int code = ht_audit_faith(opts, &faith);

	if (code == HT_AUDIT_OK && !faith.has_vkey && faith.quorum == NULL) {
		ht_audit_say("a proof proves nothing before you say whose "
		             "signature counts: give --policy, --vkey, "
		             "--root or --authority");
		code = HT_AUDIT_USAGE;
	}
	if (code == HT_AUDIT_OK)
		code = verify_whole(opts, path, &faith);
	ht_audit_faith_fini(&faith);
	return code;
}
