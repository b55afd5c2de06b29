/*
 * vectors.h -- the published vectors of tests/vectors/, row by row.
 */
#ifndef HT_TESTS_LIB_VECTORS_H
#define HT_TESTS_LIB_VECTORS_H

#include "lib/base/bytes.h"

#define HT_VECTOR_COLUMNS 5

/* Calls @each with the columns of every row of tests/vectors/@kind. */
void ht_vectors(const char *kind, void (*each)(char *column[static 5]));
/* Reads tests/vectors/@kind/@name@ending into @out. */
void ht_vector_file(
    const char *kind, const char *name, const char *ending, struct ht_buf *out);

#endif
