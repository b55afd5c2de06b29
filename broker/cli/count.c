#include "broker/cli/count.h"

#include <stdlib.h>
#include <string.h>

enum ht_err
ht_count_group(struct ht_count *c, struct ht_slice key, void **ret)
{
	HT_AUTO(ht_mem_free) void *fresh = NULL;
	void *group = ht_map_get(c->groups, key);
	enum ht_err err;

	if (group == NULL) {
		if (ht_map_count(c->groups) == HT_GROUPS_MAX) {
			c->too_many = true;
			return HT_ETOOBIG;
		}
		fresh = calloc(1, c->group_size);
		if (fresh == NULL)
			return HT_ENOMEM;
		err = ht_map_put(c->groups, key, fresh, NULL);
		if (err != HT_OK)
			return err;
		group = HT_TAKE(fresh);
	}
	*ret = group;
	return HT_OK;
}

static int
by_key(const void *a, const void *b)
{
	return ht_slice_cmp(
	    *(const struct ht_slice *)a, *(const struct ht_slice *)b);
}

enum ht_err
ht_count_keys(const struct ht_count *c, struct ht_slice **ret, size_t *ret_n)
{
	size_t n = ht_map_count(c->groups), at = 0, i = 0;
	struct ht_slice *keys = calloc(n + 1, sizeof(*keys));
	void *group;

	if (keys == NULL)
		return HT_ENOMEM;
	while (i < n && ht_map_next(c->groups, &at, &keys[i], &group))
		i++;
	qsort(keys, i, sizeof(*keys), by_key);
	*ret = keys;
	*ret_n = i;
	return HT_OK;
}

struct ht_slice
ht_count_part(struct ht_slice *key)
{
	const uint8_t *sep =
	    key->len == 0 ? NULL : memchr(key->at, HT_KEY_SEP, key->len);
	struct ht_slice part = *key;

	if (sep == NULL) {
		*key = HT_SLICE(NULL, 0);
		return part;
	}
	part.len = (size_t)(sep - part.at);
	*key = HT_SLICE(sep + 1, key->len - part.len - 1);
	return part;
}

/* ---- the run ---- */

static enum ht_err
take(void *arg, const struct ht_row *row)
{
	struct ht_count *c = arg;
	enum ht_err err = ht_row_about(row, &c->about);

	if (err != HT_OK ||
	    !ht_filter_matches(&c->opts->query.filter, &row->entry, &c->about))
		return err;
	c->matched++;
	return c->each(c, row);
}

/* Every entry of the period; what counts of them is decided here. */
static int
read_period(struct ht_count *c)
{
	const struct ht_audit_feed feed = {
	    .each = take, .arg = c, .stop_fd = -1, .what = "entries read"};
	struct ht_audit_opts o = *c->opts;
	const struct ht_filter *f = &c->opts->query.filter;
	int code;

	o.query.mode = HT_QUERY_READ;
	o.query.filter = HT_FILTER_ALL;
	o.query.filter.from_us = f->from_us;
	o.query.filter.to_us = f->to_us;
	o.query.filter.start_seq = f->start_seq;
	o.query.filter.size = f->size;
	code = ht_audit_stream(&o, &c->faith, &feed, &c->result);
	if (c->too_many) {
		ht_audit_say("more than %d groups; ask for fewer fields, or a "
		             "shorter period",
		    HT_GROUPS_MAX);
		return HT_AUDIT_CUT;
	}
	c->result.answer.scanned = c->result.answer.matched;
	c->result.answer.matched = c->matched;
	return code;
}

static int
print_all(struct ht_count *c)
{
	bool table = c->opts->format == HT_AUDIT_TABLE;
	FILE *footer = table ? stdout : stderr;
	enum ht_err err = ht_audit_out_open(&c->out), end;

	if (err == HT_OK)
		err = c->print(c);
	end = ht_audit_out_close(&c->out, &c->result.output);
	c->result.hashed = true;
	if (err == HT_OK)
		err = end;
	if (err != HT_OK)
		return ht_audit_unproven(err, 0);
	if (table && ht_map_count(c->groups) > 0)
		putc('\n', footer);
	ht_audit_footer(c->opts, &c->result, footer);
	if (fflush(footer) == EOF)
		return HT_AUDIT_GONE;
	return ht_map_count(c->groups) == 0 ? HT_AUDIT_NONE : HT_AUDIT_OK;
}

int
ht_count_run(struct ht_count *c)
{
	int code = ht_audit_faith(c->opts, &c->faith);

	c->groups = ht_map_new();
	if (code == HT_AUDIT_OK && c->groups == NULL) {
		ht_audit_say("out of memory");
		code = HT_AUDIT_GONE;
	}
	if (code == HT_AUDIT_OK)
		code = read_period(c);
	if (code == HT_AUDIT_OK)
		code = print_all(c);
	if (c->groups != NULL)
		ht_map_free(&c->groups, free);
	ht_audit_result_fini(&c->result);
	ht_audit_faith_fini(&c->faith);
	return code;
}
