/*
 * ask-odbc CONNECT STATEMENT PARAMS [gb18030] -- one statement through ODBC,
 * with a JSON array of values for its `?`; the answer is a line of JSON.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "adapters/sql/odbc.h"

int
main(int argc, char **argv)
{
	HT_AUTO(ht_buf_fini) struct ht_buf why = HT_BUF(4096);
	HT_AUTO(ht_buf_fini) struct ht_buf out = HT_BUF(HT_SQL_ANSWER_MAX);
	HT_AUTO(ht_json_free) json_t *params = NULL;
	HT_AUTO(ht_json_free) json_t *result = NULL;
	HT_AUTO(ht_odbc_free) struct ht_odbc *odbc = ht_odbc_new();
	enum ht_sql_fault fault;

	if (argc < 4 ||
	    ht_json_parse(ht_slice_str(argv[3]), &params, NULL) != HT_OK) {
		fputs("usage: ask-odbc CONNECT STATEMENT PARAMS [gb18030]\n",
		    stderr);
		return 2;
	}
	fault = ht_odbc_ask(odbc,
	    &(struct ht_odbc_conf){
	        .connect = argv[1],
	        .gb18030 = argc > 4 && strcmp(argv[4], "gb18030") == 0,
	    },
	    argv[2], params, 100, 5, &result, &why);
	if (fault != HT_SQL_FINE) {
		fprintf(
		    stderr, "fault %d: %s\n", (int)fault, ht_buf_text(&why));
		return 1;
	}
	if (ht_json_print(json_object_get(result, "rows"), &out) != HT_OK)
		return 1;
	printf("%.*s\n", (int)out.len, (const char *)out.at);
	return EXIT_SUCCESS;
}
