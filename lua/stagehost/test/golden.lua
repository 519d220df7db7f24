-- SPDX-License-Identifier: MIT

--- Golden files: results that are kept beside a test, and compared with those of today.
local check = require "stagehost.test.check"
local errors = require "stagehost.options.errors"
local show = require "stagehost.test.show"

local M = {}

local function text_of(value)
    if type(value) == "string" then
        return value
    elseif type(value) ~= "table" then
        return show.value(value) .. "\n"
    end
    local lines = {}
    for i, item in ipairs(value) do
        lines[i] = (type(item) == "string" and item or show.value(item, nil, math.huge)) .. "\n"
    end
    return table.concat(lines)
end

local function lines_of(text)
    local lines = {}
    for line in text:gmatch "([^\n]*)\n?" do
        lines[#lines + 1] = line
    end
    lines[#lines] = nil
    return lines
end

local function read(path)
    local file = io.open(path, "rb")
    local text = file and file:read "*a"
    if file then
        file:close()
    end
    return text
end

local function write(path, text)
    local file, message = io.open(path, "wb")
    if not file then
        errors.raise("golden", "test.golden: %s", message)
    end
    file:write(text)
    file:close()
end

--- Compares with a file; with `--update` writes it.
---@param path string relative to the folder of the test's file
---@param actual any a text; or a list, each item of which is a line; or any value
function M.compare(path, actual)
    local folder = arg and arg[0] and arg[0]:match "^(.*)/[^/]*$" or "."
    local full = path:sub(1, 1) == "/" and path or folder .. "/" .. path
    local text = text_of(actual)
    if os.getenv "STAGEHOST_TEST_UPDATE" == "1" then
        write(full, text)
        return
    end
    local expected = read(full)
    check.ok(expected, ("%s does not exist (stagehost test --update writes it)"):format(full))
    if expected ~= text then
        check.equal(lines_of(text), lines_of(expected), full .. " (stagehost test --update writes it anew)")
        check.equal(text, expected, full)
    end
end

return M
