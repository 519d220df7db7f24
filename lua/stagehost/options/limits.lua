-- SPDX-License-Identifier: MIT

--- Checks of the options that limit when and how many events go on at once: `rate` and `batch`.
local checks = require "stagehost.options.checks"
local names = require "stagehost.options.names"
local tables = require "stagehost.options.tables"

local M = {}

--- A check for a table with exactly these fields, all of which are needed.
---@param entries table<string, table> of options/names.lua
---@param example string
---@return stagehost.Check
local function record(entries, example)
    local schema = checks.schema(entries)
    return function(value)
        if type(value) ~= "table" then
            return nil, "must be a table such as " .. example
        end
        for key in pairs(value) do
            if not schema[key] then
                return nil, ("has an unknown field %s (known: %s)"):format(checks.show(key), checks.list_keys(schema))
            end
        end
        local result = {}
        for _, key in ipairs(tables.sorted_keys(schema)) do
            local checked, problem = schema[key](value[key])
            if problem then
                return nil, ("needs %s, which %s (it is %s), as in %s"):format(key, problem,
                    checks.show(value[key]), example)
            end
            result[key] = checked
        end
        return result
    end
end

--- At most `events` events in any window of `per_ms` milliseconds.
M.rate = record(names.rate, "{ events = 100, per_ms = 1000 }")

--- Batches of exactly `size` events; a smaller rest waits for at most `timeout_ms`.
M.batch = record(names.batch, "{ size = 100, timeout_ms = 50 }")

--- Refuses a batch of a subscription that could never be full.
---@param options table checked
---@param max_demand integer
function M.check_batch(options, max_demand)
    local batch, rate = options.batch, options.rate
    if batch and batch.size > max_demand then
        checks.fail("batch", ("must have a size of at most %d (max_demand): more is never asked for")
            :format(max_demand), batch.size)
    elseif batch and rate and batch.size > rate.events then
        checks.fail("batch", ("must have a size of at most %d (events of the rate): more can never pass at once")
            :format(rate.events), batch.size)
    end
end

return M
