/*
 * bigcatalog.c -- a catalog as large as a country's, with real signatures, on
 * top of the small exchange of tests/lib/world.h; the same from the same seeds
 * but for the time it was made at.
 *
 * usage: bigcatalog make DIR ADDRESS GRANTS   DIR/authority and DIR/keys
 *        bigcatalog grant NUMBER REVISION STATE
 *                                             one more grant, signed, printed
 *
 * MEMBERS departments hold the grants of ITEMS items of scjg.demo/registry, one
 * after the other.  No snapshot names them yet: `hutong catalog snapshot` is
 * to check all of it.  gx.demo/900, and the grants that are printed, let
 * tax.demo/state query gx.demo/BENCH.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/fs.h"
#include "tests/lib/world.h"

#define MEMBERS   500
#define ITEMS     200
#define FIRST     1000 /* the grants' numbers */
#define THREADS   2
#define DAY_MS    UINT64_C(86400000)
#define NOTE_ROOM 16384

_Noreturn static void
die(const char *doing, enum ht_err err)
{
	fprintf(stderr, "bigcatalog: %s: %s\n", doing, ht_err_text(err));
	exit(1);
}

static void
must(enum ht_err err, const char *doing)
{
	if (err != HT_OK)
		die(doing, err);
}

/* ---- who signs ---- */

struct signer {
	const char *name;
	struct ht_key *key;
};

/* Two officers of the authority; then whom the kind asks for as well. */
static struct signer officers[3];

static void
make_officers(void)
{
	officers[0] = (struct signer){
	    "gx.demo/officer-1", ht_world_key(HT_KEY_OFFICER, "1")};
	officers[1] = (struct signer){
	    "gx.demo/officer-2", ht_world_key(HT_KEY_OFFICER, "2")};
	officers[2] = (struct signer){"scjg.demo/registry/officer",
	    ht_world_key(HT_KEY_OFFICER, "scjg.demo/registry")};
}

static void
free_officers(void)
{
	for (size_t i = 0; i < HT_COUNT(officers); i++)
		ht_key_free(&officers[i].key);
}

static void
sign_as(const struct signer *by, struct ht_buf *note)
{
	struct ht_buf out = HT_BUF(NOTE_ROOM);
	bool is_note =
	    memmem(note->at, note->len, "\n\n\xe2\x80\x94 ", 6) != NULL;

	must(note->err, by->name);
	must(ht_note_sign(ht_buf_slice(note), is_note, by->name, by->key, &out),
	    by->name);
	ht_buf_fini(note);
	*note = out;
}

/* By the authority's officers, and by @also. */
static void
sign_all(struct ht_buf *note, const struct signer *also)
{
	sign_as(&officers[0], note);
	sign_as(&officers[1], note);
	sign_as(also, note);
}

/* ---- texts ---- */

static void
grant_text(struct ht_buf *out, unsigned long number, unsigned long revision,
    const char *state, const char *item, const char *consumer)
{
	ht_buf_fmt(out,
	    "hutong: grant/v1\n"
	    "grant: gx.demo/%lu\n"
	    "revision: %lu\n"
	    "state: %s\n"
	    "item: gx.demo/%s\n"
	    "version: 1\n"
	    "provider: scjg.demo/registry\n"
	    "consumer: %s\n"
	    "operations: [query]\n"
	    "fields: [data]\n"
	    "purposes: [tax-registration]\n"
	    "basis: ZGF-15\n"
	    "from: 2020-01-01T00:00:00Z\n"
	    "until: 2099-01-01T00:00:00Z\n"
	    "quota: {per-day: 1000000}\n",
	    number, revision, state, item, consumer);
}

