/*
 * tool.h -- what the verbs of hutong-audit(1) share: options, where the
 * entries come from, whom to believe, and printing.
 */
#ifndef HT_BROKER_CLI_TOOL_H
#define HT_BROKER_CLI_TOOL_H

#include <stdio.h>

#include "broker/audit/list.h"
#include "broker/audit/query.h"
#include "broker/log/archive_read.h"
#include "keys/keyfile.h"
#include "keys/proof.h"
#include "keys/quorum.h"
#include "schemas/json.h"
#include "schemas/trust.h"

/* hutong-audit(1), "EXIT STATUS". */
enum {
	HT_AUDIT_OK = 0,
	HT_AUDIT_NONE = 1,
	HT_AUDIT_USAGE = 2,
	HT_AUDIT_GONE = 3,  /* unavailable: a file, a broker, the disk */
	HT_AUDIT_BAD = 4,   /* integrity */
	HT_AUDIT_UNMET = 5, /* too few witnesses, or too old */
	HT_AUDIT_OLD = 6,   /* an older log was put back */
	HT_AUDIT_CUT = 7,   /* cut off by a limit that was not asked for */
	HT_AUDIT_PART =
	    8, /* what could be checked holds, and something could not */
};

enum ht_audit_format {
	HT_AUDIT_TABLE,
	HT_AUDIT_JSONL,
	HT_AUDIT_CSV,
	HT_AUDIT_OCSF,
	HT_AUDIT_TRACKER, /* `subject` alone */
};

/* An order to be drafted; as given, checked by the draft's reader. */
struct ht_erase_opts {
	const char *order;
	const char *basis;
	const char *until;
	const char *entries;
	const char *epoch;
	const char *before;
	const char *over;
	bool bodies;
};

#define HT_AUDIT_KEYS     8  /* epochs whose keys one question may bring */
#define HT_AUDIT_THEN     8  /* folders of trust documents of then */
#define HT_AUDIT_OPENINGS 64 /* contents that parties show */

struct ht_audit_cursor;

struct ht_audit_opts {
	const char *dir;
	const char *volume; /* file: of a closed volume, or an archive */
	struct ht_log *log; /* one that is open already; NULL: one of these */
	struct ht_report *found; /* with it; ht_audit_open_volume() */
	const char *socket;
	const char *key; /* file of the auditor's key */
	/* Files of epochs' tracker and annex keys. */
	const char *trackers[HT_AUDIT_KEYS];
	unsigned n_trackers;
	const char *annexes[HT_AUDIT_KEYS];
	unsigned n_annexes;
	/* Of these trackers, once they were opened; else none. */
	const char *epochs[HT_AUDIT_KEYS];
	unsigned n_epochs;
	const char *root; /* file */
	const char *vkey; /* text */
	const char *authority;
	const char *then[HT_AUDIT_THEN]; /* folders, as they were in force */
	unsigned n_then;
	const char *openings[HT_AUDIT_OPENINGS]; /* "N=FILE" */
	unsigned n_openings;
	bool hashes;        /* a mirror without entries */
	const char *show;   /* fields of the annex, by commas */
	const char *policy; /* file: logs, witnesses, quorum */
	bool complete;      /* an answer whose completeness can be verified */
	const char *output; /* file; NULL: standard output */
	bool scan;          /* look at every entry: believe no index */
	enum ht_audit_format format;
	struct ht_query query;
	const char *subject; /* as given; becomes query.filter.subject */
	bool for_subject;    /* what the subject may see */
	struct ht_erase_opts erase;
	const char *cursor; /* file; NULL: none */
	bool follow;
	const char *counts;    /* "stats", "report"; NULL: rows */
	const char *by;        /* stats: fields */
	const char *period;    /* stats: "day", "month"; NULL: none */
	const char *month;     /* report: "2026-03" */
	int zone_minutes;      /* where a day and a month begin */
	bool from_day, to_day; /* these were dates alone: days of that zone */
	bool chinese;          /* headings */
};

/* Whom to believe; each is there or not. */
struct ht_audit_faith {
	bool has_vkey;
	struct ht_vkey vkey; /* the log's */
	struct ht_quorum *quorum;
	struct ht_root *root; /* the auditors' keys */
	struct ht_trust *trust;
};
/* From --vkey, --root, --authority and --policy.  An exit code; says what is
 * wrong. */
