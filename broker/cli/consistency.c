/*
 * consistency.c -- hutong-audit consistency: does a newer checkpoint continue
 * the one that was kept?  (docs/proofs.md)
 */
#include <stdlib.h>
#include <string.h>

#include "broker/cli/tool.h"

struct side {
	const char *path;
	struct ht_buf bytes;
	struct ht_slice note;
	struct ht_audit_judged judged;
};

struct pair {
	const struct ht_audit_opts *opts;
	struct ht_audit_faith faith;
	struct side old, new;
	bool has_proof; /* NEW brought one */
	struct ht_add_checkpoint proof;
	struct ht_known known;
	struct ht_rows rows;
	struct ht_buf out;
};

static void
pair_free(struct pair **p_p)
{
	struct pair *p = HT_TAKE(*p_p);

	if (p == NULL)
		return;
	ht_audit_faith_fini(&p->faith);
	ht_buf_fini(&p->old.bytes);
	ht_buf_fini(&p->new.bytes);
	ht_buf_fini(&p->out);
	free(p);
}

/* ---- the verdict ---- */

static void
print_side(const char *name, const struct side *s)
{
	char root[2 * HT_HASH_SIZE + 1];

	ht_hex(root, s->judged.cp.root.at, HT_HASH_SIZE);
	printf("%-10s %llu entries, root %s\n", name,
	    (unsigned long long)s->judged.cp.size, root);
	printf("           %s\n", s->judged.text);
}

static int
consistent(const struct pair *p)
{
	printf("log        %s\n", p->new.judged.cp.origin);
	print_side("older", &p->old);
	print_side("newer", &p->new);
	printf("consistent the newer begins with the older: nothing of it was "
	       "changed or dropped\n");
	return fflush(stdout) == EOF ? HT_AUDIT_GONE : HT_AUDIT_OK;
}

/* Two signed checkpoints that cannot both be of one log. */
static int
fork_seen(const struct pair *p, const struct side *bad, const char *why)
{
	printf("log        %s\n", p->new.judged.cp.origin);
	print_side("older", &p->old);
	print_side("newer", &p->new);
	(void)fflush(stdout);
	ht_audit_say("FORK: %s: %s; keep both notes, they prove it to anybody",
	    bad->path, why);
	return HT_AUDIT_OLD;
}

/* ---- reading ---- */

static int
open_old(struct pair *p)
{
	struct side *s = &p->old;
	int code = ht_audit_input(s->path, &s->bytes);

	if (code != HT_AUDIT_OK)
		return code;
	s->note = ht_buf_slice(&s->bytes);
	return ht_audit_judge(&p->faith, s->path, s->note, &s->judged);
}

/* A checkpoint, or one behind its proof. */
static int
open_new(struct pair *p)
{
	static const char old[] = "old ";
	struct side *s = &p->new;
	int code = ht_audit_input(s->path, &s->bytes);

	if (code != HT_AUDIT_OK)
		return code;
	s->note = ht_buf_slice(&s->bytes);
	p->has_proof = s->note.len >= strlen(old) &&
	               memcmp(s->note.at, old, strlen(old)) == 0;
	if (p->has_proof) {
		if (ht_add_checkpoint_parse(s->note, &p->proof) != HT_OK) {
			ht_audit_say(
			    "BAD: %s is no consistency proof", s->path);
			return HT_AUDIT_BAD;
		}
		s->note = p->proof.note;
	}
	return ht_audit_judge(&p->faith, s->path, s->note, &s->judged);
}

/* ---- by the log ---- */

/* A lone volume knows the trees from the one it begins with to its own. */
static int
check_here(const struct pair *p, const struct side *side)
{
	const struct ht_log *log = p->opts->log;
	uint64_t size = side->judged.cp.size;

	if (log == NULL ||
	    (size >= ht_log_begin(log) && size <= ht_log_size(log)))
		return HT_AUDIT_OK;
	ht_audit_say("%s is of %llu entries, and this volume has the trees of "
	             "%llu to %llu entries alone: ask the log (--dir, "
	             "--socket), or the volume that has it",
	    side->path, (unsigned long long)size,
	    (unsigned long long)ht_log_begin(log),
	    (unsigned long long)ht_log_size(log));
	return HT_AUDIT_NONE;
}

/*
 * The entry whose path shows the tree of @size: its last, or, of the tree that
 * a lone volume begins with, the one behind it.
 */
static uint64_t
entry_of(const struct pair *p, uint64_t size)
{
	return p->opts->log != NULL && size == ht_log_begin(p->opts->log)
	           ? size
	           : size - 1;
}

/* What the log's newest tree says of the tree as it was at @side's size. */
static int
look_back(struct pair *p, const struct side *side)
{
	struct ht_audit_result result = {0};
	struct ht_hash root;
	enum ht_err err = HT_OK;
	int code = ht_audit_fetch_one(p->opts, &p->faith,
	    entry_of(p, side->judged.cp.size), &result, &p->rows);

	if (code == HT_AUDIT_OK)
		err = ht_rows_known(&p->rows, result.answer.size, &p->known);
	ht_audit_result_fini(&result);
	if (code == HT_AUDIT_NONE)
		return fork_seen(p, side,
		    "the log has fewer entries than this "
		    "checkpoint: an older log was put "
		    "back, or there are two");
	if (code != HT_AUDIT_OK)
		return code;
	if (err == HT_OK)
		err = ht_known_root(&p->known, side->judged.cp.size, &root);
	if (err != HT_OK)
		return HT_AUDIT_BAD;
	if (!ht_hash_eq(&root, &side->judged.cp.root))
		return fork_seen(p, side,
		    "the log has another root at this "
		    "size, under its newest checkpoint");
	return HT_AUDIT_OK;
}

