-- SPDX-License-Identifier: MIT

--- Everything a producer emits, as a list.
local collect = require "stagehost.sink.collect"
local stagehost = require "stagehost"
local tables = require "stagehost.options.tables"

local M = {}

--- Subscribes to a producer, waits for its end and returns all its events.
---
---     local source = stagehost.start(stagehost.source.list { 1, 2, 3 })
---     local events, reason = stagehost.sink.collect_from(source)   -- { 1, 2, 3 }, "normal"
---@param producer stagehost.Stage|string
---@param options? table of the subscription: max_demand, min_demand, partition, ...
---@return any[]? events nil if the subscription failed
---@return any reason why the producer ended, or the message if the subscription failed
function M.new(producer, options)
    local subscription = tables.copy({ to = producer, cancel = "temporary" }, options)
    local sink, message, reason = stagehost.start(collect.new(),
        { subscribe_to = { subscription } })
    if not sink then
        return nil, message, reason
    end
    local result
    result, message, reason = sink:call("finish", math.huge)
    if not result then
        return nil, message, reason
    end
    return result.events, result.reason
end

return M
