#include "tests/lib/world.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "keys/merkle.h"
#include "lib/base/clock.h"

#define DAY_MS UINT64_C(86400000)

struct ht_world_doc {
	enum ht_doc_kind kind;
	char name[HT_DOC_NAME_MAX + 1];
	char *text;
	unsigned without;
	struct ht_buf note; /* empty: to be signed */
	char path[HT_DOC_PATH_MAX];
};

static void die(const char *fmt, ...) __attribute__((format(printf, 1, 2)))
__attribute__((noreturn));

static void
die(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fputs("world: ", stderr);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
	va_end(ap);
	abort();
}

static void
must(enum ht_err err, const char *what)
{
	if (err != HT_OK)
		die("%s: %s", what, ht_err_text(err));
}

static void *
some(void *memory)
{
	if (memory == NULL)
		die("out of memory");
	return memory;
}

/* ---- keys ---- */

struct ht_key *
ht_world_key(enum ht_key_for what, const char *name)
{
	struct ht_key *key = NULL;
	struct ht_hash seed;
	char text[256];

	(void)snprintf(text, sizeof(text), "hutong-test %s %s",
	    ht_key_for_text(what), name);
	seed = ht_sha256(ht_slice_str(text));
	must(ht_key_from_seed(what, seed.at, &key), name);
	return key;
}

static const struct {
	const char *name;
	const char *zh;
	const char *en;
	const char *nodes[2];
} people[HT_W_MEMBERS] = {
    {"scjg.demo/registry",    "市场监督管理局", "Market regulation",
     {"main", NULL}                                                                          },
    {"tax.demo/state",        "国家税务局",       "State tax bureau",  {"main", "shell"}},
    {"tax.demo/local",        "地方税务局",       "Local tax bureau",  {"main", NULL}   },
    {"police.demo/residents", "公安局",             "Public security",   {"main", NULL}   },
};

static void
make_member(struct ht_world_member *m, size_t i)
{
	char name[256];

	m->name = people[i].name;
	m->identity = ht_world_key(HT_KEY_IDENTITY, m->name);
	m->officer = ht_world_key(HT_KEY_OFFICER, m->name);
	m->sealing = ht_world_key(HT_KEY_SEALING, m->name);
	for (size_t n = 0; n < 2 && people[i].nodes[n] != NULL; n++) {
		m->nodes[n].name = people[i].nodes[n];
		(void)snprintf(
		    name, sizeof(name), "%s/%s", m->name, m->nodes[n].name);
		m->nodes[n].signing = ht_world_key(HT_KEY_SIGNING, name);
		m->nodes[n].transport = ht_world_key(HT_KEY_TRANSPORT, name);
	}
}

static void
make_keys(struct ht_world *w)
{
	w->officers[0] = ht_world_key(HT_KEY_OFFICER, "1");
	w->officers[1] = ht_world_key(HT_KEY_OFFICER, "2");
	w->officers[2] = ht_world_key(HT_KEY_OFFICER, "3");
	w->snapshot_key = ht_world_key(HT_KEY_SNAPSHOT, "gx.demo");
	w->current_key = ht_world_key(HT_KEY_CURRENT, "gx.demo");
	w->log_key = ht_world_key(HT_KEY_LOG, "gx.demo");
	w->witness = ht_world_key(HT_KEY_WITNESS, "gx.demo");
	w->auditor = ht_world_key(HT_KEY_AUDITOR, "gx.demo");
	w->broker = ht_world_key(HT_KEY_TRANSPORT, "broker");
	w->annex = ht_world_key(HT_KEY_ANNEX, "gx.demo");
	w->tracker = ht_world_key(HT_KEY_TRACKER, "gx.demo");
	for (size_t i = 0; i < HT_W_MEMBERS; i++)
		make_member(&w->members[i], i);
}

/* ---- texts ---- */

