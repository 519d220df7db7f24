/* SPDX-License-Identifier: MIT
 *
 * Lists of C values as parcels: encode and decode of sh_values_ops. */
#ifndef SH_VALUES_CODEC_H
#define SH_VALUES_CODEC_H

#include "stagehost/events.h"

/* The functions of the same names in sh_list_ops. */
int sh__values_encode(sh_worker *worker, const sh_batch *batch, sh_encode what,
                      sh_parcel *out, sh_error **error);
sh_list *sh__values_decode(sh_worker *worker, const sh_parcel *parcel, sh_error **error);

#endif
