/*
 * apply_list.c -- hutong apply list and show: what stands where, whose turn it
 * is, and until when; from a folder, a calendar and a catalog, no exchange.
 */
#include <string.h>
#include <sys/stat.h>

#include "adapters/cli/apply.h"
#include "adapters/cli/catalog.h"
#include "lib/base/clock.h"
#include "lib/base/fs.h"
#include "lib/term/table.h"
#include "schemas/json.h"

struct listing {
	const char *calendar_path, *catalog, *member, *at, *format;
	bool overdue, remind;
	uint64_t now_ms;
	struct ht_calendar *calendar;
	struct ht_casebook *book;
	size_t left_out; /* notes that could not be read */
};

/* One application, as it is listed. */
struct line {
	const struct ht_case_file *file;
	const struct ht_grant *asks;
	struct ht_case_due due;
	const char *grant; /* of what was approved: its state; else "" */
	bool overdue;
};

/* ---- the catalog ---- */

/* A document of it; false when there is none, *ret_rc when it is broken. */
static bool
find_doc(const char *dir, enum ht_doc_kind kind, const char *name,
    struct ht_doc **ret, int *ret_rc)
{
	HT_AUTO(ht_buf_fini) struct ht_buf bytes = HT_BUF(HT_DOC_MAX);
	HT_AUTO(ht_report_free) struct ht_report *report = ht_report_new();
	HT_AUTO(ht_mem_free) char *path = NULL;
	char file[HT_DOC_PATH_MAX];
	enum ht_err err;

	ht_doc_path(kind, name, file);
	path = ht_fs_join(dir, file);
	err = path != NULL ? ht_fs_read(path, &bytes) : HT_ENOMEM;
	if (err == HT_ENOTFOUND)
		return false;
	if (err == HT_OK)
		err = ht_doc_parse(ht_buf_slice(&bytes), path, report, ret);
	if (err != HT_OK)
		*ret_rc = ht_cli_error(err, report, "cannot read", path);
	return err == HT_OK;
}

static int
share_of(
    const struct listing *l, const struct ht_grant *asks, enum ht_share *ret)
{
	HT_AUTO(ht_doc_unref) struct ht_doc *doc = NULL;
	char name[HT_DOC_NAME_MAX + 16];
	int rc = HT_CLI_GO;

	(void)snprintf(name, sizeof(name), "%s@%u", asks->item, asks->version);
	if (find_doc(l->catalog, HT_DOC_ITEM, name, &doc, &rc)) {
		*ret = doc->item->share;
		return HT_CLI_GO;
	}
	if (rc != HT_CLI_GO)
		return rc;
	return ht_cli_fail(HT_EXIT_REFUSED,
	    "%s has no item %s, and its term hangs on how it is shared; name "
	    "with --catalog a folder of documents that has it",
	    l->catalog, name);
}

/* "" while there is no grant yet. */
static int
grant_of(const struct listing *l, const char *name, const char **ret)
{
	HT_AUTO(ht_doc_unref) struct ht_doc *doc = NULL;
	int rc = HT_CLI_GO;

	if (!find_doc(l->catalog, HT_DOC_GRANT, name, &doc, &rc))
		return rc;
	switch (doc->grant->grant.state) {
	case HT_GRANT_SUSPENDED:
		*ret = "suspended";
		break;
	case HT_GRANT_TERMINATED:
		*ret = "terminated";
		break;
	case HT_GRANT_ACTIVE:
		*ret = l->now_ms < doc->grant->grant.until_ms ? "granted"
		                                              : "expired";
		break;
	}
	return HT_CLI_GO;
}

/* ---- a line ---- */

static int
look_at(
    const struct listing *l, const struct ht_case_file *file, struct line *ret)
{
	HT_AUTO(ht_report_free) struct ht_report *report = ht_report_new();
	const struct ht_case *now = &file->now;
	enum ht_share share = HT_SHARE_CONDITIONAL;
	enum ht_err err;
	int rc = HT_CLI_GO;

	*ret = (struct line){.file = file, .grant = ""};
	ret->asks = &now->application->application->asks.grant;
	if (now->state == HT_CASE_SUBMITTED || now->state == HT_CASE_ACCEPTED)
		rc = share_of(l, ret->asks, &share);
	if (now->state == HT_CASE_APPROVED)
		rc = grant_of(l, now->answer->answer->grant, &ret->grant);
	if (rc != HT_CLI_GO)
		return rc;
	err = ht_case_due(
	    now, share, ret->grant[0] != '\0', l->calendar, report, &ret->due);
	if (err != HT_OK)
		return ht_cli_error(
		    err, report, "cannot tell when it is due:", file->name);
	ret->overdue = ret->due.due_ms > 0 && l->now_ms >= ret->due.due_ms;
	return HT_CLI_GO;
}

