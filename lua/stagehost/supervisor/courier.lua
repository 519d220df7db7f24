-- SPDX-License-Identifier: MIT

--- Errands on another worker. Definitions cross only in the start of a stage, not in a message, so
--- a short-lived process is started there with the request, and makes it.
local requests = require "stagehost.messages.request"
local stagehost = require "stagehost"
local tables = require "stagehost.options.tables"

local M = {}

local callbacks = {}

function callbacks.init(self, errand)
    self.errand = errand
end

local errands = {}

--- Asks a supervisor of this worker to start a child.
function errands.start_child(errand)
    local supervisor = require "stagehost.supervisor"
    return requests.results(supervisor.start_child(errand.supervisor, errand.spec))
end

--- Returns the counters of stages of this worker, in order; false for a stage whose counters are not known.
function errands.stats(errand)
    local list = {}
    for i, stage in ipairs(errand.stages) do
        list[i] = stage:stats() or false
    end
    return requests.results(list)
end

--- Waits until all messages of this worker to a stage have arrived there.
function errands.reach(errand)
    errand.stage:buffered()
    return requests.results(true)
end

local answers = {}

function answers.run(self)
    return stagehost.stop("normal", nil, errands[self.errand.name](self.errand))
end

function callbacks.handle_call(self, message)
    return requests.answer("courier", answers, self, message)
end

M.callbacks = callbacks

local function run(errand, worker)
    local courier, message, reason = stagehost.start(stagehost.process(tables.copy(callbacks)),
        { worker = worker, args = errand })
    if not courier then
        return nil, message, reason
    end
    return requests.ask(courier, "courier", "run")
end

---@param supervisor stagehost.Stage
---@param spec stagehost.ChildSpec
---@return stagehost.Stage?
---@return string? message
---@return any reason
function M.start_child(supervisor, spec)
    return run({ name = "start_child", supervisor = supervisor, spec = spec }, supervisor.worker)
end

--- Returns the counters of stages of one worker, even of those that hang in a callback or have ended.
---@param stages stagehost.Stage[]
---@param worker integer
---@return (table | false)[]?
---@return string? message
---@return any reason
function M.stats(stages, worker)
    return run({ name = "stats", stages = stages }, worker)
end

--- Waits until all messages of a worker to a stage that produces have arrived there.
---@param stage stagehost.Stage
---@param worker integer
function M.reach(stage, worker)
    run({ name = "reach", stage = stage }, worker)
end

return M