static void
item_text(struct ht_buf *out, const char *code)
{
	ht_buf_fmt(out,
	    "hutong: item/v1\n"
	    "item: gx.demo/%s\n"
	    "version: 1\n"
	    "revision: 1\n"
	    "title: {zh: 测速, en: Speed}\n"
	    "provider: scjg.demo/registry\n"
	    "share: conditional\n"
	    "conditions: {zh: 测速, en: Measuring}\n"
	    "scope: {zh: 测速, en: Measuring}\n"
	    "basis:\n"
	    "  - {code: ZGF-15, text: 税收征收管理法 第十五条}\n"
	    "operations: [query]\n"
	    "purposes:\n"
	    "  - {code: tax-registration, zh: 测速, en: Measuring}\n"
	    "limits: {records: 10}\n"
	    "request:\n"
	    "  type: object\n"
	    "  required: [id]\n"
	    "  properties:\n"
	    "    id: {type: string, title: 编号}\n"
	    "  additionalProperties: false\n"
	    "record:\n"
	    "  type: object\n"
	    "  required: [data]\n"
	    "  properties:\n"
	    "    data: {type: string, title: 内容, x-level: 0, x-bytes: 4096}\n"
	    "  additionalProperties: false\n",
	    code);
}

static void
add_key(struct ht_buf *out, const char *before, enum ht_key_for what,
    const char *seed, uint64_t now_ms)
{
	struct ht_key *key = ht_world_key(what, seed);
	struct ht_pub pub = ht_key_pub(key);
	char b64[HT_B64_SIZE(HT_PUB_SIZE)], from[HT_TIME_SIZE];
	char until[HT_TIME_SIZE];

	ht_b64(b64, pub.at, sizeof(pub.at));
	ht_time_text(from, (now_ms - DAY_MS) * 1000);
	ht_time_text(until, (now_ms + 60 * DAY_MS) * 1000);
	ht_buf_fmt(out, "%s{key: %s, from: %s, until: %s, state: active}\n",
	    before, b64, from, until);
	ht_key_free(&key);
}

static void
member_text(struct ht_buf *out, const char *name, const struct ht_key *identity,
    uint64_t now_ms)
{
	struct ht_pub pub = ht_key_pub(identity);
	char b64[HT_B64_SIZE(HT_PUB_SIZE)];

	ht_b64(b64, pub.at, sizeof(pub.at));
	ht_buf_fmt(out,
	    "hutong: member/v1\n"
	    "member: %s\n"
	    "revision: 1\n"
	    "title: {zh: 部门, en: A department}\n"
	    "identity: %s\n"
	    "nodes:\n"
	    "  - node: main\n",
	    name, b64);
	add_key(out, "    signing: ", HT_KEY_SIGNING, name, now_ms);
	add_key(out, "    transport: ", HT_KEY_TRANSPORT, name, now_ms);
	ht_buf_str(out, "sealing:\n");
	add_key(out, "  - ", HT_KEY_SEALING, name, now_ms);
}

/* ---- making it ---- */

/* Not synced: a hundred thousand of them, and made again when torn. */
static void
write_note(const char *path, const struct ht_buf *note)
{
	FILE *file = fopen(path, "w");

	must(note->err, path);
	if (file == NULL || fwrite(note->at, 1, note->len, file) != note->len ||
	    fclose(file) != 0) {
		perror(path);
		exit(1);
	}
}

static void
make_members(const char *dir, uint64_t now_ms)
{
	char path[4096], name[64];

	snprintf(path, sizeof(path), "%s/authority/members/dep.demo", dir);
	must(ht_fs_mkdirs(path, 0755), path);
	for (unsigned i = 0; i < MEMBERS; i++) {
		HT_AUTO(ht_buf_fini) struct ht_buf note = HT_BUF(NOTE_ROOM);
		struct signer self = {.name = name};

		snprintf(name, sizeof(name), "dep.demo/m%03u", i);
		self.key = ht_world_key(HT_KEY_IDENTITY, name);
		member_text(&note, name, self.key, now_ms);
		sign_all(&note, &self);
		snprintf(path, sizeof(path), "%s/authority/members/%s.note",
		    dir, name);
		write_note(path, &note);
		ht_key_free(&self.key);
	}
}

