-- SPDX-License-Identifier: MIT

--- Every file of lua/ is a module that the library has built in, and that is found under the same name where
--- the files are on a disk: X.lua or X/init.lua.
local files = require "spec.support.files"

local function module_name(path)
    return (path:gsub("%.lua$", ""):gsub("/init$", ""):gsub("/", "."))
end

--- What `require` loads a module with.
local function find_loader(name)
    for _, search in ipairs(package.loaders) do
        local loader = search(name)
        if type(loader) == "function" then
            return loader
        end
    end
end

local paths = files.list("lua", ".lua")

describe("a file of lua/", function()
    it("is the only one of its module", function()
        local path_of = {}
        for _, path in ipairs(paths) do
            assert.is_nil(path_of[module_name(path)], path)
            path_of[module_name(path)] = path
        end
        assert.equal("stagehost/init.lua", path_of.stagehost)
        assert.equal("stagehost/supervisor/init.lua", path_of["stagehost.supervisor"])
        assert.equal("stagehost/sink/lines.lua", path_of["stagehost.sink.lines"])
    end)

    it("is built in, and called by its path in tracebacks", function()
        for _, path in ipairs(paths) do
            local loader = find_loader(module_name(path))
            assert.equal("@" .. path, loader and debug.getinfo(loader, "S").source)
        end
    end)

    it("is found on a disk by its module's name", function()
        for _, path in ipairs(paths) do
            local found = assert(package.searchpath(module_name(path), package.path))
            assert.equal("lua/" .. path, found:sub(-#path - 4))
        end
    end)
end)
