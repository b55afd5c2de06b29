#include "broker/cli/usage.h"

#include <string.h>
#include <sys/stat.h>

static int
check_where(const struct ht_audit_opts *o)
{
	if ((o->dir != NULL) == (o->socket != NULL))
		return ht_audit_usage_error(
		    "either --dir or --socket says where the "
		    "log is");
	if (o->socket != NULL && o->key == NULL)
		return ht_audit_usage_error(
		    "--socket needs the auditor's --key");
	if (o->socket != NULL && o->query.why.len == 0)
		return ht_audit_usage_error(
		    "--socket needs --why: the purpose stands "
		    "in the log beside your name");
	return HT_AUDIT_OK;
}

/* What one volume can answer by itself may be asked of it alone. */
static int
check_where_or_volume(const struct ht_audit_opts *o)
{
	if (o->volume == NULL)
		return check_where(o);
	if (o->dir != NULL || o->socket != NULL)
		return ht_audit_usage_error(
		    "--volume is all that is asked: no --dir, "
		    "and no --socket");
	return o->scan ? ht_audit_usage_error(
	                     "a volume has no index: without --scan, "
	                     "too, every entry of it is looked at")
	               : HT_AUDIT_OK;
}

/* All or nothing, and signed by whoever answers for the question. */
static int
run_complete(struct ht_audit_opts *o)
{
	int code;

	if (o->output == NULL || o->key == NULL)
		return ht_audit_usage_error("--complete needs -o FILE, and the "
		                            "auditor's --key to sign it");
	code = ht_audit_open_volume(o);
	return code == HT_AUDIT_OK ? ht_audit_complete(o) : code;
}

static int
run_search(struct ht_audit_opts *o, int argc, char **argv)
{
	int code = check_where_or_volume(o);

	(void)argv;
	if (code == HT_AUDIT_OK && argc > 0)
		return ht_audit_usage_error("search takes no operand");
	if (o->cursor != NULL && o->query.filter.start_seq > 0)
		return ht_audit_usage_error(
		    "--start and --cursor-file both say where "
		    "to begin");
	if (code == HT_AUDIT_OK && o->complete)
		return run_complete(o);
	if (code == HT_AUDIT_OK)
		code = ht_audit_open_volume(o);
	return code == HT_AUDIT_OK ? ht_audit_search(o) : code;
}

static bool
entry_number(const char *text, uint64_t *ret)
{
	return ht_tree_size_parse(ht_slice_str(text), ret) == HT_OK;
}

static int
run_tail(struct ht_audit_opts *o, int argc, char **argv)
{
	int code = check_where(o);

	(void)argv;
	if (code != HT_AUDIT_OK)
		return code;
	if (argc > 0)
		return ht_audit_usage_error("tail takes no operand");
	if (o->follow && o->dir != NULL)
		return ht_audit_usage_error(
		    "a stopped log does not grow: -f needs the "
		    "broker's --socket");
	return ht_audit_tail(o);
}

/* What a count over a whole period cannot have. */
static int
check_count(const struct ht_audit_opts *o, int argc)
{
	int code = check_where_or_volume(o);

	if (code != HT_AUDIT_OK)
		return code;
	if (argc > 0)
		return ht_audit_usage_error("stats and report take no operand");
	if (o->output != NULL && o->key == NULL)
		return ht_audit_usage_error(
		    "-o keeps the figures with what proves "
		    "them, and needs the auditor's --key to "
		    "sign it");
	return HT_AUDIT_OK;
}

static int
run_stats(struct ht_audit_opts *o, int argc, char **argv)
{
	int code = check_count(o, argc);

	(void)argv;
	o->counts = "stats";
	if (code == HT_AUDIT_OK)
		code = ht_audit_open_volume(o);
	return code == HT_AUDIT_OK ? ht_audit_stats(o) : code;
}

static int
run_report(struct ht_audit_opts *o, int argc, char **argv)
{
	int code = check_count(o, argc);

	(void)argv;
	if (code != HT_AUDIT_OK)
		return code;
	if (o->month == NULL)
		return ht_audit_usage_error(
		    "report needs --month, such as 2026-03");
	o->counts = "report";
	code = ht_audit_open_volume(o);
	return code == HT_AUDIT_OK ? ht_audit_report(o) : code;
}

static int
run_show(struct ht_audit_opts *o, int argc, char **argv)
{
	int code = check_where_or_volume(o);

	if (code != HT_AUDIT_OK)
		return code;
	if (argc != 1)
		return ht_audit_usage_error(
		    "show takes one entry's number or one "
		    "exchange id");
	code = ht_audit_pick(argv[0], &o->query);
	if (code != HT_AUDIT_OK)
		return code;
	o->query.evidence = true;
	code = ht_audit_open_volume(o);
	return code == HT_AUDIT_OK ? ht_audit_show(o) : code;
}

static int
run_prove(struct ht_audit_opts *o, int argc, char **argv)
{
	int code = check_where_or_volume(o);
	uint64_t seq;

	if (code != HT_AUDIT_OK)
		return code;
	if (argc != 1 || !entry_number(argv[0], &seq))
		return ht_audit_usage_error(
		    "prove takes one entry's number; a search "
		    "or show prints them");
	code = ht_audit_open_volume(o);
	return code == HT_AUDIT_OK ? ht_audit_prove(o, seq) : code;
}

