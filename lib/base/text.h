/*
 * text.h -- UTF-8 inside, GB 18030 at the doors, and text that cannot play
 * tricks on a terminal.
 */
#ifndef HT_BASE_TEXT_H
#define HT_BASE_TEXT_H

#include "lib/base/bytes.h"

/* RFC 3629: shortest forms only, no surrogates, nothing past U+10FFFF. */
bool ht_utf8_valid(struct ht_slice text);
/* Code points, or 0 for invalid text. */
size_t ht_utf8_count(struct ht_slice text);
/* The longest prefix of at most max bytes that cuts no character. */
size_t ht_utf8_cut(struct ht_slice text, size_t max);

/*
 * The next line of @rest, without its "\n", which must be there; @rest goes
 * behind it.  False at the end, or where no "\n" follows.
 */
bool ht_text_line(struct ht_slice *rest, struct ht_slice *ret);

/*
 * Append text with control characters, line and bidirectional controls, and
 * invalid bytes written as \xNN or \u{NNNN}.  Tab and newline too.
 */
void ht_text_safe(struct ht_buf *out, struct ht_slice text);

/*
 * Where the first such character stands that is not a tab or a line's end; -1
 * if there is none.  *ret_point is the character.  @text is valid UTF-8 up to
 * there, or the place of what is not.
 */
long ht_text_trick(struct ht_slice text, uint32_t *ret_point);
/* The same in text of one line: a tab and a line's end are such, too. */
long ht_text_trick_line(struct ht_slice text, uint32_t *ret_point);

/*
 * The same for JSON text, without loss: what ht_text_safe() would write
 * otherwise becomes \uNNNN, which means the same to every reader.  @json is
 * valid UTF-8, and has such characters inside strings alone.
 */
void ht_text_safe_json(struct ht_buf *out, struct ht_slice json);

/* GB 18030 to UTF-8 and back.  HT_EMALFORMED names no byte: see *ret_bad. */
enum ht_err ht_text_from_gb18030(
    struct ht_slice in, struct ht_buf *out, size_t *ret_bad) HT_MUST_USE;
enum ht_err ht_text_to_gb18030(
    struct ht_slice in, struct ht_buf *out, size_t *ret_bad) HT_MUST_USE;

/*
 * A global name: "domain/name", each part [A-Za-z0-9][A-Za-z0-9.-]*, each at
 * most 64 bytes, ASCII only (so that no letter can pose as another).
 * ht_name_part() checks one part alone.
 */
bool ht_name_valid(struct ht_slice name);
bool ht_name_part(struct ht_slice part);

#endif
