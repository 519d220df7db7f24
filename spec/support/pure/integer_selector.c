/* SPDX-License-Identifier: MIT */
#include "integer_selector.h"

#include <stdlib.h>

#include "dispatch_rig.h"

struct selector {
    sh_selector base;
    int64_t modulus;
    int *n_freed;
};

static int selector_select(sh_selector *base, sh_worker *worker, sh_batch in, sh_batch *out,
                           sh_error **error)
{
    struct selector *self = (struct selector *)base;
    sh_value chosen[64];
    size_t n = 0;
    (void)worker;
    if (self->modulus < 0) {
        *error = sh_error_fmt(SH_REASON_RAISED, SH_EFAILED, "oops", "can't choose");
        return SH_EFAILED;
    }
    for (uint32_t i = 0; i < in.n; i++)
        if (self->modulus > 0 && rig_integer(in, i) % self->modulus == 0)
            chosen[n++] = sh_batch_values(in)[i];
    return sh_batch_from_values(chosen, n, out);
}

static void selector_free(sh_selector *base)
{
    struct selector *self = (struct selector *)base;
    if (self->n_freed)
        ++*self->n_freed;
    free(self);
}

sh_selector *multiples_of(int64_t modulus, int *n_freed)
{
    struct selector *self = malloc(sizeof *self);
    *self = (struct selector){{selector_select, selector_free}, modulus, n_freed};
    return &self->base;
}
