/*
 * reasons.h -- why something is refused, for people and for programs: what,
 * in which detail, who must act, and how.
 */
#ifndef HT_ADAPTERS_CLI_REASONS_H
#define HT_ADAPTERS_CLI_REASONS_H

#include "adapters/cli/cli.h"
#include "schemas/content.h"
#include "schemas/json.h"

/* One reason, and what stands in its way: a grant's name, or "". */
struct cli_reason {
	char under[HT_GRANT_MAX + 1];
	struct ht_reason reason;
};

#define CLI_REASONS_MAX 256
struct cli_reasons {
	size_t n;
	struct cli_reason *at;
};
void cli_reasons_fini(struct cli_reasons *reasons);
/* Add all of them; past CLI_REASONS_MAX no more.  HT_ENOMEM. */
enum ht_err cli_reasons_add(struct cli_reasons *reasons, const char *under,
    const struct ht_reasons *more) HT_MUST_USE;

/* A table on standard output. */
enum ht_err cli_reasons_table(const struct cli_reasons *reasons) HT_MUST_USE;
/* [{"code", "name", "detail", "who", "remedy", "grant"}, ...]; may be NULL. */
json_t *cli_reasons_json(const struct cli_reasons *reasons);

/* One JSON value as a line on standard output.  HT_ENOMEM, HT_ESYSTEM. */
enum ht_err cli_json_line(const json_t *json) HT_MUST_USE;

#endif
