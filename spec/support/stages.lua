-- SPDX-License-Identifier: MIT

--- Stages that are ended after each `it`, passed or failed: a spec file starts them with
--- `start` and calls `after_each(stages.stop_all)`.
local stagehost = require "stagehost"

local M = {}
local started = {}

---@param def stagehost.Definition
---@param opts? table
---@return stagehost.Stage
function M.start(def, opts)
    local stage = assert(stagehost.start(def, opts))
    started[#started + 1] = stage
    return stage
end

--- Ends stages at once, and waits until they have ended.
---@param ... stagehost.Stage
function M.stop(...)
    for _, stage in ipairs { ... } do
        stage:kill()
        stage:join()
    end
end

function M.stop_all()
    local all = started
    started = {}
    M.stop(unpack(all))
end

return M
