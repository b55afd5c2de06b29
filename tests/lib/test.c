#include "tests/lib/test.h"

#include <ftw.h>
#include <unistd.h>

const char *
ht_test_shared(char out[static HT_TEST_PATH_MAX], const char *name)
{
	const char *top = getenv("HT_SHARED");

	(void)snprintf(out, HT_TEST_PATH_MAX, "%s/vectors/%s",
	    top != NULL ? top : "../shared", name);
	if (access(out, R_OK) == 0)
		return out;
	print_message("# no public vectors at %s: skipped\n", out);
	return NULL;
}

const char *
ht_test_dir(char out[static HT_TEST_PATH_MAX])
{
	const char *top = getenv("TMPDIR");

	(void)snprintf(out, HT_TEST_PATH_MAX, "%s/hutong-test-XXXXXX",
	    top != NULL ? top : "/tmp");
	if (mkdtemp(out) == NULL)
		fail_msg("cannot make the folder %s", out);
	return out;
}

static int
remove_one(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
	(void)st;
	(void)kind;
	(void)ftw;
	return remove(path);
}

void
ht_test_dir_remove(const char *dir)
{
	if (nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS) != 0)
		fail_msg("cannot remove %s", dir);
}