int ht_audit_faith(
    const struct ht_audit_opts *opts, struct ht_audit_faith *ret);
void ht_audit_faith_fini(struct ht_audit_faith *faith);

/* A root note: an exit code; says what is wrong. */
int ht_audit_root(const char *path, struct ht_root *ret);

/* What became of a checkpoint that somebody gave us. */
struct ht_audit_judged {
	struct ht_checkpoint cp;
	bool checked;    /* by the log's key or the policy */
	char text[2048]; /* "signed by the log's key, cosigned by ..." */
};
/*
 * Judge a checkpoint's note by what is believed.  @where is for messages.  An
 * exit code (4; 5 when the policy's quorum is not met); says what is wrong.
 */
int ht_audit_judge(const struct ht_audit_faith *faith, const char *where,
    struct ht_slice note, struct ht_audit_judged *ret);

/* An answer, from a folder or a broker, with its checkpoint opened. */
struct ht_audit_result {
	struct ht_audit_answer answer;
	struct ht_checkpoint checkpoint;
	struct ht_audit_judged judged; /* the same; whose word stands for it */
	bool noted; /* asked of a broker: the query is entry `place` */
	uint64_t place;
	char auditor[HT_NAME_MAX + 1]; /* who asked it; "" */
	uint8_t salt[HT_SALT_SIZE];
	bool indexed;        /* an index was used, and could leave things out */
	uint64_t behind;     /* entries after the checkpoint (folder only) */
	uint64_t begin;      /* entries below are not there to be asked for */
	uint64_t removed_by; /* what says so, of a log; or 0 */
	uint64_t lost;       /* that have no header and cite one of these */
	bool complete; /* all entries [first_seq, end_seq) were looked at */
	uint64_t first_seq, end_seq;
	/* The period may have more, where a lone volume does not reach. */
	bool more_before, more_after;
	uint64_t untimed; /* answers whose requests stand below `begin` */
	struct ht_list_counts list; /* of mode LIST */
	bool hashed;                /* SHA-256 of what was printed: */
	struct ht_hash output;
};
/*
 * "registry:id": a registry of the items of --authority, and an id that one of
 * them takes; without --authority, an id of the registry's format, if it has
 * one.  An exit code; says what is wrong.
 */
int ht_audit_identity(const struct ht_audit_faith *faith, const char *subject);
/*
 * opts->subject into the query: a pseudonym as it is, or made with the
 * tracker key.  An exit code; says what is wrong.
 */
int ht_audit_subject(
    struct ht_audit_opts *opts, const struct ht_audit_faith *faith);
/* An exit code; says what is wrong. */
int ht_audit_fetch(const struct ht_audit_opts *opts,
    const struct ht_audit_faith *faith, struct ht_audit_result *ret);
/* Of an answer of @size, into @result; an exit code. */
int ht_audit_checkpoint(const struct ht_audit_faith *faith,
    struct ht_slice note, uint64_t size, struct ht_audit_result *result);
/*
 * opts->volume, if that is given, into opts->log; all of it is read and
 * checked.  Before that, what it could not answer is refused.  To be closed in
 * any case.  An exit code; says what is wrong.
 */
int ht_audit_open_volume(struct ht_audit_opts *opts);
void ht_audit_close_volume(struct ht_audit_opts *opts);
/* The question, of the entries that are there: of what is kept in a file. */
void ht_audit_narrow(struct ht_audit_opts *opts);
/* @log is of a smaller size than was asked for (--at): an exit code; says so.
 */
int ht_audit_not_yet(const struct ht_query *q, const struct ht_log *log);
/* A lone volume does not have what @q is about: an exit code; says so. */
int ht_audit_not_here(const struct ht_query *q, const struct ht_log *log);
/* --dir names a volume's file, or an archive?  Then that is said. */
bool ht_audit_is_volume(const struct ht_audit_opts *opts);
/* Why --volume is none of @verb's options; NULL: it is, or always was. */
const char *ht_audit_no_volume(const char *verb);
/* Exchanges that a lone volume has a part of, counted frame by frame. */
struct ht_audit_cut {
	uint64_t begin, size;    /* of the volume */
	uint64_t no_ask, no_end; /* entries whose other half is not here */
	uint64_t first_ask, first_end; /* the first of each */
};
void ht_audit_cut_add(struct ht_audit_cut *cut, const struct ht_rows *rows);
void ht_audit_footer_cut(const struct ht_audit_opts *opts,
    const struct ht_audit_cut *cut, FILE *out);