static int
ask_log(struct pair *p)
{
	uint64_t m = p->old.judged.cp.size, n = p->new.judged.cp.size;
	enum ht_err err = HT_OK;
	int code = HT_AUDIT_OK;

	p->proof = (struct ht_add_checkpoint){.old = m, .note = p->new.note};
	if (m > 0)
		code = check_here(p, &p->old);
	if (code == HT_AUDIT_OK && n > 0)
		code = check_here(p, &p->new);
	if (code == HT_AUDIT_OK && m > 0)
		code = look_back(p, &p->old);
	if (code == HT_AUDIT_OK && n > 0)
		code = look_back(p, &p->new);
	if (code == HT_AUDIT_OK && m > 0)
		err = ht_prove_consistency(ht_known_load, &p->known, m, n,
		    p->proof.proof, &p->proof.n_proof);
	if (code != HT_AUDIT_OK || err == HT_OK)
		return code;
	ht_audit_say("no proof can be made: %s", ht_err_text(err));
	return HT_AUDIT_BAD;
}

/* ---- the verb ---- */

static int
write_proof(struct pair *p)
{
	if (p->opts->output == NULL)
		return HT_AUDIT_OK;
	ht_add_checkpoint_text(&p->proof, &p->out);
	if (p->out.err != HT_OK)
		return HT_AUDIT_GONE;
	return ht_audit_output(p->opts->output, ht_buf_slice(&p->out));
}

/* What is wrong with the two before any proof. */
static int
compare_notes(const struct pair *p)
{
	const struct ht_checkpoint *old = &p->old.judged.cp;
	const struct ht_checkpoint *cp = &p->new.judged.cp;

	if (strcmp(old->origin, cp->origin) != 0) {
		ht_audit_say("%s is of %s, %s of %s: two logs need not agree",
		    p->old.path, old->origin, p->new.path, cp->origin);
		return HT_AUDIT_USAGE;
	}
	if (old->size > cp->size) {
		ht_audit_say("%s has more entries than %s: the older one goes "
		             "first",
		    p->old.path, p->new.path);
		return HT_AUDIT_USAGE;
	}
	if (old->size == cp->size && !ht_hash_eq(&old->root, &cp->root))
		return fork_seen(
		    p, &p->new, "two roots were signed for one size");
	return HT_AUDIT_OK;
}

/* From the log, from NEW's file, or none where none is needed. */
static int
take_proof(struct pair *p)
{
	uint64_t m = p->old.judged.cp.size, n = p->new.judged.cp.size;

	if (p->opts->dir != NULL || p->opts->socket != NULL ||
	    p->opts->log != NULL)
		return ask_log(p);
	if (p->has_proof)
		return HT_AUDIT_OK;
	p->proof = (struct ht_add_checkpoint){.old = m, .note = p->new.note};
	if (m == 0 || m == n)
		return HT_AUDIT_OK;
	ht_audit_say("%s brings no proof: give the file that -o made, or say "
	             "where the log is (--dir, --socket)",
	    p->new.path);
	return HT_AUDIT_USAGE;
}

static int
compare(struct pair *p)
{
	int code = compare_notes(p);

	if (code == HT_AUDIT_OK)
		code = take_proof(p);
	if (code != HT_AUDIT_OK)
		return code;
	if (!ht_consistency_holds(
	        &p->proof, &p->old.judged.cp, &p->new.judged.cp)) {
		ht_audit_say("BAD: %s: its proof does not lead from the %llu "
		             "entries of %s to its checkpoint; ask the log "
		             "itself (--dir, --socket) whether there is one",
		    p->new.path, (unsigned long long)p->old.judged.cp.size,
		    p->old.path);
		return HT_AUDIT_BAD;
	}
	code = write_proof(p);
	return code == HT_AUDIT_OK ? consistent(p) : code;
}

int
ht_audit_consistency(
    const struct ht_audit_opts *opts, const char *old, const char *newer)
{
	HT_AUTO(pair_free) struct pair *p = calloc(1, sizeof(*p));
	int code;

	if (p == NULL)
		return HT_AUDIT_GONE;
	p->opts = opts;
	p->old.path = old;
	p->new.path = newer;
	p->old.bytes = HT_BUF(HT_DOC_MAX);
	p->new.bytes = HT_BUF(HT_PROOF_FILE_MAX);
	p->out = HT_BUF(HT_PROOF_FILE_MAX);
	code = ht_audit_faith(opts, &p->faith);
	if (code == HT_AUDIT_OK)
		code = open_old(p);
	if (code == HT_AUDIT_OK)
		code = open_new(p);
	return code == HT_AUDIT_OK ? compare(p) : code;
}
