/*
 * admin.h -- who may do what at the broker (docs/roles.md): three roles, a
 * table of commands, and the text that an administrator signs.  Pure.
 */
#ifndef HT_BROKER_ADMIN_H
#define HT_BROKER_ADMIN_H

#include "schemas/trust.h"

#define HT_ADMIN_LABEL    "hutong-admin/v1\n"
#define HT_ADMIN_LINE_MAX 128 /* bytes of a command's line */

enum ht_admin_verdict {
	HT_ADMIN_YES,
	HT_ADMIN_UNKNOWN,    /* there is no such command */
	HT_ADMIN_NEEDS_KEY,  /* it is an act, and nobody has signed it */
	HT_ADMIN_NOT_ROLE,   /* it is another role's */
	HT_ADMIN_NOT_SOCKET, /* the key is not of the socket's role */
};

/*
 * May this line be obeyed?  @parted: the root names administrators.  @socket:
 * whose it came through.  @key: the role of the key that signed it, HT_ROLES
 * for none.  *ret_owner (may be NULL) is the role whose command it is, if it
 * is an act.
 */
enum ht_admin_verdict ht_admin_decide(bool parted, enum ht_role socket,
    enum ht_role key, const char *line, enum ht_role *ret_owner);
/* Is it a command at all, and does it need a key where roles are parted? */
bool ht_admin_is_act(const char *line);

/* A line as it came: a command, or "as NAME SIGNATURE COMMAND". */
struct ht_admin_line {
	bool is_signed;
	char name[HT_VKEY_NAME_MAX];
	struct ht_sig sig;
	const char *command; /* in @text */
};
/* Take it apart.  Errors: HT_EMALFORMED, also for a command too long. */
enum ht_err ht_admin_parse(const char *text, struct ht_admin_line *ret)
    HT_MUST_USE;

/* Append what is signed, behind HT_ADMIN_LABEL; @challenge in hex, @body what
 * follows the line. */
void ht_admin_text(struct ht_buf *out, const char *log, enum ht_role role,
    const char *challenge, const char *line, struct ht_slice body);
/*
 * Whose signature is it?  The administrator of that name in @root, with the
 * role in *ret_role.  Errors: HT_ENOTFOUND; HT_EBADSIG.
 */
enum ht_err ht_admin_signed(const struct ht_root *root, const char *name,
    const struct ht_sig *sig, const char *challenge, const char *line,
    struct ht_slice body, enum ht_role *ret_role) HT_MUST_USE;
/* The role of a key that is in hand; HT_ROLES if it is no administrator's. */
enum ht_role ht_admin_role_of(
    const struct ht_root *root, const struct ht_pub *pub);

/* Refusals that get an entry of the log, a minute: they are no weapon. */
#define HT_ADMIN_REFUSALS 12
struct ht_admin_refusals {
	uint64_t since_ms;
	unsigned n;    /* entries in this minute */
	uint64_t left; /* refusals that had none, since the last entry */
};
/* An entry for one more?  Then *ret_left is how many before it had none. */
bool ht_admin_refusal(
    struct ht_admin_refusals *r, uint64_t now_ms, uint64_t *ret_left);

#endif
