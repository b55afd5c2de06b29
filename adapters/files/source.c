/*
 * source.c -- a JSON file of records as a source: an array of objects in the
 * item's own terms.  For small lists, and for trying an item out.
 *
 * A record is found when every parameter of the request equals the field of
 * the same name (or the one that `match` names).
 */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "adapters/source.h"
#include "lib/base/fs.h"
#include "lib/base/log.h"
#include "schemas/status.h"

#define PATH_MAX_BYTES 4096
#define FILE_MAX       (16 * 1024 * 1024) /* larger things are databases */

struct ht_source {
	char *name;
	char *path;
	struct timespec changed; /* of the file as it was read */
	off_t size;
	json_t *records; /* NULL: not read yet */
};

struct ht_query {
	json_t *match; /* object: parameter -> field */
};

static void
source_close(struct ht_source **source_p)
{
	struct ht_source *source = *source_p;

	if (source == NULL)
		return;
	json_decref(source->records);
	free(source->name);
	free(source->path);
	free(source);
	*source_p = NULL;
}

static enum ht_err
source_open(const char *name, const char *dir, struct ht_yaml *value,
    struct ht_source **ret)
{
	HT_AUTO(source_close) struct ht_source *source = NULL;
	const char *path = "";

	source = calloc(1, sizeof(*source));
	if (source == NULL)
		return HT_ENOMEM;
	(void)ht_yaml_as_str(value, PATH_MAX_BYTES, &path);
	source->name = strdup(name);
	source->path = path[0] == '/' ? strdup(path) : ht_fs_join(dir, path);
	if (source->name == NULL || source->path == NULL)
		return HT_ENOMEM;
	*ret = HT_TAKE(source);
	return HT_OK;
}

static void
query_free(struct ht_query **query_p)
{
	if (*query_p == NULL)
		return;
	json_decref((*query_p)->match);
	free(*query_p);
	*query_p = NULL;
}

static enum ht_err
query_read(
    struct ht_source *source, struct ht_yaml *item, struct ht_query **ret)
{
	struct ht_yaml *map = ht_yaml_as_map(ht_yaml_get(item, "match"));
	HT_AUTO(query_free) struct ht_query *query = NULL;

	(void)source;
	query = calloc(1, sizeof(*query));
	if (query == NULL)
		return HT_ENOMEM;
	query->match = json_object();
	for (size_t i = 0; i < ht_yaml_count(map); i++) {
		const char *field;

		if (ht_yaml_as_str(ht_yaml_at(map, i), 256, &field))
			(void)json_object_set_new(query->match,
			    ht_yaml_key(map, i), json_string(field));
	}
	*ret = HT_TAKE(query);
	return HT_OK;
}

static void
query_check(const struct ht_query *query, const struct ht_item *item,
    const char *where, struct ht_report *report)
{
	const char *param;
	json_t *field;

	json_object_foreach(query->match, param, field)
	{
		if (ht_schema_field_index(item->request, param) < 0)
			ht_report_add(report, where,
			    "%s takes no parameter '%s'", item->name, param);
		if (ht_schema_field_index(
		        item->record, json_string_value(field)) < 0)
			ht_report_add(report, where, "%s has no field '%s'",
			    item->name, json_string_value(field));
	}
}

/* Read anew when the file has changed. */
static unsigned
load(struct ht_source *source, const char **ret_detail)
{
	HT_AUTO(ht_buf_fini) struct ht_buf text = HT_BUF(FILE_MAX);
	json_t *records = NULL;
	const char *why = "";
	struct stat st;

	*ret_detail = "";
	if (stat(source->path, &st) != 0) {
		ht_log(HT_ERROR, "source %s: %s is not there", source->name,
		    source->path);
		return HT_ST_SOURCE_DOWN;
	}
	if (source->records != NULL && st.st_size == source->size &&
	    st.st_mtim.tv_sec == source->changed.tv_sec &&
	    st.st_mtim.tv_nsec == source->changed.tv_nsec)
		return HT_ST_OK;
	if (ht_fs_read(source->path, &text) != HT_OK)
		return HT_ST_SOURCE_DOWN;
	if (ht_json_parse(ht_buf_slice(&text), &records, &why) != HT_OK ||
	    !json_is_array(records)) {
		ht_log(HT_ERROR,
		    "source %s: %s: an array of records was "
		    "expected. %s",
		    source->name, source->path, why);
		json_decref(records);
		*ret_detail = "its file is no array of records";
		return HT_ST_SOURCE_INVALID;
	}
	json_decref(source->records);
	source->records = records;
	source->changed = st.st_mtim;
	source->size = st.st_size;
	return HT_ST_OK;
}

static bool
matches(
    const struct ht_query *query, const json_t *record, const json_t *params)
{
	const char *param;
	json_t *wanted;

	json_object_foreach((json_t *)(uintptr_t)params, param, wanted)
	{
		const char *field =
		    json_string_value(json_object_get(query->match, param));
		const json_t *has =
		    json_object_get(record, field != NULL ? field : param);

		if (has == NULL || !json_equal(has, wanted))
			return false;
	}
	return true;
}

static enum ht_err
source_ask(struct ht_source *source, const struct ht_query *query,
    const json_t *params, uint32_t rows_max, uint64_t deadline_ms,
    ht_found_fn *done, void *arg)
{
	HT_AUTO(ht_json_free) json_t *records = json_array();
	struct ht_found found = {0};

	(void)deadline_ms;
	found.status = load(source, &found.detail);
	for (size_t i = 0;
	     found.status == HT_ST_OK && i < json_array_size(source->records);
	     i++) {
		json_t *record = json_array_get(source->records, i);

		if (!matches(query, record, params))
			continue;
		if (json_array_size(records) == rows_max) {
			found.more = true;
			break;
		}
		if (json_array_append(records, record) != 0)
			return HT_ENOMEM;
	}
	found.records = found.status == HT_ST_OK ? records : NULL;
	done(arg, &found);
	return HT_OK;
}

static int
source_fd(const struct ht_source *source)
{
	(void)source;
	return -1;
}

static int
source_wait_ms(const struct ht_source *source, uint64_t now_ms)
{
	(void)source;
	(void)now_ms;
	return -1;
}

static void
source_step(struct ht_source *source, uint64_t now_ms)
{
	(void)source;
	(void)now_ms;
}

const struct ht_source_ops ht_source_file = {
    .kind = "file",
    .open = source_open,
    .close = source_close,
    .query = query_read,
    .query_free = query_free,
    .check = query_check,
    .ask = source_ask,
    .fd = source_fd,
    .wait_ms = source_wait_ms,
    .step = source_step,
};
