/* SPDX-License-Identifier: MIT
 *
 * stagehost.h - demand-driven stages on libuv: the public interface of the core.
 *
 * Reading order
 *   base.h          the names of the types, result codes, errors, allocation
 *   events.h        lists and batches of events; lists of C values
 *   strings.h       packed strings: lists of strings that travel by reference
 *   text.h          operators on them: lines, fields, patterns, hashes, counts
 *   hash.h          hashes of values, the same everywhere
 *   combine.h       partial reductions of what a stage emits
 *   stage.h         what a stage is; starting stages, and talking to them
 *   subscription.h  what a consumer wants of a producer
 *   dispatcher.h    for authors of dispatchers, and the options of the built-in dispatchers
 *   host.h          for embedders: running stages, logs, the end
 *   inlet.h         for embedders: events from other threads
 *
 * Rules that hold everywhere
 *   - All option structs: zero means default; they are copied before the call returns.
 *   - `int` results are SH_OK or a negative SH_E* code; sh_strerror() gives the text.
 *   - `_new/_free` heap objects, `_ref/_unref` shared objects. A function that takes
 *     ownership ("takes") takes it on failure too; everything else is borrowed.
 *   - Threads: a function with an sh_worker parameter may only be called on that worker's
 *     thread. Every other function says which threads may call it.
 *   - The library never prints, exits or installs a signal handler. */
#ifndef STAGEHOST_H
#define STAGEHOST_H

#define SH_VERSION "0.1.0"

#include "stagehost/base.h"
#include "stagehost/combine.h"
#include "stagehost/dispatcher.h"
#include "stagehost/events.h"
#include "stagehost/hash.h"
#include "stagehost/host.h"
#include "stagehost/inlet.h"
#include "stagehost/stage.h"
#include "stagehost/strings.h"
#include "stagehost/subscription.h"
#include "stagehost/text.h"

#endif
