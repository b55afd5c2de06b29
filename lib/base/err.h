/*
 * err.h -- the one vocabulary of errors inside the program.
 *
 * The table is the enum and the text.  Codes that cross the wire are another
 * vocabulary, for other readers: schemas/status.h.  Foreign codes (errno,
 * zmq, lmdb, ...) are translated once, in the folder that owns the library.
 */
#ifndef HT_BASE_ERR_H
#define HT_BASE_ERR_H

#define HT_MUST_USE __attribute__((warn_unused_result))

#define HT_ERR_MAP(X)                                                          \
	X(HT_ENOMEM, -1, "out of memory")                                      \
	X(HT_EMALFORMED, -2, "the bytes do not have the promised form")        \
	X(HT_EPROTOCOL, -3, "the message is not legal in this state")          \
	X(HT_EDENIED, -4, "denied")                                            \
	X(HT_EBADSIG, -5, "a signature or seal does not verify")               \
	X(HT_ENOTFOUND, -6, "not found")                                       \
	X(HT_EEXISTS, -7, "it exists already and is never overwritten")        \
	X(HT_ETOOBIG, -8, "a limit was reached")                               \
	X(HT_ESTORE, -9, "the store failed")                                   \
	X(HT_ESYSTEM, -10, "a system call failed; see errno")                  \
	X(HT_EROLLBACK, -11, "older than what was seen before")                \
	X(HT_EINVALID, -12, "the content breaks a rule")                       \
	X(HT_EAGAIN, -13, "not now; try again")                                \
	X(HT_ETIMEOUT, -14, "the time allowed has passed")                     \
	X(HT_EEXPIRED, -15, "its period is over")                              \
	X(HT_EINTEGRITY, -16, "the log or a proof does not hold")              \
	X(HT_EERASED, -17, "erased, on a legal basis that the log names")      \
	X(HT_EGONE, -18, "the entry's volume is not here")

enum ht_err {
	HT_OK = 0,
#define HT_ERR_ENUM(name, value, text) name = (value),
	HT_ERR_MAP(HT_ERR_ENUM)
#undef HT_ERR_ENUM
};

/* A sentence without a full stop; never NULL. */
const char *ht_err_text(enum ht_err err);

#endif
