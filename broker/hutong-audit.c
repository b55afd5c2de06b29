/*
 * hutong-audit.c -- hutong-audit(1): search, show and verify the audit log, of
 * a running broker or of a stopped or copied one.
 */
#include <errno.h>
#include <getopt.h>
#include <locale.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "broker/cli/takes.h"
#include "broker/cli/usage.h"
#include "broker/log/period.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/process.h"
#include "lib/base/text.h"
#include "lib/base/version.h"
#include "schemas/status.h"

enum {
	OPT_DIR = 256,
	OPT_SOCKET,
	OPT_KEY,
	OPT_WHY,
	OPT_ROOT,
	OPT_VKEY,
	OPT_AUTHORITY,
	OPT_FROM,
	OPT_TO,
	OPT_MEMBER,
	OPT_PEER,
	OPT_ITEM,
	OPT_PURPOSE,
	OPT_STATUS,
	OPT_TYPE,
	OPT_EXCHANGE,
	OPT_SUBJECT,
	OPT_TRACKER,
	OPT_ANNEX,
	OPT_FOR_SUBJECT,
	OPT_ORDER,
	OPT_BASIS,
	OPT_UNTIL,
	OPT_ENTRIES,
	OPT_EPOCH,
	OPT_BEFORE,
	OPT_OVER,
	OPT_BODIES,
	OPT_LIMIT,
	OPT_START,
	OPT_AT,
	OPT_SCAN,
	OPT_FORMAT,
	OPT_OPERATION,
	OPT_CURSOR,
	OPT_BY,
	OPT_PERIOD,
	OPT_MONTH,
	OPT_ZONE,
	OPT_LANG,
	OPT_POLICY,
	OPT_COMPLETE,
	OPT_THEN,
	OPT_SHOW,
	OPT_HASHES,
	OPT_OPENING,
	OPT_VOLUME,
	OPT_OUT = 'o',
	OPT_HELP = 'h',
};

static const struct option options[] = {
    {"dir",            required_argument, NULL, OPT_DIR        },
    {"socket",         required_argument, NULL, OPT_SOCKET     },
    {"key",            required_argument, NULL, OPT_KEY        },
    {"why",            required_argument, NULL, OPT_WHY        },
    {"root",           required_argument, NULL, OPT_ROOT       },
    {"vkey",           required_argument, NULL, OPT_VKEY       },
    {"authority",      required_argument, NULL, OPT_AUTHORITY  },
    {"from",           required_argument, NULL, OPT_FROM       },
    {"to",             required_argument, NULL, OPT_TO         },
    {"member",         required_argument, NULL, OPT_MEMBER     },
    {"peer",           required_argument, NULL, OPT_PEER       },
    {"item",           required_argument, NULL, OPT_ITEM       },
    {"purpose",        required_argument, NULL, OPT_PURPOSE    },
    {"status",         required_argument, NULL, OPT_STATUS     },
    {"type",           required_argument, NULL, OPT_TYPE       },
    {"exchange",       required_argument, NULL, OPT_EXCHANGE   },
    {"subject",        required_argument, NULL, OPT_SUBJECT    },
    {"tracker",        required_argument, NULL, OPT_TRACKER    },
    {"annex",          required_argument, NULL, OPT_ANNEX      },
    {"for-subject",    no_argument,       NULL, OPT_FOR_SUBJECT},
    {"order",          required_argument, NULL, OPT_ORDER      },
    {"basis",          required_argument, NULL, OPT_BASIS      },
    {"until",          required_argument, NULL, OPT_UNTIL      },
    {"entries",        required_argument, NULL, OPT_ENTRIES    },
    {"epoch",          required_argument, NULL, OPT_EPOCH      },
    {"before",         required_argument, NULL, OPT_BEFORE     },
    {"retention-over", required_argument, NULL, OPT_OVER       },
    {"bodies",         no_argument,       NULL, OPT_BODIES     },
    {"out",            required_argument, NULL, OPT_OUT        },
    {"limit",          required_argument, NULL, OPT_LIMIT      },
    {"start",          required_argument, NULL, OPT_START      },
    {"at",             required_argument, NULL, OPT_AT         },
    {"scan",           no_argument,       NULL, OPT_SCAN       },
    {"format",         required_argument, NULL, OPT_FORMAT     },
    {"operation",      required_argument, NULL, OPT_OPERATION  },
    {"by",             required_argument, NULL, OPT_BY         },
    {"period",         required_argument, NULL, OPT_PERIOD     },
    {"month",          required_argument, NULL, OPT_MONTH      },
    {"zone",           required_argument, NULL, OPT_ZONE       },
    {"lang",           required_argument, NULL, OPT_LANG       },
    {"follow",         no_argument,       NULL, 'f'            },
    {"lines",          required_argument, NULL, 'n'            },
    {"cursor-file",    required_argument, NULL, OPT_CURSOR     },
    {"policy",         required_argument, NULL, OPT_POLICY     },
    {"complete",       no_argument,       NULL, OPT_COMPLETE   },
    {"then",           required_argument, NULL, OPT_THEN       },
    {"hashes",         no_argument,       NULL, OPT_HASHES     },
    {"show",           required_argument, NULL, OPT_SHOW       },
    {"opening",        required_argument, NULL, OPT_OPENING    },
    {"volume",         required_argument, NULL, OPT_VOLUME     },
    {"help",           no_argument,       NULL, OPT_HELP       },
    {NULL,             0,                 NULL, 0              },
};

