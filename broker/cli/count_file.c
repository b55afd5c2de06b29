#include "broker/cli/count_file.h"

#include <string.h>

#include "broker/cli/count_how.h"

#define REPORT_MAX (64 * 1024)

/* ---- the report ---- */

static void
add_catalog(const struct ht_count *c, struct ht_buf *out)
{
	const struct ht_doc *snapshot = ht_papers_snapshot(c->papers);
	char hex[2 * HT_HASH_SIZE + 1];

	if (snapshot == NULL) {
		ht_buf_str(out, "catalog: none\n");
		return;
	}
	ht_hex(hex, snapshot->hash.at, HT_HASH_SIZE);
	ht_buf_fmt(out, "catalog: %llu %s, named by %llu of %llu\n",
	    (unsigned long long)snapshot->snapshot->version, hex,
	    (unsigned long long)c->named, (unsigned long long)c->matched);
}

static size_t
count_lines(struct ht_slice text)
{
	size_t n = 0;

	for (size_t i = 0; i < text.len; i++)
		n += text.at[i] == '\n';
	return n;
}

/* All that follows from the data. */
static void
report(const struct ht_count *c, struct ht_slice rows, struct ht_slice data,
    struct ht_buf *out)
{
	HT_AUTO(ht_buf_fini) struct ht_buf query = HT_BUF(REPORT_MAX);
	struct ht_hash sum = ht_sha256(data), of_rows = ht_sha256(rows);
	struct ht_kept_range range = {.first = c->result.first_seq,
	    .next = c->result.end_seq,
	    .scanned = c->scanned};
	struct ht_audit_opts asked = *c->opts;
	char hex[2 * HT_HASH_SIZE + 1];

	ht_audit_narrow(&asked);
	ht_audit_question(&asked, &query);
	range.query = ht_buf_slice(&query);
	ht_kept_add_head(out, HT_COUNTS_LABEL, &c->result.checkpoint, &range);
	ht_buf_fmt(out, "counted: %llu\n", (unsigned long long)c->matched);
	ht_kept_add_part(out, &c->result);
	add_catalog(c, out);
	ht_hex(hex, of_rows.at, HT_HASH_SIZE);
	ht_buf_fmt(out, "rows: %zu %s\n", count_lines(rows), hex);
	ht_kept_add_hash(out, "data", &sum);
	if (query.err != HT_OK)
		out->err = query.err;
}

/* ---- making ---- */

/* What stands before the frames. */
static enum ht_err
make_head(const struct ht_count *c, struct ht_slice rows, struct ht_buf *out)
{
	HT_AUTO(ht_buf_fini) struct ht_buf query = HT_BUF(HT_QUERY_MAX);
	HT_AUTO(ht_buf_fini) struct ht_buf how = HT_BUF(HT_HOW_MAX);
	HT_AUTO(ht_buf_fini) struct ht_buf papers = HT_BUF(HT_ANSWER_MAX);
	struct ht_audit_opts asked = *c->opts;
	enum ht_err err;

	ht_audit_narrow(&asked);
	err = ht_query_encode(&asked.query, &query);
	ht_count_how_encode(c->opts, &how);
	if (err == HT_OK)
		err = how.err;
	if (err == HT_OK)
		err = ht_papers_pack(c->papers, &papers);
	if (err != HT_OK)
		return err;
	ht_kept_add(out, rows);
	ht_kept_add(out, ht_buf_slice(&c->result.answer.checkpoint));
	ht_kept_add(out, ht_buf_slice(&query));
	ht_kept_add(out, ht_buf_slice(&how));
	ht_kept_add(out, ht_buf_slice(&papers));
	return out->err;
}

int
ht_count_file_write(const struct ht_count *c, struct ht_slice rows)
{
	HT_AUTO(ht_buf_fini) struct ht_buf data = HT_BUF(HT_ANSWER_MAX);
	HT_AUTO(ht_buf_fini) struct ht_buf text = HT_BUF(REPORT_MAX);
	enum ht_err err = make_head(c, rows, &data);

	ht_buf_add(&data, c->frames.at, c->frames.len);
	if (err == HT_OK)
		err = c->frames.err == HT_OK ? data.err : c->frames.err;
	if (err == HT_ETOOBIG) {
		ht_audit_say("%s is not written: the entries of the period "
		             "take more than the %zu MiB that a file may have; "
		             "ask for a shorter period, or without -o",
		    c->opts->output, HT_ANSWER_MAX >> 20);
		return HT_AUDIT_CUT;
	}
	if (err != HT_OK) {
		ht_audit_say("%s cannot be written: %s", c->opts->output,
		    ht_err_text(err));
		return HT_AUDIT_GONE;
	}
	report(c, rows, ht_buf_slice(&data), &text);
	return ht_kept_write(c->opts, &text, ht_buf_slice(&data));
}

/* ---- verifying ---- */

int
ht_count_file_open(
    const char *path, struct ht_slice bytes, struct ht_count_file *f)
{
	int code = ht_kept_open(path, bytes, &f->kept);

	if (code != HT_AUDIT_OK)
		return code;
	f->rows = ht_kept_piece(&f->kept);
	f->note = ht_kept_piece(&f->kept);
	f->query = ht_kept_piece(&f->kept);
	f->how = ht_kept_piece(&f->kept);
	f->papers = ht_kept_piece(&f->kept);
	if (f->kept.rest.err != HT_OK)
		return ht_kept_bad(&f->kept, "it is cut off");
	f->frames = HT_SLICE(
	    f->kept.rest.at, (size_t)(f->kept.rest.end - f->kept.rest.at));
	return HT_AUDIT_OK;
}

