/*
 * erase.c -- from an order to overwritten bytes, in steps of which each may be
 * the last before a crash.
 */
#include "broker/log/erase.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "broker/log/evidence.h"
#include "lib/base/clock.h"
#include "lib/base/fs.h"
#include "lib/base/log.h"
#include "lib/base/panic.h"

/* ---- the files ---- */

static char *
vault_dir(const struct ht_log *log)
{
	return ht_fs_join(log->dir, "vault");
}

static char *
list_path(const struct ht_log *log, uint64_t by)
{
	HT_AUTO(ht_mem_free) char *dir = vault_dir(log);
	char name[HT_ERASURE_NAME];

	ht_erasure_name(by, name);
	return dir == NULL ? NULL : ht_fs_join(dir, name);
}

static enum ht_err
load(struct ht_log *log, uint64_t by, struct ht_erasure **ret)
{
	HT_AUTO(ht_erasure_free) struct ht_erasure *e = NULL;
	HT_AUTO(ht_mem_free) char *dir = vault_dir(log);
	enum ht_err err =
	    dir == NULL ? HT_ENOMEM : ht_erasure_load(dir, by, &e);

	if (err == HT_EMALFORMED || err == HT_ETOOBIG)
		err = HT_EINTEGRITY;
	if (err == HT_OK && memcmp(e->env, log->env, sizeof(e->env)) != 0)
		err = HT_EINTEGRITY;
	if (err == HT_OK)
		*ret = HT_TAKE(e);
	return err;
}

/* What an entry says, if it is an erasure with this list. */
static bool
promised(struct ht_slice leaf, const struct ht_hash *root)
{
	struct ht_erase_said said;
	struct ht_entry e;

	return ht_entry_decode(leaf, &e) == HT_OK && e.type == HT_ENTRY_ERASE &&
	       ht_erase_said_decode(e.payload, &said) == HT_OK &&
	       ht_hash_eq(&said.list, root);
}

struct find {
	struct ht_hash root;
	bool found;
	uint64_t seq;
};

static enum ht_err
find_one(void *arg, uint64_t seq, struct ht_slice leaf)
{
	struct find *f = arg;

	if (f->found || !promised(leaf, &f->root))
		return HT_OK;
	f->found = true;
	f->seq = seq;
	return HT_OK;
}

/* The ERASE entry of a pending list: it came after the list was made. */
static enum ht_err
find_entry(struct ht_log *log, struct ht_erasure *e, struct find *f)
{
	uint64_t begin = ht_log_begin(log);
	enum ht_err err = ht_erasure_root(e, &f->root);

	if (err != HT_OK || e->size > ht_log_size(log))
		return err;
	return ht_log_walk(log, e->size > begin ? e->size : begin,
	    ht_log_size(log), find_one, f);
}

/* The one under way, once its entry is there. */
static enum ht_err
load_pending(struct ht_log *log, struct ht_erasure **ret)
{
	HT_AUTO(ht_erasure_free) struct ht_erasure *e = NULL;
	struct find f = {.found = false};
	enum ht_err err = load(log, HT_ERASURE_PENDING, &e);

	if (err == HT_OK)
		err = find_entry(log, e, &f);
	if (err == HT_OK && !f.found)
		err = HT_ENOTFOUND;
	if (err != HT_OK)
		return err;
	e->by = f.seq;
	*ret = HT_TAKE(e);
	return HT_OK;
}

enum ht_err
ht_log_erasure(struct ht_log *log, uint64_t by, struct ht_erasure **ret)
{
	HT_AUTO(ht_erasure_free) struct ht_erasure *e = NULL;
	enum ht_err err = by == HT_ERASURE_PENDING ? HT_ENOTFOUND
	                  : log->lone != NULL
	                      ? ht_lone_erasure(log->lone, by, &e)
	                      : load(log, by, &e);

	if (err == HT_ENOTFOUND && log->lone == NULL)
		err = load_pending(log, &e);
	if (err == HT_OK && by != HT_ERASURE_PENDING && e->by != by)
		err = HT_ENOTFOUND;
	if (err == HT_OK)
		*ret = HT_TAKE(e);
	return err;
}

