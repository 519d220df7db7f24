/* SPDX-License-Identifier: MIT
 *
 * Strings among partitions. */
#include "stagehost/hash.h"
#include "stagehost/text.h"

void sh_text_hash(sh_strings_view in, const sh_field *field, uint32_t n, uint32_t *places)
{
    for (uint32_t i = 0; i < in.n; i++) {
        sh_span span = sh_field_find(field, in.bytes, in.spans[i]);
        places[i] = sh_hash_place(sh_hash_bytes(in.bytes + span.start, span.len), n);
    }
}