static void
add_vkey(struct ht_buf *out, const char *before, const char *name,
    const struct ht_key *key)
{
	struct ht_pub pub = ht_key_pub(key);
	struct ht_vkey vkey;
	char text[HT_VKEY_MAX];

	must(ht_vkey_make(name, &pub, &vkey), name);
	ht_vkey_text(&vkey, text);
	ht_buf_fmt(out, "%s%s\n", before, text);
}

static void
add_pub(struct ht_buf *out, const char *before, const struct ht_key *key,
    const char *after)
{
	struct ht_pub pub = ht_key_pub(key);
	char text[HT_B64_SIZE(HT_PUB_SIZE)];

	ht_b64(text, pub.at, sizeof(pub.at));
	ht_buf_fmt(out, "%s%s%s", before, text, after);
}

static void
add_period(
    struct ht_buf *out, const char *fmt, uint64_t from_ms, uint64_t until_ms)
{
	char from[HT_TIME_SIZE], until[HT_TIME_SIZE];

	ht_time_text(from, from_ms * 1000);
	ht_time_text(until, until_ms * 1000);
	ht_buf_fmt(out, "from: %s%suntil: %s", from, fmt, until);
}

static void
put_buf(struct ht_world *w, enum ht_doc_kind kind, const char *name,
    struct ht_buf *text)
{
	must(text->err, name);
	ht_world_put(w, kind, name, ht_buf_text(text));
	ht_buf_fini(text);
}

static void
put_root(struct ht_world *w)
{
	struct ht_buf out = HT_BUF(HT_DOC_MAX);

	ht_buf_str(&out, "hutong: root/v1\n"
	                 "catalog: gx.demo\n"
	                 "revision: 1\n"
	                 "threshold: 2\n"
	                 "officers:\n");
	add_vkey(&out, "  - ", "gx.demo/officer-1", w->officers[0]);
	add_vkey(&out, "  - ", "gx.demo/officer-2", w->officers[1]);
	add_vkey(&out, "  - ", "gx.demo/officer-3", w->officers[2]);
	add_vkey(&out, "snapshot: ", "gx.demo/snapshot", w->snapshot_key);
	add_vkey(&out, "current: ", "gx.demo/current", w->current_key);
	add_vkey(&out, "log: ", "gx.demo/log", w->log_key);
	ht_buf_str(&out, "auditors:\n");
	add_vkey(&out, "  - ", "gx.demo/auditor-1", w->auditor);
	ht_buf_str(&out, "broker:\n");
	add_pub(&out, "  transport: ", w->broker, "\n");
	ht_buf_fmt(&out, "  address: %s\n", w->address);
	put_buf(w, HT_DOC_ROOT, "root", &out);
}

static void
add_key(struct ht_buf *out, const char *before, const struct ht_key *key,
    uint64_t from_ms, uint64_t until_ms)
{
	add_pub(out, before, key, ", ");
	add_period(out, ", ", from_ms, until_ms);
	ht_buf_str(out, ", state: active}\n");
}

static void
put_member(struct ht_world *w, size_t i)
{
	const struct ht_world_member *m = &w->members[i];
	struct ht_buf out = HT_BUF(HT_DOC_MAX);
	uint64_t from = w->now_ms - DAY_MS, until = w->now_ms + 365 * DAY_MS;
	char officer[HT_NAME_MAX + 8];

	ht_buf_fmt(&out,
	    "hutong: member/v1\n"
	    "member: %s\n"
	    "revision: 1\n"
	    "title: {zh: %s, en: %s}\n",
	    m->name, people[i].zh, people[i].en);
	add_pub(&out, "identity: ", m->identity, "\n");
	ht_buf_str(&out, "officers:\n");
	(void)snprintf(officer, sizeof(officer), "%s/officer", m->name);
	add_vkey(&out, "  - ", officer, m->officer);
	ht_buf_str(&out, "nodes:\n");
	for (size_t n = 0; n < 2 && m->nodes[n].name != NULL; n++) {
		ht_buf_fmt(&out, "  - node: %s\n", m->nodes[n].name);
		add_key(&out, "    signing: {key: ", m->nodes[n].signing, from,
		    until);
		add_key(&out, "    transport: {key: ", m->nodes[n].transport,
		    from, until);
	}
	ht_buf_str(&out, "sealing:\n");
	add_key(&out, "  - {key: ", m->sealing, from, w->now_ms + 60 * DAY_MS);
	put_buf(w, HT_DOC_MEMBER, m->name, &out);
}