/* ---- values; each says what it wanted ---- */

static bool
wrong(const char *option, const char *wanted)
{
	ht_audit_say("--%s: '%s' is not %s", option, optarg, wanted);
	return false;
}

static bool
is_date(const char *text)
{
	return strlen(text) == strlen("2026-11-24");
}

/* A date alone was read as one of UTC: the zone may have come after it. */
static void
settle_days(struct ht_audit_opts *o)
{
	struct ht_filter *f = &o->query.filter;
	int64_t us = (int64_t)o->zone_minutes * 60 * 1000000;

	if (o->from_day)
		f->from_us = (uint64_t)((int64_t)f->from_us - us);
	if (o->to_day)
		f->to_us = (uint64_t)((int64_t)f->to_us - us);
}

static bool
take_time(const char *option, uint64_t *ret)
{
	return ht_time_parse(ht_slice_str(optarg), ret) == HT_OK
	           ? true
	           : wrong(option,
	                 "a time such as 2026-11-24T01:02:03Z, or a date");
}

static bool
take_number(const char *option, uint64_t max, uint64_t *ret)
{
	char *end;
	unsigned long long n;

	n = strtoull(optarg, &end, 10);
	if (optarg[0] < '0' || optarg[0] > '9' || *end != '\0' || n > max)
		return wrong(option, "a number that fits");
	*ret = n;
	return true;
}

static bool
take_text(const char *option, size_t max, struct ht_slice *ret)
{
	*ret = ht_slice_str(optarg);
	return ret->len > 0 && ret->len <= max
	           ? true
	           : wrong(option, "a text of that length");
}

static bool
take_status(struct ht_filter *f)
{
	char *end;
	long n = strtol(optarg, &end, 10);

	if (strcasecmp(optarg, "refused") == 0)
		f->status = -2;
	else if (*optarg != '\0' && *end == '\0' && n >= 0 && n <= UINT16_MAX)
		f->status = (int)n;
	else
		f->status = ht_status_parse(optarg);
	return f->status != -1
	           ? true
	           : wrong("status", "a code of docs/protocol.md, its name, or "
	                             "'refused'");
}

static bool
take_type(struct ht_filter *f)
{
	for (unsigned type = 1; type <= HT_ENTRY_VOLUME; type++)
		if (strcasecmp(optarg, ht_entry_type_text(type)) == 0)
			f->type = (int)type;
	return f->type != -1
	           ? true
	           : wrong(
	                 "type", "a type of entry, such as REQUEST or REJECT");
}

