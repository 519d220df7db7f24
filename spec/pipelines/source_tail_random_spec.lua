-- SPDX-License-Identifier: MIT

--- source.tail beside a log that is appended to, cut, filled again to any size, renamed and deleted at
--- random, compared with a model of what has to come out.
---
--- The log is settled when the source has read all of it: after every few changes a line is appended
--- to it and waited for. In between the source looks when it likes. What it has to deliver, once, in
--- order and whole:
---   - each line that the log has when it is settled;
---   - each line of a log that was settled, and renamed or deleted since, as it was when the next one
---     had its first byte, also the last one without a newline.
--- What was cut off, or renamed and replaced, before it was settled may be missing; but it comes once
--- and in order, too. A line that was cut off while it was written comes as what was there of it.
local files = require "spec.support.files"
local stagehost = require "stagehost"
local uv = stagehost.uv

local SEEDS = tonumber(os.getenv "STAGEHOST_SEEDS") or 3
local ROUNDS = 40

-- The log ------------------------------------------------------------------------------------------

-- A line is { text, is_whole, must }: what has been written of it, whether its newline has, and whether
-- it has to be delivered as it is.
local Log = {}
Log.__index = Log

local function new_log(folder)
    return setmetatable({
        folder = folder,
        lines = {},         -- all, in the order in which they may come out
        now = {},           -- those in the log
        is_settled = false, -- the source has read the log that is there
        n_texts = 0,
        n_renamed = 0,
    }, Log)
end

--- Text that is like no other from its first bytes on, and in every part of 256 bytes.
function Log:text(len)
    self.n_texts = self.n_texts + 1
    local id = ("%06d."):format(self.n_texts)
    len = math.max(len, #id)
    return id:rep(math.ceil(len / #id)):sub(1, len)
end

--- Notes that `text` was written at the end of the log.
function Log:note(text, is_whole)
    local last = self.now[#self.now]
    if not last or last.is_whole then
        last = { text = "" }
        self.now[#self.now + 1], self.lines[#self.lines + 1] = last, last
    end
    last.text, last.is_whole = last.text .. text, is_whole
end

function Log:append_to(name, n, has_part)
    local parts = {}
    for _ = 1, n do
        local text = self:text(math.random(0, 300))
        self:note(text, true)
        parts[#parts + 1] = text .. "\n"
    end
    if has_part then
        local text = self:text(math.random(0, 300))
        self:note(text, false)
        parts[#parts + 1] = text
    end
    self.folder:append(name, table.concat(parts))
end

function Log:append(n, has_part)
    self:append_to("log", n, has_part)
end

--- What is in the log is there to stay, until the source has read it.
function Log:keep(with_last)
    for _, line in ipairs(self.now) do
        line.must = line.must or line.is_whole or with_last
    end
end

function Log:settle()
    local text = self:text(0)
    self:append(math.random(0, 1), false)
    self:note(text, true)
    self.folder:append("log", text .. "\n")
    local last = self.now[#self.now].text
    if math.random(4) == 1 then
        self:append(0, true)
    end
    self:keep(false)
    self.is_settled = true
    return last
end

-- What happens to it -------------------------------------------------------------------------------

function Log:size()
    local stat = uv.fs_stat(self.folder:at "log")
    return stat and stat.size or 0
end

function Log:cut()
    self.folder:write("log", "")
    self.now = {}
end

--- Cut and filled again, with nothing in between that could be seen on purpose.
function Log:refill(size)
    local text = self:text(size - 1)
    self.now = {}
    self:note(text, true)
    self.folder:write("log", text .. "\n")
end

--- Cut, and its writer goes on where it was.
function Log:leave_hole()
    local size = self:size()
    local fd = assert(uv.fs_open(self.folder:at "log", "r+", 0))
    local text = self:text(math.random(0, 300))
    self.now = {}
    self:note(text, true)
    assert(uv.fs_ftruncate(fd, 0))
    assert(uv.fs_write(fd, text .. "\n", size))
    assert(uv.fs_close(fd))
end

--- Another log comes to its place, and nothing is written to the old one from there on.
function Log:replace()
    if self.is_settled then
        self:keep(true)
    end
    self.is_settled = false
    self.now = {}
    if math.random(3) > 1 then
        self.folder:write("log", "")
    end
end

local changes = {
    function(log)
        log:append(math.random(1, 20), math.random(3) == 1)
    end,
    function(log)
        log:append(math.random(200, 1000), false)
    end,
    function(log)
        log:append(0, true)
    end,
    Log.cut,
    function(log)
        log:refill(log:size()) -- the very same, unless it is very small
    end,
    function(log)
        log:refill(log:size() + math.random(-300, 300))
    end,
    function(log)
        if uv.fs_stat(log.folder:at "log") then
            log:leave_hole()
        end
    end,
    function(log)
        if uv.fs_stat(log.folder:at "log") then
            log.n_renamed = log.n_renamed + 1
            local name = "log." .. log.n_renamed
            log.folder:rename("log", name)
            if math.random(2) == 1 then
                log:append_to(name, math.random(0, 5), math.random(2) == 1)
            end
            log:replace()
        end
    end,
    function(log)
        if os.remove(log.folder:at "log") then
            log:replace()
        end
    end,
    function(log)
        uv.fs_utime(log.folder:at "log", 1000000000, 1000000000)
    end,
    function()
        stagehost.sleep(0) -- a chance to look
    end,
}

-- The comparison -----------------------------------------------------------------------------------

local function is_prefix(text, whole)
    return whole:sub(1, #text) == text
end

--- The index of the line, from `first` on, that `text` is; or what is missing instead.
local function find_line(lines, first, text)
    for i = first, #lines do
        local line = lines[i]
        if text == line.text or not line.must and is_prefix(text, line.text) then
            return i
        elseif line.must then
            return nil, ("%q instead of %q"):format(text, line.text)
        end
    end
    return nil, ("%q, which is nowhere, or comes a second time"):format(text)
end

--- What is wrong with what was delivered.
local function find_fault(lines, delivered)
    local last = 0
    for _, text in ipairs(delivered) do
        local i, fault = find_line(lines, last + 1, text)
        if not i then
            return fault
        end
        last = i
    end
    return nil
end

local Sink = stagehost.consumer {
    init = function(self)
        self.events = {}
    end,
    handle_events = function(self, events)
        for _, event in ipairs(events) do
            self.events[#self.events + 1] = event
            self.last = event
        end
    end,
    handle_call = function(self, what)
        return self[what]
    end,
}

describe("source.tail", function()
    local folder, source, sink

    before_each(function()
        folder = files.new()
    end)

    after_each(function()
        source:stop()
        folder:remove()
    end)

    local function run(seed)
        math.randomseed(seed)
        local log = new_log(folder)
        source = assert(stagehost.start(stagehost.source.tail {
            path = folder:at "log", from = "start", poll = math.random(1, 20) }))
        sink = assert(stagehost.start(Sink))
        assert(sink:subscribe { to = source, max_demand = math.random(1, 100) })
        for round = 1, ROUNDS do
            for _ = 1, math.random(1, 5) do
                changes[math.random(#changes)](log)
            end
            local last = log:settle()
            local ok = pcall(files.eventually, function()
                return sink:call "last" == last
            end)
            local fault = find_fault(log.lines, sink:call "events") or not ok and "the last line is missing"
            assert(not fault, ("seed %d, round %d: %s"):format(seed, round, tostring(fault)))
        end
    end

    for seed = 1, SEEDS do
        it("delivers what there was to see, once, in order and whole, with seed " .. seed, function()
            run(seed)
        end)
    end
end)
