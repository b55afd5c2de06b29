/*
 * world_disk.c -- a world written down, for real processes to be started on.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "keys/keyfile.h"
#include "lib/base/fs.h"
#include "tests/lib/world.h"

static void
must(enum ht_err err, const char *what)
{
	if (err == HT_OK)
		return;
	fprintf(stderr, "world: %s: %s\n", what, ht_err_text(err));
	abort();
}

static void *
some(void *memory)
{
	must(memory == NULL ? HT_ENOMEM : HT_OK, "memory");
	return memory;
}

static void
write_file(const char *dir, const char *name, struct ht_slice bytes)
{
	HT_AUTO(ht_mem_free) char *path = some(ht_fs_join(dir, name));
	char *slash = strrchr(path, '/');

	*slash = '\0';
	must(ht_fs_mkdirs(path, 0755), path);
	*slash = '/';
	must(ht_fs_replace(path, 0644, bytes), path);
}

static void
write_key(const char *dir, const char *file, const char *name,
    const struct ht_key *key)
{
	HT_AUTO(ht_mem_free) char *path = some(ht_fs_join(dir, file));
	char *slash = strrchr(path, '/');

	*slash = '\0';
	must(ht_fs_mkdirs(path, 0700), path);
	*slash = '/';
	must(ht_keyfile_write(path, name, key, NULL), path);
}

static void
write_member_keys(const char *dir, const struct ht_world_member *m)
{
	char file[512], name[256];

#define FILE_OF(...) (snprintf(file, sizeof(file), __VA_ARGS__), file)
#define NAME_OF(...) (snprintf(name, sizeof(name), __VA_ARGS__), name)
	write_key(
	    dir, FILE_OF("%s/identity.key", m->name), m->name, m->identity);
	write_key(dir, FILE_OF("%s/officer.key", m->name),
	    NAME_OF("%s/officer", m->name), m->officer);
	write_key(dir, FILE_OF("%s/sealing.key", m->name), m->name, m->sealing);
	for (size_t n = 0; n < 2 && m->nodes[n].name != NULL; n++) {
		const struct ht_world_node *node = &m->nodes[n];

		write_key(dir,
		    FILE_OF("%s/%s-signing.key", m->name, node->name),
		    NAME_OF("%s/%s", m->name, node->name), node->signing);
		write_key(dir,
		    FILE_OF("%s/%s-transport.key", m->name, node->name),
		    NAME_OF("%s/%s", m->name, node->name), node->transport);
	}
#undef FILE_OF
#undef NAME_OF
}

static void
write_keys(const struct ht_world *w, const char *dir)
{
	write_key(dir, "officer-1.key", "gx.demo/officer-1", w->officers[0]);
	write_key(dir, "officer-2.key", "gx.demo/officer-2", w->officers[1]);
	write_key(dir, "officer-3.key", "gx.demo/officer-3", w->officers[2]);
	write_key(dir, "snapshot.key", "gx.demo/snapshot", w->snapshot_key);
	write_key(dir, "current.key", "gx.demo/current", w->current_key);
	write_key(dir, "log.key", "gx.demo/log", w->log_key);
	write_key(dir, "witness.key", "gx.demo/witness-1", w->witness);
	write_key(dir, "auditor.key", "gx.demo/auditor-1", w->auditor);
	write_key(dir, "broker.key", "gx.demo/broker", w->broker);
	write_key(dir, "annex.key", "gx.demo/e1", w->annex);
	write_key(dir, "tracker.key", "gx.demo/e1", w->tracker);
	for (size_t i = 0; i < HT_W_MEMBERS; i++)
		write_member_keys(dir, &w->members[i]);
}

void
ht_world_write(const struct ht_world *w, const char *dir)
{
	HT_AUTO(ht_mem_free)
	char *authority = some(ht_fs_join(dir, "authority"));
	HT_AUTO(ht_mem_free) char *keys = some(ht_fs_join(dir, "keys"));

	for (size_t i = 0; i < w->n_docs; i++)
		write_file(authority, w->names[i], w->notes[i]);
	write_file(authority, "snapshot.note", ht_buf_slice(&w->snapshot));
	write_file(authority, "snapshot.list", ht_buf_slice(&w->list));
	write_file(authority, "current.note", ht_buf_slice(&w->current));
	write_keys(w, keys);
}
