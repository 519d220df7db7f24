-- SPDX-License-Identifier: MIT
--
-- The NDJSON job as a pipeline: decode, drop a third, add a field, encode. FILE is read TIMES times.
--   stagehost ndjson_engine.lua FILE TIMES
local stagehost = require "stagehost"
local json = stagehost.codec.json
local paths = {}
for i = 1, tonumber(arg[2]) do
    paths[i] = arg[1]
end

local Change = stagehost.producer_consumer {
    init = function(self) self.n = 0 end,
    handle_events = function(self, records)
        local out = {}
        for i = 1, #records do
            self.n = self.n + 1
            if self.n % 3 ~= 0 then
                local record = records[i]
                record.seen = true
                out[#out + 1] = record
            end
        end
        return out
    end,
}

local lines = assert(stagehost.start(stagehost.source.lines { path = paths, progress = false }))
local decoder = assert(stagehost.start(json.decoder(), { subscribe_to = { lines } }))
local change = assert(stagehost.start(Change, { subscribe_to = { decoder } }))
local encoder = assert(stagehost.start(json.encoder(), { subscribe_to = { change } }))
local out = assert(stagehost.start(stagehost.sink.lines { path = "/dev/null" }, { subscribe_to = { encoder } }))
out:join()
