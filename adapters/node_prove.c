/*
 * node_prove.c -- an entry of the log, of an exchange of ours, as one file that
 * proves it to anybody (docs/proofs.md).
 */
#include <string.h>

#include "adapters/node.h"
#include "lib/base/clock.h"

/* [place, leaf, evidence or nil, nil, nil] */
static enum ht_err
open_row(struct ht_slice row, uint64_t place, struct ht_slice *ret_leaf)
{
	struct ht_unpack u = ht_unpack(row);
	enum ht_err err = ht_pack_check(row, NULL, NULL);

	if (err != HT_OK)
		return err;
	ht_unpack_array_of(&u, 5);
	ht_unpack_demand(&u, ht_unpack_uint(&u, UINT64_MAX) == place);
	*ret_leaf = ht_unpack_bin(&u, HT_PROOF_EXTRA_MAX);
	if (ht_unpack_is_nil(&u))
		ht_unpack_nil(&u);
	else
		(void)ht_unpack_bin(&u, HT_PROOF_EXTRA_MAX);
	ht_unpack_nil(&u);
	ht_unpack_nil(&u);
	return ht_unpack_end(&u);
}

static enum ht_err
write_proof(struct ht_proof *proof, struct ht_slice row, struct ht_buf *out)
{
	HT_AUTO(ht_buf_fini)
	struct ht_buf extra = HT_BUF(HT_B64_SIZE(HT_PROOF_EXTRA_MAX));
	uint8_t *b64 = ht_buf_room(&extra, HT_B64_SIZE(row.len));

	if (b64 == NULL)
		return extra.err;
	ht_b64((char *)b64, row.at, row.len);
	proof->has_extra = true;
	proof->extra = HT_SLICE(b64, HT_B64_SIZE(row.len) - 1);
	ht_proof_text(proof, out);
	return out->err;
}

/* What does not hold is an alarm, and given to nobody. */
static enum ht_err
take_proof(struct ht_node *node, const struct node_proving *p)
{
	const struct ht_message *m = node->in;
	struct ht_proof proof = {.index = p->place,
	    .n_path = m->proof.n_path,
	    .checkpoint = m->proof.checkpoint};
	struct ht_checkpoint cp;
	struct ht_slice bytes;
	struct node_leaf leaf;
	struct ht_header h;
	struct ht_hash hash;

	if (!node_checkpoint(node, m->proof.checkpoint))
		return node->broken;
	if (m->proof.row.len == 0)
		return HT_EDENIED;
	memcpy(proof.path, m->proof.path, proof.n_path * sizeof(*proof.path));
	if (ht_checkpoint_open(m->proof.checkpoint, &node->root.log, &cp) ==
	        HT_OK &&
	    m->proof.place == p->place &&
	    open_row(m->proof.row, p->place, &bytes) == HT_OK) {
		hash = ht_leaf_hash(bytes);
		if (ht_proof_holds(&proof, &hash, &cp) &&
		    node_leaf(bytes, &leaf) == HT_OK && leaf.seq == p->place &&
		    ht_header_decode(leaf.payload, &h, NULL, NULL) == HT_OK &&
		    ht_id_eq(&h.exchange, p->exchange))
			return write_proof(&proof, m->proof.row, p->out);
	}
	node_break(node, HT_EINTEGRITY,
	    "the broker cannot prove that our exchange stands at place %llu of "
	    "the log; tell the auditors",
	    (unsigned long long)p->place);
	return HT_EINTEGRITY;
}

void
node_proof_came(struct ht_node *node)
{
	struct node_proving *p = node->proving;

	if (p == NULL || node->in->ref != p->ref)
		return;
	p->err = take_proof(node, p);
	node->proving = NULL;
}

/* The ERROR just received, if it answers this. */
void
node_proof_refused(struct ht_node *node)
{
	struct node_proving *p = node->proving;

	if (p == NULL || node->in->ref != p->ref)
		return;
	p->err = node->in->error.reason.code == HT_ST_BUSY ? HT_EAGAIN
	                                                   : HT_ENOTFOUND;
	node->proving = NULL;
}

static enum ht_err
ask_for(struct ht_node *node, struct node_proving *p)
{
	struct ht_message *m = node_message(node, HT_MSG_GET_PROOF);

	m->get_proof.place = p->place;
	p->ref = m->ref;
	return node_send(node);
}

enum ht_err
ht_node_prove(struct ht_node *node, const struct ht_id *exchange,
    uint64_t place, uint64_t wait_ms, struct ht_buf *ret)
{
	struct node_proving p = {
	    .exchange = exchange, .place = place, .out = ret};
	uint64_t end_ms = ht_clock_mono_ms() + wait_ms;
	bool asked = false;
	enum ht_err err = HT_OK;

	if (node->turning || node->proving != NULL)
		return HT_EPROTOCOL;
	node->proving = &p;
	while (err == HT_OK && node->proving != NULL) {
		if (ht_clock_mono_ms() >= end_ms)
			err = HT_ETIMEOUT;
		else if (ht_node_ready(node) && !asked)
			asked = ask_for(node, &p) == HT_OK;
		if (err == HT_OK)
			err = ht_node_step(node, -1, asked ? 200 : 20, NULL);
	}
	node->proving = NULL;
	return p.err != HT_OK ? p.err : err;
}
