/*
 * cani.h -- the answer of `hutong can-i`, and how it is shown.
 */
#ifndef HT_ADAPTERS_CLI_CANI_H
#define HT_ADAPTERS_CLI_CANI_H

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

#endif
