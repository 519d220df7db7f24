-- SPDX-License-Identifier: MIT

--- Tasks: a task is a function that runs beside its starter, on a process of its own, and is awaited.
local checks = require "stagehost.options.checks"
local core = require "stagehost.core"
local definition = require "stagehost.options.definition"
local errors = require "stagehost.options.errors"
local options = require "stagehost.options"

local function pack(...)
    return { n = select("#", ...), ... }
end

--- Runs the function: the only request is that of the starter. If the function fails, this callback
--- fails: the starter gets the error, and the process ends with it.
local Runner = definition.new("process", {
    init = function(self, args)
        self.f, self.args = args.f, args.args
    end,
    handle_call = function(self)
        local args = self.args
        return core.stop("normal", nil, pack(self.f(unpack(args, 1, args.n))))
    end,
})

---@class stagehost.Task
---@field stage stagehost.Stage the process that runs the task: to monitor, link, kill or join
local Task = {}
Task.__index = Task

function Task.__tostring(self)
    return "task<" .. (self.stage.name or "#" .. self.stage.id) .. ">"
end

--- Waits for the results of the function. Only the stage that started the task may call this; it may call it
--- again, after a timeout or for the same results.
---@param timeout_ms? stagehost.Duration default: none
---@return any ... results; or nil, message, reason: "timeout", "killed", the function's error
function Task:await(timeout_ms)
    local request = self.request
    if not request.answer then
        local answer = pack(core.take(self.ref, timeout_ms))
        if not answer[1] and answer[3] == "timeout" then
            return unpack(answer, 1, answer.n)
        end
        request.answer = answer
    end
    if request.answer[3] == "noproc" then -- it had ended before it got the request
        local reason = core.end_reason(self.stage)
        request.answer[2], request.answer[3] = "the task has ended: " .. tostring(reason), reason
    end
    local results = request.answer[1]
    if results then
        return unpack(results, 1, results.n)
    end
    return unpack(request.answer, 1, request.answer.n)
end

--- Ends the task, whatever it is doing.
function Task:kill()
    self.stage:kill()
end

---@return boolean
function Task:is_alive()
    return self.stage:is_alive()
end

local schema = {
    worker = checks.anything,
    link = checks.typed "boolean",
    name = checks.anything,
}

--- A stage can't hand its task over to another one: the answer goes to the stage that started it. Without
--- `link` the starter has to deal with a failure; with `link` it is like the failure of any stage.
---@param given table
---@return stagehost.Task? task
---@return string? message
---@return any reason
local function start(given, f, args)
    if type(f) ~= "function" then
        errors.raise("invalid_argument", "task: expected a function, got %s", type(f))
    end
    local opts = checks.apply(schema, given, "a task")
    opts.args = { f = f, args = args }
    opts.supervised = not opts.link
    local request = options.start(Runner, opts, core.workers())
    local started, message, reason = core.start(Runner, request)
    if not started then
        return nil, message, reason
    end
    local ref, answer = core.request(request.stage, nil)
    return setmetatable({ stage = request.stage, ref = ref, request = answer }, Task)
end

--- stagehost.task: runs f(...) beside the current stage, on a process of its own; waits until that has
--- started. `task:await(timeout_ms)` then waits for its results.
---
---     local task = stagehost.task({ worker = "any" }, count_words, text)
---     local words = assert(task:await())
---
--- On another worker `f` and its arguments are copies. If it fails, `await` returns nil, message and
--- the error; with `link = true` the failure ends the current stage too, and counts as one of the host's.
---@param first function | { worker?: integer | "any", link?: boolean, name?: string } or options, then f
---@param ... any
---@return stagehost.Task? task
---@return string? message
---@return any reason
return function(first, ...)
    if type(first) == "table" then
        return start(first, (...), pack(select(2, ...)))
    end
    return start({}, first, pack(...))
end
