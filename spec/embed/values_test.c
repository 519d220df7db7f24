/* SPDX-License-Identifier: MIT
 *
 * C values in Lua and back: a producer in C, a stage in Lua that passes its events on, a
 * consumer in C. */
#include <stagehost_lua.h>
#include <string.h>

#include "test.h"

static int n_freed;

static void free_pointer(void *data)
{
    (void)data;
    n_freed++;
}

/* -- the stages in C: one list of events out, one in ------------------------------------- */

static int target; /* what the pointer points to */

static sh_value integer(int64_t n)
{
    return (sh_value){.type = SH_INTEGER, .u.integer = n};
}

static sh_value number(double n)
{
    return (sh_value){.type = SH_NUMBER, .u.number = n};
}

static sh_value string(const char *data, size_t len)
{
    return (sh_value){.type = SH_STRING, .u.string = {data, len}};
}

static int emit(sh_stage *self, void *state, int64_t n, sh_result *r)
{
    (void)self, (void)state, (void)n;
    sh_value list[] = {integer(1), string("two", 3)};
    sh_value map[] = {string("key", 3), integer(7), integer(-1), {.type = SH_LIST}};
    sh_value events[] = {
        {.type = SH_BOOLEAN, .u.boolean = true},
        integer(42),
        integer(INT64_C(1) << 53),
        integer((INT64_C(1) << 53) + 1),
        integer(INT64_MIN),
        number(0.5),
        number(3.0),
        string("a\0b", 3),
        {.type = SH_LIST, .u.list = {list, 2}},
        {.type = SH_MAP, .u.map = {map, 2}},
        {.type = SH_POINTER, .u.pointer = {&target, free_pointer}},
    };
    r->stop = true;
    return sh_batch_from_values(events, sizeof events / sizeof *events, &r->events) < 0
               ? SH_EFAILED
               : SH_DONE;
}

static void check_events(const sh_value *v)
{
    CHECK_INT(v[0].type, SH_BOOLEAN);
    CHECK(v[0].u.boolean);
    CHECK_INT(v[1].u.integer, 42);
    CHECK_INT(v[2].u.integer, INT64_C(1) << 53);
    CHECK_INT(v[3].type, SH_INTEGER);
    CHECK_INT(v[3].u.integer, (INT64_C(1) << 53) + 1);
    CHECK_INT(v[4].u.integer, INT64_MIN);
    CHECK_INT(v[5].type, SH_NUMBER);
    CHECK(v[5].u.number == 0.5);
    CHECK_INT(v[6].type, SH_INTEGER); /* Lua has one type of numbers */
    CHECK_INT(v[7].u.string.len, 3);
    CHECK(memcmp(v[7].u.string.data, "a\0b", 3) == 0);
    CHECK_INT(v[8].type, SH_LIST);
    CHECK_INT(v[8].u.list.n, 2);
    CHECK_TEXT(v[8].u.list.items[1].u.string.data, "two");
    CHECK_INT(v[9].type, SH_MAP);
    CHECK_INT(v[9].u.map.n, 2);
    CHECK_INT(v[10].type, SH_POINTER);
    CHECK_POINTER(v[10].u.pointer.data, &target);
}

static uint32_t n_received;

static int receive(sh_stage *self, void *state, sh_batch events, sh_subscription *from,
                   sh_result *r)
{
    (void)state, (void)from, (void)r;
    sh_batch values;
    sh_error *error = NULL;
    if (CHECK_INT(sh_lua_to_values(sh_stage_worker(self), events, &values, &error),
                  SH_OK)) {
        n_received += values.n;
        if (CHECK_INT(values.n, 11))
            check_events(sh_batch_values(values));
        sh_batch_unref(values);
    }
    CHECK_INT(n_freed, 0);
    return SH_DONE;
}

