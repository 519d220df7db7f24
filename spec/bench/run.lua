-- SPDX-License-Identifier: MIT
--
-- Runs the benches: each engine case beside its limit, alternately, several times; medians and their ratio.
--
--   stagehost spec/bench/run.lua --build FOLDER [--json] [NAME...]
local json = require "cjson"

local build, as_json, wanted = nil, false, {}
do
    local i = 1
    while arg[i] do
        if arg[i] == "--build" then
            i = i + 1
            build = arg[i]
        elseif arg[i] == "--json" then
            as_json = true
        else
            wanted[arg[i]] = true
        end
        i = i + 1
    end
end
if not build then
    error("usage: stagehost run.lua --build FOLDER [--json] [NAME...]", 0)
end

local here = arg[0]:match("^(.*)/[^/]*$") or "."
local command = build .. "/stagehost"
local ROUNDS = 5

local function capture(format, ...)
    local line = format:format(...)
    local pipe = assert(io.popen(line .. " 2>&1"))
    local text = pipe:read("*a")
    pipe:close()
    return text, line
end

--- Million events a second of a program that prints "events seconds".
local function rate(format, ...)
    local text, line = capture(format, ...)
    local events, seconds = text:match("^(%d+)%s+([%d.]+)")
    if not events then
        error(("%s printed: %s"):format(line, text), 0)
    end
    return tonumber(events) / tonumber(seconds) / 1e6
end