/* The same of what was kept of one; nothing of a whole log's. */
void ht_audit_footer_part(const struct ht_audit_result *result, FILE *out);
/* What one volume cannot know; nothing without opts->volume. */
void ht_audit_footer_volume(const struct ht_audit_opts *opts,
    const struct ht_audit_result *result, FILE *out);
/* The log in opts->dir, for reading; an exit code, says what is wrong. */
int ht_audit_open_folder(const struct ht_audit_opts *opts, struct ht_log **ret);
/*
 * What was found wrong with the file at @path, a line each: "BAD: " before
 * each if it is what the file says; without a finding, the error.
 */
void ht_audit_say_found(
    const struct ht_report *report, const char *path, enum ht_err err);
int ht_audit_code(enum ht_err err); /* the exit code of an error */
/* The same, and 0 for none. */
int ht_audit_code_of(enum ht_err err);
/* "17" or 32 hex digits: the exchange of an entry, or by its id. */
int ht_audit_pick(const char *what, struct ht_query *query);

/*
 * Every row of a question of mode READ or LIST (of a folder or a broker) or
 * FOLLOW (of a broker), each proven, to @each; @result has the newest
 * checkpoint and the counts.  READ: that no entry of the period is missing has
 * been checked, too; LIST: that no look at the subject is.  An exit code; says
 * what is wrong.
 */
struct ht_audit_feed {
	enum ht_err (*each)(void *arg, const struct ht_row *row);
	/* May be NULL: after rows; each frame. */
	enum ht_err (*pause)(void *arg);
	enum ht_err (*frame)(void *arg, struct ht_slice frame);
	void *arg;
	uint64_t start;   /* LIST: nothing before this one is asked for */
	int stop_fd;      /* readable: end it; -1: none */
	const char *what; /* for the line of progress; NULL: none */
	/* of an earlier run, whose log this one must continue; size 0: none */
	const struct ht_audit_cursor *since;
};
int ht_audit_stream(const struct ht_audit_opts *opts,
    const struct ht_audit_faith *faith, const struct ht_audit_feed *feed,
    struct ht_audit_result *result);
/*
 * The same of a checkpoint and frames that were kept, each behind its length
 * (u32): opts->query says which entries they must be.
 */
int ht_audit_replay(const struct ht_audit_opts *opts,
    const struct ht_audit_faith *faith, const struct ht_audit_feed *feed,
    struct ht_slice note, struct ht_slice frames,
    struct ht_audit_result *result);
void ht_audit_result_fini(struct ht_audit_result *result);

/*
 * The pseudonym of "registry:id" with the tracker key in a file; its name is
 * the epoch's.  An exit code; says what is wrong.
 */
int ht_audit_pseudonym(const char *subject, const char *path,
    struct ht_keyfile *ret_file, struct ht_pseudonym *ret);
int ht_audit_open_key(const char *path, enum ht_key_for what,
    struct ht_key **ret, struct ht_keyfile *file);

/* The verbs: exit codes. */
int ht_audit_pseudonyms(const struct ht_audit_opts *opts, const char *subject);
int ht_audit_search(const struct ht_audit_opts *opts);
int ht_audit_tail(const struct ht_audit_opts *opts);
int ht_audit_stats(const struct ht_audit_opts *opts);
int ht_audit_report(const struct ht_audit_opts *opts);
int ht_audit_show(const struct ht_audit_opts *opts);
int ht_audit_verify(const struct ht_audit_opts *opts);
int ht_audit_fsck(const struct ht_audit_opts *opts);
/* A folder of tiles: grown, and verified. */
int ht_audit_mirror(const struct ht_audit_opts *opts, const char *dir);
int ht_audit_verify_mirror(const struct ht_audit_opts *opts, const char *dir);
int ht_audit_witness(const struct ht_audit_opts *opts, bool note_only);
int ht_audit_erase(const struct ht_audit_opts *opts);
int ht_audit_disclose(const struct ht_audit_opts *opts);
/* opts->subject is "registry:id". */
int ht_audit_look(const struct ht_audit_opts *opts);
/*
 * The looks at it that are hidden from it now, and that no order discloses: an
 * entry of each, increasing; *ret is the caller's, to be freed.
 */
