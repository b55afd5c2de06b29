/*
 * lone_source.c -- a lone volume, or an archive of one, as what is asked: it is
 * opened once, however often it is asked; and what it cannot know is said.
 */
#include <string.h>

#include "broker/cli/tool.h"
#include "broker/log/evidence.h"
#include "broker/log/lone.h"

/* ---- opening ---- */

/* Tags are in the vault, of which a volume's file alone has nothing. */
static int
check_tags(const struct ht_audit_opts *opts)
{
	if (ht_lone_kind(opts->volume) != HT_LONE_VOLUME)
		return HT_AUDIT_OK;
	if (opts->subject != NULL)
		ht_audit_say("%s: whom an entry is about stands in its tag, "
		             "and tags are not in a volume's file; give an "
		             "archive of it",
		    opts->volume);
	else if (opts->n_annexes > 0)
		ht_audit_say("%s: an annex stands in its entry's tag, and tags "
		             "are not in a volume's file; give an archive of "
		             "it",
		    opts->volume);
	else
		return HT_AUDIT_OK;
	return HT_AUDIT_USAGE;
}

int
ht_audit_open_volume(struct ht_audit_opts *opts)
{
	enum ht_err err;
	int code;

	if (opts->volume == NULL)
		return HT_AUDIT_OK;
	code = check_tags(opts);
	if (code != HT_AUDIT_OK)
		return code;
	opts->found = ht_report_new();
	err = ht_log_open_lone(opts->volume, opts->found, &opts->log);
	if (err == HT_OK)
		return HT_AUDIT_OK;
	ht_audit_say_found(opts->found, opts->volume, err);
	return ht_audit_code(err);
}

void
ht_audit_close_volume(struct ht_audit_opts *opts)
{
	if (opts->volume != NULL)
		ht_log_close(&opts->log);
	ht_report_free(&opts->found);
}

void
ht_audit_narrow(struct ht_audit_opts *opts)
{
	uint64_t *start = &opts->query.filter.start_seq;

	if (opts->volume != NULL && *start < ht_log_begin(opts->log))
		*start = ht_log_begin(opts->log);
}

bool
ht_audit_is_volume(const struct ht_audit_opts *opts)
{
	if (ht_lone_kind(opts->dir) == HT_LONE_NONE)
		return false;
	ht_audit_say("%s is a closed volume, or an archive of one, and no "
	             "log's folder: search, show and others take it as "
	             "--volume FILE, and verify FILE checks it",
	    opts->dir);
	return true;
}

/* ---- what it does not have ---- */

/* What is not in a volume is no mistake of the log. */
int
ht_audit_not_here(const struct ht_query *q, const struct ht_log *log)
{
	unsigned long long first = ht_log_begin(log), end = ht_log_size(log);

	if (q->has_seq && log->lone == NULL)
		ht_audit_say("entry %llu is not here: the entries below %llu "
		             "were removed; search --type REMOVED shows by "
		             "which entries",
		    (unsigned long long)q->seq, first);
	else if (q->has_seq)
		ht_audit_say("entry %llu stands before this volume, which has "
		             "the entries %llu to %llu; ask the log, or the "
		             "volume before",
		    (unsigned long long)q->seq, first, end - 1);
	else
		ht_audit_say("what is asked for stands before this volume, "
		             "which has the entries %llu to %llu; ask the "
		             "log, or the volume before",
		    first, end - 1);
	return HT_AUDIT_NONE;
}

const char *
ht_audit_no_volume(const char *verb)
{
	static const char *const why[][2] = {
	    {"fsck",
             "fsck holds the parts of a log against one another, and one "
	        "volume is no log: hutong-audit verify FILE checks all of it"},
	    {"verify",
             "what is verified is named alone: hutong-audit verify FILE, of "
	        "a volume or an archive"                                     },
	    {"archive",  "archive takes a volume from its log: --dir says where "
	                "that is"                     },
	    {"tail",
             "a closed volume has no news; search --volume shows what is in "
	        "it, from --start ENTRY on"                                  },
	    {"erase",
             "an order to erase is about a whole log, of which a volume has "
	        "a part: ask that (--dir, --socket)"                         },
	    {"disclose",
             "what is hidden from a subject, and what was disclosed, a "
	        "whole "
	        "log knows, and a volume a part: ask that (--dir, --socket)" },
	    {"witness",
             "a volume has the one checkpoint that it ends with; search "
	        "--volume FILE --policy FILE says who cosigned it"           },
	};

	for (size_t i = 0; i < HT_COUNT(why); i++)
		if (strcmp(verb, why[i][0]) == 0)
			return why[i][1];
	return NULL;
}

