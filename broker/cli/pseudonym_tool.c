/*
 * pseudonym_tool.c -- hutong-audit pseudonym: under which name a person or unit
 * stands in the tags of an epoch.  It asks nobody; the search with it is
 * logged.
 */
#include "broker/cli/tool.h"

int
ht_audit_pseudonyms(const struct ht_audit_opts *opts, const char *subject)
{
	struct ht_audit_faith faith;
	int code = ht_audit_faith(opts, &faith);

	if (code == HT_AUDIT_OK)
		code = ht_audit_identity(&faith, subject);
	ht_audit_faith_fini(&faith);
	for (unsigned i = 0; i < opts->n_trackers && code == HT_AUDIT_OK; i++) {
		char hex[2 * HT_PSEUDONYM_SIZE + 1];
		struct ht_pseudonym pseudonym;
		struct ht_keyfile file;

		code = ht_audit_pseudonym(
		    subject, opts->trackers[i], &file, &pseudonym);
		if (code != HT_AUDIT_OK)
			break;
		ht_hex(hex, pseudonym.at, HT_PSEUDONYM_SIZE);
		printf("%s %s\n", file.name, hex);
	}
	return code == HT_AUDIT_OK && fflush(stdout) == EOF ? HT_AUDIT_GONE
	                                                    : code;
}
