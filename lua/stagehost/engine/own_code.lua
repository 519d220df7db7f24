-- SPDX-License-Identifier: MIT

local core = require "stagehost.core"

--- Returns a function that does what `make` does, but with code of its own each time. The JIT compiler compiles a
--- loop for the function that the loop called at that time, so each selector and hash gets loops of
--- its own. `make` must have no upvalues; it gets everything it needs as arguments.
---@param make function
---@return function
return function(make)
    local code = string.dump(make)
    return function(...)
        return core.load_dump(code)(...)
    end
end
