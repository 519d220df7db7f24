-- SPDX-License-Identifier: MIT

--- Lines of files and of standard input, as packed lists. All the lines that a chunk completes are
--- emitted at once, and lines that were not asked for wait in the stage's buffer: no line is ever held here,
--- where a drain would not find it. A chunk is read only while there is demand: at once, if the system has it in
--- memory. If it has to be waited for, it may be read ahead of a file, while lines of the chunk before wait in the
--- buffer: then it waits here for demand. Of a pipe nothing is read ahead, because what was read is not there
--- any more when a drain has ended this stage.
local checks = require "stagehost.options.checks"
local notes = require "stagehost.messages.note"
local parts = require "stagehost.source.parts"
local progress = require "stagehost.engine.progress"
local readers = require "stagehost.io.reader"
local splitters = require "stagehost.core.text"
local stage_options = require "stagehost.options"
local stagehost = require "stagehost"
local tables = require "stagehost.options.tables"
local uv = require "luv"

local M = {}

-- A string of 128 KiB or more costs a mapping of its own, for LuaJIT and for the chunk.
local DEFAULT_CHUNK_SIZE = 120 * 1024
local MAX_PARTS = 1024
local MAX_CHUNK_SIZE = 64 * 1024 * 1024

local callbacks = { title = "lines" }

local function failed(path, message, events)
    local reason = ("cannot read %s: %s"):format(readers.display(path), message)
    return stagehost.stop(reason, events)
end

local function start_read(self)
    if not self.reading and not self.arrived then
        self.reading = true
        self.reader:read(self.on_read)
    end
end

--- Makes sure that a chunk arrives if there is demand: from memory at once, or by a read that takes its time.
local function read(self)
    if self.owed == 0 or self.reading or self.arrived then
        return
    end
    local chunk = self.reader:read_now()
    if chunk then
        self.arrived = { chunk = chunk, is_cached = true }
    else
        start_read(self)
    end
end

--- Reads on after this callback, if there is demand.
local function go_on(self)
    if self.owed > 0 then
        self.stage:send_ahead(notes.new "read")
    end
end

--- Opens the next path; returns a stop if that fails.
local function open_next(self, events)
    self.index = self.index + 1
    local segment = self.segments and self.segments[self.index]
    local message
    self.path = segment and segment.path or self.settings.paths[self.index]
    self.reader, message = readers.open(self.path, self.settings.chunk_size, segment)
    return not self.reader and failed(self.path, message, events) or nil
end

--- Checks all paths before anything is read, so that a wrong name is reported now, and not
--- after an hour.
local function probe_all(self)
    local total = 0
    for _, path in ipairs(self.settings.paths) do
        local ok, size = readers.probe(path)
        if not ok then
            return failed(path, size)
        end
        total = total and size and total + size
    end
    self.total = total or nil
end

--- Returns a stop if this part can't be read, or is none.
local function find_segments(self)
    self.total = 0
    for _, segment in ipairs(self.segments or {}) do
        self.total = self.total + segment.to - segment.from
    end
    return self.problem and stagehost.stop(self.problem)
        or not self.segments and stagehost.stop("source.lines: a pipeline starts the readers of parts; "
            .. "outside of one, parts is not possible")
        or nil
end

function callbacks.init(self)
    self.owed, self.index = 0, 0
    self.splitter = splitters.splitter(self.settings.keep_cr)
    local stop = self.settings.parts and find_segments(self) or not self.settings.parts and probe_all(self)
        or open_next(self)
    if stop then
        return stop
    end
    local stage = self.stage
    self.on_read = function(failure, chunk, cut)
        if not stage:is_alive() then
            self.reader:close()
            return
        end
        self.reading = false
        self.arrived = { failure = failure, chunk = chunk, cut = cut }
        if self.owed > 0 then
            stage:send_ahead(notes.new "read")
        end
    end
    self.progress = self.settings.progress and progress.start(self.total) or nil
end

