/*
 * hutong.c -- hutong(1): keys, directory, catalog; asking and verifying from a
 * shell.  A table of verbs; each lives in a file of adapters/cli/.
 */
#include <stdio.h>

#include "adapters/cli/cli.h"

static const struct ht_verb *const verbs[] = {
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
	return ht_cli_dispatch("hutong", verbs, HT_COUNT(verbs), argc, argv);
}
