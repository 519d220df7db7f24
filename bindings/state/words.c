/* SPDX-License-Identifier: MIT */
#include "state/words.h"

#include "stagehost.h"

#define XX(name, word) word,
const char *const shl_kind_words[] = {SH_KIND_MAP(XX) NULL};
const char *const shl_demand_mode_words[] = {SH_DEMAND_MODE_MAP(XX) NULL};
const char *const shl_cancel_words[] = {SH_CANCEL_MAP(XX) NULL};
const char *const shl_keep_words[] = {SH_KEEP_MAP(XX) NULL};
const char *const shl_on_error_words[] = {SH_ON_ERROR_MAP(XX) NULL};
#undef XX
