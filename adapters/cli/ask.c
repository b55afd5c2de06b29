#include "adapters/cli/ask.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/fs.h"
#include "lib/base/log.h"
#include "schemas/prospect.h"
#include "schemas/tag.h"

#define CONNECT_MS 10000

void
cli_asking_fini(struct cli_asking *asking)
{
	ht_node_close(&asking->node);
	ht_conf_node_fini(&asking->conf);
}

/* ---- options ---- */

/* Refused at the door: auditors will read it, perhaps years later. */
static int
check_text(const char *option, const char *text)
{
	HT_AUTO(ht_buf_fini) struct ht_buf why = HT_BUF(1024);

	if (ht_annex_text_reads(option, text, &why))
		return HT_CLI_GO;
	return ht_cli_fail(HT_EXIT_USAGE, "%s",
	    ht_buf_text(&why) != NULL ? ht_buf_text(&why) : option);
}

static int
read_options(struct cli_asking *a)
{
	int rc = ht_cli_format(a->format_name, &a->format);

	if (rc != HT_CLI_GO)
		return rc;
	if (a->config == NULL)
		a->config = getenv("HUTONG_CONFIG");
	if (a->config == NULL || a->config[0] == '\0')
		return ht_cli_fail(HT_EXIT_USAGE,
		    "who asks? Name a node's configuration with --config or "
		    "in the environment variable HUTONG_CONFIG");
	if (a->timeout != NULL && !ht_cli_duration(a->timeout, &a->life_ms))
		return ht_cli_fail(HT_EXIT_USAGE,
		    "--timeout is a number with its unit, like 500ms, 30s, "
		    "5m; not \"%s\"",
		    a->timeout);
	if (a->lang != NULL && strcmp(a->lang, "zh") != 0 &&
	    strcmp(a->lang, "en") != 0)
		return ht_cli_fail(
		    HT_EXIT_USAGE, "--lang is zh or en, not \"%s\"", a->lang);
	rc = check_text("--officer", a->officer);
	if (rc == HT_CLI_GO)
		rc = check_text("--case", a->casefile);
	if (rc != HT_CLI_GO)
		return rc;
	a->english = a->lang != NULL && strcmp(a->lang, "en") == 0;
	return ht_cli_version(a->version, &a->item_version);
}

/* ---- the node ---- */

static int
wait_ready(struct cli_asking *a)
{
	uint64_t end_ms =
	    ht_clock_mono_ms() + (a->life_ms > 0 ? a->life_ms : CONNECT_MS);
	enum ht_err err = HT_OK;

	while (err == HT_OK && !ht_node_ready(a->node)) {
		if (ht_clock_mono_ms() >= end_ms)
			return ht_cli_fail(HT_EXIT_UNAVAILABLE, "%s",
			    ht_node_trouble(a->node));
		err = ht_node_step(a->node, -1, 100, NULL);
	}
	if (err == HT_OK)
		return HT_CLI_GO;
	return ht_cli_fail(ht_cli_code(err), "%s", ht_node_trouble(a->node));
}

int
cli_asking_item(struct cli_asking *a, const char *name)
{
	const struct ht_trust *trust = ht_node_trust(a->node);
	struct ht_prospect prospect = {
	    .consumer = ht_slice_str(a->conf.conf.member),
	    .item = ht_slice_str(name),
	    .version = a->item_version,
	    .operation = a->operation,
	    .purpose = ht_slice_str(a->purpose != NULL ? a->purpose : ""),
	    .now_ms = ht_clock_wall_ms(),
	};

	a->item_name = name;
	a->item = ht_find_item(
	    trust, &prospect, ht_slice_str(a->grant != NULL ? a->grant : ""));
	if (a->item != NULL || a->force)
		return HT_CLI_GO;
	return ht_cli_fail(HT_EXIT_REFUSED,
	    "%s is not in snapshot %llu of the catalog%s; what is: hutong "
	    "catalog show %s/trust-%llu items",
	    name, (unsigned long long)ht_trust_version(trust),
	    a->item_version != 0 ? " in that version" : "", a->conf.state,
	    (unsigned long long)ht_trust_version(trust));
}