static const char registration[] =
    "hutong: item/v1\n"
    "item: gx.demo/SCZTDJ\n"
    "version: 1\n"
    "revision: 1\n"
    "title: {zh: 市场主体登记信息, en: Market entity registration}\n"
    "provider: scjg.demo/registry\n"
    "share: conditional\n"
    "basis:\n"
    "  - {code: ZGF-15, text: 税收征收管理法 第十五条}\n"
    "operations: [query, verify]\n"
    "purposes:\n"
    "  - {code: tax-registration, zh: 税务登记核验, en: Tax registration}\n"
    "  - {code: tax-audit, zh: 税务稽查, en: Tax audit}\n"
    "cycle: {zh: 实时, en: real time}\n"
    "subject: {param: shxydm, field: shxydm, registry: uscc}\n"
    "limits: {records: 50, verify-size: 1024}\n"
    "answer-within: 5s\n"
    "grace: 24h\n"
    "request:\n"
    "  type: object\n"
    "  required: [shxydm]\n"
    "  properties:\n"
    "    shxydm: {type: string, format: uscc}\n"
    "    xzqh: {type: string, pattern: '^[0-9]{6}$'}\n"
    "  additionalProperties: false\n"
    "record:\n"
    "  type: object\n"
    "  required: [shxydm, ztmc]\n"
    "  properties:\n"
    "    shxydm: {type: string, format: uscc, x-level: 0, x-bytes: 18}\n"
    "    ztmc: {type: string, x-level: 0, x-bytes: 300}\n"
    "    jyzt_dm: {type: string, enum: ['1', '2', '4'], x-level: 0}\n"
    "    fddbr_xm: {type: string, x-level: 2, x-bytes: 150}\n"
    "    xzqh: {type: string, pattern: '^[0-9]{6}$', x-level: 0}\n"
    "  additionalProperties: false\n";

static const char statistics[] =
    "hutong: item/v1\n"
    "item: gx.demo/ZXTJ\n"
    "version: 1\n"
    "revision: 1\n"
    "title: {zh: 税收征收统计, en: Statistics of taxes collected}\n"
    "provider: tax.demo/state\n"
    "share: unconditional\n"
    "basis:\n"
    "  - {code: TJF-20, text: 统计法 第二十条}\n"
    "operations: [query]\n"
    "purposes:\n"
    "  - {code: planning, zh: 规划, en: Planning}\n"
    "request:\n"
    "  type: object\n"
    "  required: [xzqh]\n"
    "  properties:\n"
    "    xzqh: {type: string, pattern: '^[0-9]{6}$'}\n"
    "  additionalProperties: false\n"
    "record:\n"
    "  type: object\n"
    "  required: [xzqh, hs]\n"
    "  properties:\n"
    "    xzqh: {type: string, pattern: '^[0-9]{6}$', x-level: 0}\n"
    "    hs: {type: integer, minimum: 0, x-level: 0}\n"
    "  additionalProperties: false\n";

