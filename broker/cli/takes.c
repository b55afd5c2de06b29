#include "broker/cli/takes.h"

#include <string.h>

#include "lib/base/own.h"

#define LOG    " dir socket key why"
#define BELIEF " root vkey authority policy"
#define SIDES  " member peer item purpose operation"
#define WHEN   " from to zone"
#define WHAT   WHEN SIDES " status type exchange"
#define PLACE  " start at scan"
#define ABOUT  " subject tracker"
#define ORDER  " order basis until out"

static const struct ht_takes table[] = {
    {"search",      "complete", LOG BELIEF WHAT PLACE ABOUT " volume complete out",
     ""                                                                                                              },
    {"search",      "volume",
     " volume" BELIEF WHAT " start at limit" ABOUT " format",
     "table jsonl csv ocsf"                                                                                          },
    {"search",      NULL,       LOG BELIEF WHAT PLACE ABOUT " limit cursor-file format",
     "table jsonl csv ocsf"                                                                                          },
    {"tail",        "follow",
     LOG BELIEF " from zone" SIDES " status type exchange" ABOUT
                   " follow lines cursor-file format",                                      "table jsonl csv ocsf"   },
    {"tail",        NULL,       LOG BELIEF WHAT " at scan" ABOUT " lines format",
     "table jsonl csv ocsf"                                                                                          },
    {"stats",       "volume",
     " volume" BELIEF WHAT " start at by period lang out key format",
     "table jsonl csv"                                                                                               },
    {"stats",       NULL,       LOG BELIEF WHAT " start at by period lang out format",
     "table jsonl csv"                                                                                               },
    {"report",      "volume",
     " volume" BELIEF SIDES " at month zone lang out key format",
     "table jsonl csv"                                                                                               },
    {"report",      NULL,       LOG BELIEF SIDES " at month zone lang out format",
     "table jsonl csv"                                                                                               },
    {"show",        "volume",   " volume" BELIEF " format",                                 "table jsonl"            },
    {"show",        NULL,       LOG BELIEF " scan format",                                  "table jsonl"            },
    {"prove",       "volume",   " volume" BELIEF " out",                                    ""                       },
    {"prove",       NULL,       LOG BELIEF " scan out",                                     ""                       },
    {"export",      "volume",   " volume" BELIEF " then annex show opening out key",
     ""                                                                                                              },
    {"export",      NULL,       LOG BELIEF " scan then annex show opening out",             ""                       },
    {"consistency", NULL,       LOG BELIEF " volume out",                                   ""                       },
    {"verify",      "dir",      " dir" BELIEF,                                              ""                       },
    {"verify",      NULL,       BELIEF " format",                                           "table jsonl csv ocsf"   },
    {"archive",     NULL,       " dir" BELIEF " out",                                       ""                       },
    {"fsck",        NULL,       " dir",                                                     ""                       },
    {"mirror",      NULL,       LOG BELIEF " volume hashes",                                ""                       },
    {"subject",     "volume",
     " volume" BELIEF WHAT
        " start at tracker annex for-subject out key format",                               "table jsonl csv tracker"},
    {"subject",     NULL,
     LOG BELIEF WHAT PLACE " tracker annex for-subject out format",
     "table jsonl csv tracker"                                                                                       },
    {"pseudonym",   NULL,       BELIEF " tracker",                                          ""                       },
    {"erase",       "subject",  LOG BELIEF WHAT PLACE ABOUT ORDER " bodies",                ""                       },
    {"erase",       NULL,       BELIEF ORDER " entries epoch before retention-over bodies",
     ""                                                                                                              },
    {"disclose",    "subject",  LOG BELIEF WHAT PLACE ABOUT ORDER,                          ""                       },
    {"disclose",    NULL,       BELIEF ORDER " entries",                                    ""                       },
    {"witness",     NULL,       LOG BELIEF " format",                                       "table csv"              },
};

const struct ht_takes *
ht_takes_at(size_t i)
{
	return i < HT_COUNT(table) ? &table[i] : NULL;
}

static bool
has_word(const char *words, struct ht_slice word)
{
	while (*words != '\0') {
		size_t len = strcspn(words, " ");

		if (len == word.len && memcmp(words, word.at, len) == 0)
			return true;
		words += len + strspn(words + len, " ");
	}
	return false;
}

const struct ht_takes *
ht_takes_find(const char *verb, const char *const *given, size_t n)
{
	for (size_t i = 0; i < HT_COUNT(table); i++) {
		const struct ht_takes *t = &table[i];
		bool fits = t->with == NULL;

		if (strcmp(t->verb, verb) != 0)
			continue;
		for (size_t j = 0; j < n && !fits; j++)
			fits = strcmp(given[j], t->with) == 0;
		if (fits)
			return t;
	}
	return NULL;
}

bool
ht_takes_option(const struct ht_takes *takes, const char *option)
{
	return has_word(takes->options, ht_slice_str(option));
}

bool
ht_takes_options(const struct ht_takes *takes, const char *options)
{
	while (*options != '\0') {
		size_t len = strcspn(options, " ");

		if (!has_word(takes->options, HT_SLICE(options, len)))
			return false;
		options += len + strspn(options + len, " ");
	}
	return true;
}

bool
ht_takes_format(const struct ht_takes *takes, const char *format)
{
	return has_word(takes->formats, ht_slice_str(format));
}

static void
add_name(const struct ht_takes *t, struct ht_buf *out)
{
	ht_buf_str(out, t->verb);
	if (t->with != NULL)
		ht_buf_fmt(out, " --%s", t->with);
}

/* "show takes no --by; it is for stats" */
static void
say_option(const struct ht_takes *takes, const char *option, struct ht_buf *why)
{
	unsigned n = 0;

	add_name(takes, why);
	ht_buf_fmt(why, " takes no --%s; it is for ", option);
	for (size_t i = 0; i < HT_COUNT(table); i++) {
		if (!ht_takes_option(&table[i], option))
			continue;
		ht_buf_str(why, n++ > 0 ? ", " : "");
		add_name(&table[i], why);
	}
}

bool
ht_takes_all(const struct ht_takes *takes, const char *const *given, size_t n,
    const char *format, struct ht_buf *why)
{
	for (size_t i = 0; i < n; i++) {
		if (ht_takes_option(takes, given[i]))
			continue;
		say_option(takes, given[i], why);
		return false;
	}
	if (format == NULL || ht_takes_format(takes, format))
		return true;
	add_name(takes, why);
	ht_buf_fmt(
	    why, " has no --format %s; it has: %s", format, takes->formats);
	return false;
}
