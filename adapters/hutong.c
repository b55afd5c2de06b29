/*
 * hutong.c -- hutong(1): keys, directory, catalog; asking and verifying from a
 * shell.  A table of verbs; each lives in a file of adapters/cli/.
 */
#include <stdio.h>

#include "adapters/cli/cli.h"
#include "keys/hash.h"
#include "lib/base/process.h"

static const struct ht_verb *const verbs[] = {
    &ht_verb_query,
    &ht_verb_verify,
    &ht_verb_key,
    &ht_verb_note,
    &ht_verb_directory,
    &ht_verb_catalog,
    &ht_verb_apply,
    &ht_verb_epoch,
    &ht_verb_can_i,
    &ht_verb_explain,
    &ht_verb_prove,
    &ht_verb_once_only,
    &ht_verb_checkpoint,
    &ht_verb_help,
};

static int
help(int argc, char **argv)
{
	static char full[] = "--help";
	char *to_verb[] = {argv[0], full, full, NULL};

	if (argc < 2)
		return ht_cli_dispatch(
		    "hutong", verbs, HT_COUNT(verbs), 2, to_verb);
	to_verb[1] = argv[1];
	return ht_cli_dispatch("hutong", verbs, HT_COUNT(verbs), 3, to_verb);
}

const struct ht_verb ht_verb_help = {
    .name = "help",
    .synopsis = "[VERB]",
    .help = "the verbs, or what one of them takes",
    .run = help,
};

int
main(int argc, char **argv)
{
	ht_process_guard();
	if (ht_keys_init() != HT_OK)
		return ht_cli_fail(HT_EXIT_UNAVAILABLE,
		    "the cryptographic libraries are not fit for use; see the "
		    "packages that README.md names");
	return ht_cli_dispatch("hutong", verbs, HT_COUNT(verbs), argc, argv);
}
