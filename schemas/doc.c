#include "schemas/doc.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/panic.h"
#include "lib/base/text.h"
#include "lib/conf/conf.h"

/* ---- kinds ---- */

static const char *const kind_text[HT_DOC_KINDS] = {
#define KIND_TEXT(name, text) [name] = (text),
    HT_DOC_MAP(KIND_TEXT)
#undef KIND_TEXT
};

static void (*const readers[HT_DOC_KINDS])(struct ht_read *) = {
    [HT_DOC_ROOT] = ht_read_root,
    [HT_DOC_MEMBER] = ht_read_member,
    [HT_DOC_ITEM] = ht_read_item,
    [HT_DOC_GRANT] = ht_read_grant,
    [HT_DOC_EPOCH] = ht_read_epoch,
    [HT_DOC_SNAPSHOT] = ht_read_snapshot,
    [HT_DOC_CURRENT] = ht_read_current,
    [HT_DOC_ERASE] = ht_read_erase,
    [HT_DOC_APPLICATION] = ht_read_application,
    [HT_DOC_ANSWER] = ht_read_answer,
    [HT_DOC_EXTENSION] = ht_read_extension,
    [HT_DOC_DISCLOSE] = ht_read_disclose,
    [HT_DOC_REMOVE] = ht_read_remove,
};

const char *
ht_doc_kind_text(enum ht_doc_kind kind)
{
	HT_ASSERT((unsigned)kind < HT_DOC_KINDS);
	return kind_text[kind];
}

enum ht_err
ht_doc_kind_parse(struct ht_slice text, enum ht_doc_kind *ret)
{
	for (unsigned i = 0; i < HT_DOC_KINDS; i++) {
		if (!ht_slice_is(text, kind_text[i]))
			continue;
		*ret = (enum ht_doc_kind)i;
		return HT_OK;
	}
	return HT_ENOTFOUND;
}

/* ---- from bytes to text ---- */

enum ht_err
ht_doc_text(struct ht_slice bytes, struct ht_slice *ret_text, bool *ret_signed)
{
	static const char mark[] = "\n\n\xe2\x80\x94 "; /* a signature line */
	struct ht_note note;
	enum ht_err err = ht_note_parse(bytes, &note);

	if (err == HT_OK) {
		*ret_text = note.text;
		if (ret_signed != NULL)
			*ret_signed = true;
		return HT_OK;
	}
	/* A broken note is no draft: its signatures would be lost silently. */
	if (bytes.len == 0 || bytes.at[bytes.len - 1] != '\n' ||
	    memmem(bytes.at, bytes.len, mark, sizeof(mark) - 1) != NULL)
		return err;
	*ret_text = bytes;
	if (ret_signed != NULL)
		*ret_signed = false;
	return HT_OK;
}

enum ht_err
ht_doc_peek(struct ht_slice text, enum ht_doc_kind *ret)
{
	static const char label[] = "hutong: ", version[] = "/v1";
	const uint8_t *end =
	    text.len > 0 ? memchr(text.at, '\n', text.len) : NULL;
	size_t len = end != NULL ? (size_t)(end - text.at) : 0;
	const size_t around = sizeof(label) - 1 + sizeof(version) - 1;

	if (len <= around || memcmp(text.at, label, sizeof(label) - 1) != 0 ||
	    memcmp(end - (sizeof(version) - 1), version, sizeof(version) - 1) !=
	        0)
		return HT_EMALFORMED;
	return ht_doc_kind_parse(
	    HT_SLICE(text.at + sizeof(label) - 1, len - around), ret);
}

/* ---- memory that lives as long as the document ---- */

struct ht_doc_mem {
	struct ht_doc_mem *next;
	max_align_t at[];
};

