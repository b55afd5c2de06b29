/*
 * verify.c -- hutong verify: are these values so?  Match, no match or unknown
 * for each, and nothing else.
 */
#include <stdlib.h>
#include <string.h>

#include "adapters/cli/ask.h"
#include "lib/term/table.h"

static const struct {
	const char *word; /* for programs */
	const char *zh;
	const char *en;
} matches[] = {
    [HT_NO_MATCH] = {"no-match", "不一致",    "no match"},
    [HT_MATCH] = {"match",    "一致",       "match"   },
    [HT_UNKNOWN] = {"unknown",  "无法核对", "unknown" },
};

static enum ht_match
match_of(const json_t *value)
{
	json_int_t match = json_integer_value(value);

	return match == HT_MATCH || match == HT_NO_MATCH ? (enum ht_match)match
	                                                 : HT_UNKNOWN;
}

static enum ht_err
print_table(const struct cli_asking *a, const json_t *results)
{
	const struct ht_column people[] = {
	    {.name = a->english ? "field" : "字段"},
	    {.name = a->english ? "result" : "结果"}};
	const struct ht_column programs[] = {
	    {.name = "field"}, {.name = "result"}};
	HT_AUTO(ht_table_free) struct ht_table *table = NULL;
	const char *field;
	json_t *value;
	enum ht_err err;

	err = ht_table_new(a->format == CLI_CSV ? programs : people, 2, &table);
	if (err != HT_OK)
		return err;
	json_object_foreach((json_t *)(uintptr_t)results, field, value)
	{
		enum ht_match m = match_of(value);
		struct ht_slice cells[2];

		cells[0] = ht_slice_str(
		    a->format == CLI_CSV ? field : cli_heading(a, field));
		cells[1] = ht_slice_str(a->format == CLI_CSV ? matches[m].word
		                        : a->english         ? matches[m].en
		                                             : matches[m].zh);
		ht_table_add(table, cells);
	}
	return a->format == CLI_CSV ? ht_table_csv(table, stdout)
	                            : ht_table_print(table, stdout);
}

static enum ht_err
print_jsonl(const json_t *results)
{
	HT_AUTO(ht_buf_fini) struct ht_buf line = HT_BUF(1 << 16);
	HT_AUTO(ht_json_free) json_t *words = json_object();
	const char *field;
	json_t *value;
	enum ht_err err;

	json_object_foreach((json_t *)(uintptr_t)results, field, value)
	{
		if (json_object_set_new(words, field,
		        json_string(matches[match_of(value)].word)) != 0)
			return HT_ENOMEM;
	}
	err = ht_json_print(words, &line);
	if (err != HT_OK)
		return err;
	ht_buf_u8(&line, '\n');
	return fwrite(line.at, 1, line.len, stdout) == line.len ? HT_OK
	                                                        : HT_ESYSTEM;
}

static int
show(const struct cli_asking *a, const struct ht_asked *asked)
{
	const json_t *results = asked->response.results;
	bool all = json_object_size(results) > 0;
	const char *field;
	json_t *value;
	enum ht_err err;

	err = a->format == CLI_JSONL ? print_jsonl(results)
	                             : print_table(a, results);
	cli_footer(a, asked, "");
	if (err != HT_OK || fflush(stdout) != 0)
		return ht_cli_error(
		    err, NULL, "cannot write", "standard output");
	json_object_foreach((json_t *)(uintptr_t)results, field, value) all =
	    all && match_of(value) == HT_MATCH;
	return all ? HT_EXIT_OK : HT_EXIT_REFUSED;
}

static int
verify(int argc, char **argv)
{
	HT_AUTO(cli_asking_fini)
	struct cli_asking a = {.operation = HT_OP_VERIFY};
	HT_AUTO(ht_asked_fini) struct ht_asked asked = {0};
	HT_AUTO(ht_json_free) json_t *params = NULL;
	HT_AUTO(ht_json_free) json_t *claims = NULL;
	struct ht_ask ask = {0};
	struct ht_args args, claimed = {0};
	const struct ht_opt opts[] = {
	    {.name = "claim",
             .arg = "FIELD=VALUE",
             .help = "what is claimed; may be given again",
             .list = &claimed,
             .required = true},
	    CLI_ASK_OPTIONS(a),
	};
	const struct ht_usage_of takes = {
	    .usage = "hutong verify ITEM NAME=VALUE... --claim FIELD=VALUE... "
	             "[--config FILE] ...",
	    .opts = opts,
	    .n_opts = HT_COUNT(opts),
	    .min_args = 1,
	    .max_args = HT_ARGS_MAX,
	};
	int rc = ht_cli_options(&takes, argc, argv, &args);

	if (rc == HT_CLI_GO)
		rc = cli_asking_open(&a, args.at[0]);
	if (rc != HT_CLI_GO)
		return rc;
	params = cli_words(
	    a.item != NULL ? a.item->request : NULL, &args, 1, "parameters");
	claims = cli_words(
	    a.item != NULL ? a.item->record : NULL, &claimed, 0, "claims");
	if (params == NULL || claims == NULL)
		return HT_EXIT_USAGE;
	ask.params = params;
	ask.claims = claims;
	rc = cli_ask(&a, &ask, &asked);
	return rc == HT_CLI_GO ? show(&a, &asked) : rc;
}

const struct ht_verb ht_verb_verify = {
    .name = "verify",
    .synopsis = "ITEM NAME=VALUE... --claim FIELD=VALUE... ...",
    .help = "ask a provider whether values are so",
    .run = verify,
};
