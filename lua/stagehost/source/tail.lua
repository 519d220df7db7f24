-- SPDX-License-Identifier: MIT

--- Lines as they are appended to a file, through truncation and rotation.
---
--- The file at the path is checked when the file system reports a change, and every `poll`
--- milliseconds. A file that has taken the place of the one being read is opened at once and waits
--- in `successors`, so that several rotations in a row lose nothing; reading goes on with it when the
--- old file is read completely and the new one has data.
local call = require "stagehost.io.call"
local checks = require "stagehost.options.checks"
local growing = require "stagehost.io.growing"
local notes = require "stagehost.messages.note"
local splitters = require "stagehost.core.text"
local stage_options = require "stagehost.options"
local stagehost = require "stagehost"
local tables = require "stagehost.options.tables"
local uv = require "luv"
local watches = require "stagehost.io.watch"

local M = {}

local CHUNK_SIZE = 64 * 1024
local DEFAULT_POLL_MS = 1000

local callbacks = { title = "tail" }

local function failed(self, message, events)
    return stagehost.stop(("cannot read %s: %s"):format(self.settings.path, message), events)
end

local function look_soon(self)
    if not self.stage:is_alive() then
        callbacks.terminate(self) -- it was killed; nothing else closes the watches
    elseif not self.looking then
        self.looking = true
        self.stage:send(notes.new "look")
    end
end

--- Watches the file for changes, also behind a symbolic link. A new file is noticed by watch_folder.
local function watch_file(self)
    if self.file_watch then
        self.file_watch:close()
    end
    self.file_watch = watches.new(self.settings.path, function()
        look_soon(self)
    end)
end

local function watch_folder(self)
    local folder, name = self.settings.path:match "^(.*/)([^/]*)$"
    name = name or self.settings.path
    self.folder_watch = watches.new(folder or ".", function(changed)
        if not changed or changed == name then
            look_soon(self)
        end
    end)
end

--- Opens the file at the path if it is not the newest one that is open already.
local function look_at_path(self)
    local stat = call.wait(uv.fs_stat, self.settings.path)
    local newest = self.successors[#self.successors] or self.file
    if not stat or newest and newest:is(stat) then
        return nil
    end
    local file, message, code = growing.open(self.settings.path)
    if not file then
        -- The file may be gone again, or not readable until its mode has been set after the rotation.
        return code ~= "ENOENT" and code ~= "EACCES" and failed(self, message) or nil
    elseif self.file then
        self.successors[#self.successors + 1] = file
    else
        self.file = file
    end
    watch_file(self)
end

--- Ends the file being read, which gets no more data: its last line is complete as it is.
local function end_of_file(self)
    local last = self.splitter:finish()
    self.owed = self.owed - (last and 1 or 0)
    return last
end

--- Handles a file that was cut, and may have been filled again: a line that was begun has ended.
local function begin_anew(self)
    stagehost.log("info", "%s was truncated: reading it from its start", self.settings.path)
    return end_of_file(self)
end

--- Goes on to the next file at the end of one. Returns true if there is something new to read, and the
--- last line of the old file if it had no newline.
local function turn_over(self)
    local successor = self.successors[1]
    if not successor or #self.successors == 1 and successor:is_empty() then
        return false
    elseif not self.last_look then
        -- Data that was written to the old file before the first byte of the new one can be read by now.
        self.last_look = true
        return true
    end
    self.last_look = false
    stagehost.log("info", "%s was rotated: reading the new file", self.settings.path)
    self.file:close()
    self.file = table.remove(self.successors, 1)
    return true, end_of_file(self)
end

local function take_chunk(self, chunk)
    local lines = self.splitter:feed(chunk)
    self.owed = math.max(0, self.owed - (lines and #lines or 0))
    return lines
end

--- Reads while there is demand and data; returns as soon as there are lines.
local function advance(self)
    while self.owed > 0 and self.file do
        local chunk, message = self.file:read(CHUNK_SIZE)
        if message then
            return failed(self, message)
        end
        local more, events = true
        if not chunk then
            events = begin_anew(self)
        elseif chunk == "" then
            more, events = turn_over(self)
        else
            events = take_chunk(self, chunk)
        end
        if events then
            look_soon(self)
            return events
        elseif not more then
            return nil
        end
    end
end

function callbacks.init(self)
    self.owed, self.successors = 0, {}
    self.splitter = splitters.splitter(self.settings.keep_cr)
    local file, message, code = growing.open(self.settings.path)
    if file and self.settings.from == "end" then
        local ok
        ok, message = file:seek_last_line()
        file = ok and file
    end
    if not file and code ~= "ENOENT" then
        return failed(self, message)
    end
    self.file = file
    watch_folder(self)
    watch_file(self)
    stagehost.every(self.settings.poll, notes.new "poll")
end

function callbacks.handle_demand(self, demand)
    self.owed = self.owed + demand
    look_soon(self)
end

local takers = {}

--- Reads on: something may have changed, or there is more to read.
function takers.look(self)
    self.looking = false
    return look_at_path(self) or advance(self)
end

function takers.poll(self)
    if not self.folder_watch then
        watch_folder(self)
    end
    return look_at_path(self) or advance(self)
end

function callbacks.handle_info(self, message)
    return notes.take("source.tail", takers, self, message)
end

function callbacks.terminate(self)
    for _, closable in pairs { self.file_watch, self.folder_watch, self.file } do
        closable:close()
    end
    for _, file in ipairs(self.successors) do
        file:close()
    end
end

M.callbacks = callbacks

local schema = {
    path = checks.typed "string",
    from = checks.one_of("end", "start"),
    poll = checks.duration(1),
    keep_cr = checks.typed "boolean",
}

---@class stagehost.source.tail.Options
---@field path string
---@field from? "end"|"start" begin with new lines, or with those that are there ("end")
---@field poll? stagehost.Duration between checks, for changes that the file system does not report (1000)
---@field keep_cr? boolean leave the "\r" of "\r\n" on the line (false)

--- A producer of the lines that are appended to a file, without their ends. A line is emitted when
--- its newline is there. When the file is rotated (renamed, and a new one made) the old one is read
--- completely first. When it is truncated it is read from its start, even if it has been filled
--- again by then, to whatever size: the last 256 bytes read are compared with the bytes now
--- in their place, so only the same bytes at the same place are not noticed. NUL bytes at the start
--- of a file, left there by a writer that does not append, are skipped. The file need not exist yet:
--- one that appears later is read from its start. The stage never ends by itself: use `stage:stop()`.
---
---     stagehost.start(stagehost.source.tail { path = "/var/log/syslog" })
---@param options stagehost.source.tail.Options | string a string is the path
---@param start_options? stagehost.InitOptions of its start
---@return stagehost.Definition
function M.new(options, start_options)
    local given = checks.apply(schema, checks.table_or(options, "path"), "source.tail")
    if not given.path or given.path == "" then
        checks.fail("path", "must be the path of a file", given.path)
    end
    return stagehost.producer(tables.copy(callbacks, { buffer_size = "infinity" },
        stage_options.for_definition("producer", start_options, "source.tail"), {
        settings = {
            path = given.path,
            from = given.from or "end",
            poll = given.poll or DEFAULT_POLL_MS,
            keep_cr = given.keep_cr or false,
        },
    }))
end

return M
