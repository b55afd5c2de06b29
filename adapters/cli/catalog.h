/*
 * catalog.h -- what the verbs on documents share: hutong directory, catalog,
 * epoch.
 */
#ifndef HT_ADAPTERS_CLI_CATALOG_H
#define HT_ADAPTERS_CLI_CATALOG_H

#include "adapters/cli/cli.h"
#include "adapters/cli/files.h"

/* Append @text as a YAML scalar in double quotes. */
void ht_cli_quote(struct ht_buf *out, const char *text);
/* Check a draft as it will be read, then write it as a new file. */
int ht_cli_write_draft(const char *path, struct ht_buf *text);

/* "FILE --key FILE [--out FILE]": sign a document of any kind. */
int ht_cli_sign_verb(const char *usage, int argc, char **argv);
/* "DIR [WHAT|NAME]"; @what is the table to show when nothing is named. */
int ht_cli_show_verb(
    const char *usage, const char *what, int argc, char **argv);

/* Print what ends within @ahead_ms, a line each; how many there are. */
size_t ht_cli_due(const struct ht_trust *trust, uint64_t now_ms,
    uint64_t ahead_ms, FILE *out);

/* In catalog_check.c, catalog_draft.c, catalog_publish.c, catalog_due.c,
 * catalog_root.c, catalog_diff.c. */
extern const struct ht_verb ht_catalog_check;
extern const struct ht_verb ht_catalog_draft;
extern const struct ht_verb ht_catalog_export;
extern const struct ht_verb ht_catalog_import;
extern const struct ht_verb ht_catalog_snapshot;
extern const struct ht_verb ht_catalog_freshen;
extern const struct ht_verb ht_catalog_diff;
extern const struct ht_verb ht_catalog_due;
extern const struct ht_verb ht_catalog_adopt;

#endif
