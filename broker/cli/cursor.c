/*
 * cursor.c -- the file of --cursor-file: six lines, written whole.
 *
 *	hutong-cursor/2
 *	log ORIGIN
 *	size N ROOT
 *	next N
 *	salt HEX
 *	query BLAKE2b-256("hutong-cursor/2\n" || salt || hash of the question)
 *
 * Version 1 had no salt, and the hash of the question itself; it is read, and
 * written no more.
 */
#include "broker/cli/cursor.h"

#include <errno.h>
#include <string.h>

#include "keys/hash.h"
#include "lib/base/fs.h"

#define SALTED   "hutong-cursor/2\n"
#define UNSALTED "hutong-cursor/1\n"

void
ht_cursor_text(const struct ht_audit_cursor *c, struct ht_buf *out)
{
	char root[2 * HT_HASH_SIZE + 1], query[2 * HT_HASH_SIZE + 1];
	char salt[2 * HT_CURSOR_SALT + 1];

	ht_hex(root, c->root.at, HT_HASH_SIZE);
	ht_hex(query, c->query.at, HT_HASH_SIZE);
	ht_hex(salt, c->salt, HT_CURSOR_SALT);
	ht_buf_fmt(out, "%slog %s\nsize %llu %s\nnext %llu\n",
	    c->salted ? SALTED : UNSALTED, c->origin,
	    (unsigned long long)c->size, root, (unsigned long long)c->next);
	if (c->salted)
		ht_buf_fmt(out, "salt %s\n", salt);
	ht_buf_fmt(out, "query %s\n", query);
}

/* ---- parsing: what it gives must print as what came ---- */

/* Up to @end, which is skipped. */
static struct ht_slice
word(struct ht_slice *rest, char end)
{
	const uint8_t *at =
	    rest->len == 0 ? NULL : memchr(rest->at, end, rest->len);
	struct ht_slice text = HT_SLICE(NULL, 0);

	if (at == NULL) {
		rest->len = 0;
		return text;
	}
	text = HT_SLICE(rest->at, (size_t)(at - rest->at));
	*rest = HT_SLICE(at + 1, rest->len - text.len - 1);
	return text;
}

static uint64_t
number(struct ht_slice text)
{
	uint64_t n = 0;

	/* An overflow prints as another number: refused below. */
	for (size_t i = 0; i < text.len && i < 20; i++)
		n = n * 10 + (uint64_t)(text.at[i] & 0x0f);
	return n;
}

static bool
unhex(struct ht_slice text, uint8_t *out, size_t len)
{
	char hex[2 * HT_HASH_SIZE + 1] = "";

	if (text.len != 2 * len || text.len >= sizeof(hex))
		return false;
	memcpy(hex, text.at, text.len);
	return ht_unhex(hex, out, len) == HT_OK;
}

enum ht_err
ht_cursor_parse(struct ht_slice text, struct ht_audit_cursor *ret)
{
	HT_AUTO(ht_buf_fini) struct ht_buf again = HT_BUF(HT_CURSOR_MAX);
	struct ht_audit_cursor c = {.size = 0};
	struct ht_slice rest = text, name;
	bool good;

	c.salted = text.len >= strlen(SALTED) &&
	           memcmp(text.at, SALTED, strlen(SALTED)) == 0;
	(void)word(&rest, ' '); /* first line and "log" */
	name = word(&rest, '\n');
	(void)word(&rest, ' ');
	c.size = number(word(&rest, ' '));
	good = unhex(word(&rest, '\n'), c.root.at, HT_HASH_SIZE);
	(void)word(&rest, ' ');
	c.next = number(word(&rest, '\n'));
	(void)word(&rest, ' ');
	if (c.salted) {
		good = unhex(word(&rest, '\n'), c.salt, HT_CURSOR_SALT) && good;
		(void)word(&rest, ' ');
	}
	good = unhex(word(&rest, '\n'), c.query.at, HT_HASH_SIZE) && good;
	if (!good || name.len == 0 || name.len >= sizeof(c.origin) ||
	    memchr(name.at, '\0', name.len) != NULL)
		return HT_EMALFORMED;
	memcpy(c.origin, name.at, name.len);
	ht_cursor_text(&c, &again);
	if (again.err == HT_ENOMEM)
		return HT_ENOMEM;
	if (again.err != HT_OK || !ht_slice_eq(ht_buf_slice(&again), text))
		return HT_EMALFORMED;
	*ret = c;
	return HT_OK;
}

/* ---- the file ---- */

static int
first_run(const struct ht_audit_opts *opts, enum ht_err err)
{
	if (err == HT_ENOTFOUND)
		return HT_AUDIT_OK;
	ht_audit_say("--cursor-file: %s cannot be read: %s", opts->cursor,
	    err == HT_ESYSTEM ? strerror(errno) : ht_err_text(err));
	return HT_AUDIT_GONE;
}

