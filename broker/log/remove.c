/*
 * remove.c -- from an order to files that are no more.  The entry is the
 * point of no return: what it names is gone for every reader from then on,
 * whenever its bytes follow.
 */
#include "broker/log/remove.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "broker/log/erase.h"
#include "broker/log/evidence.h"
#include "lib/base/clock.h"
#include "lib/base/fs.h"
#include "lib/base/log.h"
#include "lib/base/panic.h"

/* ---- the entry ---- */

enum ht_err
ht_remove_said_encode(const struct ht_remove_said *said, struct ht_buf *out)
{
	if (said->order.len > HT_REMOVE_ORDER_MAX)
		return HT_ETOOBIG;
	ht_pack_map(out, 4);
	ht_pack_cstr(out, "end");
	ht_pack_uint(out, said->end);
	ht_pack_cstr(out, "first");
	ht_pack_uint(out, said->first);
	ht_pack_cstr(out, "order");
	ht_pack_bin(out, said->order.at, said->order.len);
	ht_pack_cstr(out, "root");
	ht_pack_bin(out, said->root.at, sizeof(said->root.at));
	return out->err;
}

enum ht_err
ht_remove_said_decode(struct ht_slice payload, struct ht_remove_said *ret)
{
	struct ht_remove_said said;
	struct ht_unpack u;

	if (ht_pack_check(payload, NULL, NULL) != HT_OK)
		return HT_EMALFORMED;
	u = ht_unpack(payload);
	ht_unpack_demand(&u, ht_unpack_map(&u, 4) == 4);
	ht_unpack_key(&u, "end");
	said.end = ht_unpack_uint(&u, HT_TREE_MAX);
	ht_unpack_key(&u, "first");
	said.first = ht_unpack_uint(&u, HT_TREE_MAX);
	ht_unpack_key(&u, "order");
	said.order = ht_unpack_bin(&u, HT_REMOVE_ORDER_MAX);
	ht_unpack_key(&u, "root");
	ht_unpack_fixed(&u, said.root.at, sizeof(said.root.at));
	if (ht_unpack_end(&u) != HT_OK || said.end <= said.first)
		return HT_EMALFORMED;
	*ret = said;
	return HT_OK;
}

enum ht_err
ht_remove_order(const struct ht_remove_said *said, struct ht_doc **ret)
{
	HT_AUTO(ht_report_free) struct ht_report *report = ht_report_new();
	HT_AUTO(ht_doc_unref) struct ht_doc *order = NULL;
	enum ht_err err =
	    ht_doc_parse(said->order, "the order", report, &order);

	if (err == HT_ENOMEM)
		return err;
	if (err != HT_OK || order->kind != HT_DOC_REMOVE ||
	    order->erase->first != said->first ||
	    order->erase->last + 1 != said->end)
		return HT_EBADSIG;
	*ret = HT_TAKE(order);
	return HT_OK;
}

enum ht_err
ht_log_removal(struct ht_log *log, struct ht_buf *leaf, uint64_t *ret_seq,
    struct ht_remove_said *ret)
{
	HT_AUTO(ht_txn_abort) struct ht_txn *txn = NULL;
	struct ht_volumes_state state = {0};
	struct ht_entry e;
	enum ht_err err;

	if (ht_log_begin(log) == 0 || log->lone != NULL)
		return HT_ENOTFOUND;
	err = ht_txn_begin(log->store, false, &txn);
	if (err == HT_OK)
		err = ht_volumes_get(txn, &state);
	if (err == HT_OK)
		err = ht_log_read(log, state.removed, leaf);
	if (err == HT_OK && (ht_entry_decode(ht_buf_slice(leaf), &e) != HT_OK ||
	                        e.type != HT_ENTRY_REMOVED ||
	                        ht_remove_said_decode(e.payload, ret) != HT_OK))
		err = HT_EINTEGRITY;
	*ret_seq = state.removed;
	return err == HT_ENOTFOUND ? HT_EINTEGRITY : err;
}

enum ht_err
ht_remove_put(struct ht_log *log, const struct ht_entry *e)
{
	struct ht_volumes *v = &log->volumes;
	struct ht_volume *oldest = ht_volumes_at(v, 0);
	struct ht_remove_said said;

	if (ht_remove_said_decode(e->payload, &said) != HT_OK ||
	    oldest == NULL || ht_volume_head(oldest)->first != said.first ||
	    ht_volume_head(oldest)->end != said.end ||
	    v->next.begin != said.first)
		return HT_EINTEGRITY;
	v->next.begin = said.end;
	v->next.removed = e->seq;
	return ht_volumes_put(log->txn, &v->next);
}

/* ---- may it go? ---- */

struct look {
	struct ht_log *log;
	const struct ht_doc *order;
	const struct ht_trust *trust;
	const atomic_bool *stop;
	struct ht_report *report;
	struct ht_header header;
	bool said; /* why not */
};

