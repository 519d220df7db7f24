-- SPDX-License-Identifier: MIT

--- Drives one stage by hand: what it is fed and asked for, and what comes out. Each step waits until the stage has
--- come to rest.
local checks = require "stagehost.options.checks"
local core = require "stagehost.core"
local definition = require "stagehost.options.definition"
local errors = require "stagehost.options.errors"
local stage_options = require "stagehost.options"
local stagehost = require "stagehost"
local tables = require "stagehost.options.tables"

local M = {}

---@class stagehost.test.Stage
---@field stage stagehost.Stage the stage under test
local Driver = {}
Driver.__index = Driver

-- Emits what it is told. It runs on the worker of the test, so it has the driver itself.
local function feeder(driver)
    return stagehost.producer {
        handle_demand = function(_, n)
            driver.asked = driver.asked + n
        end,
        handle_cast = function(_, events)
            if not events then
                return stagehost.stop()
            end
            driver.asked = math.max(driver.asked - #events, 0)
            return events
        end,
    }
end

local function taker(driver)
    return stagehost.consumer {
        handle_subscribe = function(self, _, _, from)
            self.from = from
            return "manual"
        end,
        handle_cast = function(self, n)
            stagehost.ask(self.from, n)
        end,
        handle_events = function(_, events)
            for _, event in ipairs(events) do
                table.insert(driver.out, event)
            end
        end,
        handle_notification = function(_, message)
            table.insert(driver.notes, message)
        end,
    }
end

local function start(def, opts)
    local request = stage_options.start(def, opts, core.workers())
    local ok, message, reason = core.start(def, request)
    if not ok then
        return nil, message, reason
    end
    return request.stage
end

local schema = {
    max_demand = checks.integer(1),
    min_demand = checks.integer(0),
    subscription = checks.anything,
}

--- Starts a stage for a test. A producer is asked for events by `demand`; a consumer gets events by `feed`; a
--- producer_consumer has both. If the stage crashes, that is no failure of the test: see `reason`.
---@param def stagehost.Definition
---@param options? table of its start (name, args, buffer_size, ...); and max_demand, min_demand,
---   `subscription = {...}`: of its subscription to what feeds it
---@return stagehost.test.Stage? driver
---@return string? message why it did not start
---@return any reason
function M.new(def, options)
    local kind = definition.kind_of(def)
    local opts, sub = {}, { cancel = nil }
    for key, value in pairs(options or {}) do
        if key == "subscription" then
            tables.extend(sub, value)
        elseif schema[key] and kind ~= "producer" then
            sub[key] = value
        else
            opts[key] = value
        end
    end
    if opts.worker ~= nil then
        errors.raise("invalid_argument", "test.stage: the stage runs on the worker of its test; it takes no worker")
    end
    opts.supervised = true
    local driver = setmetatable({ kind = kind, out = {}, notes = {}, asked = 0 }, Driver)
    local message, reason
    driver.stage, message, reason = start(def, opts)
    if not driver.stage then
        return nil, message, reason
    end
    if kind == "consumer" or kind == "producer_consumer" then
        driver.feeder = assert(start(feeder(driver), { buffer_size = "infinity" }))
        driver.stage:subscribe(tables.extend(sub, { to = driver.feeder }))
    end
    if kind == "producer" or kind == "producer_consumer" then
        driver.taker = assert(start(taker(driver), {}))
        driver.taker:subscribe { to = driver.stage, cancel = "temporary" }
    end
    core.settle()
    return driver
end

local function need(self, field, what, method)
    if not self[field] then
        errors.raise("invalid_argument", "%s: a %s does not %s", method, self.kind, what)
    end
end

--- Asks the stage for `n` events. Returns those that came out since the last step.
---@param n integer
---@return any[] events
function Driver:demand(n)
    need(self, "taker", "produce", "demand")
    self.taker:cast(n)
    return self:events()
end

--- Gives the stage events, also more than it has asked for: the rest waits in front of it until it asks. Returns
--- the events that came out.
---@param events any[]
---@return any[] events
function Driver:feed(events)
    need(self, "feeder", "consume", "feed")
    local _, problem = checks.list(events)
    if problem then
        errors.raise("invalid_argument", "feed: the events %s", problem)
    end
    self.feeder:cast(events)
    return self:events()
end

--- Waits until the stage has come to rest. Returns the events that came out since the last step.
---@return any[]
function Driver:events()
    core.settle()
    local out = self.out
    self.out = {}
    return out
end

--- The notifications (`stage:notify`) that came out since the last step.
---@return any[]
function Driver:notifications()
    core.settle()
    local notes = self.notes
    self.notes = {}
    return notes
end

--- How many events the stage has asked for and not got.
---@return integer
function Driver:demanded()
    core.settle()
    return self.asked
end

--- Ends what feeds the stage, normally, so that its handle_end is called. Returns the events that came out.
---@return any[]
function Driver:finish()
    need(self, "feeder", "consume", "finish")
    self.feeder:cast(false)
    return self:events()
end

---@param request any
---@param timeout_ms? number
---@return any ...
function Driver:call(request, timeout_ms)
    return self.stage:call(request, timeout_ms)
end

---@param message any
---@return any[] events
function Driver:cast(message)
    self.stage:cast(message)
    return self:events()
end

--- Sends the stage a message for its handle_info.
---@param message any
---@return any[] events
function Driver:info(message)
    self.stage:send(message)
    return self:events()
end

--- Ends the stage with a reason, and waits.
---@param reason? stagehost.Reason
---@return any[] events
function Driver:stop(reason)
    self.stage:stop(reason)
    return self:events()
end

--- Why the stage has ended: "normal", "shutdown", an error; nil: it is alive.
---@return any
function Driver:reason()
    core.settle()
    if self.stage:is_alive() then
        return nil
    end
    return self.stage:join() or "normal"
end

---@return table<string, any>
function Driver:stats()
    core.settle()
    return self.stage:stats()
end

return M