enum ht_err
ht_log_erased(
    struct ht_log *log, const struct ht_entry *e, struct ht_erased *ret)
{
	struct ht_vault_place place = {e->segment, e->offset};

	*ret = (struct ht_erased){0};
	if (e->tag_len == 0 && e->body_len == 0)
		return HT_OK;
	if (log->vault == NULL)
		return HT_ENOTFOUND;
	return ht_vault_erased(log->vault, place, e->tag_len, e->body_len, ret);
}

/* ---- which entries ---- */

struct plan {
	struct ht_log *log;
	const struct ht_doc *doc;
	const struct ht_erase_doc *order;
	const struct ht_trust *trust;
	uint64_t now_ms;
	const atomic_bool *stop;
	struct ht_report *report;
	struct ht_erasure *list;
	size_t cap;
	struct ht_buf tag;
	struct ht_header header;
};

static enum ht_err
add(struct plan *p, uint64_t seq)
{
	struct ht_erasure *list = p->list;

	if (list->n == HT_ERASURE_MAX) {
		ht_report_add(p->report, p->doc->where,
		    "its scope has more than %d entries; narrow it by "
		    "'before', and let several orders follow one another",
		    HT_ERASURE_MAX);
		return HT_ETOOBIG;
	}
	if (list->n == p->cap) {
		size_t cap = p->cap == 0 ? 64 : p->cap * 2;
		uint64_t *seqs = realloc(list->seqs, cap * sizeof(*list->seqs));

		if (seqs == NULL)
			return HT_ENOMEM;
		list->seqs = seqs;
		p->cap = cap;
	}
	list->seqs[list->n++] = seq;
	return HT_OK;
}

static bool
has_part(const struct plan *p, const struct ht_entry *e)
{
	return p->order->bodies ? e->body_len > 0 : e->tag_len > 0;
}

static enum ht_err
stands(struct plan *p, const struct ht_entry *e, bool *ret, uint64_t *ret_by)
{
	struct ht_erased erased;
	enum ht_err err = ht_log_erased(p->log, e, &erased);

	*ret = !(p->order->bodies ? erased.body : erased.tag);
	*ret_by = p->order->bodies ? erased.body_by : erased.tag_by;
	return err;
}

static bool
is_over(struct plan *p, const struct ht_entry *e)
{
	return ht_header_decode(e->payload, &p->header, NULL, NULL) == HT_OK &&
	       p->header.expires_ms + HT_ERASE_AFTER_MS < p->now_ms;
}

static void
say_not_over(struct plan *p, const struct ht_entry *e)
{
	char until[HT_TIME_SIZE];

	ht_time_text(until, (p->header.expires_ms + HT_ERASE_AFTER_MS) * 1000);
	ht_report_add(p->report, p->doc->where,
	    "entry %llu is of a record whose life is not over; hand the order "
	    "in again after %s",
	    (unsigned long long)e->seq, until);
}

/* An entry that the order names must be one that can be erased. */
static enum ht_err
plan_named(struct plan *p, uint64_t seq)
{
	HT_AUTO(ht_buf_fini) struct ht_buf leaf = HT_BUF(HT_LEAF_MAX);
	unsigned long long number = seq;
	struct ht_entry e;
	uint64_t by;
	bool there;
	enum ht_err err = ht_log_read(p->log, seq, &leaf);

	if (err == HT_ENOTFOUND || err == HT_EGONE) {
		ht_report_add(p->report, p->doc->where,
		    err == HT_EGONE ? "the volume of entry %llu was removed"
		                    : "there is no entry %llu",
		    number);
		return HT_EINVALID;
	}
	if (err == HT_OK)
		err = ht_entry_decode(ht_buf_slice(&leaf), &e);
	if (err != HT_OK)
		return err;
	if (!has_part(p, &e)) {
		ht_report_add(p->report, p->doc->where, "entry %llu has no %s",
		    number, p->order->bodies ? "body" : "tag");
		return HT_EINVALID;
	}
	err = stands(p, &e, &there, &by);
	if (err != HT_OK)
		return err;
	if (!there) {
		ht_report_add(p->report, p->doc->where,
		    "entry %llu was erased already, by entry %llu", number,
		    (unsigned long long)by);
		return HT_EINVALID;
	}
	if (!is_over(p, &e)) {
		say_not_over(p, &e);
		return HT_EINVALID;
	}
	return add(p, seq);
}

