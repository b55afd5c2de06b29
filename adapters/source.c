#include "adapters/source.h"

static const struct ht_source_ops *const kinds[] = {
    &ht_source_odbc,
    &ht_source_file,
};

const struct ht_source_ops *
ht_source_find(struct ht_yaml *map)
{
	const struct ht_source_ops *found = NULL;

	for (size_t i = 0; i < HT_COUNT(kinds); i++) {
		struct ht_yaml *value = ht_yaml_get(map, kinds[i]->kind);

		if (value == NULL)
			continue;
		if (found != NULL) {
			ht_yaml_complain(value,
			    "a source is of one kind: take away '%s' or '%s'",
			    found->kind, kinds[i]->kind);
			return NULL;
		}
		found = kinds[i];
	}
	if (found == NULL)
		ht_yaml_complain(map,
		    "a source needs one of the keys 'odbc' (a database) and "
		    "'file' (records in JSON)");
	return found;
}
