/* SPDX-License-Identifier: MIT */
#include "buffer_rig.h"

#include <stdio.h>
#include <string.h>

#include "dispatch_rig.h"
#include "events/batch.h"
#include "test.h"

struct sh__buffer buffer;
char words[65536];

void start(int64_t size, sh_keep keep)
{
    sh__buffer_init(&buffer, size, keep);
}

void stop(void)
{
    sh__buffer_fini(&buffer);
}

void write_markers(struct sh__markers *released)
{
    sh_marker *marker;
    while ((marker = sh__markers_pop(released)) != NULL) {
        sprintf(words + strlen(words), "%s!%d", words[0] ? " " : "",
                (int)rig_integer(marker->message, 0));
        sh__marker_free(marker);
    }
}

int64_t store(int64_t first, uint32_t n)
{
    struct sh__markers released = {0};
    uint64_t discarded = 99;
    words[0] = '\0';
    CHECK_INT(sh__buffer_store(&buffer, rig_integers(first, n), &released, &discarded),
              SH_OK);
    write_markers(&released);
    return (int64_t)discarded;
}

int mark(int64_t id)
{
    sh_marker *marker = sh__marker_new(SH__MARKER_INFO, rig_integers(id, 1));
    int status = sh__buffer_mark(&buffer, marker);
    if (status != SH_OK)
        sh__marker_free(marker);
    return status;
}

const char *take_once(int64_t n)
{
    struct sh__markers released = {0};
    sh_batch *parts;
    uint32_t n_parts;
    words[0] = '\0';
    int64_t before = buffer.count;
    int64_t got = sh__buffer_take(&buffer, n, &parts, &n_parts, &released);
    CHECK(got <= n);
    CHECK_INT(buffer.count, before - got);
    CHECK((got == 0) == (before == 0 || n == 0));
    for (uint32_t p = 0; p < n_parts; p++) {
        for (uint32_t i = 0; i < parts[p].n; i++)
            sprintf(words + strlen(words), "%s%d", words[0] ? " " : "",
                    (int)rig_integer(parts[p], i));
        got -= parts[p].n;
        sh__batch_unref(parts[p]);
    }
    CHECK_INT(got, 0);
    write_markers(&released);
    return words;
}