static enum ht_err
plan_list(struct plan *p)
{
	enum ht_err err = HT_OK;

	for (size_t i = 0; i < p->order->n && err == HT_OK; i++)
		err = plan_named(p, p->order->entries[i]);
	return err;
}

static enum ht_err
of_epoch(struct plan *p, const struct ht_entry *e, bool *ret)
{
	struct ht_tag tag;
	enum ht_err err;

	*ret = true;
	if (p->order->epoch[0] == '\0')
		return HT_OK;
	ht_buf_reset(&p->tag);
	err = ht_log_read_vault(p->log, e, &p->tag, NULL);
	if (err == HT_OK)
		err = ht_tag_decode(ht_buf_slice(&p->tag), &tag, NULL);
	if (err == HT_OK)
		*ret = ht_slice_is(tag.epoch, p->order->epoch);
	return err;
}

/* Is its term over?  Without one the scope asks for none. */
static enum ht_err
past_retention(struct plan *p, const struct ht_entry *e, bool *ret)
{
	uint64_t time_ms = e->time_us / 1000;

	*ret = true;
	if (p->order->over_ms == 0)
		return HT_OK;
	if (ht_header_decode(e->payload, &p->header, NULL, NULL) != HT_OK)
		return HT_EINTEGRITY;
	*ret = time_ms + ht_trust_retention_ms(p->trust, p->header.item) <
	       p->order->over_ms;
	return HT_OK;
}

static enum ht_err
plan_one(void *arg, uint64_t seq, struct ht_slice leaf)
{
	struct plan *p = arg;
	struct ht_entry e;
	uint64_t by;
	bool there;
	enum ht_err err = ht_entry_decode(leaf, &e);

	if (atomic_load(p->stop))
		return HT_EAGAIN;
	if (err != HT_OK || !has_part(p, &e))
		return err;
	if (p->order->before_ms > 0 && e.time_us / 1000 >= p->order->before_ms)
		return HT_OK;
	err = past_retention(p, &e, &there);
	if (err != HT_OK || !there)
		return err;
	err = stands(p, &e, &there, &by);
	if (err == HT_OK && there)
		err = of_epoch(p, &e, &there);
	if (err != HT_OK || !there)
		return err;
	if (!is_over(p, &e)) {
		say_not_over(p, &e);
		return HT_EINVALID;
	}
	return add(p, seq);
}

static enum ht_err
plan_scope(struct plan *p)
{
	enum ht_err err = ht_log_walk(
	    p->log, ht_log_begin(p->log), p->list->size, plan_one, p);

	if (err == HT_OK && p->list->n == 0) {
		ht_report_add(p->report, p->doc->where,
		    "nothing in its scope is left to be erased");
		return HT_ENOTFOUND;
	}
	return err;
}

enum ht_err
ht_erase_plan(struct ht_log *log, const struct ht_doc *order,
    const struct ht_trust *trust, uint64_t now_ms, const atomic_bool *stop,
    struct ht_report *report, struct ht_erasure **ret)
{
	HT_AUTO(ht_erasure_free) struct ht_erasure *list = NULL;
	struct plan *p = calloc(1, sizeof(*p));
	enum ht_err err;

