-- SPDX-License-Identifier: MIT

--- Helpers for specs of supervision: a stage that crashes on demand, and waiting for a condition.
local stagehost = require "stagehost"

require("spec.support.packed").install()

local M = {}

--- Waits until `f` returns a true value, and returns that.
---@param f fun(): any
---@return any
function M.await(f)
    for _ = 1, 5000 do
        local value = f()
        if value then
            return value
        end
        stagehost.sleep(1)
    end
    error("waited in vain", 2)
end

--- A process that ends as it is told: it stops with the reason that is sent to it, or raises `"crash"`. It tells a
--- log (M.Log) of its init and its terminate.
M.Child = stagehost.process {
    init = function(self, args)
        self.args = args or {}
        if self.args.log then
            self.args.log:cast("+" .. self.args.name)
            local failure = self.args.log:call { fails = self.args.name }
            if failure then
                return stagehost.stop(failure)
            end
        end
    end,
    handle_call = function(_, request)
        return request == "worker" and stagehost.worker() or request
    end,
    handle_info = function(_, message)
        if message == "crash" then
            error("it crashed")
        end
        return stagehost.stop(message)
    end,
    terminate = function(self)
        if self.args.log then
            self.args.log:cast("-" .. self.args.name)
        end
    end,
}

--- Keeps the messages it gets, in order; makes starts fail.
M.Log = stagehost.process {
    init = function(self)
        self.lines, self.failing = {}, {}
    end,
    handle_cast = function(self, line)
        table.insert(self.lines, line)
    end,
    handle_call = function(self, request)
        if request == "take" then
            local lines = self.lines
            self.lines = {}
            return table.concat(lines, " ")
        elseif request.fails then
            local failure = self.failing[request.fails]
            if failure and failure.times > 0 then
                failure.times = failure.times - 1
                return failure.reason
            end
            return nil
        end
        if request.fail then
            self.failing[request.fail] = { times = request.times, reason = request.reason }
        end
    end,
}

--- A child specification of M.Child.
---@param name string
---@param log? stagehost.Stage
---@param more? table other fields of the specification
---@return stagehost.ChildSpec
function M.child(name, log, more)
    local spec = { id = name, start = M.Child, options = { args = { name = name, log = log } } }
    for key, value in pairs(more or {}) do
        spec[key] = value
    end
    return spec
end

--- The workers to put children on: this one, and another one if there is any.
---@return integer[]
function M.workers()
    return stagehost.workers() > 1 and { stagehost.worker(), (stagehost.worker() + 1) % stagehost.workers() }
        or { stagehost.worker() }
end

return M
