/*
 * complete.c -- an answer that can be verified to be all of it, made and
 * verified (docs/proofs.md, "All that match").
 */
#include <stdlib.h>
#include <string.h>

#include "broker/cli/kept.h"
#include "broker/core.h"

#define REPORT_MAX (64 * 1024)

struct complete {
	const struct ht_audit_opts *opts; /* with what was asked */
	struct ht_audit_result result;
	/* What matches; or NULL. */
	enum ht_err (*each)(void *arg, const struct ht_row *row);
	void *arg;
	struct ht_about about;

	uint64_t first, next; /* of the period */
	uint64_t scanned, matched;
	struct ht_sha256_run rows;
	struct ht_buf frames;
};

static void
complete_free(struct complete **c_p)
{
	struct complete *c = HT_TAKE(*c_p);

	if (c == NULL)
		return;
	ht_audit_result_fini(&c->result);
	ht_buf_fini(&c->frames);
	free(c);
}

static struct complete *
complete_new(const struct ht_audit_opts *opts)
{
	struct complete *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return NULL;
	c->opts = opts;
	c->frames = HT_BUF(HT_ANSWER_MAX);
	ht_sha256_begin(&c->rows);
	return c;
}

/* ---- rows ---- */

/* Does it match, beside the subject and the period? */
static enum ht_err
judge(struct complete *c, const struct ht_row *row)
{
	enum ht_err err = ht_row_about(row, &c->about);

	if (err != HT_OK ||
	    !ht_filter_matches(&c->opts->query.filter, &row->entry, &c->about))
		return err;
	c->matched++;
	ht_sha256_add(&c->rows, HT_SLICE(row->hash.at, HT_HASH_SIZE));
	return c->each == NULL ? HT_OK : c->each(c->arg, row);
}

static enum ht_err
judge_row(void *arg, const struct ht_row *row)
{
	struct complete *c = arg;

	if (c->scanned++ == 0)
		c->first = row->seq;
	c->next = row->seq + 1;
	return judge(c, row);
}

/* Of a list: the period is a condition like others. */
static enum ht_err
judge_look(void *arg, const struct ht_row *row)
{
	struct complete *c = arg;
	const struct ht_filter *f = &c->opts->query.filter;
	uint64_t us = row->entry.time_us;

	if (row->seq < f->start_seq || us < f->from_us ||
	    (f->to_us > 0 && us >= f->to_us))
		return HT_OK;
	return judge(c, row);
}

/* All entries were looked at: themselves, or by the rolls that cover them. */
static void
end_list(struct complete *c)
{
	c->first = c->result.list.from;
	c->scanned = c->result.list.rolled + c->result.list.whole;
	c->next = c->first + c->scanned;
}

static enum ht_err
keep_frame(void *arg, struct ht_slice frame)
{
	struct complete *c = arg;

	ht_kept_add(&c->frames, frame);
	return c->frames.err;
}

static bool
is_list(const struct complete *c)
{
	return c->opts->query.filter.has_subject;
}

/*
 * What must be read for a question: all of its period, or all about its
 * subject.
 */
static struct ht_audit_opts
read_all(const struct ht_audit_opts *opts)
{
	const struct ht_filter *f = &opts->query.filter;
	struct ht_audit_opts all = *opts;

	all.query = HT_QUERY_ALL;
	all.query.why = opts->query.why;
	all.query.filter.size = f->size;
	if (f->has_subject) {
		all.query.mode = HT_QUERY_LIST;
		all.query.filter.has_subject = true;
		all.query.filter.subject = f->subject;
		return all;
	}
	all.query.mode = HT_QUERY_READ;
	all.query.filter.from_us = f->from_us;
	all.query.filter.to_us = f->to_us;
	all.query.filter.start_seq = f->start_seq;
	return all;
}

/* ---- the report ---- */

