-- SPDX-License-Identifier: MIT

--- Notes from stages to the process of their pipeline: a subscription has begun at its producer
--- ("joined"), or has ended at its consumer after its last events ("left"). A stage whose definition has a
--- `pipeline_result` answers the request for it when it ends. Callbacks are wrapped for that, except those for events.
local guard = require "stagehost.messages.guard"
local notes = require "stagehost.messages.note"
local reasons = require "stagehost.messages.reason"
local requests = require "stagehost.messages.request"
local stagehost = require "stagehost"
local tables = require "stagehost.options.tables"

local M = {}

local new_note, this_stage = notes.new, stagehost.self

local function wrap_subscribe(user, pipeline)
    return function(self, kind, opts, from)
        local answer
        if user then
            answer = user(self, kind, opts, from)
        end
        if kind == "consumer" then
            pipeline:cast(new_note("joined", { producer = this_stage(), consumer = from.consumer }))
        end
        return answer
    end
end

local function wrap_cancel(user, pipeline)
    return function(self, reason, from, how)
        local answer
        if user then
            answer = user(self, reason, from, how)
        end
        if from.consumer == this_stage() then
            pipeline:cast(new_note("left", {
                producer = from.producer,
                consumer = from.consumer,
                reason = how == "cancel" and reason or nil,
            }))
        end
        return answer
    end
end

--- The request for the result of a stage, which is answered when the stage ends.
M.RESULT = requests.new("pipeline", "result")

local function is_for_result(message)
    return type(message) == "table" and message.kind == M.RESULT.kind and message.request == M.RESULT.request
end

local function wrap_call(user)
    return function(self, message, from)
        if is_for_result(message) then
            self.asked_for_result = from
            return stagehost.noreply
        elseif user then
            return user(self, message, from)
        end
        return guard.request(self.stage.kind, message)
    end
end

local function wrap_terminate(user, result)
    return function(self, reason)
        if user then
            user(self, reason)
        end
        if self.asked_for_result and reasons.is_clean(reason) then
            self.asked_for_result:reply { result(self) }
        end
    end
end

local consumes = { consumer = true, producer_consumer = true }

--- Makes the definition of a stage that reports to a pipeline.
---@param def stagehost.Definition
---@param pipeline stagehost.Stage
---@return stagehost.Definition
function M.wrap(def, pipeline)
    local wrapped = tables.copy(def)
    if def.kind == "producer" then
        wrapped.handle_subscribe = wrap_subscribe(def.handle_subscribe, pipeline)
    elseif consumes[def.kind] then
        wrapped.handle_cancel = wrap_cancel(def.handle_cancel, pipeline)
    end
    if def.pipeline_result then
        wrapped.handle_call = wrap_call(def.handle_call)
        wrapped.terminate = wrap_terminate(def.terminate, def.pipeline_result)
    end
    return setmetatable(wrapped, getmetatable(def))
end

return M
