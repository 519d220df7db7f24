-- SPDX-License-Identifier: MIT
local json = require "stagehost.codec.json"
local test = require "stagehost.test"

test "keeps failed requests, and counts lines that are no JSON" (function()
    local lines = test.script("scripts/ndjson_filter.lua", {
        stdin = { '{"status":200}', '{"status":404}', "not json", '{"status":"500"}' },
    })
    test.equal({ json.decode(lines[1]), json.decode(lines[2]) },
        { { status = 404, failed = true }, { status = "500", failed = true } })
    test.count(lines, 2)
end)