/* All that follows from the data. */
static void
report(struct complete *c, struct ht_slice data, struct ht_buf *out)
{
	HT_AUTO(ht_buf_fini) struct ht_buf query = HT_BUF(REPORT_MAX);
	struct ht_hash rows = ht_sha256_end(&c->rows), sum = ht_sha256(data);
	struct ht_kept_range range = {
	    .first = c->first, .next = c->next, .scanned = c->scanned};

	ht_query_text(&c->opts->query, &query);
	range.query = ht_buf_slice(&query);
	ht_kept_add_head(out, HT_ANSWER_LABEL, &c->result.checkpoint, &range);
	ht_buf_fmt(out, "matched: %llu\n", (unsigned long long)c->matched);
	if (is_list(c))
		ht_buf_fmt(out, "rolls: %llu, of %llu entries\n",
		    (unsigned long long)c->result.list.rolls,
		    (unsigned long long)c->result.list.rolled);
	else
		ht_kept_add_part(out, &c->result);
	ht_kept_add_hash(out, "rows", &rows);
	ht_kept_add_hash(out, "data", &sum);
	if (query.err != HT_OK)
		out->err = query.err;
}

/* ---- making ---- */

static enum ht_err
make_data(const struct complete *c, struct ht_buf *out)
{
	HT_AUTO(ht_buf_fini) struct ht_buf query = HT_BUF(HT_QUERY_MAX);
	enum ht_err err = ht_query_encode(&c->opts->query, &query);

	if (err != HT_OK)
		return err;
	ht_kept_add(out, ht_buf_slice(&c->result.answer.checkpoint));
	ht_kept_add(out, ht_buf_slice(&query));
	ht_buf_add(out, c->frames.at, c->frames.len);
	return out->err;
}

static int
write_file(struct complete *c, const struct ht_audit_opts *opts)
{
	HT_AUTO(ht_buf_fini) struct ht_buf data = HT_BUF(HT_ANSWER_MAX);
	HT_AUTO(ht_buf_fini) struct ht_buf text = HT_BUF(REPORT_MAX);
	enum ht_err err = make_data(c, &data);

	if (err != HT_OK) {
		ht_audit_say("the answer cannot be written: %s; a shorter "
		             "period may do",
		    ht_err_text(err));
		return HT_AUDIT_GONE;
	}
	report(c, ht_buf_slice(&data), &text);
	return ht_kept_write(opts, &text, ht_buf_slice(&data));
}

/* What the file would have to show is not in the volume that it is of. */
static int
not_whole(const struct complete *c)
{
	ht_audit_say("no proof can be kept: of %llu entries the tags were "
	             "erased by orders that stand after this volume, so that "
	             "nothing in it proves that they may be missing; keep one "
	             "of the log (--dir, --socket), or ask without -o",
	    (unsigned long long)c->result.list.later);
	return HT_AUDIT_USAGE;
}

/* Ask, and keep the answer in opts->output, if there is one. */
static int
make(struct complete *c, const struct ht_audit_faith *faith)
{
	const struct ht_audit_opts *opts = c->opts;
	const struct ht_audit_feed feed = {
	    .each = is_list(c) ? judge_look : judge_row,
	    .frame = opts->output != NULL ? keep_frame : NULL,
	    .arg = c,
	    .start = c->opts->query.filter.start_seq,
	    .stop_fd = -1,
	    .what = "reading entries"};
	struct ht_audit_opts all = read_all(opts);
	int code = ht_audit_stream(&all, faith, &feed, &c->result);

	if (code != HT_AUDIT_OK)
		return code;
	if (is_list(c))
		end_list(c);
	if (c->result.list.later > 0 && opts->output != NULL)
		return not_whole(c);
	return opts->output != NULL ? write_file(c, opts) : HT_AUDIT_OK;
}

int
ht_audit_complete(const struct ht_audit_opts *opts)
{
	struct ht_audit_opts asked = *opts;
	HT_AUTO(complete_free) struct complete *c = complete_new(&asked);
	struct ht_audit_faith faith;
	int code = ht_audit_faith(opts, &faith);

	ht_audit_narrow(&asked);
	if (c == NULL)
		code = HT_AUDIT_GONE;
	if (code == HT_AUDIT_OK)
		code = ht_audit_subject(&asked, &faith);
	if (code == HT_AUDIT_OK)
		code = make(c, &faith);
	if (code == HT_AUDIT_OK)
		printf("complete   %llu of %llu entries match; hutong-audit "
		       "verify %s runs the question again\n",
		    (unsigned long long)c->matched,
		    (unsigned long long)c->scanned, opts->output);
	ht_audit_faith_fini(&faith);
	if (code == HT_AUDIT_OK && fflush(stdout) == EOF)
		return HT_AUDIT_GONE;
	return code;
}

