/*
 * annex.c -- what the auditors can read of a tag (docs/protocol.md section
 * 3.4): its fields, and its opening as it stands in a record's content.
 */
#include <string.h>

#include "lib/base/text.h"
#include "schemas/tag.h"

/* In the order of their names: the order of maps and of the commitment. */
static const char *const names[] = {"case", "officer", "purpose", "subject"};

_Static_assert(HT_COUNT(names) == HT_ANNEX_FIELDS, "one name each");

static const char **
member(struct ht_annex *annex, size_t i)
{
	const char **const members[] = {&annex->casefile, &annex->officer,
	    &annex->purpose, &annex->subject};

	return members[i];
}

size_t
ht_annex_fields(const struct ht_annex *annex,
    struct ht_annex_field out[static HT_ANNEX_FIELDS])
{
	struct ht_annex copy = *annex;
	size_t n = 0;

	for (size_t i = 0; i < HT_COUNT(names); i++) {
		const char *value = *member(&copy, i);

		if (value != NULL)
			out[n++] = (struct ht_annex_field){
			    ht_slice_str(names[i]), ht_slice_str(value)};
	}
	ht_wipe(copy.entry, sizeof(copy.entry));
	return n;
}

bool
ht_annex_text_reads(const char *name, const char *text, struct ht_buf *why)
{
	struct ht_slice all = ht_slice_str(text != NULL ? text : "");
	uint32_t point = 0;
	long at;

	if (text == NULL)
		return true;
	at = ht_text_trick_line(all, &point);
	if (all.len == 0)
		ht_buf_fmt(why, "%s is empty: say it, or leave it out", name);
	else if (all.len > HT_ANNEX_TEXT_MAX)
		ht_buf_fmt(why, "%s has %zu bytes, and at most %d are read",
		    name, all.len, HT_ANNEX_TEXT_MAX);
	else if (at < 0)
		return true;
	else if (ht_utf8_valid(all))
		ht_buf_fmt(why,
		    "%s has the character U+%04X at byte %ld, which is not "
		    "seen, or turns text around; remove it",
		    name, (unsigned)point, at + 1);
	else
		ht_buf_fmt(
		    why, "%s is no UTF-8 from byte %ld on", name, at + 1);
	return false;
}

bool
ht_annex_reads(const struct ht_annex *annex, struct ht_buf *why)
{
	return ht_annex_text_reads("officer", annex->officer, why) &&
	       ht_annex_text_reads("case", annex->casefile, why);
}

static json_t *
fields_to_json(const struct ht_annex *annex)
{
	struct ht_annex_field fields[HT_ANNEX_FIELDS];
	size_t n = ht_annex_fields(annex, fields);
	HT_AUTO(ht_json_free) json_t *json = json_object();

	if (json == NULL)
		return NULL;
	for (size_t i = 0; i < n; i++) {
		/* json_object_set_new() frees the value when it fails. */
		json_t *value = json_stringn(
		    (const char *)fields[i].value.at, fields[i].value.len);

		if (json_object_set_new(
		        json, (const char *)fields[i].name.at, value) != 0)
			return NULL;
	}
	return HT_TAKE(json);
}

json_t *
ht_annex_to_json(const struct ht_annex *annex)
{
	char entry[HT_B64_SIZE(HT_ENTRY_KEY_SIZE)];
	json_t *json, *fields = fields_to_json(annex);

	if (fields == NULL)
		return NULL;
	ht_b64(entry, annex->entry, sizeof(annex->entry));
	/* "o" takes the fields over, even when it fails. */
	json = json_pack(
	    "{s:{s:s},s:o}", "entry", "$bin", entry, "fields", fields);
	ht_wipe(entry, sizeof(entry));
	return json;
}

static enum ht_err
entry_from_json(const json_t *json, uint8_t entry[static HT_ENTRY_KEY_SIZE])
{
	const json_t *bin = json_object_get(json, "$bin");
	struct ht_slice text;
	size_t len;

	if (json_object_size(json) != 1 || !json_is_string(bin))
		return HT_EINVALID;
	text = HT_SLICE(json_string_value(bin), json_string_length(bin));
	if (ht_unb64(text, entry, HT_ENTRY_KEY_SIZE, &len) != HT_OK ||
	    len != HT_ENTRY_KEY_SIZE)
		return HT_EINVALID;
	return HT_OK;
}

static enum ht_err
fields_from_json(const json_t *json, struct ht_annex *annex)
{
	size_t found = 0;

	if (!json_is_object(json))
		return HT_EINVALID;
	for (size_t i = 0; i < HT_COUNT(names); i++) {
		const json_t *value = json_object_get(json, names[i]);

		if (value == NULL)
			continue;
		if (!json_is_string(value) ||
		    strlen(json_string_value(value)) !=
		        json_string_length(value))
			return HT_EINVALID;
		*member(annex, i) = json_string_value(value);
		found++;
	}
	return found == json_object_size(json) ? HT_OK : HT_EINVALID;
}

enum ht_err
ht_annex_from_json(const json_t *json, struct ht_annex *ret)
{
	struct ht_annex annex = {.subject = NULL};
	enum ht_err err;

	if (json_object_size(json) != 2)
		return HT_EINVALID;
	err = entry_from_json(json_object_get(json, "entry"), annex.entry);
	if (err == HT_OK)
		err = fields_from_json(json_object_get(json, "fields"), &annex);
	if (err == HT_OK)
		*ret = annex;
	ht_wipe(annex.entry, sizeof(annex.entry));
	return err;
}