static const struct grant {
	int number;
	const char *state;
	const char *item;
	const char *provider;
	const char *consumer;
	const char *operations;
	const char *fields;
	const char *purpose;
	const char *basis;
	int from_days;
	int until_days;
	const char *more;
} grants[] = {
    {1, "active",    "SCZTDJ", "scjg.demo/registry", "tax.demo/state",
     "[query, verify]",                                                           "[shxydm, ztmc, jyzt_dm, xzqh]", "tax-registration",
     "ZGF-15",                                                                                                                                   -1,  365, ""},
    {2, "active",    "SCZTDJ", "scjg.demo/registry", "tax.demo/local",
     "[query, verify]",                                                           "[shxydm, ztmc, xzqh]",          "tax-registration", "ZGF-15",
     -1,                                                                                                                                              365,
     "rows: {field: xzqh, prefix: ['9999']}\n"
        "quota: {per-day: 100}\n"                                                                                                                            },
    {3, "active",    "ZXTJ",   "tax.demo/state",     "tax.demo/local", "[query]", "all",
     "planning",                                                                                                                       "TJF-20", -1,  365, ""},
    {4, "active",    "SCZTDJ", "scjg.demo/registry", "tax.demo/state",
     "[query, verify]",                                                           "[shxydm, ztmc]",                "tax-registration", "ZGF-15", -30,
     -1,                                                                                                                                                   ""},
    {5, "suspended", "SCZTDJ", "scjg.demo/registry", "tax.demo/local",
     "[query]",                                                                   "[shxydm, ztmc]",                "tax-registration", "ZGF-15", -1,  365, ""},
};

static void
put_grant(struct ht_world *w, const struct grant *g)
{
	struct ht_buf out = HT_BUF(HT_DOC_MAX);
	char name[64];

	(void)snprintf(name, sizeof(name), "gx.demo/%d", g->number);
	ht_buf_fmt(&out,
	    "hutong: grant/v1\n"
	    "grant: %s\n"
	    "revision: 1\n"
	    "state: %s\n"
	    "item: gx.demo/%s\n"
	    "version: 1\n"
	    "provider: %s\n"
	    "consumer: %s\n"
	    "operations: %s\n"
	    "fields: %s\n"
	    "purposes: [%s]\n"
	    "basis: %s\n",
	    name, g->state, g->item, g->provider, g->consumer, g->operations,
	    g->fields, g->purpose, g->basis);
	add_period(&out, "\n", w->now_ms + (uint64_t)g->from_days * DAY_MS,
	    w->now_ms + (uint64_t)g->until_days * DAY_MS);
	ht_buf_fmt(&out, "\n%s", g->more);
	put_buf(w, HT_DOC_GRANT, name, &out);
}

static void
add_tracker(
    struct ht_world *w, const struct ht_world_member *m, struct ht_buf *out)
{
	HT_AUTO(ht_buf_fini) struct ht_buf sealed = HT_BUF(256);
	struct ht_keyinfo to = {
	    .pub = ht_key_pub(m->sealing), .id = ht_key_id(m->sealing)};
	char hex[2 * HT_KEYID_SIZE + 1], text[HT_B64_SIZE(256)];

	must(ht_tracker_seal("gx.demo/e1", &to, w->tracker, &sealed), m->name);
	ht_hex(hex, to.id.at, sizeof(to.id.at));
	ht_b64(text, sealed.at, sealed.len);
	ht_buf_fmt(out, "  - {member: %s, key: '%s', sealed: %s}\n", m->name,
	    hex, text);
}

static void
put_epoch(struct ht_world *w)
{
	struct ht_buf out = HT_BUF(HT_DOC_MAX);

	ht_buf_str(&out, "hutong: epoch/v1\n"
	                 "epoch: gx.demo/e1\n"
	                 "revision: 1\n");
	add_period(&out, "\n", w->now_ms - DAY_MS, w->now_ms + 90 * DAY_MS);
	add_pub(&out, "\nannex: ", w->annex, "\n");
	ht_buf_str(&out, "trackers:\n");
	for (size_t i = 0; i < HT_W_MEMBERS; i++)
		add_tracker(w, &w->members[i], &out);
	put_buf(w, HT_DOC_EPOCH, "gx.demo/e1", &out);
}

/* ---- the documents ---- */

static struct ht_world_doc *
find(const struct ht_world *w, enum ht_doc_kind kind, const char *name)
{
	for (size_t i = 0; i < w->n_sources; i++)
		if (w->sources[i].kind == kind &&
		    strcmp(w->sources[i].name, name) == 0)
			return &w->sources[i];
	return NULL;
}

