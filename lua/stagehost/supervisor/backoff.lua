-- SPDX-License-Identifier: MIT

--- How long to wait before a restart: { delay, factor, cap, jitter }. Pure.
---
--- The first restart waits `delay` ms, each further one `factor` times as long as the one before, up
--- to `cap`. After it has been running for `cap` ms, a child begins again with `delay`. `jitter` is
--- the share of the time that is random: with 0.5 a wait of 100 ms becomes 50 to 100.
local checks = require "stagehost.options.checks"
local errors = require "stagehost.options.errors"

local M = {}

local DEFAULT_FACTOR, DEFAULT_CAP = 2, 30000

---@class stagehost.Backoff
---@field delay stagehost.Duration
---@field factor? number at least 1; default 2
---@field cap? stagehost.Duration default 30000, or delay if that is more
---@field jitter? number 0 .. 1; default 0

local function number(min, max)
    return function(value)
        if type(value) ~= "number" or value ~= value then
            return nil, "must be a number"
        elseif value < min or value > max then
            return nil, max == math.huge and ("must be at least %g"):format(min)
                or ("must be between %g and %g"):format(min, max)
        end
        return value
    end
end

local schema = {
    delay = checks.duration(1),
    factor = number(1, math.huge),
    cap = checks.duration(1),
    jitter = number(0, 1),
}

--- Checks the option `backoff`.
---@param value any
---@return stagehost.Backoff?
---@return string? problem
function M.check(value)
    if type(value) ~= "table" then
        return nil, "must be a table such as { delay = 100, factor = 2, cap = 5000, jitter = 0.2 }"
    end
    local options, problem = errors.try(checks.apply, schema, value, 'the option "backoff"')
    if not options then
        return nil, ("is wrong (%s)"):format(problem)
    elseif not options.delay then
        return nil, 'needs "delay" (milliseconds)'
    elseif options.cap and options.cap < options.delay then
        return nil, ("needs a cap of at least delay (%d)"):format(options.delay)
    end
    options.factor = options.factor or DEFAULT_FACTOR
    options.cap = options.cap or math.max(DEFAULT_CAP, options.delay)
    options.jitter = options.jitter or 0
    return options
end

--- Returns the milliseconds before restart number `attempt` (from 1) in a row.
---@param options stagehost.Backoff as M.check made it
---@param attempt integer
---@param random fun(): number in [0, 1)
---@return integer
function M.delay(options, attempt, random)
    local ms = math.min(options.cap, options.delay * options.factor ^ (attempt - 1))
    return math.floor(ms * (1 - options.jitter * random()) + 0.5)
end

--- Whether a child has been running long enough to begin again with `delay`.
---@param options stagehost.Backoff
---@param running_ms number
---@return boolean
function M.is_over(options, running_ms)
    return running_ms >= options.cap
end

return M
