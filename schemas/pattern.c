#define PCRE2_CODE_UNIT_WIDTH 8
#include "schemas/pattern.h"

#include <pcre2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * A pattern of an item looks at one code or name and backtracks a few dozen
 * times; twenty thousand steps are a fraction of a millisecond, and past them
 * the pattern is at fault.
 */
#define MATCH_LIMIT   20000
#define DEPTH_LIMIT   2000
#define HEAP_LIMIT_KB 1024
#define PATTERN_MAX   1000
#define NEST_MAX      50

struct ht_pattern {
	pcre2_code *code;
	char text[];
};

struct ht_matcher {
	pcre2_match_data *data;
	pcre2_match_context *limits;
};

static _Thread_local char why[200];

static pcre2_code *
compile(const char *text)
{
	pcre2_compile_context *context = pcre2_compile_context_create(NULL);
	pcre2_code *code;
	PCRE2_SIZE at;
	int error;

	if (context == NULL)
		return NULL;
	(void)pcre2_set_parens_nest_limit(context, NEST_MAX);
	(void)pcre2_set_compile_extra_options(context, PCRE2_EXTRA_ALT_BSUX);
	code = pcre2_compile((PCRE2_SPTR)text, PCRE2_ZERO_TERMINATED,
	    PCRE2_UTF | PCRE2_DOLLAR_ENDONLY | PCRE2_ALLOW_EMPTY_CLASS |
	        PCRE2_MATCH_UNSET_BACKREF | PCRE2_NEVER_BACKSLASH_C |
	        PCRE2_NEVER_UCP,
	    &error, &at, context);
	pcre2_compile_context_free(context);
	if (code == NULL) {
		int n = snprintf(why, sizeof(why), "at character %zu: ", at);

		(void)pcre2_get_error_message(
		    error, (PCRE2_UCHAR *)why + n, sizeof(why) - (size_t)n);
	}
	return code;
}

enum ht_err
ht_pattern_new(const char *text, const char **ret_why, struct ht_pattern **ret)
{
	size_t len = strlen(text);
	struct ht_pattern *pattern;

	if (ret_why != NULL)
		*ret_why = why;
	(void)snprintf(why, sizeof(why), "out of memory");
	if (len > PATTERN_MAX) {
		(void)snprintf(why, sizeof(why),
		    "longer than %d bytes; split it with allOf", PATTERN_MAX);
		return HT_EINVALID;
	}
	/* (*UTF), (*LIMIT_...=): settings are ours, not the pattern's. */
	if (strncmp(text, "(*", 2) == 0) {
		(void)snprintf(why, sizeof(why),
		    "(*...) at the start is not part of ECMA-262");
		return HT_EINVALID;
	}
	pattern = calloc(1, sizeof(*pattern) + len + 1);
	if (pattern == NULL)
		return HT_ENOMEM;
	memcpy(pattern->text, text, len + 1);
	pattern->code = compile(text);
	if (pattern->code == NULL) {
		free(pattern);
		return HT_EINVALID;
	}
	*ret = pattern;
	return HT_OK;
}

void
ht_pattern_free(struct ht_pattern **pattern_p)
{
	if (*pattern_p == NULL)
		return;
	pcre2_code_free((*pattern_p)->code);
	free(*pattern_p);
	*pattern_p = NULL;
}

const char *
ht_pattern_text(const struct ht_pattern *pattern)
{
	return pattern->text;
}

struct ht_matcher *
ht_matcher_new(void)
{
	struct ht_matcher *m = calloc(1, sizeof(*m));

	if (m == NULL)
		return NULL;
	m->data = pcre2_match_data_create(1, NULL);
	m->limits = pcre2_match_context_create(NULL);
	if (m->data == NULL || m->limits == NULL) {
		ht_matcher_free(&m);
		return NULL;
	}
	(void)pcre2_set_match_limit(m->limits, MATCH_LIMIT);
	(void)pcre2_set_depth_limit(m->limits, DEPTH_LIMIT);
	(void)pcre2_set_heap_limit(m->limits, HEAP_LIMIT_KB);
	return m;
}

void
ht_matcher_free(struct ht_matcher **matcher_p)
{
	struct ht_matcher *m = *matcher_p;

	if (m == NULL)
		return;
	*matcher_p = NULL;
	pcre2_match_data_free(m->data);
	pcre2_match_context_free(m->limits);
	free(m);
}

enum ht_err
ht_pattern_match(const struct ht_pattern *pattern, struct ht_matcher *matcher,
    struct ht_slice value)
{
	PCRE2_SPTR at = value.len > 0 ? (PCRE2_SPTR)value.at : (PCRE2_SPTR) "";
	int n = pcre2_match(
	    pattern->code, at, value.len, 0, 0, matcher->data, matcher->limits);

	if (n >= 0)
		return HT_OK;
	if (n == PCRE2_ERROR_NOMATCH)
		return HT_ENOTFOUND;
	if (n <= PCRE2_ERROR_UTF8_ERR1 && n >= PCRE2_ERROR_UTF8_ERR21)
		return HT_EMALFORMED;
	return HT_ETOOBIG;
}
