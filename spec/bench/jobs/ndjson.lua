-- SPDX-License-Identifier: MIT
--
-- Decodes JSON records, keeps a part of them, adds a field, and encodes, each part of the file on a worker of its own.
--   stagehost -w 2 ndjson.lua FILE
local stagehost = require "stagehost"
local json = stagehost.codec.json

local Change = stagehost.producer_consumer {
    handle_events = function(_, records)
        local kept = {}
        for i = 1, #records do
            local record = records[i]
            if record.cached then
                record.seconds = record.ms / 1000
                kept[#kept + 1] = record
            end
        end
        return kept
    end,
}

stagehost.pipeline {
    stagehost.source.lines { path = arg[1], parts = "auto", progress = false },
    { json.decoder(), instances = "parts" },
    { Change, instances = "parts" },
    { json.encoder(), instances = "parts" },
    stagehost.sink.lines "-",
}:run()
