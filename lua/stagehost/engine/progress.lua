-- SPDX-License-Identifier: MIT

--- One line on the terminal about how far the input has been read. It appears when reading takes
--- longer than a second, on standard error and only if that is a terminal, and is gone at the end.
--- All sources of a worker share the line: it counts them together.
local uv = require "luv"

local M = {}

local SHOW_AFTER_MS = 1000
local REDRAW_MS = 250
local STDERR = 2

-- The share of the newest interval in the rate that is shown.
local SMOOTHING = 0.3

local UNITS = { "B", "kB", "MB", "GB", "TB", "PB" }

--- "1.2 GB".
---@param bytes number
---@return string
function M.format_bytes(bytes)
    local unit = 1
    while bytes >= 999.5 and unit < #UNITS do
        bytes, unit = bytes / 1000, unit + 1
    end
    return (unit == 1 or bytes >= 99.5) and ("%.0f %s"):format(bytes, UNITS[unit])
        or ("%.1f %s"):format(bytes, UNITS[unit])
end

--- "1,234,567".
---@param n integer
---@return string
function M.format_count(n)
    local digits = ("%.0f"):format(n)
    local first = (#digits - 1) % 3 + 1
    return digits:sub(1, first) .. digits:sub(first + 1):gsub("%d%d%d", ",%0")
end

--- "0:07", "1:02:09".
---@param seconds number
---@return string
function M.format_time(seconds)
    local s = math.floor(seconds + 0.5)
    local hours, minutes = math.floor(s / 3600), math.floor(s % 3600 / 60)
    return hours > 0 and ("%d:%02d:%02d"):format(hours, minutes, s % 60)
        or ("%d:%02d"):format(minutes, s % 60)
end

--- The line itself.
---@param state { bytes: number, total: number?, lines: integer, rate: number } rate: bytes a second
---@param width integer columns of the terminal
---@return string
function M.render(state, width)
    local parts = {}
    local read = M.format_bytes(state.bytes)
    if state.total and state.total > 0 then
        parts[1] = ("%3.0f%%"):format(math.min(100, 100 * state.bytes / state.total))
        read = read .. " of " .. M.format_bytes(state.total)
    end
    parts[#parts + 1] = read
    parts[#parts + 1] = M.format_bytes(state.rate) .. "/s"
    parts[#parts + 1] = M.format_count(state.lines) .. " lines"
    if state.total and state.rate > 0 then
        local left = math.max(0, state.total - state.bytes)
        parts[#parts + 1] = M.format_time(left / state.rate) .. " left"
    end
    return table.concat(parts, "  "):sub(1, math.max(0, width - 1))
end

---@class stagehost.progress.Board
---@field sources integer
---@field bytes number
---@field lines integer
---@field total? number nil: a source that can't know takes part
---@field rate number
---@field started integer
---@field drawn_at integer
---@field drawn_bytes number
---@field drawn_width integer 0: nothing is on the screen

local board ---@type stagehost.progress.Board?
local hidden = false

--- Who wants errors only, or nothing, wants no progress either.
local QUIET_LEVELS = { off = true, error = true }

local function is_wanted()
    return not hidden and uv.guess_handle(STDERR) == "tty" and os.getenv "TERM" ~= "dumb"
        and not QUIET_LEVELS[os.getenv "STAGEHOST_LOG_LEVEL"]
end

local function terminal_width()
    local tty = uv.new_tty(STDERR, false)
    local width = tty and uv.tty_get_winsize(tty)
    if tty then
        uv.close(tty)
    end
    return type(width) == "number" and width > 0 and width or 80
end

-- Blanks instead of an escape sequence: understood everywhere.
local function erase(b)
    if b.drawn_width > 0 then
        io.stderr:write("\r", (" "):rep(b.drawn_width), "\r")
        b.drawn_width = 0
    end
end

local function draw(b, now)
    local seconds = (now - b.drawn_at) / 1000
    local newest = (b.bytes - b.drawn_bytes) / seconds
    b.rate = b.rate and b.rate + SMOOTHING * (newest - b.rate) or newest
    b.drawn_at, b.drawn_bytes = now, b.bytes
    local text = M.render(b, terminal_width())
    local padding = (" "):rep(b.drawn_width - #text)
    -- The cursor goes back to the start, for whoever writes a line next.
    io.stderr:write("\r", text, padding, "\r")
    b.drawn_width = #text
end

---@class stagehost.Progress
local Ticket = {}
Ticket.__index = Ticket

--- What has been read since the last call. Cheap: most calls only count.
---@param bytes integer
---@param lines integer
function Ticket:add(bytes, lines)
    local b = self.board
    b.bytes, b.lines = b.bytes + bytes, b.lines + lines
    local now = uv.now()
    if now - b.started >= SHOW_AFTER_MS and now - b.drawn_at >= REDRAW_MS and not hidden then
        draw(b, now)
    end
end

--- The source has ended.
function Ticket:leave()
    local b = self.board
    if self.left then
        return
    end
    self.left = true
    b.sources = b.sources - 1
    if b.sources == 0 then
        erase(b)
        board = nil
    end
end

--- A source begins to read.
---@param total? integer bytes it will read, if that is known
---@return stagehost.Progress? # nil: nobody would see it
function M.start(total)
    if not is_wanted() then
        return nil
    end
    if not board then
        local now = uv.now()
        board = { sources = 0, bytes = 0, lines = 0, total = 0, started = now, drawn_at = now,
            drawn_bytes = 0, drawn_width = 0 }
    end
    board.sources = board.sources + 1
    board.total = board.total and total and board.total + total or nil
    return setmetatable({ board = board }, Ticket)
end

--- Takes the line away for good: from now on the terminal shows the results.
function M.hide()
    hidden = true
    if board then
        erase(board)
    end
end

return M
