-- SPDX-License-Identifier: MIT

--- A function as the child of a consumer_supervisor: it runs once, on a stage of its own, and may
--- wait there.
local notes = require "stagehost.messages.note"
local stagehost = require "stagehost"
local tables = require "stagehost.options.tables"

local M = {}

local RUN = notes.new "run" -- one for all: a table for each child is a tenth of what the child costs

local callbacks = {}

function callbacks.init(self, args)
    self.args = args
    self.stage:send(RUN)
end

local takers = {}

function takers.run(self)
    local n = self.n_args
    if n then
        self.run(unpack(self.args, 1, n))
    else
        self.run(self.args)
    end
    return stagehost.stop()
end

function callbacks.handle_info(self, message)
    return notes.take("consumer_supervisor.job", takers, self, message)
end

function callbacks.handle_events() end

M.callbacks = callbacks

--- The definition of stages that call `f(event)`, or `f(args..., event)`.
---
--- They are consumers without producers, because a drain ends consumers last, after their functions have
--- returned. Processes are told to end earlier, even in the middle of a wait.
---@param f function
---@param n_args? integer number of arguments, if they come as a list
---@return stagehost.Definition
function M.new(f, n_args)
    return stagehost.consumer(tables.copy(callbacks, {
        run = f,
        n_args = n_args,
    }))
end

return M
