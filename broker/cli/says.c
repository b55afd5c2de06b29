#include "broker/cli/says.h"

#include <string.h>

#include "schemas/json.h"
#include "schemas/pack.h"

/*
 * Parts of a line, in which "[key]" stands for the payload's value.  A part is
 * left out when one of its values is nil, empty or not there.
 */
#define PARTS 3
static const struct form {
	unsigned type;
	const char *who, *purpose; /* keys; NULL: none */
	const char *parts[PARTS];
} forms[] = {
    {HT_ENTRY_REJECT,        NULL,      NULL,      {"[len] bytes, unread"}          },
    {HT_ENTRY_ADMIN,         "by",      NULL,      {"[act]", ": [detail]"}          },
    {HT_ENTRY_SNAPSHOT,      NULL,      NULL,      {"version [version]"}            },
    {HT_ENTRY_AUDIT_QUERY,   "auditor", "purpose",
     {"[query]", ", [matched] rows"}                                                },
    {HT_ENTRY_ERASE,         "by",      NULL,
     {"[count] erased", ": [what] of [scope]", ", under [basis]"}                   },
    {HT_ENTRY_DISCLOSE,      "by",      NULL,
     {"[count] hidden no more", ": [item]", ", under [basis]"}                      },
    {HT_ENTRY_START,         NULL,      NULL,      {"[host]", ", version [version]"}},
    {HT_ENTRY_STOP,          NULL,      NULL,      {"[reason]"}                     },
    {HT_ENTRY_ROLLBACK_SEEN, "by",      NULL,
     {"[found] entries found, [anchor] signed", ": [why]"}                          },
    {HT_ENTRY_INDEX_ROOT,    NULL,      NULL,
     {"[count] rows of entries from [from] to before [to]"}                         },
    {HT_ENTRY_REFUSALS,      "member",  NULL,      {"[count] more, counted"}        },
    {HT_ENTRY_VOLUME,        NULL,      NULL,      {"entries from [first] closed"}  },
    {HT_ENTRY_REMOVED,       NULL,      NULL,
     {"entries from [first] to before [end] removed"}                               },
};

/* A text or a number; "" for everything else. */
static void
add_value(const json_t *payload, struct ht_slice key, struct ht_buf *out)
{
	char name[24];
	const json_t *value;

	(void)snprintf(
	    name, sizeof(name), "%.*s", (int)key.len, (const char *)key.at);
	value = json_object_get(payload, name);
	if (json_is_string(value))
		ht_buf_str(out, json_string_value(value));
	else if (json_is_integer(value))
		ht_buf_fmt(out, "%lld", (long long)json_integer_value(value));
}

static void
add_part(const json_t *payload, const char *part, struct ht_buf *out)
{
	size_t start = out->len;

	while (*part != '\0') {
		size_t len = strcspn(part, "["), before;

		ht_buf_add(out, part, len);
		part += len;
		if (*part == '\0')
			return;
		len = strcspn(part, "]");
		before = out->len;
		add_value(payload, HT_SLICE(part + 1, len - 1), out);
		part += len + 1;
		if (out->len == before) {
			out->len = start;
			return;
		}
	}
}

static void
copy_value(const json_t *payload, const char *key, char out[HT_NAME_MAX + 1])
{
	const char *text =
	    key == NULL ? NULL
	                : json_string_value(json_object_get(payload, key));

	if (text != NULL)
		(void)snprintf(out, HT_NAME_MAX + 1, "%s", text);
}

static const struct form *
form_of(const struct ht_entry *e)
{
	for (size_t i = 0; i < HT_COUNT(forms); i++)
		if (!ht_entry_has_header(e) && forms[i].type == e->type)
			return &forms[i];
	return NULL;
}

enum ht_err
ht_says(const struct ht_entry *e, struct ht_says *ret)
{
	HT_AUTO(ht_json_free) json_t *payload = NULL;
	const struct form *form = form_of(e);
	enum ht_err err;

	*ret = (struct ht_says){.text = HT_BUF(HT_SAYS_MAX)};
	if (form == NULL || ht_pack_check(e->payload, NULL, NULL) != HT_OK)
		return HT_OK;
	err = ht_pack_to_json(e->payload, &payload);
	if (err != HT_OK)
		return err == HT_ENOMEM ? err : HT_OK;
	copy_value(payload, form->who, ret->who);
	copy_value(payload, form->purpose, ret->purpose);
	for (size_t i = 0; i < PARTS && form->parts[i] != NULL; i++)
		add_part(payload, form->parts[i], &ret->text);
	return ret->text.err;
}
