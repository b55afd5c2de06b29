/*
 * proof-vectors -- write tests/vectors/leaf, tlog-proof and consistency anew,
 * from fixed keys and times.
 *
 *   proof-vectors DIR      DIR/leaf, DIR/tlog-proof, DIR/consistency must be
 *
 * tests/cli/proof-vectors.t compares what this writes with what is published,
 * and lets Python say of each what its index says.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/audit/query.h"
#include "broker/log/bundles.h"
#include "keys/proof.h"
#include "lib/base/fs.h"
#include "schemas/status.h"
#include "tests/lib/sample.h"

#define LEAVES  14
#define TIME_US UINT64_C(1795482123000000)
#define ORIGIN  "log.example"

static struct ht_buf leaves[LEAVES];
static struct ht_hash hashes[LEAVES];
static struct ht_buf evidence[LEAVES]; /* of those with a header */
static struct ht_key *log_key, *other_key;

static void
must(enum ht_err err, const char *what)
{
	if (err == HT_OK)
		return;
	fprintf(stderr, "proof-vectors: %s: %s\n", what, ht_err_text(err));
	exit(1);
}

/* ---- the log ---- */

static void
add_leaf(unsigned seq, struct ht_entry *e)
{
	e->seq = seq;
	e->time_us = TIME_US + seq * UINT64_C(1000000);
	e->snapshot = ht_sha256(ht_slice_str("snapshot"));
	leaves[seq] = HT_BUF(HT_LEAF_MAX);
	must(ht_entry_encode(e, &leaves[seq]), "leaf");
	hashes[seq] = ht_leaf_hash(ht_buf_slice(&leaves[seq]));
}

static void
add_map(unsigned seq, struct ht_entry e, struct ht_buf *payload)
{
	e.payload = ht_buf_slice(payload);
	add_leaf(seq, &e);
	ht_buf_fini(payload);
}

static void
add_texts(unsigned seq, unsigned type, const char *const *texts, size_t n)
{
	struct ht_buf p = HT_BUF(1000);

	ht_pack_map(&p, (uint32_t)n / 2);
	for (size_t i = 0; i < n; i++)
		ht_pack_cstr(&p, texts[i]);
	add_map(seq, (struct ht_entry){.type = type}, &p);
}

/* A header of the samples, alone in its bundle. */
static void
add_record(
    unsigned seq, const struct ht_header *h, unsigned type, uint64_t cites)
{
	HT_AUTO(ht_key_free) struct ht_key *key = ht_sample_signing();
	static struct ht_bundle b;
	struct ht_buf raw = HT_BUF(HT_HEADER_MAX);
	struct ht_entry e = {.type = type,
	    .grant = h->grant,
	    .bundle_seq = seq,
	    .bundle_count = 1,
	    .member = h->sender,
	    .node = h->node,
	    .cites = cites};

	ht_sample_encode(h, &raw);
	e.payload = ht_buf_slice(&raw);
	add_leaf(seq, &e);
	b = (struct ht_bundle){.suite = 1,
	    .sender = h->sender,
	    .node = h->node,
	    .count = 1,
	    .n_records = 1};
	b.records[0].header = e.payload;
	must(ht_bundle_sign(&b, key), "bundle");
	evidence[seq] = HT_BUF(HT_EVIDENCE_MAX);
	ht_evidence_pack(&b, &evidence[seq]);
	must(evidence[seq].err, "evidence");
	ht_buf_fini(&raw);
}

static void
add_expired(unsigned seq, const struct ht_header *q, uint64_t cites)
{
	struct ht_buf p = HT_BUF(1000);

	ht_pack_map(&p, 2);
	ht_pack_cstr(&p, "record");
	ht_pack_bin(&p, q->record.at, HT_ID_SIZE);
	ht_pack_cstr(&p, "sender");
	ht_pack_str(&p, q->sender);
	add_map(seq,
	    (struct ht_entry){.type = HT_ENTRY_EXPIRED,
	        .status = HT_ST_EXPIRED,
	        .cites = cites},
	    &p);
}

