/*
 * own_proof.c -- hutong prove: an exchange of this node's own, as a file that
 * proves to anybody that the log has it.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "adapters/cli/ask.h"
#include "adapters/cli/files.h"
#include "adapters/state.h"
#include "keys/proof.h"

#define PROVE_MS 10000

struct proving {
	bool request; /* option: not the answer */
	struct ht_id exchange;
	bool found;
	uint64_t place; /* 0: nothing of it was logged */
	bool is_answer;
};

/* The answer, which cites its request; where there is none, the request. */
static bool
pick(void *arg, const struct ht_told *told)
{
	struct proving *p = arg;

	p->found = true;
	p->is_answer = !p->request && told->answer != HT_ANSWER_NONE &&
	               told->response_place > 0;
	p->place = p->is_answer ? told->response_place : told->request_place;
	return p->place == 0;
}

/* Where it stands, as the state has it; closed again before the node opens. */
static int
find_place(const char *config, const char *text, struct proving *p)
{
	HT_AUTO(ht_report_free) struct ht_report *report = ht_report_new();
	HT_AUTO(ht_conf_node_fini) struct ht_conf_node conf = {0};
	HT_AUTO(ht_state_close) struct ht_state *state = NULL;
	enum ht_err err = ht_conf_node_load(config, report, &conf);

	if (err != HT_OK)
		return ht_cli_error(err, report, "cannot read", config);
	err = ht_state_look(conf.state, report, &state);
	if (err != HT_OK)
		return ht_cli_error(err, report, "cannot read", conf.state);
	err = ht_state_told(state, &p->exchange, pick, p);
	if (err != HT_OK && err != HT_ENOTFOUND)
		return ht_cli_error(err, NULL, "cannot read", conf.state);
	if (!p->found)
		return ht_cli_fail(HT_EXIT_REFUSED,
		    "%s remembers no exchange %s; `hutong explain` lists those "
		    "that it does, and the auditors can prove the others",
		    conf.state, text);
	if (p->place == 0)
		return ht_cli_fail(HT_EXIT_REFUSED,
		    "nothing of exchange %s came into the log: `hutong explain "
		    "%s` says why",
		    text, text);
	return HT_CLI_GO;
}

static int
say_failed(struct ht_node *node, enum ht_err err, uint64_t place)
{
	const char *trouble = ht_node_trouble(node);

	if (err == HT_EDENIED || err == HT_ENOTFOUND)
		return ht_cli_fail(HT_EXIT_REFUSED,
		    "the broker gives no proof of entry %" PRIu64 ": it has no "
		    "record of ours; ask the auditors for it (hutong-audit "
		    "prove)",
		    place);
	return ht_cli_fail(ht_cli_code(err), "entry %" PRIu64 ": %s", place,
	    trouble[0] != '\0' ? trouble : ht_err_text(err));
}

static int
fetch(struct cli_asking *a, const struct proving *p, const char *out)
{
	HT_AUTO(ht_buf_fini) struct ht_buf file = HT_BUF(HT_PROOF_FILE_MAX);
	uint64_t wait_ms = a->life_ms > 0 ? a->life_ms : PROVE_MS;
	enum ht_err err =
	    ht_node_prove(a->node, &p->exchange, p->place, wait_ms, &file);
	int rc;

	if (err != HT_OK)
		return say_failed(a->node, err, p->place);
	rc = ht_cli_write_new(
	    out != NULL ? out : "-", 0644, ht_buf_slice(&file));
	if (rc != HT_CLI_GO)
		return rc;
	fprintf(stderr,
	    "the %s, entry %" PRIu64 ": `hutong-audit verify %s --root %s` "
	    "checks it, with no broker\n",
	    p->is_answer ? "answer" : "request", p->place,
	    out != NULL ? out : "FILE", a->conf.root);
	return HT_EXIT_OK;
}

static int
prove(int argc, char **argv)
{
	HT_AUTO(cli_asking_fini) struct cli_asking a = {.quiet = true};
	struct proving p = {.request = false};
	const char *out = NULL;
	struct ht_args args;
	const struct ht_opt opts[] = {
	    HT_OPT_MAY("out", "FILE", out, "a new file for the proof"),
	    HT_OPT_FLAG("request", p.request,
	        "of the request, though there is an answer"),
	    HT_OPT_MAY("config", "FILE", a.config,
	        "the node that asked or served; else $HUTONG_CONFIG"),
	    HT_OPT_MAY("timeout", "TIME", a.timeout,
	        "how long to wait: 10s (default), 5m"),
	};
	const struct ht_usage_of takes = {
	    "hutong prove EXCHANGE-ID [--out FILE] [--request] "
	    "[--config FILE] [--timeout TIME]",
	    opts, HT_COUNT(opts), 1, 1};
	int rc = ht_cli_options(&takes, argc, argv, &args);

	if (rc != HT_CLI_GO)
		return rc;
	if (strlen(args.at[0]) != (size_t)2 * HT_ID_SIZE ||
	    ht_unhex(args.at[0], p.exchange.at, HT_ID_SIZE) != HT_OK)
		return ht_cli_fail(HT_EXIT_USAGE,
		    "an exchange's id is %d hexadecimal digits, as query and "
		    "verify print it; not \"%s\"",
		    2 * HT_ID_SIZE, args.at[0]);
	if (a.config == NULL)
		a.config = getenv("HUTONG_CONFIG");
	if (a.config != NULL && a.config[0] != '\0')
		rc = find_place(a.config, args.at[0], &p);
	if (rc == HT_CLI_GO)
		rc = cli_asking_open(&a, NULL);
	return rc == HT_CLI_GO ? fetch(&a, &p, out) : rc;
}

const struct ht_verb ht_verb_prove = {
    .name = "prove",
    .synopsis = "EXCHANGE-ID [--out FILE] [--request] [--config FILE]",
    .help = "an exchange of ours, as a file that proves the log has it",
    .run = prove,
};
