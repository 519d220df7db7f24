/* SPDX-License-Identifier: MIT
 *
 * A table of the stages to tell when a stage ends, or to hear from, by number: the other's id for a
 * link, the monitor's number for a monitor. Open addressing, at most half full, hashed by the
 * number alone so that a seeded run is the same each time. All zero is empty. */
#ifndef SH_BONDS_H
#define SH_BONDS_H

#include "stagehost/stage.h"

struct sh__bond {
    uint64_t key;   /* 0: a free slot */
    sh_stage *peer; /* a reference */
    /* Links: the number of an unlink that the peer has not confirmed yet; 0: linked. */
    uint64_t unlinking;
};

struct sh__bonds {
    struct sh__bond *slots; /* capacity is a power of two */
    uint32_t capacity, n;
};

/* The bond with that key, valid until the next change; NULL: there is none. */
struct sh__bond *sh__bonds_find(const struct sh__bonds *bonds, uint64_t key);
/* Adds a bond (key > 0, not there yet) with a reference of its own. SH_ENOMEM. */
int sh__bonds_add(struct sh__bonds *bonds, uint64_t key, sh_stage *peer);
/* Removes a bond that is in the table, and drops its reference. */
void sh__bonds_remove(struct sh__bonds *bonds, struct sh__bond *bond);
/* Drops all references and the memory: the table is empty again. */
void sh__bonds_fini(struct sh__bonds *bonds);

#endif
