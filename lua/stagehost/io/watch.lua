-- SPDX-License-Identifier: MIT

--- Notifications of the file system about changes, where it supports them. Code must not rely
--- on them alone: network file systems send none, and a watch that can't be made is not an error.
local uv = require "luv"

local M = {}

---@class stagehost.io.Watch
---@field private handle? userdata
local Watch = {}
Watch.__index = Watch

---@param path string a file, or a folder whose files come and go
---@param on_change fun(name: string?) name of the file in the folder, if it is known
---@return stagehost.io.Watch? # nil: it can't be watched
function M.new(path, on_change)
    local handle = uv.new_fs_event()
    local ok = uv.fs_event_start(handle, path, {}, function(err, name)
        if not err then
            on_change(name)
        end
    end)
    if not ok then
        uv.close(handle)
        return nil
    end
    return setmetatable({ handle = handle }, Watch)
end

function Watch:close()
    if self.handle and not uv.is_closing(self.handle) then
        uv.close(self.handle)
    end
    self.handle = nil
end

return M