/* Events of Lua that have no C value. */
static int refuse(sh_stage *self, void *state, sh_batch message, sh_result *r)
{
    (void)state, (void)r;
    sh_batch values;
    sh_error *error = NULL;
    CHECK_INT(sh_lua_to_values(sh_stage_worker(self), message, &values, &error),
              SH_EFAILED);
    CHECK(error && strstr(sh_error_get(error)->message, "no C value"));
    sh_error_unref(error);
    n_received++;
    return SH_DONE;
}

static const sh_stage_ops producer_ops = {.handle_demand = emit};
static const sh_stage_ops consumer_ops = {.handle_events = receive};
static const sh_stage_ops process_ops = {.handle_cast = refuse};

/* -- the stage in Lua -------------------------------------------------------------------- */

static const char middle[] =
    "local stagehost = require 'stagehost'\n"
    "local ffi = require 'ffi'\n"
    "local source, target = stagehost.whereis 'source', stagehost.whereis 'target'\n"
    "local Middle = stagehost.producer_consumer {\n"
    "    handle_events = function(_, events)\n"
    "        assert(events[1] == true and events[2] == 42)\n"
    "        assert(events[3] == 2^53 and type(events[3]) == 'number')\n"
    "        assert(ffi.istype('int64_t', events[4]) and events[4] == 9007199254740993LL)\n"
    "        assert(events[5] == -9223372036854775807LL - 1)\n"
    "        assert(events[6] == 0.5 and events[7] == 3 and events[8] == 'a\\0b')\n"
    "        assert(events[9][1] == 1 and events[9][2] == 'two' and #events[9] == 2)\n"
    "        assert(events[10].key == 7 and next(events[10][-1]) == nil)\n"
    "        assert(tostring(events[11]):find '^pointer: ')\n"
    "        return events\n"
    "    end }\n"
    "local m = stagehost.start(Middle)\n"
    "m:subscribe { to = source, max_demand = 40 }\n"
    "target:subscribe { to = m, max_demand = 40 }\n";

static const char others[] =
    "local target = require 'stagehost'.whereis 'refuser'\n"
    "local cycle = {}\n"
    "cycle[1] = cycle\n"
    "for _, value in ipairs { print, cycle, coroutine.create(print), "
    "newproxy(), { { f = print } }, 2^63 * 1ULL, target } do\n"
    "    target:cast(value)\n"
    "end\n"
    "target:stop()\n";

static void run_script(sh_worker *worker, const char *text)
{
    sh_lua_script script = {.chunk = text, .len = strlen(text), .name = "=script"};
    sh_error *error = NULL;
    CHECK_INT(sh_lua_start_script(worker, &script, NULL, &error), SH_OK);
    sh_error_unref(error);
}

static void start(sh_worker *worker, sh_kind kind, const sh_stage_ops *ops,
                  const char *name)
{
    sh_stage_opts opts = {.kind = kind, .ops = ops, .name = name};
    CHECK_INT(sh_stage_start(worker, &opts, (sh_from){0}, NULL, NULL), SH_OK);
}

static void run(const char *text, uint32_t expected)
{
    sh_worker_hooks *hooks = sh_lua_hooks_new(NULL);
    sh_host_opts opts = {.workers = 1, .hooks = *hooks};
    sh_host *host;
    CHECK_INT(sh_host_new(&opts, &host), SH_OK);
    sh_worker *worker = sh_host_worker0(host);
    n_received = 0;
    if (text == middle) {
        start(worker, SH_PRODUCER, &producer_ops, "source");
        start(worker, SH_CONSUMER, &consumer_ops, "target");
    } else {
        start(worker, SH_PROCESS, &process_ops, "refuser");
    }
    run_script(worker, text);
    CHECK_INT(sh_host_run(host), SH_OK);
    CHECK_POINTER(sh_host_first_failure(host), NULL);
    const sh_error *failure = sh_host_first_failure(host);
    if (failure)
        CHECK_TEXT(sh_error_get(failure)->message, "");
    sh_host_free(host);
    sh_lua_hooks_free(hooks);
    CHECK_INT(n_received, expected);
}

int main(void)
{
    run(middle, 11);
    CHECK_INT(n_freed, 1);
    run(others, 7);
    return test_end();
}