static void
add_rejected(unsigned seq)
{
	struct ht_hash hash = ht_sha256(ht_slice_str("what came"));
	struct ht_buf p = HT_BUF(1000);

	ht_pack_map(&p, 2);
	ht_pack_cstr(&p, "hash");
	ht_pack_bin(&p, hash.at, sizeof(hash.at));
	ht_pack_cstr(&p, "len");
	ht_pack_uint(&p, 9);
	add_map(seq,
	    (struct ht_entry){.type = HT_ENTRY_REJECT,
	        .status = HT_ST_BAD_SIGNATURE,
	        .member = ht_slice_str("police.demo/residents"),
	        .node = ht_slice_str("main")},
	    &p);
}

static void
add_start(unsigned seq)
{
	struct ht_hash random = ht_sha256(ht_slice_str("random"));
	struct ht_buf p = HT_BUF(1000);

	ht_pack_map(&p, 3);
	ht_pack_cstr(&p, "host");
	ht_pack_cstr(&p, "lane.example");
	ht_pack_cstr(&p, "random");
	ht_pack_bin(&p, random.at, sizeof(random.at));
	ht_pack_cstr(&p, "version");
	ht_pack_cstr(&p, "1");
	add_map(seq, (struct ht_entry){.type = HT_ENTRY_START}, &p);
}

static void
write_log(void)
{
	static const char *const act[] = {
	    "act", "pause", "by", "operator", "detail", "the clock jumped"};
	static const char *const stop[] = {"reason", "the end of the day"};
	struct ht_header request = ht_sample_request();
	struct ht_header response = ht_sample_response();

	add_start(0);
	add_record(1, &request, HT_ENTRY_REQUEST, 0);
	add_record(2, &response, HT_ENTRY_RESPONSE, 2);
	request.record.at[0] ^= 1;
	add_record(3, &request, HT_ENTRY_REQUEST, 0);
	add_expired(4, &request, 4);
	add_rejected(5);
	for (unsigned seq = 6; seq < LEAVES - 1; seq++)
		add_texts(seq, HT_ENTRY_ADMIN, act, HT_COUNT(act));
	add_texts(LEAVES - 1, HT_ENTRY_STOP, stop, HT_COUNT(stop));
}

/* ---- files ---- */

static const char *folder;
static struct ht_buf tsv;

static void
put(const char *name, const char *end, struct ht_slice bytes)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s/%s%s", folder, name, end);
	must(ht_fs_replace(path, 0644, bytes), path);
}

static void
begin(const char *dir, const char *name, char path[static 4096])
{
	snprintf(path, 4096, "%s/%s", dir, name);
	folder = path;
	ht_buf_reset(&tsv);
}

/* ---- leaves ---- */

static void
leaf_row(
    const char *name, const char *want, struct ht_slice leaf, const char *why)
{
	struct ht_hash hash = ht_leaf_hash(leaf);
	struct ht_entry e;
	char hex[2 * HT_HASH_SIZE + 1];

	if ((ht_entry_decode(leaf, &e) == HT_OK) != (strcmp(want, "ok") == 0))
		must(HT_EINTEGRITY, name);
	ht_hex(hex, hash.at, HT_HASH_SIZE);
	put(name, ".leaf", leaf);
	ht_buf_fmt(&tsv, "%s\t%s\t%s\t%s\n", name, want, hex, why);
}

static void
bend(const char *name, unsigned seq, size_t at, uint8_t value, const char *why)
{
	HT_AUTO(ht_buf_fini) struct ht_buf leaf = HT_BUF(HT_LEAF_MAX);

	ht_buf_add(&leaf, leaves[seq].at, leaves[seq].len);
	leaf.at[at] = value;
	leaf_row(name, "bad", ht_buf_slice(&leaf), why);
}