static struct ht_world_doc *
need(const struct ht_world *w, enum ht_doc_kind kind, const char *name)
{
	struct ht_world_doc *doc = find(w, kind, name);

	if (doc == NULL)
		die("there is no %s %s", ht_doc_kind_text(kind), name);
	return doc;
}

void
ht_world_put(struct ht_world *w, enum ht_doc_kind kind, const char *name,
    const char *text)
{
	struct ht_world_doc *doc = find(w, kind, name);
	char *copy = some(strdup(text)); /* it may be the old one's */

	if (doc == NULL) {
		w->sources = some(realloc(
		    w->sources, (w->n_sources + 1) * sizeof(*w->sources)));
		doc = &w->sources[w->n_sources++];
		memset(doc, 0, sizeof(*doc));
		doc->kind = kind;
		(void)snprintf(doc->name, sizeof(doc->name), "%s", name);
		ht_doc_path(kind, name, doc->path);
		doc->note = HT_BUF(HT_DOC_MAX + 65536);
	}
	free(doc->text);
	doc->text = copy;
	ht_buf_reset(&doc->note);
}

static void
doc_fini(struct ht_world_doc *doc)
{
	free(doc->text);
	ht_buf_fini(&doc->note);
}

void
ht_world_drop(struct ht_world *w, enum ht_doc_kind kind, const char *name)
{
	struct ht_world_doc *doc = need(w, kind, name);

	doc_fini(doc);
	*doc = w->sources[--w->n_sources];
}

const char *
ht_world_text(const struct ht_world *w, enum ht_doc_kind kind, const char *name)
{
	return need(w, kind, name)->text;
}

void
ht_world_edit(struct ht_world *w, enum ht_doc_kind kind, const char *name,
    const char *from, const char *to)
{
	HT_AUTO(ht_buf_fini) struct ht_buf text = HT_BUF(HT_DOC_MAX * 4);
	const char *old = ht_world_text(w, kind, name);
	const char *at = strstr(old, from);

	if (at == NULL)
		die("%s has no \"%s\"", name, from);
	ht_buf_add(&text, old, (size_t)(at - old));
	ht_buf_str(&text, to);
	ht_buf_str(&text, at + strlen(from));
	must(text.err, name);
	ht_world_put(w, kind, name, ht_buf_text(&text));
}

void
ht_world_unsign(struct ht_world *w, enum ht_doc_kind kind, const char *name,
    unsigned without)
{
	struct ht_world_doc *doc = need(w, kind, name);

	doc->without = without;
	ht_buf_reset(&doc->note);
}

/* ---- signing ---- */

static void
sign(struct ht_buf *note, const char *name, const struct ht_key *key)
{
	struct ht_buf out = HT_BUF(note->max);

	must(ht_note_sign(ht_buf_slice(note),
	         memmem(note->at, note->len, "\n\n\xe2\x80\x94 ", 6) != NULL,
	         name, key, &out),
	    name);
	ht_buf_fini(note);
	*note = out;
}

static const struct ht_world_member *
member_named(const struct ht_world *w, const char *name, size_t len)
{
	for (size_t i = 0; i < HT_W_MEMBERS; i++)
		if (strlen(w->members[i].name) == len &&
		    strncmp(w->members[i].name, name, len) == 0)
			return &w->members[i];
	return NULL;
}

/* Whose officer signs an item or grant; NULL for a provider we have not. */
static const struct ht_world_member *
provider_of(const struct ht_world *w, const char *text)
{
	static const char key[] = "\nprovider: ";
	const char *at = strstr(text, key);

	if (at == NULL)
		return NULL;
	at += sizeof(key) - 1;
	return member_named(w, at, strcspn(at, "\n"));
}

