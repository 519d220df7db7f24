/* SPDX-License-Identifier: MIT
 *
 * What stages say to each other: numbers and reasons. */
#include <stdlib.h>
#include <string.h>

#include "model.h"

sh_batch model_batch(int64_t number)
{
    sh_value value = {.type = SH_INTEGER, .u.integer = number};
    sh_batch batch = {0};
    if (sh_batch_from_values(&value, 1, &batch) < 0)
        abort();
    return batch;
}

int64_t model_number(sh_batch message)
{
    return sh_batch_values(message)->u.integer;
}

sh_error *model_reason(uint32_t k)
{
    switch (k % 4) {
    case 0:
        return NULL;
    case 1:
        return sh_error_fmt(SH_REASON_SHUTDOWN, 0, NULL, "shut down");
    case 2:
        return sh_error_fmt(SH_REASON_CUSTOM, 0, "oops", "oops");
    default:
        return sh_error_fmt(SH_REASON_CUSTOM, 0, "boom", "boom");
    }
}

const char *model_reason_name(const sh_error *reason)
{
    static const char *const names[] = {"normal",
                                        "shutdown",
                                        "killed",
                                        "noproc",
                                        "oops",
                                        "boom",
                                        "already_subscribed",
                                        "partition_unknown",
                                        "partition_taken",
                                        "again"};
    const char *name = sh_error_get(reason)->name;
    for (size_t i = 0; name && i < sizeof names / sizeof *names; i++)
        if (strcmp(name, names[i]) == 0)
            return names[i];
    return "";
}
