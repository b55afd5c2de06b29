/*
 * world.c -- world DIR ADDRESS [VERSION SUSPENDED AS-OF [ISSUED]]: a small
 * exchange on disk (tests/lib/world.h), for tests that start real processes.
 * DIR/as-of keeps the time it was made at; given again, only the snapshot is
 * another.  ISSUED, in ms, is the current note's; else now.
 */
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/clock.h"
#include "tests/lib/world.h"

static int
write_as_of(const struct ht_world *world, const char *dir)
{
	char path[4096];
	FILE *file;

	snprintf(path, sizeof(path), "%s/as-of", dir);
	file = fopen(path, "w");
	if (file == NULL ||
	    fprintf(file, "%llu\n", (unsigned long long)world->now_ms) < 0 ||
	    fclose(file) != 0) {
		perror(path);
		return 1;
	}
	return 0;
}

int
main(int argc, char **argv)
{
	struct ht_world *world;
	uint64_t now = ht_clock_wall_ms();
	int code;

	if ((argc != 3 && argc != 6 && argc != 7) || ht_keys_init() != HT_OK) {
		fprintf(stderr,
		    "usage: world DIR ADDRESS [VERSION SUSPENDED AS-OF "
		    "[ISSUED]]\n");
		return 2;
	}
	world = ht_world_new(argc >= 6 ? strtoull(argv[5], NULL, 10) : now);
	ht_world_address(world, argv[2]);
	if (argc >= 6) {
		world->version = strtoull(argv[3], NULL, 10);
		world->suspended = argv[4];
		world->issued_ms =
		    argc == 7 ? strtoull(argv[6], NULL, 10) : now;
		/* Tracker keys are sealed anew, which makes another text. */
		ht_world_edit(world, HT_DOC_EPOCH, "gx.demo/e1", "revision: 1",
		    "revision: 2");
	}
	ht_world_publish(world);
	ht_world_write(world, argv[1]);
	code = write_as_of(world, argv[1]);
	ht_world_free(&world);
	return code;
}
