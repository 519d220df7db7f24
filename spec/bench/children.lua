-- SPDX-License-Identifier: MIT
--
-- The cost of children, measured by a script of stagehost; prints: children seconds.
--
--   stagehost --log-level off children.lua functions|processes|restarts|plain N
--   functions, processes: N events, with a child for each that ends at once
--   restarts: one child that crashes N times
--   plain: N such processes, started one by one without a supervisor
local stagehost = require "stagehost"
local uv = stagehost.uv
local case, n = arg[1], tonumber(arg[2])

local Process = stagehost.process {
    init = function(self) self.stage:send "end" end,
    handle_info = function() return stagehost.stop() end,
}

local children = { functions = function() end, processes = Process }

local function run_plain()
    local last
    for _ = 1, n do
        last = assert(stagehost.start(Process))
    end
    last:join()
end

local function run_restarts()
    local crashes, done = 0, nil
    local supervisor = assert(stagehost.start(stagehost.consumer_supervisor {
        restart = "transient",
        max_restarts = n,
        child = function()
            crashes = crashes + 1
            if crashes <= n then
                error("crash", 0)
            end
            done()
        end,
    }))
    stagehost.await(function(callback)
        done = callback
        supervisor:async_subscribe { to = assert(stagehost.start(stagehost.source.list { 1 })), cancel = "temporary" }
    end)
    supervisor:stop()
end

local function run_children()
    local source = assert(stagehost.start(stagehost.source.iterate(function(_, i)
        return i < n and i + 1 or nil
    end, nil, 0), { demand = "accumulate" }))
    local supervisor = assert(stagehost.start(stagehost.consumer_supervisor {
        child = children[case],
        at_end = "finish",
        subscribe_to = { source },
    }))
    source:demand "forward"
    supervisor:join()
end

local begin = uv.hrtime()
if case == "plain" then
    run_plain()
elseif case == "restarts" then
    run_restarts()
else
    run_children()
end
print(n, (uv.hrtime() - begin) / 1e9)
