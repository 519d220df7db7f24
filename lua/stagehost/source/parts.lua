-- SPDX-License-Identifier: MIT

--- Deals files out to parts, each with about as many bytes as the others: the files are laid end to end, and cut
--- where a part is full. So a part has the end of one file, some whole ones, and the beginning of another, and the
--- order of the parts is that of the files.
local readers = require "stagehost.io.reader"
local tables = require "stagehost.options.tables"

local M = {}

--- A range of a file.
---@class stagehost.source.Segment
---@field path string
---@field from integer the offset of its first byte
---@field to integer the offset behind its last byte
---@field size integer of the file

local function add(segments, file, from, to)
    if from < to then
        segments[#segments + 1] = { path = file.path, from = from, to = to, size = file.size }
    end
end

---@param files { path: string, size: integer }[]
---@param n integer
---@return stagehost.source.Segment[][] parts n lists; a part without bytes has one segment, which is empty
function M.cut(files, n)
    local total, parts = 0, {}
    for _, file in ipairs(files) do
        total = total + file.size
    end
    for i = 1, n do
        local first, last = math.floor(total * (i - 1) / n), math.floor(total * i / n)
        local segments, start = {}, 0
        for _, file in ipairs(files) do
            add(segments, file, math.max(0, first - start), math.min(file.size, last - start))
            start = start + file.size
        end
        segments[1] = segments[1] or { path = files[1].path, from = 0, to = 0, size = files[1].size }
        parts[i] = segments
    end
    return parts
end

--- Finds the sizes of files. Waits.
local function measure(paths)
    local files = {}
    for i, path in ipairs(paths) do
        local ok, size = readers.probe(path)
        if not ok or not size then
            return nil, ("cannot read %s: %s"):format(path, ok and "it is no regular file; without parts, one reader "
                .. "hands out its lines" or size)
        end
        files[i] = { path = path, size = size }
    end
    return files
end

--- Makes the definitions of n readers of a definition with parts. Waits. If the files can't be read, the start of
--- each will fail.
---@param definition stagehost.Definition
---@param n integer
---@return stagehost.Definition[]
function M.deal(definition, n)
    local files, problem = measure(definition.settings.paths)
    local segments, definitions = files and M.cut(files, n), {}
    for i = 1, n do
        definitions[i] = tables.copy(definition, { problem = problem, segments = segments and segments[i] })
    end
    return definitions
end

return M
