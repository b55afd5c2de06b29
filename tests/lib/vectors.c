#include "tests/lib/test.h"

#include "lib/base/fs.h"
#include "tests/lib/vectors.h"

void
ht_vector_file(
    const char *kind, const char *name, const char *ending, struct ht_buf *out)
{
	char path[HT_TEST_PATH_MAX];

	(void)snprintf(
	    path, sizeof(path), "tests/vectors/%s/%s%s", kind, name, ending);
	ht_buf_reset(out);
	assert_ok(ht_fs_read(path, out));
}

void
ht_vectors(const char *kind, void (*each)(char *column[static 5]))
{
	HT_AUTO(ht_buf_fini) struct ht_buf index = HT_BUF(1 << 20);
	char *column[HT_VECTOR_COLUMNS], *line, *rest;
	unsigned rows = 0;

	ht_vector_file(kind, "index", ".tsv", &index);
	assert_non_null(ht_buf_text(&index));
	rest = (char *)index.at;
	while ((line = strsep(&rest, "\n")) != NULL && *line != '\0') {
		for (size_t i = 0; i < HT_VECTOR_COLUMNS; i++)
			column[i] = strsep(&line, "\t");
		each(column);
		rows++;
	}
	assert_true(rows > 20);
}
