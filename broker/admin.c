#include "broker/admin.h"

#include <string.h>

#define MINUTE_MS 60000

/* ---- the table ---- */

static const struct command {
	const char *word;
	bool more; /* with something behind it: "backup 17" */
	bool act;
	enum ht_role owner; /* of an act */
} commands[] = {
    {"status",        false, false, HT_ROLES        },
    {"nodes",         false, false, HT_ROLES        },
    {"witnesses",     false, false, HT_ROLES        },
    {"erasure",       false, false, HT_ROLES        },
    {"backup",        false, false, HT_ROLES        },
    {"backup",        true,  true,  HT_ROLE_SYSTEM  },
    {"volumes",       false, false, HT_ROLES        },
    {"close-volume",  false, true,  HT_ROLE_SYSTEM  },
    {"stop",          false, true,  HT_ROLE_SYSTEM  },
    {"front-restart", false, true,  HT_ROLE_SYSTEM  },
    {"reload",        false, true,  HT_ROLE_SECURITY},
    {"resume",        false, true,  HT_ROLE_SECURITY},
    {"forgive",       false, true,  HT_ROLE_SECURITY},
    {"erase",         true,  true,  HT_ROLE_AUDIT   },
    {"disclose",      true,  true,  HT_ROLE_AUDIT   },
    {"remove",        true,  true,  HT_ROLE_AUDIT   },
};

static const struct command *
find(const char *line)
{
	for (size_t i = 0; i < HT_COUNT(commands); i++) {
		const struct command *c = &commands[i];
		size_t len = strlen(c->word);

		if (strncmp(line, c->word, len) == 0 &&
		    line[len] == (c->more ? ' ' : '\0'))
			return c;
	}
	return NULL;
}

bool
ht_admin_is_act(const char *line)
{
	const struct command *c = find(line);

	return c != NULL && c->act;
}

enum ht_admin_verdict
ht_admin_decide(bool parted, enum ht_role socket, enum ht_role key,
    const char *line, enum ht_role *ret_owner)
{
	const struct command *c = find(line);

	if (c == NULL)
		return HT_ADMIN_UNKNOWN;
	if (ret_owner != NULL)
		*ret_owner = c->owner;
	if (!parted)
		return socket == HT_ROLE_SYSTEM ? HT_ADMIN_YES
		                                : HT_ADMIN_NOT_SOCKET;
	if (key != HT_ROLES && key != socket)
		return HT_ADMIN_NOT_SOCKET;
	if (!c->act)
		return HT_ADMIN_YES;
	if (key == HT_ROLES)
		return HT_ADMIN_NEEDS_KEY;
	return key == c->owner ? HT_ADMIN_YES : HT_ADMIN_NOT_ROLE;
}

/* ---- a line ---- */

/* The next word of @rest, which goes behind the space; false for none. */
static bool
next_word(const char **rest, struct ht_slice *ret)
{
	const char *space = strchr(*rest, ' ');

	if (space == NULL)
		return false;
	*ret = HT_SLICE(*rest, (size_t)(space - *rest));
	*rest = space + 1;
	return true;
}

static enum ht_err
parse_signed(const char **rest, struct ht_admin_line *ret)
{
	struct ht_slice name, b64;
	size_t len = 0;

	if (!next_word(rest, &name) || !next_word(rest, &b64) ||
	    name.len == 0 || name.len >= sizeof(ret->name) ||
	    ht_unb64(b64, ret->sig.at, sizeof(ret->sig.at), &len) != HT_OK ||
	    len != sizeof(ret->sig.at))
		return HT_EMALFORMED;
	memcpy(ret->name, name.at, name.len);
	ret->name[name.len] = '\0';
	ret->is_signed = true;
	return HT_OK;
}

enum ht_err
ht_admin_parse(const char *text, struct ht_admin_line *ret)
{
	struct ht_admin_line line = {0};
	enum ht_err err = HT_OK;

	if (strncmp(text, "as ", 3) == 0) {
		text += 3;
		err = parse_signed(&text, &line);
	}
	line.command = text;
	if (err == HT_OK && strlen(text) >= HT_ADMIN_LINE_MAX)
		err = HT_EMALFORMED;
	if (err == HT_OK)
		*ret = line;
	return err;
}

/* ---- who signed ---- */

void
ht_admin_text(struct ht_buf *out, const char *log, enum ht_role role,
    const char *challenge, const char *line, struct ht_slice body)
{
	struct ht_hash hash = ht_sha256(body);
	char hex[2 * HT_HASH_SIZE + 1];

	ht_hex(hex, hash.at, sizeof(hash.at));
	ht_buf_fmt(out, "%s\n%s\n%s\n%s\n%s\n", log, ht_role_text(role),
	    challenge, line, hex);
}

static const struct ht_vkey *
named(const struct ht_root *root, const char *name, enum ht_role *ret)
{
	for (enum ht_role role = 0; role < HT_ROLES; role++)
		for (unsigned i = 0; i < root->n_admins[role]; i++)
			if (strcmp(root->admins[role][i].name, name) == 0) {
				*ret = role;
				return &root->admins[role][i];
			}
	return NULL;
}

enum ht_err
ht_admin_signed(const struct ht_root *root, const char *name,
    const struct ht_sig *sig, const char *challenge, const char *line,
    struct ht_slice body, enum ht_role *ret_role)
{
	HT_AUTO(ht_buf_fini) struct ht_buf text = HT_BUF(4096);
	const struct ht_vkey *vkey = named(root, name, ret_role);

	if (vkey == NULL)
		return HT_ENOTFOUND;
	ht_admin_text(&text, root->log.name, *ret_role, challenge, line, body);
	if (text.err != HT_OK)
		return text.err;
	return ht_verify(&vkey->pub, HT_ADMIN_LABEL, ht_buf_slice(&text), sig);
}

enum ht_role
ht_admin_role_of(const struct ht_root *root, const struct ht_pub *pub)
{
	for (enum ht_role role = 0; role < HT_ROLES; role++)
		for (unsigned i = 0; i < root->n_admins[role]; i++)
			if (memcmp(&root->admins[role][i].pub, pub,
			        sizeof(*pub)) == 0)
				return role;
	return HT_ROLES;
}

/* ---- the budget of refusals ---- */

bool
ht_admin_refusal(
    struct ht_admin_refusals *r, uint64_t now_ms, uint64_t *ret_left)
{
	if (r->n == 0 || now_ms - r->since_ms >= MINUTE_MS) {
		r->since_ms = now_ms;
		r->n = 0;
	}
	if (r->n >= HT_ADMIN_REFUSALS) {
		r->left++;
		return false;
	}
	r->n++;
	*ret_left = r->left;
	r->left = 0;
	return true;
}
