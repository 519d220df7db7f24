#!/usr/bin/env stagehost
-- SPDX-License-Identifier: MIT
--
-- Analyses access logs in combined format: requests, bytes, status classes, top paths and clients.
--
--   stagehost scripts/access_log.lua [--json] [FILE...]      ("-" or no file: stdin)
--
--   lines 1..N ──> tally 1..N ──> report
--
-- Each part of the files is read and tallied on a worker of its own; what crosses between workers is one table of
-- totals a part. Expected output (for one log line and one other line):
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

-- client - user [time] "request" status bytes "referer" "agent"
local COMBINED = '^(%S+) %S+ .- %[[^%]]+%] "(.-)" (%d%d%d) (%S+) ".-" ".*"$'

local function new_totals()
    return { requests = 0, bytes = 0, unparsable = 0, status = {}, paths = {}, clients = {} }
end

local Tally = stagehost.producer_consumer {
    init = function(self) self.totals = new_totals() end,

    handle_events = function(self, lines)
        local totals = self.totals
        local status_of, paths_of, clients_of = totals.status, totals.paths, totals.clients
        for i = 1, #lines do
            local client, request, status, bytes = lines[i]:match(COMBINED)
            if client then
                local path, class = request:match("^%S+ (%S+)") or request, status:sub(1, 1) .. "xx"
                totals.requests = totals.requests + 1
                totals.bytes = totals.bytes + (tonumber(bytes) or 0)
                status_of[class] = (status_of[class] or 0) + 1
                paths_of[path] = (paths_of[path] or 0) + 1
                clients_of[client] = (clients_of[client] or 0) + 1
            else
                totals.unparsable = totals.unparsable + 1
            end
        end
    end,

    handle_end = function(self) return { self.totals } end,
}

local began = stagehost.uv.hrtime()
local running = assert(stagehost.pipeline {
    max_restarts = 0,
    stages = {
        { name = "lines", stage = stagehost.source.lines { path = paths, parts = "auto" } },
        { name = "tally", stage = Tally, instances = "parts", subscribe_to = { "lines" } },
        { name = "report", stage = stagehost.sink.collect(), subscribe_to = { "tally" } },
    },
}:start())

--- Adds numbers, and tables of numbers, to those of the same name.
local function add(into, from)
    for key, value in pairs(from) do
        if type(value) == "table" then
            add(into[key], value)
        else
            into[key] = (into[key] or 0) + value
        end
    end
end

local sum = new_totals()
for _, totals in ipairs(assert(running:join()).report) do
    add(sum, totals)
end

if stagehost.uv.guess_handle(2) == "tty" then
    local n, seconds = sum.requests + sum.unparsable, (stagehost.uv.hrtime() - began) / 1e9
    io.stderr:write(("%d lines in %.2f s, %.0f lines a second\n"):format(n, seconds, n / seconds))
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
