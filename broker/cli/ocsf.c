/*
 * ocsf.c -- a row as an OCSF API Activity event (docs/audit-formats.md), for
 * the tools that others already watch their systems with.
 *
 * raw_data has the leaf as it stands in the log, and the attestation its hash:
 * whoever gets the event can check it against any checkpoint.
 */
#include <stdlib.h>

#include "broker/cli/tool.h"
#include "broker/core.h"
#include "lib/base/clock.h"
#include "lib/base/version.h"
#include "schemas/status.h"

#define OCSF_VERSION "1.9.0-dev" /* the first with record_integrity */
#define CATEGORY_UID 6           /* Application Activity */
#define CLASS_UID    6003        /* API Activity */

enum { ACT_CREATE = 1, ACT_READ = 2, ACT_OTHER = 99 };
enum { SUCCESS = 1, FAILURE = 2 };
enum { INFORMATIONAL = 1, LOW = 2, MEDIUM = 3, CRITICAL = 5 };
enum { ALGORITHM_OTHER = 99 };

static unsigned
activity(const struct ht_about *a)
{
	switch (a->operation) {
	case HT_OP_QUERY:
	case HT_OP_VERIFY:
	case HT_OP_SUBSCRIBE:
		return ACT_READ;
	case HT_OP_PUSH:
	case HT_OP_TRANSFER:
		return ACT_CREATE;
	default:
		return ACT_OTHER;
	}
}

static bool
failed(const struct ht_entry *e, const struct ht_about *a)
{
	return e->status != 0 || ht_entry_refused(e, a) ||
	       e->type == HT_ENTRY_EXPIRED || e->type == HT_ENTRY_LATE ||
	       (e->type == HT_ENTRY_RESPONSE &&
	           a->header.status == HT_ANSWER_FAILED);
}

/* Who somebody claims to be (2xx) is worth more than a refused question. */
static unsigned
severity(const struct ht_entry *e, const struct ht_about *a)
{
	if (e->type == HT_ENTRY_ROLLBACK_SEEN)
		return CRITICAL;
	if (e->status >= 200 && e->status < 300)
		return MEDIUM;
	return failed(e, a) ? LOW : INFORMATIONAL;
}

/* A new object inside @in; NULL when out of memory: then it is left away. */
static json_t *
inside(json_t *in, const char *name)
{
	json_t *object = json_object();

	return json_object_set_new(in, name, object) == 0 ? object : NULL;
}

static void
set_cstr(json_t *object, const char *name, const char *text)
{
	ht_json_set_text(object, name, ht_slice_str(text));
}

static void
set_metadata(json_t *object, const struct ht_row *row, const struct ht_about *a,
    const char *origin, const struct ht_hash *leaf)
{
	json_t *metadata = inside(object, "metadata"), *product;

	set_cstr(metadata, "version", OCSF_VERSION);
	product = inside(metadata, "product");
	set_cstr(product, "name", "Hutong");
	set_cstr(product, "vendor_name", "Hutong");
	set_cstr(product, "version", HT_VERSION);
	(void)json_object_set_new(
	    metadata, "profiles", json_pack("[s]", "record_integrity"));
	ht_json_set_hex(metadata, "uid", leaf->at, HT_HASH_SIZE);
	ht_json_set_uint(metadata, "sequence", row->seq);
	ht_json_set_uint(metadata, "logged_time", row->entry.time_us / 1000);
	set_cstr(metadata, "log_name", origin);
	set_cstr(metadata, "event_code", ht_entry_type_text(row->entry.type));
	if (a->has_exchange)
		ht_json_set_hex(
		    metadata, "correlation_uid", a->exchange.at, HT_ID_SIZE);
}

/* An AUDIT_QUERY names its auditor first; empty: nobody's it was. */
static void
set_auditor(json_t *actor, const struct ht_entry *e)
{
	struct ht_unpack u;
	struct ht_slice key, name;

	if (e->type != HT_ENTRY_AUDIT_QUERY ||
	    ht_pack_check(e->payload, NULL, NULL) != HT_OK)
		return;
	u = ht_unpack(e->payload);
	(void)ht_unpack_map(&u, 16);
	key = ht_unpack_str(&u, 16);
	name = ht_unpack_str(&u, HT_NAME_MAX);
	if (u.err == HT_OK && ht_slice_is(key, "auditor") && name.len > 0)
		ht_json_set_text(inside(actor, "user"), "name", name);
}

