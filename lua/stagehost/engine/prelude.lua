-- SPDX-License-Identifier: MIT

--- For code on the command line (-e), on every worker: a global that is not set is the field of the module `stagehost`
--- with its name, or that module itself. What the code or another module assigns goes first.
local lazy = require "stagehost.engine.lazy"

local meta = getmetatable(_G) or {}

if meta.__index == nil then
    meta.__index = function(_, name)
        if type(name) ~= "string" or name:find "^_" then
            return nil
        end
        local stagehost = require "stagehost"
        return name == "stagehost" and stagehost or lazy.find(stagehost, name)
    end
    setmetatable(_G, meta)
end