static enum ht_err
refuse(struct look *l, uint64_t seq, const char *why)
{
	l->said = true;
	ht_report_add(
	    l->report, l->order->where, "entry %" PRIu64 " %s", seq, why);
	return HT_EINVALID;
}

static enum ht_err
check_term(struct look *l, const struct ht_entry *e)
{
	struct ht_slice item = HT_SLICE(NULL, 0);
	char then[HT_TIME_SIZE], why[120];
	uint64_t over_ms;

	if (ht_entry_has_header(e)) {
		if (ht_header_decode(e->payload, &l->header, NULL, NULL) !=
		    HT_OK)
			return HT_EINTEGRITY;
		item = l->header.item;
	}
	over_ms = e->time_us / 1000 + ht_trust_retention_ms(l->trust, item);
	if (over_ms < l->order->erase->over_ms)
		return HT_OK;
	ht_time_text(then, over_ms * 1000);
	(void)snprintf(why, sizeof(why),
	    "has to be kept until %s, which is not before 'retention-over'",
	    then);
	return refuse(l, e->seq, why);
}

static enum ht_err
check_erased(struct look *l, const struct ht_entry *e)
{
	struct ht_erased erased;
	enum ht_err err = ht_log_erased(l->log, e, &erased);

	if (err == HT_EINTEGRITY || err == HT_ENOTFOUND)
		return refuse(l, e->seq,
		    "has a tag or body that is damaged; run hutong-audit "
		    "verify on a copy");
	if (err != HT_OK)
		return err;
	if ((e->tag_len > 0 && !erased.tag) ||
	    (e->body_len > 0 && !erased.body))
		return refuse(l, e->seq,
		    "has a tag or a body that still stands; an order to erase "
		    "comes first");
	return HT_OK;
}

static enum ht_err
look_at(void *arg, uint64_t seq, const struct ht_volume_entry *entry)
{
	struct look *l = arg;
	struct ht_entry e;
	enum ht_err err;

	(void)seq;
	if (atomic_load(l->stop))
		return HT_EAGAIN;
	if (ht_entry_decode(entry->leaf, &e) != HT_OK)
		return HT_EINTEGRITY;
	err = check_term(l, &e);
	return err == HT_OK ? check_erased(l, &e) : err;
}

/* The log's oldest, in a file, and the one that the order names. */
static enum ht_err
find_volume(struct look *l, struct ht_volume **ret)
{
	struct ht_volumes *v = &l->log->volumes;
	const struct ht_erase_doc *order = l->order->erase;
	const struct ht_volume_head *head;

	*ret = ht_volumes_at(v, 0);
	if (*ret == NULL || v->n_gone == HT_VOLUMES_MAX) {
		ht_report_add(l->report, l->order->where,
		    *ret == NULL ? "the log has no closed volume in a file"
		                 : "too many volumes were removed since the "
		                   "broker was started; start it again");
		return HT_EINVALID;
	}
	head = ht_volume_head(*ret);
	if (order->first == head->first && order->last + 1 == head->end)
		return HT_OK;
	ht_report_add(l->report, l->order->where,
	    "it names entries %" PRIu64 " to %" PRIu64
	    "; the oldest closed volume is entries %" PRIu64 " to %" PRIu64
	    ", and no other can be removed",
	    order->first, order->last, head->first, head->end - 1);
	return HT_EINVALID;
}

/* The next start must find which snapshot was in force. */
static enum ht_err
check_snapshot(struct look *l, uint64_t end)
{
	uint64_t at = 0;
	enum ht_err err = ht_log_last_snapshot(l->log, &at);

	if (err != HT_OK && err != HT_ENOTFOUND)
		return err;
	return err == HT_OK && at >= end
	           ? HT_OK
	           : refuse(l, at,
	                 "in this volume is the last that says which snapshot "
	                 "is in force; start the broker again, or publish a "
	                 "current note, and hand the order in once more");
}

static enum ht_err
check_entries(struct look *l, struct ht_volume *volume)
{
	const struct ht_volume_head *head = ht_volume_head(volume);
	uint64_t bad = 0;
	enum ht_err err =
	    ht_volume_check(volume, &l->log->vkey, look_at, l, &bad);

	if ((err == HT_EINTEGRITY || err == HT_EBADSIG) && !l->said) {
		ht_report_add(l->report, l->order->where,
		    "the file of the volume that begins at entry %" PRIu64
		    " does not hold, at entry %" PRIu64
		    "; put back the one of a backup or an archive first",
		    head->first, bad);
		err = HT_EINTEGRITY;
	}
	return err;
}