static void
write_leaves(const char *dir)
{
	static const struct {
		unsigned seq;
		const char *name, *why;
	} good[] = {
	    {0,          "start",    "a map of the broker's own"     },
	    {1,          "request",  "a header, alone in its bundle" },
	    {2,          "response", "it cites its request"          },
	    {4,          "expired",  "no header, but a request cited"},
	    {5,          "reject",   "by hash: nothing had verified" },
	    {LEAVES - 1, "stop",     "the last"                      },
	};
	HT_AUTO(ht_buf_fini) struct ht_buf longer = HT_BUF(HT_LEAF_MAX);
	char path[4096];

	begin(dir, "leaf", path);
	for (size_t i = 0; i < HT_COUNT(good); i++)
		leaf_row(good[i].name, "ok", ht_buf_slice(&leaves[good[i].seq]),
		    good[i].why);
	bend("version-2", 0, 0, 2, "a version that does not exist");
	bend("type-0", 0, 1, 0, "no type");
	bend("type-255", 0, 1, 255, "a type that does not exist");
	bend("grant-long", 1, 52, 0xff, "a length that leaves the leaf");
	leaf_row("cut", "bad", HT_SLICE(leaves[1].at, leaves[1].len - 1),
	    "the last byte is missing");
	leaf_row(
	    "head-alone", "bad", HT_SLICE(leaves[1].at, 50), "the head alone");
	ht_buf_add(&longer, leaves[0].at, leaves[0].len);
	ht_buf_u8(&longer, 0);
	leaf_row("longer", "bad", ht_buf_slice(&longer),
	    "nothing follows the payload");
	put("index", ".tsv", ht_buf_slice(&tsv));
}

/* ---- proofs ---- */

static enum ht_err
load(void *arg, unsigned level, uint64_t index, struct ht_hash *ret)
{
	const struct ht_hash *at = arg;

	*ret = ht_merkle_root(at + (index << level), UINT64_C(1) << level);
	return HT_OK;
}

static void
checkpoint(uint64_t size, const struct ht_key *key, struct ht_buf *out)
{
	HT_AUTO(ht_buf_fini) struct ht_buf text = HT_BUF(4096);
	struct ht_checkpoint cp = {.origin = ORIGIN,
	    .size = size,
	    .root = ht_merkle_root(hashes, size)};

	ht_checkpoint_text(&cp, &text);
	must(
	    ht_note_sign(ht_buf_slice(&text), false, ORIGIN, key, out), "note");
}

/* The row; @cited: entry 4 brings the request it cites. */
static void
extra_of(unsigned seq, uint64_t size, struct ht_buf *out)
{
	HT_AUTO(ht_buf_fini) struct ht_buf cited = HT_BUF(HT_PROOF_EXTRA_MAX);
	HT_AUTO(ht_buf_fini) struct ht_buf raw = HT_BUF(HT_PROOF_EXTRA_MAX);
	struct ht_row row = {.seq = seq,
	    .leaf = ht_buf_slice(&leaves[seq]),
	    .bundle = ht_buf_slice(&evidence[seq])};
	struct ht_hash path[HT_PROOF_MAX];
	uint8_t *b64;
	size_t n;

	if (seq == 4) {
		must(ht_prove_inclusion(load, hashes, 3, size, path, &n),
		    "path");
		ht_pack_array(&cited, 2);
		ht_pack_bin(&cited, leaves[3].at, leaves[3].len);
		ht_pack_array(&cited, (uint32_t)n);
		for (size_t i = 0; i < n; i++)
			ht_pack_bin(&cited, path[i].at, HT_HASH_SIZE);
	} else {
		ht_pack_nil(&cited);
	}
	row.cited_raw = ht_buf_slice(&cited);
	ht_row_encode(&row, &raw);
	b64 = ht_buf_room(out, HT_B64_SIZE(raw.len));
	must(raw.err == HT_OK ? out->err : raw.err, "row");
	ht_b64((char *)b64, raw.at, raw.len);
	out->len--; /* the NUL */
}

/* What is wrong, where it differs from what ought to be. */
struct craft {
	const char *name, *want, *why;
	unsigned seq;
	uint64_t size;
	unsigned extra; /* of entry extra - 1 instead */
	unsigned index; /* index - 1 instead */
	unsigned drop, doubled;
	bool swap, other_key, no_entry;
	const char *from, *to; /* in the text */
};