static bool
is_wanted(const struct listing *l, const struct line *line)
{
	const struct ht_case_file *file = line->file;

	if (l->member != NULL && strcmp(l->member, file->applicant) != 0 &&
	    strcmp(l->member, file->provider) != 0)
		return false;
	if (l->overdue && !line->overdue)
		return false;
	return !l->remind ||
	       (line->due.due_ms > 0 && l->now_ms >= line->due.remind_ms);
}

static const char *
turn_of(const struct line *line)
{
	switch (line->due.turn) {
	case HT_TURN_PROVIDER:
		return line->file->provider;
	case HT_TURN_APPLICANT:
		return line->file->applicant;
	case HT_TURN_NOBODY:
		break;
	}
	return "";
}

/* ---- printing ---- */

enum {
	COLUMN_APPLICATION,
	COLUMN_ITEM,
	COLUMN_APPLICANT,
	COLUMN_PROVIDER,
	COLUMN_STATE,
	COLUMN_SINCE,
	COLUMN_TURN,
	COLUMN_DUE,
	COLUMN_OVERDUE,
	COLUMNS
};
static const char *const columns[COLUMNS] = {"application", "item", "applicant",
    "provider", "state", "since", "turn", "due", "overdue"};

struct cells {
	char since[17], due[11];
	const char *at[COLUMNS];
};

static void
fill(const struct listing *l, const struct line *line, struct cells *ret)
{
	const struct ht_case *now = &line->file->now;
	const char *state = ht_case_state_text(now->state);

	ht_calendar_text(l->calendar,
	    now->ended_ms > 0 ? now->ended_ms : now->from_ms, ret->since);
	ret->due[0] = '\0';
	if (line->due.due_ms > 0)
		ht_calendar_last_day(l->calendar, line->due.due_ms, ret->due);
	ret->at[COLUMN_APPLICATION] = line->file->name;
	ret->at[COLUMN_ITEM] = line->asks->item;
	ret->at[COLUMN_APPLICANT] = line->file->applicant;
	ret->at[COLUMN_PROVIDER] = line->file->provider;
	ret->at[COLUMN_STATE] = line->grant[0] != '\0' ? line->grant : state;
	ret->at[COLUMN_SINCE] = ret->since;
	ret->at[COLUMN_TURN] = turn_of(line);
	ret->at[COLUMN_DUE] = ret->due;
	ret->at[COLUMN_OVERDUE] = line->overdue ? "yes" : "";
}

static int
print_json(const struct cells *cells)
{
	HT_AUTO(ht_buf_fini) struct ht_buf out = HT_BUF(65536);
	HT_AUTO(ht_json_free) json_t *json = json_object();

	for (size_t i = 0; i < COLUMN_OVERDUE; i++)
		ht_json_set_text(json, columns[i], ht_slice_str(cells->at[i]));
	if (json_object_set_new(json, columns[COLUMN_OVERDUE],
	        json_boolean(cells->at[COLUMN_OVERDUE][0] != '\0')) != 0 ||
	    ht_json_print(json, &out) != HT_OK || ht_buf_text(&out) == NULL)
		return ht_cli_fail(HT_EXIT_UNAVAILABLE, "out of memory");
	puts(ht_buf_text(&out));
	return HT_CLI_GO;
}

static int
print_lines(const struct listing *l, struct ht_table *table)
{
	bool json = l->format != NULL && strcmp(l->format, "jsonl") == 0;
	int rc = HT_CLI_GO;

	for (size_t i = 0; i < l->book->n_files && rc == HT_CLI_GO; i++) {
		struct ht_slice row[COLUMNS];
		struct cells cells;
		struct line line;

		if (l->book->files[i].damaged)
			continue; /* how it stands is not known */
		rc = look_at(l, &l->book->files[i], &line);
		if (rc != HT_CLI_GO || !is_wanted(l, &line))
			continue;
		fill(l, &line, &cells);
		for (size_t c = 0; c < COLUMNS; c++)
			row[c] = ht_slice_str(cells.at[c]);
		if (json)
			rc = print_json(&cells);
		else
			ht_table_add(table, row);
	}
	return rc;
}

static int
print_all(const struct listing *l)
{
	HT_AUTO(ht_table_free) struct ht_table *table = NULL;
	struct ht_column heads[COLUMNS] = {0};
	enum ht_err err;
	int rc;

	for (size_t i = 0; i < COLUMNS; i++)
		heads[i].name = columns[i];
	err = ht_table_new(heads, COLUMNS, &table);
	if (err != HT_OK)
		return ht_cli_error(err, NULL, "cannot list", l->book->dir);
	rc = print_lines(l, table);
	if (rc != HT_CLI_GO)
		return rc;
	err = l->format != NULL && strcmp(l->format, "csv") == 0
	          ? ht_table_csv(table, stdout)
	          : ht_table_print(table, stdout);
	if (err != HT_OK || fflush(stdout) != 0)
		return ht_cli_error(
		    err, NULL, "cannot write", "standard output");
	return HT_EXIT_OK;
}

/* ---- list ---- */

