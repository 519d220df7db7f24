-- SPDX-License-Identifier: MIT

--- For random_arguments_spec.lua: calls every function of the Lua interface with random arguments, most
--- of them wrong, each in a stage of its own, for so many milliseconds. arg: seed, milliseconds.
local stagehost = require "stagehost"
local core = require "stagehost.core"
local uv = require "luv"

math.randomseed(tonumber(arg[1]))
local random = math.random

-- What ends or changes the run itself.
local EXCLUDED = { exit_status = true, set_exit_status = true }

-- Functions by their name, and those that are methods.
local names, functions = {}, {}
local seen = {}

local function add(name, value, depth)
    if type(value) == "function" then
        names[#names + 1], functions[name] = name, value
    elseif type(value) == "table" and not seen[value] and depth < 4 then
        seen[value] = true
        for key, inner in pairs(value) do
            if type(key) == "string" and not EXCLUDED[key] then
                add(name .. "." .. key, inner, depth + 1)
            end
        end
    end
end

for _, name in ipairs {
    "source", "sink", "codec", "consumer_supervisor", "supervisor", "pipeline", "dead_letters",
} do
    add(name, stagehost[name], 0)
end
seen[stagehost.uv] = true
add("stagehost", stagehost, 0)
add("core", core, 0)
add("json", require "stagehost.native.json", 0)
table.sort(names)

local OPTIONS = {
    "name", "worker", "dispatcher", "subscribe_to", "to", "max_demand", "min_demand", "cancel", "mode", "buffer_size",
    "buffer_keep", "partitions", "partition", "hash", "selector", "init", "handle_events", "handle_demand", "stages",
    "children", "id", "start", "restart", "strategy", "instances", "on_error", "dead_letter", "retry", "rate", "ack",
    "demand", "weight", "priority", "opts", "kind", "limit", "path", "from",
}

local handles = {} -- of all kinds, alive and dead
local random_value

local function random_table(depth)
    local t = {}
    for i = 1, random(0, 3) do
        t[i] = random_value(depth + 1)
    end
    for _ = 1, random(0, 4) do
        t[OPTIONS[random(#OPTIONS)]] = random_value(depth + 1)
    end
    return t
end

local SIMPLE = {
    true, false, 0, 1, -1, 0.5, 2, 3, 7, 1000, -2 ^ 31, 2 ^ 31, 2 ^ 32, 2 ^ 53, -2 ^ 63, 2 ^ 64, 1e308, 1 / 0, -1 / 0,
    0 / 0, "", "x", "normal", "a\0b", ("long"):rep(100), "\255", "none", "all", "1", "partition", "broadcast", "demand",
    "manual", "automatic", "consumer", "producer", print, error, coroutine.yield, stagehost.sleep, stagehost.noreply,
    stagehost.ignore, coroutine.create(print), io.stdout, newproxy(), newproxy(true), 1LL, 2ULL, core.answers,
    setmetatable({}, { __index = error, __tostring = error, __len = error }),
    function() end, function(...) return ... end,
}

function random_value(depth)
    local n = random(10)
    if n <= 5 then
        return SIMPLE[random(#SIMPLE)]
    elseif n <= 7 and depth < 3 then
        return random_table(depth)
    elseif n <= 9 and #handles > 0 then
        return handles[random(#handles)]
    end
    return nil
end

local function random_arguments()
    local n = random(0, 4)
    local arguments = {}
    for i = 1, n do
        arguments[i] = random_value(0)
    end
    return arguments, n
end

local function keep(...)
    for i = 1, select("#", ...) do
        local value = select(i, ...)
        if type(value) == "userdata" or (type(value) == "table" and random(4) == 1) then
            handles[#handles < 40 and #handles + 1 or random(40)] = value
        end
    end
end

local calls = 0

local Victim = stagehost.process {
    init = function() stagehost.send_after(0, "go") end,
    handle_info = function()
        for _ = 1, 5 do
            local arguments, n = random_arguments()
            calls = calls + 1
            keep(select(2, pcall(functions[names[random(#names)]], unpack(arguments, 1, n))))
        end
        return stagehost.stop("normal")
    end,
}

local Consumer = stagehost.consumer {
    handle_subscribe = function(_, _, _, subscription) keep(subscription) end,
    handle_events = function() end,
    handle_call = function(_, _, from)
        keep(from)
        return stagehost.noreply
    end,
}
local Producer = stagehost.producer { handle_demand = function() return { 1 } end }

--- Handles of every kind, since others were stopped or lost.
local function refresh()
    local producer = stagehost.start(Producer)
    local consumer = stagehost.start(Consumer)
    consumer:subscribe { to = producer }
    consumer:call("never answered", 1)
    keep(producer, consumer, stagehost.send_after(100, "x"), core.waker())
end

local stop_at = uv.hrtime() + tonumber(arg[2]) * 1e6
local rounds = 0
while uv.hrtime() < stop_at do
    if rounds % 20 == 0 then
        pcall(refresh)
    end
    rounds = rounds + 1
    local victims = {}
    for i = 1, 10 do
        victims[i] = assert(stagehost.start(Victim))
    end
    stagehost.sleep(2)
    for i = 1, #victims do
        victims[i]:kill()
    end
    if rounds % 10 == 0 then
        collectgarbage()
    end
end
io.write(("%d calls of %d functions\n"):format(calls, #names))
io.flush()
uv.kill(uv.os_getpid(), "sigterm")
