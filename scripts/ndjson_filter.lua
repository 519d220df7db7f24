#!/usr/bin/env stagehost
-- SPDX-License-Identifier: MIT
--
-- Reads one JSON object from each line, drops those whose status is below 400, adds a field, writes JSON lines.
-- Lines that are no JSON are counted, and do not end the run.
--
--   stagehost scripts/ndjson_filter.lua [FILE...]
--
--   printf '{"status":200}\n{"status":404}\nnot json\n' | stagehost scripts/ndjson_filter.lua
--   {"status":404,"failed":true}        (the order of the fields may differ)
--   and on stderr: 1 line was no JSON
local stagehost = require "stagehost"

local paths = #arg > 0 and { unpack(arg) } or { "-" }

local Failures = stagehost.producer_consumer {
    handle_events = function(_, records)
        local failed = {}
        for _, record in ipairs(records) do
            if type(record) == "table" and (tonumber(record.status) or 0) >= 400 then
                record.failed = true
                failed[#failed + 1] = record
            end
        end
        return failed
    end,
}

local json = stagehost.codec.json
local lines = assert(stagehost.start(stagehost.source.lines { path = paths }))
local decoder = assert(stagehost.start(json.decoder { on_error = "skip" }, { subscribe_to = { lines } }))
local failures = assert(stagehost.start(Failures, { subscribe_to = { decoder } }))
local encoder = assert(stagehost.start(json.encoder(), { subscribe_to = { failures } }))
local out = assert(stagehost.start(stagehost.sink.lines { path = "-" }, { subscribe_to = { encoder } }))
out:join()