	HT_ASSERT(order->kind == HT_DOC_ERASE);
	list = calloc(1, sizeof(*list));
	if (p == NULL || list == NULL) {
		free(p);
		return HT_ENOMEM;
	}
	*p = (struct plan){.log = log,
	    .doc = order,
	    .order = order->erase,
	    .trust = trust,
	    .now_ms = now_ms,
	    .stop = stop,
	    .report = report,
	    .list = list,
	    .tag = HT_BUF(HT_TAG_MAX)};
	list->by = HT_ERASURE_PENDING;
	list->size = ht_log_size(log);
	list->bodies = order->erase->bodies;
	list->order = HT_BUF(HT_DOC_MAX);
	memcpy(list->env, log->env, sizeof(list->env));
	ht_buf_add(&list->order, order->bytes.at, order->bytes.len);
	err = list->order.err;
	if (err == HT_OK)
		err = order->erase->n > 0 ? plan_list(p) : plan_scope(p);
	ht_buf_fini(&p->tag);
	free(p);
	if (err == HT_OK)
		*ret = HT_TAKE(list);
	return err == HT_EMALFORMED ? HT_EINTEGRITY : err;
}

/* ---- what the entry says ---- */

static void
add_time(const char *word, uint64_t ms, struct ht_buf *out)
{
	char time[HT_TIME_SIZE];

	if (ms == 0)
		return;
	ht_time_text(time, ms * 1000);
	ht_buf_fmt(out, "%s%s %s", out->len > 0 ? " " : "", word, time);
}

static void
scope_text(const struct ht_erase_doc *order, struct ht_buf *out)
{
	if (order->n > 0)
		ht_buf_str(out, "entries");
	if (order->epoch[0] != '\0')
		ht_buf_fmt(out, "epoch %s", order->epoch);
	add_time("before", order->before_ms, out);
	add_time("retention over", order->over_ms, out);
}

enum ht_err
ht_erase_payload(struct ht_erasure *plan, const struct ht_doc *order,
    const char *by, struct ht_buf *out)
{
	HT_AUTO(ht_buf_fini) struct ht_buf scope = HT_BUF(HT_ERASE_SCOPE_MAX);
	struct ht_erase_said said = {
	    .basis = ht_slice_str(order->erase->basis),
	    .by = ht_slice_str(by),
	    .count = plan->n,
	    .order = order->hash,
	    .bodies = plan->bodies,
	};
	enum ht_err err = ht_erasure_root(plan, &said.list);

	HT_ASSERT(said.by.len <= HT_ERASE_BY_MAX);
	scope_text(order->erase, &scope);
	if (err == HT_OK)
		err = scope.err;
	if (err != HT_OK)
		return err;
	said.scope = ht_buf_slice(&scope);
	return ht_erase_said_encode(&said, out);
}

enum ht_err
ht_erase_fits(struct ht_erasure *list, const struct ht_erase_said *said,
    struct ht_doc **ret_order)
{
	HT_AUTO(ht_report_free) struct ht_report *report = ht_report_new();
	HT_AUTO(ht_doc_unref) struct ht_doc *order = NULL;
	struct ht_hash root;
	enum ht_err err = ht_erasure_root(list, &root);

	if (err != HT_OK)
		return err;
	if (!ht_hash_eq(&root, &said->list) || list->n != said->count ||
	    list->bodies != said->bodies)
		return HT_EINTEGRITY;
	err = ht_doc_parse(
	    ht_buf_slice(&list->order), "the order", report, &order);
	if (err == HT_ENOMEM)
		return err;
	if (err != HT_OK || order->kind != HT_DOC_ERASE ||
	    !ht_hash_eq(&order->hash, &said->order))
		return HT_EBADSIG;
	*ret_order = HT_TAKE(order);
	return HT_OK;
}

/* ---- doing it ---- */

