--- Files for specs: a folder of their own, with methods to work in it.
local stagehost = require "stagehost"
local uv = stagehost.uv

local M = {}

--- A new folder, with methods that take names in it. Remove it in after_each.
---@class spec.Folder
local Folder = {}
Folder.__index = Folder

---@return spec.Folder
function M.new()
    local base = os.getenv "TMPDIR" or "/tmp"
    return setmetatable({ path = assert(uv.fs_mkdtemp(base .. "/stagehost-spec-XXXXXX")) }, Folder)
end

function Folder:at(name)
    return self.path .. "/" .. name
end

---@return string path
function Folder:write(name, text, mode)
    local file = assert(io.open(self:at(name), mode or "wb"))
    assert(file:write(text))
    file:close()
    return self:at(name)
end

---@return string path
function Folder:append(name, text)
    return self:write(name, text, "ab")
end

function Folder:read(name)
    local file = assert(io.open(self:at(name), "rb"))
    local text = file:read "*a"
    file:close()
    return text
end

function Folder:rename(from, to)
    assert(os.rename(self:at(from), self:at(to)))
end

function Folder:remove()
    for entry in uv.fs_scandir_next, assert(uv.fs_scandir(self.path)) do
        assert(os.remove(self:at(entry)))
    end
    assert(uv.fs_rmdir(self.path))
end

--- The paths of all files below a folder whose names have that ending, in subfolders too.
---@param folder string
---@param ending string ".lua"
---@return string[] paths sorted
function M.list(folder, ending)
    local paths = {}
    for name, kind in uv.fs_scandir_next, assert(uv.fs_scandir(folder)) do
        if kind == "directory" then
            for _, path in ipairs(M.list(folder .. "/" .. name, ending)) do
                table.insert(paths, name .. "/" .. path)
            end
        elseif name:sub(-#ending) == ending then
            table.insert(paths, name)
        end
    end
    table.sort(paths)
    return paths
end

--- Waits until `condition()` is true; fails after 15 seconds.
---@param condition fun(): any
function M.eventually(condition)
    for _ = 1, 1500 do
        local value = condition()
        if value then
            return value
        end
        stagehost.sleep(10)
    end
    error("it did not happen in 15 seconds", 2)
end

return M
