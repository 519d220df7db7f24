-- SPDX-License-Identifier: MIT

--- Notes from stages to the process of their pipeline: a subscription has begun at its producer
--- ("joined"), or has ended at its consumer after its last events ("left"); and the result of a stage
--- ("result"), the `pipeline_result` of its definition. Callbacks are wrapped for that, except those for events.
local notes = require "stagehost.messages.note"
local reasons = require "stagehost.messages.reason"
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

--- Makes a stage send its result, as its last note, for those who join the pipeline.
local function wrap_terminate(user, result, pipeline)
    return function(self, reason)
        if user then
            user(self, reason)
        end
        if reasons.is_clean(reason) then
            pipeline:cast(new_note("result", { stage = this_stage(), result = result(self) }))
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
        wrapped.terminate = wrap_terminate(def.terminate, def.pipeline_result, pipeline)
    end
    return setmetatable(wrapped, getmetatable(def))
end

return M