int ht_audit_hidden(
    const struct ht_audit_opts *opts, uint64_t **ret, size_t *ret_n);
/* @what: entries' numbers and exchange ids, NULL behind the last. */
int ht_audit_export(const struct ht_audit_opts *opts, char *const *what);
int ht_audit_prove(const struct ht_audit_opts *opts, uint64_t seq);
/* The same, appended to @out, which has HT_PROOF_FILE_MAX. */
int ht_audit_prove_into(const struct ht_audit_opts *opts,
    const struct ht_audit_faith *faith, uint64_t seq, struct ht_buf *out);
/*
 * A proof that somebody gave us: its entry stands in the tree of its
 * checkpoint, which is judged by what is believed.  An exit code; says what is
 * wrong.  @bytes is borrowed by *ret, which is to be freed in any case.
 */
struct ht_audit_proven {
	struct ht_proof proof;
	struct ht_audit_judged judged;
	struct ht_buf extra;
	struct ht_row row;
};
int ht_audit_check_proof(const struct ht_audit_faith *faith, const char *path,
    struct ht_slice bytes, struct ht_audit_proven **ret);
void ht_audit_proven_free(struct ht_audit_proven **proven_p);
int ht_audit_consistency(
    const struct ht_audit_opts *opts, const char *old, const char *newer);
int ht_audit_complete(const struct ht_audit_opts *opts);
/*
 * The rows of a complete answer about a subject, to @each; kept in
 * opts->output, if there is one.  An exit code; says what is wrong.
 */
int ht_audit_list(const struct ht_audit_opts *opts,
    const struct ht_audit_faith *faith,
    enum ht_err (*each)(void *arg, const struct ht_row *row), void *arg,
    struct ht_audit_result *ret);
/* A file of it, or of counts, of verify; an exit code. */
#define HT_ANSWER_LABEL "hutong-answer/v1"
#define HT_ANSWER_MAX   ((size_t)256 << 20) /* some 500,000 entries */
int ht_audit_verify_answer(const char *path, struct ht_slice bytes,
    const struct ht_audit_opts *opts, const struct ht_audit_faith *faith);
int ht_audit_verify_counts(const char *path, struct ht_slice bytes,
    const struct ht_audit_opts *opts, const struct ht_audit_faith *faith);
int ht_audit_verify_file(const struct ht_audit_opts *opts, const char *path);
/* Of these kinds, which are too large to be read whole. */
int ht_audit_verify_volume(
    const char *path, const struct ht_audit_faith *faith);
int ht_audit_verify_archive(
    const char *path, const struct ht_audit_faith *faith);
/* What an archive's proofs say of the lists in it. */
struct ht_audit_orders {
	unsigned lists, proven;
	unsigned ordered;  /* of these, by officers of the root at hand */
	uint64_t unproven; /* the first ERASE entry that is not proven */
};
/* An exit code; says what is wrong: a proof that is there must hold. */
int ht_audit_check_orders(struct ht_archive *archive, const char *path,
    const struct ht_audit_faith *faith, struct ht_audit_orders *ret);
/*
 * The proof of an ERASE entry, from the log in opts->dir if nobody writes it,
 * else from the file of its volume: for struct ht_archive_prover.
 */
struct ht_audit_prover {
	const struct ht_audit_opts *opts;
	const struct ht_audit_faith *faith;
};
enum ht_err ht_audit_prove_order(void *prover, uint64_t by, struct ht_buf *out)
    HT_MUST_USE;
/* Of the volume in opts->dir that has entry @seq, to opts->output. */
int ht_audit_archive(const struct ht_audit_opts *opts, uint64_t seq);

/*
 * One entry alone, with its evidence, proven.  An exit code (1: there is no
 * such entry); says what is wrong.  @ret_result is to be freed in any case.
 */
int ht_audit_fetch_one(const struct ht_audit_opts *opts,
    const struct ht_audit_faith *faith, uint64_t seq,
    struct ht_audit_result *ret_result, struct ht_rows *ret_rows);
/* All that a frame of one row tells of the tree of @size. */
enum ht_err ht_rows_known(const struct ht_rows *rows, uint64_t size,
    struct ht_known *known) HT_MUST_USE;

