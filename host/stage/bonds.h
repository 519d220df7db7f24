/* SPDX-License-Identifier: MIT
 *
 * Other stages that a stage has something to do with when it ends, by number: the other's id
 * for a link, the monitor's number for a monitor. Open addressing, at most half full, hashed
 * by the number alone so that a seeded run is the same each time. All zero is empty. */
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

/* NULL: there is none. Valid until the next change. */
struct sh__bond *sh__bonds_find(const struct sh__bonds *bonds, uint64_t key);
/* Adds a bond (key > 0, not there yet) with a reference of its own. SH_ENOMEM. */
int sh__bonds_add(struct sh__bonds *bonds, uint64_t key, sh_stage *peer);
/* Takes one out that is in it, and drops its reference. */
void sh__bonds_remove(struct sh__bonds *bonds, struct sh__bond *bond);
/* Drops all references and the memory: empty again. */
void sh__bonds_fini(struct sh__bonds *bonds);

#endif
