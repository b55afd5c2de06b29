/*
 * replay.c -- play tests/fuzz/corpus/<name>/ through a fuzz target, each seed
 * as it is and then mutated a few hundred times, the same way on every run.
 *
 *   fuzz_<name> [file ...]      HT_FUZZ_RUNS=N mutations a seed (default 200)
 */
#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/bytes.h"
#include "lib/base/fs.h"
#include "lib/base/panic.h"
#include "tests/fuzz/fuzz.h"

#define SEED_MAX    (8 << 20)
#define RUNS        200
#define MUTATED_MAX (64 * 1024) /* larger seeds are only played as they are */

static uint64_t state = 0x9e3779b97f4a7c15u;

/* xorshift64*: any stream will do, as long as it is the same each time. */
static uint64_t
draw(uint64_t below)
{
	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return (state * 0x2545f4914f6cdd1du >> 11) % below;
}

/* The target must not lean on what lies behind its input: exact copies. */
static void
play(const uint8_t *bytes, size_t len)
{
	HT_AUTO(ht_mem_free) uint8_t *copy = malloc(len > 0 ? len : 1);

	HT_ASSERT(copy != NULL);
	if (len > 0)
		memcpy(copy, bytes, len);
	(void)LLVMFuzzerTestOneInput(copy, len);
}

/* Change a byte, cut, double a piece: whatever keeps most of the form. */
static size_t
mutate(uint8_t *bytes, size_t len, size_t cap)
{
	static const uint8_t odd[] = {
	    0x00, 0x01, 0x7f, 0x80, 0xff, 0xc1, 0xdf, ' ', '\n', '"', ':', '-'};
	size_t at = len > 0 ? draw(len) : 0;
	size_t piece = len > at ? 1 + draw(len - at) : 0;

	if (len == 0)
		return 0;
	switch (draw(5)) {
	case 0:
		bytes[at] ^= (uint8_t)(1u << draw(8));
		return len;
	case 1:
		bytes[at] = odd[draw(sizeof(odd))];
		return len;
	case 2:
		return at;
	case 3:
		memmove(bytes + at, bytes + at + piece, len - at - piece);
		return len - piece;
	default:
		if (piece > 64)
			piece = 64;
		if (len + piece > cap)
			return len;
		memmove(bytes + at + piece, bytes + at, len - at);
		return len + piece;
	}
}

static void
play_seed(struct ht_slice seed, unsigned runs)
{
	static uint8_t mutated[2 * MUTATED_MAX];

	play(seed.at, seed.len);
	if (seed.len == 0 || seed.len > MUTATED_MAX)
		return;
	for (unsigned run = 0; run < runs; run++) {
		size_t len = seed.len;

		memcpy(mutated, seed.at, len);
		for (uint64_t n = 1 + draw(4); n > 0; n--)
			len = mutate(mutated, len, sizeof(mutated));
		play(mutated, len);
	}
}

static void
play_file(const char *path, unsigned number, unsigned runs)
{
	HT_AUTO(ht_buf_fini) struct ht_buf seed = HT_BUF(SEED_MAX);
	enum ht_err err = ht_fs_read(path, &seed);

	if (err != HT_OK) {
		printf("not ok %u - %s: %s\n", number, path, ht_err_text(err));
		return;
	}
	play_seed(ht_buf_slice(&seed), runs);
	printf("ok %u - %s\n", number, path);
	fflush(stdout);
}

static unsigned
play_corpus(const char *name, unsigned runs)
{
	char dir[256];
	struct dirent **names;
	unsigned number = 0;
	int n;

	(void)snprintf(dir, sizeof(dir), "tests/fuzz/corpus/%s", name);
	n = scandir(dir, &names, NULL, alphasort);
	for (int i = 0; i < n; i++) {
		HT_AUTO(ht_mem_free) char *path = NULL;

		path = ht_fs_join(dir, names[i]->d_name);
		HT_ASSERT(path != NULL);
		if (names[i]->d_name[0] != '.')
			play_file(path, ++number, runs);
		free(names[i]);
	}
	if (n >= 0)
		free(names);
	if (number == 0)
		printf("not ok %u - no seeds in %s\n", ++number, dir);
	return number;
}

int
main(int argc, char **argv)
{
	const char *runs_text = getenv("HT_FUZZ_RUNS");
	const char *slash = strrchr(argv[0], '/');
	const char *name = slash != NULL ? slash + 1 : argv[0];
	unsigned runs = RUNS, number = 0;

	if (runs_text != NULL)
		runs = (unsigned)strtoul(runs_text, NULL, 10);
	if (strncmp(name, "fuzz_", 5) == 0)
		name += 5;
	if (argc == 1)
		number = play_corpus(name, runs);
	for (int i = 1; i < argc; i++)
		play_file(argv[i], ++number, runs);
	printf("1..%u\n", number);
	return 0;
}
