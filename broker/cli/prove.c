/*
 * prove.c -- hutong-audit prove: one entry's proof as one file that needs
 * neither us nor the log (docs/proofs.md).
 */
#include <stdlib.h>

#include "broker/cli/tool.h"

struct prove {
	struct ht_audit_result result;
	struct ht_rows rows;
	struct ht_known known;
	struct ht_proof proof;
	struct ht_buf extra; /* base64 */
	struct ht_buf out;
};

static void
prove_free(struct prove **p_p)
{
	struct prove *p = HT_TAKE(*p_p);

	if (p == NULL)
		return;
	ht_audit_result_fini(&p->result);
	ht_buf_fini(&p->extra);
	ht_buf_fini(&p->out);
	free(p);
}

/* The row and the gaps beside it are all that its path is made of. */
enum ht_err
ht_rows_known(const struct ht_rows *r, uint64_t size, struct ht_known *known)
{
	uint64_t seq = r->places[0];
	size_t left = 0, used;
	enum ht_err err =
	    ht_known_cover(known, 0, seq, r->left, r->n_left, &left);

	if (err == HT_OK)
		err = ht_known_cover(known, seq, seq + 1, r->hashes, 1, &used);
	if (err == HT_OK)
		err = ht_known_cover(known, seq + 1, size, r->left + left,
		    r->n_left - left, &used);
	return err;
}

int
ht_audit_fetch_one(const struct ht_audit_opts *opts,
    const struct ht_audit_faith *faith, uint64_t seq, struct ht_audit_result *r,
    struct ht_rows *ret_rows)
{
	struct ht_audit_opts ask = *opts;
	uint64_t bad = seq;
	enum ht_err err;
	int code;

	ask.subject = NULL;
	ask.query.filter = HT_FILTER_ALL;
	ask.query.filter.start_seq = seq;
	ask.query.filter.limit = 1;
	ask.query.evidence = true;
	code = ht_audit_fetch(&ask, faith, r);
	if (code != HT_AUDIT_OK)
		return code;
	if (r->answer.n_frames == 0)
		return HT_AUDIT_NONE;
	err = ht_rows_open(ht_buf_slice(&r->answer.frames[0]), r->answer.size,
	    &r->checkpoint.root, ret_rows, &bad);
	if (err == HT_OK && ret_rows->n == 1 && ret_rows->places[0] == seq)
		return HT_AUDIT_OK;
	ht_audit_say("entry %llu is not proven by the newest checkpoint; "
	             "hutong-audit verify --dir says what is wrong with the "
	             "log",
	    (unsigned long long)bad);
	return err == HT_ENOMEM ? HT_AUDIT_GONE : HT_AUDIT_BAD;
}

static enum ht_err
make_extra(struct prove *p)
{
	HT_AUTO(ht_buf_fini) struct ht_buf row = HT_BUF(HT_PROOF_EXTRA_MAX);
	uint8_t *b64;

	ht_row_encode(&p->rows.at[0], &row);
	if (row.err != HT_OK)
		return row.err;
	b64 = ht_buf_room(&p->extra, HT_B64_SIZE(row.len));
	if (b64 == NULL)
		return p->extra.err;
	ht_b64((char *)b64, row.at, row.len);
	p->proof.has_extra = true;
	p->proof.extra = HT_SLICE(b64, HT_B64_SIZE(row.len) - 1);
	return HT_OK;
}

/* What could not be verified is not given to anybody. */
static enum ht_err
make_proof(struct prove *p, uint64_t seq)
{
	uint64_t size = p->result.answer.size;
	enum ht_err err = ht_rows_known(&p->rows, size, &p->known);

	if (err == HT_OK)
		err = ht_prove_inclusion(ht_known_load, &p->known, seq, size,
		    p->proof.path, &p->proof.n_path);
	if (err == HT_OK)
		err = make_extra(p);
	if (err != HT_OK)
		return err;
	p->proof.index = seq;
	p->proof.checkpoint = ht_buf_slice(&p->result.answer.checkpoint);
	if (!ht_proof_holds(
	        &p->proof, &p->rows.hashes[0], &p->result.checkpoint))
		return HT_EINTEGRITY;
	ht_proof_text(&p->proof, &p->out);
	return p->out.err;
}

static int
prove(struct prove *p, const struct ht_audit_opts *opts,
    const struct ht_audit_faith *faith, uint64_t seq)
{
	int code = ht_audit_fetch_one(opts, faith, seq, &p->result, &p->rows);
	enum ht_err err;

	if (code == HT_AUDIT_NONE && p->result.answer.size > 0)
		ht_audit_say("there is no entry %llu among the %llu of the "
		             "newest checkpoint",
		    (unsigned long long)seq,
		    (unsigned long long)p->result.answer.size);
	if (code != HT_AUDIT_OK)
		return code;
	err = make_proof(p, seq);
	if (err == HT_OK)
		return HT_AUDIT_OK;
	ht_audit_say("entry %llu cannot be proven: %s", (unsigned long long)seq,
	    ht_err_text(err));
	return err == HT_ENOMEM ? HT_AUDIT_GONE : HT_AUDIT_BAD;
}

int
ht_audit_prove_into(const struct ht_audit_opts *opts,
    const struct ht_audit_faith *faith, uint64_t seq, struct ht_buf *out)
{
	HT_AUTO(prove_free) struct prove *p = calloc(1, sizeof(*p));
	int code;

	if (p == NULL)
		return HT_AUDIT_GONE;
	p->extra = HT_BUF(HT_B64_SIZE(HT_PROOF_EXTRA_MAX));
	p->out = HT_BUF(HT_PROOF_FILE_MAX);
	code = prove(p, opts, faith, seq);
	ht_buf_add(out, p->out.at, p->out.len);
	return code == HT_AUDIT_OK && out->err != HT_OK ? HT_AUDIT_GONE : code;
}

int
ht_audit_prove(const struct ht_audit_opts *opts, uint64_t seq)
{
	HT_AUTO(ht_buf_fini) struct ht_buf out = HT_BUF(HT_PROOF_FILE_MAX);
	struct ht_audit_faith faith;
	int code = ht_audit_faith(opts, &faith);

	if (code == HT_AUDIT_OK)
		code = ht_audit_prove_into(opts, &faith, seq, &out);
	if (code == HT_AUDIT_OK)
		code = ht_audit_output(opts->output, ht_buf_slice(&out));
	ht_audit_faith_fini(&faith);
	return code;
}
