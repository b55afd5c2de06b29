/*
 * catalog_due.c -- hutong catalog due: what runs out soon, and what to do.
 */
#include "adapters/cli/catalog.h"
#include "lib/base/clock.h"
#include "schemas/due.h"

struct telling {
	uint64_t now_ms;
	FILE *out;
	size_t n;
};

static void
tell(void *arg, const struct ht_due *due)
{
	struct telling *telling = arg;
	char text[HT_DUE_TEXT];

	ht_due_text(due, telling->now_ms, text);
	fprintf(telling->out, "%s\n", text);
	telling->n++;
}

size_t
ht_cli_due(
    const struct ht_trust *trust, uint64_t now_ms, uint64_t ahead_ms, FILE *out)
{
	struct telling telling = {now_ms, out, 0};

	ht_due_all(trust, now_ms, ahead_ms, tell, &telling);
	return telling.n;
}

/*
 * It lives for days at most, and is freshened all along: who looks further
 * ahead than that is told when it ends, and it is news once it has.
 */
static size_t
tell_current(const struct ht_trust *trust, uint64_t now_ms, uint64_t ahead_ms)
{
	struct telling telling = {now_ms, stdout, 0};

	ht_due_current(trust, now_ms, ahead_ms, tell, &telling);
	if (ahead_ms > HT_CURRENT_MAX_MS && now_ms < ht_trust_until_ms(trust))
		return 0;
	return telling.n;
}

static int
look(const char *dir, const char *root_path, uint64_t now_ms, uint64_t ahead_ms)
{
	HT_AUTO(ht_report_free) struct ht_report *report = ht_report_new();
	HT_AUTO(ht_trust_unref) struct ht_trust *trust = NULL;
	struct ht_root root;
	enum ht_err err;
	size_t n;
	int rc = ht_cli_root(root_path, &root);

	if (rc != HT_CLI_GO)
		return rc;
	err = ht_trust_load_dir(&root, dir, NULL, report, &trust);
	if (err != HT_OK)
		return ht_cli_error(err, report, "cannot trust", dir);
	n = tell_current(trust, now_ms, ahead_ms);
	n += ht_cli_due(trust, now_ms, ahead_ms, stdout);
	if (n > 0)
		return HT_EXIT_REFUSED;
	printf("nothing else ends within %llu days\n",
	    (unsigned long long)(ahead_ms / 86400000));
	return HT_EXIT_OK;
}

static int
due(int argc, char **argv)
{
	const char *root = NULL, *within = NULL, *at = NULL;
	uint64_t ahead_ms = HT_DUE_MS, now_ms;
	const struct ht_opt opts[] = {
	    HT_OPT_NEED("root", "FILE", root,
	        "the anchor file, from where you trust it"),
	    HT_OPT_MAY("within", "TIME", within, "28d if not said"),
	    HT_OPT_MAY("at", "TIME", at, "as of then; now if not said"),
	};
	const struct ht_usage_of takes = {
	    "hutong catalog due DIR --root FILE [--within TIME] [--at TIME]",
	    opts, HT_COUNT(opts), 1, 1};
	struct ht_args args;
	int rc = ht_cli_options(&takes, argc, argv, &args);

	if (rc == HT_CLI_GO)
		rc = ht_cli_time("--at", at, ht_clock_wall_ms(), &now_ms);
	if (rc != HT_CLI_GO)
		return rc;
	if (within != NULL && !ht_cli_duration(within, &ahead_ms))
		return ht_cli_fail(HT_EXIT_USAGE,
		    "--within %s: a time like 28d is expected", within);
	return look(args.at[0], root, now_ms, ahead_ms);
}

const struct ht_verb ht_catalog_due = {
    .name = "due",
    .synopsis = "DIR --root FILE [--within TIME] [--at TIME]",
    .help = "which keys, grants and epochs end soon, and the current note",
    .run = due,
};
