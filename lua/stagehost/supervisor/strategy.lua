-- SPDX-License-Identifier: MIT

--- Decides which children are restarted, and whether. Pure.
local reasons = require "stagehost.messages.reason"

local M = {}

--- The range of children, in the order of their start, that end and start together with number `index`.
local ranges = {
    one_for_one = function(_, index)
        return index, index
    end,
    one_for_all = function(n)
        return 1, n
    end,
    rest_for_one = function(n, index)
        return index, n
    end,
}

M.names = { "one_for_one", "one_for_all", "rest_for_one" }

---@param strategy string
---@param n integer children
---@param index integer of the child that ended
---@return integer first
---@return integer last
function M.affected(strategy, n, index)
    return ranges[strategy](n, index)
end

--- Whether a child that ended with `reason` is to be started again.
---@param restart "permanent"|"transient"|"temporary"
---@param reason stagehost.Reason
---@return boolean
function M.wants_restart(restart, reason)
    return restart == "permanent" or restart == "transient" and not reasons.is_clean(reason)
end

return M