/* Of the checks that could be made of something. */
struct ht_audit_tally {
	unsigned passed, failed, skipped;
	/* Of the skipped: accepted records whose key --authority has not. */
	unsigned strangers;
};
/* The line of the checks, on standard output, and the exit code. */
int ht_audit_tally_end(const struct ht_audit_tally *tally);
/*
 * On standard output: what a row says that is proven to be in the tree, and
 * every check of it, a line each.
 */
enum ht_err ht_audit_show_row(const struct ht_audit_faith *faith,
    const struct ht_row *row, struct ht_audit_tally *tally) HT_MUST_USE;
/*
 * What a verb makes, to a new file (never over one that is there), or to
 * standard output without a name.  An exit code; says what is wrong.
 */
int ht_audit_output(const char *path, struct ht_slice bytes);
/* A file that somebody gave us.  The same. */
int ht_audit_input(const char *path, struct ht_buf *ret);

/* "hutong-audit: ..." and a newline, on standard error; safe text. */
void ht_audit_say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* "as of 120 entries, root ...": a line for people. */
void ht_audit_footer(const struct ht_audit_opts *opts,
    const struct ht_audit_result *result, FILE *out);
/* The question as it stands in the log, or as counts are asked for. */
void ht_audit_question(const struct ht_audit_opts *opts, struct ht_buf *out);
/* Lines of it: of which size, by what and whom the question was asked, and of
 * which hash are the rows. */
void ht_audit_footer_at(const struct ht_audit_opts *opts,
    const struct ht_audit_result *result, FILE *out);
void ht_audit_footer_by(const struct ht_audit_result *result, FILE *out);
/* What is not in the log any more, if anything. */
void ht_audit_footer_removed(const struct ht_audit_result *result, FILE *out);
void ht_audit_footer_hash(const struct ht_hash *rows, FILE *out);

/* ---- printing ---- */

/* Standard output, hashed on its way. */
struct ht_audit_out {
	FILE *file;
	struct ht_sha256_run run;
};
enum ht_err ht_audit_out_open(struct ht_audit_out *out) HT_MUST_USE;
/* *ret: SHA-256 of all that was written.  HT_ESYSTEM: it did not all go out. */
enum ht_err ht_audit_out_close(struct ht_audit_out *out, struct ht_hash *ret)
    HT_MUST_USE;

/* Rows in the format asked for; @origin is borrowed.  @live: as they come. */
struct ht_audit_print;
enum ht_err ht_audit_print_new(const struct ht_audit_opts *opts,
    const char *origin, FILE *out, bool live, struct ht_audit_print **ret)
    HT_MUST_USE;
void ht_audit_print_free(struct ht_audit_print **print_p);
/* For ht_rows_check(); @print is a struct ht_audit_print. */
enum ht_err ht_audit_print_row(void *print, const struct ht_row *row)
    HT_MUST_USE;
enum ht_err ht_audit_print_end(struct ht_audit_print *print) HT_MUST_USE;
/* One line of JSON that no terminal obeys; the buffers are scratch. */
enum ht_err ht_audit_print_json(const json_t *object, struct ht_buf *scratch,
    struct ht_buf *line, FILE *out) HT_MUST_USE;
/* A row as OCSF API Activity (docs/audit-formats.md), into @object. */
enum ht_err ht_audit_ocsf(const struct ht_row *row,
    const struct ht_about *about, const char *origin, json_t *object)
    HT_MUST_USE;
/* All rows of an answer and its footer; an exit code. */
int ht_audit_print(
    const struct ht_audit_opts *opts, struct ht_audit_result *result);
/* Every row of an answer, each proven, to @each; *ret_bad is one that is not.
 */
enum ht_err ht_audit_each(const struct ht_audit_result *result,
    enum ht_err (*each)(void *arg, const struct ht_row *row), void *arg,
    uint64_t *ret_bad) HT_MUST_USE;
/*
 * The exit code of what became of rows: one is not proven, or (HT_EINTEGRITY
 * of who took it) not of the question, or it was not printed; says so.
 */
int ht_audit_unproven(enum ht_err err, uint64_t bad);

/* What a row says, for people and programs. */
const char *ht_audit_status(
    const struct ht_entry *e, const struct ht_about *about);
/* About a row: its header, or the proven one of the request it cites. */
enum ht_err ht_row_about(const struct ht_row *row, struct ht_about *ret)
    HT_MUST_USE;

#endif
