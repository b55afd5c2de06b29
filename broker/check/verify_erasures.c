/*
 * verify_erasures.c -- what was destroyed was on a list, in the name of an
 * order, and all of it was.
 */
#include "broker/check/verify_in.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#include "broker/log/erase.h"

static struct erasure *
erasure_by(const struct verify *s, uint64_t by)
{
	for (size_t i = 0; i < s->n_erasures; i++)
		if (s->erasures[i].list->by == by)
			return &s->erasures[i];
	return NULL;
}

/* The entry that an erased part names must have this entry on its list. */
enum ht_err
verify_erased_part(struct verify *s, uint64_t by, const char *what)
{
	struct erasure *e = erasure_by(s, by);
	size_t place;

	if (e == NULL || !ht_erasure_find(e->list, s->seq, &place))
		return verify_bad(s,
		    "its %s was destroyed in the name of entry %llu, and no "
		    "list of an erasure says that it was to be",
		    what, (unsigned long long)by);
	return HT_OK;
}

/* Whatever list the entry is on: is that part gone? */
void
verify_count_gone(struct verify *s, const struct ht_erased *erased)
{
	size_t place;

	for (size_t i = 0; i < s->n_erasures; i++) {
		struct erasure *e = &s->erasures[i];

		if (ht_erasure_find(e->list, s->seq, &place) &&
		    (e->list->bodies ? erased->body : erased->tag))
			e->gone++;
	}
}

/* Is it by those whom the authority's folder names?  They may be new ones. */
static void
check_order(struct verify *s, const struct ht_doc *order)
{
	HT_AUTO(ht_report_free) struct ht_report *report = ht_report_new();

	if (s->v->trust == NULL)
		return;
	if (ht_doc_check_signed(
	        order, ht_trust_root(s->v->trust), NULL, report) == HT_OK)
		s->v->orders++;
	else
		s->v->orders_unknown++;
}

static enum ht_err
check_list(
    struct verify *s, struct erasure *e, const struct ht_erase_said *said)
{
	HT_AUTO(ht_doc_unref) struct ht_doc *order = NULL;
	enum ht_err err = ht_erase_fits(e->list, said, &order);

	if (err == HT_EINTEGRITY)
		return verify_bad(
		    s, "the list in the vault is not the one it names");
	if (err == HT_ENOMEM)
		return err;
	if (e->gone != said->count)
		return verify_bad(s,
		    "it says that the %s of %llu entries are destroyed, and "
		    "of %llu they are; start the broker on this log, which "
		    "finishes an erasure",
		    said->bodies ? "bodies" : "tags",
		    (unsigned long long)said->count,
		    (unsigned long long)e->gone);
	if (err != HT_OK)
		return verify_bad(
		    s, "the order in the vault is not the one it names");
	check_order(s, order);
	return HT_OK;
}

enum ht_err
verify_erase(struct verify *s, const struct ht_entry *entry)
{
	struct ht_erase_said said;
	struct erasure *e = erasure_by(s, s->seq);

	if (ht_erase_said_decode(entry->payload, &said) != HT_OK)
		return verify_bad(s, "its payload is not that of ERASE");
	s->v->erasures++;
	if (s->v->no_vault)
		return HT_OK;
	if (e == NULL)
		return verify_bad(s,
		    "the list of what it erased is missing from the vault: put "
		    "back the file %016llx.erased",
		    (unsigned long long)s->seq);
	s->v->erased += said.count;
	return check_list(s, e, &said);
}

/* Lists of no entry: somebody made one up. */
enum ht_err
verify_lists(struct verify *s)
{
	if (s->v->no_vault || s->n_erasures == s->v->erasures)
		return HT_OK;
	return verify_bad_log(s,
	    "there are %zu lists of erasures in the vault, and %llu ERASE "
	    "entries",
	    s->n_erasures, (unsigned long long)s->v->erasures);
}

static enum ht_err
keep_list(struct verify *s, uint64_t by)
{
	struct erasure e = {0};
	enum ht_err err = ht_log_erasure(s->log, by, &e.list);

	if (err == HT_EINTEGRITY)
		return verify_bad_log(s,
		    "the list of an erasure in the vault is damaged: %016llx",
		    (unsigned long long)by);
	if (err == HT_ENOTFOUND && by == HT_ERASURE_PENDING)
		return HT_OK; /* it was never promised */
	if (err != HT_OK)
		return err;
	/* What was removed is gone, too. */
	while (
	    e.gone < e.list->n && e.list->seqs[e.gone] < ht_log_begin(s->log))
		e.gone++;
	if (s->n_erasures == s->cap_erasures) {
		size_t cap = s->cap_erasures == 0 ? 16 : 2 * s->cap_erasures;
		struct erasure *more =
		    realloc(s->erasures, cap * sizeof(*more));

		if (more == NULL) {
			ht_erasure_free(&e.list);
			return HT_ENOMEM;
		}
		s->erasures = more;
		s->cap_erasures = cap;
	}
	s->erasures[s->n_erasures++] = e;
	return HT_OK;
}

/* "%016x.erased", or that of the one under way. */
static bool
list_name(const char *name, uint64_t *ret)
{
	uint8_t be[8];
	char hex[2 * sizeof(be) + 1];

	*ret = HT_ERASURE_PENDING;
	if (strcmp(name, "erasure.pending") == 0)
		return true;
	if (strlen(name) != 16 + strlen(".erased") ||
	    strcmp(name + 16, ".erased") != 0)
		return false;
	memcpy(hex, name, 16);
	hex[16] = '\0';
	if (ht_unhex(hex, be, sizeof(be)) != HT_OK)
		return false;
	*ret = ht_load64(be);
	return true;
}

enum ht_err
verify_load_lists(struct verify *s, const char *vault)
{
	DIR *dir = opendir(vault);
	struct dirent *at;
	uint64_t by;
	enum ht_err err = HT_OK;

	if (dir == NULL)
		return HT_ESYSTEM;
	while (err == HT_OK && (at = readdir(dir)) != NULL)
		if (list_name(at->d_name, &by) && by >= ht_log_begin(s->log))
			err = keep_list(s, by);
	closedir(dir);
	return err;
}
