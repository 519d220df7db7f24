-- SPDX-License-Identifier: MIT

--- Faults put into a definition: functions from a definition to one that fails. They count over all instances and
--- restarts of the stage, so a stage that crashed once goes on after its restart.
local checks = require "stagehost.options.checks"
local definition = require "stagehost.options.definition"
local stagehost = require "stagehost"
local tables = require "stagehost.options.tables"

local M = {}

local positive = checks.integer(1)

-- A copy of the definition with some callbacks wrapped; wrap[name](inner) is the new one.
local function rewrite(def, wrap)
    local kind = definition.kind_of(def)
    local copy = tables.copy(def)
    for name, wrapper in pairs(wrap) do
        if def[name] or wrapper.always then
            copy[name] = wrapper.new(def[name] or function() end)
        end
    end
    return stagehost[kind](copy)
end

local function events_of(result)
    return type(result) == "table" and result or {}
end

---@class stagehost.test.Crash
---@field at integer the number of the event at which it crashes, from 1
---@field times? integer how often, each time after as many more events; default 1
---@field message? string of the error; default "injected crash"

--- A stage that crashes in the call of handle_events that has the n-th event; of a producer, in the call of
--- handle_demand that would return it.
---@param given stagehost.test.Crash
---@return fun(def: stagehost.Definition): stagehost.Definition
function M.crash(given)
    local opts = checks.apply({ at = positive, times = positive, message = checks.typed "string" }, given,
        "test.crash")
    local seen, left = 0, opts.times or 1
    local function count(n)
        seen = seen + n
        if left > 0 and seen >= opts.at then
            seen, left = 0, left - 1
            error(opts.message or "injected crash", 0)
        end
    end
    return function(def)
        local wrap = {}
        if def.handle_events then
            wrap.handle_events = { new = function(inner)
                return function(self, events, from)
                    count(#events)
                    return inner(self, events, from)
                end
            end }
        else
            wrap.handle_demand = { new = function(inner)
                return function(self, demand)
                    local result = inner(self, demand)
                    count(#events_of(result))
                    return result
                end
            end }
        end
        return rewrite(def, wrap)
    end
end

--- A stage that sleeps before each call of handle_events, and of a producer's handle_demand.
---@param ms number
---@return fun(def: stagehost.Definition): stagehost.Definition
function M.delay(ms)
    local function new(inner)
        return function(...)
            stagehost.sleep(ms)
            return inner(...)
        end
    end
    return function(def)
        local name = def.handle_events and "handle_events" or "handle_demand"
        return rewrite(def, { [name] = { new = new } })
    end
end

--- A stage whose first starts fail.
---@param times? integer default 1
---@return fun(def: stagehost.Definition): stagehost.Definition
function M.refuse(times)
    local left = times or 1
    return function(def)
        return rewrite(def, { init = { always = true, new = function(inner)
            return function(...)
                if left > 0 then
                    left = left - 1
                    error("injected refusal", 0)
                end
                return inner(...)
            end
        end } })
    end
end

return M
