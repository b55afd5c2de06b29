/*
 * quorum.c -- C2SP tlog-policy: read it strictly, judge by it.
 */
#include "keys/quorum.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/panic.h"

#define NAMES_MAX (HT_QUORUM_WITNESSES + HT_QUORUM_GROUPS)
#define ITEMS_MAX (NAMES_MAX + 3) /* of a line: the longest is a group's */
#define NOBODY    UINT_MAX

/* A witness or a group.  It is in one group at most, and that comes later. */
struct name {
	struct ht_slice text; /* in the quorum's copy of the file */
	unsigned witness;     /* which, NOBODY for a group */
	unsigned k;           /* a group: so many of its members */
	unsigned n;
	unsigned parent; /* the group it is in, NOBODY */
};

struct ht_quorum {
	uint8_t *file;
	unsigned n_logs, n_witnesses, n_names;
	struct ht_vkey logs[HT_QUORUM_LOGS];
	struct ht_vkey witnesses[HT_QUORUM_WITNESSES];
	struct name names[NAMES_MAX];
	bool has_quorum;
	unsigned quorum; /* a name, NOBODY for `none` */
};

void
ht_quorum_free(struct ht_quorum **quorum_p)
{
	struct ht_quorum *quorum = *quorum_p;

	if (quorum == NULL)
		return;
	*quorum_p = NULL;
	free(quorum->file);
	free(quorum);
}

/* ---- reading ---- */

struct reader {
	struct ht_quorum *quorum;
	struct ht_report *report;
	const char *file;
	unsigned line;
	bool bad;
	size_t n_items; /* of the line at hand */
	struct ht_slice items[ITEMS_MAX];
};

#define COMPLAIN(r, ...)                                                       \
	do {                                                                   \
		char where_[300];                                              \
		complained((r), where_, sizeof(where_));                       \
		ht_report_add((r)->report, where_, __VA_ARGS__);               \
	} while (0)

static void
complained(struct reader *r, char *where, size_t size)
{
	r->bad = true;
	(void)snprintf(where, size, "%s:%u",
	    r->file != NULL ? r->file : "policy", r->line);
}

/* Cut a line into its items; false when it has more than any may have. */
static bool
split(struct reader *r, struct ht_slice line)
{
	size_t i = 0;

	r->n_items = 0;
	while (i < line.len) {
		size_t from = i;

		while (i < line.len && line.at[i] != ' ' && line.at[i] != '\t')
			i++;
		if (i > from) {
			if (r->n_items == ITEMS_MAX)
				return false;
			r->items[r->n_items++] =
			    HT_SLICE(line.at + from, i - from);
		}
		i++;
	}
	return true;
}

/* The name's place, NOBODY when no line before defined it. */
static unsigned
find(const struct ht_quorum *quorum, struct ht_slice text)
{
	for (unsigned i = 0; i < quorum->n_names; i++)
		if (ht_slice_eq(quorum->names[i].text, text))
			return i;
	return NOBODY;
}

static bool
same_key(const struct ht_vkey *keys, unsigned n, const struct ht_vkey *key)
{
	for (unsigned i = 0; i < n; i++)
		if (memcmp(&keys[i].pub, &key->pub, sizeof(key->pub)) == 0)
			return true;
	return false;
}

/* A key of the right type, and in no other line, be its name another. */
static bool
read_key(struct reader *r, struct ht_slice text, enum ht_vkey_type type,
    struct ht_vkey *ret)
{
	const struct ht_quorum *q = r->quorum;
	enum ht_err err = ht_vkey_parse_as(text, type, ret);

	if (err != HT_OK) {
		COMPLAIN(r,
		    "no %s key is here: name+hash+base64 of an Ed25519 key is "
		    "expected, of type %d",
		    type == HT_VKEY_COSIGN ? "witness's" : "log's", type);
		return false;
	}
	if (same_key(q->logs, q->n_logs, ret) ||
	    same_key(q->witnesses, q->n_witnesses, ret)) {
		COMPLAIN(r, "this key stands in another line already");
		return false;
	}
	return true;
}

