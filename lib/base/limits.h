/*
 * limits.h -- every maximum in one place, each with its reason.
 *
 * Reaching one is an error that says so, and a counter; never a surprise.
 */
#ifndef HT_BASE_LIMITS_H
#define HT_BASE_LIMITS_H

/* --- on the wire (docs/protocol.md, "Limits") --- */
#define HT_HEADER_MAX   1024      /* usual: 450; a leaf must stay in its page */
#define HT_BODY_MAX     (1 << 20) /* larger things go by transfer, in chunks */
#define HT_TAG_MAX      2048      /* 16 pseudonyms and a sealed annex */
#define HT_BUNDLE_MAX   64        /* a signature's cost is 1/64 by then */
#define HT_BUNDLE_BYTES (1 << 20) /* the bodies of a bundle together */
/*
 * One ZeroMQ frame: the largest is DELIVER, with bodies, headers, tags, and per
 * record at most 400 bytes of leaf's head and 40 hashes of a proof.
 */
#define HT_FRAME_MAX                                                           \
	(HT_BUNDLE_BYTES +                                                     \
	    HT_BUNDLE_MAX * (HT_HEADER_MAX + HT_TAG_MAX + 2048) + 32768)
#define HT_GONE_MAX     (512 << 10) /* names of what left a snapshot: a third */
#define HT_SKEW_MS      60000 /* clocks of departments drift; more is a fault */
#define HT_LIFE_MS      3600000 /* a query nobody answered in an hour is over */
#define HT_REASONS_MAX  16      /* reasons of one refusal */
#define HT_SUBJECTS_MAX 16      /* subjects a tag lists; more is "bulk" */

/* --- names --- */
#define HT_NAME_MAX    129 /* 64 "/" 64 */
#define HT_NODE_MAX    64  /* a node's name within its member */
#define HT_PURPOSE_MAX 64
#define HT_GRANT_MAX   80 /* "catalog/number" */

/* --- documents --- */
#define HT_DOC_MAX    (256 * 1024) /* one signed note: an item with schemas */
#define HT_SIGS_MAX   64           /* signature lines of one note */
#define HT_YAML_DEPTH 32
#define HT_YAML_NODES 50000 /* a hostile document is refused, not swallowed */
#define HT_PACK_DEPTH 12    /* headers need 3, bodies some 8 */

/* --- secrets --- */
#define HT_KEYFILE_MAX    2048 /* usual: 350; a token's path may be long */
#define HT_PASSPHRASE_MAX 1024 /* bytes; a sentence has 100 */
/* Argon2id: what we write, and the most that a file may ask of us. */
#define HT_ARGON_PASSES     3
#define HT_ARGON_KIB        (256 * 1024) /* RFC 9106: as much as one can */
#define HT_ARGON_PASSES_MAX 16
#define HT_ARGON_KIB_MAX    (1024 * 1024)

/* --- on the terminal --- */
#define HT_TABLE_ROWS 100000    /* more is not read; programs take CSV */
#define HT_CELL_MAX   (4 << 20) /* a cell or line of CSV, escaped: a body's */

/* --- record schemas --- */
#define HT_SCHEMA_DEPTH 32   /* sub-schemas inside each other, as written */
#define HT_SCHEMA_NODES 5000 /* 512 fields with ten rules each */
/* Schemas entered while looking at one value, through every $ref: a record of
 * depth 12 needs some 40. */
#define HT_CHECK_DEPTH 128
/* Sub-schemas tried and values compared for one record of 1 MiB: about 0.2 s
 * of work, where an honest record needs a few thousand. */
#define HT_CHECK_STEPS 2000000

#endif
