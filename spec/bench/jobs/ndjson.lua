-- SPDX-License-Identifier: MIT
--
-- Decodes JSON records, keeps a part of them, adds a field, and encodes, with a branch on each worker.
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

local out = assert(stagehost.start(stagehost.sink.lines { path = "-" }, { end_with_last = true }))
local decoders = {}
for worker = 0, stagehost.workers() - 1 do
    local decoder = assert(stagehost.start(json.decoder(), { worker = worker }))
    local change = assert(stagehost.start(Change, { worker = worker, subscribe_to = { decoder } }))
    local encoder = assert(stagehost.start(json.encoder(), { worker = worker, subscribe_to = { change } }))
    assert(out:subscribe { to = encoder })
    decoders[#decoders + 1] = decoder
end

-- "accumulate" holds the lines until every branch is subscribed.
local lines = assert(stagehost.start(stagehost.source.lines { path = arg[1], progress = false },
    { demand = "accumulate" }))
for _, decoder in ipairs(decoders) do
    assert(decoder:subscribe { to = lines })
end
lines:demand "forward"
out:join()
