/*
 * serve.c -- customs answers for import tax out of a program's own memory.
 *
 *	serve
 *
 * Run it in the folder with the keys: of `make demo-up`,
 * build/demo/members/hg.demo/customs.  SIGTERM and SIGINT end it.
 */
#include <hutong.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

/* Whole records, in the item's own terms: the node releases what is granted. */
static const char certificate[] =
    "{\"jkshm\": \"020120261010000001-L02\", \"bgdh\": \"020120261010000001\","
    " \"bgkb_dm\": \"0201\", \"tfrq\": \"2026-03-02\","
    " \"jkdw_shxydm\": \"91999901MA0000007A\","
    " \"jkdw_mc\": \"Demonstration Cement\", \"hgqy_dm\": \"9999960007\","
    " \"jgfs_dm\": \"0110\", \"skje\": \"13000.00\", \"wsjg\": \"100000.00\","
    " \"sl\": \"0.13\", \"sphs\": \"84749000\", \"spmc\": \"Mill parts\","
    " \"jkrq\": \"2026-03-05\", \"zt_dm\": \"1\"}";

static volatile sig_atomic_t stopped;

static void
stop(int number)
{
	(void)number;
	stopped = 1;
}

/* The records that were asked for: one, or none. */
static json_t *
find(const json_t *params)
{
	HT_AUTO(ht_json_free) json_t *record = json_loads(certificate, 0, NULL);
	json_t *records = json_array();
	const json_t *number = json_object_get(params, "jkshm");

	if (json_equal(number, json_object_get(record, "jkshm")))
		(void)json_array_append(records, record);
	return records;
}

/* It may as well return, and answer when a slow source has: keep call->id. */
static void
serve(void *arg, const struct ht_call *call)
{
	HT_AUTO(ht_json_free) json_t *records = find(call->request->params);
	struct ht_reasons reasons = {0};
	struct ht_node *node = arg;
	enum ht_err err;

	if (records == NULL)
		ht_reasons_add(&reasons, HT_ST_SOURCE_DOWN, "out of memory");
	err = ht_node_answer(node, call->id, records, false, &reasons);
	if (err != HT_OK)
		fprintf(stderr, "serve: no answer: %s\n", ht_err_text(err));
}

static enum ht_err
run(struct ht_node *node)
{
	enum ht_err err;
	bool ready = false;

	err = ht_node_serve(node, "gx.demo/HGJKS", serve, node);
	while (err == HT_OK && !stopped) {
		err = ht_node_step(node, -1, 1000, NULL);
		if (ht_node_ready(node) != ready) {
			ready = !ready;
			printf("%s\n", ready ? "ready" : ht_node_trouble(node));
			(void)fflush(stdout);
		}
	}
	return err;
}

int
main(void)
{
	const struct ht_node_conf conf = {
	    .root = "../../../authority/root.note",
	    .member = "hg.demo/customs",
	    .node = "main",
	    .signing = "main-signing.key",
	    .transport = "main-transport.key",
	    .sealing = "sealing.key",
	    .state = "state-main",
	    .proofs = true,
	};
	HT_AUTO(ht_report_free) struct ht_report *report = ht_report_new();
	HT_AUTO(ht_node_close) struct ht_node *node = NULL;
	enum ht_err err;

	ht_process_guard();
	ht_log_init("serve", HT_WARN);
	(void)signal(SIGTERM, stop);
	(void)signal(SIGINT, stop);
	if (ht_node_open(&conf, report, &node) != HT_OK) {
		ht_report_print(report, stderr);
		return 3;
	}
	err = run(node);
	if (err == HT_OK)
		return 0;
	fprintf(
	    stderr, "serve: %s: %s\n", ht_err_text(err), ht_node_trouble(node));
	return err == HT_EINTEGRITY || err == HT_EROLLBACK ? 4 : 3;
}
