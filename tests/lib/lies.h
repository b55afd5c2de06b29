/*
 * lies.h -- what a broker that lies may say a snapshot is: huge, deep,
 * contradictory, with look-alike names, turned text, wrong encodings, cut.
 * Some of it is signed as it should be: the officers may have been taken in.
 */
#ifndef HT_TESTS_LIB_LIES_H
#define HT_TESTS_LIB_LIES_H

#include "tests/lib/world.h"

struct ht_lie {
	const char *what;
	enum ht_err err;
	const char *where; /* a finding's place and words */
	const char *words;
};
extern const struct ht_lie ht_lies[];
extern const unsigned ht_n_lies;

/*
 * The whole of a snapshot later than @world's, all true but for lie @i.
 * Everything is static, and holds until the next call.
 */
void ht_lie_tell(
    const struct ht_world *world, unsigned i, struct ht_trust_news *ret);

#endif
