/* SPDX-License-Identifier: MIT */
#include "events/transfer_parcel.h"

#include <string.h>

#include "state/handle.h"

struct parcel_head {
    uint32_t kind;
    uint32_t n;
    uint64_t n_handles;
    uint64_t len;
};

static void release_handles(struct shl_parcel_handle *handles, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (handles[i].stage)
            sh_stage_unref(handles[i].stage);
        else
            sh_subscription_unref(handles[i].subscription);
    }
}

static void free_parcel(void *data, size_t len)
{
    const struct parcel_head *head = data;
    (void)len;
    release_handles((struct shl_parcel_handle *)(head + 1), (size_t)head->n_handles);
    sh_free(data);
}

/* The table holds only handles, and keeps their userdata alive meanwhile. */
static void take_handles(lua_State *L, int table, struct shl_parcel_handle *out, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        lua_rawgeti(L, table, (int)i + 1);
        sh_stage *stage = shl_test_stage(L, -1);
        out[i].stage = stage ? sh_stage_ref(stage) : NULL;
        out[i].subscription =
            stage ? NULL : sh_subscription_ref(shl_test_subscription(L, -1));
        lua_pop(L, 1);
    }
}

int shl_parcel_new(lua_State *L, const struct shl_parcel_view *view, int handles,
                   sh_parcel *out)
{
    size_t n_handles = handles ? lua_objlen(L, handles) : 0;
    size_t before =
        sizeof(struct parcel_head) + n_handles * sizeof(struct shl_parcel_handle);
    struct parcel_head *head = sh_malloc(before + view->len);
    if (!head)
        return SH_ENOMEM;
    *head = (struct parcel_head){view->kind, view->n, n_handles, view->len};
    if (n_handles > 0)
        take_handles(L, handles, (struct shl_parcel_handle *)(head + 1), n_handles);
    memcpy((char *)head + before, view->body, view->len);
    *out = (sh_parcel){.data = head, .len = before + view->len, .free = free_parcel};
    return SH_OK;
}

bool shl_parcel_read(const sh_parcel *parcel, struct shl_parcel_view *out)
{
    const struct parcel_head *head = parcel->data;
    if (!head || parcel->len < sizeof *head || head->kind >= SHL_N_PARCEL_KINDS)
        return false;
    size_t left = parcel->len - sizeof *head;
    if (head->n_handles > left / sizeof(struct shl_parcel_handle))
        return false;
    left -= (size_t)head->n_handles * sizeof(struct shl_parcel_handle);
    if (head->len != left)
        return false;
    const struct shl_parcel_handle *handles = (const struct shl_parcel_handle *)(head + 1);
    *out = (struct shl_parcel_view){
        .kind = (enum shl_parcel_kind)head->kind,
        .n = head->n,
        .n_handles = (uint32_t)head->n_handles,
        .handles = handles,
        .body = handles + head->n_handles,
        .len = left,
    };
    return true;
}

void shl_parcel_push_handles(lua_State *L, const struct shl_parcel_view *view)
{
    lua_createtable(L, (int)view->n_handles, 0);
    for (uint32_t i = 0; i < view->n_handles; i++) {
        if (view->handles[i].stage)
            shl_push_stage(L, view->handles[i].stage);
        else
            shl_push_subscription(L, view->handles[i].subscription);
        lua_rawseti(L, -2, (int)i + 1);
    }
}
