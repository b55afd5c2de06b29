/*
 * ask.h -- what `hutong query` and `hutong verify` have in common: the node,
 * values from words of a command line, the end of an exchange in words.
 */
#ifndef HT_ADAPTERS_CLI_ASK_H
#define HT_ADAPTERS_CLI_ASK_H

#include "adapters/cli/cli.h"
#include "adapters/conf_node.h"

struct cli_asking {
	/* options */
	const char *config;
	const char *purpose;
	const char *grant;
	const char *officer;
	const char *casefile;
	const char *opening;
	const char *format_name;
	const char *timeout;
	const char *lang;
	const char *version;
	bool quiet;
	bool force;

	unsigned operation; /* HT_OP_...: set by the verb */

	/* read from them */
	enum cli_format format;
	bool english;
	uint64_t life_ms;
	uint32_t item_version;
	const char *item_name;

	struct ht_conf_node conf;
	struct ht_node *node;
	const struct ht_item *item;
};

/* The options both verbs take, to be joined with their own. */
#define CLI_ASK_OPTIONS(a)                                                     \
	{.name = "config",                                                     \
	    .arg = "FILE",                                                     \
	    .help = "who asks: node.yaml; else $HUTONG_CONFIG",                \
	    .value = &(a).config},                                             \
	    {.name = "purpose",                                                \
	        .arg = "CODE",                                                 \
	        .help = "what it is for; needed where a grant allows several", \
	        .value = &(a).purpose},                                        \
	    {.name = "grant",                                                  \
	        .arg = "NAME",                                                 \
	        .help = "the grant to rely on; else the first that fits",      \
	        .value = &(a).grant},                                          \
	    {.name = "officer",                                                \
	        .arg = "WHO",                                                  \
	        .help = "who asks in person; sealed to the auditors",          \
	        .value = &(a).officer},                                        \
	    {.name = "case",                                                   \
	        .arg = "NUMBER",                                               \
	        .help = "the case it belongs to; sealed to the auditors",      \
	        .value = &(a).casefile},                                       \
	    {.name = "opening",                                                \
	        .arg = "FILE",                                                 \
	        .help = "keep what proves the answer's content to others",     \
	        .value = &(a).opening},                                        \
	    {.name = "format",                                                 \
	        .arg = "FORMAT",                                               \
	        .help = "table (default), jsonl or csv",                       \
	        .value = &(a).format_name},                                    \
	    {.name = "timeout",                                                \
	        .arg = "TIME",                                                 \
	        .help = "how long to wait: 30s (default), 5m",                 \
	        .value = &(a).timeout},                                        \
	    {.name = "item-version",                                           \
	        .arg = "NUMBER",                                               \
	        .help = "the item's version; else the newest granted",         \
	        .value = &(a).version},                                        \
	    {.name = "lang",                                                   \
	        .arg = "zh|en",                                                \
	        .help = "headings by title (zh, default) or field name",       \
	        .value = &(a).lang},                                           \
	    {.name = "quiet",                                                  \
	        .help = "nothing but the records",                             \
	        .flag = &(a).quiet},                                           \
	{                                                                      \
		.name = "force",                                               \
		.help = "send although our own decision is no",                \
		.flag = &(a).force                                             \
	}

void cli_asking_fini(struct cli_asking *asking);

/*
 * Read the options, open the node, wait until it is ready, find the item
 * (NULL: cli_asking_item() does, when the catalog has told its name).
 * HT_CLI_GO, or an exit code with everything said.
 */
int cli_asking_open(struct cli_asking *asking, const char *item);
int cli_asking_item(struct cli_asking *asking, const char *item);

/*
 * "name=value" words as an object typed by a schema: text where the field
 * takes text, else a number, true or false.  NULL when one of them has no
 * "=", said.
 */
json_t *cli_words(const struct ht_schema *schema, const struct ht_args *words,
    size_t from, const char *what);

/* Ask and wait; on an answer HT_CLI_GO, else the exit code, all said. */
int cli_ask(
    struct cli_asking *asking, struct ht_ask *ask, struct ht_asked *ret);

/* Exchange, places, proof: after the records of a table. */
void cli_footer(const struct cli_asking *asking, const struct ht_asked *asked,
    const char *released);

/* A heading for a field: its title, or its name. */
const char *cli_heading(const struct cli_asking *asking, const char *field);

#endif
