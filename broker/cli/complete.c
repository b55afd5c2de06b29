/*
 * complete.c -- an answer that can be verified to be all of it, made and
 * verified (docs/proofs.md, "All that match").
 */
#include <stdlib.h>
#include <string.h>

#include "broker/cli/tool.h"
#include "broker/core.h"
#include "lib/base/clock.h"
#include "lib/base/text.h"
#include "lib/base/version.h"

#define REPORT_MAX (64 * 1024)

struct complete {
	const struct ht_audit_opts *opts; /* with what was asked */
	struct ht_audit_result result;
	/* What matches; or NULL. */
	enum ht_err (*each)(void *arg, const struct ht_row *row);
	void *arg;
	struct ht_about about;

	/* Requests are cited: all leaves, from entry `base` on. */
	uint64_t base;
	size_t n, cap;
	size_t *ends;
	struct ht_buf leaves;

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
	ht_buf_fini(&c->leaves);
	ht_buf_fini(&c->frames);
	free(c->ends);
	free(c);
}

static struct complete *
complete_new(const struct ht_audit_opts *opts)
{
	struct complete *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return NULL;
	c->opts = opts;
	c->leaves = HT_BUF(HT_ANSWER_MAX);
	c->frames = HT_BUF(HT_ANSWER_MAX);
	ht_sha256_begin(&c->rows);
	return c;
}

/* ---- rows ---- */

static enum ht_err
keep_leaf(void *arg, const struct ht_row *row)
{
	struct complete *c = arg;

	if (c->n == 0)
		c->base = row->seq;
	if (c->n == c->cap) {
		size_t cap = c->cap == 0 ? 1024 : c->cap * 2;
		size_t *ends = realloc(c->ends, cap * sizeof(*ends));

		if (ends == NULL)
			return HT_ENOMEM;
		c->ends = ends;
		c->cap = cap;
	}
	ht_buf_add(&c->leaves, row->leaf.at, row->leaf.len);
	c->ends[c->n++] = c->leaves.len;
	return c->leaves.err;
}

/* The request that a row cites; a row brings it if it stands before all. */
static struct ht_slice
cited_by(const struct complete *c, const struct ht_row *row)
{
	uint64_t i = row->entry.cites - 1 - c->base;
	size_t start;

	if (row->cited.len > 0 || row->entry.cites == 0 ||
	    row->entry.cites - 1 < c->base || i >= c->n)
		return row->cited;
	start = i == 0 ? 0 : c->ends[i - 1];
	return HT_SLICE(c->leaves.at + start, c->ends[i] - start);
}

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
judge_row(void *arg, const struct ht_row *given)
{
	struct complete *c = arg;
	struct ht_row row = *given;
	enum ht_err err = keep_leaf(c, given);

	if (err != HT_OK)
		return err;
	if (c->scanned++ == 0)
		c->first = row.seq;
	c->next = row.seq + 1;
	row.cited = cited_by(c, given);
	return judge(c, &row);
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
	c->first = 0;
	c->next = c->scanned = c->result.list.rolled + c->result.list.whole;
}

