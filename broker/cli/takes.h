/*
 * takes.h -- which options a verb of hutong-audit(1) takes.  An option that a
 * verb would ignore is refused: whoever gave it meant something by it.
 */
#ifndef HT_BROKER_CLI_TAKES_H
#define HT_BROKER_CLI_TAKES_H

#include "lib/base/bytes.h"

/* A verb; or what it becomes with one of its options. */
struct ht_takes {
	const char *verb;
	const char *with;    /* this option is given; NULL: whatever else */
	const char *options; /* names, each between spaces */
	const char *formats; /* of --format, if that is among them */
};
/* i from 0 until NULL; of one verb, the first that fits counts. */
const struct ht_takes *ht_takes_at(size_t i);
/* By the @n options that are given; NULL: there is no such verb. */
const struct ht_takes *ht_takes_find(
    const char *verb, const char *const *given, size_t n);
bool ht_takes_option(const struct ht_takes *takes, const char *option);
/* All of these, names with a space between. */
bool ht_takes_options(const struct ht_takes *takes, const char *options);
bool ht_takes_format(const struct ht_takes *takes, const char *format);

/*
 * Does it take all of them, and @format (NULL: none was given)?  If not, *why
 * says which one it does not, and what does.
 */
bool ht_takes_all(const struct ht_takes *takes, const char *const *given,
    size_t n, const char *format, struct ht_buf *why);

#endif