static enum ht_err
pack(struct look *l, const struct ht_volume_head *head, struct ht_buf *payload)
{
	struct ht_remove_said said = {
	    .first = head->first, .end = head->end, .order = l->order->bytes};
	enum ht_err err = ht_log_root(l->log, head->end, &said.root);

	if (err == HT_OK)
		err = ht_remove_said_encode(&said, payload);
	if (err == HT_ETOOBIG)
		ht_report_add(l->report, l->order->where,
		    "with its signatures it has more than %d bytes, which its "
		    "entry has no room for; leave out those that are not "
		    "needed, or shorten 'basis'",
		    HT_REMOVE_ORDER_MAX);
	return err;
}

enum ht_err
ht_remove_check(struct ht_log *log, const struct ht_doc *order,
    const struct ht_trust *trust, const atomic_bool *stop,
    struct ht_report *report, struct ht_buf *payload)
{
	HT_AUTO(ht_mem_free) struct look *l = calloc(1, sizeof(*l));
	struct ht_volume *volume;
	enum ht_err err;

	HT_ASSERT(order->kind == HT_DOC_REMOVE);
	if (l == NULL)
		return HT_ENOMEM;
	*l = (struct look){.log = log,
	    .order = order,
	    .trust = trust,
	    .stop = stop,
	    .report = report};
	err = find_volume(l, &volume);
	if (err == HT_OK)
		err = check_snapshot(l, ht_volume_head(volume)->end);
	if (err == HT_OK)
		err = check_entries(l, volume);
	return err == HT_OK ? pack(l, ht_volume_head(volume), payload) : err;
}

/* ---- the files ---- */

enum ht_err
ht_remove_segment(struct ht_log *log, uint32_t *ret)
{
	HT_AUTO(ht_buf_fini) struct ht_buf leaf = HT_BUF(HT_LEAF_MAX);
	uint64_t begin = ht_log_begin(log);
	struct ht_volume_said said;
	struct ht_entry e;
	enum ht_err err;

	*ret = 0;
	if (begin == 0 || log->lone != NULL)
		return HT_OK;
	err = ht_log_read(log, begin, &leaf);
	if (err == HT_OK &&
	    (ht_entry_decode(ht_buf_slice(&leaf), &e) != HT_OK ||
	        e.type != HT_ENTRY_VOLUME ||
	        ht_volume_said_decode(e.payload, &said) != HT_OK))
		err = HT_EINTEGRITY;
	if (err == HT_OK)
		*ret = said.segment;
	return err;
}

/* Its room is free at once, whoever has it open. */
static enum ht_err
drop_file(const char *dir, const char *name)
{
	HT_AUTO(ht_mem_free) char *path = ht_fs_join(dir, name);

	if (path == NULL)
		return HT_ENOMEM;
	if ((truncate(path, 0) == -1 || unlink(path) == -1) && errno != ENOENT)
		return HT_ESYSTEM;
	return HT_OK;
}

/* "%016x" and @suffix; false: another name. */
static bool
numbered(const char *name, const char *suffix, uint64_t *ret)
{
	uint8_t be[8];
	char hex[2 * sizeof(be) + 1] = "";

	if (strlen(name) != 16 + strlen(suffix) ||
	    strcmp(name + 16, suffix) != 0)
		return false;
	memcpy(hex, name, 16);
	if (ht_unhex(hex, be, sizeof(be)) != HT_OK)
		return false;
	*ret = ht_load64(be);
	return true;
}

struct limits {
	uint64_t begin;
	uint32_t segment;
};

static bool
is_of_the_past(const struct limits *l, const char *name)
{
	uint64_t n;

	if (numbered(name, ".seg", &n))
		return n < l->segment;
	return (numbered(name, ".vol", &n) || numbered(name, ".vol.new", &n) ||
	           numbered(name, ".erased", &n)) &&
	       n < l->begin;
}

static enum ht_err
sweep(const struct limits *l, const char *path)
{
	struct dirent *at;
	bool any = false;
	enum ht_err err = HT_OK;
	DIR *dir = path == NULL ? NULL : opendir(path);

	if (dir == NULL)
		return path == NULL      ? HT_ENOMEM
		       : errno == ENOENT ? HT_OK
		                         : HT_ESYSTEM;
	while (err == HT_OK && (at = readdir(dir)) != NULL) {
		if (!is_of_the_past(l, at->d_name))
			continue;
		any = true;
		err = drop_file(path, at->d_name);
	}
	(void)closedir(dir);
	return err == HT_OK && any ? ht_fs_sync_dir(path) : err;
}

enum ht_err
ht_remove_files(struct ht_log *log)
{
	HT_AUTO(ht_mem_free) char *vault = ht_fs_join(log->dir, "vault");
	struct limits l = {.begin = ht_log_begin(log)};
	enum ht_err err = ht_remove_segment(log, &l.segment);

	if (err != HT_OK || l.begin == 0)
		return err;
	err = sweep(&l, log->volumes.dir);
	return err == HT_OK ? sweep(&l, vault) : err;
}
