#include "keys/pkcs11/token.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

#define CRYPTOKI_GNU /* names in small letters */
#include <p11-kit/pkcs11.h>

#include "lib/base/panic.h"

#define SLOTS_MAX 64
#define POINT_MAX 64

struct ht_token {
	void *library;
	struct ck_function_list *call;
	ck_session_handle_t session;
	bool has_session;
	ck_object_handle_t secret;
	struct ht_pub pub;
};

/* What is being opened, and whom to tell what is wrong. */
struct opening {
	const struct ht_token_ref *ref;
	const char *pin;
	const char *where;
	struct ht_report *report;
	struct ht_token *token;
};

/* ---- errors ---- */

static const struct {
	ck_rv_t rv;
	enum ht_err err;
	const char *text;
} known[] = {
    {CKR_PIN_INCORRECT,            HT_EDENIED,   "the PIN is wrong"                },
    {CKR_PIN_INVALID,              HT_EDENIED,   "that cannot be a PIN"            },
    {CKR_PIN_LEN_RANGE,            HT_EDENIED,   "the PIN is too short or too long"},
    {CKR_PIN_LOCKED,               HT_EDENIED,
     "the PIN is locked after too many wrong ones; its security officer "
        "can unlock it"                                                            },
    {CKR_USER_PIN_NOT_INITIALIZED, HT_EDENIED,   "the token has no PIN yet"        },
    {CKR_USER_NOT_LOGGED_IN,       HT_EDENIED,   "it needs its PIN"                },
    {CKR_MECHANISM_INVALID,        HT_EINVALID,
     "the token does not know Ed25519 (CKM_EDDSA)"                                 },
    {CKR_TOKEN_WRITE_PROTECTED,    HT_EDENIED,   "the token is write-protected"    },
    {CKR_DEVICE_REMOVED,           HT_ESYSTEM,   "the token was taken out"         },
    {CKR_TOKEN_NOT_PRESENT,        HT_ENOTFOUND, "there is no token in the slot"   },
};

static enum ht_err
failed(const struct opening *o, ck_rv_t rv, const char *doing)
{
	for (size_t i = 0; i < HT_COUNT(known); i++)
		if (known[i].rv == rv) {
			ht_report_add(o->report, o->where, "the token %s: %s",
			    o->ref->label, known[i].text);
			return known[i].err;
		}
	ht_report_add(o->report, o->where,
	    "the token %s: %s failed (PKCS#11 error 0x%lx)", o->ref->label,
	    doing, rv);
	return HT_ESYSTEM;
}

/* ---- the token's library ---- */

static enum ht_err
load(struct opening *o)
{
	struct ck_c_initialize_args args = {.flags = CKF_OS_LOCKING_OK};
	ck_rv_t (*get)(struct ck_function_list **) = NULL;
	ck_rv_t rv;
	void *symbol;

	o->token->library = dlopen(o->ref->module, RTLD_NOW | RTLD_LOCAL);
	if (o->token->library == NULL) {
		ht_report_add(o->report, o->where,
		    "the token's library cannot be loaded: %s", dlerror());
		return HT_ENOTFOUND;
	}
	symbol = dlsym(o->token->library, "C_GetFunctionList");
	memcpy(&get, &symbol, sizeof(get)); /* as POSIX has it */
	if (get == NULL || get(&o->token->call) != CKR_OK) {
		ht_report_add(o->report, o->where, "%s is no PKCS#11 library",
		    o->ref->module);
		return HT_EINVALID;
	}
	/* Another key of ours may have been here before. */
	rv = o->token->call->C_Initialize(&args);
	return rv == CKR_OK || rv == CKR_CRYPTOKI_ALREADY_INITIALIZED
	           ? HT_OK
	           : failed(o, rv, "starting its library");
}

/* PKCS#11 pads labels with spaces. */
static bool
has_label(const struct ck_token_info *info, const char *label)
{
	size_t len = sizeof(info->label);

	while (len > 0 && info->label[len - 1] == ' ')
		len--;
	return ht_slice_is(HT_SLICE(info->label, len), label);
}