int
ht_audit_list(const struct ht_audit_opts *opts,
    const struct ht_audit_faith *faith,
    enum ht_err (*each)(void *arg, const struct ht_row *row), void *arg,
    struct ht_audit_result *ret)
{
	HT_AUTO(complete_free) struct complete *c = complete_new(opts);
	int code;

	*ret = (struct ht_audit_result){0};
	if (c == NULL)
		return HT_AUDIT_GONE;
	c->each = each;
	c->arg = arg;
	code = make(c, faith);
	if (code != HT_AUDIT_OK)
		return code;
	*ret = c->result;
	c->result = (struct ht_audit_result){0};
	return HT_AUDIT_OK;
}

/* ---- verifying ---- */

static int
check_report(struct complete *c, const struct ht_kept *k,
    const struct ht_audit_faith *faith)
{
	HT_AUTO(ht_buf_fini) struct ht_buf want = HT_BUF(REPORT_MAX);
	int code;

	report(c, k->data, &want);
	if (want.err != HT_OK)
		return HT_AUDIT_GONE;
	code = ht_kept_check(k, ht_buf_slice(&want), faith, &c->result);
	if (code != HT_AUDIT_OK)
		return code;
	if (is_list(c))
		printf("complete   every look at the subject is here, and none "
		       "is missing: %llu rolls say so of %llu entries, and "
		       "%llu were looked at again\n",
		    (unsigned long long)c->result.list.rolls,
		    (unsigned long long)c->result.list.rolled,
		    (unsigned long long)c->result.list.whole);
	else
		printf("complete   every entry of the period was looked at "
		       "again, and none is missing\n");
	ht_audit_footer_part(&c->result, stdout);
	return HT_AUDIT_OK;
}

static int
replay(struct complete *c, const struct ht_kept *k, struct ht_slice note,
    const struct ht_audit_faith *faith)
{
	HT_AUTO(ht_audit_print_free) struct ht_audit_print *print = NULL;
	const struct ht_audit_feed feed = {
	    .each = is_list(c) ? judge_look : judge_row,
	    .arg = c,
	    .start = c->opts->query.filter.start_seq,
	    .stop_fd = -1};
	struct ht_audit_opts all = read_all(c->opts);
	int code;

	if (ht_audit_print_new(c->opts, "", stdout, false, &print) != HT_OK)
		return HT_AUDIT_GONE;
	c->each = ht_audit_print_row;
	c->arg = print;
	code = ht_audit_replay(&all, faith, &feed, note,
	    HT_SLICE(k->rest.at, (size_t)(k->rest.end - k->rest.at)),
	    &c->result);
	if (code == HT_AUDIT_OK && is_list(c))
		end_list(c);
	if (code == HT_AUDIT_OK && ht_audit_print_end(print) != HT_OK)
		code = HT_AUDIT_GONE;
	if (code == HT_AUDIT_OK)
		code = check_report(c, k, faith);
	if (code == HT_AUDIT_OK && fflush(stdout) == EOF)
		code = HT_AUDIT_GONE;
	return code;
}

int
ht_audit_verify_answer(const char *path, struct ht_slice bytes,
    const struct ht_audit_opts *opts, const struct ht_audit_faith *faith)
{
	struct ht_audit_opts asked = *opts;
	struct ht_slice note, query;
	const char *why = NULL;
	struct ht_kept k;
	int code = ht_kept_open(path, bytes, &k);

	if (code != HT_AUDIT_OK)
		return code;
	note = ht_kept_piece(&k);
	query = ht_kept_piece(&k);
	if (k.rest.err != HT_OK)
		return ht_kept_bad(&k, "it is cut off");
	if (ht_query_decode(query, &asked.query, &why) != HT_OK)
		return ht_kept_bad(&k, why);
	if (asked.query.mode != HT_QUERY_SEARCH || asked.query.has_seq ||
	    asked.query.filter.limit > 0)
		return ht_kept_bad(&k, "its question has no complete answer");

	HT_AUTO(complete_free) struct complete *c = complete_new(&asked);

	return c == NULL ? HT_AUDIT_GONE : replay(c, &k, note, faith);
}
