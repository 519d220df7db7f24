-- SPDX-License-Identifier: MIT
--
-- A plain message there and back across workers, each of which is bound to a processor, as the threads of
-- ../eventfd.c are. Prints 1 and the median time of a trip, in seconds.
--   stagehost -w 2 calls.lua TRIPS [PAUSE]
--   PAUSE: milliseconds before each trip, after which both workers sleep
local stagehost = require "stagehost"
local uv = stagehost.uv
local n, pause = tonumber(arg[1]), tonumber(arg[2])

--- Binds the thread of this worker, whose Lua state is its own. A machine that refuses leaves the thread where it is.
local function bind_to(processor)
    local ffi = require "ffi"
    ffi.cdef "int sched_setaffinity(int pid, size_t size, const uint64_t *mask);"
    ffi.C.sched_setaffinity(0, 8, ffi.new("uint64_t[1]", 2 ^ processor))
end

local Echo = stagehost.process {
    init = function() bind_to(1) end,
    handle_call = function(_, message) return message end,
}

local echo = assert(stagehost.start(Echo, { worker = 1 }))
bind_to(0)
local times = {}
for i = 1, n do
    if pause then
        stagehost.sleep(pause)
    end
    local begin = uv.hrtime()
    assert(echo:call(i) == i)
    times[i] = uv.hrtime() - begin
end
echo:stop()
table.sort(times)
print(1, times[math.ceil(n / 2)] / 1e9)