/* clang-format off */
static const struct craft crafts[] = {
    {"first", "ok", "the first entry",
        .seq = 0, .size = LEAVES},
    {"request", "ok", "a signed record",
        .seq = 1, .size = LEAVES},
    {"response", "ok", "its answer",
        .seq = 2, .size = LEAVES},
    {"expired", "ok", "an end without a record",
        .seq = 4, .size = LEAVES},
    {"last", "ok", "the last entry",
        .seq = LEAVES - 1, .size = LEAVES},
    {"only", "ok", "a tree of one: no path",
        .seq = 0, .size = 1},
    {"perfect", "ok", "a perfect tree",
        .seq = 5, .size = 8},
    {"lone-last", "ok", "a last leaf without sibling",
        .seq = 8, .size = 9},
    {"other-entry", "bad", "another entry's row",
        .seq = 1, .size = LEAVES, .extra = 4},
    {"other-index", "bad", "another index",
        .seq = 1, .size = LEAVES, .index = 3},
    {"beyond", "bad", "an index beyond the tree",
        .seq = 7, .size = 8, .index = 9},
    {"short-path", "bad", "a hash is missing",
        .seq = 1, .size = LEAVES, .drop = 1},
    {"long-path", "bad", "a hash too many",
        .seq = 1, .size = LEAVES, .doubled = 1},
    {"swapped", "bad", "two hashes in another order",
        .seq = 1, .size = LEAVES, .swap = true},
    {"other-key", "bad", "signed by another key of that name",
        .seq = 1, .size = LEAVES, .other_key = true},
    {"no-entry", "bad", "the entry is not there",
        .seq = 1, .size = LEAVES, .no_entry = true},
    {"other-size", "bad", "the size that was signed, changed",
        .seq = 1, .size = LEAVES, .from = "\n14\n", .to = "\n15\n"},
    {"other-origin", "bad", "another log's name",
        .seq = 1, .size = LEAVES, .from = "\nlog.example\n", .to = "\nlog.exomple\n"},
    {"version-2", "bad", "a version that does not exist",
        .seq = 1, .size = LEAVES, .from = "@v1", .to = "@v2"},
    {"zero-before", "bad", "an index with a zero before it",
        .seq = 1, .size = LEAVES, .from = "index 1", .to = "index 01"},
    {"no-gap", "bad", "no empty line before the checkpoint",
        .seq = 1, .size = LEAVES, .from = "\n\nlog.example", .to = "\nlog.example"},
};
/* clang-format on */

static void
bend_proof(const struct craft *c, struct ht_proof *p)
{
	struct ht_hash first = p->path[0];

	if (c->index > 0)
		p->index = c->index - 1;
	if (c->drop > 0)
		memmove(p->path, p->path + 1, --p->n_path * sizeof(first));
	if (c->doubled > 0)
		p->path[p->n_path++] = first;
	if (c->swap) {
		p->path[0] = p->path[1];
		p->path[1] = first;
	}
	p->has_extra = !c->no_entry;
}

/* Put @to where the first @from stands. */
static void
bend_text(const struct craft *c, struct ht_buf *text)
{
	HT_AUTO(ht_buf_fini) struct ht_buf old = HT_BUF(HT_PROOF_FILE_MAX);
	const char *at;

	if (c->from == NULL)
		return;
	ht_buf_add(&old, text->at, text->len);
	at = strstr(ht_buf_text(&old), c->from);
	must(at != NULL ? HT_OK : HT_ENOTFOUND, c->name);
	ht_buf_reset(text);
	ht_buf_add(text, old.at, (size_t)(at - (const char *)old.at));
	ht_buf_str(text, c->to);
	ht_buf_str(text, at + strlen(c->from));
}

static void
write_proof(const struct craft *c, const char *vkey)
{
	HT_AUTO(ht_buf_fini) struct ht_buf text = HT_BUF(HT_PROOF_FILE_MAX);
	HT_AUTO(ht_buf_fini) struct ht_buf extra = HT_BUF(64 * 1024);
	HT_AUTO(ht_buf_fini) struct ht_buf note = HT_BUF(4096);
	struct ht_proof p = {.index = c->seq};

	extra_of(c->extra > 0 ? c->extra - 1 : c->seq, c->size, &extra);
	checkpoint(c->size, c->other_key ? other_key : log_key, &note);
	must(ht_prove_inclusion(
	         load, hashes, c->seq, c->size, p.path, &p.n_path),
	    c->name);
	p.extra = ht_buf_slice(&extra);
	p.checkpoint = ht_buf_slice(&note);
	bend_proof(c, &p);
	ht_proof_text(&p, &text);
	bend_text(c, &text);
	must(text.err, c->name);
	put(c->name, ".tlog-proof", ht_buf_slice(&text));
	ht_buf_fmt(&tsv, "%s\t%s\t%s\t%s\n", c->name, c->want, vkey, c->why);
}

