-- SPDX-License-Identifier: MIT

--- One line on the terminal that shows how far the input has been read. It appears when reading takes
--- longer than a second, on standard error and only if that is a terminal, and disappears at the end.
--- All sources of all workers share the line: it counts them together, and one worker at a time draws it.
local core = require "stagehost.core"
local uv = require "luv"

local M = {}

local STDERR = 2

local UNITS = { "B", "kB", "MB", "GB", "TB", "PB" }

--- Formats a number of bytes: "1.2 GB".
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

--- Formats a count: "1,234,567".
---@param n integer
---@return string
function M.format_count(n)
    local digits = ("%.0f"):format(n)
    local first = (#digits - 1) % 3 + 1
    return digits:sub(1, first) .. digits:sub(first + 1):gsub("%d%d%d", ",%0")
end

--- Formats a number of seconds: "0:07", "1:02:09".
---@param seconds number
---@return string
function M.format_time(seconds)
    local s = math.floor(seconds + 0.5)
    local hours, minutes = math.floor(s / 3600), math.floor(s % 3600 / 60)
    return hours > 0 and ("%d:%02d:%02d"):format(hours, minutes, s % 60)
        or ("%d:%02d"):format(minutes, s % 60)
end

--- The text of the line.
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

local hidden = false

--- Log levels that show errors only, or nothing: the line is not shown either.
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

-- Blanks, not an escape sequence, clear the line: every terminal understands them.
local function erase(width)
    if width > 0 then
        io.stderr:write(("\r%s\r"):format((" "):rep(width)))
    end
end

local function draw(bytes, lines, rate, width, total)
    local text = M.render({ bytes = bytes, lines = lines, rate = rate, total = total }, terminal_width())
    -- The cursor goes back to the start, for the next line that is written.
    io.stderr:write(("\r%s%s\r"):format(text, (" "):rep(width - #text)))
    core.board_drawn(#text)
end

---@class stagehost.Progress
local Ticket = {}
Ticket.__index = Ticket

--- Adds what has been read since the last call. Cheap: most calls only count.
---@param bytes integer
---@param lines integer
function Ticket.add(_, bytes, lines)
    local all_bytes, all_lines, rate, width, total = core.board_add(bytes, lines)
    if all_bytes then
        draw(all_bytes, all_lines, rate, width, total)
    end
end

--- Tells the line that the source has ended.
function Ticket:leave()
    if not self.left then
        self.left = true
        erase(core.board_leave())
    end
end

--- Adds a source that begins to read.
---@param total? integer bytes it will read, if that is known
---@return stagehost.Progress? # nil: the line would not be seen
function M.start(total)
    if not is_wanted() then
        return nil
    end
    core.board_join(total)
    return setmetatable({ left = false }, Ticket)
end

--- Removes the line for good, because the terminal now shows the results.
function M.hide()
    if not hidden then
        hidden = true
        erase(core.board_hide())
    end
end

return M