enum ht_err
ht_erase_promise(struct ht_log *log, const struct ht_erasure *plan)
{
	HT_AUTO(ht_buf_fini) struct ht_buf bytes = HT_BUF(HT_ERASURE_BYTES);
	HT_AUTO(ht_mem_free) char *path = list_path(log, HT_ERASURE_PENDING);
	enum ht_err err = ht_erasure_encode(plan, &bytes);

	if (err == HT_OK && path == NULL)
		err = HT_ENOMEM;
	return err == HT_OK ? ht_fs_replace(path, 0600, ht_buf_slice(&bytes))
	                    : err;
}

enum ht_err
ht_erase_forget(struct ht_log *log)
{
	HT_AUTO(ht_mem_free) char *path = list_path(log, HT_ERASURE_PENDING);
	HT_AUTO(ht_mem_free) char *dir = vault_dir(log);

	if (path == NULL || dir == NULL)
		return HT_ENOMEM;
	if (unlink(path) == -1 && errno != ENOENT)
		return HT_ESYSTEM;
	return ht_fs_sync_dir(dir);
}

static enum ht_err
overwrite(struct ht_log *log, const struct ht_erasure *plan, uint64_t seq,
    uint64_t by)
{
	HT_AUTO(ht_buf_fini) struct ht_buf leaf = HT_BUF(HT_LEAF_MAX);
	struct ht_entry e;
	enum ht_err err = ht_log_read(log, seq, &leaf);

	if (err == HT_EGONE)
		return HT_OK; /* in a copy: its volume is not there */
	if (err == HT_OK)
		err = ht_entry_decode(ht_buf_slice(&leaf), &e);
	if (err != HT_OK)
		return err;
	return ht_vault_erase(log->vault,
	    (struct ht_vault_place){e.segment, e.offset}, e.tag_len, e.body_len,
	    !plan->bodies, by);
}

/* The list gets its name: from now on it is what `verify` looks at. */
static enum ht_err
name_list(struct ht_log *log, uint64_t by)
{
	HT_AUTO(ht_mem_free) char *from = list_path(log, HT_ERASURE_PENDING);
	HT_AUTO(ht_mem_free) char *to = list_path(log, by);
	HT_AUTO(ht_mem_free) char *dir = vault_dir(log);

	if (from == NULL || to == NULL || dir == NULL)
		return HT_ENOMEM;
	if (rename(from, to) == -1)
		return HT_ESYSTEM;
	return ht_fs_sync_dir(dir);
}

enum ht_err
ht_erase_carry_out(
    struct ht_log *log, const struct ht_erasure *plan, uint64_t by)
{
	enum ht_err err = HT_OK;

	for (size_t i = 0; i < plan->n && err == HT_OK; i++)
		err = overwrite(log, plan, plan->seqs[i], by);
	if (err == HT_OK)
		err = ht_vault_erase_sync(log->vault);
	return err == HT_OK ? name_list(log, by) : err;
}

enum ht_err
ht_erase_resume(struct ht_log *log, struct ht_report *report)
{
	HT_AUTO(ht_erasure_free) struct ht_erasure *plan = NULL;
	struct find f = {.found = false};
	enum ht_err err = load(log, HT_ERASURE_PENDING, &plan);

	if (err == HT_ENOTFOUND)
		return HT_OK;
	if (err == HT_EINTEGRITY) {
		ht_report_add(report, log->dir,
		    "vault/erasure.pending is damaged, so nobody can say what "
		    "an interrupted erasure was about; put it back from a "
		    "copy, or, if no ERASE entry is among the last, remove it");
		return err;
	}
	if (err == HT_OK)
		err = find_entry(log, plan, &f);
	if (err != HT_OK)
		return err;
	if (!f.found)
		return ht_erase_forget(log);
	ht_log(HT_WARN,
	    "log: finishing the erasure of entry %llu (%zu entries), which "
	    "was interrupted",
	    (unsigned long long)f.seq, plan->n);
	return ht_erase_carry_out(log, plan, f.seq);
}
