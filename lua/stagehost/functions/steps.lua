-- SPDX-License-Identifier: MIT

--- Stages made of functions that look at one event at a time: map, filter, reject, flat_map, tap. Neighbours in a chain
--- are fused into one stage with all their steps (`fuse`). The loop over the events is made for the steps when
--- the stage starts: so it is one function for the JIT compiler, and calls only what the script wrote.
local checks = require "stagehost.options.checks"
local place = require "stagehost.functions.place"
local stagehost = require "stagehost"

local M = {}

---@class stagehost.Step
---@field kind "map" | "filter" | "reject" | "flat_map" | "tap"
---@field f function
---@field place string where it was written

-- The loop ----------------------------------------------------------------------------------------

-- The code of one step. `$f` is its function, `$k` its number, `$e` the event, `$next` the label at the end of the
-- innermost loop. `$inner` is the event of the loop that a flat_map begins.
local CODE = {
    map = "$e = $f($e) if $e == nil then fail($k) end",
    filter = "if not $f($e) then goto $next end",
    reject = "if $f($e) then goto $next end",
    tap = "$f($e)",
    flat_map = "local list, state, control = $f($e) "
        .. 'if type(list) ~= "table" then list = spread($k, list, state, control) end '
        .. "for $j = 1, #list do local $inner = list[$j] if $inner == nil then fail($k) end",
}

local HEAD = "local new_table, fail, spread, type, %s = ... return function(events) "
    .. "local out, n = new_table(#events, 0), 0 for i = 1, #events do local event = events[i] "
local TAIL = "::next0:: end return out end"

--- The code of all steps, each without line breaks, and what follows them.
local function body_of(steps, names)
    local body, n_loops, event = {}, 0, "event"
    for k, step in ipairs(steps) do
        local words = { f = names[k], k = tostring(k), e = event, next = "next" .. n_loops }
        if step.kind == "flat_map" then
            n_loops = n_loops + 1
            event = "event" .. n_loops
            words.inner, words.j = event, "j" .. n_loops
        end
        body[k] = CODE[step.kind]:gsub("%$(%a+)", words)
    end
    local tail = { ("n = n + 1 out[n] = %s"):format(event) }
    for i = n_loops, 1, -1 do
        tail[#tail + 1] = ("::next%d:: end"):format(i)
    end
    tail[#tail + 1] = TAIL
    return body, table.concat(tail, " ")
end

--- The file and the lines of the steps, if all are of one file and stand in it in order.
local function lines_of(steps)
    local lines, file, last = {}, nil, 1
    for k, step in ipairs(steps) do
        local name, line = step.place:match "^(.*):(%d+)$"
        line = tonumber(line)
        if not name or file and name ~= file or line < last then
            return nil
        end
        file, last, lines[k] = name, line, line
    end
    return file, lines
end

--- The text of a function that makes the loop, and its name. If that can be done, each step gets the name and
--- the line that its function has: errors of functions in C then name it.
local function loop_code(steps)
    local names, places = {}, {}
    for k, step in ipairs(steps) do
        names[k], places[k] = step.kind .. k, ("%s %s"):format(step.kind, step.place:match "[^/]*$")
    end
    local body, tail = body_of(steps, names)
    local file, lines = lines_of(steps)
    local text, at = { HEAD:format(table.concat(names, ", ")) }, 1
    for k, code in ipairs(body) do
        local line = lines and lines[k] or at
        text[#text + 1] = ("\n"):rep(line - at) .. code .. " "
        at = line
    end
    text[#text + 1] = tail
    return table.concat(text), "=" .. (file or table.concat(places, ", "))
end

--- Raises the error that a step has returned nil, or a list with nil.
local function failer(steps)
    return function(k)
        local step = steps[k]
        if step.kind == "map" then
            place.fail("map", step.place, "returned nil: that is no event; filter and flat_map leave events out")
        end
        place.fail("flat_map", step.place, "returned a list with nil in it: that is no event")
    end
end

--- Makes a list of what a flat_map has returned, if that is none: nothing, an iterator, a packed list.
local function spreader(steps)
    return function(k, value, state, control)
        local list = {}
        if type(value) == "function" then
            for event in value, state, control do
                list[#list + 1] = event
            end
        elseif type(value) == "userdata" and getmetatable(value) == debug.getregistry()["stagehost.strings"] then
            return value:table()
        elseif value ~= nil then
            place.fail("flat_map", steps[k].place, "returned %s: expected a list, an iterator or nil",
                checks.show(value))
        end
        return list
    end
end

local function loop_of(steps)
    local functions = {}
    for k, step in ipairs(steps) do
        functions[k] = step.f
    end
    local make = assert(loadstring(loop_code(steps)))
    return make(require "table.new", failer(steps), spreader(steps), type, unpack(functions))
end

-- The stage ---------------------------------------------------------------------------------------

local callbacks = {}

function callbacks.init(self)
    self.loop = loop_of(self.steps)
end

function callbacks.handle_events(self, events)
    return self.loop(events)
end

M.callbacks = callbacks

-- The title names at most so many steps.
local MAX_TITLE = 4

local function title_of(steps)
    local kinds = {}
    for k = 1, math.min(#steps, MAX_TITLE) do
        kinds[k] = steps[k].kind
    end
    return table.concat(kinds, "+") .. (#steps > MAX_TITLE and "+..." or "")
end

---@param steps stagehost.Step[]
---@return stagehost.Definition
local function define(steps)
    return stagehost.producer_consumer {
        title = title_of(steps),
        steps = steps,
        init = callbacks.init,
        handle_events = callbacks.handle_events,
    }
end

local function step_stage(kind)
    return function(f)
        return define { { kind = kind, f = f, place = place.check(kind, f) } }
    end
end

--- A stage that emits f(event) for each event. nil is no event: if `f` returns it, the stage fails.
M.map = step_stage "map"

--- A stage that emits the events for which f(event) is true.
M.filter = step_stage "filter"

--- A stage that emits the events for which f(event) is false or nil.
M.reject = step_stage "reject"

--- A stage that emits all elements of the list that f(event) returns. `f` may also return nil, for none, or an
--- iterator: flat_map(function(line) return line:gmatch "%S+" end).
M.flat_map = step_stage "flat_map"

--- A stage that calls f(event) for each event, and emits the event.
M.tap = step_stage "tap"

--- Whether two stages can be one: both are made of steps, on the same worker, and nothing lies between them.
---@param first any
---@param second any
---@return boolean
function M.can_fuse(first, second)
    local function is_made_of_steps(def)
        return type(def) == "table" and def.handle_events == callbacks.handle_events
    end
    return is_made_of_steps(first) and is_made_of_steps(second)
end

--- Makes one stage of two: with the steps of the first, then those of the second.
---@param first stagehost.Definition
---@param second stagehost.Definition
---@return stagehost.Definition
function M.fuse(first, second)
    local steps = {}
    for _, def in ipairs { first, second } do
        for _, step in ipairs(def.steps) do
            steps[#steps + 1] = step
        end
    end
    return define(steps)
end

return M
