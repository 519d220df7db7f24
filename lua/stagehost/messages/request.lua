-- SPDX-License-Identifier: MIT

--- Requests: the functions of a module send them to a stage of that module, and the stage answers.
---
---     function M.count(stage)                                  -- the module: returns the stage's results
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

---@class stagehost.Request it also has the fields of the request
---@field kind string the kind of stage that can answer it: "supervisor"
---@field request string the name of the function

---@class stagehost.Results the results of a function as one value
---@field is_results true
---@field n integer

--- The stage that a handle or a name stands for. Raises an error for any other value.
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

--- Makes a request of a table of fields, which it takes over.
---@param kind string of the stage
---@param what string
---@param fields? table
---@return stagehost.Request
function M.new(kind, what, fields)
    local message = fields or {}
    message.kind, message.request = kind, what
    return message
end

--- Passes a request on unchanged. Waits without a limit.
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

--- Sends a stage a request, and waits for the answer without a limit.
---@param stage stagehost.Stage | string
---@param kind string of the stage
---@param what string
---@param fields? table of the request, taken over
---@return any ... results; or nil, message, reason
function M.ask(stage, kind, what, fields)
    local found, problem, reason = M.find(stage, kind, what)
    if not found then
        return nil, problem, reason
    end
    return M.forward(found, M.new(kind, what, fields))
end

--- Packs the answer to a request: the values that the asking function returns.
---@param ... any
---@return stagehost.Results
function M.results(...)
    return { is_results = true, n = select("#", ...), ... }
end

--- Has a request answered by the function with its name, which returns M.results(...) and whatever else a
--- handle_call may return. Any other message is ignored, and logged.
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