static bool
take_operation(struct ht_filter *f)
{
	unsigned operation;

	if (ht_operation_parse(ht_slice_str(optarg), &operation) != HT_OK)
		return wrong(
		    "operation", "query, verify, push, subscribe or transfer");
	f->operation = (int)operation;
	return true;
}

static bool
take_exchange(struct ht_filter *f)
{
	f->has_exchange = true;
	return ht_unhex(optarg, f->exchange.at, HT_ID_SIZE) == HT_OK
	           ? true
	           : wrong("exchange", "an exchange id: 32 hex digits");
}

static bool
take_format(struct ht_audit_opts *o)
{
	static const char *const names[] = {
	    "table", "jsonl", "csv", "ocsf", "tracker"};

	for (unsigned i = 0; i < HT_COUNT(names); i++) {
		if (strcmp(optarg, names[i]) != 0)
			continue;
		o->format = (enum ht_audit_format)i;
		return true;
	}
	return wrong("format", "table, jsonl, csv, ocsf, or, for subject, "
	                       "tracker");
}

static bool
take_lines(struct ht_audit_opts *o)
{
	uint64_t n;

	if (!take_number("lines", HT_QUERY_ROWS, &n))
		return false;
	o->query.last = (uint32_t)n;
	return n > 0 ? true : wrong("lines", "a number from 1 to 10000");
}

/* How the counts of stats and report are made and shown. */
static bool
take_counts(struct ht_audit_opts *o, int opt)
{
	switch (opt) {
	case OPT_BY:
		o->by = optarg;
		return true;
	case OPT_PERIOD:
		o->period = optarg;
		return strcmp(optarg, "day") == 0 ||
		               strcmp(optarg, "month") == 0
		           ? true
		           : wrong("period", "day or month");
	case OPT_MONTH:
		o->month = optarg;
		return true;
	case OPT_ZONE:
		return ht_zone_parse(optarg, &o->zone_minutes) == HT_OK
		           ? true
		           : wrong(
		                 "zone", "a distance from UTC such as +08:00");
	default:
		o->chinese = strcmp(optarg, "zh") == 0;
		return o->chinese || strcmp(optarg, "en") == 0
		           ? true
		           : wrong("lang", "en or zh");
	}
}

static bool
take_what(struct ht_audit_opts *o, int opt)
{
	struct ht_filter *f = &o->query.filter;
	uint64_t n;

	switch (opt) {
	case OPT_FROM:
		o->from_day = is_date(optarg);
		return take_time("from", &f->from_us);
	case OPT_TO:
		o->to_day = is_date(optarg);
		return take_time("to", &f->to_us);
	case OPT_MEMBER:
		return take_text("member", HT_NAME_MAX, &f->member);
	case OPT_PEER:
		return take_text("peer", HT_NAME_MAX, &f->peer);
	case OPT_ITEM:
		return take_text("item", HT_NAME_MAX, &f->item);
	case OPT_PURPOSE:
		return take_text("purpose", HT_PURPOSE_MAX, &f->purpose);
	case OPT_STATUS:
		return take_status(f);
	case OPT_TYPE:
		return take_type(f);
	case OPT_EXCHANGE:
		return take_exchange(f);
	case OPT_OPERATION:
		return take_operation(f);
	case OPT_LIMIT:
		if (!take_number("limit", UINT32_MAX, &n))
			return false;
		f->limit = (uint32_t)n;
		return true;
	case OPT_START:
		return take_number("start", UINT64_MAX, &f->start_seq);
	case OPT_AT:
		return take_number("at", UINT64_MAX, &f->size);
	default:
		return false;
	}
}

static bool
take_file(const char *option, const char **files, unsigned *n)
{
	if (*n == HT_AUDIT_KEYS)
		return wrong(option, "needed: there are 8 of them already");
	files[(*n)++] = optarg;
	return true;
}

