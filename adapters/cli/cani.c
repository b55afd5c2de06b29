/*
 * cani.c -- hutong can-i: would it be allowed, by which grant and how far, or
 * why not?  Decided as the broker would, on a copy of the documents.
 */
#include <string.h>

#include "adapters/cli/cani.h"
#include "adapters/cli/copy.h"
#include "adapters/cli/files.h"
#include "lib/base/clock.h"

struct question {
	struct cli_copy copy;
	const char *from;
	const char *item;
	const char *operation;
	const char *purpose;
	const char *version;
	const char *at;
	const char *format_name;
};

/* ---- every reason ---- */

static bool
is_among(const struct ht_reason *r, const struct ht_reasons *reasons)
{
	for (unsigned i = 0; i < reasons->n; i++)
		if (reasons->at[i].code == r->code &&
		    strcmp(reasons->at[i].detail, r->detail) == 0)
			return true;
	return false;
}

/* What stands in the way of this grant alone. */
static enum ht_err
add_own(struct cli_reasons *to, const struct ht_verdict *v,
    const struct ht_reasons *common)
{
	struct ht_reasons own = {0};

	for (unsigned i = 0; i < v->reasons.n; i++)
		if (!is_among(&v->reasons.at[i], common))
			own.at[own.n++] = v->reasons.at[i];
	return cli_reasons_add(to, v->grant->name, &own);
}

/* Whatever grant there were: all that is said under none, but that. */
static void
judge_none(const struct ht_trust *trust, const struct ht_prospect *prospect,
    bool has_grants, struct ht_reasons *ret)
{
	struct ht_verdict v;

	ht_prospect_judge(trust, prospect, NULL, NULL, &v);
	ret->n = 0;
	for (unsigned i = 0; i < v.reasons.n; i++)
		if (!has_grants || v.reasons.at[i].code != HT_ST_NO_GRANT)
			ret->at[ret->n++] = v.reasons.at[i];
}

static enum ht_err
judge_all(const struct ht_trust *trust, const struct ht_prospect *prospect,
    struct cli_can *can)
{
	const struct ht_grant *const *grants;
	struct ht_reasons common = {0};
	struct ht_verdict v;
	enum ht_err err;
	size_t n;

	(void)ht_find_grant(trust, prospect, &v);
	if (v.allow) {
		can->allowed = true;
		can->item = v.item;
		can->grant = v.grant;
		return HT_OK;
	}
	grants =
	    ht_trust_grants_of(trust, prospect->consumer, prospect->item, &n);
	judge_none(trust, prospect, n > 0, &common);
	err = cli_reasons_add(&can->reasons, "", &common);
	for (size_t i = 0; i < n && err == HT_OK; i++) {
		ht_prospect_judge(trust, prospect, grants[i], NULL, &v);
		err = add_own(&can->reasons, &v, &common);
	}
	return err;
}

/* ---- the verb ---- */

static int
answer(struct question *q, struct ht_prospect *prospect, enum cli_format format)
{
	struct cli_can can = {
	    .prospect = prospect, .trust = q->copy.trust, .format = format};
	enum ht_err err;
	int rc = HT_CLI_GO;

	if (q->from == NULL && q->copy.has_node)
		q->from = q->copy.conf.member;
	if (q->from == NULL)
		return ht_cli_fail(HT_EXIT_USAGE,
		    "who would ask? Name the member with --from");
	prospect->consumer = ht_slice_str(q->from);
	err = judge_all(can.trust, prospect, &can);
	if (err == HT_OK && q->copy.has_node &&
	    strcmp(q->from, q->copy.conf.member) == 0)
		rc = cli_can_own(&q->copy, &can);
	if (err == HT_OK && rc == HT_CLI_GO)
		err = cli_can_show(&can);
	cli_reasons_fini(&can.reasons);
	if (rc != HT_CLI_GO)
		return rc;
	if (err != HT_OK)
		return ht_cli_error(
		    err, NULL, "cannot write", "standard output");
	return can.allowed ? HT_EXIT_OK : HT_EXIT_REFUSED;
}

static int
read_question(
    const struct question *q, struct ht_prospect *ret, enum cli_format *format)
{
	int rc = ht_cli_format(q->format_name, format);

	ret->item = ht_slice_str(q->item);
	ret->purpose = ht_slice_str(q->purpose != NULL ? q->purpose : "");
	if (rc == HT_CLI_GO)
		rc = ht_cli_time(
		    "--at", q->at, ht_clock_wall_ms(), &ret->now_ms);
	if (rc == HT_CLI_GO)
		rc = ht_cli_version(q->version, &ret->version);
	if (rc != HT_CLI_GO)
		return rc;
	if (ht_operation_parse(ht_slice_str(q->operation), &ret->operation) !=
	    HT_OK)
		return ht_cli_fail(HT_EXIT_USAGE,
		    "--operation %s: query, verify, push, subscribe or "
		    "transfer is expected",
		    q->operation);
	return HT_CLI_GO;
}

static int
can_i(int argc, char **argv)
{
	struct question q = {0};
	struct ht_prospect prospect = {0};
	enum cli_format format = CLI_TABLE;
	const struct ht_opt opts[] = {
	    HT_OPT_MAY("from", "MEMBER", q.from,
	        "who would ask; else the member of --config"),
	    HT_OPT_NEED("item", "NAME", q.item, "what for: catalog/CODE"),
	    HT_OPT_NEED("operation", "WORD", q.operation, "query, verify ..."),
	    HT_OPT_MAY("purpose", "CODE", q.purpose, "any, if not said"),
	    HT_OPT_MAY("item-version", "NUMBER", q.version,
	        "the item's version; else the newest granted"),
	    HT_OPT_MAY("at", "TIME", q.at, "now, if not said"),
	    CLI_COPY_OPTIONS(q.copy),
	    HT_OPT_MAY("format", "FORMAT", q.format_name,
	        "table (default), jsonl or csv"),
	};
	const struct ht_usage_of takes = {
	    "hutong can-i [--from MEMBER] --item NAME --operation WORD "
	    "[--purpose CODE] [--config FILE | --root FILE --dir DIR] ...",
	    opts, HT_COUNT(opts), 0, 0};
	int rc = ht_cli_options(&takes, argc, argv, NULL);

	if (rc == HT_CLI_GO)
		rc = read_question(&q, &prospect, &format);
	if (rc == HT_CLI_GO)
		rc = cli_copy_open(&q.copy);
	if (rc == HT_CLI_GO)
		rc = answer(&q, &prospect, format);
	cli_copy_fini(&q.copy);
	return rc;
}

const struct ht_verb ht_verb_can_i = {
    .name = "can-i",
    .synopsis = "[--from MEMBER] --item NAME --operation WORD "
                "[--purpose CODE] ...",
    .help = "would it be allowed, by which grant and how far, or why not",
    .run = can_i,
};
