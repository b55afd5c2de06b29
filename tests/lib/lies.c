#include "tests/lib/lies.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DOCS_MAX 64

enum how {
	CUT_NOTE,   /* half of the document */
	NO_NOTE,    /* none of it */
	LARGE,      /* more bytes than a document may have */
	BYTES,      /* other bytes in its text */
	EDIT,       /* other words, signed */
	LINE_TWICE, /* another revision of the same name in the list */
	LINE,       /* another line in its place */
	FOREIGN,    /* another document's note */
	GONE,       /* the list of what is gone breaks off */
	UNDATED,    /* no current note */
	CUT_HEAD,   /* half of the snapshot's own note */
};

#define N9 "grants/gx.demo/9.note"
const struct ht_lie ht_lies[] = {
    {"half a document",        HT_EINVALID, N9,              "not a note"                 },
    {"a document left out",    HT_EINVALID, N9,              "is not there"               },
    {"a document without end", HT_ETOOBIG,  N9,              "larger than the 262144"     },
    {"GB 18030",               HT_EINVALID, N9 ":12",        "UTF-8"                      },
    {"an overlong form",       HT_EINVALID, N9 ":12",        "UTF-8"                      },
    {"a NUL",                  HT_EINVALID, N9 ":12",        "U+0000"                     },
    {"a Cyrillic letter",      HT_EINVALID, N9 ":8",         "name"                       },
    {"turned text",            HT_EINVALID, N9 ":12",        "U+202E"                     },
    {"without a bottom",       HT_ETOOBIG,  N9 ":12",        "more than 32 maps and lists"},
    {"an item that is not",    HT_EINVALID, N9,              "there is no such item"      },
    {"a grant listed twice",   HT_EINVALID, "snapshot.list", "again"                      },
    {"a look-alike line",      HT_EINVALID, "snapshot.list", "is not \"kind"              },
    {"another's note",         HT_EINVALID, N9,              "it is grant gx.demo/1"      },
    {"broken news",            HT_EINVALID, "snapshot",      "breaks off"                 },
    {"nothing in force",       HT_EINVALID, "current.note",  "there is none"              },
    {"half a snapshot",        HT_EINVALID, "snapshot.note", "not a note"                 },
};
const unsigned ht_n_lies = HT_COUNT(ht_lies);

#define DEEP16 "[[[[[[[[[[[[[[[["
static const struct {
	enum how how;
	const char *from, *to;
} acts[] = {
    {CUT_NOTE,   NULL,                        NULL                           },
    {NO_NOTE,    NULL,                        NULL                           },
    {LARGE,      NULL,                        NULL                           },
    {BYTES,      "ZGF",                       "\xcb\xb0\xd5"                 },
    {BYTES,      "ZGF",                       "\xc1\x9aG"                    },
    {BYTES,      "ZGF",                       "Z\0F"                         },
    {EDIT,       "consumer: tax",             "consumer: t\xd0\xb0x"         },
    {EDIT,       "basis: ZGF-15",             "basis: \"ZGF\xe2\x80\xae-15\""},
    {EDIT,       "basis: ZGF-15",             "basis: " DEEP16 DEEP16 DEEP16 },
    {EDIT,       "item: gx.demo/SCZTDJ",      "item: gx.demo/NONE"           },
    {LINE_TWICE, NULL,                        NULL                           },
    {LINE,       "grant gx.d\xd0\xb5mo/9 1 ", NULL                           },
    {FOREIGN,    NULL,                        NULL                           },
    {GONE,       NULL,                        NULL                           },
    {UNDATED,    NULL,                        NULL                           },
    {CUT_HEAD,   NULL,                        NULL                           },
};
_Static_assert(HT_COUNT(acts) == HT_COUNT(ht_lies), "what is said is done");

static const char grant[] = "hutong: grant/v1\n"
                            "grant: gx.demo/9\n"
                            "revision: 1\n"
                            "state: active\n"
                            "item: gx.demo/SCZTDJ\n"
                            "version: 1\n"
                            "provider: scjg.demo/registry\n"
                            "consumer: tax.demo/state\n"
                            "operations: [query]\n"
                            "fields: [shxydm]\n"
                            "purposes: [tax-registration]\n"
                            "basis: ZGF-15\n"
                            "from: 2020-01-01T00:00:00Z\n"
                            "until: 2099-01-01T00:00:00Z\n";

static struct ht_world *liar;
static struct ht_slice lines[DOCS_MAX], notes[DOCS_MAX];
static struct ht_buf spoilt;
static char twice[256];

_Noreturn static void
die(const char *what)
{
	fprintf(stderr, "lies: %s\n", what);
	abort();
}