static void
sign_other(struct ht_world *w, struct ht_world_doc *doc)
{
	const struct ht_world_member *m;
	char name[HT_NAME_MAX + 16];

	switch (doc->kind) {
	case HT_DOC_MEMBER:
		m = member_named(w, doc->name, strlen(doc->name));
		if (m != NULL)
			sign(&doc->note, m->name, m->identity);
		break;
	case HT_DOC_ITEM:
	case HT_DOC_GRANT:
		m = provider_of(w, doc->text);
		if (m == NULL)
			break;
		(void)snprintf(name, sizeof(name), "%s/officer", m->name);
		sign(&doc->note, name, m->officer);
		break;
	case HT_DOC_EPOCH:
		sign(&doc->note, "gx.demo/auditor-1", w->auditor);
		break;
	default:
		break;
	}
}

static void
sign_doc(struct ht_world *w, struct ht_world_doc *doc)
{
	if (doc->note.len > 0)
		return;
	ht_buf_str(&doc->note, doc->text);
	if (doc->kind != HT_DOC_EPOCH) {
		sign(&doc->note, "gx.demo/officer-1", w->officers[0]);
		if (!(doc->without & HT_W_OFFICER))
			sign(&doc->note, "gx.demo/officer-2", w->officers[1]);
	}
	if (!(doc->without & HT_W_OTHER))
		sign_other(w, doc);
	must(doc->note.err, doc->name);
}

/* ---- publishing ---- */

static unsigned long long
revision_of(const char *text)
{
	const char *at = strstr(text, "\nrevision: ");

	return at == NULL ? 1 : strtoull(at + 11, NULL, 10);
}

static int
by_line(const void *a, const void *b)
{
	const char *const *x = a, *const *y = b;

	return strcmp(*x, *y);
}

static void
make_list(struct ht_world *w)
{
	char **lines = some(calloc(w->n_sources, sizeof(*lines)));
	char hex[2 * HT_HASH_SIZE + 1];

	for (size_t i = 0; i < w->n_sources; i++) {
		struct ht_world_doc *doc = &w->sources[i];
		struct ht_hash hash = ht_sha256(ht_slice_str(doc->text));

		ht_hex(hex, hash.at, sizeof(hash.at));
		if (asprintf(&lines[i], "%s %s %llu %s\n",
		        ht_doc_kind_text(doc->kind), doc->name,
		        revision_of(doc->text), hex) < 0)
			die("out of memory");
	}
	qsort(lines, w->n_sources, sizeof(*lines), by_line);
	ht_buf_reset(&w->list);
	for (size_t i = 0; i < w->n_sources; i++) {
		ht_buf_str(&w->list, lines[i]);
		free(lines[i]);
	}
	free(lines);
	must(w->list.err, "list");
}

static void
make_snapshot(struct ht_world *w)
{
	HT_AUTO(ht_mem_free)
	struct ht_hash *leaves = some(calloc(w->n_sources, sizeof(*leaves)));
	char when[HT_TIME_SIZE], root[HT_B64_SIZE(HT_HASH_SIZE)];
	const uint8_t *at = w->list.at;
	struct ht_hash hash;

	/* Not ht_list_parse(): lists may be wrong on purpose. */
	for (size_t i = 0; i < w->n_sources; i++) {
		const uint8_t *end =
		    memchr(at, '\n', (size_t)(w->list.at + w->list.len - at));

		leaves[i] = ht_leaf_hash(HT_SLICE(at, (size_t)(end - at)));
		at = end + 1;
	}
	hash = ht_merkle_root(leaves, w->n_sources);
	ht_b64(root, hash.at, sizeof(hash.at));
	ht_time_text(when, w->now_ms * 1000);
	ht_buf_reset(&w->snapshot);
	ht_buf_fmt(&w->snapshot,
	    "hutong: snapshot/v1\n"
	    "catalog: gx.demo\n"
	    "version: %llu\n"
	    "created: %s\n"
	    "count: %zu\n"
	    "root: %s\n",
	    (unsigned long long)w->version, when, w->n_sources, root);
}

