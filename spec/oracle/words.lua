--- The vocabulary: stagehost's reasons and refusals in the words of the scenario format.
--
-- The format speaks of reasons as JSON: a string, ["shutdown", x], ["bad_return_value"],
-- ["raised", code]. stagehost speaks of strings, { "shutdown", x } and error objects.
local cjson = require "cjson"

local M = {}

--- JSON's null.
M.null = cjson.null

-- Errors of the engine that the format counts as "raised", by their name.
local raised = {
    partitions_required = true,
    hash_required = true,
    partition_required = true,
    partition_unknown = true,
    partition_taken = true,
    hash_unknown_partition = true,
    hash_bad_return = true,
    selector_invalid = true,
}

--- A reason in the words of the format.
---@param reason any what join, handle_cancel, terminate or a failed call hand out
---@return any
function M.reason(reason)
    if reason == nil then
        return "normal"
    end
    if raised[reason] then
        return { "raised", reason }
    elseif type(reason) ~= "table" then
        return reason
    end
    if reason[1] ~= nil then
        return { reason[1], reason[2] }
    end
    if reason.name == "error" then
        return { "raised", "exception" }
    end
    if reason.name == "bad_return_value" then
        return { reason.name }
    end
    if raised[reason.name] then
        return { "raised", reason.name }
    end
    return reason.name
end

--- A reason of a scenario in stagehost's words.
---@param reason any
---@return any
function M.parse(reason)
    if reason == M.null then
        return nil
    end
    return reason
end

--- The answer ["error", ...] for options that were refused, by what was raised.
---@param problem any an error object of stagehost; anything else is a fault of the runner
---@return table
function M.refusal(problem)
    local name = type(problem) == "table" and problem.name
    if raised[name] then
        return { "error", { "raised", name } }
    elseif name ~= "invalid_option" and name ~= "unknown_option" then
        error(problem, 0)
    end
    return { "error", { "bad_opts", problem.message:match('option "([^"]+)"') } }
end

--- The answer of a call that failed.
---@param reason any third result of the call
---@return table
function M.exit(reason)
    return { "exit", { "call", M.reason(reason) } }
end

return M
