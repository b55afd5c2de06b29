/*
 * A complete answer that somebody gave us, believing nobody: whatever its
 * bytes are, it is either refused or verified, and nothing else happens.
 */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "broker/cli/tool.h"
#include "lib/base/panic.h"
#include "tests/fuzz/fuzz.h"

/* What is printed about it is for nobody. */
static void
hush(int fd, int *kept)
{
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

	HT_ASSERT(null != -1);
	*kept = dup(fd);
	HT_ASSERT(*kept != -1 && dup2(null, fd) == fd);
	close(null);
}

static void
unhush(int fd, int kept)
{
	HT_ASSERT(dup2(kept, fd) == fd);
	close(kept);
}

int
LLVMFuzzerTestOneInput(const uint8_t *in, size_t in_len)
{
	static const struct ht_audit_faith nobody;
	const struct ht_audit_opts opts = {
	    .query = HT_QUERY_ALL, .format = HT_AUDIT_JSONL};
	int out, err, code;

	HT_ASSERT(ht_keys_init() == HT_OK);
	fflush(stdout);
	hush(STDOUT_FILENO, &out);
	hush(STDERR_FILENO, &err);
	code =
	    ht_audit_verify_answer("in", HT_SLICE(in, in_len), &opts, &nobody);
	fflush(stdout);
	unhush(STDOUT_FILENO, out);
	unhush(STDERR_FILENO, err);
	HT_ASSERT(code == HT_AUDIT_OK || code == HT_AUDIT_BAD);
	return 0;
}
