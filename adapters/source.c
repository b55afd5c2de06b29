#include "adapters/source.h"

#define ROWS_DEFAULT 100   /* of an item that states no limit */
#define ROWS_FILTER  20    /* with a row filter so many times the limit, */
#define ROWS_LEAST   1000  /* this at least, */
#define ROWS_MAX     10000 /* and this at most: seconds of a database's time */

uint32_t
ht_source_rows(const struct ht_item *item, const struct ht_grant *grant)
{
	uint32_t rows =
	    item->records_max > 0 ? item->records_max : ROWS_DEFAULT;

	if (grant->row_field == NULL)
		return rows;
	if (rows > ROWS_MAX / ROWS_FILTER)
		return rows > ROWS_MAX ? rows : ROWS_MAX;
	return rows * ROWS_FILTER < ROWS_LEAST ? ROWS_LEAST
	                                       : rows * ROWS_FILTER;
}

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
