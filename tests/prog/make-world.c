/*
 * make-world DIR ADDRESS VERSION MADE-MS [CHANGE...] -- the small exchange of
 * tests/lib/world.h in DIR: authority and every key, for real processes.  Made
 * again with a higher VERSION and the same MADE-MS (printed the first time,
 * when it is 0) it is the next snapshot of the same exchange.
 *
 * CHANGE: edit KIND NAME FROM TO   the first FROM of a document's text
 *         put KIND NAME FILE       a document more, signed as its kind is
 *         unsign KIND NAME         the authority's officers did not sign it
 *         ends KIND NAME MS        every `until` of a document's text
 *         old MEMBER | revoked MEMBER
 *                                  the signing key of its main node
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/fs.h"
#include "tests/lib/world.h"

_Noreturn static void
die(const char *what)
{
	fprintf(stderr, "make-world: %s\n", what);
	exit(2);
}

static enum ht_doc_kind
kind_of(const char *text)
{
	enum ht_doc_kind kind;

	if (ht_doc_kind_parse(ht_slice_str(text), &kind) != HT_OK)
		die("no such kind of document");
	return kind;
}

/* What stands in the entry between its first "until: " and the brace. */
static void
end_key(struct ht_world *w, const char *member, const char *how)
{
	const char *text = ht_world_text(w, HT_DOC_MEMBER, member);
	const char *from = strstr(text, "until: ");
	char old[128], now[HT_TIME_SIZE], new[256];

	if (from == NULL)
		die("the member has no key");
	snprintf(old, sizeof(old), "%.*s", (int)strcspn(from, "}"), from);
	/* Two hours ago: within the world's time, and over for every clock. */
	ht_time_text(now, (w->now_ms - 7200000) * 1000);
	if (strcmp(how, "old") == 0)
		snprintf(new, sizeof(new), "until: %s, state: active", now);
	else
		snprintf(new, sizeof(new), "%.*srevoked, since: %s",
		    (int)(strlen(old) - strlen("active")), old, now);
	ht_world_edit(w, HT_DOC_MEMBER, member, old, new);
	ht_world_edit(w, HT_DOC_MEMBER, member, "revision: 1", "revision: 2");
}

/* Every period of a document ends then. */
static void
end_all(struct ht_world *w, enum ht_doc_kind kind, const char *name,
    uint64_t end_ms)
{
	HT_AUTO(ht_buf_fini) struct ht_buf out = HT_BUF(HT_DOC_MAX);
	const char *at = ht_world_text(w, kind, name);
	const char *until;
	char end[HT_TIME_SIZE];

	ht_time_text(end, end_ms / 1000 * 1000000);
	while ((until = strstr(at, "until: ")) != NULL) {
		ht_buf_fmt(&out, "%.*suntil: %s", (int)(until - at), at, end);
		at = until + strcspn(until, ",}\n");
	}
	ht_buf_str(&out, at);
	ht_world_put(w, kind, name, ht_buf_text(&out));
}

/* The words that a change took. */
static int
change(struct ht_world *w, int n, char **words)
{
	if (n >= 5 && strcmp(words[0], "edit") == 0) {
		ht_world_edit(
		    w, kind_of(words[1]), words[2], words[3], words[4]);
		return 5;
	}
	if (n >= 4 && strcmp(words[0], "put") == 0) {
		HT_AUTO(ht_buf_fini) struct ht_buf text = HT_BUF(HT_DOC_MAX);

		if (ht_fs_read(words[3], &text) != HT_OK)
			die("the document cannot be read");
		ht_world_put(
		    w, kind_of(words[1]), words[2], ht_buf_text(&text));
		return 4;
	}
	if (n >= 4 && strcmp(words[0], "ends") == 0) {
		end_all(w, kind_of(words[1]), words[2],
		    strtoull(words[3], NULL, 10));
		return 4;
	}
	if (n >= 3 && strcmp(words[0], "unsign") == 0) {
		ht_world_unsign(w, kind_of(words[1]), words[2], HT_W_OFFICER);
		return 3;
	}
	if (n >= 2 && (strcmp(words[0], "old") == 0 ||
	                  strcmp(words[0], "revoked") == 0)) {
		end_key(w, words[1], words[0]);
		return 2;
	}
	die("there is no such change");
}

int
main(int argc, char **argv)
{
	struct ht_world *w;
	uint64_t made_ms;
	char revision[40];

	if (argc < 5)
		die("usage: make-world DIR ADDRESS VERSION MADE-MS "
		    "[CHANGE...]");
	made_ms = strtoull(argv[4], NULL, 10);
	w = ht_world_new(made_ms != 0 ? made_ms : ht_clock_wall_ms());
	ht_world_address(w, argv[2]);
	for (int i = 5; i < argc; i += change(w, argc - i, &argv[i]))
		;
	w->version = strtoull(argv[3], NULL, 10);
	/* Its keys were sealed anew: another text, so another revision. */
	snprintf(revision, sizeof(revision), "revision: %" PRIu64, w->version);
	ht_world_edit(w, HT_DOC_EPOCH, "gx.demo/e1", "revision: 1", revision);
	w->issued_ms = ht_clock_wall_ms();
	ht_world_publish(w);
	ht_world_write(w, argv[1]);
	printf("%" PRIu64 "\n", w->now_ms);
	ht_world_free(&w);
	return 0;
}
