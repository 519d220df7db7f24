-- SPDX-License-Identifier: MIT

--- The results of `stagehost test`, as TAP or as one JSON object a line.
local json = require "stagehost.codec.json"

local M = {}

---@class stagehost.test.Result
---@field file string
---@field name string
---@field seed integer
---@field ok boolean
---@field ms integer
---@field message? string why it failed
---@field output? string what the test wrote, and the log of its host

local function comment(text)
    return (("\n" .. text:gsub("\n+$", "")):gsub("\n", "\n# "):sub(2))
end

local tap = {}

function tap.begin()
    print "TAP version 13"
end

function tap.result(result, i)
    print(("%s %d - %s: %s"):format(result.ok and "ok" or "not ok", i, result.file, (result.name:gsub("#", "\\#"))))
    if result.ok then
        return
    end
    print(comment(result.message))
    if result.output ~= "" then
        print("# It wrote:\n" .. comment(result.output))
    end
    print(("# seed %.0f"):format(result.seed))
end

function tap.finish(n, failed)
    print(("1..%d"):format(n))
    print(("# %d passed, %d failed"):format(n - failed, failed))
end

local lines = { begin = function() end }

function lines.result(result)
    print(json.encode(result, { invalid_utf8 = "replace" }))
end

function lines.finish(n, failed)
    print(json.encode { passed = n - failed, failed = failed })
end

M.tap, M.json = tap, lines

return M
