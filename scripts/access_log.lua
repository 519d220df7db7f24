#!/usr/bin/env stagehost
-- SPDX-License-Identifier: MIT
--
-- Analyses access logs in combined format: requests, bytes, status classes, top paths and clients.
--
--   stagehost scripts/access_log.lua [--json] [FILE...]      ("-" or no file: stdin)
--
--   lines ──> parser 1..N ──(partitioned by client)──> counter 1..N ──> report
--
-- Lines are read once and parsed by several stages in parallel; all requests of a client go to one
-- counter, whichever parser read them. Expected output (for one log line and one other line):
--
--   requests      1
--   bytes         203023
--   unparsable    1
--   ...
local stagehost = require "stagehost"
local json = stagehost.codec.json

local usage = "usage: stagehost access_log.lua [--json] [FILE...]"
local TOP = 10

local as_json, paths = false, {}
for _, argument in ipairs(arg) do
    if argument == "--json" then
        as_json = true
    elseif argument == "--help" or argument == "-h" then
        print(usage)
        return
    elseif argument:sub(1, 1) == "-" and argument ~= "-" then
        error(("unknown option %s\n%s"):format(argument, usage), 0)
    else
        paths[#paths + 1] = argument
    end
end
if #paths == 0 then
    paths[1] = "-"
end

local n_stages = math.max(2, stagehost.workers())

-- client - user [time] "request" status bytes "referer" "agent"
local COMBINED = '^(%S+) %S+ .- %[[^%]]+%] "(.-)" (%d%d%d) (%S+) ".-" ".*"$'

local Parser = stagehost.producer_consumer {
    handle_events = function(_, lines)
        local records, bad = {}, 0
        for i = 1, #lines do
            local client, request, status, bytes = lines[i]:match(COMBINED)
            if client then
                records[#records + 1] = {
                    client, request:match("^%S+ (%S+)") or request, status, tonumber(bytes) or 0,
                }
            else
                bad = bad + 1
            end
        end
        if bad > 0 then
            records[#records + 1] = { "", bad }
        end
        return records
    end,
}

-- A record without a client carries a number of unparsable lines. The totals are known at the end.
local Counter = stagehost.producer_consumer {
    init = function(self)
        self.totals = { requests = 0, bytes = 0, unparsable = 0, status = {}, paths = {}, clients = {} }
    end,

    handle_events = function(self, records)
        local totals = self.totals
        local status, by_path, clients = totals.status, totals.paths, totals.clients
        for i = 1, #records do
            local record = records[i]
            local client = record[1]
            if client == "" then
                totals.unparsable = totals.unparsable + record[2]
            else
                local path, class = record[2], record[3]:sub(1, 1) .. "xx"
                totals.requests = totals.requests + 1
                totals.bytes = totals.bytes + record[4]
                status[class] = (status[class] or 0) + 1
                by_path[path] = (by_path[path] or 0) + 1
                clients[client] = (clients[client] or 0) + 1
            end
        end
    end,

    handle_end = function(self) return { self.totals } end,
}

local parsers, counters = {}, {}
for i = 1, n_stages do
    parsers[i] = assert(stagehost.start(Parser, {
        name = "parser " .. i,
        worker = (i - 1) % stagehost.workers(),
        dispatcher = {
            "partition",
            partitions = n_stages,
            hash = function(record) return record[1] end, -- spread by the client, whatever its name is
        },
    }))
end
for i = 1, n_stages do
    local subscribe_to = {}
    for k, parser in ipairs(parsers) do
        subscribe_to[k] = { to = parser, partition = i - 1 }
    end
    counters[i] = assert(stagehost.start(Counter, {
        name = "counter " .. i,
        worker = i % stagehost.workers(),
        subscribe_to = subscribe_to,
    }))
end
local report = assert(stagehost.start(stagehost.sink.collect()))
for _, counter in ipairs(counters) do
    assert(report:subscribe { to = counter, cancel = "temporary" })
end

-- "accumulate" holds the lines until every parser is subscribed: a short input would end before that.
local lines = assert(stagehost.start(stagehost.source.lines { path = paths },
    { name = "lines", demand = "accumulate" }))
for _, parser in ipairs(parsers) do
    assert(parser:subscribe { to = lines })
end
lines:demand("forward")

local function add(into, from)
    for key, n in pairs(from) do
        into[key] = (into[key] or 0) + n
    end
end

local sum = { requests = 0, bytes = 0, unparsable = 0, status = {}, paths = {}, clients = {} }
local result = assert(report:call("finish", math.huge))
assert(not stagehost.is_error(result.reason), result.reason)
for _, totals in ipairs(result.events) do
    sum.requests = sum.requests + totals.requests
    sum.bytes = sum.bytes + totals.bytes
    sum.unparsable = sum.unparsable + totals.unparsable
    add(sum.status, totals.status)
    add(sum.paths, totals.paths)
    add(sum.clients, totals.clients)
end

--- The TOP most frequent keys; those with equal counts in alphabetical order.
local function top(counts)
    local list = {}
    for key, n in pairs(counts) do
        list[#list + 1] = { name = key, requests = n }
    end
    table.sort(list, function(a, b)
        if a.requests ~= b.requests then
            return a.requests > b.requests
        end
        return a.name < b.name
    end)
    for i = #list, TOP + 1, -1 do
        list[i] = nil
    end
    return list
end

local paths_top, clients_top = top(sum.paths), top(sum.clients)
if as_json then
    print(assert(json.encode {
        requests = sum.requests, bytes = sum.bytes, unparsable = sum.unparsable, status = sum.status,
        paths = paths_top, clients = clients_top,
    }))
    return
end

print(("%-13s %d"):format("requests", sum.requests))
print(("%-13s %.0f"):format("bytes", sum.bytes))
print(("%-13s %d"):format("unparsable", sum.unparsable))
for class = 1, 9 do
    local n = sum.status[class .. "xx"]
    if n then
        print(("%-13s %d"):format("status " .. class .. "xx", n))
    end
end
for _, part in ipairs { { "paths", paths_top }, { "clients", clients_top } } do
    print(("\ntop %s"):format(part[1]))
    for _, entry in ipairs(part[2]) do
        print(("%9d  %s"):format(entry.requests, entry.name))
    end
end