void *
ht_read_alloc(struct ht_read *r, size_t n, size_t size)
{
	struct ht_doc_mem *mem;
	size_t bytes;

	if (r->no_memory || __builtin_mul_overflow(n, size, &bytes) ||
	    __builtin_add_overflow(bytes, sizeof(*mem), &bytes)) {
		r->no_memory = true;
		return NULL;
	}
	mem = calloc(1, bytes);
	if (mem == NULL) {
		r->no_memory = true;
		return NULL;
	}
	mem->next = r->doc->mem;
	r->doc->mem = mem;
	return mem->at;
}

char *
ht_read_dup(struct ht_read *r, const char *text)
{
	size_t size = strlen(text) + 1;
	char *copy = ht_read_alloc(r, size, 1);

	if (copy != NULL)
		memcpy(copy, text, size);
	return copy;
}

struct ht_doc *
ht_doc_ref(struct ht_doc *doc)
{
	unsigned before = atomic_fetch_add(&doc->refs, 1);

	HT_ASSERT(before > 0);
	return doc;
}

static void
free_item(struct ht_item *item)
{
	if (item == NULL)
		return;
	ht_schema_free(&item->request);
	ht_schema_free(&item->record);
}

void
ht_doc_unref(struct ht_doc **doc_p)
{
	struct ht_doc *doc = *doc_p;

	if (doc == NULL)
		return;
	*doc_p = NULL;
	if (atomic_fetch_sub(&doc->refs, 1) > 1)
		return;
	if (doc->kind == HT_DOC_ITEM)
		free_item(doc->item);
	while (doc->mem != NULL) {
		struct ht_doc_mem *mem = doc->mem;

		doc->mem = mem->next;
		free(mem);
	}
	free(doc);
}

/* ---- reading ---- */

static const size_t sizes[HT_DOC_KINDS] = {
    [HT_DOC_ROOT] = sizeof(struct ht_root),
    [HT_DOC_MEMBER] = sizeof(struct ht_member),
    [HT_DOC_ITEM] = sizeof(struct ht_item),
    [HT_DOC_GRANT] = sizeof(struct ht_grant_doc),
    [HT_DOC_EPOCH] = sizeof(struct ht_epoch_entry),
    [HT_DOC_SNAPSHOT] = sizeof(struct ht_snapshot_doc),
    [HT_DOC_CURRENT] = sizeof(struct ht_current_doc),
    [HT_DOC_ERASE] = sizeof(struct ht_erase_doc),
    [HT_DOC_APPLICATION] = sizeof(struct ht_application_doc),
    [HT_DOC_ANSWER] = sizeof(struct ht_answer_doc),
    [HT_DOC_EXTENSION] = sizeof(struct ht_answer_doc),
    [HT_DOC_DISCLOSE] = sizeof(struct ht_erase_doc),
    [HT_DOC_REMOVE] = sizeof(struct ht_erase_doc),
};

/* Copy what the document is made of, so that it stands alone. */
static void
keep_bytes(struct ht_read *r, struct ht_slice bytes, struct ht_slice text,
    const char *where)
{
	struct ht_doc *doc = r->doc;
	uint8_t *copy = ht_read_alloc(r, bytes.len + 1, 1);

	doc->where = ht_read_dup(r, where);
	/* Any member of the union: all are pointers to what they hold. */
	doc->root = ht_read_alloc(r, 1, sizes[doc->kind]);
	if (r->no_memory)
		return;
	memcpy(copy, bytes.at, bytes.len);
	doc->bytes = HT_SLICE(copy, bytes.len);
	doc->text = HT_SLICE(copy, text.len);
	doc->hash = ht_sha256(doc->text);
}

static enum ht_err
read_all(struct ht_read *r, const char *where)
{
	HT_AUTO(ht_conf_free) struct ht_conf *conf = NULL;
	enum ht_err err = ht_conf_parse(r->doc->text, where, r->report, &conf);

	if (err != HT_OK)
		return err;
	r->top = ht_yaml_as_map(ht_conf_root(conf));
	(void)ht_yaml_get(r->top, "hutong"); /* checked by ht_doc_peek() */
	readers[r->doc->kind](r);
	if (r->no_memory)
		return HT_ENOMEM;
	return ht_conf_done(conf);
}

