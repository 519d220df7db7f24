-- SPDX-License-Identifier: MIT

--- Images of definitions that have come from other workers (kept.lua), decoded once. Each start gets tables and
--- variables of its own. Functions without variables are the same in all stages of this worker, as they are for
--- stages that are started on their own worker.
local buffer = require "string.buffer"
local rebuild = require "stagehost.engine.transfer.rebuild"

local M = {}

-- As many are kept at least, and at most twice as many.
local KEEP = 64

---@type table<string, table> images by their bytes
local young, old, n_young = {}, {}, 0

---@param bytes string
local function find(bytes)
    local image = young[bytes]
    if image then
        return image
    end
    image = old[bytes]
    if not image then
        image = buffer.decode(bytes)
        image.shared, image.has_links = {}, rebuild.has_links(image)
    end
    if n_young == KEEP then
        young, old, n_young = {}, young, 0
    end
    young[bytes], n_young = image, n_young + 1
    return image
end

--- Makes a definition.
---@param context table
---@param bytes string
---@param handles any[] those of the image, and others behind them
---@return table
function M.make(context, bytes, handles)
    return rebuild.make(context, find(bytes), handles)[1]
end

return M