/* All that can be read; what cannot is said, and at the end by the status. */
static int
open_book(struct listing *l, const char *dir)
{
	HT_AUTO(ht_report_free) struct ht_report *report = ht_report_new();
	struct stat st;
	enum ht_err err;

	if (stat(dir, &st) != 0 || !S_ISDIR(st.st_mode))
		return ht_cli_fail(HT_EXIT_UNAVAILABLE,
		    "%s: there is no such folder; `hutong apply fetch` makes "
		    "one",
		    dir);
	err = ht_casebook_open_some(dir, report, &l->left_out, &l->book);
	if (err != HT_OK)
		return ht_cli_error(err, report, "cannot read", dir);
	ht_cli_report(report);
	return HT_CLI_GO;
}

static int
say_left_out(const struct listing *l)
{
	if (l->left_out == 0)
		return HT_EXIT_OK;
	return ht_cli_fail(HT_EXIT_REFUSED,
	    "%zu notes cannot be read (above), and their applications are not "
	    "listed; put them back from another copy of the folder",
	    l->left_out);
}

static int
open_listing(struct listing *l, const char *dir)
{
	HT_AUTO(ht_report_free) struct ht_report *report = ht_report_new();
	enum ht_err err;
	int rc;

	if (l->format != NULL && strcmp(l->format, "table") != 0 &&
	    strcmp(l->format, "csv") != 0 && strcmp(l->format, "jsonl") != 0)
		return ht_cli_fail(HT_EXIT_USAGE,
		    "--format is table, jsonl or csv, not \"%s\"", l->format);
	rc = ht_cli_time("--at", l->at, ht_clock_wall_ms(), &l->now_ms);
	if (rc != HT_CLI_GO)
		return rc;
	err = ht_calendar_load(l->calendar_path, report, &l->calendar);
	if (err != HT_OK)
		return ht_cli_error(
		    err, report, "cannot read", l->calendar_path);
	return open_book(l, dir);
}

static int
list(int argc, char **argv)
{
	static struct listing l;
	const struct ht_opt opts[] = {
	    HT_OPT_NEED("calendar", "FILE", l.calendar_path,
	        "working days and terms (docs/applications.md)"),
	    HT_OPT_NEED("catalog", "DIR", l.catalog,
	        "items and grants: the authority's folder, or a node's "
	        "state/trust-N"),
	    HT_OPT_FLAG(
	        "overdue", l.overdue, "only what should be done by now"),
	    HT_OPT_FLAG("remind", l.remind,
	        "only what is due within the term `remind`, or overdue"),
	    HT_OPT_MAY(
	        "for", "MEMBER", l.member, "only of, or to, this member"),
	    HT_OPT_MAY("at", "TIME", l.at, "as it is then; else now"),
	    HT_OPT_MAY(
	        "format", "FORMAT", l.format, "table (default), jsonl or csv"),
	};
	const struct ht_usage_of takes = {
	    "hutong apply list DIR --calendar FILE --catalog DIR [--overdue] "
	    "[--remind] [--for MEMBER]",
	    opts, HT_COUNT(opts), 1, 1};
	struct ht_args args;
	int rc = ht_cli_options(&takes, argc, argv, &args);

	if (rc == HT_CLI_GO)
		rc = open_listing(&l, args.at[0]);
	if (rc == HT_CLI_GO)
		rc = print_all(&l);
	if (rc == HT_EXIT_OK && l.book != NULL)
		rc = say_left_out(&l);
	ht_casebook_free(&l.book);
	ht_calendar_free(&l.calendar);
	return rc;
}

/* ---- show ---- */

static int
show(int argc, char **argv)
{
	HT_AUTO(ht_casebook_free) struct ht_casebook *book = NULL;
	const struct ht_case_file *file = NULL;
	const struct ht_usage_of takes = {
	    "hutong apply show DIR APPLICATION", NULL, 0, 2, 2};
	struct ht_args args;
	int rc = ht_cli_options(&takes, argc, argv, &args);

	if (rc == HT_CLI_GO)
		rc = ht_cli_casebook(args.at[0], &book);
	if (rc == HT_CLI_GO)
		rc = ht_cli_case(book, args.at[1], &file);
	if (rc != HT_CLI_GO)
		return rc;
	for (size_t i = 0; i < book->n_notes; i++) {
		const struct ht_case_note *note = &book->notes[i];

		if (&book->files[note->file] != file)
			continue;
		printf("# received %s\n", note->receipt);
		(void)fwrite(
		    note->doc->bytes.at, 1, note->doc->bytes.len, stdout);
		putchar('\n');
	}
	printf("# %s is %s\n", file->name, ht_case_state_text(file->now.state));
	return HT_EXIT_OK;
}

const struct ht_verb ht_apply_list = {
    .name = "list",
    .synopsis = "DIR --calendar FILE --catalog DIR [--overdue] [--remind]",
    .help = "applications, whose turn it is, and what is overdue",
    .run = list,
};
const struct ht_verb ht_apply_show = {
    .name = "show",
    .synopsis = "DIR APPLICATION",
    .help = "all notes of one application, as they came",
    .run = show,
};
