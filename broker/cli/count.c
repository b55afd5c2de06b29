#include "broker/cli/count_file.h"

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

struct ht_slice
ht_count_member(struct ht_count *c, struct ht_slice member)
{
	const struct ht_member *m = ht_papers_member(c->papers, member);

	return m == NULL ? HT_SLICE(NULL, 0)
	                 : ht_slice_str(ht_papers_title(
	                       m->title_zh, m->title_en, c->opts->chinese));
}

struct ht_slice
ht_count_title(struct ht_count *c, struct ht_slice item)
{
	const struct ht_item *i = ht_papers_item_newest(c->papers, item);

	return i == NULL ? HT_SLICE(NULL, 0)
	                 : ht_slice_str(ht_papers_title(
	                       i->title_zh, i->title_en, c->opts->chinese));
}

/* ---- the run ---- */

static enum ht_err
take(void *arg, const struct ht_row *row)
{
	struct ht_count *c = arg;
	const struct ht_doc *snapshot = ht_papers_snapshot(c->papers);
	enum ht_err err = ht_row_about(row, &c->about);

	if (err != HT_OK ||
	    !ht_filter_matches(&c->filter, &row->entry, &c->about))
		return err;
	c->matched++;
	c->named += snapshot != NULL &&
	            ht_hash_eq(&snapshot->hash, &row->entry.snapshot);
	return c->each(c, row);
}

/* What is too large for a file may still be counted. */
static enum ht_err
keep_frame(void *arg, struct ht_slice frame)
{
	struct ht_count *c = arg;

	ht_kept_add(&c->frames, frame);
	return c->frames.err == HT_ENOMEM ? HT_ENOMEM : HT_OK;
}

/* Every entry of the period; what counts of them is decided here. */
static int
read_period(struct ht_count *c)
{
	const struct ht_audit_feed feed = {.each = take,
	    .frame = c->opts->output != NULL ? keep_frame : NULL,
	    .arg = c,
	    .stop_fd = -1,
	    .what = c->file == NULL ? "entries read" : NULL};
	struct ht_audit_opts o = *c->opts;
	const struct ht_filter *f = &c->opts->query.filter;
	int code;

	o.query.mode = HT_QUERY_READ;
	o.query.filter = HT_FILTER_ALL;
	o.query.filter.from_us = f->from_us;
	o.query.filter.to_us = f->to_us;
	o.query.filter.start_seq = f->start_seq;
	o.query.filter.size = f->size;
	code = c->file == NULL
	           ? ht_audit_stream(&o, c->faith, &feed, &c->result)
	           : ht_audit_replay(&o, c->faith, &feed, c->file->note,
	                 c->file->frames, &c->result);
	if (c->too_many) {
		ht_audit_say("more than %d groups; ask for fewer fields, or a "
		             "shorter period",
		    HT_GROUPS_MAX);
		return HT_AUDIT_CUT;
	}
	c->scanned = c->result.answer.matched;
	c->result.answer.scanned = c->scanned;
	c->result.answer.matched = c->matched;
	return code;
}

/* As they stand in a file, whatever they are shown as. */
static int
make_rows(struct ht_count *c, char **ret, size_t *ret_len)
{
	FILE *out = open_memstream(ret, ret_len);
	enum ht_err err = out == NULL ? HT_ENOMEM : HT_OK;
	const char *name;

	if (err == HT_OK)
		err = c->print(c, HT_AUDIT_JSONL, out);
	if (out != NULL && fclose(out) == EOF)
		err = HT_ENOMEM;
	if (err == HT_OK && c->file == NULL)
		err = ht_papers_err(c->papers, &name);
	if (err == HT_OK)
		return HT_AUDIT_OK;
	ht_audit_say("the rows cannot be made: %s", ht_err_text(err));
	return HT_AUDIT_GONE;
}