/*
 * What people sign must read as it is: no character that is not seen, or that
 * turns the text around.
 */
static bool
reads_as_it_is(
    struct ht_slice text, const char *where, struct ht_report *report)
{
	uint32_t point;
	long at = ht_text_trick(text, &point);
	size_t line = 1, start = 0;
	char place[HT_WHERE_SIZE];

	if (at < 0)
		return true;
	for (size_t i = 0; i < (size_t)at; i++)
		if (text.at[i] == '\n') {
			line++;
			start = i + 1;
		}
	(void)snprintf(place, sizeof(place), "%s:%zu:%zu", where, line,
	    ht_utf8_count(HT_SLICE(text.at + start, (size_t)at - start)) + 1);
	if (point != 0 || text.at[at] == 0)
		ht_report_add(report, place,
		    "the character U+%04X is not seen, or turns text around; "
		    "remove it",
		    point);
	else
		ht_report_add(
		    report, place, "this is no UTF-8; save the file in UTF-8");
	return false;
}

static enum ht_err
start(struct ht_slice bytes, const char *where, struct ht_report *report,
    struct ht_slice *ret_text, enum ht_doc_kind *ret_kind)
{
	enum ht_err err;

	if (bytes.len > HT_DOC_MAX) {
		ht_report_add(report, where,
		    "larger than the %d bytes that a document may have",
		    HT_DOC_MAX);
		return HT_ETOOBIG;
	}
	err = ht_doc_text(bytes, ret_text, NULL);
	if (err != HT_OK && bytes.len == 0) {
		ht_report_add(report, where, "not a note: the file is empty");
		return err;
	}
	/* A wrong encoding is no note either: say which, and where. */
	if (err != HT_OK && !reads_as_it_is(bytes, where, report))
		return HT_EMALFORMED;
	if (memmem(bytes.at, bytes.len, "\r\n", 2) != NULL) {
		ht_report_add(report, where,
		    "its lines end in CR LF, as Windows writes them; save it "
		    "with LF alone (UNIX line ends)");
		return HT_EMALFORMED;
	}
	if (err != HT_OK && bytes.at[bytes.len - 1] != '\n') {
		ht_report_add(report, where,
		    "not a note: the last line has no end; end it with a new "
		    "line, or get the file again if it was cut off");
		return err;
	}
	if (err != HT_OK) {
		ht_report_add(report, where,
		    "not a note: a text that ends in a new line, an empty "
		    "line, then signature lines; sign drafts with `hutong "
		    "catalog sign`");
		return err;
	}
	if (!reads_as_it_is(*ret_text, where, report))
		return HT_EMALFORMED;
	err = ht_doc_peek(*ret_text, ret_kind);
	if (err != HT_OK)
		ht_report_add(report, where,
		    "the first line must be \"hutong: <kind>/v1\", with kind "
		    "root, member, item, grant, epoch, snapshot, current, "
		    "erase, application, answer, extension, disclose or "
		    "remove");
	return err == HT_OK ? HT_OK : HT_EMALFORMED;
}

enum ht_err
ht_doc_parse(struct ht_slice bytes, const char *where, struct ht_report *report,
    struct ht_doc **ret_doc)
{
	HT_AUTO(ht_doc_unref) struct ht_doc *doc = NULL;
	struct ht_read r = {.report = report};
	struct ht_slice text;
	enum ht_doc_kind kind;
	enum ht_err err = start(bytes, where, report, &text, &kind);

	if (err != HT_OK)
		return err;
	doc = calloc(1, sizeof(*doc));
	if (doc == NULL)
		return HT_ENOMEM;
	atomic_init(&doc->refs, 1);
	doc->kind = kind;
	r.doc = doc;
	keep_bytes(&r, bytes, text, where);
	if (r.no_memory)
		return HT_ENOMEM;
	err = read_all(&r, where);
	if (err == HT_OK)
		*ret_doc = HT_TAKE(doc);
	return err;
}

/* ---- what the kinds share ---- */

