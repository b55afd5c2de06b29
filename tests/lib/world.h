/*
 * world.h -- a whole small exchange for tests: root, officers, four members
 * with all their keys, two items, grants, an epoch, snapshot and current note;
 * the same from the same seeds every time.
 *
 * Whatever fails in building it ends the test program with a message: it is
 * our own mistake.
 */
#ifndef HT_TESTS_LIB_WORLD_H
#define HT_TESTS_LIB_WORLD_H

#include "schemas/doc.h"
#include "schemas/trust.h"

enum {
	HT_W_REGISTRY, /* scjg.demo/registry: provides gx.demo/SCZTDJ */
	HT_W_STATE,    /* tax.demo/state: consumes it, provides gx.demo/ZXTJ */
	HT_W_LOCAL,    /* tax.demo/local: consumes both */
	HT_W_POLICE,   /* police.demo/residents: was granted nothing */
	HT_W_MEMBERS
};

struct ht_world_node {
	const char *name; /* "main"; NULL where there is no second node */
	struct ht_key *signing;
	struct ht_key *transport;
};

struct ht_world_member {
	const char *name;
	struct ht_key *identity;
	struct ht_key *officer; /* signs as "<name>/officer" */
	struct ht_key *sealing;
	/* Every member has "main"; tax.demo/state has "shell" as well. */
	struct ht_world_node nodes[2];
};

struct ht_world_doc; /* in world.c */

struct ht_world {
	uint64_t now_ms;
	struct ht_key *officers[3]; /* two of them must sign */
	struct ht_key *snapshot_key;
	struct ht_key *current_key;
	struct ht_key *log_key; /* "gx.demo/log" */
	struct ht_key *witness;
	struct ht_key *auditor;
	struct ht_key *broker; /* transport */
	struct ht_key *annex;
	struct ht_key *tracker;
	struct ht_world_member members[HT_W_MEMBERS];

	struct ht_root root;
	struct ht_trust *trust; /* in force */

	/* What the next ht_world_publish() makes; change at will. */
	uint64_t version;
	uint64_t issued_ms;
	uint64_t life_ms;      /* of the current note; 12 hours */
	const char *suspended; /* "gx.demo/1, tax.demo/local", or NULL */
	char address[200];     /* of the broker */

	/* What it made. */
	struct ht_buf snapshot;
	struct ht_buf list;
	struct ht_buf current;
	size_t n_docs;
	struct ht_slice *notes;
	const char **names;
	size_t n_sources;
	struct ht_world_doc *sources;
};

/*
 * Built, published, loaded.  Keys are valid from a day before @now_ms for a
 * year, sealing keys for 60 days, the epoch gx.demo/e1 for 90.
 *
 * Grants: gx.demo/1 lets tax.demo/state query and verify SCZTDJ for
 * tax-registration (basis ZGF-15; fields shxydm, ztmc, jyzt_dm, xzqh);
 * gx.demo/2 the same for tax.demo/local, without jyzt_dm, rows of 9999.. only,
 * 100 a day; gx.demo/3 lets tax.demo/local query all of ZXTJ for planning
 * (basis TJF-20); gx.demo/4 is like 1 but expired, gx.demo/5 like 2 but
 * suspended.
 */
struct ht_world *ht_world_new(uint64_t now_ms);
void ht_world_free(struct ht_world **world_p);

/* ---- its documents ---- */

/* Add or replace a document, by its text; signed when published. */
void ht_world_put(struct ht_world *world, enum ht_doc_kind kind,
    const char *name, const char *text);
void ht_world_drop(
    struct ht_world *world, enum ht_doc_kind kind, const char *name);
const char *ht_world_text(
    const struct ht_world *world, enum ht_doc_kind kind, const char *name);
/* Replace the first @from in its text; it must be there. */
void ht_world_edit(struct ht_world *world, enum ht_doc_kind kind,
    const char *name, const char *from, const char *to);
/* Whose signatures to leave out from now on. */
enum { HT_W_OFFICER = 1, HT_W_OTHER = 2 };
void ht_world_unsign(struct ht_world *world, enum ht_doc_kind kind,
    const char *name, unsigned without);

/* Sign everything anew: list, snapshot @version, current. */
void ht_world_publish(struct ht_world *world);
/* Load what was published last. */
enum ht_err ht_world_load(const struct ht_world *world,
    const struct ht_trust *before, struct ht_report *report,
    struct ht_trust **ret_trust) HT_MUST_USE;
/* A higher version, published, loaded after the one in force. */
void ht_world_renew(struct ht_world *world);
/* Start again with another address of the broker in the root. */
void ht_world_address(struct ht_world *world, const char *address);

/* ---- on disk, for real processes ---- */

/*
 * @dir/authority: the folder of docs/trust.md.  @dir/keys: officer-1.key,
 * officer-2.key, officer-3.key, snapshot.key, current.key, log.key,
 * witness.key, auditor.key, broker.key, annex.key, tracker.key, and for every
 * member <domain>/<name>/identity.key, officer.key, sealing.key and
 * <node>-signing.key, <node>-transport.key.
 */
void ht_world_write(const struct ht_world *world, const char *dir);

/* ---- shortcuts ---- */

/* A key of @what from the seed SHA-256("hutong-test " name). */
struct ht_key *ht_world_key(enum ht_key_for what, const char *name);
/* The epoch in force as a node holds it; the tracker stays the world's. */
struct ht_epoch ht_world_epoch(const struct ht_world *world);

#endif
