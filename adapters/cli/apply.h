/*
 * apply.h -- the verbs of hutong apply, and what they share.
 */
#ifndef HT_ADAPTERS_CLI_APPLY_H
#define HT_ADAPTERS_CLI_APPLY_H

#include "adapters/casebook.h"
#include "adapters/cli/cli.h"

/* Read a folder of applications, saying so when it cannot be. */
int ht_cli_casebook(const char *dir, struct ht_casebook **ret);
/* The application of that name in it; says which there is not. */
int ht_cli_case(const struct ht_casebook *book, const char *name,
    const struct ht_case_file **ret);
/* Read a document and refuse what is not an application (or an answer). */
int ht_cli_application(const char *path, bool answers, struct ht_doc **ret);

/* In apply_send.c, apply_list.c. */
extern const struct ht_verb ht_apply_send;
extern const struct ht_verb ht_apply_fetch;
extern const struct ht_verb ht_apply_list;
extern const struct ht_verb ht_apply_show;

#endif
