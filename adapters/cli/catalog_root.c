/*
 * catalog_root.c -- hutong catalog adopt: a new root takes the old one's
 * place, and the old one stays, so that whoever was away can follow.
 */
#include <stdio.h>

#include "adapters/cli/catalog.h"
#include "lib/base/fs.h"

/* It must follow, or nobody would take it. */
static int
check(const char *path, const struct ht_root *old, struct ht_buf *note)
{
	HT_AUTO(ht_report_free) struct ht_report *report = ht_report_new();
	enum ht_err err;
	int rc = ht_cli_read(path, note);

	if (rc != HT_CLI_GO)
		return rc;
	err = ht_root_follows(old, ht_buf_slice(note), report);
	if (err == HT_OK)
		return HT_CLI_GO;
	return ht_cli_error(err, report, "cannot adopt", path);
}

static int
put(const char *dir, uint64_t revision, const struct ht_buf *old,
    const struct ht_buf *new)
{
	HT_AUTO(ht_mem_free) char *place = ht_fs_join(dir, "root.note");
	HT_AUTO(ht_mem_free) char *past = NULL;
	enum ht_err err;
	int rc;

	if (place == NULL || asprintf(&past, "%s/root@%llu.note", dir,
	                         (unsigned long long)revision) == -1) {
		past = NULL;
		return ht_cli_error(HT_ENOMEM, NULL, "cannot write", dir);
	}
	/* The old one first: at no moment is it nowhere. */
	rc = ht_cli_write_new(past, 0644, ht_buf_slice(old));
	if (rc != HT_CLI_GO)
		return rc;
	err = ht_fs_replace(place, 0644, ht_buf_slice(new));
	if (err != HT_OK)
		return ht_cli_error(err, NULL, "cannot write", place);
	printf("%s: a new root; the one before is %s\n", place, past);
	fprintf(stderr, "Make a snapshot of it, and freshen.\n");
	return HT_EXIT_OK;
}

static int
adopt(int argc, char **argv)
{
	const struct ht_usage_of takes = {
	    "hutong catalog adopt DIR FILE", NULL, 0, 2, 2};
	HT_AUTO(ht_buf_fini) struct ht_buf old_note = HT_BUF(HT_DOC_MAX);
	HT_AUTO(ht_buf_fini) struct ht_buf note = HT_BUF(HT_DOC_MAX);
	HT_AUTO(ht_mem_free) char *place = NULL;
	struct ht_root old;
	struct ht_args args;
	int rc = ht_cli_options(&takes, argc, argv, &args);

	if (rc != HT_CLI_GO)
		return rc;
	place = ht_fs_join(args.at[0], "root.note");
	if (place == NULL)
		return ht_cli_error(HT_ENOMEM, NULL, "cannot read", args.at[0]);
	rc = ht_cli_read(place, &old_note);
	if (rc == HT_CLI_GO)
		rc = ht_cli_root(place, &old);
	if (rc == HT_CLI_GO)
		rc = check(args.at[1], &old, &note);
	return rc == HT_CLI_GO ? put(args.at[0], old.revision, &old_note, &note)
	                       : rc;
}

const struct ht_verb ht_catalog_adopt = {
    .name = "adopt",
    .synopsis = "DIR FILE",
    .help = "a new root, signed by k of the old officers and k of the new",
    .run = adopt,
};