static void
read_log(struct reader *r)
{
	struct ht_quorum *q = r->quorum;
	struct ht_vkey key;

	if (r->n_items != 2 && r->n_items != 3)
		COMPLAIN(r, "write: log VKEY [URL]");
	else if (q->n_logs == HT_QUORUM_LOGS)
		COMPLAIN(r, "more than %d logs", HT_QUORUM_LOGS);
	else if (read_key(r, r->items[1], HT_VKEY_NOTE, &key))
		q->logs[q->n_logs++] = key;
}

/* A new name, or NULL when it cannot be one. */
static struct name *
define(struct reader *r, struct ht_slice text)
{
	struct ht_quorum *q = r->quorum;
	struct name *name;

	if (text.len > HT_QUORUM_NAME_MAX)
		COMPLAIN(r, "a name has %d bytes at most", HT_QUORUM_NAME_MAX);
	else if (ht_slice_is(text, "none"))
		COMPLAIN(r, "the name none has a meaning of its own");
	else if (find(q, text) != NOBODY)
		COMPLAIN(r, "a line before has given this name already");
	else {
		name = &q->names[q->n_names++];
		*name = (struct name){
		    .text = text, .witness = NOBODY, .parent = NOBODY};
		return name;
	}
	return NULL;
}

static void
read_witness(struct reader *r)
{
	struct ht_quorum *q = r->quorum;
	struct ht_vkey key;
	struct name *name;

	if (r->n_items != 3 && r->n_items != 4)
		COMPLAIN(r, "write: witness NAME VKEY [URL]");
	else if (q->n_witnesses == HT_QUORUM_WITNESSES)
		COMPLAIN(r, "more than %d witnesses", HT_QUORUM_WITNESSES);
	else if (read_key(r, r->items[2], HT_VKEY_COSIGN, &key)) {
		name = define(r, r->items[1]);
		if (name == NULL)
			return;
		name->witness = q->n_witnesses;
		q->witnesses[q->n_witnesses++] = key;
	}
}

/* "any", "all", or a decimal from 1 to n without a zero before it. */
static bool
read_k(struct ht_slice text, unsigned n, unsigned *ret)
{
	unsigned k = 0;

	if (ht_slice_is(text, "any") || ht_slice_is(text, "all")) {
		*ret = ht_slice_is(text, "any") ? 1 : n;
		return true;
	}
	if (text.len > 3 || text.at[0] == '0')
		return false;
	for (size_t i = 0; i < text.len; i++) {
		if (text.at[i] < '0' || text.at[i] > '9')
			return false;
		k = k * 10 + (unsigned)text.at[i] - '0';
	}
	*ret = k;
	return k <= n;
}

/* Each name is in one group at most, so nobody's word counts twice. */
static void
join(struct reader *r, struct ht_slice text, unsigned group)
{
	struct ht_quorum *q = r->quorum;
	unsigned at = find(q, text);

	if (at == NOBODY || at == group)
		COMPLAIN(r,
		    "a member is none of the witnesses and groups of the "
		    "lines before");
	else if (q->names[at].parent != NOBODY)
		COMPLAIN(r, "a member is in a group already, this or another");
	else
		q->names[at].parent = group;
}

static void
read_group(struct reader *r)
{
	struct ht_quorum *q = r->quorum;
	struct name *name;
	unsigned n, k;

	if (r->n_items < 4) {
		COMPLAIN(r, "write: group NAME K|any|all MEMBER...");
		return;
	}
	n = (unsigned)r->n_items - 3;
	if (q->n_names - q->n_witnesses == HT_QUORUM_GROUPS)
		COMPLAIN(r, "more than %d groups", HT_QUORUM_GROUPS);
	else if (!read_k(r->items[2], n, &k))
		COMPLAIN(r,
		    "how many of the %u members? any, all or 1 to %u is "
		    "expected",
		    n, n);
	else if ((name = define(r, r->items[1])) != NULL) {
		name->k = k;
		name->n = n;
		for (size_t i = 3; i < r->n_items; i++)
			join(r, r->items[i], q->n_names - 1);
	}
}