/* The first line that is another. */
static int
compare_rows(const struct ht_kept *k, struct ht_slice has, struct ht_slice want)
{
	size_t same = 0;
	char what[96];

	while (
	    same < has.len && same < want.len && has.at[same] == want.at[same])
		same++;
	if (same == has.len && same == want.len)
		return HT_AUDIT_OK;
	(void)snprintf(what, sizeof(what),
	    "its row %zu is not what its entries give",
	    count_lines(HT_SLICE(want.at, same)) + 1);
	return ht_kept_bad(k, what);
}

static int
compare_papers(const struct ht_count *c)
{
	const struct ht_kept *k = &c->file->kept;
	const char *name = NULL;
	char what[HT_DOC_NAME_MAX + 96];
	enum ht_err err = ht_papers_err(c->papers, &name);

	if (err != HT_OK && err != HT_EINTEGRITY) {
		ht_audit_say("%s: %s", k->path, ht_err_text(err));
		return HT_AUDIT_GONE;
	}
	(void)snprintf(what, sizeof(what),
	    "%s is on the list of its papers, and missing", name);
	if (err == HT_OK) {
		name = ht_papers_unused(c->papers);
		(void)snprintf(what, sizeof(what),
		    "%s is among its papers, and nothing is taken from it",
		    name);
	}
	return name == NULL ? HT_AUDIT_OK : ht_kept_bad(k, what);
}

/* It has one form: what was made of it makes the same. */
static int
compare_head(const struct ht_count *c, struct ht_slice rows)
{
	HT_AUTO(ht_buf_fini) struct ht_buf head = HT_BUF(HT_ANSWER_MAX);
	const struct ht_count_file *f = c->file;

	if (make_head(c, rows, &head) != HT_OK)
		return HT_AUDIT_GONE;
	return head.len == f->kept.data.len - f->frames.len &&
	               memcmp(head.at, f->kept.data.at, head.len) == 0
	           ? HT_AUDIT_OK
	           : ht_kept_bad(
	                 &f->kept, "its question is not the one of its report");
}

int
ht_count_file_compare(const struct ht_count *c, struct ht_slice rows)
{
	int code = compare_papers(c);

	if (code == HT_AUDIT_OK)
		code = compare_rows(&c->file->kept, c->file->rows, rows);
	return code == HT_AUDIT_OK ? compare_head(c, rows) : code;
}

/* Whose word the promises and names are: the authority's, or the log's. */
static int
end_papers(const struct ht_count *c)
{
	HT_AUTO(ht_report_free) struct ht_report *found = ht_report_new();
	const struct ht_doc *snapshot = ht_papers_snapshot(c->papers);
	const struct ht_root *root = c->faith->root;

	if (snapshot == NULL)
		return HT_AUDIT_OK;
	if (root != NULL &&
	    ht_doc_check_signed(snapshot, root, NULL, found) != HT_OK)
		return ht_kept_bad(&c->file->kept,
		    "the snapshot of its papers is not signed by the root's "
		    "snapshot key");
	printf("catalog    snapshot %llu, %s; %llu of %llu entries counted "
	       "name it\n",
	    (unsigned long long)snapshot->snapshot->version,
	    root != NULL ? "signed by the authority"
	                 : "signature NOT CHECKED: give --root or --authority",
	    (unsigned long long)c->named, (unsigned long long)c->matched);
	return root != NULL || c->named > 0 ? HT_AUDIT_OK : HT_AUDIT_PART;
}

int
ht_count_file_end(const struct ht_count *c, struct ht_slice rows)
{
	HT_AUTO(ht_buf_fini) struct ht_buf want = HT_BUF(REPORT_MAX);
	const struct ht_count_file *f = c->file;
	int code;

	report(c, rows, f->kept.data, &want);
	if (want.err != HT_OK)
		return HT_AUDIT_GONE;
	code =
	    ht_kept_check(&f->kept, ht_buf_slice(&want), c->faith, &c->result);
	if (code != HT_AUDIT_OK)
		return code;
	code = end_papers(c);
	if (code == HT_AUDIT_OK || code == HT_AUDIT_PART)
		printf("complete   every entry of the period was counted "
		       "again, and none is missing\n");
	ht_audit_footer_part(&c->result, stdout);
	return code;
}

/* What stands in a query and nobody counts by. */
static bool
is_counted_by(const struct ht_query *q)
{
	const struct ht_filter *f = &q->filter;

	return q->mode == HT_QUERY_SEARCH && !q->has_seq && !q->evidence &&
	       q->last == 0 && q->since == 0 && f->limit == 0 &&
	       !f->has_subject;
}

int
ht_audit_verify_counts(const char *path, struct ht_slice bytes,
    const struct ht_audit_opts *opts, const struct ht_audit_faith *faith)
{
	struct ht_audit_opts asked = *opts;
	struct ht_count_file file;
	struct ht_count_how how;
	const char *why = NULL;
	int code = ht_count_file_open(path, bytes, &file);

	if (code != HT_AUDIT_OK)
		return code;
	if (opts->format == HT_AUDIT_OCSF) {
		ht_audit_say(
		    "%s: figures have --format table, jsonl or csv", path);
		return HT_AUDIT_USAGE;
	}
	if (ht_query_decode(file.query, &asked.query, &why) != HT_OK)
		return ht_kept_bad(&file.kept, why);
	if (!is_counted_by(&asked.query) ||
	    ht_count_how_decode(file.how, &how) != HT_OK)
		return ht_kept_bad(
		    &file.kept, "its question is none that counts");
	ht_count_how_apply(&how, &asked);
	code = how.month[0] != '\0' ? ht_count_report(&asked, &file, faith)
	                            : ht_count_stats(&asked, &file, faith);
	return code == HT_AUDIT_USAGE
	           ? ht_kept_bad(&file.kept, "its question is none that counts")
	           : code;
}
