/*
 * ask-forced CONFIG ITEM PURPOSE PARAMS OFFICER CASE -- a member that does not
 * keep to the rules: what its officers write goes out as it is.
 */
#include <stdio.h>
#include <stdlib.h>

#include "adapters/conf_node.h"
#include "lib/base/log.h"
#include "lib/base/process.h"

int
main(int argc, char **argv)
{
	HT_AUTO(ht_report_free) struct ht_report *report = ht_report_new();
	HT_AUTO(ht_conf_node_fini) struct ht_conf_node conf = {0};
	HT_AUTO(ht_node_close) struct ht_node *node = NULL;
	HT_AUTO(ht_json_free) json_t *params = NULL;
	struct ht_asked asked = {0};
	enum ht_err err;

	ht_process_guard();
	ht_log_init("ask-forced", HT_ERROR);
	if (argc != 7 ||
	    ht_json_parse(ht_slice_str(argv[4]), &params, NULL) != HT_OK) {
		fputs("usage: ask-forced CONFIG ITEM PURPOSE PARAMS OFFICER "
		      "CASE\n",
		    stderr);
		return 2;
	}
	err = ht_conf_node_load(argv[1], report, &conf);
	if (err == HT_OK)
		err = ht_node_open(&conf.conf, report, &node);
	while (err == HT_OK && !ht_node_ready(node))
		err = ht_node_step(node, -1, 100, NULL);
	if (err == HT_OK)
		err = ht_node_ask(node,
		    &(struct ht_ask){.item = argv[2],
		        .operation = HT_OP_QUERY,
		        .purpose = argv[3],
		        .params = params,
		        .officer = argv[5],
		        .casefile = argv[6],
		        .despite_policy = true},
		    &asked);
	ht_report_print(report, stderr);
	for (unsigned i = 0; err == HT_OK && i < asked.reasons.n; i++)
		printf("%s: %s\n", ht_status_name(asked.reasons.at[i].code),
		    asked.reasons.at[i].detail);
	ht_asked_fini(&asked);
	return err == HT_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}