static enum ht_err
find_slot(struct opening *o, ck_slot_id_t *ret)
{
	struct ck_function_list *call = o->token->call;
	ck_slot_id_t slots[SLOTS_MAX];
	unsigned long n = SLOTS_MAX;
	ck_rv_t rv = call->C_GetSlotList(1, slots, &n);

	if (rv != CKR_OK)
		return failed(o, rv, "listing its slots");
	for (unsigned long i = 0; i < n; i++) {
		struct ck_token_info info;

		if (call->C_GetTokenInfo(slots[i], &info) != CKR_OK ||
		    !has_label(&info, o->ref->label))
			continue;
		*ret = slots[i];
		return HT_OK;
	}
	ht_report_add(o->report, o->where,
	    "there is no token %s (%lu are there); put it in, or name another",
	    o->ref->label, n);
	return HT_ENOTFOUND;
}

static enum ht_err
log_in(struct opening *o, bool write)
{
	struct ck_function_list *call = o->token->call;
	ck_flags_t flags = CKF_SERIAL_SESSION | (write ? CKF_RW_SESSION : 0);
	unsigned char *pin = (unsigned char *)(uintptr_t)o->pin;
	ck_slot_id_t slot;
	ck_rv_t rv;
	enum ht_err err = find_slot(o, &slot);

	if (err != HT_OK)
		return err;
	rv = call->C_OpenSession(slot, flags, NULL, NULL, &o->token->session);
	if (rv != CKR_OK)
		return failed(o, rv, "opening a session");
	o->token->has_session = true;
	if (o->pin == NULL) {
		ht_report_add(o->report, o->where, "this key needs its PIN");
		return HT_EDENIED;
	}
	rv = call->C_Login(
	    o->token->session, CKU_USER, pin, (unsigned long)strlen(o->pin));
	return rv == CKR_OK || rv == CKR_USER_ALREADY_LOGGED_IN
	           ? HT_OK
	           : failed(o, rv, "the PIN");
}

/* ---- its objects ---- */

/* HT_ENOTFOUND without a finding: the caller knows what it means. */
static enum ht_err
find_object(struct opening *o, ck_object_class_t class, ck_object_handle_t *ret)
{
	struct ck_function_list *call = o->token->call;
	struct ck_attribute want[] = {
	    {CKA_CLASS, &class,                        sizeof(class) },
	    {CKA_ID,    (void *)(uintptr_t)o->ref->id, o->ref->id_len},
	};
	unsigned long n = 0;
	ck_rv_t rv =
	    call->C_FindObjectsInit(o->token->session, want, HT_COUNT(want));

	if (rv == CKR_OK) {
		rv = call->C_FindObjects(o->token->session, ret, 1, &n);
		(void)call->C_FindObjectsFinal(o->token->session);
	}
	if (rv != CKR_OK)
		return failed(o, rv, "looking for the key");
	return n == 1 ? HT_OK : HT_ENOTFOUND;
}

/* CKA_EC_POINT: an OCTET STRING around the point, or the bare point. */
static bool
point_of(struct opening *o, ck_object_handle_t public)
{
	uint8_t point[POINT_MAX];
	struct ck_attribute get = {CKA_EC_POINT, point, sizeof(point)};
	size_t skip;

	if (o->token->call->C_GetAttributeValue(
	        o->token->session, public, &get, 1) != CKR_OK)
		return false;
	if (get.value_len != HT_PUB_SIZE && get.value_len != HT_PUB_SIZE + 2)
		return false;
	skip = get.value_len - HT_PUB_SIZE;
	if (skip == 2 && (point[0] != 0x04 || point[1] != HT_PUB_SIZE))
		return false;
	memcpy(o->token->pub.at, point + skip, HT_PUB_SIZE);
	return ht_pub_check_sign(&o->token->pub) == HT_OK;
}

static enum ht_err
find_key(struct opening *o)
{
	ck_object_handle_t public;
	enum ht_err err = find_object(o, CKO_PRIVATE_KEY, &o->token->secret);

	if (err == HT_OK)
		err = find_object(o, CKO_PUBLIC_KEY, &public);
	if (err == HT_ENOTFOUND)
		ht_report_add(o->report, o->where,
		    "the token %s has no key pair of that id", o->ref->label);
	if (err != HT_OK)
		return err;
	if (point_of(o, public))
		return HT_OK;
	ht_report_add(o->report, o->where,
	    "the key in the token %s is no Ed25519 key", o->ref->label);
	return HT_EINVALID;
}