static enum ht_err
keep_frame(void *arg, struct ht_slice frame)
{
	struct complete *c = arg;

	ht_buf_u32(&c->frames, (uint32_t)frame.len);
	ht_buf_add(&c->frames, frame.at, frame.len);
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

static void
add_hash(struct ht_buf *out, const char *name, const struct ht_hash *hash)
{
	char hex[2 * HT_HASH_SIZE + 1];

	ht_hex(hex, hash->at, HT_HASH_SIZE);
	ht_buf_fmt(out, "%s: %s\n", name, hex);
}

/* All that follows from the data; the last three lines do not. */
static void
report(struct complete *c, struct ht_slice data, struct ht_buf *out)
{
	const struct ht_checkpoint *cp = &c->result.checkpoint;
	struct ht_hash rows = ht_sha256_end(&c->rows), sum = ht_sha256(data);
	char root[HT_B64_SIZE(HT_HASH_SIZE)];

	ht_b64(root, cp->root.at, HT_HASH_SIZE);
	ht_buf_fmt(out, HT_ANSWER_LABEL "\nlog: %s\nquery: ", cp->origin);
	ht_query_text(&c->opts->query, out);
	ht_buf_fmt(out, "\nsize: %llu\nroot: %s\nrange: %llu %llu\n",
	    (unsigned long long)cp->size, root, (unsigned long long)c->first,
	    (unsigned long long)c->next);
	ht_buf_fmt(out, "scanned: %llu\nmatched: %llu\n",
	    (unsigned long long)c->scanned, (unsigned long long)c->matched);
	if (is_list(c))
		ht_buf_fmt(out, "rolls: %llu, of %llu entries\n",
		    (unsigned long long)c->result.list.rolls,
		    (unsigned long long)c->result.list.rolled);
	add_hash(out, "rows", &rows);
	add_hash(out, "data", &sum);
}

/* ---- making ---- */

static void
add_piece(struct ht_buf *out, struct ht_slice piece)
{
	ht_buf_u32(out, (uint32_t)piece.len);
	ht_buf_add(out, piece.at, piece.len);
}

static enum ht_err
make_data(const struct complete *c, struct ht_buf *out)
{
	HT_AUTO(ht_buf_fini) struct ht_buf query = HT_BUF(HT_QUERY_MAX);
	enum ht_err err = ht_query_encode(&c->opts->query, &query);

	if (err != HT_OK)
		return err;
	add_piece(out, ht_buf_slice(&c->result.answer.checkpoint));
	add_piece(out, ht_buf_slice(&query));
	ht_buf_add(out, c->frames.at, c->frames.len);
	return out->err;
}

static enum ht_err
make_file(struct complete *c, const char *auditor, const struct ht_key *key,
    struct ht_buf *out)
{
	HT_AUTO(ht_buf_fini) struct ht_buf data = HT_BUF(HT_ANSWER_MAX);
	HT_AUTO(ht_buf_fini) struct ht_buf text = HT_BUF(REPORT_MAX);
	char now[HT_TIME_SIZE];
	enum ht_err err = make_data(c, &data);

	if (err != HT_OK)
		return err;
	report(c, ht_buf_slice(&data), &text);
	ht_time_text(now, ht_clock_wall_ms() / 1000 * 1000000);
	ht_buf_fmt(&text, "auditor: %s\nmade: %s\ntool: hutong-audit %s\n",
	    auditor, now, HT_VERSION);
	err = text.err;
	if (err == HT_OK)
		err =
		    ht_note_sign(ht_buf_slice(&text), false, auditor, key, out);
	if (err != HT_OK)
		return err;
	ht_buf_u8(out, 0);
	ht_buf_add(out, data.at, data.len);
	return out->err;
}

static int
write_file(struct complete *c, const struct ht_audit_opts *opts)
{
	HT_AUTO(ht_buf_fini) struct ht_buf out = HT_BUF(HT_ANSWER_MAX);
	HT_AUTO(ht_key_free) struct ht_key *key = NULL;
	struct ht_keyfile file;
	int code = ht_audit_open_key(opts->key, HT_KEY_AUDITOR, &key, &file);
	enum ht_err err;

	if (code != HT_AUDIT_OK)
		return code;
	err = make_file(c, file.name, key, &out);
	if (err == HT_OK)
		return ht_audit_output(opts->output, ht_buf_slice(&out));
	ht_audit_say("the answer cannot be written: %s; a shorter period may "
	             "do",
	    ht_err_text(err));
	return HT_AUDIT_GONE;
}

/* Ask, and keep the answer in opts->output, if there is one. */
static int
make(struct complete *c, const struct ht_audit_faith *faith)
{
	const struct ht_audit_opts *opts = c->opts;
	const struct ht_audit_feed feed = {
	    .each = is_list(c) ? judge_look : judge_row,
	    .beside = keep_leaf,
	    .frame = opts->output != NULL ? keep_frame : NULL,
	    .arg = c,
	    .stop_fd = -1,
	    .what = "reading entries"};
	struct ht_audit_opts all = read_all(opts);
	int code = ht_audit_stream(&all, faith, &feed, &c->result);

	if (code != HT_AUDIT_OK)
		return code;
	if (is_list(c))
		end_list(c);
	return opts->output != NULL ? write_file(c, opts) : HT_AUDIT_OK;
}

int
ht_audit_complete(const struct ht_audit_opts *opts)
{
	struct ht_audit_opts asked = *opts;
	HT_AUTO(complete_free) struct complete *c = complete_new(&asked);
	struct ht_audit_faith faith;
	int code = ht_audit_faith(opts, &faith);

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

struct file {
	const char *path;
	struct ht_slice report; /* a note */
	struct ht_slice data;
	struct ht_slice checkpoint, query, frames;
};

static int
bad(const struct file *f, const char *what)
{
	ht_audit_say("BAD: %s: %s", f->path, what);
	return HT_AUDIT_BAD;
}

static int
take_apart(struct ht_slice bytes, struct file *f)
{
	const uint8_t *gap = memchr(bytes.at, 0, bytes.len);
	struct ht_cur cur;

	if (gap == NULL)
		return bad(f, "there is no data behind its report");
	f->report = HT_SLICE(bytes.at, (size_t)(gap - bytes.at));
	f->data = HT_SLICE(gap + 1, bytes.len - f->report.len - 1);
	cur = ht_cur(f->data);
	f->checkpoint = ht_cur_take(&cur, ht_cur_u32(&cur));
	f->query = ht_cur_take(&cur, ht_cur_u32(&cur));
	f->frames = HT_SLICE(cur.at, (size_t)(cur.end - cur.at));
	return cur.err == HT_OK ? HT_AUDIT_OK : bad(f, "it is cut off");
}

static bool
take_value(struct ht_slice *text, const char *name, struct ht_slice *ret)
{
	size_t len = strlen(name);

	if (!ht_text_line(text, ret) || ret->len <= len ||
	    memcmp(ret->at, name, len) != 0)
		return false;
	*ret = HT_SLICE(ret->at + len, ret->len - len);
	return true;
}

/* The report is what the data say, and the last three lines. */
static int
compare_report(struct complete *c, const struct file *f,
    const struct ht_note *note, struct ht_slice *ret_auditor)
{
	HT_AUTO(ht_buf_fini) struct ht_buf want = HT_BUF(REPORT_MAX);
	struct ht_slice rest = note->text, made, tool;

	report(c, f->data, &want);
	if (want.err != HT_OK)
		return HT_AUDIT_GONE;
	if (rest.len < want.len || memcmp(rest.at, want.at, want.len) != 0)
		return bad(f, "its report does not say what its entries say");
	rest = HT_SLICE(rest.at + want.len, rest.len - want.len);
	if (!take_value(&rest, "auditor: ", ret_auditor) ||
	    !take_value(&rest, "made: ", &made) ||
	    !take_value(&rest, "tool: ", &tool) || rest.len > 0)
		return bad(f, "its report has another form");
	return HT_AUDIT_OK;
}

static int
check_auditor(const struct file *f, const struct ht_note *note,
    struct ht_slice auditor, const struct ht_audit_faith *faith)
{
	uint64_t has = 0;

	for (unsigned i = 0; faith->root != NULL && i < faith->root->n_auditors;
	     i++) {
		if (!ht_slice_is(auditor, faith->root->auditors[i].name))
			continue;
		if (ht_note_verify(note, &faith->root->auditors[i], 1, &has) !=
		        HT_OK ||
		    has == 0)
			return bad(f, "the auditor's signature is false");
		printf(
		    "auditor    signed by %s\n", faith->root->auditors[i].name);
		return HT_AUDIT_OK;
	}
	if (faith->root != NULL)
		return bad(f, "who signed it is no auditor of the root");
	printf("auditor    signature NOT CHECKED: give --root or "
	       "--authority\n");
	return HT_AUDIT_OK;
}

static int
check_report(struct complete *c, const struct file *f,
    const struct ht_audit_faith *faith)
{
	struct ht_slice auditor;
	struct ht_note note;
	int code;

	if (ht_note_parse(f->report, &note) != HT_OK)
		return bad(f, "its report is no signed note");
	code = compare_report(c, f, &note, &auditor);
	if (code != HT_AUDIT_OK)
		return code;
	printf("\n%.*s", (int)note.text.len, (const char *)note.text.at);
	printf("checkpoint %s\n", c->result.judged.text);
	code = check_auditor(f, &note, auditor, faith);
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
	return HT_AUDIT_OK;
}

static int
replay(struct complete *c, const struct file *f,
    const struct ht_audit_faith *faith)
{
	HT_AUTO(ht_audit_print_free) struct ht_audit_print *print = NULL;
	const struct ht_audit_feed feed = {
	    .each = is_list(c) ? judge_look : judge_row,
	    .beside = keep_leaf,
	    .arg = c,
	    .stop_fd = -1};
	struct ht_audit_opts all = read_all(c->opts);
	int code;

	if (ht_audit_print_new(c->opts, "", stdout, false, &print) != HT_OK)
		return HT_AUDIT_GONE;
	c->each = ht_audit_print_row;
	c->arg = print;
	code = ht_audit_replay(
	    &all, faith, &feed, f->checkpoint, f->frames, &c->result);
	if (code == HT_AUDIT_OK && is_list(c))
		end_list(c);
	if (code == HT_AUDIT_OK && ht_audit_print_end(print) != HT_OK)
		code = HT_AUDIT_GONE;
	if (code == HT_AUDIT_OK)
		code = check_report(c, f, faith);
	if (code == HT_AUDIT_OK && fflush(stdout) == EOF)
		code = HT_AUDIT_GONE;
	return code;
}

int
ht_audit_verify_answer(const char *path, struct ht_slice bytes,
    const struct ht_audit_opts *opts, const struct ht_audit_faith *faith)
{
	struct ht_audit_opts asked = *opts;
	struct file f = {.path = path};
	const char *why = NULL;
	int code = take_apart(bytes, &f);

	if (code != HT_AUDIT_OK)
		return code;
	if (ht_query_decode(f.query, &asked.query, &why) != HT_OK)
		return bad(&f, why);
	if (asked.query.mode != HT_QUERY_SEARCH || asked.query.has_seq ||
	    asked.query.filter.limit > 0)
		return bad(&f, "its question has no complete answer");

	HT_AUTO(complete_free) struct complete *c = complete_new(&asked);

	return c == NULL ? HT_AUDIT_GONE : replay(c, &f, faith);
}
