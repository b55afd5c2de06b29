/*
 * A document may hold anything.  Whatever becomes a tree can be walked to its
 * end, has places within the text, and is refused in the end if there was a
 * single finding.
 */
#include "lib/conf/conf.h"

#include "lib/base/limits.h"
#include "lib/base/panic.h"
#include "lib/base/text.h"
#include "tests/fuzz/fuzz.h"

static void
walk(struct ht_yaml *value, unsigned depth)
{
	enum ht_yaml_type type = ht_yaml_type(value);
	char where[HT_WHERE_SIZE];

	HT_ASSERT(depth <= HT_YAML_DEPTH);
	ht_yaml_where(value, where);
	for (size_t i = 0; i < ht_yaml_count(value); i++) {
		struct ht_yaml *child = ht_yaml_at(value, i);

		if (type == HT_YAML_MAP)
			HT_ASSERT(ht_yaml_key(value, i) != NULL);
		walk(child, depth + 1);
	}
	if (type != HT_YAML_MAP && type != HT_YAML_LIST)
		HT_ASSERT(ht_utf8_valid(ht_yaml_scalar(value)));
}

static void
ask(struct ht_yaml *root)
{
	static const struct ht_word words[] = {
	    {"warn", 1},
            {NULL,   0}
        };
	struct ht_yaml *list;
	const char *text;
	uint64_t number;
	bool truth;
	int word;

	ht_yaml_as_name(ht_yaml_need(root, "member"), &text);
	ht_yaml_as_str(ht_yaml_get(root, "note"), 20, &text);
	ht_yaml_as_u64(ht_yaml_get(root, "port"), 1, 65535, &number);
	ht_yaml_as_ms(ht_yaml_get(root, "life"), 1000, 5000, &number);
	ht_yaml_as_size(ht_yaml_get(root, "size"), 0, 5000, &number);
	ht_yaml_as_time(ht_yaml_get(root, "since"), &number);
	ht_yaml_as_bool(ht_yaml_get(root, "strict"), &truth);
	list = ht_yaml_as_list(ht_yaml_get(root, "ports"));
	for (size_t i = 0; i < ht_yaml_count(list); i++)
		ht_yaml_as_part(ht_yaml_at(list, i), &text);
	ht_yaml_as_word(
	    ht_yaml_need(ht_yaml_get(root, "log"), "level"), words, &word);
}

int
LLVMFuzzerTestOneInput(const uint8_t *in, size_t in_len)
{
	HT_AUTO(ht_report_free) struct ht_report *report = ht_report_new();
	HT_AUTO(ht_conf_free) struct ht_conf *conf = NULL;
	unsigned before;

	if (ht_conf_parse(HT_SLICE(in, in_len), "in", report, &conf) != HT_OK) {
		HT_ASSERT(conf == NULL);
		HT_ASSERT(ht_report_count(report) > 0);
		return 0;
	}
	ask(ht_conf_root(conf));
	before = ht_report_count(report);
	HT_ASSERT(
	    (ht_conf_done(conf) == HT_OK) == (ht_report_count(report) == 0));
	HT_ASSERT(ht_report_count(report) >= before);
	walk(ht_conf_root(conf), 0);
	return 0;
}
