/*
 * cani.h -- the answer of `hutong can-i`, and how it is shown.
 */
#ifndef HT_ADAPTERS_CLI_CANI_H
#define HT_ADAPTERS_CLI_CANI_H

#include "adapters/cli/copy.h"
#include "adapters/cli/reasons.h"
#include "schemas/prospect.h"

struct cli_can {
	const struct ht_prospect *prospect;
	const struct ht_trust *trust;
	enum cli_format format;
	bool allowed;
	const struct ht_item *item;   /* when allowed */
	const struct ht_grant *grant; /* the one that a node would take */
	struct cli_reasons reasons;   /* when not */
};
/* On standard output.  HT_ENOMEM, HT_ESYSTEM. */
enum ht_err cli_can_show(const struct cli_can *can) HT_MUST_USE;

/*
 * The keys that the node is configured with, looked up as the broker would:
 * with one that is not good nobody is admitted, nothing is taken, or the answer
 * cannot be read, whatever was granted.  Their public halves alone are read.
 * HT_CLI_GO, or an exit code; what is wrong is among @can's reasons.
 */
int cli_can_own(const struct cli_copy *copy, struct cli_can *can);

#endif
