/*
 * checkpoint.c -- hutong checkpoint: the newest checkpoint of the log that a
 * node has seen, for whoever restores or examines the log.
 */
#include <inttypes.h>

#include "adapters/cli/cli.h"
#include "adapters/cli/files.h"
#include "adapters/state.h"

/* Of what the node keeps, the largest tree; all must be of that log. */
static int
find_newest(struct ht_state *state, const struct ht_vkey *log,
    struct ht_buf *note, struct ht_checkpoint *ret)
{
	static const char *const facts[] = {
	    HT_FACT_CHECKPOINT, HT_FACT_SEEN, HT_FACT_COSIGNED};

	for (size_t i = 0; i < HT_COUNT(facts); i++) {
		HT_AUTO(ht_buf_fini) struct ht_buf kept = HT_BUF(HT_DOC_MAX);
		enum ht_err err = ht_state_get(state, facts[i], &kept);
		struct ht_checkpoint cp;

		if (err == HT_ENOTFOUND)
			continue;
		if (err == HT_OK)
			err = ht_checkpoint_open(ht_buf_slice(&kept), log, &cp);
		if (err == HT_EBADSIG || err == HT_EMALFORMED)
			return ht_cli_fail(HT_EXIT_INTEGRITY,
			    "%s: what it keeps is not of the log %s that "
			    "--root names; give the anchor that this node is "
			    "configured with",
			    ht_state_dir(state), log->name);
		if (err != HT_OK)
			return ht_cli_error(
			    err, NULL, "cannot read", ht_state_dir(state));
		if (note->len > 0 && cp.size <= ret->size)
			continue;
		*ret = cp;
		ht_buf_reset(note);
		ht_buf_add(note, kept.at, kept.len);
	}
	return HT_CLI_GO;
}

static int
print_newest(
    struct ht_state *state, const struct ht_root *root, const char *out)
{
	HT_AUTO(ht_buf_fini) struct ht_buf note = HT_BUF(HT_DOC_MAX);
	struct ht_checkpoint cp = {.size = 0};
	int rc = find_newest(state, &root->log, &note, &cp);

	if (rc == HT_CLI_GO && note.len == 0)
		return ht_cli_fail(HT_EXIT_REFUSED,
		    "%s: this node has seen no checkpoint of %s yet; it gets "
		    "one when it connects",
		    ht_state_dir(state), root->log.name);
	if (rc == HT_CLI_GO)
		rc = ht_cli_write_new(
		    out != NULL ? out : "-", 0644, ht_buf_slice(&note));
	if (rc != HT_CLI_GO)
		return rc;
	fprintf(stderr, "%s: %" PRIu64 " entries, as this node has seen\n",
	    root->log.name, cp.size);
	return HT_EXIT_OK;
}

static int
checkpoint(int argc, char **argv)
{
	HT_AUTO(ht_report_free) struct ht_report *report = ht_report_new();
	HT_AUTO(ht_state_close) struct ht_state *state = NULL;
	const char *root_path = NULL, *out = NULL;
	const struct ht_opt opts[] = {
	    HT_OPT_NEED(
	        "root", "FILE", root_path, "the anchor file: whose log it is"),
	    HT_OPT_MAY("out", "FILE", out, "a new file for it"),
	};
	const struct ht_usage_of takes = {
	    "hutong checkpoint DIR --root FILE [--out FILE]", opts,
	    HT_COUNT(opts), 1, 1};
	struct ht_root root;
	struct ht_args args;
	enum ht_err err;
	int rc = ht_cli_options(&takes, argc, argv, &args);

	if (rc == HT_CLI_GO)
		rc = ht_cli_root(root_path, &root);
	if (rc != HT_CLI_GO)
		return rc;
	err = ht_state_look(args.at[0], report, &state);
	if (err != HT_OK)
		return ht_cli_error(err, report, "cannot read", args.at[0]);
	return print_newest(state, &root, out);
}

const struct ht_verb ht_verb_checkpoint = {
    .name = "checkpoint",
    .synopsis = "DIR --root FILE [--out FILE]",
    .help = "the newest checkpoint of the log that a node's state keeps",
    .run = checkpoint,
};