local function take_chunk(self, chunk, is_cached)
    local lines = self.splitter:feed(chunk)
    local n = lines and #lines or 0
    local is_read_ahead = n > self.owed and self.reader.may_read_ahead and not is_cached
    self.owed = math.max(0, self.owed - n)
    if self.progress then
        self.progress:add(#chunk, n)
    end
    if is_read_ahead then
        start_read(self)
    else
        go_on(self)
    end
    return lines
end

local function take_end(self)
    local last = self.splitter:finish()
    self.owed = math.max(0, self.owed - (last and 1 or 0))
    self.reader:close()
    if self.index == #(self.segments or self.settings.paths) then
        return stagehost.stop("normal", last)
    end
    local stop = open_next(self, last)
    if stop then
        return stop
    end
    go_on(self)
    return last
end

--- Handles a file that was cut. Lines that were read before have been emitted.
local function take_cut(self, cut)
    local what = ("it was cut while it was read: it has %d bytes now and had %d, of which %d were read")
        :format(cut.now, cut.before, cut.read)
    if self.settings.on_shrink == "error" then
        return failed(self.path, what)
    end
    stagehost.log("warn", "%s: %s", self.path, what)
    go_on(self)
end

--- Handles the end of a read, whose result is in self.arrived, if there is demand.
local function take(self)
    local arrived = self.arrived
    if not arrived or self.owed == 0 then
        return nil
    end
    self.arrived = nil
    if arrived.failure then
        return failed(self.path, arrived.failure)
    elseif arrived.chunk then
        return take_chunk(self, arrived.chunk, arrived.is_cached)
    elseif arrived.cut then
        return take_cut(self, arrived.cut)
    end
    return take_end(self)
end

function callbacks.handle_demand(self, demand)
    self.owed = self.owed + demand
    read(self)
    return take(self)
end

local takers = {}

function takers.read(self)
    read(self)
    return take(self)
end

function callbacks.handle_info(self, message)
    return notes.take("source.lines", takers, self, message)
end

function callbacks.terminate(self)
    if self.reader then
        self.reader:close()
    end
    if self.progress then
        self.progress:leave()
    end
end

M.callbacks = callbacks

local function check_path(path)
    if type(path) ~= "string" or path == "" or path:find("%z") then
        return nil, 'must be a path, "-", or a list of these'
    end
    return { path }
end

local function check_paths(value)
    if type(value) ~= "table" then
        return check_path(value)
    end
    local list, problem = checks.list(value)
    if problem or #list == 0 then
        return nil, problem or "must have at least one path"
    end
    local paths = {}
    for i, path in ipairs(list) do
        local one, what = check_path(path)
        if not one then
            return nil, what
        end
        paths[i] = one[1]
    end
    return paths
end

local schema = {
    path = check_paths,
    parts = function(value)
        if value == "auto" then
            return value
        end
        local n = checks.integer(1, MAX_PARTS)(value)
        return n, not n and ('must be a number from 1 to %d or "auto"'):format(MAX_PARTS) or nil
    end,
    chunk_size = checks.integer(1, MAX_CHUNK_SIZE),
    keep_cr = checks.typed "boolean",
    on_shrink = checks.one_of("error", "warn"),
    progress = checks.typed "boolean",
}

---@class stagehost.source.lines.Options
---@field path string|string[] "-": standard input
---@field parts? integer|"auto" the number of readers in a pipeline, each with a range of the files, on different
--- workers; "auto": as many as there are workers, but one reader if the input is not regular files
---@field chunk_size? integer bytes to read at once (122880)
---@field keep_cr? boolean leave the "\r" of "\r\n" on the line (false)
---@field on_shrink? "error"|"warn" what the stage does when a file gets shorter while it is
--- read: it fails, or logs a warning and reads the rest ("error")
---@field progress? boolean show on a terminal how far the reading is (true)

--- Whether all of these are regular files, or are not there: that is an error of the start.
local function are_files(paths)
    for _, path in ipairs(paths) do
        local stat = path ~= "-" and uv.fs_stat(path)
        if path == "-" or stat and stat.type ~= "file" and stat.type ~= "directory" then
            return false
        end
    end
    return true
end

--- A producer of the lines of a file, without their ends ("\n" or "\r\n"). It ends normally after
--- the last line, with or without a newline at its end. Lines may be of any length.
---
---     stagehost.start(stagehost.source.lines { path = "access.log" }, { name = "lines" })
---     stagehost.source.lines { path = "-" }                    -- standard input
---     stagehost.source.lines { path = { "a.log", "b.log" } }   -- one after the other
---
--- A path that can't be read fails the start, before anything is read. A file may grow while it is
--- read. If it gets shorter, lines may be missing, and a line may be pieced together from old and new
--- bytes: the stage fails, after the lines before have been emitted. It notices this by the size,
--- which it checks at the end of the file and at each read after a pause, but not for pipes,
--- devices and standard input.
---
--- With `parts`, a pipeline starts several readers, as instances of the stage. Each has a range of the bytes that the
--- files have when the pipeline starts, cut at line ends; what is added to a file later is not read. The ranges are
--- of equal size, and follow one another in the order of the files. Lines of one part are in order. A stage that
--- subscribes to such a source with `instances = "parts"` (or the same number) has an instance beside each part, on its
--- worker, which gets the lines of that part only; so have stages behind it: no line goes to another worker, until a
--- stage has another number of instances or takes partitions. Parts need regular files. The lines of standard
--- input and of pipes come from one reader, in blocks that go by reference to whichever instance asks; with
--- parts = "auto", too.
---@param options stagehost.source.lines.Options | string a string is the path
---@param start_options? stagehost.InitOptions of its start
---@return stagehost.Definition
function M.new(options, start_options)
    local given = checks.apply(schema, checks.table_or(options, "path"), "source.lines")
    if not given.path then
        checks.fail("path", 'must be a path, "-", or a list of these', nil)
    end
    local is_split = given.parts and are_files(given.path)
    if given.parts and given.parts ~= "auto" and not is_split then
        checks.fail("parts", 'must be "auto" for standard input and pipes: these have one reader, which hands out '
            .. "blocks of lines", given.parts)
    end
    return stagehost.producer(tables.copy(callbacks, { buffer_size = "infinity" },
        stage_options.for_definition("producer", start_options, "source.lines"), {
        split_input = given.parts and { parts = given.parts, deal = is_split and parts.deal or nil } or nil,
        settings = {
            paths = given.path,
            parts = is_split and given.parts or nil,
            chunk_size = given.chunk_size or DEFAULT_CHUNK_SIZE,
            keep_cr = given.keep_cr or false,
            on_shrink = given.on_shrink or "error",
            progress = given.progress ~= false,
        },
    }))
end

return M
