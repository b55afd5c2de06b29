#include "broker/cli/options.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "broker/cli/takes.h"
#include "broker/cli/usage.h"
#include "broker/log/period.h"
#include "lib/base/clock.h"
#include "lib/base/text.h"
#include "schemas/status.h"

struct option_row {
	const char *name;
	int letter; /* -f; 0: none */
	/* The value, optarg, into a field; says what it wanted. */
	bool (*take)(const struct option_row *row, struct ht_audit_opts *o);
	size_t at;    /* of the field; 0: @take knows which */
	uint64_t max; /* of a number, or of a text's length */
};

static void *
field(const struct option_row *row, struct ht_audit_opts *o)
{
	return (char *)o + row->at;
}

static bool
wrong(const char *option, const char *wanted)
{
	ht_audit_say("--%s: '%s' is not %s", option, optarg, wanted);
	return false;
}

/* ---- values that are kept as they are ---- */

static bool
take_word(const struct option_row *row, struct ht_audit_opts *o)
{
	*(const char **)field(row, o) = optarg;
	return true;
}

static bool
take_flag(const struct option_row *row, struct ht_audit_opts *o)
{
	*(bool *)field(row, o) = true;
	return true;
}

static bool
take_text(const struct option_row *row, struct ht_audit_opts *o)
{
	struct ht_slice text = ht_slice_str(optarg);

	*(struct ht_slice *)field(row, o) = text;
	return text.len > 0 && text.len <= row->max
	           ? true
	           : wrong(row->name, "a text of that length");
}

static bool
add_file(const char *option, const char **files, unsigned *n)
{
	if (*n == HT_AUDIT_KEYS)
		return wrong(option, "needed: there are 8 of them already");
	files[(*n)++] = optarg;
	return true;
}

static bool
take_tracker(const struct option_row *row, struct ht_audit_opts *o)
{
	return add_file(row->name, o->trackers, &o->n_trackers);
}

static bool
take_annex(const struct option_row *row, struct ht_audit_opts *o)
{
	return add_file(row->name, o->annexes, &o->n_annexes);
}

static bool
take_then(const struct option_row *row, struct ht_audit_opts *o)
{
	return add_file(row->name, o->then, &o->n_then);
}

/* "N=FILE": the content of entry N. */
static bool
take_opening(const struct option_row *row, struct ht_audit_opts *o)
{
	size_t digits = strspn(optarg, "0123456789");

	if (digits == 0 || digits > 19 || optarg[digits] != '=')
		return wrong(row->name, "N=FILE, N being an entry's number");
	if (o->n_openings == HT_AUDIT_OPENINGS)
		return wrong(row->name, "needed: there are 64 of them already");
	o->openings[o->n_openings++] = optarg;
	return true;
}

/* ---- numbers and times ---- */

static bool
number(const struct option_row *row, uint64_t *ret)
{
	char *end;
	unsigned long long n;

	n = strtoull(optarg, &end, 10);
	if (optarg[0] < '0' || optarg[0] > '9' || *end != '\0' || n > row->max)
		return wrong(row->name, "a number that fits");
	*ret = n;
	return true;
}

static bool
take_number(const struct option_row *row, struct ht_audit_opts *o)
{
	return number(row, field(row, o));
}

static bool
take_limit(const struct option_row *row, struct ht_audit_opts *o)
{
	uint64_t n;

	if (!number(row, &n))
		return false;
	o->query.filter.limit = (uint32_t)n;
	return true;
}

static bool
take_lines(const struct option_row *row, struct ht_audit_opts *o)
{
	uint64_t n;

	if (!number(row, &n))
		return false;
	o->query.last = (uint32_t)n;
	return n > 0 ? true : wrong(row->name, "a number from 1 to 10000");
}

static bool
take_time(const struct option_row *row, bool *ret_day, uint64_t *ret)
{
	*ret_day = strlen(optarg) == strlen("2026-11-24");
	return ht_time_parse(ht_slice_str(optarg), ret) == HT_OK
	           ? true
	           : wrong(row->name,
	                 "a time such as 2026-11-24T01:02:03Z, or a date");
}

static bool
take_from(const struct option_row *row, struct ht_audit_opts *o)
{
	return take_time(row, &o->from_day, &o->query.filter.from_us);
}

static bool
take_to(const struct option_row *row, struct ht_audit_opts *o)
{
	return take_time(row, &o->to_day, &o->query.filter.to_us);
}

