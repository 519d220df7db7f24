-- SPDX-License-Identifier: MIT
--
-- The job of ../ndjson.lua as a plain script: it decodes records, keeps a part of them, adds a field, and encodes.
-- With lua-cjson under luajit; with stagehost's own codec where there is one.
--   luajit ndjson.lua FILE                stagehost ndjson.lua FILE
local found, stagehost = pcall(require, "stagehost")
local json = found and stagehost.codec.json or require "cjson"

for line in io.lines(arg[1]) do
    local record = json.decode(line)
    if record.cached then
        record.seconds = record.ms / 1000
        io.write(json.encode(record), "\n")
    end
end