static void
make_current(struct ht_world *w)
{
	char issued[HT_TIME_SIZE], until[HT_TIME_SIZE];
	char hex[2 * HT_HASH_SIZE + 1];
	struct ht_hash hash = ht_sha256(ht_buf_slice(&w->snapshot));

	ht_hex(hex, hash.at, sizeof(hash.at));
	ht_time_text(issued, w->issued_ms * 1000);
	ht_time_text(until, (w->issued_ms + w->life_ms) * 1000);
	ht_buf_reset(&w->current);
	ht_buf_fmt(&w->current,
	    "hutong: current/v1\n"
	    "catalog: gx.demo\n"
	    "snapshot: %llu\n"
	    "hash: '%s'\n"
	    "issued: %s\n"
	    "until: %s\n",
	    (unsigned long long)w->version, hex, issued, until);
	if (w->suspended != NULL)
		ht_buf_fmt(&w->current, "suspended: [%s]\n", w->suspended);
}

void
ht_world_publish(struct ht_world *w)
{
	w->notes = some(realloc(w->notes, w->n_sources * sizeof(*w->notes)));
	w->names = some(realloc(w->names, w->n_sources * sizeof(*w->names)));
	w->n_docs = w->n_sources;
	for (size_t i = 0; i < w->n_sources; i++) {
		sign_doc(w, &w->sources[i]);
		w->notes[i] = ht_buf_slice(&w->sources[i].note);
		w->names[i] = w->sources[i].path;
	}
	make_list(w);
	make_snapshot(w);
	make_current(w); /* over the snapshot's text */
	sign(&w->snapshot, "gx.demo/snapshot", w->snapshot_key);
	sign(&w->current, "gx.demo/current", w->current_key);
}

/* By its text, or else by its file's name: tests put one in another's place. */
struct lookup {
	const struct ht_world *world;
	struct ht_hash *hashes; /* of the notes' texts */
};

static enum ht_err
look_up(void *arg, size_t i, const struct ht_list_line *line,
    struct ht_slice *ret_note, const char **ret_name)
{
	const struct lookup *l = arg;
	const struct ht_world *w = l->world;
	char path[HT_DOC_PATH_MAX];
	size_t found = w->n_docs;

	(void)i;
	ht_doc_path(line->kind, line->name, path);
	for (size_t k = 0; k < w->n_docs && found == w->n_docs; k++)
		if (ht_hash_eq(&l->hashes[k], &line->hash))
			found = k;
	for (size_t k = 0; k < w->n_docs && found == w->n_docs; k++)
		if (strcmp(w->names[k], path) == 0)
			found = k;
	if (found == w->n_docs)
		return HT_ENOTFOUND;
	*ret_note = w->notes[found];
	*ret_name = w->names[found];
	return HT_OK;
}

enum ht_err
ht_world_load(const struct ht_world *w, const struct ht_trust *before,
    struct ht_report *report, struct ht_trust **ret_trust)
{
	HT_AUTO(ht_mem_free)
	struct ht_hash *hashes = calloc(w->n_docs + 1, sizeof(*hashes));
	struct lookup lookup = {w, hashes};
	const struct ht_trust_docs docs = {
	    .snapshot = ht_buf_slice(&w->snapshot),
	    .list = ht_buf_slice(&w->list),
	    .current = ht_buf_slice(&w->current),
	    .note = look_up,
	    .arg = &lookup,
	};
	struct ht_slice text;

	/* Fails on purpose, in tests of that. */
	if (hashes == NULL)
		return HT_ENOMEM;
	for (size_t i = 0; i < w->n_docs; i++)
		if (ht_doc_text(w->notes[i], &text, NULL) == HT_OK)
			hashes[i] = ht_sha256(text);
	return ht_trust_load(&w->root, &docs, before, report, ret_trust);
}