static enum ht_err
generate(struct opening *o, const char *name)
{
	static const uint8_t curve[] = {0x13, 0x0c, 'e', 'd', 'w', 'a', 'r',
	    'd', 's', '2', '5', '5', '1', '9'};
	struct ck_mechanism how = {CKM_EC_EDWARDS_KEY_PAIR_GEN, NULL, 0};
	unsigned char yes = 1, no = 0;
	void *id = (void *)(uintptr_t)o->ref->id;
	void *label = (void *)(uintptr_t)name;
	struct ck_attribute public[] = {
	    {CKA_TOKEN,     &yes,                     1             },
	    {CKA_VERIFY,    &yes,                     1             },
	    {CKA_EC_PARAMS, (void *)(uintptr_t)curve, sizeof(curve) },
	    {CKA_ID,        id,                       o->ref->id_len},
	    {CKA_LABEL,     label,                    strlen(name)  },
	};
	struct ck_attribute secret[] = {
	    {CKA_TOKEN,       &yes,  1             },
	    {CKA_PRIVATE,     &yes,  1             },
	    {CKA_SENSITIVE,   &yes,  1             },
	    {CKA_EXTRACTABLE, &no,   1             },
	    {CKA_SIGN,        &yes,  1             },
	    {CKA_ID,          id,    o->ref->id_len},
	    {CKA_LABEL,       label, strlen(name)  },
	};
	ck_object_handle_t made[2];
	ck_rv_t rv =
	    o->token->call->C_GenerateKeyPair(o->token->session, &how, public,
	        HT_COUNT(public), secret, HT_COUNT(secret), &made[0], &made[1]);

	return rv == CKR_OK ? HT_OK : failed(o, rv, "making a key pair");
}

/* ---- outside ---- */

enum ht_err
ht_token_open(const struct ht_token_ref *ref, const char *pin,
    const char *where, struct ht_report *report, struct ht_token **ret)
{
	HT_AUTO(ht_token_close)
	struct ht_token *token = calloc(1, sizeof(*token));
	struct opening o = {ref, pin, where, report, token};
	enum ht_err err;

	if (token == NULL)
		return HT_ENOMEM;
	err = load(&o);
	if (err == HT_OK)
		err = log_in(&o, false);
	if (err == HT_OK)
		err = find_key(&o);
	if (err == HT_OK)
		*ret = HT_TAKE(token);
	return err;
}

enum ht_err
ht_token_make(const struct ht_token_ref *ref, const char *pin, const char *name,
    const char *where, struct ht_report *report, struct ht_token **ret)
{
	HT_AUTO(ht_token_close)
	struct ht_token *token = calloc(1, sizeof(*token));
	struct opening o = {ref, pin, where, report, token};
	ck_object_handle_t there;
	enum ht_err err;

	if (token == NULL)
		return HT_ENOMEM;
	err = load(&o);
	if (err == HT_OK)
		err = log_in(&o, true);
	if (err != HT_OK)
		return err;
	err = find_object(&o, CKO_PRIVATE_KEY, &there);
	if (err == HT_OK) {
		ht_report_add(report, where,
		    "the token %s has a key of that id already", ref->label);
		return HT_EEXISTS;
	}
	if (err == HT_ENOTFOUND)
		err = generate(&o, name);
	if (err == HT_OK)
		err = find_key(&o);
	if (err == HT_OK)
		*ret = HT_TAKE(token);
	return err;
}

void
ht_token_close(struct ht_token **token_p)
{
	struct ht_token *token = HT_TAKE(*token_p);

	if (token == NULL)
		return;
	if (token->has_session)
		(void)token->call->C_CloseSession(token->session);
	/*
	 * Neither finalized nor unloaded: other keys may use the library, and
	 * many of them do not survive being loaded twice.
	 */
	free(token);
}

struct ht_pub
ht_token_pub(const struct ht_token *token)
{
	return token->pub;
}

enum ht_err
ht_token_sign(
    struct ht_token *token, struct ht_slice message, struct ht_sig *ret)
{
	struct ck_mechanism how = {CKM_EDDSA, NULL, 0};
	unsigned long len = sizeof(ret->at);
	unsigned char *bytes = (unsigned char *)(uintptr_t)message.at;

	if (token->call->C_SignInit(token->session, &how, token->secret) !=
	        CKR_OK ||
	    token->call->C_Sign(
	        token->session, bytes, message.len, ret->at, &len) != CKR_OK ||
	    len != sizeof(ret->at))
		return HT_ESYSTEM;
	/* A token that fails in silence must not sign in our name. */
	return ht_verify(&token->pub, "", message, ret) == HT_OK ? HT_OK
	                                                         : HT_ESYSTEM;
}