static int
print_rows(struct ht_count *c)
{
	struct ht_audit_out out;
	enum ht_err err = ht_audit_out_open(&out), end;

	if (err == HT_OK)
		err = c->print(c, c->opts->format, out.file);
	end = ht_audit_out_close(&out, &c->result.output);
	c->result.hashed = true;
	return ht_audit_unproven(err == HT_OK ? end : err, 0);
}

static int
print_all(struct ht_count *c)
{
	bool table = c->opts->format == HT_AUDIT_TABLE;
	FILE *footer = table ? stdout : stderr;
	int code = print_rows(c);

	if (code != HT_AUDIT_OK)
		return code;
	if (table && ht_map_count(c->groups) > 0)
		putc('\n', footer);
	ht_audit_footer(c->opts, &c->result, footer);
	return fflush(footer) == EOF ? HT_AUDIT_GONE : HT_AUDIT_OK;
}

static int
show(struct ht_count *c, struct ht_slice rows)
{
	bool keep = c->opts->output != NULL;
	int code = print_all(c);

	if (code == HT_AUDIT_OK && keep)
		code = ht_count_file_write(c, rows);
	if (code == HT_AUDIT_OK && keep)
		fprintf(c->opts->format == HT_AUDIT_TABLE ? stdout : stderr,
		    "kept       %s: hutong-audit verify makes every figure "
		    "again from it\n",
		    c->opts->output);
	if (code != HT_AUDIT_OK)
		return code;
	return ht_map_count(c->groups) == 0 ? HT_AUDIT_NONE : HT_AUDIT_OK;
}

/* Nothing is shown of a file that says something else. */
static int
show_again(struct ht_count *c, struct ht_slice rows)
{
	int code = ht_count_file_compare(c, rows);

	if (code == HT_AUDIT_OK)
		code = print_rows(c);
	if (code == HT_AUDIT_OK)
		code = ht_count_file_end(c, rows);
	return fflush(stdout) == EOF ? HT_AUDIT_GONE : code;
}

static int
run(struct ht_count *c)
{
	HT_AUTO(ht_mem_free) char *rows = NULL;
	size_t len = 0;
	int code = read_period(c);

	if (code == HT_AUDIT_OK && (c->file != NULL || c->opts->output != NULL))
		code = make_rows(c, &rows, &len);
	if (code != HT_AUDIT_OK)
		return code;
	return c->file == NULL ? show(c, HT_SLICE(rows, len))
	                       : show_again(c, HT_SLICE(rows, len));
}

static int
open_papers(struct ht_count *c)
{
	const char *why = "";
	enum ht_err err =
	    c->file == NULL ? ht_papers_of_trust(c->faith->trust, &c->papers)
	                    : ht_papers_open(c->file->papers, &c->papers, &why);

	if (err == HT_OK)
		return HT_AUDIT_OK;
	if (c->file != NULL && err == HT_EINTEGRITY)
		return ht_kept_bad(&c->file->kept, why);
	ht_audit_say("the trust documents: %s", ht_err_text(err));
	return HT_AUDIT_GONE;
}

int
ht_count_run(struct ht_count *c)
{
	int code = HT_AUDIT_OK;

	if (c->faith == NULL) {
		code = ht_audit_faith(c->opts, &c->own);
		c->faith = &c->own;
	}
	c->frames = HT_BUF(HT_ANSWER_MAX);
	c->groups = ht_map_new();
	if (code == HT_AUDIT_OK && c->groups == NULL) {
		ht_audit_say("out of memory");
		code = HT_AUDIT_GONE;
	}
	if (code == HT_AUDIT_OK)
		code = open_papers(c);
	if (code == HT_AUDIT_OK)
		code = run(c);
	ht_papers_free(&c->papers);
	if (c->groups != NULL)
		ht_map_free(&c->groups, free);
	ht_buf_fini(&c->frames);
	ht_audit_result_fini(&c->result);
	ht_audit_faith_fini(&c->own);
	return code;
}