static void
load(struct ht_world *w)
{
	HT_AUTO(ht_report_free) struct ht_report *report = ht_report_new();
	struct ht_trust *trust = NULL;
	enum ht_err err = ht_world_load(w, w->trust, report, &trust);

	if (err != HT_OK)
		ht_report_print(report, stderr);
	must(err, "the world does not load");
	ht_trust_unref(&w->trust);
	w->trust = trust;
}

void
ht_world_renew(struct ht_world *w)
{
	w->version++;
	w->issued_ms++;
	ht_world_publish(w);
	load(w);
}

/* ---- life ---- */

static void
begin(struct ht_world *w)
{
	HT_AUTO(ht_report_free) struct ht_report *report = ht_report_new();
	struct ht_world_doc *root;
	enum ht_err err;

	put_root(w);
	root = need(w, HT_DOC_ROOT, "root");
	sign_doc(w, root);
	err = ht_root_parse(
	    ht_buf_slice(&root->note), "root.note", report, &w->root);
	if (err != HT_OK)
		ht_report_print(report, stderr);
	must(err, "root");
	ht_trust_unref(&w->trust);
	ht_world_renew(w);
}

struct ht_world *
ht_world_new(uint64_t now_ms)
{
	struct ht_world *w = some(calloc(1, sizeof(*w)));

	must(ht_keys_init(), "keys");
	w->now_ms = now_ms;
	w->issued_ms = now_ms - 1;
	w->life_ms = DAY_MS / 2;
	(void)snprintf(w->address, sizeof(w->address), "tcp://127.0.0.1:5600");
	w->snapshot = HT_BUF(HT_DOC_MAX);
	w->current = HT_BUF(HT_DOC_MAX);
	w->list = HT_BUF(64 << 20);
	make_keys(w);
	for (size_t i = 0; i < HT_W_MEMBERS; i++)
		put_member(w, i);
	ht_world_put(w, HT_DOC_ITEM, "gx.demo/SCZTDJ@1", registration);
	ht_world_put(w, HT_DOC_ITEM, "gx.demo/ZXTJ@1", statistics);
	for (size_t i = 0; i < HT_COUNT(grants); i++)
		put_grant(w, &grants[i]);
	put_epoch(w);
	begin(w);
	return w;
}

void
ht_world_address(struct ht_world *w, const char *address)
{
	(void)snprintf(w->address, sizeof(w->address), "%s", address);
	begin(w);
}

void
ht_world_free(struct ht_world **world_p)
{
	struct ht_world *w = *world_p;

	if (w == NULL)
		return;
	*world_p = NULL;
	for (size_t i = 0; i < 3; i++)
		ht_key_free(&w->officers[i]);
	ht_key_free(&w->snapshot_key);
	ht_key_free(&w->current_key);
	ht_key_free(&w->log_key);
	ht_key_free(&w->witness);
	ht_key_free(&w->auditor);
	ht_key_free(&w->broker);
	ht_key_free(&w->annex);
	ht_key_free(&w->tracker);
	for (size_t i = 0; i < HT_W_MEMBERS; i++) {
		struct ht_world_member *m = &w->members[i];

		ht_key_free(&m->identity);
		ht_key_free(&m->officer);
		ht_key_free(&m->sealing);
		for (size_t n = 0; n < 2; n++) {
			ht_key_free(&m->nodes[n].signing);
			ht_key_free(&m->nodes[n].transport);
		}
	}
	ht_trust_unref(&w->trust);
	for (size_t i = 0; i < w->n_sources; i++)
		doc_fini(&w->sources[i]);
	free(w->sources);
	free(w->notes);
	free(w->names);
	ht_buf_fini(&w->snapshot);
	ht_buf_fini(&w->list);
	ht_buf_fini(&w->current);
	free(w);
}

struct ht_epoch
ht_world_epoch(const struct ht_world *w)
{
	struct ht_epoch epoch = {
	    .annex = ht_key_pub(w->annex), .tracker = w->tracker};

	(void)snprintf(epoch.name, sizeof(epoch.name), "gx.demo/e1");
	return epoch;
}
