/*
 * ask.c -- was this import tax paid?  Compared first, then read.
 *
 *	ask CERTIFICATE PAYER AMOUNT
 *
 * Run it in the folder with the keys: of `make demo-up`,
 * build/demo/members/tax.demo/state.
 */
#include <hutong.h>
#include <stdio.h>
#include <stdlib.h>

/* Every reason at once, the remedy, and who must act. */
static int
tell_why(const struct ht_asked *asked)
{
	for (unsigned i = 0; i < asked->reasons.n; i++) {
		const struct ht_reason *r = &asked->reasons.at[i];

		fprintf(stderr, "%s: %s: %s\n    %s must act: %s\n",
		    ht_status_name(r->code), ht_status_text(r->code), r->detail,
		    ht_who_text(ht_status_who(r->code)),
		    ht_status_remedy(r->code));
	}
	return 1;
}

static int
print(const char *what, const json_t *value)
{
	char *text = json_dumps(value, JSON_COMPACT);

	if (text == NULL)
		return 1;
	printf("%s %s\n", what, text);
	free(text);
	return 0;
}

/* Ask, and print what came. */
static int
ask(struct ht_node *node, const struct ht_ask *what)
{
	HT_AUTO(ht_asked_fini) struct ht_asked asked = {0};
	enum ht_err err = ht_node_ask(node, what, &asked);

	if (err != HT_OK) {
		fprintf(stderr, "ask: %s: %s\n", ht_err_text(err),
		    ht_node_trouble(node));
		return 3;
	}
	if (asked.status != HT_ST_OK)
		return tell_why(&asked);
	printf("entries %llu and %llu of the log, %s\n",
	    (unsigned long long)asked.request_place,
	    (unsigned long long)asked.response_place,
	    asked.proven ? "proven" : "not proven");
	return what->operation == HT_OP_VERIFY
	           ? print("compared", asked.response.results)
	           : print("records", asked.response.records);
}

int
main(int argc, char **argv)
{
	const struct ht_node_conf conf = {
	    .root = "../../../authority/root.note",
	    .member = "tax.demo/state",
	    .node = "shell",
	    .signing = "shell-signing.key",
	    .transport = "shell-transport.key",
	    .sealing = "sealing.key",
	    .state = "state-shell",
	    .proofs = true,
	};
	HT_AUTO(ht_report_free) struct ht_report *report = ht_report_new();
	HT_AUTO(ht_node_close) struct ht_node *node = NULL;
	HT_AUTO(ht_json_free) json_t *params = NULL;
	HT_AUTO(ht_json_free) json_t *claims = NULL;
	struct ht_ask what = {.item = "gx.demo/HGJKS",
	    .operation = HT_OP_VERIFY,
	    .purpose = "vat-deduction",
	    .officer = "Officer 0712",
	    .life_ms = 10000};
	int code;

	ht_process_guard();
	ht_log_init("ask", HT_ERROR);
	if (argc != 4) {
		fprintf(stderr, "usage: ask CERTIFICATE PAYER AMOUNT\n");
		return 2;
	}
	if (ht_node_open(&conf, report, &node) != HT_OK) {
		ht_report_print(report, stderr);
		return 3;
	}
	params =
	    json_pack("{s:s, s:s}", "jkshm", argv[1], "jkdw_shxydm", argv[2]);
	claims = json_pack("{s:s, s:s}", "skje", argv[3], "zt_dm", "1");
	what.params = params;
	what.claims = claims;
	code = ask(node, &what);
	if (code != 0)
		return code;
	what.operation = HT_OP_QUERY;
	what.claims = NULL;
	return ask(node, &what);
}
