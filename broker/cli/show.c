/*
 * show.c -- hutong-audit show: the whole life of one exchange, every check a
 * line.
 */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "broker/check/verify.h"
#include "broker/cli/tool.h"
#include "broker/log/bundles.h"
#include "lib/base/clock.h"
#include "lib/base/text.h"
#include "schemas/status.h"

struct show {
	const struct ht_audit_opts *opts;
	const struct ht_audit_faith *faith;
	struct ht_audit_result *result;
	struct ht_about about;
	struct ht_bundle bundle;
	bool has_request;
	uint64_t request_seq;
	struct ht_hash request_hash; /* of its header */
	struct ht_audit_tally tally;
};

/* ---- lines ---- */

static void line(const char *name, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

static void
line(const char *name, const char *fmt, ...)
{
	HT_AUTO(ht_buf_fini) struct ht_buf safe = HT_BUF(16 * 1024);
	char text[2048];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	ht_text_safe(&safe, ht_slice_str(text));
	printf("  %-10s %s\n", name,
	    ht_buf_text(&safe) != NULL ? ht_buf_text(&safe) : "");
}

static void
verdict(struct show *s, bool good, const char *what)
{
	if (good)
		s->tally.passed++;
	else
		s->tally.failed++;
	line(good ? "ok" : "FAIL", "%s", what);
}

static void
skip(struct show *s, const char *what)
{
	s->tally.skipped++;
	line("unchecked", "%s", what);
}

#define TEXT(slice) (int)(slice).len, (const char *)(slice).at

/* ---- what an entry says ---- */

static void
show_record(const struct ht_header *h)
{
	char id[2 * HT_ID_SIZE + 1], created[HT_TIME_SIZE],
	    expires[HT_TIME_SIZE];

	ht_hex(id, h->record.at, HT_ID_SIZE);
	ht_time_text(created, h->created_ms * 1000);
	ht_time_text(expires, h->expires_ms * 1000);
	line("record", "%s, %s of %.*s (node %.*s) to %.*s", id,
	    ht_kind_text(h->kind), TEXT(h->sender), TEXT(h->node),
	    TEXT(h->recipient));
	line("item", "%.*s version %u, operation %s", TEXT(h->item),
	    h->item_version, ht_operation_text(h->operation));
	line("purpose", "%.*s, legal basis %.*s, grant %.*s", TEXT(h->purpose),
	    TEXT(h->basis), TEXT(h->grant));
	line("life", "from %s to %s; sealed body of %u bytes", created, expires,
	    h->body_len);
}

/* Names where the catalog is at hand, else numbers of fields. */
static void
show_released(const struct show *s, const struct ht_header *h)
{
	HT_AUTO(ht_buf_fini) struct ht_buf text = HT_BUF(16 * 1024);
	const struct ht_item *item =
	    s->faith->trust == NULL
	        ? NULL
	        : ht_trust_item(s->faith->trust, h->item, h->item_version);
	size_t fields =
	    item == NULL ? h->released.len * 8 : ht_schema_fields(item->record);

	if (h->kind != HT_KIND_RESPONSE)
		return;
	line("answer", "%s", ht_answer_text(h->status));
	for (size_t i = 0; i < fields; i++) {
		if (!ht_released_get(h->released, i))
			continue;
		ht_buf_str(&text, text.len > 0 ? ", " : "");
		if (item != NULL)
			ht_buf_str(&text, ht_schema_field(item->record, i));
		else
			ht_buf_fmt(&text, "field %zu", i);
	}
	line("released", "%s", text.len > 0 ? ht_buf_text(&text) : "no field");
}

static void
show_map(const struct ht_entry *e)
{
	HT_AUTO(ht_json_free) json_t *value = NULL;
	HT_AUTO(ht_buf_fini) struct ht_buf text = HT_BUF(8 * HT_LEAF_MAX);

	if (ht_pack_check(e->payload, NULL, NULL) == HT_OK &&
	    ht_pack_to_json(e->payload, &value) == HT_OK &&
	    ht_json_print(value, &text) == HT_OK)
		line("says", "%s", ht_buf_text(&text));
}

static void
show_entry(struct show *s, const struct ht_row *row)
{
	const struct ht_entry *e = &row->entry;
	char time[HT_TIME_SIZE];

	ht_time_text(time, e->time_us);
	printf("entry %llu  %s  %s\n", (unsigned long long)row->seq, time,
	    ht_entry_type_text(e->type));
	if (e->member.len > 0)
		line("connected", "%.*s, node %.*s", TEXT(e->member),
		    TEXT(e->node));
	if (e->status != 0) {
		line("status", "%s (%u): %s", ht_status_name(e->status),
		    e->status, ht_status_text(e->status));
		line("remedy", "%s must act: %s",
		    ht_who_text(ht_status_who(e->status)),
		    ht_status_remedy(e->status));
	}
	if (!s->about.has_header) {
		show_map(e);
		return;
	}
	show_record(&s->about.header);
	show_released(s, &s->about.header);
}

/* ---- what can be checked of it ---- */

/*
 * By the snapshot in force at the entry, if that is the one at hand.  By a
 * later one a key that is over may have been good then, so only a yes counts.
 */
static void
check_period(
    struct show *s, const struct ht_keyinfo *key, const struct ht_entry *e)
{
	struct ht_hash at_hand = ht_trust_hash(s->faith->trust);
	bool in_force = ht_hash_eq(&at_hand, &e->snapshot);
	bool good = ht_keyinfo_state(key, e->time_us / 1000) == HT_KEY_OK;

	if (in_force)
		verdict(s, good,
		    "the key was valid then, by the snapshot in force");
	else if (good)
		verdict(s, true,
		    "the key was valid then, by another snapshot (--authority "
		    "has not the one in force then)");
	else
		skip(s, "the key is not valid at that time by the snapshot at "
		        "hand; take the one in force then");
}

static void
check_key(struct show *s, const struct ht_entry *e)
{
	const struct ht_keyinfo *key =
	    ht_trust_bundle_key(s->faith->trust, &s->bundle);
	char id[2 * HT_KEYID_SIZE + 1], text[200];
	enum ht_err err;

	ht_hex(id, s->bundle.key.at, HT_KEYID_SIZE);
	if (key == NULL) {
		(void)snprintf(text, sizeof(text),
		    "signature: key %s is not in the directory of "
		    "--authority; take the one that was in force then",
		    id);
		skip(s, text);
		/* A refusal may be just because of the key. */
		if (e->status == 0)
			s->tally.strangers++;
		return;
	}
	(void)snprintf(text, sizeof(text),
	    "signed by key %s of that node, one of %u records in its bundle",
	    id, s->bundle.count);
	err = ht_bundle_verify(&s->bundle, &key->pub);
	if (err == HT_ENOMEM)
		skip(s, "signature: out of memory");
	else
		verdict(s, err == HT_OK, text);
	if (e->status == 0)
		check_period(s, key, e);
}

static void
check_signature(struct show *s, const struct ht_row *row)
{
	if (row->bundle.len == 0) {
		verdict(s, false, "the bundle's signature is not there");
		return;
	}
	if (ht_evidence_unpack(row->bundle, &s->bundle) != HT_OK ||
	    s->bundle.n_records != 1 ||
	    s->bundle.records[0].index != row->entry.bundle_index ||
	    s->bundle.count != row->entry.bundle_count) {
		verdict(s, false, "the bundle's evidence is not well formed");
		return;
	}
	s->bundle.records[0].hash = ht_header_hash(row->entry.payload);
	if (ht_evidence_root(&s->bundle) != HT_OK) {
		verdict(s, false, "the bundle's left-out hashes do not fit");
		return;
	}
	if (s->faith->trust == NULL)
		skip(s, "signature: give --authority for the directory's keys");
	else
		check_key(s, &row->entry);
}

static void
check_sender(struct show *s, const struct ht_row *row)
{
	const struct ht_entry *e = &row->entry;
	const struct ht_header *h = &s->about.header;

	if (e->type == HT_ENTRY_REJECT)
		return;
	verdict(s,
	    ht_slice_eq(h->sender, e->member) && ht_slice_eq(h->node, e->node),
	    "its sender is the node that was connected");
}

static void
check_answer(struct show *s, const struct ht_row *row)
{
	const struct ht_header *h = &s->about.header;
	char text[100];

	if (row->entry.type == HT_ENTRY_REQUEST) {
		s->has_request = true;
		s->request_seq = row->seq;
		s->request_hash = ht_header_hash(row->entry.payload);
		return;
	}
	if (row->entry.type != HT_ENTRY_RESPONSE &&
	    row->entry.type != HT_ENTRY_LATE)
		return;
	if (!s->has_request) {
		skip(s, "what it answers: the request is not in this answer");
		return;
	}
	(void)snprintf(text, sizeof(text),
	    "it cites the request of entry %llu by its hash",
	    (unsigned long long)s->request_seq);
	verdict(s,
	    row->entry.cites == s->request_seq + 1 && h->has_reply_to &&
	        ht_hash_eq(&h->reply_to, &s->request_hash),
	    text);
}

static void
show_erased(struct show *s, const struct ht_row *row)
{
	char text[400];

	/* Both paths were checked with the row. */
	(void)snprintf(text, sizeof(text),
	    "its tag: erased under %.*s, entry %llu, whose list has it",
	    TEXT(row->erasure.basis), (unsigned long long)row->erased_by);
	verdict(s, true, text);
}

static void
check_tag(struct show *s, const struct ht_row *row)
{
	const struct ht_header *h = &s->about.header;
	struct ht_hash hash;
	struct ht_tag tag;

	if (!h->has_tag)
		return;
	if (row->erased) {
		show_erased(s, row);
		return;
	}
	if (row->tag.len == 0) {
		if (row->entry.tag_len > 0)
			skip(s, "its tag: not here, or erased by an entry "
			        "that is not");
		return;
	}
	hash = ht_tag_hash(row->tag);
	verdict(s, ht_hash_eq(&hash, &h->tag), "its tag is the header's");
	if (ht_tag_decode(row->tag, &tag, NULL) != HT_OK)
		return;
	line("subjects",
	    "%llu, as pseudonyms of epoch %.*s; annex sealed to "
	    "the auditors",
	    tag.bulk_count > 0 ? (unsigned long long)tag.bulk_count
	                       : (unsigned long long)tag.n_subjects,
	    TEXT(tag.epoch));
	for (unsigned i = 0; i < tag.n_subjects; i++) {
		char hex[2 * HT_PSEUDONYM_SIZE + 1];

		ht_hex(hex, tag.subjects[i].at, HT_PSEUDONYM_SIZE);
		line("", "%s", hex);
	}
}

static enum ht_err
show_row(void *arg, const struct ht_row *row)
{
	struct show *s = arg;
	enum ht_err err = ht_row_about(row, &s->about);

	if (err != HT_OK)
		return err;
	show_entry(s, row);
	/* It came through ht_rows_check(). */
	verdict(s, true, "in the tree: its inclusion is proven");
	if (s->about.has_header) {
		check_signature(s, row);
		check_sender(s, row);
		check_answer(s, row);
		check_tag(s, row);
	}
	putchar('\n');
	return HT_OK;
}

enum ht_err
ht_audit_show_row(const struct ht_audit_faith *faith, const struct ht_row *row,
    struct ht_audit_tally *tally)
{
	HT_AUTO(ht_mem_free) struct show *s = calloc(1, sizeof(*s));
	enum ht_err err;

	if (s == NULL)
		return HT_ENOMEM;
	s->faith = faith;
	err = show_row(s, row);
	tally->passed += s->tally.passed;
	tally->failed += s->tally.failed;
	tally->skipped += s->tally.skipped;
	tally->strangers += s->tally.strangers;
	return err;
}

int
ht_audit_tally_end(const struct ht_audit_tally *tally)
{
	printf("checks     %u hold, %u fail, %u could not be made\n",
	    tally->passed, tally->failed, tally->skipped);
	if (fflush(stdout) == EOF)
		return HT_AUDIT_GONE;
	if (tally->failed > 0)
		return HT_AUDIT_BAD;
	if (tally->strangers == 0)
		return HT_AUDIT_OK;
	ht_audit_say("who signed %u of these records is not shown: their keys "
	             "are not in the directory of --authority; if it is not "
	             "that of their time, give that one, else do not rely on "
	             "them",
	    tally->strangers);
	return HT_AUDIT_PART;
}

/* ---- the verb ---- */

static int
show_rows(struct show *s)
{
	uint64_t bad = 0;
	enum ht_err err = ht_audit_each(s->result, show_row, s, &bad);

	if (err != HT_OK)
		return ht_audit_unproven(err, bad);
	if (s->opts->format == HT_AUDIT_TABLE)
		ht_audit_footer(s->opts, s->result, stdout);
	return ht_audit_tally_end(&s->tally);
}

/* Rows for programs; then what people read goes where the footer went. */
static int
print_first(struct show *s)
{
	int code = HT_AUDIT_OK;

	if (s->opts->format != HT_AUDIT_TABLE)
		code = ht_audit_print(s->opts, s->result);
	if (code == HT_AUDIT_OK && s->opts->format != HT_AUDIT_TABLE &&
	    dup2(STDERR_FILENO, STDOUT_FILENO) == -1)
		code = HT_AUDIT_GONE;
	return code;
}

int
ht_audit_show(const struct ht_audit_opts *opts)
{
	HT_AUTO(ht_mem_free) struct show *s = calloc(1, sizeof(*s));
	struct ht_audit_faith faith;
	struct ht_audit_result result;
	int code = ht_audit_faith(opts, &faith);

	if (s == NULL)
		code = HT_AUDIT_GONE;
	if (code == HT_AUDIT_OK)
		code = ht_audit_fetch(opts, &faith, &result);
	if (code == HT_AUDIT_OK && result.answer.matched == 0) {
		ht_audit_say("there is no such entry or exchange among the "
		             "%llu entries of the newest checkpoint",
		    (unsigned long long)result.answer.size);
		ht_audit_result_fini(&result);
		code = HT_AUDIT_NONE;
	} else if (code == HT_AUDIT_OK) {
		s->opts = opts;
		s->faith = &faith;
		s->result = &result;
		code = print_first(s);
		if (code == HT_AUDIT_OK)
			code = show_rows(s);
		ht_audit_result_fini(&result);
	}
	ht_audit_faith_fini(&faith);
	return code;
}