void
ht_read_name(struct ht_yaml *value, char out[static HT_NAME_MAX + 1])
{
	const char *name;

	if (ht_yaml_as_name(value, &name))
		(void)snprintf(out, HT_NAME_MAX + 1, "%s", name);
}

void
ht_read_part(struct ht_yaml *value, char out[static HT_NODE_MAX + 1])
{
	const char *part;

	if (ht_yaml_as_part(value, &part))
		(void)snprintf(out, HT_NODE_MAX + 1, "%s", part);
}

void
ht_read_ms(struct ht_yaml *value, uint64_t *ret)
{
	uint64_t us;

	if (ht_yaml_as_time(value, &us))
		*ret = us / 1000;
}

void
ht_read_hash(struct ht_yaml *value, struct ht_hash *ret)
{
	const char *text;

	if (!ht_yaml_as_str(value, 2 * HT_HASH_SIZE, &text))
		return;
	if (ht_unhex(text, ret->at, sizeof(ret->at)) != HT_OK)
		ht_yaml_complain(
		    value, "a SHA-256 in hex is expected: 64 digits");
}

/* Base64 of exactly @len bytes. */
static bool
read_b64(struct ht_yaml *value, void *out, size_t len)
{
	const char *text;
	size_t got;

	if (!ht_yaml_as_str(value, HT_B64_SIZE(len), &text))
		return false;
	if (ht_unb64(ht_slice_str(text), out, len, &got) == HT_OK && got == len)
		return true;
	ht_yaml_complain(
	    value, "base64 of %zu bytes is expected, padded with =", len);
	return false;
}

void
ht_read_pub(struct ht_yaml *value, bool sign, struct ht_pub *ret)
{
	struct ht_pub pub;

	if (!read_b64(value, pub.at, sizeof(pub.at)))
		return;
	if (sign && ht_pub_check_sign(&pub) != HT_OK)
		ht_yaml_complain(value,
		    "no safe Ed25519 key; take the line that `hutong key "
		    "show` prints");
	else
		*ret = pub;
}

static void
read_vkey_as(struct ht_yaml *value, enum ht_vkey_type type, struct ht_vkey *ret)
{
	const char *text;

	if (!ht_yaml_as_str(value, HT_VKEY_MAX, &text))
		return;
	if (ht_vkey_parse_as(ht_slice_str(text), type, ret) != HT_OK)
		ht_yaml_complain(value,
		    "%s key is expected, name+hash+base64, as `hutong key "
		    "show` prints it",
		    type == HT_VKEY_COSIGN ? "a witness's" : "a verifier");
}

void
ht_read_vkey(struct ht_yaml *value, struct ht_vkey *ret)
{
	read_vkey_as(value, HT_VKEY_NOTE, ret);
}

void
ht_read_witness(struct ht_yaml *value, struct ht_vkey *ret)
{
	read_vkey_as(value, HT_VKEY_COSIGN, ret);
}

#define TITLE_MAX 300

void
ht_read_title(
    struct ht_read *r, struct ht_yaml *value, char **ret_zh, char **ret_en)
{
	const char *zh = NULL, *en = NULL;
	struct ht_yaml *map = ht_yaml_as_map(value);

	if (map == NULL)
		return;
	if (ht_yaml_as_str(ht_yaml_get(map, "zh"), TITLE_MAX, &zh))
		*ret_zh = ht_read_dup(r, zh);
	if (ht_yaml_as_str(ht_yaml_get(map, "en"), TITLE_MAX, &en))
		*ret_en = ht_read_dup(r, en);
	if (zh == NULL && en == NULL)
		ht_yaml_complain(
		    map, "a text in one language at least: zh: or en:");
}