static bool
take_zone(const struct option_row *row, struct ht_audit_opts *o)
{
	return ht_zone_parse(optarg, &o->zone_minutes) == HT_OK
	           ? true
	           : wrong(row->name, "a distance from UTC such as +08:00");
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

/* ---- one of some words ---- */

static bool
take_status(const struct option_row *row, struct ht_audit_opts *o)
{
	struct ht_filter *f = &o->query.filter;
	char *end;
	long n = strtol(optarg, &end, 10);

	if (strcasecmp(optarg, "refused") == 0)
		f->status = -2;
	else if (*optarg != '\0' && *end == '\0' && n >= 0 && n <= UINT16_MAX)
		f->status = (int)n;
	else
		f->status = ht_status_parse(optarg);
	return f->status != -1 ? true
	                       : wrong(row->name,
	                             "a code of docs/protocol.md, its name, or "
	                             "'refused'");
}

static bool
take_type(const struct option_row *row, struct ht_audit_opts *o)
{
	struct ht_filter *f = &o->query.filter;

	for (unsigned type = 1; type <= HT_ENTRY_REMOVED; type++)
		if (strcasecmp(optarg, ht_entry_type_text(type)) == 0)
			f->type = (int)type;
	return f->type != -1
	           ? true
	           : wrong(row->name, "a type of entry, such as REQUEST or "
	                              "REJECT");
}

static bool
take_operation(const struct option_row *row, struct ht_audit_opts *o)
{
	unsigned operation;

	if (ht_operation_parse(ht_slice_str(optarg), &operation) != HT_OK)
		return wrong(
		    row->name, "query, verify, push, subscribe or transfer");
	o->query.filter.operation = (int)operation;
	return true;
}

static bool
take_exchange(const struct option_row *row, struct ht_audit_opts *o)
{
	struct ht_filter *f = &o->query.filter;

	f->has_exchange = true;
	return ht_unhex(optarg, f->exchange.at, HT_ID_SIZE) == HT_OK
	           ? true
	           : wrong(row->name, "an exchange id: 32 hex digits");
}

const char *
ht_audit_format_name(unsigned format)
{
	static const char *const names[] = {
	    [HT_AUDIT_TABLE] = "table",
	    [HT_AUDIT_JSONL] = "jsonl",
	    [HT_AUDIT_CSV] = "csv",
	    [HT_AUDIT_OCSF] = "ocsf",
	    [HT_AUDIT_TRACKER] = "tracker",
	};

	return format < HT_COUNT(names) ? names[format] : NULL;
}

static bool
take_format(const struct option_row *row, struct ht_audit_opts *o)
{
	const char *name;

	for (unsigned i = 0; (name = ht_audit_format_name(i)) != NULL; i++) {
		if (strcmp(optarg, name) != 0)
			continue;
		o->format = (enum ht_audit_format)i;
		return true;
	}
	return wrong(row->name, "table, jsonl, csv, ocsf, or, for subject, "
	                        "tracker");
}

static bool
take_period(const struct option_row *row, struct ht_audit_opts *o)
{
	o->period = optarg;
	return strcmp(optarg, "day") == 0 || strcmp(optarg, "month") == 0
	           ? true
	           : wrong(row->name, "day or month");
}

static bool
take_lang(const struct option_row *row, struct ht_audit_opts *o)
{
	o->chinese = strcmp(optarg, "zh") == 0;
	return o->chinese || strcmp(optarg, "en") == 0
	           ? true
	           : wrong(row->name, "en or zh");
}

/* ---- the table ---- */

#define AT(field) offsetof(struct ht_audit_opts, field)
#define OF(field) AT(query.filter.field)

static const struct option_row rows[] = {
    {"dir",            0,   take_word,      AT(dir),           0             },
    {"socket",         0,   take_word,      AT(socket),        0             },
    {"key",            0,   take_word,      AT(key),           0             },
    {"why",            0,   take_text,      AT(query.why),     HT_QUERY_WHY  },
    {"volume",         0,   take_word,      AT(volume),        0             },
    {"scan",           0,   take_flag,      AT(scan),          0             },
    {"root",           0,   take_word,      AT(root),          0             },
    {"vkey",           0,   take_word,      AT(vkey),          0             },
    {"authority",      0,   take_word,      AT(authority),     0             },
    {"policy",         0,   take_word,      AT(policy),        0             },
    {"from",           0,   take_from,      0,                 0             },
    {"to",             0,   take_to,        0,                 0             },
    {"zone",           0,   take_zone,      0,                 0             },
    {"member",         0,   take_text,      OF(member),        HT_NAME_MAX   },
    {"peer",           0,   take_text,      OF(peer),          HT_NAME_MAX   },
    {"item",           0,   take_text,      OF(item),          HT_NAME_MAX   },
    {"purpose",        0,   take_text,      OF(purpose),       HT_PURPOSE_MAX},
    {"operation",      0,   take_operation, 0,                 0             },
    {"status",         0,   take_status,    0,                 0             },
    {"type",           0,   take_type,      0,                 0             },
    {"exchange",       0,   take_exchange,  0,                 0             },
    {"subject",        0,   take_word,      AT(subject),       0             },
    {"tracker",        0,   take_tracker,   0,                 0             },
    {"annex",          0,   take_annex,     0,                 0             },
    {"for-subject",    0,   take_flag,      AT(for_subject),   0             },
    {"start",          0,   take_number,    OF(start_seq),     UINT64_MAX    },
    {"at",             0,   take_number,    OF(size),          UINT64_MAX    },
    {"limit",          0,   take_limit,     0,                 UINT32_MAX    },
    {"cursor-file",    0,   take_word,      AT(cursor),        0             },
    {"lines",          'n', take_lines,     0,                 HT_QUERY_ROWS },
    {"follow",         'f', take_flag,      AT(follow),        0             },
    {"by",             0,   take_word,      AT(by),            0             },
    {"period",         0,   take_period,    0,                 0             },
    {"month",          0,   take_word,      AT(month),         0             },
    {"lang",           0,   take_lang,      0,                 0             },
    {"format",         0,   take_format,    0,                 0             },
    {"complete",       0,   take_flag,      AT(complete),      0             },
    {"then",           0,   take_then,      0,                 0             },
    {"show",           0,   take_word,      AT(show),          0             },
    {"opening",        0,   take_opening,   0,                 0             },
    {"hashes",         0,   take_flag,      AT(hashes),        0             },
    {"order",          0,   take_word,      AT(erase.order),   0             },
    {"basis",          0,   take_word,      AT(erase.basis),   0             },
    {"until",          0,   take_word,      AT(erase.until),   0             },
    {"entries",        0,   take_word,      AT(erase.entries), 0             },
    {"epoch",          0,   take_word,      AT(erase.epoch),   0             },
    {"before",         0,   take_word,      AT(erase.before),  0             },
    {"retention-over", 0,   take_word,      AT(erase.over),    0             },
    {"bodies",         0,   take_flag,      AT(erase.bodies),  0             },
    {"out",            'o', take_word,      AT(output),        0             },
};
_Static_assert(HT_COUNT(rows) <= HT_GIVEN_MAX, "each may be given");

const char *
ht_audit_option_at(size_t i)
{
	return i < HT_COUNT(rows) ? rows[i].name : NULL;
}

/* ---- the command line ---- */

enum { OPT_HELP = 'h', OPT_FIRST = 256 /* the first row's; above letters */ };

/* The table as getopt_long(3) wants it. */
static void
long_options(struct option options[static HT_COUNT(rows) + 2])
{
	for (size_t i = 0; i < HT_COUNT(rows); i++)
		options[i] = (struct option){
		    .name = rows[i].name,
		    .has_arg = rows[i].take == take_flag ? no_argument
		                                         : required_argument,
		    .val = OPT_FIRST + (int)i,
		};
	options[HT_COUNT(rows)] =
	    (struct option){"help", no_argument, NULL, OPT_HELP};
	options[HT_COUNT(rows) + 1] = (struct option){0};
}

static const struct option_row *
row_of(int opt)
{
	if (opt >= OPT_FIRST)
		return &rows[opt - OPT_FIRST];
	for (size_t i = 0; i < HT_COUNT(rows); i++)
		if (rows[i].letter == opt)
			return &rows[i];
	return NULL;
}

static bool
has_option(const struct ht_given *given, const char *name)
{
	for (size_t i = 0; i < given->n; i++)
		if (strcmp(given->names[i], name) == 0)
			return true;
	return false;
}

int
ht_audit_options(
    int argc, char **argv, struct ht_audit_opts *o, struct ht_given *given)
{
	struct option options[HT_COUNT(rows) + 2];
	int opt;

	long_options(options);
	while ((opt = getopt_long(argc, argv, "hfn:o:", options, NULL)) != -1) {
		const struct option_row *row;

		given->help |= opt == OPT_HELP;
		if (opt == OPT_HELP)
			continue;
		row = row_of(opt);
		if (row == NULL || !row->take(row, o))
			return HT_AUDIT_USAGE;
		if (!has_option(given, row->name))
			given->names[given->n++] = row->name;
		if (row->take == take_format)
			given->format = optarg;
	}
	settle_days(o);
	return HT_AUDIT_OK;
}

int
ht_audit_check_given(
    const char *verb, const struct ht_given *g, const struct ht_audit_opts *o)
{
	HT_AUTO(ht_buf_fini) struct ht_buf why = HT_BUF(4096);
	const struct ht_takes *takes = ht_takes_find(verb, g->names, g->n);
	const struct ht_filter *f = &o->query.filter;

	if (has_option(g, "volume") && ht_audit_no_volume(verb) != NULL)
		return ht_audit_usage_error(ht_audit_no_volume(verb));
	if (takes == NULL ||
	    !ht_takes_all(takes, g->names, g->n, g->format, &why))
		return ht_audit_usage_error(ht_buf_text(&why));
	if (has_option(g, "tracker") && ht_takes_option(takes, "subject") &&
	    o->subject == NULL)
		return ht_audit_usage_error("--tracker makes the pseudonym of "
		                            "a --subject, and there is none");
	if (has_option(g, "why") && o->socket == NULL)
		return ht_audit_usage_error("--why stands in a broker's log: "
		                            "it goes with --socket");
	if (o->key != NULL && o->socket == NULL && o->output == NULL)
		return ht_audit_usage_error("--key asks a broker (--socket), "
		                            "or signs what -o keeps");
	if (f->to_us > 0 && f->from_us >= f->to_us)
		return ht_audit_usage_error("--from is not before --to: no "
		                            "time is left between them");
	return HT_AUDIT_OK;
}