int
cli_asking_open(struct cli_asking *asking, const char *item)
{
	HT_AUTO(ht_report_free) struct ht_report *report = ht_report_new();
	enum ht_err err;
	int rc = read_options(asking);

	if (rc != HT_CLI_GO)
		return rc;
	/* Troubles are told once, at the end, in one sentence. */
	ht_log_init("hutong", HT_ERROR);
	err = ht_conf_node_load(asking->config, report, &asking->conf);
	if (err == HT_OK)
		err = ht_node_open(&asking->conf.conf, report, &asking->node);
	if (err != HT_OK)
		return ht_cli_error(
		    err, report, "cannot start from", asking->config);
	rc = wait_ready(asking);
	return rc == HT_CLI_GO && item != NULL ? cli_asking_item(asking, item)
	                                       : rc;
}

/* ---- values ---- */

/* The type that the schema takes: text first, then what JSON makes of it. */
static json_t *
typed(const struct ht_schema *schema, const char *name, const char *text)
{
	json_t *as_text = json_string(text), *other = NULL;
	int i = schema != NULL ? ht_schema_field_index(schema, name) : -1;

	if (as_text == NULL || i < 0 ||
	    ht_schema_check_field(schema, (size_t)i, as_text, NULL))
		return as_text;
	if (ht_json_parse(ht_slice_str(text), &other, NULL) == HT_OK &&
	    !json_is_string(other) &&
	    ht_schema_check_field(schema, (size_t)i, other, NULL)) {
		json_decref(as_text);
		return other;
	}
	json_decref(other);
	return as_text; /* wrong either way: the checks will say how */
}

json_t *
cli_words(const struct ht_schema *schema, const struct ht_args *words,
    size_t from, const char *what)
{
	HT_AUTO(ht_json_free) json_t *object = json_object();

	for (size_t i = from; i < words->n; i++) {
		const char *equals = strchr(words->at[i], '=');
		HT_AUTO(ht_mem_free) char *name = NULL;
		json_t *value;

		if (equals == NULL || equals == words->at[i]) {
			(void)ht_cli_fail(0,
			    "%s are written name=value; \"%s\" is not", what,
			    words->at[i]);
			return NULL;
		}
		name = strndup(words->at[i], (size_t)(equals - words->at[i]));
		value = name != NULL ? typed(schema, name, equals + 1) : NULL;
		if (value == NULL) {
			(void)ht_cli_fail(0,
			    "\"%s\" is no UTF-8 text; set the terminal to "
			    "UTF-8",
			    words->at[i]);
			return NULL;
		}
		if (json_object_get(object, name) != NULL) {
			json_decref(value);
			(void)ht_cli_fail(0, "%s is given twice", name);
			return NULL;
		}
		if (json_object_set_new(object, name, value) != 0)
			return NULL;
	}
	return HT_TAKE(object);
}

/* ---- the end of an exchange ---- */

static const char *
refuser(const struct ht_asked *asked)
{
	switch (asked->refused_by) {
	case HT_WHO_CALLER:
		return asked->answer != HT_ANSWER_NONE
		           ? "the answer does not hold, and is not shown"
		           : "not sent: our own node's decision is no";
	case HT_WHO_PROVIDER:
		return asked->answer == HT_ANSWER_FAILED
		           ? "the provider could not answer"
		           : "the provider refused";
	case HT_WHO_OPERATOR:
		return "the broker refused";
	default:
		return "no answer came";
	}
}

static int
code_of(const struct ht_asked *asked)
{
	if (asked->refused_by == HT_WHO_CALLER &&
	    asked->answer != HT_ANSWER_NONE)
		return HT_EXIT_INTEGRITY;
	switch (asked->status) {
	case HT_ST_BUSY:
	case HT_ST_PAUSED:
	case HT_ST_OFFLINE:
	case HT_ST_EXPIRED:
	case HT_ST_SOURCE_DOWN:
	case HT_ST_SOURCE_SLOW:
	case HT_ST_INTERNAL:
		return HT_EXIT_UNAVAILABLE;
	default:
		return HT_EXIT_REFUSED;
	}
}

