-- SPDX-License-Identifier: MIT

--- Events as lines in a file or on standard output. handle_events returns when its events are
--- written, so a slow reader slows the pipeline down. Packed events are written without strings of theirs being made.
local checks = require "stagehost.options.checks"
local core = require "stagehost.core"
local errors = require "stagehost.options.errors"
local stagehost = require "stagehost"
local tables = require "stagehost.options.tables"
local writers = require "stagehost.io.writer"

local M = {}

local callbacks = { title = "lines" }

function callbacks.init(self)
    local message
    self.writer, message = writers.open(self.settings.path, self.settings.append)
    if not self.writer then
        return stagehost.stop(("cannot write %s: %s"):format(writers.display(self.settings.path),
            message))
    end
    self.n_written = 0
end

--- Writes every event with a newline behind it. It takes only strings and numbers, because the form of
--- other values would be a guess.
local function join(events, newline)
    if type(events) == "userdata" then
        return events:text(newline)
    end
    local ok, text = pcall(table.concat, events, newline)
    if ok then
        return text .. newline
    end
    for i = 1, #events do
        local kind = type(events[i])
        if kind ~= "string" and kind ~= "number" then
            error(("event %d of %d is a %s: sink.lines writes strings and numbers; encode it "
                .. "first (codec.json.encoder), or use sink.print"):format(i, #events, kind), 0)
        end
    end
    error(text, 0)
end

--- The number of events in the first bytes of the text.
local function count_whole(events, n_bytes, newline)
    local n = 0
    for i = 1, #events do
        n_bytes = n_bytes - #tostring(events[i]) - #newline
        if n_bytes < 0 then
            break
        end
        n = n + 1
    end
    return n
end

--- Raises an error instead of returning a stop, so that the core counts these events as unfinished.
local function fail(self, events, message, code, n_bytes)
    local whole = n_bytes and count_whole(events, n_bytes, self.settings.newline) or 0
    local text = ("cannot write %s: %s; %s%d of %d events not written, %d written before"):format(
        writers.display(self.settings.path), message, n_bytes and "" or "up to ", #events - whole,
        #events, self.n_written)
    error(errors.new { name = code or "write_failed", message = text }, 0)
end

function callbacks.handle_events(self, events)
    if self.format and type(events) == "table" then
        events = self.format(events)
    end
    local ok, message, code, n_bytes = self.writer:write(join(events, self.settings.newline))
    if code == "EPIPE" and self.settings.on_broken_pipe == "end" then
        core.end_producers()
        return stagehost.stop()
    elseif not ok then
        fail(self, events, message, code, n_bytes)
    end
    self.n_written = self.n_written + #events
end

function callbacks.terminate(self)
    if not self.writer then
        return
    end
    local ok, message = self.writer:close()
    if not ok then
        stagehost.log("error", "closing %s failed, what was written may be lost: %s",
            writers.display(self.settings.path), message)
    end
end

M.callbacks = callbacks

local function check_path(value)
    if type(value) ~= "string" or value == "" or value:find("%z") then
        return nil, 'must be a path or "-"'
    end
    return value
end

local schema = {
    path = check_path,
    append = checks.typed "boolean",
    newline = checks.typed "string",
    on_broken_pipe = checks.one_of("end", "error"),
}

--- The definition behind sink.lines and sink.print. `format` turns events into strings, and leaves strings as they are.
---@param settings { path: string, append: boolean, newline: string, on_broken_pipe: "end"|"error" }
---@param format? fun(events: any[]): string[]
---@return stagehost.Definition
function M.define(settings, format)
    return stagehost.consumer(tables.copy(callbacks, {
        format = format,
        packed = true,
        settings = settings,
    }))
end

--- A consumer that writes each event (a string or a number) and a newline.
---
---     stagehost.start(stagehost.sink.lines { path = "out.log" }, { subscribe_to = { parser } })
---     stagehost.sink.lines { path = "-" }                        -- standard output
---     stagehost.sink.lines { path = "out.log", append = true }   -- keeps what is in the file
---
--- A path that can't be opened fails the start. A write that fails (a full disk) ends the stage with
--- an error that names the path and counts the events that were not written; its `name` is the code,
--- "ENOSPC". A pipe without a reader is no failure: no more events are wanted, so the stage ends, and
--- so do stages that have produced for it alone. With on_broken_pipe = "error" it is a failure.
---@param options { path: string, append?: boolean, newline?: string, on_broken_pipe?: "end"|"error" }
---@return stagehost.Definition
function M.new(options)
    local given = checks.apply(schema, checks.table_or(options, "path"), "sink.lines")
    if not given.path then
        checks.fail("path", 'must be a path or "-"', nil)
    end
    return M.define {
        path = given.path,
        append = given.append or false,
        newline = given.newline or "\n",
        on_broken_pipe = given.on_broken_pipe or "end",
    }
end

return M
