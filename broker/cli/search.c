/*
 * search.c -- hutong-audit search: the rows, what proves them, and where a
 * next run goes on.
 */
#include <string.h>

#include "broker/cli/cursor.h"
#include "broker/cli/tool.h"
#include "broker/core.h"
#include "broker/log/period.h"
#include "lib/base/text.h"
#include "lib/base/version.h"

/* ---- the footer ---- */

/* A period that may begin before a lone volume, or end after it. */
static void
print_part(const struct ht_audit_result *r, FILE *out)
{
	const char *where = !r->more_after    ? "before"
	                    : !r->more_before ? "after"
	                                      : "before and after";
	const char *whole =
	    r->removed_by > 0 ? "log, which was removed" : "volume";

	if (r->end_seq == 0)
		fprintf(out,
		    "range      no entry of this %s is in the period; there "
		    "may be some %s it\n",
		    r->removed_by > 0 ? "log" : "volume", where);
	else
		fprintf(out,
		    "range      entries %llu to %llu, complete: none between "
		    "them is missing; of the period there\n           may be "
		    "more %s this %s\n",
		    (unsigned long long)r->first_seq,
		    (unsigned long long)r->end_seq - 1, where, whole);
}

/* Rows that followed one another from before the period to after it. */
static void
print_whole(const struct ht_audit_result *r, FILE *out)
{
	if (r->more_before || r->more_after)
		print_part(r, out);
	else if (r->end_seq == 0)
		fprintf(
		    out, "range      no entry is in the period: complete\n");
	else
		fprintf(out,
		    "range      entries %llu to %llu, complete: none between "
		    "them is missing, none of the period\n           stands "
		    "before or after\n",
		    (unsigned long long)r->first_seq,
		    (unsigned long long)r->end_seq - 1);
}

/* The entries that the question covers; the period narrows them. */
static void
print_range(const struct ht_audit_opts *opts, const struct ht_audit_result *r,
    FILE *out)
{
	const struct ht_filter *f = &opts->query.filter;
	uint64_t end = f->size > 0 ? f->size : r->answer.size;
	uint64_t start = f->start_seq > r->begin ? f->start_seq : r->begin;

	if (opts->query.has_seq)
		return;
	if (r->complete) {
		print_whole(r, out);
		return;
	}
	if (r->answer.more)
		end = r->answer.next_seq;
	if (end > start)
		fprintf(out, "range      entries %llu to %llu\n",
		    (unsigned long long)start, (unsigned long long)end - 1);
	else
		fprintf(out, "range      no entry from %llu on\n",
		    (unsigned long long)start);
}

void
ht_audit_question(const struct ht_audit_opts *opts, struct ht_buf *out)
{
	HT_AUTO(ht_buf_fini) struct ht_buf text = HT_BUF(16 * 1024);
	const char *rest;

	ht_query_text(&opts->query, &text);
	rest = ht_buf_text(&text);
	if (opts->counts == NULL || rest == NULL) {
		ht_buf_str(out, rest == NULL ? "" : rest);
		return;
	}
	ht_buf_str(out, opts->counts);
	if (opts->by != NULL)
		ht_buf_fmt(out, " by=%s", opts->by);
	if (opts->period != NULL)
		ht_buf_fmt(out, " period=%s", opts->period);
	if (opts->month != NULL)
		ht_buf_fmt(out, " month=%s", opts->month);
	if (opts->zone_minutes != 0) {
		char zone[HT_ZONE_SIZE];

		ht_zone_text(opts->zone_minutes, zone);
		ht_buf_fmt(out, " zone=%s", zone);
	}
	ht_buf_str(out, rest + strcspn(rest, " "));
}

void
ht_audit_footer_removed(const struct ht_audit_result *r, FILE *out)
{
	if (r->removed_by > 0)
		fprintf(out,
		    "removed    the entries below %llu are not in the log any "
		    "more, by entry %llu\n",
		    (unsigned long long)r->begin,
		    (unsigned long long)r->removed_by);
}

void
ht_audit_footer_by(const struct ht_audit_result *r, FILE *out)
{
	fprintf(out, "tool       hutong-audit %s\n", HT_VERSION);
	if (r->auditor[0] != '\0')
		fprintf(out, "auditor    %s\n", r->auditor);
}

void
ht_audit_footer_hash(const struct ht_hash *rows, FILE *out)
{
	char hash[2 * HT_HASH_SIZE + 1];

	ht_hex(hash, rows->at, HT_HASH_SIZE);
	fprintf(out, "output     sha256 %s, of the rows as printed\n", hash);
}

void
ht_audit_footer_at(const struct ht_audit_opts *opts,
    const struct ht_audit_result *r, FILE *out)
{
	uint64_t size = opts->query.filter.size;

	if (size > 0 && size < r->checkpoint.size)
		fprintf(out,
		    "at         %llu entries, as asked: those behind are left "
		    "out; the proofs lead to that root\n",
		    (unsigned long long)size);
}