static int
run_export(struct ht_audit_opts *o, int argc, char **argv)
{
	int code = check_where_or_volume(o);

	if (code != HT_AUDIT_OK)
		return code;
	if (argc == 0)
		return ht_audit_usage_error(
		    "export takes the exchanges of the case: "
		    "their ids, or numbers of entries");
	if (o->authority == NULL || o->output == NULL)
		return ht_audit_usage_error(
		    "export needs --authority, for keys, catalog "
		    "and grants, and -o FILE");
	if ((o->show != NULL) != (o->n_annexes > 0))
		return ht_audit_usage_error(
		    "--show says which fields of the annex the "
		    "--annex key opens, and needs it");
	code = ht_audit_open_volume(o);
	return code == HT_AUDIT_OK ? ht_audit_export(o, argv) : code;
}

/* A log need not be at hand when NEW brings its proof. */
static int
run_consistency(struct ht_audit_opts *o, int argc, char **argv)
{
	int code = o->dir == NULL && o->socket == NULL
	               ? HT_AUDIT_OK
	               : check_where_or_volume(o);

	if (code != HT_AUDIT_OK)
		return code;
	if (argc != 2)
		return ht_audit_usage_error(
		    "consistency takes two files: a checkpoint "
		    "that was kept, and a newer one or one with "
		    "its proof");
	code = ht_audit_open_volume(o);
	return code == HT_AUDIT_OK ? ht_audit_consistency(o, argv[0], argv[1])
	                           : code;
}

static int
run_verify(struct ht_audit_opts *o, int argc, char **argv)
{
	struct stat st;

	if (argc == 1 && o->dir == NULL) {
		if (stat(argv[0], &st) == -1 || !S_ISDIR(st.st_mode))
			return ht_audit_verify_file(o, argv[0]);
		if (o->format != HT_AUDIT_TABLE)
			return ht_audit_usage_error(
			    "--format is for the rows of a "
			    "complete answer; a mirror has none");
		return ht_audit_verify_mirror(o, argv[0]);
	}
	if (argc > 0 || o->dir == NULL)
		return ht_audit_usage_error(
		    "verify takes one file, or --dir; a running "
		    "broker's log is verified from a copy made "
		    "while it is stopped");
	return ht_audit_verify(o);
}

static int
run_mirror(struct ht_audit_opts *o, int argc, char **argv)
{
	int code = check_where_or_volume(o);

	if (code != HT_AUDIT_OK)
		return code;
	if (argc != 1)
		return ht_audit_usage_error(
		    "mirror takes one folder: a new one, or a "
		    "mirror that shall grow");
	code = ht_audit_open_volume(o);
	return code == HT_AUDIT_OK ? ht_audit_mirror(o, argv[0]) : code;
}

static int
run_archive(struct ht_audit_opts *o, int argc, char **argv)
{
	uint64_t seq;

	if (argc != 1 || !entry_number(argv[0], &seq) || o->dir == NULL ||
	    o->socket != NULL || o->output == NULL)
		return ht_audit_usage_error(
		    "archive takes --dir, -o FILE, and the "
		    "number of any entry of the volume");
	if (o->root == NULL && o->vkey == NULL && o->authority == NULL)
		return ht_audit_usage_error(
		    "what is archived is verified first: give "
		    "--root, --vkey or --authority");
	return ht_audit_archive(o, seq);
}

static int
run_fsck(struct ht_audit_opts *o, int argc, char **argv)
{
	(void)argv;
	if (argc > 0 || o->dir == NULL || o->socket != NULL)
		return ht_audit_usage_error(
		    "fsck takes --dir: a stopped log, or a copy");
	return ht_audit_fsck(o);
}

static int
run_subject(struct ht_audit_opts *o, int argc, char **argv)
{
	int code = check_where_or_volume(o);

	if (code != HT_AUDIT_OK)
		return code;
	if (argc != 1 || o->subject != NULL || o->n_trackers == 0)
		return ht_audit_usage_error(
		    "subject takes REGISTRY:ID, and the tracker "
		    "keys of its epochs: --tracker FILE");
	if (o->for_subject && o->authority == NULL)
		return ht_audit_usage_error(
		    "--for-subject needs --authority: the items "
		    "say what is hidden, and until when");
	if (o->output != NULL && (o->key == NULL || o->n_trackers > 1))
		return ht_audit_usage_error(
		    "-o keeps the proof of one epoch's looks: "
		    "give one --tracker, and the auditor's "
		    "--key to sign it");
	o->subject = argv[0];
	code = ht_audit_open_volume(o);
	return code == HT_AUDIT_OK ? ht_audit_look(o) : code;
}

static int
run_pseudonym(struct ht_audit_opts *o, int argc, char **argv)
{
	if (argc != 1 || o->n_trackers == 0)
		return ht_audit_usage_error(
		    "pseudonym takes REGISTRY:ID, and the "
		    "tracker keys of its epochs: --tracker FILE");
	return ht_audit_pseudonyms(o, argv[0]);
}