/* What stands in a cursor for the question whose hash is @query. */
static struct ht_hash
salted(const struct ht_audit_cursor *c, const struct ht_hash *query)
{
	struct ht_slice parts[] = {
	    ht_slice_str(SALTED),
	    HT_SLICE(c->salt, HT_CURSOR_SALT),
	    HT_SLICE(query->at, HT_HASH_SIZE),
	};

	return c->salted ? ht_blake2b(parts, HT_COUNT(parts)) : *query;
}

static void
salt_anew(struct ht_audit_cursor *c, const struct ht_hash *query)
{
	c->salted = true;
	ht_random(c->salt, sizeof(c->salt));
	c->query = salted(c, query);
}

int
ht_audit_cursor_open(struct ht_audit_opts *opts, struct ht_audit_cursor *ret)
{
	HT_AUTO(ht_buf_fini) struct ht_buf bytes = HT_BUF(HT_CURSOR_MAX);
	struct ht_hash query, was;
	enum ht_err err = ht_query_hash(&opts->query, &query);

	*ret = (struct ht_audit_cursor){0};
	if (err == HT_OK)
		salt_anew(ret, &query);
	if (err == HT_OK)
		err = ht_fs_read(opts->cursor, &bytes);
	if (err != HT_OK)
		return first_run(opts, err);
	if (ht_cursor_parse(ht_buf_slice(&bytes), ret) != HT_OK) {
		ht_audit_say("--cursor-file: %s is no cursor; remove it to "
		             "begin anew",
		    opts->cursor);
		return HT_AUDIT_USAGE;
	}
	was = salted(ret, &query);
	if (!ht_hash_eq(&was, &ret->query)) {
		ht_audit_say("--cursor-file: %s belongs to another question; "
		             "give each question a file of its own",
		    opts->cursor);
		return HT_AUDIT_USAGE;
	}
	if (!ret->salted)
		salt_anew(ret, &query);
	opts->query.filter.start_seq = ret->next;
	opts->query.since = ret->size;
	return HT_AUDIT_OK;
}

int
ht_audit_cursor_check(const struct ht_audit_opts *opts,
    const struct ht_audit_cursor *c, const struct ht_audit_result *r)
{
	if (c->size == 0)
		return HT_AUDIT_OK;
	if (strcmp(c->origin, r->checkpoint.origin) != 0) {
		ht_audit_say("--cursor-file: %s belongs to the log %s, not %s",
		    opts->cursor, c->origin, r->checkpoint.origin);
		return HT_AUDIT_USAGE;
	}
	if (r->checkpoint.size < c->size) {
		ht_audit_say("the last run saw %llu entries, now there are "
		             "%llu: an older log was put back; keep %s as "
		             "evidence",
		    (unsigned long long)c->size,
		    (unsigned long long)r->checkpoint.size, opts->cursor);
		return HT_AUDIT_OLD;
	}
	if (!ht_check_consistency(c->size, r->checkpoint.size, &c->root,
	        &r->checkpoint.root, r->answer.path, r->answer.n_path)) {
		ht_audit_say("the first %llu entries are not those that the "
		             "last run saw: another history was put in their "
		             "place; keep %s as evidence",
		    (unsigned long long)c->size, opts->cursor);
		return HT_AUDIT_OLD;
	}
	return HT_AUDIT_OK;
}

int
ht_audit_cursor_save(const struct ht_audit_opts *opts,
    struct ht_audit_cursor *c, const struct ht_audit_result *r, int code)
{
	HT_AUTO(ht_buf_fini) struct ht_buf text = HT_BUF(HT_CURSOR_MAX);
	uint64_t pinned = opts->query.filter.size;
	uint64_t end = pinned > 0 ? pinned : r->answer.size;
	enum ht_err err;

	if (r->answer.more)
		end = r->answer.next_seq;
	if (end > c->next)
		c->next = end;
	(void)snprintf(
	    c->origin, sizeof(c->origin), "%s", r->checkpoint.origin);
	c->size = r->checkpoint.size;
	c->root = r->checkpoint.root;
	ht_cursor_text(c, &text);
	err = text.err;
	if (err == HT_OK)
		err = ht_fs_replace(opts->cursor, 0600, ht_buf_slice(&text));
	if (err == HT_OK)
		return code;
	ht_audit_say("--cursor-file: %s cannot be written: %s; the next run "
	             "will show these rows again",
	    opts->cursor,
	    err == HT_ESYSTEM ? strerror(errno) : ht_err_text(err));
	return HT_AUDIT_GONE;
}
