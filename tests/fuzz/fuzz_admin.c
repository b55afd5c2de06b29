/*
 * A line on an administrator's socket may be anything.  A command that came
 * unsigned is the line itself; without a key no act is allowed where roles
 * are parted, whatever it says.
 */
#include <string.h>

#include "broker/admin.h"
#include "lib/base/panic.h"
#include "tests/fuzz/fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *in, size_t in_len)
{
	HT_AUTO(ht_mem_free) char *text = ht_slice_dup(HT_SLICE(in, in_len));
	struct ht_admin_line line;
	enum ht_role owner = HT_ROLES;

	HT_ASSERT(text != NULL);
	if (ht_admin_parse(text, &line) != HT_OK)
		return 0;
	HT_ASSERT(strlen(line.command) < HT_ADMIN_LINE_MAX);
	HT_ASSERT(line.command >= text && line.command <= text + strlen(text));
	HT_ASSERT(line.is_signed || line.command == text);
	HT_ASSERT(line.is_signed == (line.name[0] != '\0'));
	for (enum ht_role socket = 0; socket < HT_ROLES; socket++) {
		enum ht_admin_verdict verdict = ht_admin_decide(
		    true, socket, HT_ROLES, line.command, &owner);

		HT_ASSERT(
		    verdict != HT_ADMIN_YES || !ht_admin_is_act(line.command));
	}
	return 0;
}
