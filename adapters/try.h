/*
 * try.h -- `hutong-adapter --try`: one question to one source, as a request
 * would ask it, and what comes back.  No exchange is needed, none is told.
 */
#ifndef HT_ADAPTERS_TRY_H
#define HT_ADAPTERS_TRY_H

#include "adapters/cli/cli.h"
#include "adapters/conf_adapter.h"

/*
 * Ask for @item, "catalog/CODE" or "catalog/CODE@version", with @words, each
 * "name=value".  Records go to standard output, one JSON object a line; what
 * does not fit to standard error.  With @trust (else NULL) parameters have the
 * types of the item's request schema, and records are held against its record
 * schema; without, parameters are text.  Returns an exit code.
 */
int ht_try(const struct ht_conf_adapter *conf, const struct ht_trust *trust,
    const char *item, const struct ht_args *words) HT_MUST_USE;

#endif