static bool
take_erase(struct ht_erase_opts *e, int opt)
{
	switch (opt) {
	case OPT_ORDER:
		e->order = optarg;
		break;
	case OPT_BASIS:
		e->basis = optarg;
		break;
	case OPT_UNTIL:
		e->until = optarg;
		break;
	case OPT_ENTRIES:
		e->entries = optarg;
		break;
	case OPT_EPOCH:
		e->epoch = optarg;
		break;
	case OPT_BEFORE:
		e->before = optarg;
		break;
	case OPT_OVER:
		e->over = optarg;
		break;
	default:
		e->bodies = true;
		break;
	}
	return true;
}

/* "N=FILE": the content of entry N. */
static bool
take_opening(struct ht_audit_opts *o)
{
	size_t digits = strspn(optarg, "0123456789");

	if (digits == 0 || digits > 19 || optarg[digits] != '=')
		return wrong("opening", "N=FILE, N being an entry's number");
	if (o->n_openings == HT_AUDIT_OPENINGS)
		return wrong("opening", "needed: there are 64 of them already");
	o->openings[o->n_openings++] = optarg;
	return true;
}

static bool
take_export(struct ht_audit_opts *o, int opt)
{
	if (opt == OPT_OPENING)
		return take_opening(o);
	if (opt == OPT_THEN)
		return take_file("then", o->then, &o->n_then);
	o->show = optarg;
	return true;
}

static bool
take_option(struct ht_audit_opts *o, int opt)
{
	switch (opt) {
	case OPT_DIR:
		o->dir = optarg;
		return true;
	case OPT_SOCKET:
		o->socket = optarg;
		return true;
	case OPT_KEY:
		o->key = optarg;
		return true;
	case OPT_WHY:
		return take_text("why", HT_QUERY_WHY, &o->query.why);
	case OPT_ROOT:
		o->root = optarg;
		return true;
	case OPT_VKEY:
		o->vkey = optarg;
		return true;
	case OPT_AUTHORITY:
		o->authority = optarg;
		return true;
	case OPT_POLICY:
		o->policy = optarg;
		return true;
	case OPT_SUBJECT:
		o->subject = optarg;
		return true;
	case OPT_TRACKER:
		return take_file("tracker", o->trackers, &o->n_trackers);
	case OPT_FOR_SUBJECT:
		o->for_subject = true;
		return true;
	case OPT_ANNEX:
		return take_file("annex", o->annexes, &o->n_annexes);
	case OPT_SCAN:
		o->scan = true;
		return true;
	case OPT_VOLUME:
		o->volume = optarg;
		return true;
	case OPT_COMPLETE:
		o->complete = true;
		return true;
	case OPT_OUT:
		o->output = optarg;
		return true;
	case OPT_FORMAT:
		return take_format(o);
	case OPT_ORDER:
	case OPT_BASIS:
	case OPT_UNTIL:
	case OPT_ENTRIES:
	case OPT_EPOCH:
	case OPT_BEFORE:
	case OPT_OVER:
	case OPT_BODIES:
		return take_erase(&o->erase, opt);
	case OPT_HASHES:
		o->hashes = true;
		return true;
	case OPT_THEN:
	case OPT_SHOW:
	case OPT_OPENING:
		return take_export(o, opt);
	case 'f':
		o->follow = true;
		return true;
	case 'n':
		return take_lines(o);
	case OPT_BY:
	case OPT_PERIOD:
	case OPT_MONTH:
	case OPT_ZONE:
	case OPT_LANG:
		return take_counts(o, opt);
	case OPT_CURSOR:
		o->cursor = optarg;
		return true;
	default:
		return take_what(o, opt);
	}
}

/* ---- verbs ---- */

static int
usage_error(const char *text)
{
	ht_audit_say("%s; see hutong-audit --help", text);
	return HT_AUDIT_USAGE;
}

