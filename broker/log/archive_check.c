/*
 * archive_check.c -- an archive, read as somebody who has nothing else: its
 * list, its volume, and what the volume's entries say of the rest.
 */
#include "broker/log/archive.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "broker/log/archive_in.h"

struct checking {
	struct ht_archive *archive;
	const struct ht_archive_visit *visit;
	struct ht_archive_wants wants;
	struct ht_erasure *list; /* the one looked at last */
	const uint8_t *env;      /* of the volume's log */
};

static enum ht_err
listed(void *arg, uint64_t by, uint64_t seq)
{
	struct checking *c = arg;
	size_t place;
	enum ht_err err = HT_OK;

	if (by <= seq)
		return HT_EINTEGRITY; /* nothing is erased before it is logged
		                       */
	if (c->list == NULL || c->list->by != by) {
		ht_erasure_free(&c->list);
		err = ht_archive_erasure(c->archive, by, &c->list);
	}
	if (err == HT_ENOMEM || err == HT_ESYSTEM)
		return err;
	return err == HT_OK &&
	               memcmp(c->list->env, c->env, sizeof(c->list->env)) ==
	                   0 &&
	               ht_erasure_find(c->list, seq, &place)
	           ? HT_OK
	           : HT_EINTEGRITY;
}

static enum ht_err
take(void *arg, uint64_t seq, const struct ht_volume_entry *entry)
{
	struct checking *c = arg;
	enum ht_err err = ht_archive_want(&c->wants, seq, entry);

	return err == HT_OK && c->visit != NULL
	           ? c->visit->each(c->visit->arg, seq, entry)
	           : err;
}

/* What is wrong, in words. */
static enum ht_err
tell(struct checking *c, enum ht_err err, uint64_t entry)
{
	const char *name = ht_archive_volume_name(c->archive);
	char text[100];

	if (err == HT_EBADSIG)
		(void)ht_archive_bad(c->archive,
		    "its checkpoint is not signed by the log's key", name);
	if (err != HT_EINTEGRITY)
		return err;
	(void)snprintf(text, sizeof(text),
	    "entry %" PRIu64 ", or its tag or body, does not hold", entry);
	return ht_archive_bad(c->archive, text, name);
}

static enum ht_err
check(struct checking *c, struct ht_volume *volume, const struct ht_vkey *vkey,
    struct ht_archive_seen *ret)
{
	const struct ht_volume_head *head = ht_volume_head(volume);
	struct ht_checkpoint cp;
	struct ht_note note;
	uint64_t entry = 0;
	enum ht_err err = ht_volume_check(volume, vkey, take, c, &entry);

	if (err == HT_OK)
		err = ht_note_parse(ht_volume_note(volume), &note);
	if (err == HT_OK)
		err = ht_checkpoint_parse(note.text, &cp);
	if (err != HT_OK)
		return tell(c, err, entry);
	*ret = (struct ht_archive_seen){
	    .first = head->first,
	    .end = head->end,
	    .root = cp.root,
	    .files = ht_archive_files(c->archive),
	    .bytes = ht_archive_bytes(c->archive),
	    .pieces = c->wants.pieces,
	    .erased = c->wants.erased,
	};
	return HT_OK;
}

enum ht_err
ht_archive_check_volume(struct ht_archive *archive, struct ht_volume *volume,
    struct ht_vault *vault, const struct ht_vkey *vkey,
    const struct ht_archive_visit *visit, struct ht_archive_seen *ret)
{
	struct checking c = {.archive = archive,
	    .visit = visit,
	    .env = ht_volume_head(volume)->env};
	enum ht_err err;

	c.wants = (struct ht_archive_wants){
	    .vault = vault, .listed = listed, .arg = &c};
	err = check(&c, volume, vkey, ret);
	ht_archive_wants_fini(&c.wants);
	ht_erasure_free(&c.list);
	return err;
}

enum ht_err
ht_archive_check(struct ht_archive *archive, const struct ht_vkey *vkey,
    struct ht_archive_seen *ret)
{
	HT_AUTO(ht_volume_close) struct ht_volume *volume = NULL;
	HT_AUTO(ht_vault_close) struct ht_vault *vault = NULL;
	enum ht_err err = ht_archive_volume(archive, &volume);

	*ret = (struct ht_archive_seen){0};
	if (err == HT_EINTEGRITY)
		return ht_archive_bad(archive, "it is not as it was written",
		    ht_archive_volume_name(archive));
	if (err == HT_OK)
		err = ht_archive_vault(
		    archive, ht_volume_head(volume)->env, &vault);
	return err == HT_OK ? ht_archive_check_volume(
	                          archive, volume, vault, vkey, NULL, ret)
	                    : err;
}