static int
run_erase(struct ht_audit_opts *o, int argc, char **argv)
{
	int code = HT_AUDIT_OK;

	(void)argv;
	if (argc > 0)
		return ht_audit_usage_error("erase takes no operand");
	if (o->subject != NULL)
		code = check_where(o);
	return code == HT_AUDIT_OK ? ht_audit_erase(o) : code;
}

static int
run_disclose(struct ht_audit_opts *o, int argc, char **argv)
{
	const struct ht_erase_opts *e = &o->erase;
	int code;

	(void)argv;
	if (argc > 0)
		return ht_audit_usage_error("disclose takes no operand");
	if ((e->entries == NULL) == (o->subject == NULL))
		return ht_audit_usage_error(
		    "looks are disclosed one by one: either "
		    "--entries N,N,... or --subject, all that "
		    "is hidden from it now");
	if (o->subject == NULL)
		return ht_audit_disclose(o);
	if (o->authority == NULL || o->n_trackers == 0)
		return ht_audit_usage_error(
		    "--subject REGISTRY:ID needs the tracker "
		    "keys of its epochs (--tracker FILE), and "
		    "--authority: the items say what is hidden");
	code = check_where(o);
	return code == HT_AUDIT_OK ? ht_audit_disclose(o) : code;
}

static int
run_witness(struct ht_audit_opts *o, int argc, char **argv)
{
	bool note = argc == 1 && strcmp(argv[0], "note") == 0;
	int code = check_where(o);

	if (code == HT_AUDIT_OK && note && o->format != HT_AUDIT_TABLE)
		return ht_audit_usage_error(
		    "--format is for witness status: a note has "
		    "its own form");
	if (code != HT_AUDIT_OK)
		return code;
	if (argc != 1 || (strcmp(argv[0], "status") != 0 && !note) ||
	    o->root == NULL)
		return ht_audit_usage_error(
		    "witness status and witness note take "
		    "--dir or --socket, and --root: the "
		    "witnesses that count");
	return ht_audit_witness(o, note);
}

static const struct ht_audit_verb verbs[] = {
    {"search",      run_search,      "WHERE [BELIEF] [WHAT] [HOW]\n"                 },
    {"tail",        run_tail,        "WHERE [BELIEF] [-f] [-n N] [WHAT] [HOW]\n"     },
    {"stats",       run_stats,
     "WHERE [BELIEF] [--by FIELDS] [--period day|month] [WHAT]\n"
        "[HOW] [-o FILE]\n"                                                          },
    {"report",      run_report,
     "WHERE [BELIEF] --month YYYY-MM [WHAT] [HOW] [-o FILE]\n"                       },
    {"show",        run_show,        "WHERE [BELIEF] [HOW] ENTRY|EXCHANGE\n"         },
    {"prove",       run_prove,       "WHERE [BELIEF] [-o FILE] ENTRY\n"              },
    {"export",      run_export,
     "WHERE [BELIEF] --authority DIR [--then DIR ...] -o FILE\n"
        "[--annex FILE ... --show FIELDS] [--opening N=FILE ...]\n"
        "ENTRY|EXCHANGE ...\n"                                                       },
    {"consistency", run_consistency, "OLD NEW [WHERE] [BELIEF] [-o FILE]\n"          },
    {"verify",      run_verify,
     "FILE BELIEF [HOW] | MIRROR BELIEF | --dir DIR [BELIEF]\n"                      },
    {"archive",     run_archive,     "--dir DIR BELIEF -o FILE ENTRY\n"              },
    {"fsck",        run_fsck,        "--dir DIR\n"                                   },
    {"mirror",      run_mirror,      "WHERE BELIEF [--hashes] FOLDER\n"              },
    {"subject",     run_subject,
     "WHERE [BELIEF] [WHAT] REGISTRY:ID --tracker FILE ...\n"
        "[--annex FILE ...] [--for-subject] [HOW] [-o FILE]\n"                       },
    {"pseudonym",   run_pseudonym,   "[BELIEF] REGISTRY:ID --tracker FILE ...\n"     },
    {"erase",       run_erase,
     "BELIEF --order NAME --basis TEXT [--bodies] SCOPE\n"
        "[--until TIME] [-o FILE]\n"                                                 },
    {"disclose",    run_disclose,
     "BELIEF --order NAME --basis TEXT [--until TIME] [-o FILE]\n"
        "--entries N,N,... | WHERE --authority DIR [WHAT]\n"
        "--subject REGISTRY:ID --tracker FILE ...\n"                                 },
    {"witness",     run_witness,     "status|note WHERE [BELIEF] --root FILE [HOW]\n"},
};

const struct ht_audit_verb *
ht_audit_verb_at(size_t i)
{
	return i < HT_COUNT(verbs) ? &verbs[i] : NULL;
}

const struct ht_audit_verb *
ht_audit_verb(const char *name)
{
	for (size_t i = 0; i < HT_COUNT(verbs); i++)
		if (strcmp(verbs[i].name, name) == 0)
			return &verbs[i];
	return NULL;
}
