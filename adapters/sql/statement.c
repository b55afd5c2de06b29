#include "adapters/sql/statement.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct scan {
	struct ht_slice text;
	size_t at;
	struct ht_buf out;
	struct ht_statement *to;
	const char *why;
};

void
ht_statement_fini(struct ht_statement *statement)
{
	free(statement->sql);
	memset(statement, 0, sizeof(*statement));
}

static char
peek(const struct scan *s, size_t ahead)
{
	return ahead < s->text.len - s->at ? (char)s->text.at[s->at + ahead]
	                                   : '\0';
}

static bool
word_char(char c)
{
	return isalnum((unsigned char)c) || c == '_';
}

static void
copy(struct scan *s, size_t n)
{
	ht_buf_add(&s->out, s->text.at + s->at, n);
	s->at += n;
}

/* '...', "...", `...`, [...]: up to the closing mark; a doubled one is text. */
static bool
copy_quoted(struct scan *s, char close)
{
	size_t start = s->at;

	copy(s, 1);
	while (s->at < s->text.len) {
		if (peek(s, 0) == '\\') {
			s->why = "a backslash inside quotes means different "
			         "things to different databases; write the "
			         "statement without it";
			return false;
		}
		if (peek(s, 0) != close) {
			copy(s, 1);
			continue;
		}
		if (peek(s, 1) != close) {
			copy(s, 1);
			return true;
		}
		copy(s, 2);
	}
	s->at = start;
	s->why = "this quote is never closed";
	return false;
}

/* A comment is copied too: some databases take hints in them. */
static bool
copy_comment(struct scan *s)
{
	size_t start = s->at;

	if (peek(s, 0) == '-') {
		while (s->at < s->text.len && peek(s, 0) != '\n')
			copy(s, 1);
		return true;
	}
	copy(s, 2);
	while (s->at < s->text.len) {
		if (peek(s, 0) == '*' && peek(s, 1) == '/') {
			copy(s, 2);
			return true;
		}
		copy(s, 1);
	}
	s->at = start;
	s->why = "this comment is never closed";
	return false;
}

static bool
take_name(struct scan *s)
{
	size_t len = 0;
	char *name;

	while (word_char(peek(s, 1 + len)))
		len++;
	if (len > HT_STATEMENT_PARAM) {
		s->why = "a parameter's name has at most 64 bytes";
		return false;
	}
	if (s->to->n_binds == HT_STATEMENT_BINDS) {
		s->why = "a statement has at most 64 parameters";
		return false;
	}
	name = s->to->names[s->to->n_binds++];
	memcpy(name, s->text.at + s->at + 1, len);
	name[len] = '\0';
	ht_buf_u8(&s->out, '?');
	s->at += 1 + len;
	return true;
}

/* Only white space and comments may stand after a semicolon. */
static bool
take_semicolon(struct scan *s)
{
	size_t here = s->at;

	for (s->at++; s->at < s->text.len;) {
		if (isspace((unsigned char)peek(s, 0))) {
			s->at++;
			continue;
		}
		if (peek(s, 0) == '-' && peek(s, 1) == '-') {
			if (!copy_comment(s))
				return false;
			continue;
		}
		s->at = here;
		s->why = "one statement only: nothing may follow the \";\"";
		return false;
	}
	return true;
}

static bool
take_colon(struct scan *s)
{
	if (peek(s, 1) == ':') { /* a cast, as in x::text */
		copy(s, 2);
		return true;
	}
	if (!word_char(peek(s, 1)) || isdigit((unsigned char)peek(s, 1))) {
		copy(s, 1);
		return true;
	}
	return take_name(s);
}

static bool
take_one(struct scan *s)
{
	char c = peek(s, 0);

	switch (c) {
	case '\'':
	case '"':
	case '`':
		return copy_quoted(s, c);
	case '[':
		/* A name in brackets; after a word it is an array's index. */
		if (s->at > 0 && word_char((char)s->text.at[s->at - 1]))
			break;
		return copy_quoted(s, ']');
	case ':':
		return take_colon(s);
	case ';':
		return take_semicolon(s);
	case '?':
		s->why = "write parameters as :name, not \"?\"";
		return false;
	case '\0':
		s->why = "a NUL byte";
		return false;
	default:
		break;
	}
	if ((c == '-' && peek(s, 1) == '-') || (c == '/' && peek(s, 1) == '*'))
		return copy_comment(s);
	copy(s, 1);
	return true;
}

/* What the statement begins with, after white space and comments. */
static bool
reads(const char *sql)
{
	static const char *const verbs[] = {"select", "with", "values"};

	for (;;) {
		if (isspace((unsigned char)*sql) || *sql == '(')
			sql++;
		else if (strncmp(sql, "--", 2) == 0)
			sql += strcspn(sql, "\n");
		else if (strncmp(sql, "/*", 2) == 0)
			sql = strstr(sql, "*/") + 2; /* closed: scanned */
		else
			break;
	}
	for (size_t i = 0; i < HT_COUNT(verbs); i++) {
		size_t len = strlen(verbs[i]);

		if (strncasecmp(sql, verbs[i], len) == 0 &&
		    !word_char(sql[len]))
			return true;
	}
	return false;
}

static enum ht_err
finish(struct scan *s, size_t *ret_at, const char **ret_why)
{
	const char *sql = ht_buf_text(&s->out);

	if (sql == NULL)
		return s->out.err;
	if (!reads(sql)) {
		*ret_at = 0;
		*ret_why = "a source is only read: begin with SELECT, WITH "
		           "or VALUES";
		return HT_EINVALID;
	}
	s->to->sql = strdup(sql);
	return s->to->sql != NULL ? HT_OK : HT_ENOMEM;
}

enum ht_err
ht_statement_parse(struct ht_slice text, struct ht_statement *ret,
    size_t *ret_at, const char **ret_why)
{
	struct ht_statement made = {0};
	struct scan s = {
	    .text = text, .out = HT_BUF(HT_STATEMENT_MAX + 1), .to = &made};
	enum ht_err err = HT_OK;

	*ret_at = 0;
	*ret_why = "";
	if (text.len > HT_STATEMENT_MAX)
		return HT_ETOOBIG;
	while (err == HT_OK && s.at < text.len)
		if (!take_one(&s)) {
			*ret_at = s.at;
			*ret_why = s.why;
			err = HT_EINVALID;
		}
	if (err == HT_OK)
		err = finish(&s, ret_at, ret_why);
	if (err == HT_OK)
		*ret = made;
	ht_buf_fini(&s.out);
	return err;
}