static void
read_quorum(struct reader *r)
{
	struct ht_quorum *q = r->quorum;

	if (r->n_items != 2)
		COMPLAIN(r, "write: quorum NAME, or quorum none");
	else if (q->has_quorum)
		COMPLAIN(r, "a second quorum line; there is exactly one");
	else {
		q->has_quorum = true;
		q->quorum = find(q, r->items[1]);
		if (q->quorum == NOBODY && !ht_slice_is(r->items[1], "none"))
			COMPLAIN(r,
			    "the quorum is none of the witnesses and groups "
			    "of the lines before");
	}
}

static void
read_line(struct reader *r, struct ht_slice line)
{
	static const struct {
		const char *word;
		void (*read)(struct reader *);
	} lines[] = {
	    {"log",     read_log    },
	    {"witness", read_witness},
	    {"group",   read_group  },
	    {"quorum",  read_quorum },
	};

	if (!split(r, line)) {
		COMPLAIN(r, "more items than a line may have");
		return;
	}
	if (r->n_items == 0 || r->items[0].at[0] == '#')
		return;
	for (size_t i = 0; i < HT_COUNT(lines); i++)
		if (ht_slice_is(r->items[0], lines[i].word)) {
			lines[i].read(r);
			return;
		}
	COMPLAIN(r, "a line begins with log, witness, group, quorum or #");
}

/* Octets: tab, newline, and whatever is neither a control nor DEL. */
static bool
octets_ok(struct ht_slice line)
{
	for (size_t i = 0; i < line.len; i++)
		if ((line.at[i] < ' ' && line.at[i] != '\t') ||
		    line.at[i] == 0x7f)
			return false;
	return true;
}

static void
read_lines(struct reader *r, struct ht_slice text)
{
	while (text.len > 0) {
		const uint8_t *end = memchr(text.at, '\n', text.len);
		struct ht_slice line;

		r->line++;
		if (end == NULL) {
			COMPLAIN(r, "the last line has no newline at its end");
			return;
		}
		line = HT_SLICE(text.at, (size_t)(end - text.at));
		text = HT_SLICE(end + 1, text.len - line.len - 1);
		if (octets_ok(line))
			read_line(r, line);
		else
			COMPLAIN(r, "a control character other than tab");
	}
	r->line++;
	if (!r->quorum->has_quorum)
		COMPLAIN(r, "no quorum line; `quorum none` asks for nobody");
}

enum ht_err
ht_quorum_parse(const char *file, struct ht_slice text,
    struct ht_report *report, struct ht_quorum **ret)
{
	HT_AUTO(ht_quorum_free) struct ht_quorum *quorum = NULL;
	struct reader r = {.report = report, .file = file};

	if (text.len > HT_QUORUM_FILE_MAX)
		return HT_ETOOBIG;
	quorum = calloc(1, sizeof(*quorum));
	if (quorum == NULL)
		return HT_ENOMEM;
	quorum->file = malloc(text.len + 1);
	if (quorum->file == NULL)
		return HT_ENOMEM;
	if (text.len > 0)
		memcpy(quorum->file, text.at, text.len);
	r.quorum = quorum;
	read_lines(&r, HT_SLICE(quorum->file, text.len));
	if (r.bad)
		return HT_EINVALID;
	*ret = HT_TAKE(quorum);
	return HT_OK;
}

/* ---- writing ---- */

