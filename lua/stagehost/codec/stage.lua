-- SPDX-License-Identifier: MIT

--- The stage around a codec: a producer_consumer that converts each event, and handles the events
--- that can't be converted.
local checks = require "stagehost.options.checks"
local guard = require "stagehost.messages.guard"
local new_table = require "table.new"
local queues = require "stagehost.source.queue"
local stagehost = require "stagehost"
local tables = require "stagehost.options.tables"

local M = {}

--- Converts the events from `cursor.at` on, and appends the results to `out`, which has `cursor.n` already.
--- It raises an error at an event that can't be converted, with the cursor at this event. `cursor.position` is
--- then the place of the error in the event, if it is known.
---@alias stagehost.codec.convert_all fun(events: any[], out: any[], cursor: stagehost.codec.Cursor, checked: table)

---@class stagehost.codec.Cursor
---@field at integer the next event to take
---@field n integer results so far
---@field position? integer

local EXCERPT_BYTES, BYTES_BEFORE = 60, 20

local callbacks = { title = "codec" }

function callbacks.init(self)
    local settings = self.settings
    if type(settings.to) == "string" and not stagehost.whereis(settings.to) then
        return stagehost.stop(('option "on_error": no stage has the name %s (known: "fail", '
            .. '"skip", or a dead-letter stage, which must be started first)')
            :format(checks.show(settings.to)))
    end
    self.seen, self.failed = 0, 0
    self.cursor = { at = 1, n = 0 }
    self.queue = settings.queue and queues.new(settings.queue)
    self.label = self.stage.name or "#" .. self.stage.id
end

--- Returns the text around a position on one line, for error messages; "" for an event that is no text.
---@param event any
---@param position? integer default 1
---@return string
function M.excerpt(event, position)
    if type(event) ~= "string" then
        return ""
    end
    local first = math.max(1, math.min((position or 1) - BYTES_BEFORE, #event - EXCERPT_BYTES + 1))
    local last = first + EXCERPT_BYTES - 1
    local text = ("%q"):format(event:sub(first, last)):gsub("\\\n", "\\n")
    return ": " .. (first > 1 and "..." or "") .. text .. (last < #event and "..." or "")
end

--- Removes the position in a script that Lua puts in front of errors of C functions.
---@param err any
---@return string
function M.reason_of(err)
    return (tostring(err):gsub("^[^:]*:%d+: ", ""))
end

---@return boolean? ok
---@return string? message
local function send_dead_letter(self, letter)
    if self.queue then
        return self.queue:push(letter)
    end
    local to = self.settings.to
    local stage = type(to) == "string" and stagehost.whereis(to) or to
    if type(stage) == "string" or not stage:is_alive() then
        return nil, "that stage is not alive"
    end
    stage:cast(letter)
    return true
end

--- Applies the policy to an event that can't be converted: returns nil to go on without it, or the
--- reason to end with.
local function judge(self, line, event, message)
    local text = ("%s: line %d: %s%s"):format(self.settings.what, line, message,
        M.excerpt(event, self.cursor.position))
    self.failed = self.failed + 1
    self.first_error = self.first_error or text
    if self.settings.policy == "fail" then
        return text
    elseif self.failed == 1 then
        stagehost.log("warn", "%s; skipped, like all such lines from here on", text)
    end
    if self.settings.policy == "dead_letter" then
        local ok, problem = send_dead_letter(self,
            { event = event, error = message, line = line, stage = self.label })
        if not ok then
            return ("%s; it can't be sent to the dead-letter stage: %s"):format(text, problem)
        end
    end
end

function callbacks.handle_events(self, events)
    local n, out, cursor = #events, new_table(#events, 0), self.cursor
    cursor.at, cursor.n = 1, 0
    while true do
        cursor.position = nil
        local ok, err = pcall(self.convert_all, events, out, cursor, self.settings.checked)
        if ok then
            break
        end
        local at = cursor.at
        local reason = judge(self, self.seen + at, events[at], M.reason_of(err))
        if reason then
            self.seen = self.seen + at
            return stagehost.stop(reason, out)
        end
        cursor.at = at + 1
    end
    self.seen = self.seen + n
    return out
end

function callbacks.handle_call(self, request)
    if request == "stats" then
        return { events = self.seen, failed = self.failed, first_error = self.first_error }
    end
    return guard.request(self.settings.what, request, 'known: "stats"')
end

function callbacks.terminate(self)
    if self.settings and self.failed and self.failed > 0 and self.settings.policy ~= "fail" then
        stagehost.log("warn", "%s: %d of %d lines were skipped", self.settings.what,
            self.failed, self.seen)
    end
end

M.callbacks = callbacks

local function is_queue(value)
    return type(value) == "table" and getmetatable(value) == queues.methods
end

local function check_on_error(value)
    if is_queue(value) then
        return { policy = "dead_letter", queue = value.stage or value.name }
    elseif value == "fail" or value == "skip" then
        return { policy = value }
    elseif checks.stage_or_name(value) then
        return { policy = "dead_letter", to = value }
    end
    return nil, 'must be "fail", "skip", or a dead-letter stage (handle, name, or queue)'
end

--- Makes the definition of a codec's stage.
---@param what string "codec.json.decoder"
---@param convert_all stagehost.codec.convert_all
---@param options? table
---@param codec_schema table<string, stagehost.Check> the options of the codec besides `on_error`; convert_all
--- gets the results of these checks
---@return stagehost.Definition
function M.new(what, convert_all, options, codec_schema)
    local checked = checks.apply(tables.copy(codec_schema, { on_error = check_on_error }), options or {}, what)
    local settings = checked.on_error or { policy = "fail" }
    checked.on_error = nil
    settings.what, settings.checked = what, checked
    return stagehost.producer_consumer(tables.copy(callbacks, {
        convert_all = convert_all,
        dead_letter = settings.to or settings.queue, -- so that a drain does not end it before this stage
        settings = settings,
    }))
end

return M
