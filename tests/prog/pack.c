/*
 * pack.c -- our msgpack on a pipe, for scripts to compare it with others'.
 *
 *   pack check      a line of hex each: "ok", or "no <offset> <rule>"
 *   pack to-json    a line of hex each: JSON, or "no <error>"
 *   pack from-json  a line of JSON each: hex, or "no <error>"
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/panic.h"
#include "schemas/pack.h"

#define LINE_SIZE (1 << 20)

static void
check(struct ht_slice bytes)
{
	const char *why = NULL;
	size_t at = 0;

	if (ht_pack_check(bytes, &at, &why) == HT_OK)
		puts("ok");
	else
		printf("no %zu %s\n", at, why);
}

static void
to_json(struct ht_slice bytes)
{
	HT_AUTO(ht_buf_fini) struct ht_buf text = HT_BUF(8 * LINE_SIZE);
	HT_AUTO(ht_json_free) json_t *json = NULL;
	enum ht_err err = ht_pack_to_json(bytes, &json);

	if (err == HT_OK)
		err = ht_json_print(json, &text);
	if (err == HT_OK)
		puts(ht_buf_text(&text));
	else
		printf("no %s\n", ht_err_text(err));
}

static void
from_json(struct ht_slice text)
{
	HT_AUTO(ht_buf_fini) struct ht_buf out = HT_BUF(LINE_SIZE);
	HT_AUTO(ht_json_free) json_t *json = NULL;
	enum ht_err err = ht_json_parse(text, &json, NULL);

	if (err == HT_OK)
		err = ht_pack_from_json(json, &out);
	if (err != HT_OK) {
		printf("no %s\n", ht_err_text(err));
		return;
	}
	for (size_t i = 0; i < out.len; i++)
		printf("%02x", out.at[i]);
	putchar('\n');
}

int
main(int argc, char **argv)
{
	static char line[LINE_SIZE];
	static uint8_t bytes[LINE_SIZE / 2];
	const char *what = argc == 2 ? argv[1] : "";

	while (fgets(line, sizeof(line), stdin) != NULL) {
		size_t len = strcspn(line, "\n");

		line[len] = '\0';
		if (strcmp(what, "from-json") == 0) {
			from_json(HT_SLICE(line, len));
			continue;
		}
		HT_ASSERT(ht_unhex(line, bytes, len / 2) == HT_OK);
		if (strcmp(what, "to-json") == 0)
			to_json(HT_SLICE(bytes, len / 2));
		else
			check(HT_SLICE(bytes, len / 2));
	}
	return 0;
}
