-- SPDX-License-Identifier: MIT

--- The end of a stage for those who join it: the reason; of a stage whose definition has `has_results` also the
--- results, which it sends to those who have asked by then.
local core = require "stagehost.core"
local reasons = require "stagehost.messages.reason"
local requests = require "stagehost.messages.request"

local M = {}

--- The request that such a stage answers at its end, with its results or nothing.
local JOIN = requests.new("pipeline", "join")

--- What was asked at the start of stages, for as long as there are handles of these.
---@type table<stagehost.Stage, { owner: stagehost.Stage, ref: integer, kept: { answer: table? } }>
local asked = setmetatable({}, { __mode = "k" })

--- Has a start ask the new stage at once, so that the starter gets the answer however late it joins. Supervisors do
--- not join what they start.
---@param request table of options.start
function M.prepare(request)
    if request.has_results and not request.supervised then
        request.question = JOIN
    end
end

--- Keeps what a start has asked.
---@param request table of options.start, as core.start leaves it
function M.keep(request)
    if request.asked then
        asked[request.stage] = { owner = core.self(), ref = request.ref, kept = request.asked }
    end
end

--- Other stages than the starter have to ask while the stage runs.
local function take_answer(stage)
    local request = asked[stage]
    if not request or request.owner ~= core.self() then
        return (stage:call(JOIN, math.huge))
    end
    local kept = request.kept
    if not kept.answer then
        kept.answer = { (core.take(request.ref)) }
    end
    return kept.answer[1]
end

--- The method `join` of stages.
---@param stage stagehost.Stage
---@return any results of a stage that has none: the reason; nil: it has crashed, or they can't be known any more
---@return (stagehost.Reason | string)? reason with results: "normal", "shutdown"; without them a message
---@return stagehost.Reason reason without results: why it ended; "noproc"
function M.join(stage)
    if core.self() == stage or not core.has_results(stage) then
        return core.end_reason(stage)
    end
    local answer = take_answer(stage)
    local reason = core.end_reason(stage)
    if not reasons.is_clean(reason) then
        return nil, reasons.text(reason), reason
    elseif type(answer) ~= "table" or not answer[1] then
        return nil, "the pipeline had ended before it was asked for its results", "noproc"
    end
    return answer[1], reason or "normal"
end

return M
