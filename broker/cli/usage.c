#include "broker/cli/usage.h"

#include <string.h>

/* Lines of --help, and the groups that they belong to. */
static const struct {
	unsigned of;
	const char *text;
} helps[] = {
    {HT_USAGE_WHERE,
     "WHERE: a stopped or copied log, a part of one, or a running broker\n"
        "  --dir DIR             the log's folder\n"                            },
    {HT_USAGE_VOLUME,
     "  --volume FILE         a closed volume's file, or an archive of one, "
        "alone\n"                                                               },
    {HT_USAGE_WHERE,
     "  --socket PATH --key FILE --why TEXT\n"
        "                        the broker's audit socket, the auditor's key, "
        "and the\n"
        "                        purpose that will stand in the log\n"          },
    {HT_USAGE_BELIEF,
     "BELIEF: whose signatures count\n"
        "  --root FILE           the root note: the log's key\n"
        "  --vkey VKEY           the log's verifier key itself\n"
        "  --authority DIR       the trust documents: keys of nodes, names of "
        "fields\n"
        "  --policy FILE         the log, its witnesses, and how many must "
        "cosign\n"                                                              },
    {HT_USAGE_WHAT,
     "WHAT: all conditions must hold\n"
        "  --from TIME --to TIME 2026-11-24 or 2026-11-24T01:02:03Z; to is "
        "exclusive\n"
        "  --zone +08:00         where days (--from, --to) and months "
        "begin (UTC)\n"
        "  --member NAME --peer NAME --item NAME --purpose CODE\n"
        "  --status NAME|refused --type TYPE --exchange ID\n"
        "  --subject PSEUDONYM | REGISTRY:ID --tracker FILE\n"
        "  --operation OPERATION\n"                                             },
    {HT_USAGE_PAGE,     "  --limit N --start ENTRY --at SIZE --scan\n"          },
    {HT_USAGE_CURSOR,
     "  --cursor-file FILE    go on where the last run with FILE ended\n"       },
    {HT_USAGE_TAIL,
     "  -n, --lines N         of tail: the newest N (10)\n"
        "  -f, --follow          of tail: and what comes, up to an hour; ^C "
        "ends it\n"                                                             },
    {HT_USAGE_STATS,
     "  --by FIELDS           of stats: member,peer,item,purpose,operation,"
        "type,status\n"
        "  --period day|month    of stats: and by this\n"                       },
    {HT_USAGE_REPORT,   "  --month YYYY-MM       of report\n"                   },
    {HT_USAGE_COMPLETE,
     "  --complete -o FILE    of search, with --key: an answer that anybody "
        "can verify\n"
        "                        to be all there is\n"                          },
    {HT_USAGE_HOW,
     "HOW: --format table|jsonl|csv|ocsf (ocsf: search and tail)\n"             },
    {HT_USAGE_COUNTS,   "  --lang en|zh          headings of stats and report\n"},
    {HT_USAGE_COUNTS,
     "  -o FILE               of stats and report, with --key: a file from "
        "which verify\n"
        "                        makes every figure again\n"                    },
    {HT_USAGE_SCOPE,
     "SCOPE: what an order to erase is about; officers sign it, nothing is "
        "erased here\n"
        "  --entries N,N,...     these\n"
        "  --epoch NAME --before TIME\n"
        "  --retention-over TIME  each item's term in the catalog was over "
        "then\n"
        "  WHERE WHAT --subject REGISTRY:ID --tracker FILE\n"                   },
};

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

void
ht_audit_usage(const struct ht_audit_verb *verbs, size_t n,
    const struct ht_audit_verb *only, FILE *out)
{
	unsigned takes = only == NULL ? ~0u : only->takes;

	for (size_t i = 0; only == NULL && i < n; i++)
		print_lines(&verbs[i], i == 0, out);
	if (only != NULL)
		print_lines(only, true, out);
	else
		fputs("       hutong-audit --version\n", out);
	for (size_t i = 0, shown = 0; i < HT_COUNT(helps); i++)
		if (helps[i].of & takes)
			fprintf(out, "%s%s", shown++ == 0 ? "\n" : "",
			    helps[i].text);
}

const struct ht_audit_verb *
ht_audit_verb(const struct ht_audit_verb *verbs, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(verbs[i].name, name) == 0)
			return &verbs[i];
	return NULL;
}

int
ht_audit_no_verb(const struct ht_audit_verb *verbs, size_t n)
{
	HT_AUTO(ht_buf_fini) struct ht_buf names = HT_BUF(1000);

	for (size_t i = 0; i < n; i++) {
		if (i > 0)
			ht_buf_str(&names, i + 1 < n ? ", " : " and ");
		ht_buf_str(&names, verbs[i].name);
	}
	ht_audit_say(
	    "the verbs are %s; see hutong-audit --help", ht_buf_text(&names));
	return HT_AUDIT_USAGE;
}
