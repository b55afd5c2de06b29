/*
 * pattern.h -- regular expressions of schemas, with limits.
 *
 * ECMA-262's notation as far as PCRE2 shares it: patterns are not anchored,
 * `$` is the very end, \d \w \s are ASCII's, \uXXXX and [] work.  Not there:
 * \cX beyond letters, the long names of \p{...}, named groups as (?<$name>).
 *
 * No JIT: it wants memory that is writable and executable, which hardened hosts
 * refuse, and item patterns are short.
 */
#ifndef HT_SCHEMAS_PATTERN_H
#define HT_SCHEMAS_PATTERN_H

#include "lib/base/bytes.h"

struct ht_pattern;
/* Scratch memory of one thread's matches. */
struct ht_matcher;

/* *ret_why (may be NULL): PCRE2's own sentence, in a buffer of the thread. */
enum ht_err ht_pattern_new(const char *text, const char **ret_why,
    struct ht_pattern **ret) HT_MUST_USE;
void ht_pattern_free(struct ht_pattern **pattern_p);
const char *ht_pattern_text(const struct ht_pattern *pattern);

struct ht_matcher *ht_matcher_new(void); /* NULL when out of memory */
void ht_matcher_free(struct ht_matcher **matcher_p);
/*
 * HT_OK it matches; HT_ENOTFOUND it does not; HT_ETOOBIG the limits were
 * reached first (a hostile value or pattern); HT_EMALFORMED it is not UTF-8.
 */
enum ht_err ht_pattern_match(const struct ht_pattern *pattern,
    struct ht_matcher *matcher, struct ht_slice value) HT_MUST_USE;

#endif
