-- SPDX-License-Identifier: MIT

--- The option `on_error`: turns what a script writes into the one form that bindings/options/init_options.c
--- reads, a table with `policy` and the options of that policy.
---
---     "stop" | "skip" | "retry" | "dead_letter"
---     { "retry", times = 5, delay = 100, factor = 2, cap = 5000, jitter = 0.2, after = "skip" }
local checks = require "stagehost.options.checks"
local names = require "stagehost.options.names"
local tables = require "stagehost.options.tables"

--- What the host does when handle_events fails. The unit is the batch that handle_events was given; changes it
--- made before it failed stay. "skip": the batch is dropped, counted and logged. "retry": the batch is
--- given again, 3 times, after 100, 200, 400 ms; the stage waits meanwhile. "dead_letter": its
--- events go to the stage `dead_letter`, whose handle_cast gets lists of
--- { event =, error =, stage =, deliveries = }.
---@alias stagehost.OnError "stop" | "skip" | "retry" | "dead_letter" | stagehost.Retry

local function factor(value)
    if type(value) ~= "number" or value ~= value or value < 1 or value == math.huge then
        return nil, "must be a number, at least 1"
    end
    return value
end

local function jitter(value)
    if type(value) ~= "number" or not (value >= 0 and value <= 1) then
        return nil, "must be between 0 and 1"
    end
    return value
end

local word = checks.one_of("stop", "skip", "retry", "dead_letter")
local retry_schema = checks.schema(names.retry, { factor = factor, jitter = jitter })

local function retry(value)
    local given = tables.copy(value)
    if given[1] ~= "retry" then
        return nil, 'must be a word or { "retry", times =, delay =, factor =, cap =, jitter =, after = }'
    end
    given[1] = nil
    local ok, checked = pcall(checks.apply, retry_schema, given, 'on_error = { "retry", ... }')
    if not ok then
        return nil, "can't be used: " .. tostring(checked)
    end
    checked.policy = "retry"
    return checked
end

--- Checks the option.
---@param value any
---@return table?
---@return string? problem
return function(value)
    if type(value) == "table" then
        return retry(value)
    end
    local policy, problem = word(value)
    return policy and { policy = policy }, problem
end
