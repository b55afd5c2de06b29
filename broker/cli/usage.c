#include "broker/cli/usage.h"

#include <string.h>

#include "broker/cli/options.h"
#include "broker/cli/takes.h"

enum section { WHERE, BELIEF, WHAT, HOW, SCOPE };

static const char *const headings[] = {
    [WHERE] =
        "WHERE: a stopped or copied log, a part of one, or a running broker\n",
    [BELIEF] = "BELIEF: whose signatures count\n",
    [WHAT] = "WHAT: all conditions must hold\n",
    [HOW] = "HOW: what comes out\n",
    [SCOPE] = ("SCOPE: what an order to erase is about; officers sign it, "
               "nothing is erased here\n"),
};

/* What is said of some options to a verb that takes all of them. */
static const struct {
	enum section in;
	const char *options;
	const char *text;
} helps[] = {
    {WHERE,  "dir",                                 "  --dir DIR             the log's folder\n"             },
    {WHERE,  "volume",
     "  --volume FILE         a closed volume's file, or an archive of one, "
        "alone\n"                                                                                            },
    {WHERE,  "socket key why",
     "  --socket PATH --key FILE --why TEXT\n"
        "                        the broker's audit socket, the auditor's key, "
        "and the\n"
        "                        purpose that will stand in the log\n"                                       },
    {WHERE,  "scan",
     "  --scan                with --dir: read all entries, believe no "
        "index\n"                                                                                            },
    {BELIEF, "root",                                "  --root FILE           the root note: the log's key\n" },
    {BELIEF, "vkey",                                "  --vkey VKEY           the log's verifier key itself\n"},
    {BELIEF, "authority",
     "  --authority DIR       the trust documents: keys of nodes, names of "
        "fields\n"                                                                                           },
    {BELIEF, "policy",
     "  --policy FILE         the log, its witnesses, and how many must "
        "cosign\n"                                                                                           },
    {WHAT,   "from to",
     "  --from TIME --to TIME 2026-11-24 or 2026-11-24T01:02:03Z; to is "
        "exclusive\n"                                                                                        },
    {WHAT,   "zone",
     "  --zone +08:00         where days and months begin (UTC)\n"                                           },
    {WHAT,   "member peer item purpose operation",
     "  --member NAME --peer NAME --item NAME --purpose CODE\n"
        "  --operation OPERATION\n"                                                                          },
    {WHAT,   "status type exchange",
     "  --status NAME|refused --type TYPE --exchange ID\n"                                                   },
    {WHAT,   "subject tracker",
     "  --subject PSEUDONYM | REGISTRY:ID --tracker FILE\n"                                                  },
    {WHAT,   "start",                               "  --start ENTRY         this one, and those after it\n" },
    {WHAT,   "at",
     "  --at SIZE             as the log was when it had so many entries\n"                                  },
    {WHAT,   "limit",
     "  --limit N             of search: so many rows at the most\n"                                         },
    {WHAT,   "cursor-file",
     "  --cursor-file FILE    go on where the last run with FILE ended\n"                                    },
    {WHAT,   "lines",                               "  -n, --lines N         of tail: the newest N (10)\n"   },
    {WHAT,   "follow",
     "  -f, --follow          of tail: and what comes, up to an hour; ^C "
        "ends it\n"                                                                                          },
    {WHAT,   "by",
     "  --by FIELDS           of stats: member,peer,item,purpose,operation,"
        "type,status\n"                                                                                      },
    {WHAT,   "period",                              "  --period day|month    of stats: and by this\n"        },
    {WHAT,   "month",                               "  --month YYYY-MM       of report\n"                    },
    {WHAT,   "complete",
     "  --complete -o FILE    of search, with --key: an answer that anybody "
        "can verify\n"
        "                        to be all there is\n"                                                       },
    {HOW,    "format",                              NULL                                                     },
    {HOW,    "lang",                                "  --lang en|zh          headings of stats and report\n" },
    {HOW,    "lang out",
     "  -o FILE               of stats and report, with --key: a file from "
        "which verify\n"
        "                        makes every figure again\n"                                                 },
    {SCOPE,  "entries epoch before retention-over",
     "  --entries N,N,...     these\n"
        "  --epoch NAME --before TIME\n"
        "  --retention-over TIME  each item's term in the catalog was over "
        "then\n"
        "  WHERE WHAT --subject REGISTRY:ID --tracker FILE\n"                                                },
};

