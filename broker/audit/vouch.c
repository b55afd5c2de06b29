#include "broker/audit/vouch.h"

#include <stdlib.h>

/* ---- the frame: [COSIGNED, note, path] ---- */

void
ht_vouched_pack(const struct ht_vouched *v, struct ht_buf *out)
{
	ht_pack_array(out, 3);
	ht_pack_uint(out, HT_AUDIT_COSIGNED);
	ht_pack_bin(out, v->note.at, v->note.len);
	ht_pack_array(out, (uint32_t)v->n_path);
	for (size_t i = 0; i < v->n_path; i++)
		ht_pack_bin(out, v->path[i].at, HT_HASH_SIZE);
}

enum ht_err
ht_vouched_unpack(struct ht_slice frame, struct ht_vouched *ret)
{
	struct ht_unpack u;

	if (ht_pack_check(frame, NULL, NULL) != HT_OK)
		return HT_EMALFORMED;
	u = ht_unpack(frame);
	ht_unpack_array_of(&u, 3);
	if (ht_unpack_uint(&u, UINT8_MAX) != HT_AUDIT_COSIGNED)
		return HT_EMALFORMED;
	ret->note = ht_unpack_bin(&u, HT_ANSWER_NOTE_MAX);
	ret->n_path = ht_unpack_array(&u, HT_PROOF_MAX);
	for (size_t i = 0; i < ret->n_path; i++)
		ht_unpack_fixed(&u, ret->path[i].at, HT_HASH_SIZE);
	return ht_unpack_end(&u) == HT_OK ? HT_OK : HT_EMALFORMED;
}

/* ---- making ---- */

static struct ht_hash
key_of(const struct ht_note_sig *line)
{
	uint8_t id[4];

	ht_be32(id, line->id);
	return ht_sha256_parts(
	    (struct ht_slice[]){HT_SLICE(id, sizeof(id)), line->name}, 2);
}

/* False: it was seen before, or there is no room to remember it. */
static bool
is_new(struct ht_vouch_choice *c, const struct ht_note_sig *line)
{
	struct ht_hash key = key_of(line);

	for (size_t i = 0; i < c->n; i++)
		if (ht_hash_eq(&c->seen[i], &key))
			return false;
	if (c->n == HT_COUNT(c->seen))
		return false;
	c->seen[c->n++] = key;
	return true;
}

bool
ht_vouch_choose(struct ht_vouch_choice *c, struct ht_slice bytes)
{
	struct ht_note note;
	bool tells = false;

	if (ht_note_parse(bytes, &note) != HT_OK)
		return false;
	for (size_t i = 0; i < note.n_sigs; i++)
		tells |= is_new(c, &note.sigs[i]);
	if (note.n_sigs > c->most) {
		c->most = note.n_sigs;
		tells = true;
	}
	return tells;
}

static enum ht_err
tell(struct ht_log *log, uint64_t from, uint64_t size, struct ht_slice note,
    enum ht_err (*each)(void *arg, struct ht_slice frame), void *arg)
{
	HT_AUTO(ht_buf_fini) struct ht_buf frame = HT_BUF(HT_AUDIT_FRAME_MAX);
	struct ht_vouched v = {.note = note};
	enum ht_err err =
	    ht_log_consistency(log, from, size, v.path, &v.n_path);

	if (err != HT_OK)
		return err;
	ht_vouched_pack(&v, &frame);
	return frame.err == HT_OK ? each(arg, ht_buf_slice(&frame)) : frame.err;
}

enum ht_err
ht_vouch_make(struct ht_log *log, uint64_t size,
    enum ht_err (*each)(void *arg, struct ht_slice frame), void *arg)
{
	HT_AUTO(ht_mem_free)
	struct ht_vouch_choice *choice = calloc(1, sizeof(*choice));
	HT_AUTO(ht_buf_fini) struct ht_buf note = HT_BUF(HT_ANSWER_NOTE_MAX);
	uint64_t below = size + 1;
	unsigned told = 0;
	enum ht_err err = choice == NULL ? HT_ENOMEM : HT_OK;

	for (unsigned i = 0;
	     err == HT_OK && i < HT_VOUCH_LOOK && told < HT_VOUCH_NOTES; i++) {
		ht_buf_reset(&note);
		err = ht_log_cosigned(log, below, &note, &below);
		if (err != HT_OK ||
		    !ht_vouch_choose(choice, ht_buf_slice(&note)))
			continue;
		told++;
		err = tell(log, below, size, ht_buf_slice(&note), each, arg);
	}
	return err == HT_ENOTFOUND ? HT_OK : err;
}

/* ---- checking ---- */

enum ht_err
ht_vouch_check(const struct ht_quorum *policy, const struct ht_checkpoint *cp,
    struct ht_slice frame, uint64_t *below, struct ht_vouched *ret,
    struct ht_quorum_seen *ret_seen)
{
	enum ht_err err = ht_vouched_unpack(frame, ret);

	if (err == HT_OK)
		err = ht_quorum_check(policy, ret->note, ret_seen);
	if (err != HT_OK)
		return err;
	if (ret_seen->cp.size >= *below)
		return HT_EMALFORMED;
	*below = ret_seen->cp.size;
	return ht_check_consistency(ret_seen->cp.size, cp->size,
	           &ret_seen->cp.root, &cp->root, ret->path, ret->n_path)
	           ? HT_OK
	           : HT_EINTEGRITY;
}