static void
say_reasons(const struct ht_asked *asked)
{
	(void)ht_cli_fail(0, "%s:", refuser(asked));
	for (unsigned i = 0; i < asked->reasons.n; i++) {
		const struct ht_reason *r = &asked->reasons.at[i];

		(void)ht_cli_fail(0, "  %s (%u) %s%s%s",
		    ht_status_name(r->code), r->code, ht_status_text(r->code),
		    r->detail[0] != '\0' ? ": " : "", r->detail);
		(void)ht_cli_fail(0, "    %s must act: %s",
		    ht_who_text(ht_status_who(r->code)),
		    ht_status_remedy(r->code));
	}
}

static void
say_places(FILE *out, const struct ht_asked *asked)
{
	char exchange[2 * HT_ID_SIZE + 1];

	/* `hutong explain` takes it, also of what was not sent. */
	ht_hex(exchange, asked->exchange.at, HT_ID_SIZE);
	fprintf(out, "exchange  %s\n", exchange);
	if (asked->request_place > 0)
		fprintf(out, "log       request at %llu",
		    (unsigned long long)asked->request_place);
	if (asked->request_place > 0 && asked->response_place > 0)
		fprintf(out, ", answer at %llu",
		    (unsigned long long)asked->response_place);
	if (asked->request_place > 0)
		fputc('\n', out);
}

/* Personal as the answer itself: for nobody else's eyes, and never over one. */
static int
write_opening(const char *path, const struct ht_asked *asked)
{
	enum ht_err err =
	    ht_fs_create(path, 0600, ht_buf_slice(&asked->opening));

	return err == HT_OK ? HT_CLI_GO
	                    : ht_cli_error(err, NULL, "cannot write", path);
}

int
cli_ask(struct cli_asking *asking, struct ht_ask *ask, struct ht_asked *ret)
{
	struct ht_asked asked = {0};
	enum ht_err err;
	int code;

	ask->item = asking->item_name;
	/* The one whose schema the words were typed by. */
	ask->operation = asking->operation;
	ask->version =
	    asking->item != NULL ? asking->item->version : asking->item_version;
	ask->purpose = asking->purpose;
	ask->grant = asking->grant;
	ask->officer = asking->officer;
	ask->casefile = asking->casefile;
	ask->life_ms = asking->life_ms;
	ask->despite_policy = asking->force;
	ask->keep_opening = asking->opening != NULL;
	err = ht_node_ask(asking->node, ask, &asked);
	if (err != HT_OK) {
		const char *trouble = ht_node_trouble(asking->node);

		return ht_cli_fail(ht_cli_code(err), "%s",
		    trouble[0] != '\0' ? trouble : ht_err_text(err));
	}
	if (asked.status == HT_ST_OK && asked.answer == HT_ANSWER_ANSWERED) {
		*ret = asked;
		return asking->opening == NULL
		           ? HT_CLI_GO
		           : write_opening(asking->opening, ret);
	}
	say_reasons(&asked);
	if (!asking->quiet)
		say_places(stderr, &asked);
	code = code_of(&asked);
	ht_asked_fini(&asked);
	return code;
}

void
cli_footer(const struct cli_asking *asking, const struct ht_asked *asked,
    const char *released)
{
	/* Programs read standard output: what is for people stays out. */
	FILE *out = asking->format == CLI_TABLE ? stdout : stderr;

	/* On one terminal the records stand before what is said of them. */
	(void)fflush(stdout);
	if (asking->quiet)
		return;
	if (out == stdout)
		fputc('\n', out);
	say_places(out, asked);
	if (released[0] != '\0')
		fprintf(out, "released  %s\n", released);
	fprintf(out, "proof     %s\n",
	    asked->proven
	        ? "both entries are in the log, under a signed checkpoint "
	          "that follows from all seen before"
	        : "not proven: the broker gave no proof that was checked");
}

const char *
cli_heading(const struct cli_asking *asking, const char *field)
{
	const char *title = NULL;
	int i = ht_schema_field_index(asking->item->record, field);

	if (i >= 0 && !asking->english)
		title = ht_schema_field_title(asking->item->record, (size_t)i);
	return title != NULL && title[0] != '\0' ? title : field;
}