void
ht_audit_footer(const struct ht_audit_opts *opts,
    const struct ht_audit_result *r, FILE *out)
{
	HT_AUTO(ht_buf_fini) struct ht_buf text = HT_BUF(16 * 1024);
	char root[2 * HT_HASH_SIZE + 1], salt[2 * HT_SALT_SIZE + 1];

	ht_hex(salt, r->salt, HT_SALT_SIZE);
	ht_audit_footer_by(r, out);
	ht_hex(root, r->checkpoint.root.at, HT_HASH_SIZE);
	ht_audit_question(opts, &text);
	fprintf(out, "query      %s\n",
	    ht_buf_text(&text) != NULL ? ht_buf_text(&text) : "");
	fprintf(out, "as of      %llu entries, root %s\n",
	    (unsigned long long)r->answer.size, root);
	ht_audit_footer_at(opts, r, out);
	fprintf(out, "checkpoint %s\n", r->judged.text);
	print_range(opts, r, out);
	ht_audit_footer_removed(r, out);
	ht_audit_footer_volume(opts, r, out);
	fprintf(out,
	    "rows       %llu matched, %llu looked at%s; each proven "
	    "to be in that tree\n",
	    (unsigned long long)r->answer.matched,
	    (unsigned long long)r->answer.scanned,
	    r->indexed && !opts->scan && opts->dir != NULL
	        ? " through the index (--scan looks at all)"
	        : "");
	if (r->answer.more)
		fprintf(out,
		    "more       cut off here: go on with --start %llu\n",
		    (unsigned long long)r->answer.next_seq);
	if (r->behind > 0)
		fprintf(out,
		    "behind     %llu entries follow the checkpoint and are "
		    "not shown\n",
		    (unsigned long long)r->behind);
	if (r->noted)
		fprintf(out,
		    "logged     this query is entry %llu, with the salt %s\n",
		    (unsigned long long)r->place, salt);
	if (r->hashed)
		ht_audit_footer_hash(&r->output, out);
}

/* ---- the rows ---- */

int
ht_audit_unproven(enum ht_err err, uint64_t bad)
{
	if (err == HT_OK)
		return HT_AUDIT_OK;
	if (err == HT_EINTEGRITY || err == HT_EMALFORMED) {
		ht_audit_say("entry %llu, or one near it, is not proven by "
		             "the checkpoint, or is not what was asked for: do "
		             "not rely on this answer",
		    (unsigned long long)bad);
		return HT_AUDIT_BAD;
	}
	ht_audit_say("the rows could not be printed: %s", ht_err_text(err));
	return HT_AUDIT_GONE;
}

enum ht_err
ht_audit_each(const struct ht_audit_result *r,
    enum ht_err (*each)(void *arg, const struct ht_row *row), void *arg,
    uint64_t *ret_bad)
{
	enum ht_err err = HT_OK;

	for (size_t i = 0; i < r->answer.n_frames && err == HT_OK; i++)
		err = ht_rows_check(ht_buf_slice(&r->answer.frames[i]),
		    r->answer.size, &r->checkpoint.root, each, arg, ret_bad);
	return err;
}

static enum ht_err
print_rows(const struct ht_audit_opts *opts, struct ht_audit_result *r,
    FILE *out, uint64_t *bad)
{
	HT_AUTO(ht_audit_print_free) struct ht_audit_print *p = NULL;
	enum ht_err err =
	    ht_audit_print_new(opts, r->checkpoint.origin, out, false, &p);

	if (err == HT_OK)
		err = ht_audit_each(r, ht_audit_print_row, p, bad);
	return err == HT_OK ? ht_audit_print_end(p) : err;
}

int
ht_audit_print(const struct ht_audit_opts *opts, struct ht_audit_result *r)
{
	bool table = opts->format == HT_AUDIT_TABLE;
	FILE *footer = table ? stdout : stderr;
	struct ht_audit_out out;
	uint64_t bad = 0;
	enum ht_err err = ht_audit_out_open(&out), end;

	if (err == HT_OK)
		err = print_rows(opts, r, out.file, &bad);
	end = ht_audit_out_close(&out, &r->output);
	r->hashed = true;
	if (err == HT_OK)
		err = end;
	if (err != HT_OK)
		return ht_audit_unproven(err, bad);
	if (table && r->answer.matched > 0)
		putc('\n', footer);
	ht_audit_footer(opts, r, footer);
	if (fflush(footer) == EOF)
		return HT_AUDIT_GONE;
	if (r->answer.matched == 0)
		return HT_AUDIT_NONE;
	return r->answer.more && opts->query.filter.limit == 0 ? HT_AUDIT_CUT
	                                                       : HT_AUDIT_OK;
}

/* ---- the verb ---- */

static int
search(struct ht_audit_opts *o, const struct ht_audit_faith *faith)
{
	struct ht_audit_cursor cursor;
	struct ht_audit_result result;
	int code = ht_audit_subject(o, faith);

	if (code == HT_AUDIT_OK && o->cursor != NULL)
		code = ht_audit_cursor_open(o, &cursor);
	if (code == HT_AUDIT_OK)
		code = ht_audit_fetch(o, faith, &result);
	if (code != HT_AUDIT_OK)
		return code;
	if (o->cursor != NULL)
		code = ht_audit_cursor_check(o, &cursor, &result);
	if (code == HT_AUDIT_OK)
		code = ht_audit_print(o, &result);
	/* Only what was shown is behind us. */
	if (o->cursor != NULL && (code == HT_AUDIT_OK || code == HT_AUDIT_CUT ||
	                             code == HT_AUDIT_NONE))
		code = ht_audit_cursor_save(o, &cursor, &result, code);
	ht_audit_result_fini(&result);
	return code;
}

int
ht_audit_search(const struct ht_audit_opts *opts)
{
	struct ht_audit_opts o = *opts;
	struct ht_audit_faith faith;
	int code = ht_audit_faith(opts, &faith);

	if (code == HT_AUDIT_OK)
		code = search(&o, &faith);
	ht_audit_faith_fini(&faith);
	return code;
}
