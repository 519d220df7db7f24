/* SPDX-License-Identifier: MIT
 *
 * The words of options. Each list is in the order of its enum, and ends with NULL. */
#ifndef SHL_WORDS_H
#define SHL_WORDS_H

extern const char *const shl_kind_words[];
extern const char *const shl_demand_mode_words[];
/* From SH_CANCEL_PERMANENT on: SH_CANCEL_DEFAULT has no word. */
extern const char *const shl_cancel_words[];
extern const char *const shl_keep_words[];
extern const char *const shl_on_error_words[];

#endif
