#include "broker/audit/gone.h"

#include "broker/audit/query.h"

/* [REMOVED, leaf, path] */
enum ht_err
ht_gone_make(struct ht_log *log, uint64_t size, struct ht_buf *out)
{
	HT_AUTO(ht_buf_fini) struct ht_buf leaf = HT_BUF(HT_LEAF_MAX);
	struct ht_hash path[HT_PROOF_MAX];
	struct ht_remove_said said;
	uint64_t seq;
	size_t n;
	enum ht_err err = ht_log_removal(log, &leaf, &seq, &said);

	if (err == HT_OK && seq >= size)
		err = HT_EGONE;
	if (err == HT_OK)
		err = ht_log_inclusion(log, seq, size, path, &n);
	if (err != HT_OK)
		return err;
	ht_pack_array(out, 3);
	ht_pack_uint(out, HT_AUDIT_REMOVED);
	ht_pack_bin(out, leaf.at, leaf.len);
	ht_pack_array(out, (uint32_t)n);
	for (size_t i = 0; i < n; i++)
		ht_pack_bin(out, path[i].at, HT_HASH_SIZE);
	return out->err;
}

/* An array of three, the first of them this number: there is one form. */
bool
ht_gone_is(struct ht_slice frame)
{
	return frame.len > 2 && frame.at[0] == 0x93 &&
	       frame.at[1] == HT_AUDIT_REMOVED;
}

enum ht_err
ht_gone_check(struct ht_slice frame, uint64_t size, const struct ht_hash *root,
    uint64_t *ret_seq, struct ht_remove_said *ret)
{
	struct ht_hash path[HT_PROOF_MAX], hash;
	struct ht_slice leaf;
	struct ht_unpack u;
	struct ht_entry e;
	uint32_t n;

	*ret_seq = 0;
	if (ht_pack_check(frame, NULL, NULL) != HT_OK || !ht_gone_is(frame))
		return HT_EMALFORMED;
	u = ht_unpack(frame);
	(void)ht_unpack_array(&u, 3);
	(void)ht_unpack_uint(&u, UINT8_MAX);
	leaf = ht_unpack_bin(&u, HT_LEAF_MAX);
	n = ht_unpack_array(&u, HT_PROOF_MAX);
	for (uint32_t i = 0; i < n; i++)
		ht_unpack_fixed(&u, path[i].at, HT_HASH_SIZE);
	if (ht_unpack_end(&u) != HT_OK || ht_entry_decode(leaf, &e) != HT_OK ||
	    e.type != HT_ENTRY_REMOVED ||
	    ht_remove_said_decode(e.payload, ret) != HT_OK)
		return HT_EMALFORMED;
	*ret_seq = e.seq;
	hash = ht_leaf_hash(leaf);
	return e.seq < size && ret->end <= e.seq &&
	               ht_check_inclusion(e.seq, size, &hash, path, n, root)
	           ? HT_OK
	           : HT_EINTEGRITY;
}