/* Names of members are no addresses, but nothing else is known of them. */
static void
set_ends(json_t *object, const struct ht_entry *e, const struct ht_about *a)
{
	json_t *actor = inside(object, "actor");
	json_t *from = inside(object, "src_endpoint");
	struct ht_slice name = a->sender;

	if (name.len == 0)
		name = ht_slice_str("hutong-broker");
	ht_json_set_text(actor, "app_name", name);
	set_auditor(actor, e);
	ht_json_set_text(from, "name", name);
	if (a->has_header) {
		ht_json_set_text(actor, "app_uid", a->header.node);
		ht_json_set_text(from, "uid", a->header.node);
	} else if (e->cites == 0) {
		ht_json_set_text(from, "uid", e->node);
	}
	if (a->recipient.len > 0)
		ht_json_set_text(
		    inside(object, "dst_endpoint"), "name", a->recipient);
}

static void
set_api(json_t *object, const struct ht_entry *e, const struct ht_about *a)
{
	json_t *api = inside(object, "api"), *response, *service;

	set_cstr(api, "operation",
	    a->operation != 0 ? ht_operation_text(a->operation)
	                      : ht_entry_type_text(e->type));
	if (a->has_header)
		ht_json_set_hex(inside(api, "request"), "uid",
		    a->header.record.at, HT_ID_SIZE);
	response = inside(api, "response");
	ht_json_set_uint(response, "code", e->status);
	if (e->status != 0) {
		set_cstr(response, "error", ht_status_name(e->status));
		set_cstr(response, "error_message", ht_status_text(e->status));
	}
	if (a->item.len == 0)
		return;
	service = inside(api, "service");
	ht_json_set_text(service, "name", a->item);
	if (a->has_header)
		(void)json_object_set_new(service, "version",
		    json_sprintf("%u", (unsigned)a->header.item_version));
}

/* What OCSF has no place for. */
static void
set_unmapped(json_t *object, const struct ht_entry *e, const struct ht_about *a)
{
	json_t *rest = inside(object, "unmapped"), *value = NULL;

	set_cstr(rest, "type", ht_entry_type_text(e->type));
	ht_json_set_text(rest, "purpose", a->purpose);
	ht_json_set_hex(rest, "snapshot", e->snapshot.at, HT_HASH_SIZE);
	if (a->has_header) {
		ht_json_set_text(rest, "basis", a->header.basis);
		ht_json_set_text(rest, "grant", a->header.grant);
		if (a->header.released.len > 0)
			ht_json_set_hex(rest, "released", a->header.released.at,
			    a->header.released.len);
	} else if (ht_pack_check(e->payload, NULL, NULL) == HT_OK &&
	           ht_pack_to_json(e->payload, &value) == HT_OK) {
		(void)json_object_set_new(rest, "payload", value);
	}
}

static void
set_attestation(json_t *object, uint64_t seq, const char *origin,
    const struct ht_hash *leaf)
{
	json_t *attestation = inside(object, "attestation"), *print;

	(void)json_object_set_new(attestation, "uid",
	    json_sprintf("%s#%llu", origin, (unsigned long long)seq));
	set_cstr(attestation, "chain_uid", origin);
	set_cstr(attestation, "authority_uid", origin);
	print = inside(attestation, "fingerprint");
	ht_json_set_uint(print, "algorithm_id", ALGORITHM_OTHER);
	set_cstr(print, "algorithm", "SHA-256 of 0x00 and raw_data (RFC 6962)");
	ht_json_set_hex(print, "value", leaf->at, HT_HASH_SIZE);
}

static enum ht_err
set_raw(json_t *object, struct ht_slice leaf)
{
	char text[HT_B64_SIZE(HT_LEAF_MAX)];

	if (leaf.len > HT_LEAF_MAX)
		return HT_ETOOBIG;
	ht_b64(text, leaf.at, leaf.len);
	set_cstr(object, "raw_data", text);
	return HT_OK;
}

enum ht_err
ht_audit_ocsf(const struct ht_row *row, const struct ht_about *a,
    const char *origin, json_t *object)
{
	const struct ht_entry *e = &row->entry;
	unsigned act = activity(a);

	ht_json_set_uint(object, "class_uid", CLASS_UID);
	ht_json_set_uint(object, "category_uid", CATEGORY_UID);
	ht_json_set_uint(object, "activity_id", act);
	if (act == ACT_OTHER)
		set_cstr(object, "activity_name", ht_entry_type_text(e->type));
	ht_json_set_uint(object, "type_uid", CLASS_UID * 100 + act);
	ht_json_set_uint(object, "severity_id", severity(e, a));
	ht_json_set_uint(object, "time", e->time_us / 1000);
	ht_json_set_uint(object, "status_id", failed(e, a) ? FAILURE : SUCCESS);
	if (e->status != 0) {
		set_cstr(object, "status_code", ht_status_name(e->status));
		set_cstr(object, "status_detail", ht_status_text(e->status));
	} else {
		set_cstr(object, "status_code", ht_audit_status(e, a));
	}
	set_metadata(object, row, a, origin, &row->hash);
	set_ends(object, e, a);
	set_api(object, e, a);
	set_unmapped(object, e, a);
	set_attestation(object, row->seq, origin, &row->hash);
	return set_raw(object, row->leaf);
}
