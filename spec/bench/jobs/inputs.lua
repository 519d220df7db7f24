-- SPDX-License-Identifier: MIT
--
-- The inputs of the jobs. Each one is made once, by a generator with a seed, and kept for the next time.
local M = {}

local function exists(path)
    local file = io.open(path)
    if file then
        file:close()
    end
    return file ~= nil
end

--- Runs a shell command that writes a file. The file has its name only when it is complete.
local function make(path, format, ...)
    if not exists(path) then
        io.stderr:write(("bench: making %s\n"):format(path))
        local line = (format:format(...) .. " >'%s.part' && mv '%s.part' '%s'"):format(path, path, path)
        if os.execute(line) ~= 0 then
            error(("bench: cannot make %s"):format(path), 0)
        end
    end
    return path
end

--- Gives each of two files half of the lines, in their order.
local function halve(path)
    local halves = { path .. ".1", path .. ".2" }
    if not (exists(halves[1]) and exists(halves[2])) then
        local pipe = assert(io.popen(("wc -l <'%s'"):format(path)))
        local half = math.floor(tonumber(pipe:read "*a") / 2)
        pipe:close()
        make(halves[1], "head -n %d '%s'", half, path)
        make(halves[2], "tail -n +%d '%s'", half + 1, path)
    end
    return halves
end

--- What an input is made of, for a part of its full size between 0 and 1: name of the file, command line.
local makers = {}

function makers.access_log(places, part)
    local n = math.ceil(1e6 * part)
    return ("access_log_%d.log"):format(n),
        ("'%s' '%s/scripts/make_access_log.lua' %d"):format(places.command, places.root, n)
end

function makers.words(places, part)
    local n = math.ceil(1e8 * part)
    return ("words_%d.txt"):format(n), ("luajit '%s/make_words.lua' %d"):format(places.here, n)
end

function makers.records(places, part)
    local n = math.ceil(5e5 * part)
    return ("records_%d.ndjson"):format(n), ("luajit '%s/make_records.lua' %d"):format(places.here, n)
end

--- The path of an input, and the paths of its halves.
---@param places table<string, string> command, root, here (this folder), data (where inputs are kept)
---@param name string "access_log", "words", "records"
---@param part number of the full size, 1 for all of it
---@return string path, string[] halves
function M.get(places, name, part)
    local file, line = makers[name](places, part)
    local path = make(places.data .. "/" .. file, "%s", line)
    return path, halve(path)
end

return M