static void
write_proofs(const char *dir, const char *vkey)
{
	char path[4096];

	begin(dir, "tlog-proof", path);
	for (size_t i = 0; i < HT_COUNT(crafts); i++)
		write_proof(&crafts[i], vkey);
	put("index", ".tsv", ht_buf_slice(&tsv));
}

/* ---- consistency ---- */

static void
write_pair(unsigned m, unsigned n, unsigned said, const char *want,
    const char *vkey, const char *why)
{
	HT_AUTO(ht_buf_fini) struct ht_buf old = HT_BUF(4096);
	HT_AUTO(ht_buf_fini) struct ht_buf new = HT_BUF(4096);
	HT_AUTO(ht_buf_fini) struct ht_buf text = HT_BUF(HT_PROOF_FILE_MAX);
	struct ht_add_checkpoint c = {.old = m};
	char name[40];

	checkpoint(said, log_key, &old);
	checkpoint(n, log_key, &new);
	if (m > 0)
		must(ht_prove_consistency(
		         load, hashes, m, n, c.proof, &c.n_proof),
		    "consistency");
	c.note = ht_buf_slice(&new);
	ht_add_checkpoint_text(&c, &text);
	must(text.err, "consistency");
	snprintf(name, sizeof(name), "%u-%u-%u", said, m, n);
	put(name, ".note", ht_buf_slice(&old));
	put(name, ".consistency", ht_buf_slice(&text));
	ht_buf_fmt(&tsv, "%s\t%s\t%s\t%s\n", name, want, vkey, why);
}

static void
write_pairs(const char *dir, const char *vkey)
{
	char path[4096];

	begin(dir, "consistency", path);
	write_pair(1, 14, 1, "ok", vkey, "from one entry");
	write_pair(4, 14, 4, "ok", vkey, "from a perfect tree");
	write_pair(7, 14, 7, "ok", vkey, "from an odd one");
	write_pair(13, 14, 13, "ok", vkey, "one entry more");
	write_pair(8, 8, 8, "ok", vkey, "the same");
	write_pair(0, 14, 0, "ok", vkey, "everything continues nothing");
	write_pair(6, 14, 7, "bad", vkey, "the proof of another size");
	put("index", ".tsv", ht_buf_slice(&tsv));
}

int
main(int argc, char **argv)
{
	uint8_t seed[32];
	char text[HT_VKEY_MAX];
	struct ht_vkey vkey;
	struct ht_pub pub;

	if (argc != 2) {
		fputs("usage: proof-vectors DIR\n", stderr);
		return 2;
	}
	tsv = HT_BUF(64 * 1024);
	must(ht_keys_init(), "keys");
	memset(seed, 0x01, sizeof(seed));
	must(ht_key_from_seed(HT_KEY_LOG, seed, &log_key), "key");
	memset(seed, 0x02, sizeof(seed));
	must(ht_key_from_seed(HT_KEY_LOG, seed, &other_key), "key");
	pub = ht_key_pub(log_key);
	must(ht_vkey_make(ORIGIN, &pub, &vkey), "vkey");
	ht_vkey_text(&vkey, text);
	write_log();
	write_leaves(argv[1]);
	write_proofs(argv[1], text);
	write_pairs(argv[1], text);
	ht_buf_fini(&tsv);
	for (unsigned i = 0; i < LEAVES; i++) {
		ht_buf_fini(&leaves[i]);
		ht_buf_fini(&evidence[i]);
	}
	ht_key_free(&log_key);
	ht_key_free(&other_key);
	return 0;
}