static void
make_items(const char *dir)
{
	char path[4096], code[32];

	for (unsigned i = 0; i <= ITEMS; i++) {
		HT_AUTO(ht_buf_fini) struct ht_buf note = HT_BUF(NOTE_ROOM);

		snprintf(code, sizeof(code), "I%03u", i);
		if (i == ITEMS)
			snprintf(code, sizeof(code), "BENCH");
		item_text(&note, code);
		sign_all(&note, &officers[2]);
		snprintf(path, sizeof(path),
		    "%s/authority/items/gx.demo/%s@1.note", dir, code);
		write_note(path, &note);
	}
}

struct share {
	const char *dir;
	unsigned long from, to;
};

static void *
make_share(void *arg)
{
	const struct share *share = arg;
	char path[4096], item[32], consumer[64];

	for (unsigned long i = share->from; i < share->to; i++) {
		HT_AUTO(ht_buf_fini) struct ht_buf note = HT_BUF(NOTE_ROOM);

		snprintf(item, sizeof(item), "I%03lu", i / MEMBERS % ITEMS);
		snprintf(
		    consumer, sizeof(consumer), "dep.demo/m%03lu", i % MEMBERS);
		grant_text(&note, FIRST + i, 1, "active", item, consumer);
		sign_all(&note, &officers[2]);
		snprintf(path, sizeof(path),
		    "%s/authority/grants/gx.demo/%lu.note", share->dir,
		    FIRST + i);
		write_note(path, &note);
	}
	return NULL;
}

static void
make_grants(const char *dir, unsigned long n)
{
	struct share shares[THREADS];
	pthread_t threads[THREADS];

	for (unsigned i = 0; i < THREADS; i++) {
		shares[i] =
		    (struct share){dir, n * i / THREADS, n * (i + 1) / THREADS};
		if (pthread_create(&threads[i], NULL, make_share, &shares[i]) !=
		    0)
			die("a thread", HT_ESYSTEM);
	}
	for (unsigned i = 0; i < THREADS; i++)
		(void)pthread_join(threads[i], NULL);
}

static void
print_grant(unsigned long number, unsigned long revision, const char *state)
{
	HT_AUTO(ht_buf_fini) struct ht_buf note = HT_BUF(NOTE_ROOM);

	grant_text(&note, number, revision, state, "BENCH", "tax.demo/state");
	sign_all(&note, &officers[2]);
	(void)fwrite(note.at, 1, note.len, stdout);
}

static void
make(const char *dir, const char *address, unsigned long n)
{
	HT_AUTO(ht_buf_fini) struct ht_buf note = HT_BUF(NOTE_ROOM);
	struct ht_world *world = ht_world_new(ht_clock_wall_ms());
	char path[4096];

	ht_world_address(world, address);
	ht_world_publish(world);
	ht_world_write(world, dir);
	make_members(dir, world->now_ms);
	make_items(dir);
	make_grants(dir, n);
	grant_text(&note, 900, 1, "active", "BENCH", "tax.demo/state");
	sign_all(&note, &officers[2]);
	snprintf(
	    path, sizeof(path), "%s/authority/grants/gx.demo/900.note", dir);
	write_note(path, &note);
	ht_world_free(&world);
}

int
main(int argc, char **argv)
{
	if (ht_keys_init() != HT_OK)
		die("starting", HT_ESYSTEM);
	make_officers();
	if (argc == 5 && strcmp(argv[1], "make") == 0) {
		make(argv[2], argv[3], strtoul(argv[4], NULL, 10));
	} else if (argc == 5 && strcmp(argv[1], "grant") == 0) {
		print_grant(strtoul(argv[2], NULL, 10),
		    strtoul(argv[3], NULL, 10), argv[4]);
	} else {
		fprintf(stderr, "usage: bigcatalog make DIR ADDRESS GRANTS\n"
		                "       bigcatalog grant NUMBER REVISION "
		                "STATE\n");
		return 2;
	}
	free_officers();
	return 0;
}