/* ---- what it cannot know ---- */

static void
print_lost(const struct ht_audit_result *r, FILE *out)
{
	if (r->lost > 0)
		fprintf(out,
		    "unknown    %llu entries of the %s, such as EXPIRED, only "
		    "cite a request before this volume:\n           whom and "
		    "what they are about is not known, and no condition on "
		    "that finds them\n",
		    (unsigned long long)r->lost,
		    r->end_seq > 0 ? "range" : "volume");
	if (r->untimed > 0)
		fprintf(out,
		    "untimed    %llu answers, whose requests stand before it: "
		    "how long they took is not known, and\n           is not "
		    "among the times\n",
		    (unsigned long long)r->untimed);
}

static void
print_volume(
    const struct ht_audit_opts *opts, uint64_t begin, uint64_t size, FILE *out)
{
	fprintf(out,
	    "volume     %s alone: entries %llu to %llu of the log; what stands "
	    "before or after\n           is not in it%s\n",
	    opts->volume, (unsigned long long)begin,
	    (unsigned long long)size - 1,
	    ht_lone_kind(opts->volume) == HT_LONE_VOLUME
	        ? ", nor are tags and bodies"
	        : "");
}

void
ht_audit_footer_volume(const struct ht_audit_opts *opts,
    const struct ht_audit_result *r, FILE *out)
{
	if (opts->volume == NULL)
		return;
	print_volume(opts, r->begin, r->answer.size, out);
	print_lost(r, out);
}

void
ht_audit_footer_part(const struct ht_audit_result *r, FILE *out)
{
	uint64_t begin = r->begin > r->list.from ? r->begin : r->list.from;

	if (begin == 0)
		return;
	fprintf(out,
	    "part       of a volume that begins with entry %llu: what stands "
	    "before is not in it\n",
	    (unsigned long long)begin);
	print_lost(r, out);
}

/* ---- exchanges of which a part is here ---- */

static bool
is_cited(const struct ht_rows *rows, uint64_t seq)
{
	for (size_t i = 0; i < rows->n; i++)
		if (rows->at[i].entry.cites == seq + 1)
			return true;
	return false;
}

static void
count_one(uint64_t seq, uint64_t *n, uint64_t *first)
{
	if ((*n)++ == 0)
		*first = seq;
}

void
ht_audit_cut_add(struct ht_audit_cut *cut, const struct ht_rows *rows)
{
	for (size_t i = 0; i < rows->n; i++) {
		const struct ht_entry *e = &rows->at[i].entry;

		if (e->cites > 0 && e->cites <= cut->begin)
			count_one(e->seq, &cut->no_ask, &cut->first_ask);
		if (e->type == HT_ENTRY_REQUEST && !is_cited(rows, e->seq))
			count_one(e->seq, &cut->no_end, &cut->first_end);
	}
}

void
ht_audit_footer_cut(
    const struct ht_audit_opts *opts, const struct ht_audit_cut *cut, FILE *out)
{
	if (opts->volume == NULL)
		return;
	print_volume(opts, cut->begin, cut->size, out);
	if (cut->no_ask > 0)
		fprintf(out,
		    "cut off    the requests of %llu entries, first of entry "
		    "%llu, stand before this volume, and are not here\n",
		    (unsigned long long)cut->no_ask,
		    (unsigned long long)cut->first_ask);
	if (cut->no_end > 0)
		fprintf(out,
		    "cut off    what became of %llu requests, first of entry "
		    "%llu, is not in this volume\n",
		    (unsigned long long)cut->no_end,
		    (unsigned long long)cut->first_end);
}