local function median(list)
    table.sort(list)
    return list[math.floor((#list + 1) / 2)]
end

local rows = {}

local function add(name, row)
    row.name = name
    rows[#rows + 1] = row
    if not as_json then
        print(("%-34s %10s %10s %8s %8s"):format(name, row.engine and ("%.2f"):format(row.engine) or "",
            row.limit and ("%.2f"):format(row.limit) or "", row.ratio and ("%.2f"):format(row.ratio) or "",
            row.aim or ""))
    end
end

local function is_wanted(name)
    return next(wanted) == nil or wanted[name]
end

--- Measures engine and limit in turns, so that a busy moment affects both.
local function compare(name, set, shape, max_demand, events, steps, aim)
    if not is_wanted(name) then
        return
    end
    local engines, limits = {}, {}
    local batch = max_demand == 1 and 1 or max_demand / 2
    for i = 1, ROUNDS do
        engines[i] = rate("'%s' -w 2 '%s/engine.lua' %s %s %d %d %d", command, here, set, shape, max_demand, events,
            steps)
        limits[i] = rate("'%s/spec/bench_limit' '%s/callbacks.lua' %s %d %d %d", build, here, set,
            shape == "chain" and steps or 0, batch, events)
    end
    local engine, limit = median(engines), median(limits)
    add(name, { engine = engine, limit = limit, ratio = engine / limit, aim = aim, unit = "million events/s" })
end

--- Measures one shape and another one in turns.
local function versus(shape, other, max_demand, events)
    local name = ("%s against %s, max_demand %d"):format(shape, other, max_demand)
    if not is_wanted(name) then
        return
    end
    local rates = { [shape] = {}, [other] = {} }
    for i = 1, ROUNDS do
        for word, list in pairs(rates) do
            list[i] = rate("'%s' '%s/engine.lua' integers %s %d %d", command, here, word, max_demand, events)
        end
    end
    local engine, limit = median(rates[shape]), median(rates[other])
    add(name, { engine = engine, limit = limit, ratio = engine / limit, unit = "million events/s" })
end

local function cpu_seconds(format, ...)
    local text, line = capture("bash -c 'TIMEFORMAT=\"%%U %%S\"; time " .. format .. "'", ...)
    local user, system = text:match("([%d.]+) ([%d.]+)%s*$")
    if not user then
        error(("%s printed: %s"):format(line, text), 0)
    end
    return tonumber(user) + tonumber(system)
end

local function ndjson()
    if not is_wanted("ndjson") then
        return
    end
    local file, times = here .. "/../../../shared/data/nginxplus.ndjson", 20
    local probe = io.open(file)
    if not probe then
        return
    end
    probe:close()
    local engines, plains = {}, {}
    for i = 1, ROUNDS do
        engines[i] = cpu_seconds("\"%s\" \"%s/ndjson_engine.lua\" \"%s\" %d", command, here, file, times)
        plains[i] = cpu_seconds("luajit \"%s/ndjson_plain.lua\" \"%s\" %d", here, file, times)
    end
    local engine, plain = median(engines), median(plains)
    add("ndjson", { engine = engine, limit = plain, ratio = engine / plain, aim = "1.12", unit = "CPU seconds" })
end

local function growth()
    if not is_wanted("growth") then
        return
    end
    local idle = json.decode((capture("'%s/spec/bench_idle'", build)))
    add("bytes per idle stage (100,000)", { engine = idle.bytes_per_idle_stage, aim = "1000", unit = "bytes" })
    for _, n in ipairs { "10", "1000", "100000" } do
        add(("ns/event beside %s stages"):format(n), { engine = idle.ns_per_event_idle_stages[n], unit = "ns" })
    end
    for _, n in ipairs { "1", "100", "10000" } do
        add(("ns/event, %s subscriptions"):format(n), { engine = idle.ns_per_event_subscriptions[n], unit = "ns" })
    end
    for _, n in ipairs { 10000, 100000, 1000000 } do
        add(("ns/event, buffer of %d"):format(n),
            { engine = 1000 / rate("'%s' '%s/buffer_growth.lua' %d", command, here, n), unit = "ns" })
    end
end

local function idle_host()
    if not is_wanted("idle") then
        return
    end
    local times, sizes = {}, {}
    for i = 1, ROUNDS do
        local text = capture("bash -c 'TIMEFORMAT=%%R; time \"%s\" -e \"\"'", command)
        times[i] = tonumber(text:match("([%d.]+)%s*$")) * 1000
        sizes[i] = tonumber((capture(
            "'%s' -e 'local s = io.open(\"/proc/self/status\"):read(\"*a\") print(s:match(\"VmRSS:%%s*(%%d+)\"))'",
            command))) / 1024
    end
    add("start and end of an empty script, ms", { engine = median(times), unit = "ms" })
    add("memory of an idle host, MiB", { engine = median(sizes), unit = "MiB" })
end

--- Measures children of a consumer_supervisor, in thousands a second, and stages that are started one by one.
local function children()
    if not is_wanted("children") then
        return
    end
    local function thousands(case, n)
        return 1000 * rate("'%s' -w 1 --log-level off '%s/children.lua' %s %d", command, here, case, n)
    end
    local results = { functions = {}, processes = {}, plain = {}, restarts = {} }
    for i = 1, ROUNDS do
        for case, list in pairs(results) do
            list[i] = thousands(case, case == "restarts" and 20000 or 100000)
        end
    end
    local plain = median(results.plain)
    for _, case in ipairs { "functions", "processes" } do
        local engine = median(results[case])
        add("children, " .. case, { engine = engine, limit = plain, ratio = engine / plain, unit = "thousand/s" })
    end
    add("restarts of a child that crashes", { engine = median(results.restarts), unit = "thousand/s" })
end

--- Stages made of functions beside stages that are written out.
local function maps()
    if not is_wanted("maps") then
        return
    end
    local results = { fused = {}, one = {}, stages = {}, three = {} }
    for i = 1, ROUNDS do
        for case, list in pairs(results) do
            list[i] = rate("'%s' -w 1 '%s/maps.lua' %s %d", command, here, case, 20000000)
        end
    end
    for case, limit in pairs { fused = "one", stages = "three" } do
        local engine, written = median(results[case]), median(results[limit])
        add("maps, " .. case, { engine = engine, limit = written, ratio = engine / written, aim = "1.00" })
    end
end

if not as_json then
    print(("%-34s %10s %10s %8s %8s"):format("", "engine", "limit", "ratio", "aim"))
end
compare("integers, max_demand 1000", "integers", "chain", 1000, 50000000, 1, "0.85")
compare("integers, max_demand 10", "integers", "chain", 10, 5000000, 1, "0.60")
compare("integers, max_demand 1", "integers", "chain", 1, 1500000, 1, "0.50")
compare("records, max_demand 1000", "records", "chain", 1000, 5000000, 1)
compare("chain of 8, max_demand 1000", "integers", "chain", 1000, 20000000, 8)
compare("broadcast to 8, max_demand 1000", "integers", "broadcast", 1000, 20000000, 0)
compare("partition to 4, max_demand 1000", "integers", "partition", 1000, 10000000, 0)
versus("fair", "demand", 1000, 20000000)
versus("fair", "demand", 10, 4000000)
versus("brokered", "direct", 1000, 20000000)
versus("brokered", "direct", 10, 4000000)
compare("two workers, integers", "integers", "across", 1000, 20000000, 0, "20 M/s")
compare("two workers, records", "records", "across", 1000, 3000000, 0, "3 M/s")
children()
maps()
ndjson()
idle_host()
growth()
if as_json then
    print(json.encode(rows))
end
