-- SPDX-License-Identifier: MIT

--- Requests: what the functions of a module ask a stage of that module, and how the stage answers.
---
---     function M.count(stage)                                  -- the module: returns what the stage does
---         return requests.ask(stage, "counter", "count")
---     end
---     function answers.count(self) return requests.results(self.n) end     -- the stage
---     function callbacks.handle_call(self, message, from)
---         return requests.answer("counter", answers, self, message, from)
---     end
local checks = require "stagehost.options.checks"
local core = require "stagehost.core"
local errors = require "stagehost.options.errors"
local guard = require "stagehost.messages.guard"

local M = {}

---@class stagehost.Request further fields are those of the request
---@field kind string who can answer it: "supervisor"
---@field request string the name of the function

---@class stagehost.Results what a function would return, as one value
---@field is_results true
---@field n integer

--- The stage that is meant by a handle or a name. Raises if it is neither.
---@param stage any
---@param kind string
---@param what string the name of the request
---@return stagehost.Stage?
---@return string? message
---@return any reason "noproc"
function M.find(stage, kind, what)
    if checks.is_stage(stage) then
        return stage
    elseif not checks.stage_or_name(stage) then
        errors.raise("invalid_argument", "%s.%s: expected the handle or the name of a %s, got %s", kind, what, kind,
            checks.show(stage))
    end
    local found = core.whereis(stage)
    if not found then
        return nil, ("no stage has the name %q"):format(stage), "noproc"
    end
    return found
end

---@param kind string what the stage has to be
---@param what string
---@param fields? table of the request, which become its own
---@return stagehost.Request
function M.new(kind, what, fields)
    local message = fields or {}
    message.kind, message.request = kind, what
    return message
end

--- Passes a request on as it is. Waits for as long as it takes.
---@param stage stagehost.Stage
---@param message stagehost.Request
---@return any ... results; or nil, message, reason: "not_a_supervisor", "noproc"
function M.forward(stage, message)
    local answer, problem, reason = stage:call(message, math.huge)
    if type(answer) == "table" and answer.is_results then
        return unpack(answer, 1, answer.n)
    end
    local kind = message.kind
    return nil, problem or ("%s is not a %s"):format(tostring(stage), kind), reason or "not_a_" .. kind
end

--- Asks a stage, and waits for as long as it takes.
---@param stage stagehost.Stage | string
---@param kind string what the stage has to be
---@param what string
---@param fields? table of the request, which become its own
---@return any ... results; or nil, message, reason
function M.ask(stage, kind, what, fields)
    local found, problem, reason = M.find(stage, kind, what)
    if not found then
        return nil, problem, reason
    end
    return M.forward(found, M.new(kind, what, fields))
end

--- What answers a request: these, as the asking function returns them.
---@param ... any
---@return stagehost.Results
function M.results(...)
    return { is_results = true, n = select("#", ...), ... }
end

--- Has a request answered by the function of its name, which returns M.results(...) and whatever else a
--- handle_call may return. Everything else is ignored, and logged.
---@param kind string of the stage
---@param answers table<string, fun(self: table, request: stagehost.Request, from: stagehost.Call): any, any[]?>
---@param self any
---@param message any
---@param from? stagehost.Call
---@return any reply
---@return any[]? events
function M.answer(kind, answers, self, message, from)
    local answer = type(message) == "table" and message.kind == kind and answers[message.request]
    if answer then
        return answer(self, message, from)
    end
    return guard.request(kind, message)
end

return M
