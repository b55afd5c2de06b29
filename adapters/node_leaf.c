/*
 * node_leaf.c -- a leaf of the log, as far as a node reads one: of a snapshot,
 * or of an exchange of its own (docs/log-format.md, "Leaf").  It comes from the
 * broker; that it is in the log is for the caller to prove.
 */
#include "adapters/node.h"

#define FORM 1

enum ht_err
node_leaf(struct ht_slice bytes, struct node_leaf *ret)
{
	struct ht_cur cur = ht_cur(bytes);
	unsigned form = ht_cur_u8(&cur);

	ret->type = ht_cur_u8(&cur);
	ret->seq = ht_cur_u64(&cur);
	(void)ht_cur_take(&cur, 8 + 32 + 2);        /* time, snapshot, status */
	(void)ht_cur_str8(&cur);                    /* grant */
	(void)ht_cur_take(&cur, 8 + 2 + 2);         /* bundle */
	(void)ht_cur_str8(&cur);                    /* member */
	(void)ht_cur_str8(&cur);                    /* node */
	(void)ht_cur_take(&cur, 8 + 4 + 8 + 4 + 4); /* cites, vault */
	ret->payload = ht_cur_bytes16(&cur);
	if (form != FORM)
		return HT_EMALFORMED;
	return ht_cur_end(&cur);
}
