#include "adapters/cli/copy.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "adapters/cli/files.h"
#include "lib/base/fs.h"

void
cli_copy_fini(struct cli_copy *copy)
{
	ht_conf_node_fini(&copy->conf);
	ht_trust_unref(&copy->trust);
}

/* ---- a folder ---- */

static int
load(struct cli_copy *copy, const char *root_path, const char *dir)
{
	HT_AUTO(ht_report_free) struct ht_report *report = ht_report_new();
	struct ht_root root;
	enum ht_err err;
	int rc = ht_cli_root(root_path, &root);

	if (rc != HT_CLI_GO)
		return rc;
	err = ht_trust_load_dir(&root, dir, NULL, report, &copy->trust);
	if (err == HT_OK)
		return HT_CLI_GO;
	return ht_cli_error(err, report, "cannot trust", dir);
}

/* ---- a node's state ---- */

/* Whole once its snapshot's note is there: that is written last. */
static bool
is_whole(const char *state, const char *name)
{
	HT_AUTO(ht_mem_free) char *dir = ht_fs_join(state, name);
	HT_AUTO(ht_mem_free)
	char *note = dir != NULL ? ht_fs_join(dir, "snapshot.note") : NULL;

	return note != NULL && access(note, R_OK) == 0;
}

/* The newest snapshot that is whole; 0: none. */
static uint64_t
newest(const char *state)
{
	DIR *dir = opendir(state);
	const struct dirent *entry;
	uint64_t best = 0;

	while (dir != NULL && (entry = readdir(dir)) != NULL) {
		uint64_t version;
		char *end;

		if (strncmp(entry->d_name, "trust-", 6) != 0)
			continue;
		version = strtoull(entry->d_name + 6, &end, 10);
		if (*end == '\0' && version > best &&
		    is_whole(state, entry->d_name))
			best = version;
	}
	if (dir != NULL)
		(void)closedir(dir);
	return best;
}

static int
load_state(struct cli_copy *copy)
{
	HT_AUTO(ht_report_free) struct ht_report *report = ht_report_new();
	HT_AUTO(ht_mem_free) char *dir = NULL;
	uint64_t version;
	enum ht_err err = ht_conf_node_load(copy->config, report, &copy->conf);

	if (err != HT_OK)
		return ht_cli_error(err, report, "cannot read", copy->config);
	copy->has_node = true;
	version = newest(copy->conf.state);
	if (version == 0)
		return ht_cli_fail(HT_EXIT_UNAVAILABLE,
		    "%s holds no trust documents yet: they come when the node "
		    "has connected once; or name a folder with --root and "
		    "--dir",
		    copy->conf.state);
	if (asprintf(&dir, "%s/trust-%llu", copy->conf.state,
	        (unsigned long long)version) < 0)
		return ht_cli_error(HT_ENOMEM, NULL, "cannot read", "");
	return load(copy, copy->conf.root, dir);
}

int
cli_copy_open(struct cli_copy *copy)
{
	if (copy->root != NULL && copy->dir != NULL && copy->config == NULL)
		return load(copy, copy->root, copy->dir);
	if (copy->root == NULL && copy->dir == NULL) {
		if (copy->config == NULL)
			copy->config = getenv("HUTONG_CONFIG");
		if (copy->config != NULL && copy->config[0] != '\0')
			return load_state(copy);
	}
	return ht_cli_fail(HT_EXIT_USAGE,
	    "by which documents? Name a node's configuration with --config or "
	    "in the environment variable HUTONG_CONFIG, or a folder with both "
	    "--root and --dir");
}
