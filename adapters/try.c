#include "adapters/try.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "adapters/cli/ask.h"
#include "lib/base/clock.h"
#include "schemas/status.h"

#define ROWS 100 /* without a catalog to say how many: a screenful or two */

/* One question, and what became of it. */
struct trying {
	const struct ht_conf_item *from;
	const struct ht_item *item; /* NULL: held against nothing */
	bool done;
	int code;
};

/* ---- what came ---- */

static bool
print_record(const json_t *record)
{
	HT_AUTO(ht_buf_fini) struct ht_buf line = HT_BUF(HT_BODY_MAX);

	if (ht_json_print(record, &line) != HT_OK)
		return false;
	printf("%.*s\n", (int)line.len, (const char *)line.at);
	return true;
}

/* The findings name places and never values, as in the exchange. */
static bool
record_fits(const struct trying *t, const json_t *record, size_t i)
{
	HT_AUTO(ht_report_free) struct ht_report *report = ht_report_new();

	if (t->item == NULL ||
	    ht_schema_check(t->item->record, record, report, NULL))
		return true;
	fprintf(stderr,
	    "record %zu is not as the catalog says, and would not leave:\n", i);
	ht_report_print(report, stderr);
	return false;
}

static void
found(void *arg, const struct ht_found *found)
{
	struct trying *t = arg;
	size_t n = json_array_size(found->records);

	t->done = true;
	if (found->status != HT_ST_OK) {
		t->code = found->status == HT_ST_SOURCE_INVALID
		              ? HT_EXIT_REFUSED
		              : HT_EXIT_UNAVAILABLE;
		fprintf(stderr, "%s: %s%s%s\n", ht_status_name(found->status),
		    ht_status_text(found->status),
		    found->detail[0] != '\0' ? ": " : "", found->detail);
		return;
	}
	for (size_t i = 0; i < n; i++) {
		const json_t *record = json_array_get(found->records, i);

		if (!print_record(record) || !record_fits(t, record, i))
			t->code = HT_EXIT_REFUSED;
	}
	fprintf(stderr, "%s: %zu records%s%s\n", t->from->name, n,
	    found->more ? ", and there are more" : "",
	    t->item == NULL ? "; held against no catalog (--trust)" : "");
}

/* ---- asking ---- */

/* A source that never answers is the source's fault: its time is bounded. */
static void
await(struct trying *t)
{
	const struct ht_conf_source *s = t->from->from;

	while (!t->done) {
		uint64_t now_ms = ht_clock_mono_ms();
		struct pollfd fd = {
		    .fd = s->ops->fd(s->source), .events = POLLIN};

		(void)poll(&fd, 1, s->ops->wait_ms(s->source, now_ms));
		s->ops->step(s->source, ht_clock_mono_ms());
	}
}

static int
ask(struct trying *t, const json_t *params)
{
	const struct ht_conf_source *s = t->from->from;
	uint64_t ms =
	    t->from->timeout_ms > 0 ? t->from->timeout_ms : s->timeout_ms;
	uint32_t rows = t->item != NULL && t->item->records_max > 0
	                    ? t->item->records_max
	                    : ROWS;
	enum ht_err err;

	err = s->ops->ask(s->source, t->from->query, params, rows,
	    ht_clock_mono_ms() + ms, found, t);
	if (err != HT_OK)
		return ht_cli_error(err, NULL, "cannot ask", s->name);
	/* Databases answer later; a file has done so already. */
	s->ops->step(s->source, ht_clock_mono_ms());
	await(t);
	return t->code;
}

/* "gx.demo/X@2" is version 2; without one, the newest that there is. */
static int
find(const struct ht_conf_adapter *conf, const struct ht_trust *trust,
    const char *named, struct trying *t)
{
	HT_AUTO(ht_mem_free)
	char *name = strndup(named, strcspn(named, "@"));
	const char *at = strchr(named, '@');
	uint32_t version = 0;

	if (name == NULL)
		return ht_cli_error(HT_ENOMEM, NULL, "cannot try", named);
	if (at != NULL) {
		int rc = ht_cli_version(at + 1, &version);

		if (rc != HT_CLI_GO)
			return rc;
	}
	if (trust != NULL)
		t->item =
		    version > 0
		        ? ht_trust_item(trust, ht_slice_str(name), version)
		        : ht_trust_item_newest(trust, ht_slice_str(name));
	if (t->item != NULL)
		version = t->item->version;
	t->from = ht_conf_adapter_find(conf, name, version);
	if (t->from == NULL)
		return ht_cli_fail(HT_EXIT_REFUSED,
		    "the configuration serves no %s: add it under 'items'",
		    named);
	if (trust != NULL && t->item == NULL)
		return ht_cli_fail(HT_EXIT_REFUSED,
		    "the catalog has no %s: see `hutong catalog show`", named);
	return HT_CLI_GO;
}

int
ht_try(const struct ht_conf_adapter *conf, const struct ht_trust *trust,
    const char *item, const struct ht_args *words)
{
	HT_AUTO(ht_report_free) struct ht_report *report = ht_report_new();
	HT_AUTO(ht_json_free) json_t *params = NULL;
	struct trying t = {.code = HT_EXIT_OK};
	const struct ht_schema *request;
	int rc = find(conf, trust, item, &t);

	if (rc != HT_CLI_GO)
		return rc;
	request = t.item != NULL ? t.item->request : NULL;
	params = cli_words(request, words, 0, "parameters");
	if (params == NULL)
		return HT_EXIT_USAGE;
	if (request != NULL && !ht_schema_check(request, params, report, NULL))
		return ht_cli_error(
		    HT_EINVALID, report, "the catalog lets nobody ask", item);
	return ask(&t, params);
}