static int
check_where(const struct ht_audit_opts *o)
{
	if ((o->dir != NULL) == (o->socket != NULL))
		return usage_error("either --dir or --socket says where the "
		                   "log is");
	if (o->socket != NULL && o->key == NULL)
		return usage_error("--socket needs the auditor's --key");
	if (o->socket != NULL && o->query.why.len == 0)
		return usage_error("--socket needs --why: the purpose stands "
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
		return usage_error("--volume is all that is asked: no --dir, "
		                   "and no --socket");
	return o->scan ? usage_error("a volume has no index: without --scan, "
	                             "too, every entry of it is looked at")
	               : HT_AUDIT_OK;
}

/* All or nothing, and signed by whoever answers for the question. */
static int
run_complete(struct ht_audit_opts *o)
{
	int code;

	if (o->output == NULL || o->key == NULL)
		return usage_error("--complete needs -o FILE, and the "
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
		return usage_error("search takes no operand");
	if (o->cursor != NULL && o->query.filter.start_seq > 0)
		return usage_error("--start and --cursor-file both say where "
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
		return usage_error("tail takes no operand");
	if (o->follow && o->dir != NULL)
		return usage_error("a stopped log does not grow: -f needs the "
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
		return usage_error("stats and report take no operand");
	if (o->output != NULL && o->key == NULL)
		return usage_error("-o keeps the figures with what proves "
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
		return usage_error("report needs --month, such as 2026-03");
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
		return usage_error("show takes one entry's number or one "
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
		return usage_error("prove takes one entry's number; a search "
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
		return usage_error("export takes the exchanges of the case: "
		                   "their ids, or numbers of entries");
	if (o->authority == NULL || o->output == NULL)
		return usage_error(
		    "export needs --authority, for keys, catalog "
		    "and grants, and -o FILE");
	if ((o->show != NULL) != (o->n_annexes > 0))
		return usage_error("--show says which fields of the annex the "
		                   "--annex key opens, and needs it");
	code = ht_audit_open_volume(o);
	return code == HT_AUDIT_OK ? ht_audit_export(o, argv) : code;
}

/* A log need not be at hand when NEW brings its proof. */
static int
run_consistency(struct ht_audit_opts *o, int argc, char **argv)
{
	int code =
	    o->dir == NULL && o->socket == NULL ? HT_AUDIT_OK : check_where(o);

	if (code != HT_AUDIT_OK)
		return code;
	if (argc != 2)
		return usage_error("consistency takes two files: a checkpoint "
		                   "that was kept, and a newer one or one with "
		                   "its proof");
	return ht_audit_consistency(o, argv[0], argv[1]);
}

static int
run_verify(struct ht_audit_opts *o, int argc, char **argv)
{
	struct stat st;

	if (argc == 1 && o->dir == NULL) {
		if (stat(argv[0], &st) == -1 || !S_ISDIR(st.st_mode))
			return ht_audit_verify_file(o, argv[0]);
		if (o->format != HT_AUDIT_TABLE)
			return usage_error(
			    "--format is for the rows of a "
			    "complete answer; a mirror has none");
		return ht_audit_verify_mirror(o, argv[0]);
	}
	if (argc > 0 || o->dir == NULL)
		return usage_error("verify takes one file, or --dir; a running "
		                   "broker's log is verified from a copy made "
		                   "while it is stopped");
	return ht_audit_verify(o);
}

static int
run_mirror(struct ht_audit_opts *o, int argc, char **argv)
{
	int code = check_where(o);

	if (code != HT_AUDIT_OK)
		return code;
	if (argc != 1)
		return usage_error("mirror takes one folder: a new one, or a "
		                   "mirror that shall grow");
	return ht_audit_mirror(o, argv[0]);
}

static int
run_archive(struct ht_audit_opts *o, int argc, char **argv)
{
	uint64_t seq;

	if (argc != 1 || !entry_number(argv[0], &seq) || o->dir == NULL ||
	    o->socket != NULL || o->output == NULL)
		return usage_error("archive takes --dir, -o FILE, and the "
		                   "number of any entry of the volume");
	if (o->root == NULL && o->vkey == NULL && o->authority == NULL)
		return usage_error("what is archived is verified first: give "
		                   "--root, --vkey or --authority");
	return ht_audit_archive(o, seq);
}

static int
run_fsck(struct ht_audit_opts *o, int argc, char **argv)
{
	(void)argv;
	if (argc > 0 || o->dir == NULL || o->socket != NULL)
		return usage_error(
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
		return usage_error("subject takes REGISTRY:ID, and the tracker "
		                   "keys of its epochs: --tracker FILE");
	if (o->for_subject && o->authority == NULL)
		return usage_error("--for-subject needs --authority: the items "
		                   "say what is hidden, and until when");
	if (o->output != NULL && (o->key == NULL || o->n_trackers > 1))
		return usage_error("-o keeps the proof of one epoch's looks: "
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
		return usage_error(
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
		return usage_error("erase takes no operand");
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
		return usage_error("disclose takes no operand");
	if ((e->entries == NULL) == (o->subject == NULL))
		return usage_error("looks are disclosed one by one: either "
		                   "--entries N,N,... or --subject, all that "
		                   "is hidden from it now");
	if (o->subject == NULL)
		return ht_audit_disclose(o);
	if (o->authority == NULL || o->n_trackers == 0)
		return usage_error("--subject REGISTRY:ID needs the tracker "
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
		return usage_error("--format is for witness status: a note has "
		                   "its own form");
	if (code != HT_AUDIT_OK)
		return code;
	if (argc != 1 || (strcmp(argv[0], "status") != 0 && !note) ||
	    o->root == NULL)
		return usage_error("witness status and witness note take "
		                   "--dir or --socket, and --root: the "
		                   "witnesses that count");
	return ht_audit_witness(o, note);
}

/* What search and those that are like it take. */
#define ROWS                                                                   \
	(HT_USAGE_WHERE | HT_USAGE_BELIEF | HT_USAGE_WHAT | HT_USAGE_HOW |     \
	    HT_USAGE_CURSOR)
#define COUNTS                                                                 \
	(HT_USAGE_WHERE | HT_USAGE_VOLUME | HT_USAGE_BELIEF | HT_USAGE_WHAT |  \
	    HT_USAGE_HOW | HT_USAGE_COUNTS)

static const struct ht_audit_verb verbs[] = {
    {"search",      run_search,
     ROWS | HT_USAGE_VOLUME | HT_USAGE_PAGE | HT_USAGE_COMPLETE,
     "WHERE [WHAT] [HOW]\n"                                                                           },
    {"tail",        run_tail,        ROWS | HT_USAGE_TAIL,
     "WHERE [-f] [-n N] [WHAT] [HOW]\n"                                                               },
    {"stats",       run_stats,       COUNTS | HT_USAGE_STATS,
     "WHERE [--by FIELDS] [--period day|month] [WHAT] [HOW]\n"
        "[-o FILE]\n"                                                                                 },
    {"report",      run_report,      COUNTS | HT_USAGE_REPORT,
     "WHERE --month YYYY-MM [WHAT] [HOW] [-o FILE]\n"                                                 },
    {"show",        run_show,        HT_USAGE_WHERE | HT_USAGE_VOLUME | HT_USAGE_BELIEF,
     "WHERE ENTRY|EXCHANGE [--format table|jsonl]\n"                                                  },
    {"prove",       run_prove,       HT_USAGE_WHERE | HT_USAGE_VOLUME | HT_USAGE_BELIEF,
     "WHERE ENTRY [-o FILE]\n"                                                                        },
    {"export",      run_export,      HT_USAGE_WHERE | HT_USAGE_VOLUME | HT_USAGE_BELIEF,
     "WHERE --authority DIR [--then DIR ...] -o FILE\n"
        "[--annex FILE ... --show FIELDS] [--opening N=FILE ...]\n"
        "ENTRY|EXCHANGE ...\n"                                                                        },
    {"consistency", run_consistency, HT_USAGE_WHERE | HT_USAGE_BELIEF,
     "OLD NEW [WHERE] [-o FILE] [BELIEF]\n"                                                           },
    {"verify",      run_verify,      HT_USAGE_BELIEF,
     "FILE|MIRROR BELIEF | --dir DIR [BELIEF]\n"                                                      },
    {"archive",     run_archive,     HT_USAGE_BELIEF,
     "--dir DIR BELIEF -o FILE ENTRY\n"                                                               },
    {"fsck",        run_fsck,        0,                                                  "--dir DIR\n"},
    {"mirror",      run_mirror,      HT_USAGE_WHERE | HT_USAGE_BELIEF,
     "WHERE BELIEF [--hashes] FOLDER\n"                                                               },
    {"subject",     run_subject,
     HT_USAGE_WHERE | HT_USAGE_VOLUME | HT_USAGE_BELIEF | HT_USAGE_WHAT,
     "WHERE [BELIEF] [WHAT] REGISTRY:ID --tracker FILE ...\n"
        "[--annex FILE ...] [--for-subject]\n"
        "[--format table|jsonl|csv|tracker] [-o FILE]\n"                                              },
    {"pseudonym",   run_pseudonym,   HT_USAGE_BELIEF,
     "REGISTRY:ID --tracker FILE ...\n"                                                               },
    {"erase",       run_erase,
     HT_USAGE_WHERE | HT_USAGE_BELIEF | HT_USAGE_WHAT | HT_USAGE_SCOPE,
     "BELIEF --order NAME --basis TEXT [--bodies] SCOPE\n"
        "[--until TIME] [-o FILE]\n"                                                                  },
    {"disclose",    run_disclose,    HT_USAGE_WHERE | HT_USAGE_BELIEF | HT_USAGE_WHAT,
     "BELIEF --order NAME --basis TEXT [--until TIME] [-o FILE]\n"
        "--entries N,N,... | WHERE --authority DIR\n"
        "--subject REGISTRY:ID --tracker FILE ...\n"                                                  },
    {"witness",     run_witness,     HT_USAGE_WHERE,
     "status|note WHERE --root FILE [--format table|csv]\n"                                           },
};

/*
 * LMDB believes the pages it maps: a damaged database can end the process that
 * reads it.  So a folder is read in a child, and the parent tells what became
 * of it.
 */
static int
guarded(int (*run)(struct ht_audit_opts *o, int argc, char **argv),
    struct ht_audit_opts *o, int argc, char **argv)
{
	int status;
	pid_t pid;

	if (o->dir == NULL)
		return run(o, argc, argv);
	pid = fork();
	if (pid == -1) {
		ht_audit_say("cannot fork");
		return HT_AUDIT_GONE;
	}
	if (pid == 0)
		exit(run(o, argc, argv));
	while (waitpid(pid, &status, 0) == -1) {
		if (errno == EINTR)
			continue;
		ht_audit_say("cannot wait for the reader");
		return HT_AUDIT_GONE;
	}
	if (WIFEXITED(status))
		return WEXITSTATUS(status);
	if (WTERMSIG(status) != SIGSEGV && WTERMSIG(status) != SIGBUS &&
	    WTERMSIG(status) != SIGABRT) {
		if (WTERMSIG(status) != SIGPIPE) /* whoever reads has enough */
			ht_audit_say("signal %d ended it before the end",
			    WTERMSIG(status));
		return HT_AUDIT_GONE;
	}
	ht_audit_say("BAD: the database in %s is damaged below its entries: "
	             "reading it ended in signal %d; restore a good copy",
	    o->dir, WTERMSIG(status));
	return HT_AUDIT_BAD;
}

/* Of the verb it was asked with, if it was with one. */
static int
help(const char *name)
{
	const struct ht_audit_verb *verb =
	    name == NULL ? NULL : ht_audit_verb(verbs, HT_COUNT(verbs), name);

	if (name != NULL && verb == NULL)
		return ht_audit_no_verb(verbs, HT_COUNT(verbs));
	ht_audit_usage(verbs, HT_COUNT(verbs), verb, stdout);
	return fflush(stdout) == EOF ? HT_AUDIT_GONE : HT_AUDIT_OK;
}

/* ---- what was given ---- */

struct given {
	size_t n;
	const char *names[HT_COUNT(options)]; /* each once */
	const char *format;
};

/* By its long name, however it was written. */
static void
note_option(struct given *given, int opt)
{
	const char *name = "";

	for (size_t i = 0; options[i].name != NULL; i++)
		if (options[i].val == opt)
			name = options[i].name;
	if (opt == OPT_FORMAT)
		given->format = optarg;
	for (size_t i = 0; i < given->n; i++)
		if (given->names[i] == name)
			return;
	given->names[given->n++] = name;
}

static bool
has_option(const struct given *given, const char *name)
{
	for (size_t i = 0; i < given->n; i++)
		if (strcmp(given->names[i], name) == 0)
			return true;
	return false;
}

/* What would be ignored is refused: in a table, and by what goes together. */
static int
check_given(
    const char *verb, const struct given *g, const struct ht_audit_opts *o)
{
	HT_AUTO(ht_buf_fini) struct ht_buf why = HT_BUF(4096);
	const struct ht_takes *takes = ht_takes_find(verb, g->names, g->n);
	const struct ht_filter *f = &o->query.filter;

	if (has_option(g, "volume") && ht_audit_no_volume(verb) != NULL)
		return usage_error(ht_audit_no_volume(verb));
	if (takes == NULL ||
	    !ht_takes_all(takes, g->names, g->n, g->format, &why))
		return usage_error(ht_buf_text(&why));
	if (has_option(g, "tracker") && ht_takes_option(takes, "subject") &&
	    o->subject == NULL)
		return usage_error("--tracker makes the pseudonym of a "
		                   "--subject, and there is none");
	if (has_option(g, "why") && o->socket == NULL)
		return usage_error("--why stands in a broker's log: it goes "
		                   "with --socket");
	if (o->key != NULL && o->socket == NULL && o->output == NULL)
		return usage_error("--key asks a broker (--socket), or signs "
		                   "what -o keeps");
	if (f->to_us > 0 && f->from_us >= f->to_us)
		return usage_error("--from is not before --to: no time is "
		                   "left between them");
	return HT_AUDIT_OK;
}

int
main(int argc, char **argv)
{
	struct ht_audit_opts o = {.query = HT_QUERY_ALL};
	const struct ht_audit_verb *verb;
	bool helps = false;
	struct given given = {0};
	int opt, code;

	(void)setlocale(LC_CTYPE, "");
	ht_process_guard();
	ht_log_init("hutong-audit", HT_WARN);
	if (argc == 2 && strcmp(argv[1], "--version") == 0) {
		puts("hutong-audit " HT_VERSION);
		return HT_AUDIT_OK;
	}
	while ((opt = getopt_long(argc, argv, "hfn:o:", options, NULL)) != -1) {
		helps |= opt == OPT_HELP;
		if (opt == '?' || (opt != OPT_HELP && !take_option(&o, opt)))
			return HT_AUDIT_USAGE;
		note_option(&given, opt);
	}
	settle_days(&o);
	if (helps)
		return help(argv[optind]);
	if (optind == argc) {
		ht_audit_usage(verbs, HT_COUNT(verbs), NULL, stderr);
		return HT_AUDIT_USAGE;
	}
	if (ht_keys_init() != HT_OK) {
		ht_audit_say("the cryptographic library cannot be used");
		return HT_AUDIT_GONE;
	}
	verb = ht_audit_verb(verbs, HT_COUNT(verbs), argv[optind]);
	if (verb == NULL)
		return ht_audit_no_verb(verbs, HT_COUNT(verbs));
	code = check_given(verb->name, &given, &o);
	if (code == HT_AUDIT_OK)
		code = guarded(
		    verb->run, &o, argc - optind - 1, argv + optind + 1);
	ht_audit_close_volume(&o);
	return code;
}