/* Later than the world's, and else the same. */
static void
make_liar(const struct ht_world *world, unsigned i)
{
	char revision[40];

	ht_world_free(&liar);
	liar = ht_world_new(world->now_ms);
	ht_world_address(liar, world->address);
	ht_world_put(liar, HT_DOC_GRANT, "gx.demo/9", grant);
	if (acts[i].how == EDIT)
		ht_world_edit(
		    liar, HT_DOC_GRANT, "gx.demo/9", acts[i].from, acts[i].to);
	liar->version = ht_trust_version(world->trust) + 1;
	(void)snprintf(revision, sizeof(revision), "revision: %llu",
	    (unsigned long long)liar->version + 1);
	ht_world_edit(
	    liar, HT_DOC_EPOCH, "gx.demo/e1", "revision: 1", revision);
	ht_world_publish(liar);
}

static size_t
split(void)
{
	const uint8_t *at = liar->list.at, *end = at + liar->list.len;
	size_t n = 0;

	for (; at < end && n < DOCS_MAX; n++) {
		const uint8_t *stop = memchr(at, '\n', (size_t)(end - at));

		lines[n] = HT_SLICE(at, (size_t)(stop - at));
		at = stop + 1;
	}
	return n;
}

static struct ht_slice
note_named(const char *path)
{
	for (size_t k = 0; k < liar->n_docs; k++)
		if (strcmp(liar->names[k], path) == 0)
			return liar->notes[k];
	die(path);
}

/* The note of each line; the place of gx.demo/9's. */
static size_t
find_notes(size_t n)
{
	struct ht_list_line *parsed;
	char path[HT_DOC_PATH_MAX];
	size_t count, nine = n;

	if (ht_list_parse(ht_buf_slice(&liar->list), "list", NULL, &parsed,
	        &count) != HT_OK ||
	    count != n)
		die("its own list");
	for (size_t i = 0; i < n; i++) {
		ht_doc_path(parsed[i].kind, parsed[i].name, path);
		notes[i] = note_named(path);
		if (strcmp(path, N9) == 0)
			nine = i;
	}
	free(parsed);
	return nine;
}

static void
replace_bytes(struct ht_slice note, const char *from, const char *to)
{
	size_t len = strlen(from);
	uint8_t *at;

	ht_buf_add(&spoilt, note.at, note.len);
	at = memmem(spoilt.at, spoilt.len, from, len);
	if (at == NULL)
		die(from);
	memcpy(at, to, len);
}

static void
spoil_note(unsigned i, size_t nine)
{
	ht_buf_reset(&spoilt);
	switch (acts[i].how) {
	case CUT_NOTE:
		notes[nine].len /= 2;
		return;
	case NO_NOTE:
		notes[nine].len = 0;
		return;
	case FOREIGN:
		notes[nine] = note_named("grants/gx.demo/1.note");
		return;
	case LARGE:
		ht_buf_add(&spoilt, notes[nine].at, notes[nine].len);
		while (spoilt.len <= HT_DOC_MAX)
			ht_buf_str(&spoilt, "# and so on, and so on\n");
		break;
	case BYTES:
		replace_bytes(notes[nine], acts[i].from, acts[i].to);
		break;
	default:
		return;
	}
	notes[nine] = ht_buf_slice(&spoilt);
}

static void
spoil_line(unsigned i, size_t nine, size_t *n)
{
	const char *hash =
	    (const char *)lines[nine].at + strlen("grant gx.demo/9 1 ");

	if (acts[i].how == LINE_TWICE) {
		(void)snprintf(
		    twice, sizeof(twice), "grant gx.demo/9 2 %.64s", hash);
		notes[*n] = notes[nine];
		lines[(*n)++] = ht_slice_str(twice);
	} else if (acts[i].how == LINE) {
		(void)snprintf(
		    twice, sizeof(twice), "%s%.64s", acts[i].from, hash);
		lines[nine] = ht_slice_str(twice);
	}
}

void
ht_lie_tell(const struct ht_world *world, unsigned i, struct ht_trust_news *ret)
{
	size_t n, nine;

	if (spoilt.max == 0)
		spoilt = HT_BUF(2 * HT_DOC_MAX);
	make_liar(world, i);
	n = split();
	nine = find_notes(n);
	spoil_note(i, nine);
	spoil_line(i, nine, &n);
	*ret = (struct ht_trust_news){
	    .snapshot = ht_buf_slice(&liar->snapshot),
	    .current = ht_buf_slice(&liar->current),
	    .whole = true,
	    .n = n,
	    .lines = lines,
	    .notes = notes,
	};
	if (acts[i].how == CUT_HEAD)
		ret->snapshot.len /= 2;
	if (acts[i].how == GONE)
		ret->gone = ht_slice_str("grant gx.demo/1");
	if (acts[i].how == UNDATED)
		ret->current.len = 0;
}