void
ht_read_operations(struct ht_yaml *value, unsigned *ret)
{
	static const struct ht_word words[] = {
	    {"query",     HT_OP_QUERY    },
	    {"verify",    HT_OP_VERIFY   },
	    {"push",      HT_OP_PUSH     },
	    {"subscribe", HT_OP_SUBSCRIBE},
	    {"transfer",  HT_OP_TRANSFER },
	    {NULL,        0              },
	};
	struct ht_yaml *list = ht_yaml_as_list(value);
	int op;

	for (size_t i = 0; i < ht_yaml_count(list); i++) {
		struct ht_yaml *at = ht_yaml_at(list, i);

		if (!ht_yaml_as_word(at, words, &op))
			continue;
		if (*ret & HT_OPS(op))
			ht_yaml_complain(at, "it stands twice; remove one");
		*ret |= HT_OPS(op);
	}
}

#define CODES_MAX 100

void
ht_read_codes(struct ht_read *r, struct ht_yaml *value,
    char (**ret)[HT_PURPOSE_MAX + 1], unsigned *ret_n)
{
	struct ht_yaml *list = ht_yaml_as_list(value);
	char(*codes)[HT_PURPOSE_MAX + 1];
	size_t n = ht_yaml_count(list);

	if (list == NULL)
		return;
	if (n == 0 || n > CODES_MAX) {
		ht_yaml_complain(list, "1 to %d codes are expected", CODES_MAX);
		ht_yaml_take(list);
		return;
	}
	codes = ht_read_alloc(r, n, sizeof(*codes));
	if (codes == NULL)
		return;
	for (size_t i = 0; i < n; i++) {
		struct ht_yaml *at = ht_yaml_at(list, i);

		/* A list of codes, or of maps that have one each. */
		if (ht_yaml_type(at) == HT_YAML_MAP)
			at = ht_yaml_need(at, "code");
		ht_read_part(at, codes[i]);
		for (size_t j = 0; j < i && codes[i][0] != '\0'; j++)
			if (strcmp(codes[i], codes[j]) == 0)
				ht_yaml_complain(at,
				    "the code %s stands twice; remove one",
				    codes[i]);
	}
	*ret = codes;
	*ret_n = (unsigned)n;
}
_Static_assert(HT_PURPOSE_MAX == HT_NODE_MAX, "codes are read as name parts");

void
ht_read_period(struct ht_yaml *map, uint64_t *from_ms, uint64_t *until_ms)
{
	struct ht_yaml *until;

	ht_read_ms(ht_yaml_need(map, "from"), from_ms);
	until = ht_yaml_need(map, "until");
	ht_read_ms(until, until_ms);
	if (*from_ms != 0 && *until_ms != 0 && *until_ms <= *from_ms)
		ht_yaml_complain(until, "it must be later than 'from'");
}

void
ht_read_vkeys(struct ht_yaml *list, const char *prefix, struct ht_vkey *out,
    unsigned *ret_n)
{
	size_t n = ht_yaml_count(ht_yaml_as_list(list));
	size_t prefix_len = strlen(prefix);

	if (n > HT_OFFICERS_MAX) {
		ht_yaml_complain(
		    list, "%d keys at most are expected", HT_OFFICERS_MAX);
		ht_yaml_take(list);
		return;
	}
	for (size_t i = 0; i < n; i++) {
		struct ht_yaml *at = ht_yaml_at(list, i);

		ht_read_vkey(at, &out[i]);
		if (out[i].name[0] == '\0')
			continue;
		if (strncmp(out[i].name, prefix, prefix_len) != 0 ||
		    out[i].name[prefix_len] != '/')
			ht_yaml_complain(at,
			    "the key's name must begin with %s/ here", prefix);
		/* One person must not count as two. */
		for (size_t j = 0; j < i; j++)
			if (strcmp(out[i].name, out[j].name) == 0 ||
			    memcmp(&out[i].pub, &out[j].pub,
			        sizeof(out[i].pub)) == 0)
				ht_yaml_complain(at,
				    "this name or key is in the list already");
	}
	*ret_n = (unsigned)n;
}

bool
ht_in_catalog(const char *name, const char *catalog)
{
	size_t len = strlen(catalog);

	return strncmp(name, catalog, len) == 0 && name[len] == '/';
}
