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
load(const char *root_path, const char *dir, struct ht_trust **ret)
{
	HT_AUTO(ht_report_free) struct ht_report *report = ht_report_new();
	struct ht_root root;
	enum ht_err err;
	int rc = ht_cli_root(root_path, &root);

	if (rc != HT_CLI_GO)
		return rc;
	err = ht_trust_load_dir(&root, dir, NULL, report, ret);
	if (err == HT_OK)
		return HT_CLI_GO;
	return ht_cli_error(err, report, "cannot trust", dir);
}

/* ---- a node's state ---- */

static char *
snapshot_dir(const struct cli_copy *copy, uint64_t version)
{
	char *dir;

	return asprintf(&dir, "%s/trust-%llu", copy->conf.state,
	           (unsigned long long)version) >= 0
	           ? dir
	           : NULL;
}

/* Whole once its snapshot's note is there: that is written last. */
static bool
is_whole(const char *dir)
{
	HT_AUTO(ht_mem_free) char *note = ht_fs_join(dir, "snapshot.note");

	return note != NULL && access(note, R_OK) == 0;
}

/* The newest snapshot that is whole; 0: none. */
static uint64_t
newest(const struct cli_copy *copy)
{
	DIR *dir = opendir(copy->conf.state);
	const struct dirent *entry;
	uint64_t best = 0;

	while (dir != NULL && (entry = readdir(dir)) != NULL) {
		HT_AUTO(ht_mem_free) char *path = NULL;
		uint64_t version;
		char *end;

		if (strncmp(entry->d_name, "trust-", 6) != 0)
			continue;
		version = strtoull(entry->d_name + 6, &end, 10);
		path = snapshot_dir(copy, version);
		if (*end == '\0' && version > best && path != NULL &&
		    is_whole(path))
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
	version = newest(copy);
	if (version == 0)
		return ht_cli_fail(HT_EXIT_UNAVAILABLE,
		    "%s holds no trust documents yet: they come when the node "
		    "has connected once; or name a folder with --root and "
		    "--dir",
		    copy->conf.state);
	dir = snapshot_dir(copy, version);
	if (dir == NULL)
		return ht_cli_error(HT_ENOMEM, NULL, "cannot read", "");
	return load(copy->conf.root, dir, &copy->trust);
}

int
cli_copy_then(const struct cli_copy *copy, const char *dir, uint64_t version,
    const struct ht_hash *hash, struct ht_trust **ret)
{
	HT_AUTO(ht_mem_free) char *kept = NULL;
	HT_AUTO(ht_trust_unref) struct ht_trust *trust = NULL;
	struct ht_hash found;
	int rc;

	*ret = NULL;
	if (dir == NULL) {
		kept = snapshot_dir(copy, version);
		if (kept == NULL || !is_whole(kept))
			return HT_CLI_GO;
	}
	rc = load(copy->conf.root, dir != NULL ? dir : kept, &trust);
	if (rc != HT_CLI_GO)
		return rc;
	found = ht_trust_hash(trust);
	if (ht_hash_eq(&found, hash))
		*ret = HT_TAKE(trust);
	else if (dir != NULL)
		return ht_cli_fail(HT_EXIT_REFUSED,
		    "%s holds snapshot %llu; the exchange went by another one, "
		    "%llu",
		    dir, (unsigned long long)ht_trust_version(trust),
		    (unsigned long long)version);
	return HT_CLI_GO;
}

int
cli_copy_open(struct cli_copy *copy)
{
	if (copy->root != NULL && copy->dir != NULL && copy->config == NULL)
		return load(copy->root, copy->dir, &copy->trust);
	if (copy->root == NULL && copy->dir == NULL) {
		if (copy->config == NULL)
			copy->config = getenv("HUTONG_CONFIG");
		if (copy->config != NULL && copy->config[0] != '\0')
			return load_state(copy);
	}
	if (copy->config != NULL && (copy->root != NULL || copy->dir != NULL))
		return ht_cli_fail(HT_EXIT_USAGE,
		    "--config names the documents in a node's state, --root "
		    "and --dir others: leave out the one or the others");
	return ht_cli_fail(HT_EXIT_USAGE,
	    "by which documents? Name a node's configuration with --config or "
	    "in the environment variable HUTONG_CONFIG, or a folder with both "
	    "--root and --dir");
}