/* Of a verb, or of all, NULL. */
static bool
is_of(const struct ht_takes *takes, const struct ht_audit_verb *only)
{
	return only == NULL || strcmp(takes->verb, only->name) == 0;
}

static bool
helps_with(const struct ht_audit_verb *only, const char *options)
{
	const struct ht_takes *takes;

	for (size_t i = 0; (takes = ht_takes_at(i)) != NULL; i++)
		if (is_of(takes, only) && ht_takes_options(takes, options))
			return true;
	return false;
}

/* "usage: " before the first, and as much space before the others. */
static void
print_lines(const struct ht_audit_verb *verb, bool first, FILE *out)
{
	const char *at = verb->lines;

	fprintf(out, "%s hutong-audit %-7s", first ? "usage:" : "      ",
	    verb->name);
	for (bool again = false; *at != '\0'; again = true) {
		size_t len = strcspn(at, "\n") + 1;

		fprintf(out, "%s%.*s",
		    again ? "                            " : " ", (int)len, at);
		at += len;
	}
}

/* "  --format table|jsonl", of those that a form of the verb has. */
static void
print_formats(const struct ht_audit_verb *only, FILE *out)
{
	const struct ht_takes *takes;
	const char *name, *sign = " ";

	fputs("  --format", out);
	for (unsigned f = 0; (name = ht_audit_format_name(f)) != NULL; f++)
		for (size_t i = 0; (takes = ht_takes_at(i)) != NULL; i++) {
			if (!is_of(takes, only) ||
			    !ht_takes_format(takes, name))
				continue;
			fprintf(out, "%s%s", sign, name);
			sign = "|";
			break;
		}
	fputs(
	    only != NULL ? "\n" : "; each verb's own help has its own\n", out);
}

void
ht_audit_usage(const struct ht_audit_verb *only, FILE *out)
{
	const struct ht_audit_verb *verb;
	const char *heading = NULL;

	for (size_t i = 0; (verb = ht_audit_verb_at(i)) != NULL; i++)
		if (only == NULL || verb == only)
			print_lines(verb, i == 0 || verb == only, out);
	fputs(only == NULL ? "       hutong-audit --version\n\n" : "\n", out);
	for (size_t i = 0; i < HT_COUNT(helps); i++) {
		if (!helps_with(only, helps[i].options))
			continue;
		if (heading != headings[helps[i].in])
			fputs(heading = headings[helps[i].in], out);
		if (helps[i].text == NULL)
			print_formats(only, out);
		else
			fputs(helps[i].text, out);
	}
}

int
ht_audit_no_verb(void)
{
	HT_AUTO(ht_buf_fini) struct ht_buf names = HT_BUF(1000);
	const struct ht_audit_verb *verb;

	for (size_t i = 0; (verb = ht_audit_verb_at(i)) != NULL; i++) {
		if (i > 0)
			ht_buf_str(&names,
			    ht_audit_verb_at(i + 1) != NULL ? ", " : " and ");
		ht_buf_str(&names, verb->name);
	}
	ht_audit_say(
	    "the verbs are %s; see hutong-audit --help", ht_buf_text(&names));
	return HT_AUDIT_USAGE;
}

int
ht_audit_usage_error(const char *text)
{
	ht_audit_say("%s; see hutong-audit --help", text);
	return HT_AUDIT_USAGE;
}
