/*
 * verify_removed.c -- what is not here any more, and by whose word: REMOVED
 * entries follow one another from the beginning of the log, and the newest
 * ends where it begins now.
 */
#include "broker/check/verify_in.h"

#include "broker/log/remove.h"

/* Of entries that were removed the tree has the hashes, and nobody more. */
enum ht_err
verify_gone(struct verify *s)
{
	struct ht_hash hash;

	if (ht_tree_get(s->txn, 0, s->seq, &hash) != HT_OK)
		return verify_bad(s,
		    "it was removed, and its hash in the stored tree is "
		    "missing");
	verify_grow(s, &hash);
	return s->tree_bad ? HT_EINTEGRITY : HT_OK;
}

bool
verify_cites_gone(struct verify *s, const struct ht_entry *e)
{
	if (e->cites == 0 || e->cites > ht_log_begin(s->log))
		return false;
	s->v->cites_gone++;
	return true;
}

/* The entry that the log begins with closed the last that was removed. */
enum ht_err
verify_border(struct verify *s, const struct ht_entry *e)
{
	struct ht_volume_said said;

	if (e->type != HT_ENTRY_VOLUME ||
	    ht_volume_said_decode(e->payload, &said) != HT_OK ||
	    said.first >= s->seq)
		return verify_bad(s,
		    "what is before it was removed, and it closes no volume");
	s->removed.border_first = said.first;
	s->ranges.first = s->seq;
	s->ranges.segment = s->ranges.newest = said.segment;
	s->v->volumes++;
	return HT_OK;
}

static enum ht_err
check_order(struct verify *s, const struct ht_remove_said *said)
{
	HT_AUTO(ht_report_free) struct ht_report *report = ht_report_new();
	HT_AUTO(ht_doc_unref) struct ht_doc *order = NULL;
	enum ht_err err = ht_remove_order(said, &order);

	if (err == HT_EBADSIG)
		return verify_bad(
		    s, "the order in it is not one to remove these entries");
	if (err != HT_OK || s->v->trust == NULL)
		return err;
	if (ht_doc_check_signed(
	        order, ht_trust_root(s->v->trust), NULL, report) == HT_OK)
		s->v->removals_known++;
	return HT_OK;
}

/* It goes on where the one before ended, which may itself be gone. */
static bool
follows(const struct verify *s, const struct ht_remove_said *said)
{
	uint64_t begin = ht_log_begin(s->log);

	return said->end <= begin && said->end <= s->seq &&
	       (s->v->removals > 0 ? said->first == s->removed.end
	                           : said->first == 0 || s->removed.older);
}

enum ht_err
verify_removed(struct verify *s, const struct ht_entry *e)
{
	uint64_t begin = ht_log_begin(s->log);
	struct ht_remove_said said;
	struct ht_hash root;

	if (ht_remove_said_decode(e->payload, &said) != HT_OK)
		return verify_bad(s, "its payload is not that of REMOVED");
	/* An older one can have gone with the volume that it is in. */
	s->removed.older = begin > 0 && said.first > 0;
	if (!follows(s, &said))
		return verify_bad(s,
		    "it says that entries %llu to %llu were removed, and the "
		    "log begins at entry %llu",
		    (unsigned long long)said.first,
		    (unsigned long long)said.end - 1,
		    (unsigned long long)begin);
	if (said.end == begin && said.first != s->removed.border_first)
		return verify_bad(s,
		    "it says that a volume of entries %llu on was removed, "
		    "which began at entry %llu",
		    (unsigned long long)said.first,
		    (unsigned long long)s->removed.border_first);
	if (ht_tree_root(ht_tree_get, s->txn, said.end, &root) != HT_OK ||
	    !ht_hash_eq(&root, &said.root))
		return verify_bad(s, "its root is not that of what it removed");
	s->removed.end = said.end;
	s->v->removed_by = s->seq;
	s->v->removals++;
	return check_order(s, &said);
}

enum ht_err
verify_removals(struct verify *s)
{
	uint64_t begin = ht_log_begin(s->log);

	s->v->begin = begin;
	if (s->removed.end != begin)
		return verify_bad_log(s,
		    "the entries below %llu are not here, and no REMOVED "
		    "entry says that they were removed; put back the volumes "
		    "from a backup or an archive",
		    (unsigned long long)begin);
	if (begin > 0 && s->v->removed_by != s->log->volumes.state.removed)
		return verify_bad_log(s,
		    "state/volumes names entry %llu for what was removed, and "
		    "that is entry %llu",
		    (unsigned long long)s->log->volumes.state.removed,
		    (unsigned long long)s->v->removed_by);
	return HT_OK;
}