void
ht_quorum_text(const struct ht_vkey *log, const struct ht_vkey *witnesses,
    unsigned n, unsigned k, struct ht_buf *out)
{
	char vkey[HT_VKEY_MAX];

	HT_ASSERT(k <= n);
	ht_vkey_text(log, vkey);
	ht_buf_fmt(out, "log %s\n", vkey);
	for (unsigned i = 0; i < n; i++) {
		ht_vkey_text(&witnesses[i], vkey);
		ht_buf_fmt(out, "witness %s %s\n", witnesses[i].name, vkey);
	}
	if (k == 0) {
		ht_buf_str(out, "quorum none\n");
		return;
	}
	ht_buf_fmt(out, "group witnesses %u", k);
	for (unsigned i = 0; i < n; i++)
		ht_buf_fmt(out, " %s", witnesses[i].name);
	ht_buf_str(out, "\nquorum witnesses\n");
}

/* ---- judging ---- */

unsigned
ht_quorum_logs(const struct ht_quorum *quorum)
{
	return quorum->n_logs;
}

const struct ht_vkey *
ht_quorum_log(const struct ht_quorum *quorum, unsigned i)
{
	HT_ASSERT(i < quorum->n_logs);
	return &quorum->logs[i];
}

unsigned
ht_quorum_witnesses(const struct ht_quorum *quorum)
{
	return quorum->n_witnesses;
}

const struct ht_vkey *
ht_quorum_witness(
    const struct ht_quorum *quorum, unsigned i, struct ht_slice *ret_name)
{
	HT_ASSERT(i < quorum->n_witnesses);
	for (unsigned n = 0; n < quorum->n_names; n++)
		if (quorum->names[n].witness == i)
			*ret_name = quorum->names[n].text;
	return &quorum->witnesses[i];
}

/*
 * Members stand before their group, and each in one group alone: one walk in
 * the file's order has counted all of a group's before it comes to the group.
 */
bool
ht_quorum_met(const struct ht_quorum *quorum, uint64_t witnesses)
{
	unsigned have[NAMES_MAX] = {0};

	if (quorum->quorum == NOBODY)
		return true;
	for (unsigned i = 0; i < quorum->n_names; i++) {
		const struct name *name = &quorum->names[i];
		bool yes = name->witness == NOBODY
		               ? have[i] >= name->k
		               : witnesses >> name->witness & 1;

		if (yes && i == quorum->quorum)
			return true;
		if (yes && name->parent != NOBODY)
			have[name->parent]++;
	}
	return false;
}

/* The log that signed it under the origin it names. */
static enum ht_err
find_log(const struct ht_quorum *quorum, const struct ht_note *note,
    struct ht_quorum_seen *seen)
{
	uint64_t signed_by;
	enum ht_err err =
	    ht_note_verify(note, quorum->logs, quorum->n_logs, &signed_by);

	if (err != HT_OK)
		return err;
	for (unsigned i = 0; i < quorum->n_logs; i++)
		if (signed_by >> i & 1 &&
		    strcmp(quorum->logs[i].name, seen->cp.origin) == 0) {
			seen->log = i;
			return HT_OK;
		}
	return HT_EBADSIG;
}

enum ht_err
ht_quorum_check(const struct ht_quorum *quorum, struct ht_slice bytes,
    struct ht_quorum_seen *ret)
{
	struct ht_quorum_seen seen = {0};
	uint64_t cosigned = 0;
	struct ht_note note;
	enum ht_err err = ht_note_parse(bytes, &note);

	if (err == HT_OK)
		err = ht_checkpoint_parse(note.text, &seen.cp);
	if (err == HT_OK)
		err = find_log(quorum, &note, &seen);
	for (unsigned i = 0; err == HT_OK && i < quorum->n_witnesses; i++) {
		err = ht_cosign_find(
		    &note, &quorum->witnesses[i], &seen.time_s[i]);
		if (err == HT_OK) {
			cosigned |= UINT64_C(1) << i;
			seen.n_signed++;
		} else if (err == HT_ENOTFOUND)
			err = HT_OK;
	}
	if (err != HT_OK)
		return err;
	seen.met = ht_quorum_met(quorum, cosigned);
	*ret = seen;
	return HT_OK;
}
